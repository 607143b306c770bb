"""For reading: the code with the pattern underlined, an input on which it fails, and the fix or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_lse.lint.escape import escape_char, printable
from pytest_lse.lint.finding import Finding
from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.style import OF_SEVERITY, paint, place

_TAB = 4
#: a longer line is cut around the finding: a minified line would fill the screen
_WIDTH = 200
#: more lines of one finding are not shown
_HEIGHT = 12


def render(report: Report) -> Iterator[str]:
    """Yield one block for each finding."""
    for result in report.results:
        for finding in result.findings:
            yield from _block(finding, result.lines, report)


def _block(finding: Finding, lines: Mapping[tuple[int | None, int], str], report: Report) -> Iterator[str]:
    colour = report.colour
    style = OF_SEVERITY[finding.severity]
    mark = f"[{paint('*', 'cyan', colour)}] " if report.fixable(finding) else ""
    yield f"{paint(finding.code, style, colour)} {mark}{paint(printable(finding.message), 'bold', colour)}\n"
    rows = _rows(finding, lines)
    last = finding.location.row + _HEIGHT
    shown, hidden = [r for r in rows if r <= last], [r for r in rows if r > last]
    gutter = len(str(shown[-1] if shown else finding.location.row))
    bar = paint("|", "blue", colour)
    yield f"{' ' * gutter}{paint('-->', 'blue', colour)} {place(finding)}\n"
    if shown:
        yield f"{' ' * gutter} {bar}\n"
    for row in shown:
        text, under = _frame(lines[finding.cell, row], row, finding)
        yield f"{paint(str(row).rjust(gutter), 'blue', colour)} {bar} {text}".rstrip() + "\n"
        if under.strip():
            yield f"{' ' * gutter} {bar} {paint(under, style, colour)}\n"
    if hidden:
        yield f"{'.' * gutter} {bar} ... {len(hidden)} more lines\n"
    if shown:
        yield f"{' ' * gutter} {bar}\n"
    if finding.witness:
        yield f"{paint('example', 'cyan', colour)}: {_witness(finding.witness)}\n"
    if finding.fix:
        label = "fix" if finding.fix.applicability == "safe" else "unsafe fix"
        yield f"{paint(label, 'cyan', colour)}: {printable(finding.fix.message)}\n"
    elif finding.no_fix_reason:
        yield f"{paint('no fix', 'cyan', colour)}: {printable(finding.no_fix_reason)}\n"
    yield "\n"


def _rows(finding: Finding, lines: Mapping[tuple[int | None, int], str]) -> list[int]:
    """Return the rows to show: the finding's and two around it, without blank ones at the edges."""
    first, last = finding.location.row, finding.end_location.row
    rows = [r for r in range(max(1, first - 2), last + 3) if (finding.cell, r) in lines]
    while rows and rows[-1] > last and not lines[finding.cell, rows[-1]].strip():
        rows.pop()
    while rows and rows[0] < first and not lines[finding.cell, rows[0]].strip():
        rows.pop(0)
    return rows


def _frame(line: str, row: int, finding: Finding) -> tuple[str, str]:
    """Return a line as it is shown and the marks below it, both cut to the finding's surroundings."""
    first = finding.location.column if row == finding.location.row else 1
    last = finding.end_location.column if row == finding.end_location.row else len(line) + 1
    inside = finding.location.row <= row <= finding.end_location.row
    if inside and row != finding.location.row:
        first += len(line) - len(line.lstrip())
    text, under = [], []
    for column, char in enumerate(line, 1):
        shown = " " * _TAB if char == "\t" else escape_char(char)
        if char == "[" and line[:column].endswith("##["):
            shown = "\\x5b"  # a build service would read a command
        text.append(shown)
        under.append(("^" if inside and first <= column < last else " ") * _width(shown))
    if inside and first > len(line):
        under.append("^")
    if len(line) > _WIDTH:
        start = max(0, (first if inside else 1) - _WIDTH // 4)
        text, under = text[start : start + _WIDTH], under[start : start + _WIDTH]
        if start:
            text, under = ["...", *text], ["   ", *under]
        text.append("...")
    return "".join(text), "".join(under).rstrip()


def _width(shown: str) -> int:
    if shown.isascii():
        return len(shown)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in shown)


def _witness(witness: Mapping[str, object]) -> str:
    value = witness["input"]
    given = ", ".join(f"{k} = {_number(v)}" for k, v in value.items()) if isinstance(value, dict) else _number(value)
    returns, truth = _number(witness["returns"]), _number(witness["truth"])
    return printable(f"in {witness['dtype']}, {given} gives {returns}, the true value is {truth}")


def _number(value: object) -> str:
    """Return a number or nested lists of numbers as text; JSON has no inf and nan, so that they are strings there."""
    return f"[{', '.join(map(_number, value))}]" if isinstance(value, list) else str(value)
