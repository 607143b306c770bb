"""From bytes to source text: encodings, byte order marks and notebooks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")


class UnreadableError(Exception):
    """The bytes are not Python source.

    Attributes
    ----------
    reason
        Why, in one line.
    row, column
        Where, 1-based.
    cell
        Notebook cell, 1-based over all cells, or None.
    """

    def __init__(self, reason: str, row: int = 1, column: int = 1, cell: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row
        self.column = column
        self.cell = cell


class Source:
    """The text of one file.

    Attributes
    ----------
    cells
        The module's text, without a byte order mark and with its own line endings; for a notebook the texts of its
        code cells, magics replaced by `pass`.
    numbers
        For a notebook the place of each of them among all cells, 1-based; None for a module.
    encoding
        The module's encoding, `utf-8-sig` where it begins with a byte order mark.
    """

    __slots__ = ("cells", "encoding", "numbers")

    def __init__(self, cells: Sequence[str], numbers: Sequence[int] | None = None, encoding: str = "utf-8") -> None:
        self.cells = list(cells)
        self.numbers = None if numbers is None else list(numbers)
        self.encoding = encoding

    def cell(self, number: int | None) -> str:
        """Return the text of a module (None) or of a notebook's cell by its number among all cells."""
        return self.cells[0 if number is None or self.numbers is None else self.numbers.index(number)]


def read(data: bytes, filename: str) -> Source:
    """Return the source text in the bytes of a module or (by the name's ending) of a notebook.

    Raises
    ------
    UnreadableError
        The bytes hold NUL, are not in the encoding that they declare, or are no notebook.
    """
    if is_notebook(filename):
        from pytest_lse.lint.notebook import read_notebook

        return read_notebook(data)
    return _read_module(data)


def is_notebook(filename: str) -> bool:
    """Say whether the name is that of a notebook."""
    return filename.endswith(".ipynb")


def _read_module(data: bytes) -> Source:
    encoding = declared_encoding(data)
    body = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in body:
        raise UnreadableError("source code cannot contain null bytes", *_place(body, body.index(b"\0")))
    try:
        return Source([body.decode("utf-8" if encoding == "utf-8-sig" else encoding)], encoding=encoding)
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding.startswith("utf-8") else encoding
        bad = body[error.start]
        raise UnreadableError(f"not valid {name}: byte 0x{bad:02x}", *_place(body, error.start)) from None


def declared_encoding(data: bytes) -> str:
    """Return the encoding of a module by its byte order mark and PEP 263 comment, else UTF-8.

    Raises
    ------
    UnreadableError
        The comment names no text encoding, or contradicts the byte order mark.
    """
    marked = data.startswith(codecs.BOM_UTF8)
    default = "utf-8-sig" if marked else "utf-8"
    first, _, rest = data.removeprefix(codecs.BOM_UTF8)[:4096].partition(b"\n")
    row, found = 1, _COOKIE.match(first)
    if not found and _BLANK.match(first.rstrip(b"\r")):
        row, found = 2, _COOKIE.match(rest.partition(b"\n")[0])
    if not found:
        return default
    name = found[1].decode("ascii")
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # refuses codecs such as hex, which are not text encodings
    except LookupError:
        raise UnreadableError(f"unknown encoding {name!r}", row) from None
    if codec.name == "utf-8":
        return default
    if marked:
        raise UnreadableError(f"the byte order mark says UTF-8, the comment {name!r}", row)
    return codec.name


def _place(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    last = before.rpartition(b"\n")[2]
    return before.count(b"\n") + 1, len(last.decode("utf-8", "replace")) + 1
