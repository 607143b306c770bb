from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_lse.lint.diff import name_in_diff, unified_diff

TEXTS = {
    "plain": (b"a\nb\nc\n", b"a\nB\nc\n"),
    "no final newline": (b"a\nb", b"a\nB"),
    "far apart": (b"x\n" + b"-\n" * 30 + b"y\n", b"X\n" + b"-\n" * 30 + b"Y\n"),
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nimport s\r\nc\r\n"),
    "mixed, a bare carriage return": (b"a\r\nb\rc\nd\n", b"a\r\nB\rc\nd\n"),
    "form feed and odd separators": (b"a\n\x0c\nb\x0b\xe2\x80\xa8\n", b"a\n\x0c\nB\x0b\xe2\x80\xa8\n"),
    "latin-1": (b"# caf\xe9\nb\n", b"# caf\xe9\nB\n"),
    "byte order mark": (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfB\n"),
    "lines like headers": (b"-- a\n++ b\nc\n", b"-- a\n++ B\nc\n"),
}


@pytest.mark.parametrize(("before", "after"), TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "-s", "--binary"]], ids=["git", "patch"])
@pytest.mark.parametrize("name", ["a.py", "sub/with space.py", "sub/caf\u00e9.py", 'sub/quo"te\t.py'])
def test_the_diff_can_be_applied(before, after, tool, name, tmp_path, monkeypatch):
    if shutil.which(tool[0]) is None:
        pytest.skip(f"no {tool[0]}")
    if tool[0] == "patch" and '"' in name:
        pytest.skip("only newer versions of patch read quoted names")
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path(name).write_bytes(before)
    diff = unified_diff(name, before, after).encode("utf-8", "surrogateescape")
    subprocess.run(tool, input=diff, check=True, cwd=tmp_path)
    assert Path(name).read_bytes() == after


def test_below_a_folder_of_a_repository(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "a.py"
    file.write_bytes(b"a\n")
    monkeypatch.chdir(tmp_path / "sub")
    diff = unified_diff("a.py", b"a\n", b"b\n")
    subprocess.run(["git", "apply"], input=diff.encode(), check=True)
    assert file.read_bytes() == b"b\n"


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert name_in_diff(str(tmp_path / "a" / "b.py"), "b") == b"b/a/b.py"
    assert name_in_diff("./a.py", "a") == b"a/a.py"
    assert name_in_diff("../a.py", "a") == b"a" + os.fsencode(tmp_path.parent / "a.py")


def test_no_change():
    assert unified_diff("a.py", b"a\n", b"a\n") == ""
