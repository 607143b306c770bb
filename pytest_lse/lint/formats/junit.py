"""JUnit's XML, as test reports read it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.escape import printable
from pytest_lse.lint.formats import Report


def render(report: Report) -> Iterator[str]:
    """Yield one test suite for each file with findings, one failed test case for each finding."""
    results = [r for r in report.results if r.findings]
    total = sum(len(r.findings) for r in results)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="pytest-lse" tests="{total}" skipped="0" failures="{total}" errors="0">\n'
    if not results:
        # Readers take a report without any suite for a broken run.
        yield '  <testsuite name="pytest-lse" tests="1" skipped="0" failures="0" errors="0">\n'
        yield '    <testcase name="No findings" classname="pytest-lse"/>\n  </testsuite>\n'
    for result in results:
        count = len(result.findings)
        name = _xml(result.filename)
        yield f'  <testsuite name="{name}" tests="{count}" skipped="0" failures="{count}" errors="0">\n'
        for f in result.findings:
            cell = f"cell {f.cell}, " if f.cell is not None else ""
            where = f"{cell}line {f.location.row}, col {f.location.column}"
            yield (
                f'    <testcase name="pytest-lse.{f.code}" classname="{name.removesuffix(".py")}" file="{name}"'
                f' line="{f.location.row}">\n'
                f'      <failure type="{f.severity}" message="{_xml(f.message)}">{_xml(where)}, {_xml(f.message)}'
                "</failure>\n"
                "    </testcase>\n"
            )
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _xml(text: str) -> str:
    # printable also removes what XML 1.0 cannot hold at all
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("\ufffe", "").replace("\uffff", "")
