"""How often each code was found: what `--statistics` prints instead of the findings."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.style import paint


def render(report: Report, form: str) -> Iterator[str]:
    """Yield one line for each code, the most frequent first; a list of objects if `form` is "json"."""
    rows: dict[str, list[int | str]] = {}
    for finding in report.findings:
        row = rows.setdefault(finding.code, [0, finding.name, 0])
        row[0] = int(row[0]) + 1
        row[2] = int(row[2]) + report.fixable(finding)
    ordered = sorted(rows.items(), key=lambda item: (-int(item[1][0]), item[0]))
    if form == "json":
        import json

        entries = [{"code": c, "name": n, "count": k, "fixable_count": fixable} for c, (k, n, fixable) in ordered]
        yield json.dumps(entries, indent=2) + "\n"
        return
    width = max((len(str(row[0])) for _, row in ordered), default=0)
    for code, (count, name, fixable) in ordered:
        mark = "*" if fixable == count else "-" if fixable else " "
        mark = paint(mark, "cyan", report.colour)
        yield f"{str(count).rjust(width)}\t{paint(code, 'red', report.colour)}\t[{mark}] {name}\n"
