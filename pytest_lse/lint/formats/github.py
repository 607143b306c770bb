"""Workflow commands: annotations on the changed lines of a pull request in GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.escape import printable
from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.style import place

_COMMAND = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> Iterator[str]:
    """Yield one command for each finding."""
    for f in report.findings:
        properties = {
            "title": f"pytest-lse ({f.code})",
            "file": printable(f.filename),
            "line": f.location.row,
            "col": f.location.column,
            "endLine": f.end_location.row,
            "endColumn": f.end_location.column,
        }
        if f.cell is not None:
            # Rows count inside the cell, the annotation would sit on a wrong line of the JSON.
            properties |= {"line": 1, "col": 1, "endLine": 1, "endColumn": 1}
        text = f"{place(f)}: {f.code} {printable(f.message)}"
        if f.fix:
            text += f"\n  help: {printable(f.fix.message)}"
        joined = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        yield f"::{_COMMAND[f.severity]} {joined}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
