"""The flake8 extension `LSE`: the same findings, beside those of flake8's other plugins.

flake8 itself selects, ignores and suppresses, by its own configuration; `[tool.pytest-lse]` gives the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pytest_lse import __version__
from pytest_lse.lint.config import Resolver
from pytest_lse.lint.pipeline import find

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    import ast


class Plugin:
    """What flake8 calls for each file.

    Parameters
    ----------
    tree
        The syntax tree; asking for it makes flake8 report files that do not parse itself.
    filename
        The file's name.
    lines
        Its text.
    """

    name = "pytest-lse"
    version = __version__

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self._filename = filename if filename != "-" else "stdin.py"
        self._text = "".join(lines)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Yield (row, 0-based column, text, plugin) for each finding."""
        settings = Resolver({"respect-noqa": False}).settings(os.path.dirname(os.path.abspath(self._filename)))
        findings, _ = find(_encoded(self._text), self._filename, settings)
        for finding in findings:
            if finding.code != "LSE000":
                text = f"{finding.code} {finding.message}"
                yield finding.location.row, finding.location.column - 1, text, Plugin


def _encoded(text: str) -> bytes:
    from pytest_lse.lint.read import UnreadableError, declared_encoding

    data = text.encode("utf-8", "surrogatepass")
    try:
        return text.encode(declared_encoding(data))
    except (UnreadableError, UnicodeEncodeError):
        return data
