"""Suppression comments: `# noqa`, `# noqa: LSE001`, `# lse: ignore[LSE001]`, and for a whole file.

`# flake8: noqa`, `# ruff: noqa` (also with codes) and `# lse: ignore-file` (also `[LSE001]`) count for the whole file.
A code in a comment stands for every code that it begins, as in flake8.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from pytest_lse.lint.finding import Edit, Finding, Fix, Location

UNUSED = "LSE100"

_CODES = r"[A-Za-z]+[0-9]+(?:(?:[ \t]*,[ \t]*|[ \t]+)[A-Za-z]+[0-9]+)*"
_DIRECTIVE = re.compile(
    rf"\#[ \t]*(?:(?P<tool>flake8|ruff)[ \t]*:[ \t]*noqa(?:[ \t]*:[ \t]*(?P<file_codes>{_CODES}))?"
    rf"|noqa(?:[ \t]*:[ \t]*(?P<line_codes>{_CODES}))?(?![\w-])"
    r"|lse:[ \t]*(?P<own>ignore(?:-file)?)(?:\[(?P<own_codes>[^\]]*)\])?(?![\w-]))",
    re.IGNORECASE,
)
_OURS = re.compile(r"LSE\d*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Directive:
    """One suppression comment.

    Attributes
    ----------
    row
        The line it stands in; 0 where it counts for the whole file.
    codes
        The codes it names, upper case; empty where it suppresses all.
    start, end
        The comment's extent, 1-based columns of `at_row`.
    own
        Whether no other tool reads it, so that an unused one can be told even if it names no code.
    """

    __slots__ = ("at_row", "codes", "end", "own", "row", "start", "text", "used")

    def __init__(
        self, row: int, at_row: int, codes: Sequence[str], start: int, end: int, text: str, *, own: bool
    ) -> None:
        self.row = row
        self.at_row = at_row
        self.codes = tuple(codes)
        self.start = start
        self.end = end
        self.text = text
        self.own = own
        self.used: set[str] = set()

    def covers(self, code: str) -> bool:
        """Say whether findings of that code are suppressed."""
        return not self.codes or any(code.startswith(c) for c in self.codes)


def directives(text: str, rows: Collection[int] | None = None) -> list[Directive]:
    """Return the suppression comments of a module or cell, in order; none where it does not tokenize.

    Parameters
    ----------
    text
        The module or cell.
    rows
        The lines in which a comment without one of our codes matters: none is returned if there is none that does.
    """
    if not _may_matter(text, rows):
        return []
    found = []
    for row, column, comment in comments(text):
        for match in _DIRECTIVE.finditer(comment):
            codes = match["file_codes"] or match["line_codes"] or match["own_codes"] or ""
            whole_file = bool(match["tool"]) or (match["own"] or "").lower() == "ignore-file"
            if match["own_codes"] is not None and not codes.strip():
                continue  # `ignore[]` suppresses nothing rather than everything
            found.append(
                Directive(
                    0 if whole_file else row,
                    row,
                    [c.upper() for c in re.split(r"[,\s]+", codes.strip()) if c],
                    column + match.start(),
                    column + match.end(),
                    match[0],
                    own=match["own"] is not None,
                )
            )
    return found


def _may_matter(text: str, rows: Collection[int] | None) -> bool:
    # To tokenize a module costs more than all else that is done with one finding.
    row, last = 1, 0
    for match in _DIRECTIVE.finditer(text):
        row += len(_LINE_BREAK.findall(text, last, match.start()))
        last = match.start()
        wide = match["tool"] or match["own"]
        if rows is None or wide or row in rows or _OURS.search((match["line_codes"] or "").upper()):
            return True
    return False


def comments(text: str) -> list[tuple[int, int, str]]:
    """Return (row, column, text) of every comment, 1-based, up to where the text stops being Python."""
    return [
        (token.start[0], token.start[1] + 1, token.string.rstrip("\r\n"))
        for token in _tokens(text)
        if token.type == tokenize.COMMENT
    ]


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    except (tokenize.TokenError, SyntaxError):
        return


def suppress(findings: Iterable[Finding], found: Iterable[Directive]) -> list[Finding]:
    """Return the findings that no directive suppresses, and mark the directives that were used.

    A directive counts on any line of the finding and on the last line of its statement.
    """
    by_row: dict[int, list[Directive]] = {}
    for directive in found:
        by_row.setdefault(directive.row, []).append(directive)
    remaining = []
    for finding in findings:
        rows = {0, finding.statement_end, *range(finding.location.row, finding.end_location.row + 1)}
        hits = [d for row in rows & by_row.keys() for d in by_row[row] if d.covers(finding.code)]
        for directive in hits:
            directive.used.add(finding.code)
        if not hits:
            remaining.append(finding)
    return remaining


def unused(
    found: Iterable[Directive], filename: str, text: str, is_on: Callable[[str], bool], cell: int | None = None
) -> list[Finding]:
    """Return a finding for each directive that names one of our codes for nothing.

    Parameters
    ----------
    found
        The directives, after `suppress`.
    filename, text, cell
        Where they stand.
    is_on
        Whether a code is reported in this file: a comment for one that is off is left alone.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    result = []
    for directive in found:
        ours = [c for c in directive.codes if _OURS.fullmatch(c)]
        idle = [c for c in ours if is_on(c) and not any(code.startswith(c) for code in directive.used)]
        if not idle and not (directive.own and not directive.codes and not directive.used):
            continue
        what = " ".join(f"`{c}`" for c in idle) or "the comment"
        content, start, end = _without(directive, idle, lines[directive.at_row - 1])
        edit = Edit(content, Location(directive.at_row, start), Location(directive.at_row, end))
        result.append(
            Finding(
                code=UNUSED,
                name="unused-noqa",
                message=f"Unused suppression: {what} suppresses nothing here",
                filename=filename,
                location=Location(directive.at_row, directive.start),
                end_location=Location(directive.at_row, directive.end),
                severity="warning",
                cell=cell,
                fix=Fix("safe", "Remove what is unused", (edit,)),
                statement_end=directive.at_row,
            )
        )
    return result


