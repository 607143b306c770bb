"""One file from its bytes to its findings: the only place that calls the analysis.

The stages are ordered by price, and each is imported only when a file reaches it: bytes that cannot hold a finding are
not parsed, and a file without findings loads nothing of what reports and fixes them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

from pytest_lse.lint.config import Settings
from pytest_lse.lint.read import Source, UnreadableError, read
from pytest_lse.lint.shipped_tests import is_shipped_test

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.finding import Finding
    from pytest_lse.lint.select import Selection

#: bytes up to which a file is parsed although it can hold no finding, to tell a syntax error: parsing all of a large
#: repository would cost many times more than the rest of the check
ALWAYS_PARSED = 2048

_OWN_MARKS = (re.compile(rb"noqa[^\n]*lse"), re.compile(rb"lse:[ \t]*ignore"))
_IMPORTS_SCIPY = re.compile(r"^[ \t]*(?:import|from)[ \t]+scipy\b", re.MULTILINE)
_NEEDS_SCIPY = re.compile(r"(?<![\w.])scipy\b")


class FileResult:
    """What is known of one file after its check: plain data, picklable.

    Attributes
    ----------
    filename
        As the user named it.
    findings
        What remains, in order.
    lines
        (cell, row) -> source line, for the findings' lines and two around each.
    fixed
        The findings that were fixed, or would be under `--diff`.
    diff
        The change in unified form, under `--diff`.
    added
        Number of suppression comments that were added.
    output
        The fixed bytes of a file that is not on disk.
    error
        An internal error, in one line; None if all went well.
    """

    __slots__ = ("added", "diff", "error", "filename", "findings", "fixed", "lines", "output")

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.findings: list[Finding] = []
        self.lines: dict[tuple[int | None, int], str] = {}
        self.fixed: list[Finding] = []
        self.diff = ""
        self.added = 0
        self.output: bytes | None = None
        self.error: str | None = None

    @property
    def worth_telling(self) -> bool:
        """Whether the run needs it: most files have nothing, and a large run has many files."""
        return bool(self.findings or self.fixed or self.added or self.error)


def find(data: bytes, filename: str, settings: Settings, *, named: bool = False) -> tuple[list[Finding], Source | None]:
    """Return the findings in the bytes of a file, in order, and its text if that was needed.

    Parameters
    ----------
    data
        The bytes of a module or notebook.
    filename
        Its name: for the findings, the suffix, the ignores of the configuration and the project's dependencies.
    settings
        What holds for the file.
    named
        The user named this very file, so its syntax is checked even if it can hold no finding.
    """
    path = os.path.abspath(filename)
    try:
        source = read(data, filename)
    except UnreadableError as error:
        return _enabled([parse_error(filename, error)], settings, path), None
    errors: list[Finding] = []
    if not is_shipped_test(filename) and may_hold_finding(data, settings, path):
        findings, errors = _analysed(source, filename, settings, named=named)
        findings = [_fitted(f, source, path, settings) for f in findings if _is_meant(f, settings)]
    elif named or len(data) <= ALWAYS_PARSED:
        findings, errors = [], _syntax_errors(source, filename)
    else:
        findings = []
    findings = _enabled(findings, settings, path)
    if settings.respect_noqa and (_has_mark(data) if findings else _has_own_mark(data)):
        findings = _judged(findings, source, filename, settings, path)
    found = _enabled(errors, settings, path) + findings
    return sorted(found, key=lambda f: f.sort_key), source if found else None


def _has_mark(data: bytes) -> bool:
    lowered = data.lower()
    return b"noqa" in lowered or b"lse:" in lowered


def _has_own_mark(data: bytes) -> bool:
    # A search that minds no case is thirty times slower.
    lowered = data.lower()
    return any(mark.search(lowered) is not None for mark in _OWN_MARKS)


def may_hold_finding(data: bytes, settings: Settings, path: str = "") -> bool:
    """Say whether the bytes can hold a pattern that is looked for, with what the modules around their file bring."""
    from pytest_lse.lint import prefilter

    chance = prefilter.chance(data, _off(settings.selection), prefilter.PROBABILITIES if path else ())
    if chance != prefilter.WITH_GIVEN:
        return chance == prefilter.HELD
    from pytest_lse.lint import neighbours

    return bool(neighbours.brought(data.decode("utf-8", "replace"), path))


@cache
def _off(selection: Selection) -> frozenset[str]:
    from pytest_lse.lint import prefilter

    return prefilter.off(selection.enabled)


def parse_error(filename: str, error: UnreadableError) -> Finding:
    """Return the finding LSE000 for a file that is not Python source."""
    from pytest_lse.lint.finding import Finding, Location

    return Finding(
        code="LSE000",
        name="parse-error",
        message=error.reason,
        filename=filename,
        location=Location(error.row, error.column),
        end_location=Location(error.row, error.column + 1),
        cell=error.cell,
        no_fix_reason="the file does not parse",
        statement_end=error.row,
    )


def _is_meant(finding: Finding, settings: Settings) -> bool:
    # Code whose framework is not known may be any of those that are meant.
    return settings.frameworks is None or finding.framework is None or finding.framework in settings.frameworks


def _enabled(findings: Sequence[Finding], settings: Settings, path: str) -> list[Finding]:
    return [f for f in findings if settings.enabled(f.code, path)]


def _analysed(source: Source, filename: str, settings: Settings, *, named: bool) -> tuple[list[Finding], list[Finding]]:
    from pytest_lse.lint import analyse

    if source.numbers is None:
        text = source.cells[0]
        try:
            if len(text) <= ALWAYS_PARSED:
                return analyse.analyse(text, filename), []
            if named and (errors := _syntax_errors(source, filename)):
                return [], errors
            from pytest_lse.lint import fast

            return fast.analyse(text, filename, _off(settings.selection)), []
        except (SyntaxError, RecursionError, MemoryError) as error:
            return [], [parse_error(filename, _reason(error, source.cells[0]))]
    errors = _syntax_errors(source, filename)
    broken = {e.cell for e in errors}
    # A cell that does not parse counts as empty: the others still share one namespace.
    texts = ["" if n in broken else text for n, text in zip(source.numbers, source.cells, strict=True)]
    found = analyse.analyse_cells(texts, filename)
    return [_moved(f, source.numbers) for f in found], errors


def _moved(finding: Finding, numbers: Sequence[int]) -> Finding:
    from dataclasses import replace

    assert finding.cell is not None
    return replace(finding, cell=numbers[finding.cell - 1])


def _syntax_errors(source: Source, filename: str) -> list[Finding]:
    errors = []
    for index, text in enumerate(source.cells):
        try:
            compile(text, filename, "exec", flags=0x400, dont_inherit=True)  # ast.PyCF_ONLY_AST, without its import
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            cell = None if source.numbers is None else source.numbers[index]
            errors.append(parse_error(filename, _reason(error, text, cell)))
    return errors


def _reason(error: BaseException, text: str, cell: int | None = None) -> UnreadableError:
    if isinstance(error, SyntaxError):
        from pytest_lse.lint.newer_syntax import needed_version

        version = needed_version(text, error)
        hint = f" (Python {version} accepts this: run pytest-lse with it)" if version else ""
        reason = (error.msg or "invalid syntax") + hint
        return UnreadableError(reason, max(error.lineno or 1, 1), max(error.offset or 1, 1), cell)
    if isinstance(error, ValueError):
        return UnreadableError("the text cannot be encoded as UTF-8", cell=cell)
    return UnreadableError("too deeply nested to be analysed", cell=cell)


def _fitted(finding: Finding, source: Source, path: str, settings: Settings) -> Finding:
    """Fit a fix to the project: one that brings SciPy into a project that does without it is unsafe."""
    fix = finding.fix
    if fix is None or not any(_NEEDS_SCIPY.search(e.content) for e in fix.edits):
        return finding
    from dataclasses import replace

    if settings.prefer_scipy is False and fix.without_scipy is not None:
        return replace(finding, fix=fix.without_scipy)
    if settings.prefer_scipy is False:
        return replace(finding, fix=None, no_fix_reason="the fix needs SciPy, which prefer-scipy = false rules out")
    if fix.applicability == "unsafe" or settings.prefer_scipy or any(map(_IMPORTS_SCIPY.search, source.cells)):
        return finding
    from pytest_lse.lint.project import depends_on

    if depends_on(path, "scipy"):
        return finding
    note = f"{fix.message} (SciPy is not among the project's dependencies)"
    return replace(finding, fix=replace(fix, applicability="unsafe", message=note))


def _judged(findings: list[Finding], source: Source, filename: str, settings: Settings, path: str) -> list[Finding]:
    """Drop what a comment suppresses, and report the comments that suppress nothing."""
    from pytest_lse.lint import noqa

    numbers: Sequence[int | None] = [None] if source.numbers is None else source.numbers
    rows = {row for f in findings for row in (f.statement_end, *range(f.location.row, f.end_location.row + 1))}
    by_cell = {number: noqa.directives(text, rows) for number, text in zip(numbers, source.cells, strict=True)}
    whole = [d for found in by_cell.values() for d in found if not d.row]
    kept = []
    for number, found in by_cell.items():
        here = [f for f in findings if f.cell == number]
        kept += noqa.suppress(here, [*whole, *(d for d in found if d.row)])
    if settings.enabled(noqa.UNUSED, path):
        for number, found in by_cell.items():
            text = source.cell(number)
            kept += noqa.unused(found, filename, text, lambda code: settings.enabled(code, path), number)
    return kept


def excerpt(findings: Sequence[Finding], source: Source | None, around: int = 2) -> dict[tuple[int | None, int], str]:
    """Return (cell, row) -> line for the lines of the findings and those around them."""
    if source is None:
        return {}
    lines: dict[tuple[int | None, int], str] = {}
    split = {}
    for finding in findings:
        if finding.cell not in split:
            split[finding.cell] = re.split(r"\r\n|\r|\n", source.cell(finding.cell))
        text = split[finding.cell]
        first, last = max(1, finding.location.row - around), min(len(text), finding.end_location.row + around)
        for row in range(first, last + 1):
            lines[finding.cell, row] = text[row - 1]
    return lines
