"""What a run imports: only what it needs, since a hook's start is what its user feels."""

import ast
import os
import subprocess
import sys

import pytest

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pytest_lse.cli import main
{also}
status = main(sys.argv[1:])
print(sorted(sys.modules), file=sys.stderr)
"""
HEAVY = {"libcst", "numpy", "hypothesis", "pytest", "scipy", "torch", "mpmath", "rich", "asyncio", "pygls"}
#: standard library that costs milliseconds and is needed for something else
DEAR = {"pathlib", "json", "tomllib", "difflib", "shutil", "tempfile", "subprocess", "multiprocessing", "logging"}
POOLS = {"concurrent.futures", "multiprocessing"}


def modules(folder, *arguments: str, also: str = "", status: int = 0) -> set[str]:
    script = SCRIPT.format(path=[p for p in sys.path if p], also=also)
    command = [sys.executable, "-I", "-S", "-c", script, *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=True)
    return set(ast.literal_eval(done.stderr.splitlines()[-1]))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "clean.py").write_text("x = 1\n")
    (tmp_path / "naive.py").write_text(NAIVE)
    return tmp_path


def test_a_clean_file_needs_next_to_nothing(folder):
    loaded = modules(folder, "check", "clean.py")
    assert not loaded & (HEAVY | DEAR | POOLS | {"pathspec"})


def test_a_finding_needs_the_standard_library_alone(folder):
    loaded = modules(folder, "check", "naive.py")
    assert not loaded & (HEAVY | POOLS | {"pathspec", "json", "difflib"})


def test_gitignore_files_alone_need_pathspec(folder):
    assert "pathspec" not in modules(folder, "check", ".")
    (folder / ".gitignore").write_text("# nothing\n")
    assert "pathspec" not in modules(folder, "check", ".")
    (folder / ".gitignore").write_text("build\n")
    loaded = modules(folder, "check", ".")
    assert "pathspec" in loaded
    assert not loaded & HEAVY
    assert "pathspec" not in modules(folder, "check", "clean.py")


def test_only_a_table_of_ours_needs_the_toml_parser(folder):
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert "tomllib" not in modules(folder, "check", "clean.py")
    (folder / "pyproject.toml").write_text("[tool.pytest-lse]\n")
    assert "tomllib" in modules(folder, "check", "clean.py")


def test_documentation_needs_the_standard_library_alone(folder):
    assert not modules(folder, "rule", "LSE001") & HEAVY


@pytest.mark.parametrize("dear", ["numpy", "json"])
def test_this_test_can_fail(folder, dear):
    assert dear in modules(folder, "check", "clean.py", also=f"import {dear}")
