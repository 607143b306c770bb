"""Colours, and the names and places that several formats share."""

from __future__ import annotations

from pytest_lse.lint import escape
from pytest_lse.lint.finding import Finding

_CODES = {"bold": "1", "red": "1;31", "yellow": "1;33", "blue": "1;34", "cyan": "36", "green": "32", "dim": "2"}
OF_SEVERITY = {"error": "red", "warning": "yellow", "info": "blue"}


def paint(text: str, style: str, colour: bool) -> str:
    """Return the text in a colour, or as it is."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if colour and text else text


def place(finding: Finding, separator: str = ":") -> str:
    """Return `file:row:column`, with the cell of a notebook, safe to print."""
    cell = f"{separator}cell {finding.cell}" if finding.cell is not None else ""
    return f"{escape.path(finding.filename)}{cell}{separator}{finding.location.row}{separator}{finding.location.column}"
