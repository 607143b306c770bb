"""Carries out what a run changes in a file: fixes, and suppression comments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_lse.lint.config import Settings
from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.finding import Finding
from pytest_lse.lint.noqa import UNUSED
from pytest_lse.lint.pipeline import FileResult, excerpt, find, parse_error
from pytest_lse.lint.read import Source, UnreadableError, read

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.run import Job

#: a fix may uncover another finding; more rounds than this mean that two fixes undo each other
ROUNDS = 10


def carry_out(result: FileResult, data: bytes, settings: Settings, job: Job, *, on_disk: bool) -> None:
    """Do the job to one file and put into `result` what was done and what remains.

    Parameters
    ----------
    result
        The file's name and findings.
    data
        Its bytes.
    settings
        What holds for it.
    job
        "fix", "diff" or "noqa".
    on_disk
        Whether the new bytes are written; otherwise they go into `result.output`.
    """
    before = list(result.findings)
    if job.mode == "noqa":
        new = _with_comments(result, data)
    else:
        new = _fixed(result, data, settings, unsafe=job.unsafe)
    if new == data:
        return
    if job.mode == "diff":
        from pytest_lse.lint.diff import unified_diff

        result.diff = unified_diff(result.filename, data, new)
    elif on_disk:
        _write(result, data, new, before)
    else:
        result.output = new


def _write(result: FileResult, data: bytes, new: bytes, before: list[Finding]) -> None:
    """Write the new bytes; where that fails, nothing was fixed."""
    from pytest_lse.lint.write import ChangedOnDiskError, write_atomically

    try:
        write_atomically(result.filename, data, new)
        return
    except ChangedOnDiskError as error:
        result.findings = [parse_error(result.filename, UnreadableError(f"not fixed: {error.strerror}"))]
        result.lines = {}
    except OSError as error:
        result.error = f"the file cannot be written: {error.strerror or error}"
        result.findings = before
        result.lines = excerpt(before, read(data, result.filename))
    result.fixed, result.added = [], 0


def _with_comments(result: FileResult, data: bytes) -> bytes:
    from pytest_lse.lint.noqa import add

    if any(f.code == "LSE000" for f in result.findings):
        return data  # a comment would not help

    def change(text: str, findings: Sequence[Finding]) -> str:
        new, count = add(text, findings)
        result.added += count
        return new

    return _by_cell(data, result.filename, [f for f in result.findings if f.code != UNUSED], change)


def _fixed(result: FileResult, data: bytes, settings: Settings, *, unsafe: bool) -> bytes:
    withheld: dict[tuple[object, ...], str] = {}
    #: the cells of a notebook that wait: an import that was added above serves them too
    waiting = False

    def change(text: str, findings: Sequence[Finding]) -> str:
        nonlocal waiting
        if waiting:
            return text
        comments = [f for f in findings if f.code == UNUSED]
        code = [f for f in findings if f.code != UNUSED]
        if code:
            from pytest_lse.lint.apply import apply_fixes

            outcome = apply_fixes(text, code, unsafe=unsafe)
            withheld.update({_key(f): f.no_fix_reason or "" for f in outcome.withheld})
            if outcome.applied:
                result.fixed += outcome.applied
                waiting = notebook is not None and any(map(_imports, outcome.applied))
                return outcome.text  # the comments' places have moved: next round
        edits = [e for f in comments if f.fix for e in f.fix.edits]
        result.fixed += comments
        return apply_edits(text, edits)

    findings, source, current = result.findings, None, data
    notebook = read(data, result.filename) if result.filename.endswith(".ipynb") else None
    for _ in range(ROUNDS + len(notebook.cells if notebook else ())):
        waiting = False
        todo = [f for f in findings if _wanted(f, unsafe=unsafe) and _key(f) not in withheld]
        new = _by_cell(current, result.filename, todo, change) if todo else current
        if new == current:
            break
        current = new
        withheld.clear()  # a fix may be right once another one inside it is done
        findings, source = find(current, result.filename, settings, named=True)
    result.findings = [_without_fix(f, withheld.get(_key(f))) for f in findings]
    if current != data:
        result.lines = excerpt(findings, source)
    return current


def apply_safe(text: str, findings: Sequence[Finding]) -> str:
    """Return the text with the safe fixes of its findings applied once, as far as they go together."""
    from pytest_lse.lint.apply import apply_fixes

    code = [f for f in findings if f.code != UNUSED]
    outcome = apply_fixes(text, code) if code else None
    if outcome and outcome.applied:
        return outcome.text
    return apply_edits(text, [e for f in findings if f.code == UNUSED and f.fix for e in f.fix.edits])


def _imports(finding: Finding) -> bool:
    return finding.fix is not None and any(e.location == e.end_location for e in finding.fix.edits)


def _wanted(finding: Finding, *, unsafe: bool) -> bool:
    return finding.fix is not None and (unsafe or finding.fix.applicability == "safe")


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.cell, finding.code, finding.location, finding.end_location


def _without_fix(finding: Finding, reason: str | None) -> Finding:
    return finding if reason is None else replace(finding, fix=None, no_fix_reason=reason)


def _by_cell(
    data: bytes, filename: str, findings: Sequence[Finding], change: Callable[[str, Sequence[Finding]], str]
) -> bytes:
    """Return the file with `change` done to the text of each cell (or the module) that has findings."""
    source = read(data, filename)
    texts = {}
    for number in sorted({f.cell for f in findings}, key=lambda n: n or 0):
        text = source.cell(number)
        new = change(text, [f for f in findings if f.cell == number])
        if new != text:
            texts[number] = new
    return _spelled(data, source, texts) if texts else data


def _spelled(data: bytes, source: Source, texts: dict[int | None, str]) -> bytes:
    if source.numbers is not None:
        from pytest_lse.lint.notebook import replace_cells

        return replace_cells(data, {number: text for number, text in texts.items() if number is not None})
    return texts[None].encode(source.encoding)
