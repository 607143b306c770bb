"""The hooks, run by pre-commit and by prek in a real repository.

The hooks' own environment would be installed from the package index, so it is replaced here by this one; everything
else (the files that are passed, the arguments, the exit status) is as users have it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
SAFE = "import jax.numpy as jnp\n\n\ndef f(x):\n    return jnp.log(jnp.sum(jnp.exp(x), axis=1))\n"
CELL = {"cell_type": "code", "source": "import numpy as np\ndef f(x): return np.log(np.sum(np.exp(x)))"}


def git(folder, *arguments):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def hooks(tmp_path):
    """A repository with our hooks, in the environment of the tests."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert text.count("language: python\n") == 2
    text = text.replace("language: python\n", "language: system\n")
    text = text.replace("entry: pytest-lse ", f"entry: {sys.executable} -m pytest_lse ")
    (folder / ".pre-commit-hooks.yaml").write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "hooks")
    return folder


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    (folder / "vendored").mkdir(parents=True)
    (folder / "a.py").write_text(SAFE)
    (folder / "n.ipynb").write_text(json.dumps({"cells": [CELL], "metadata": {}}))
    (folder / "script").write_text("#!/usr/bin/env python\n" + NAIVE)
    (folder / "script").chmod(0o755)
    (folder / "text.txt").write_text(NAIVE)
    (folder / "vendored" / "v.py").write_text(NAIVE)
    (folder / "pyproject.toml").write_text("[tool.pytest-lse]\nextend-exclude = ['vendored']\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "start")
    return folder


@pytest.fixture(params=["pre-commit", "prek"])
def run(request, hooks, repository, tmp_path):
    tool = shutil.which(request.param, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if tool is None:
        pytest.skip(f"{request.param} is not installed")

    def start(hook: str) -> subprocess.CompletedProcess[str]:
        home = str(tmp_path / "home")
        environment = {**os.environ, "PRE_COMMIT_HOME": home, "PREK_HOME": home, "NO_COLOR": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        command = [tool, "try-repo", str(hooks), hook, "--all-files"]
        return subprocess.run(command, cwd=repository, capture_output=True, text=True, env=environment, check=False)

    return start


def test_check_reports_and_writes_nothing(run, repository):
    done = run("lse-check")
    assert done.returncode == 1, done.stderr
    assert "Failed" in done.stdout
    assert "--> a.py:5:12" in done.stdout
    assert "--> n.ipynb:cell 1:2:" in done.stdout
    assert "--> script:6:12" in done.stdout
    assert "text.txt" not in done.stdout
    assert "vendored" not in done.stdout
    assert (repository / "a.py").read_text() == SAFE


def test_fix_writes_and_fails_once(run, repository):
    for name in ("n.ipynb", "script"):
        git(repository, "rm", "-q", name)
    done = run("lse-fix")
    assert done.returncode == 1, done.stderr
    assert "files were modified by this hook" in done.stdout.lower()
    assert "exit code: 1" in done.stdout
    assert "logsumexp" in (repository / "a.py").read_text()
    git(repository, "add", ".")
    done = run("lse-fix")
    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout
