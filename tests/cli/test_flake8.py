"""flake8 itself runs the extension."""

import subprocess
import sys

import pytest

pytest.importorskip("flake8")

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


@pytest.fixture
def flake8(tmp_path):
    def run(*arguments, stdin=None):
        command = [sys.executable, "-m", "flake8", "-j1", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, input=stdin, check=False)

    return run


def test_findings_suppression_and_configuration(flake8, tmp_path):
    (tmp_path / "a.py").write_text(NAIVE)
    (tmp_path / "b.py").write_text(NAIVE.replace("1))\n", "1))  # noqa: LSE001\n"))
    (tmp_path / "c.py").write_text("def f(:\n")
    (tmp_path / "d.py").write_text("y = 1  # noqa: LSE001\n")
    (tmp_path / "e.py").write_bytes(b"# coding: latin-1\n# \xe9\n" + NAIVE.encode())
    done = flake8("--select=LSE,E9")
    lines = sorted(done.stdout.splitlines())
    assert [line.split(" ")[0:2] for line in lines] == [
        ["./a.py:5:12:", "LSE001"],
        ["./c.py:1:8:", "E999"],
        ["./e.py:7:12:", "LSE001"],
    ]
    assert done.stderr == ""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest-lse]\nignore = ['LSE001']\n")
    assert flake8("--select=LSE").stdout == ""


def test_standard_input(flake8):
    done = flake8("--select=LSE", "--stdin-display-name=x.py", "-", stdin=NAIVE)
    assert done.stdout.startswith("x.py:5:12: LSE001 log(sum(exp(x)))")
    assert flake8("--select=LSE", "-", stdin=NAIVE).stdout.startswith("stdin:5:12: LSE001")
    assert flake8("--ignore=LSE", "-", stdin=NAIVE).stdout == ""
