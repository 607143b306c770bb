"""`--fix` on files: bytes, line endings, encodings, and what happens when a file cannot be written."""

from __future__ import annotations

import os

import pytest

from pytest_lse.lint import changes
from pytest_lse.lint.config import Settings
from pytest_lse.lint.run import Job, do_file

FIX = Job("fix", unsafe=True)
BEFORE = "import numpy as np\n\n\ndef f(x):\n    return np.log(1 + np.exp(x))  # é\n"
AFTER = BEFORE.replace("np.log(1 + np.exp(x))", "np.logaddexp(0, x)")


def fix(path, job=FIX):
    return do_file(str(path), Settings(root=str(path.parent)), job, named=True)


@pytest.mark.parametrize(
    ("spell", "encoding"),
    [
        (lambda t: t, "utf-8"),
        (lambda t: t, "utf-8-sig"),
        (lambda t: "# coding: latin-1\n" + t, "latin-1"),
        (lambda t: "#!/usr/bin/python\n# -*- coding: cp1252 -*-\n" + t, "cp1252"),
        (lambda t: t.replace("\n", "\r\n"), "utf-8"),
        (lambda t: t.replace("\n\n\n", "\r\n\n\r\n"), "utf-8"),
        (lambda t: t.rstrip("\n"), "utf-8"),
        (lambda t: t.replace("    ", "\t") + "\t \n  \n", "utf-8"),
        (lambda t: t + "x = '\x0c\x0b\u2028'\n", "utf-8"),
    ],
)
def test_every_other_byte_is_kept(tmp_path, spell, encoding):
    file = tmp_path / "a.py"
    file.write_bytes(spell(BEFORE).encode(encoding))
    result = fix(file)
    assert result.error is None
    assert [f.code for f in result.fixed] == ["LSE005"]
    assert result.findings == []
    assert file.read_bytes() == spell(AFTER).encode(encoding)


@pytest.mark.parametrize("spell", [lambda t: "\x0c" + t, lambda t: t.replace("\n", "\r")])
def test_what_libcst_cannot_reproduce_is_reported(tmp_path, spell):
    file = tmp_path / "a.py"
    file.write_bytes(spell(BEFORE).encode())
    result = fix(file)
    assert result.fixed == []
    assert ["byte for byte" in f.no_fix_reason for f in result.findings] == [True]
    assert file.read_bytes() == spell(BEFORE).encode()


def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path, monkeypatch):
    file = tmp_path / "a.py"
    file.write_text(BEFORE)
    fixed = changes._fixed

    def slow(result, data, settings, *, unsafe):
        file.write_text("x = 1\n")
        return fixed(result, data, settings, unsafe=unsafe)

    monkeypatch.setattr(changes, "_fixed", slow)
    result = fix(file)
    assert file.read_text() == "x = 1\n"
    assert [(f.code, f.message) for f in result.findings] == [
        ("LSE000", "not fixed: it has changed on disk since it was analysed")
    ]
    assert result.fixed == []
    assert result.error is None


@pytest.mark.skipif(os.name != "posix", reason="modes and links")
@pytest.mark.parametrize("how", ["read-only", "hard links"])
def test_a_file_that_is_not_written_keeps_its_findings(tmp_path, how):
    file = tmp_path / "a.py"
    file.write_text(BEFORE)
    if how == "read-only":
        file.chmod(0o444)
    else:
        os.link(file, tmp_path / "b.py")
    result = fix(file)
    assert how in result.error
    assert [f.code for f in result.findings] == ["LSE005"]
    assert result.fixed == []
    assert result.lines[None, 5].strip().startswith("return")
    assert file.read_text() == BEFORE


def test_the_second_run_changes_nothing(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(BEFORE)
    fix(file)
    status = file.stat()
    assert fix(file).fixed == []
    assert file.stat().st_mtime_ns == status.st_mtime_ns
