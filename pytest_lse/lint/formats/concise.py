"""One line for each finding."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.escape import printable
from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.style import OF_SEVERITY, paint, place


def render(report: Report) -> Iterator[str]:
    """Yield `file:row:column: CODE [*] message` lines."""
    for finding in report.findings:
        code = paint(finding.code, OF_SEVERITY[finding.severity], report.colour)
        mark = f"[{paint('*', 'cyan', report.colour)}] " if report.fixable(finding) else ""
        yield f"{paint(place(finding), 'bold', report.colour)}: {code} {mark}{printable(finding.message)}\n"
