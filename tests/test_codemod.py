from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from libcst.codemod import CodemodContext, CodemodTest

import pytest_lse
from pytest_lse.codemod import StabiliseCommand
from pytest_lse.lint.select import UnknownCodeError


class TestStabilise(CodemodTest):
    TRANSFORM = StabiliseCommand

    def test_a_safe_fix(self):
        before = "import torch\n\n\ndef f(x):\n    return torch.log(torch.sum(torch.exp(x), dim=1)) # why"
        after = "import torch\n\n\ndef f(x):\n    return torch.logsumexp(x, dim=1) # why"
        self.assertCodemod(before, after)

    def test_nothing_to_do(self):
        self.assertCodemod("import torch\nx  = 1", "import torch\nx  = 1")

    def test_an_error_of_the_analysis_is_raised(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pytest_lse.lint.run.find", lambda *args, **kwargs: 1 / 0)
            with pytest.raises(RuntimeError, match="ZeroDivisionError"):
                self.assertCodemod("x = 1", "x = 1")


def test_unknown_codes():
    with pytest.raises(UnknownCodeError):
        StabiliseCommand(CodemodContext(), select="LSE999")


SOURCE = textwrap.dedent("""
    import numpy as np


    def f(x):
        unformatted  = {'a':1}
        return np.log(np.sum(np.exp(x))), np.log(1+np.exp(x))
""")


def run(module, *args, cwd):
    paths = os.pathsep.join([str(Path(pytest_lse.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", module, *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=cwd, env={**os.environ, "PYTHONPATH": paths}
    )


def codemod(file, *options):
    return run("libcst.tool", "codemod", "-x", "pytest_lse.codemod.StabiliseCommand", *options, file, cwd=file.parent)


@pytest.mark.parametrize("encoded", [("utf-8", "é"), ("utf-8-sig", "é"), ("latin-1", "coding: latin-1\n# é")])
def test_it_does_what_fix_does(tmp_path, encoded):
    encoding, comment = encoded
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_bytes(f"# {comment}\n{SOURCE}".encode(encoding).replace(b"\n", b"\r\n"))
    codemod(tmp_path / "a.py", "--unsafe-fixes")
    run("pytest_lse", "check", "--fix", "--unsafe-fixes", tmp_path / "b.py", cwd=tmp_path)
    changed = (tmp_path / "a.py").read_bytes()
    assert changed == (tmp_path / "b.py").read_bytes()
    assert b"scipy.special.logsumexp(x), np.logaddexp(0, x)" in changed
    assert b"unformatted  = {'a':1}\r\n" in changed


def test_options_and_warnings(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(SOURCE)
    done = codemod(file, "--unsafe-fixes", "--ignore", "LSE001,LSE002")
    assert "np.log(np.sum(np.exp(x))), np.logaddexp(0, x)" in file.read_text()
    assert "0 warnings" in done.stderr
    done = codemod(file)
    assert "1 warnings" in done.stderr
    assert "LSE001" in done.stderr