def _without(directive: Directive, idle: Sequence[str], line: str) -> tuple[str, int, int]:
    """Return the edit (content, start, end) that takes the idle codes out of a directive."""
    kept = [c for c in directive.codes if c not in idle]
    if kept:
        head, bracket, _ = directive.text.partition("[")
        if bracket:
            return f"{head}[{', '.join(kept)}]", directive.start, directive.end
        head = directive.text[: re.search(r"noqa[ \t]*:[ \t]*", directive.text, re.IGNORECASE).end()]  # type: ignore[union-attr]
        return head + ", ".join(kept), directive.start, directive.end
    before, after = line[: directive.start - 1], line[directive.end - 1 :]
    if after.strip() and not after.lstrip().startswith("#"):
        # Text after the directive stays as an ordinary comment.
        return "# " + after.lstrip(" \t:-"), directive.start, len(line) + 1
    if after.strip():
        return "", directive.start, directive.end + len(after) - len(after.lstrip())
    return "", len(before.rstrip()) + 1, directive.end + len(after)


def add(text: str, findings: Iterable[Finding]) -> tuple[str, int]:
    """Write a `# noqa` comment for each finding.

    Returns
    -------
    tuple of str and int
        The new text and the number of lines that were changed. A finding whose lines all end inside a string or in a
        backslash gets none.
    """
    closed = _lines_that_take_a_comment(text)
    wanted: dict[int, set[str]] = {}
    for finding in findings:
        rows = [*range(finding.end_location.row, finding.location.row - 1, -1), finding.statement_end]
        row = next((r for r in rows if r in closed), None)
        if row is not None:
            wanted.setdefault(row, set()).add(finding.code)
    pieces = re.split(r"(\r\n|\r|\n)", text)
    present = {d.row: d for d in directives(text) if d.row and not d.own and d.codes}
    for row, codes in wanted.items():
        line = pieces[2 * (row - 1)]
        if directive := present.get(row):
            names = [*directive.codes, *sorted(codes - set(directive.codes))]
            end = directive.end - 1
            line = line[: directive.start - 1] + "# noqa: " + ", ".join(names) + line[end:]
        else:
            line = f"{line.rstrip()}  # noqa: {', '.join(sorted(codes))}"
        pieces[2 * (row - 1)] = line
    return "".join(pieces), len(wanted)


def _lines_that_take_a_comment(text: str) -> set[int]:
    count = len(re.findall(r"\r\n|\r|\n", text)) + 1
    closed = set(range(1, count + 1))
    opened: list[int] = []
    for token in _tokens(text):
        kind = tokenize.tok_name[token.type]
        first = token.start[0]
        if kind in {"FSTRING_START", "TSTRING_START"}:
            opened.append(first)
            continue
        if kind in {"FSTRING_END", "TSTRING_END"}:
            first = opened.pop()
        elif kind != "STRING":
            continue
        closed.difference_update(range(first, token.end[0]))
    for row, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if line.endswith("\\"):
            closed.discard(row)
    return closed
