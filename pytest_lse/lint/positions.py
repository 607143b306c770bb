"""Places in a text: the columns of `ast` are UTF-8 bytes, ours are characters."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from functools import cached_property

from pytest_lse.lint.finding import Location

# The tokenizer ends a line at these alone; str.splitlines would also split at form feeds and U+2028.
_LINE_END = re.compile(r"\r\n|\r|\n")

Located = ast.expr | ast.stmt | ast.alias | ast.keyword | ast.arg | ast.excepthandler


class Positions:
    """The lines of a source text, as the parser counts them.

    Parameters
    ----------
    text
        The decoded source, without a byte order mark and with its own line endings (`newline=""`).
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Index in the text at which each line begins; a final newline opens one more, empty line."""
        return (0, *(match.end() for match in _LINE_END.finditer(self.text)))

    def line(self, row: int) -> str:
        """Return the text of a 1-based row, with its line ending."""
        end = self.starts[row] if row < len(self.starts) else len(self.text)
        return self.text[self.starts[row - 1] : end]

    def location(self, lineno: int, col_offset: int) -> Location:
        """Convert a position of `ast`: a 1-based line and a 0-based UTF-8 byte column."""
        line = self.line(lineno)
        if not line.isascii():
            # ignore: a column of an f-string's inner node may fall inside a character before Python 3.12
            col_offset = len(line.encode()[:col_offset].decode("utf-8", "ignore"))
        return Location(lineno, col_offset + 1)

    def start(self, node: Located) -> Location:
        """Return where the node begins."""
        return self.location(node.lineno, node.col_offset)

    def end(self, node: Located) -> Location:
        """Return where the node ends, exclusive."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.location(node.end_lineno, node.end_col_offset)

    def span(self, node: Located) -> tuple[Location, Location]:
        """Return where the node begins and ends, without parentheses around it."""
        return self.start(node), self.end(node)

    def segment(self, node: Located) -> str:
        """Return the node's source as it stands in the text, without parentheses around it."""
        return self.slice(*self.span(node))

    def slice(self, start: Location, end: Location) -> str:
        """Return the text between two locations."""
        return self.text[self.offset(start) : self.offset(end)]

    def offset(self, location: Location) -> int:
        """Return the index of a location in the text."""
        return self.starts[location.row - 1] + location.column - 1

    def at(self, offset: int) -> Location:
        """Return the location of an index of the text; the inverse of `offset`."""
        row = bisect_right(self.starts, offset)
        return Location(row, offset - self.starts[row - 1] + 1)
