"""`check --diff | git apply` is `check --fix`, whatever the encodings and line endings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest_lse

FILES = {
    "crlf.py": b"import numpy as np\r\ndef f(x):\r\n    return np.log(1 + np.exp(x))\r\n",
    "latin.py": "# coding: latin-1\n# é\nimport numpy as np\ndef f(x):\n    return np.log(1 + np.exp(x)) # é".encode(
        "latin-1"
    ),
    "bom.py": "import numpy as np\ndef f(x):\n    return np.log(1 + np.exp(x)) # é\n".encode("utf-8-sig"),
    "sub/with space.py": b"import numpy as np\ndef f(x):\n    return np.log(1 + np.exp(x))",
    "nb.ipynb": b'{"cells": [{"cell_type": "code", "source": ["import numpy as np\\n", "y = np.log(1 + np.exp(x))"]}]}',
}


def tree(folder):
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def check(folder, *options):
    paths = os.pathsep.join([str(Path(pytest_lse.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest_lse", "check", "--isolated", *options, "."]
    return subprocess.run(
        command, cwd=folder, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": paths}
    )


def test_git_applies_the_diff(tmp_path):
    fixed, patched = tree(tmp_path / "fixed"), tree(tmp_path / "patched")
    assert check(fixed, "--fix").returncode == 0
    diff = check(patched, "--diff")
    assert diff.returncode == 1
    subprocess.run(["git", "apply"], input=diff.stdout, cwd=patched, check=True)
    for name, data in FILES.items():
        assert (patched / name).read_bytes() == (fixed / name).read_bytes() != data, name
    assert check(patched, "--diff").returncode == 0
