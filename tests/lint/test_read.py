import codecs

import pytest

from pytest_lse.lint.read import UnreadableError, is_notebook, read


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"x = 1\r\n", "x = 1\r\n", "utf-8"),
        (codecs.BOM_UTF8 + b"x\n", "x\n", "utf-8-sig"),
        (codecs.BOM_UTF8 + b"# coding: utf-8\nx\n", "# coding: utf-8\nx\n", "utf-8-sig"),
        ("# -*- coding: latin-1 -*-\n'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\n'é'\n", "iso8859-1"),
        ("#!/bin/x\r\n# vim: fileencoding=cp1252\r\n'€'".encode("cp1252"), None, "cp1252"),
        (b"x = 1\n# coding: latin-1\n", None, "utf-8"),
        (b"\n\n# coding: latin-1\n", None, "utf-8"),
        (b"", "", "utf-8"),
        ("'é'".encode(), "'é'", "utf-8"),
    ],
)
def test_modules(data, text, encoding):
    source = read(data, "a.py")
    assert source.encoding == encoding
    assert source.numbers is None
    assert source.cell(None) == source.cells[0]
    if text is not None:
        assert source.cells == [text]


@pytest.mark.parametrize(
    ("data", "reason", "row", "column"),
    [
        (b"x = 1\ny = '\0'\n", "null bytes", 2, 6),
        (b"x = 1\r\ny = '\xe9'\n", "not valid UTF-8: byte 0xe9", 2, 6),
        ("'é'; x = '".encode() + b"\xff'", "not valid UTF-8: byte 0xff", 1, 11),
        (b"# coding: nonsense\n", "unknown encoding 'nonsense'", 1, 1),
        (b"\n# coding: hex\n", "unknown encoding 'hex'", 2, 1),
        (codecs.BOM_UTF8 + b"# coding: latin-1\n", "the byte order mark says UTF-8", 1, 1),
        (b"# coding: ascii\n# \xe9\n", "not valid ascii: byte 0xe9", 2, 3),
    ],
)
def test_what_is_no_source_says_why_and_where(data, reason, row, column):
    with pytest.raises(UnreadableError) as caught:
        read(data, "a.py")
    assert reason in caught.value.reason
    assert (caught.value.row, caught.value.column) == (row, column)


def test_notebooks_are_told_by_their_name():
    assert is_notebook("a.ipynb")
    assert not is_notebook("a.py")
