"""How often each code was found: what `--statistics` prints instead of the findings."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.style import paint


def render(report: Report, form: str) -> Iterator[str]:
    """Yield one line for each code, the most frequent first; a list of objects if `form` is "json"."""
    # Two names may share a code.
    rows: dict[tuple[str, str], list[int]] = {}
    for finding in report.findings:
        row = rows.setdefault((finding.code, finding.name), [0, 0])
        row[0] += 1
        row[1] += report.fixable(finding)
    ordered = sorted(rows.items(), key=lambda item: (-item[1][0], item[0]))
    if form == "json":
        import json

        entries = [{"code": c, "name": n, "count": k, "fixable_count": fixable} for (c, n), (k, fixable) in ordered]
        yield json.dumps(entries, indent=2) + "\n"
        return
    width = max((len(str(count)) for _, (count, _) in ordered), default=0)
    for (code, name), (count, fixable) in ordered:
        mark = "*" if fixable == count else "-" if fixable else " "
        mark = paint(mark, "cyan", report.colour)
        yield f"{str(count).rjust(width)}\t{paint(code, 'red', report.colour)}\t[{mark}] {name}\n"
