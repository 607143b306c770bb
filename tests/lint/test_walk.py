import os
import subprocess
from pathlib import Path

import pytest

from pytest_lse.lint.config import Resolver
from pytest_lse.lint.walk import walk


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(*names, **contents):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(contents.get(name, ""))

    return make


def found(*paths, **overrides):
    return [name for name, _ in walk(paths or ["."], Resolver(overrides))]


def test_python_files_and_notebooks_in_order(tree):
    tree("b.py", "a/z.pyi", "a/c/d.py", "a.txt", "n.ipynb", "w.pyw", "a/.hidden.py", ".config/x.py", "README.md")
    assert found() == ["b.py", "n.ipynb", "w.pyw", ".config/x.py", "a/.hidden.py", "a/z.pyi", "a/c/d.py"]
    assert found("./a/") == ["a/.hidden.py", "a/z.pyi", "a/c/d.py"]
    assert found("a/c/..", "b.py", "./b.py", ".")[:3] == ["a/.hidden.py", "a/z.pyi", "a/c/d.py"]
    assert len(found("a", "b.py", ".")) == 7


def test_absolute_names_stay_absolute(tree, tmp_path):
    tree("a/b.py")
    assert found(str(tmp_path)) == [str(tmp_path / "a" / "b.py")]


def test_named_files_are_checked_whatever_they_are_called(tree):
    tree("script", "venv/a.py", "a.txt")
    assert found("script", "venv/a.py", "a.txt") == ["script", "venv/a.py", "a.txt"]
    assert found("venv/a.py", "script", **{"force-exclude": True}) == ["script"]
    assert found("venv", **{"force-exclude": True}) == []
    assert found("venv") == ["venv/a.py"]


def test_the_default_exclusions_are_ruffs(tree):
    tree(*(f"{name}/a.py" for name in [".git", ".venv", "node_modules", "build", "dist", "site-packages"]), "src/a.py")
    assert found() == ["src/a.py"]


def test_exclusions(tree):
    tree("a/b.py", "a/c_pb2.py", "build/x.py", "tests/data/x.py", "data/x.py")
    assert found(**{"extend-exclude": ["*_pb2.py", "tests/data"]}) == ["a/b.py", "data/x.py"]
    assert "build/x.py" in found(exclude=["a"])
    assert not [name for name in found(exclude=["a"]) if name.startswith("a")]


def test_configuration_below_holds_below(tree, tmp_path):
    tree("a/x.py", "b/x.py", "b/y.py")
    (tmp_path / "b" / "pyproject.toml").write_text("[tool.pytest-lse]\nexclude = ['y.py']\n")
    assert found() == ["a/x.py", "b/x.py"]


IGNORES = {
    ".gitignore": "*.gen.py\n/top.py\nlogs/\n!keep.gen.py\n\n# comment\na/**/deep.py\n[z-a]broken\n",
    "a/.gitignore": "local.py\n!x.gen.py\n",
    "b/.gitignore": "*\n!.gitignore\n",
}


def test_what_git_ignores(tree, tmp_path):
    tree("top.py", "a/top.py", "x.gen.py", "keep.gen.py", "logs/a.py", "a/local.py", "a/x.gen.py", "a/m/deep.py")
    tree("b/x.py", "b/c/x.py", "local.py", "c/logs")
    tree(*IGNORES, **IGNORES)
    expected = ["keep.gen.py", "local.py", "a/top.py", "a/x.gen.py"]
    assert found() == expected
    subprocess.run(["git", "init", "-q", "."], check=True)
    assert found() == expected
    listed = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard", "*.py"], check=True, capture_output=True, text=True
    )
    assert sorted(listed.stdout.split()) == sorted(expected)
    assert "logs/a.py" in found(**{"respect-gitignore": False})


def test_files_above_count_inside_a_repository(tree, tmp_path):
    tree("repo/pkg/a.py", "repo/pkg/b.py", "repo/c.py", ".gitignore", "repo/.gitignore")
    (tmp_path / ".gitignore").write_text("a.py\n")
    (tmp_path / "repo" / ".gitignore").write_text("b.py\n")
    assert found("repo/pkg") == ["repo/pkg/a.py", "repo/pkg/b.py"]
    (tmp_path / "repo" / ".git" / "info").mkdir(parents=True)
    (tmp_path / "repo" / ".git" / "info" / "exclude").write_text("c.py\n")
    assert found("repo/pkg") == ["repo/pkg/a.py"]
    assert found("repo") == ["repo/pkg/a.py"]


def test_an_ignored_directory_that_is_named_is_read(tree, tmp_path):
    tree("data/env/a.py", "data/env/.gitignore", ".gitignore")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("data\n")
    assert found() == []
    assert found("data/env") == ["data/env/a.py"]
    assert found("data/env/a.py") == ["data/env/a.py"]


def test_links(tree, tmp_path):
    tree("repo/a.py", "repo/b/c.py", "outside/o.py")
    repo = tmp_path / "repo"
    (repo / "b" / "loop").symlink_to(repo)
    (repo / "same.py").symlink_to(repo / "a.py")
    (repo / "o.py").symlink_to(tmp_path / "outside" / "o.py")
    (repo / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    assert found("repo") == ["repo/a.py", "repo/o.py", "repo/b/c.py"]


def test_a_directory_that_is_called_like_a_module(tree, tmp_path):
    tree("x.py/a.py")
    assert found() == ["x.py/a.py"]


def test_a_deep_tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(300):
        Path("d").mkdir()
        os.chdir("d")
    Path("a.py").touch()
    os.chdir(tmp_path)
    assert found() == ["d/" * 300 + "a.py"]


def test_a_directory_that_cannot_be_read_is_a_warning(tree, tmp_path, monkeypatch):
    tree("a/x.py", "b/x.py")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    messages = []
    assert [name for name, _ in walk(["."], Resolver(), messages.append)] == ["b/x.py"]
    assert messages == [f"{tmp_path}/a: the directory cannot be read: Permission denied"]
