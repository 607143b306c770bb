"""Applies fixes to a text: the widest first, together where they do not touch, and only what changes nothing else."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pytest_lse.lint.dead import dead_assignments
from pytest_lse.lint.edits import overlap
from pytest_lse.lint.edits import spans as spans_of
from pytest_lse.lint.finding import Edit, Finding, Fix, Location
from pytest_lse.lint.import_place import ImportStatement
from pytest_lse.lint.libcst_edits import WithheldError, apply_with_libcst
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Scopes
from pytest_lse.lint.validate import objection

#: says why a fix must not be applied, or None
Judge = Callable[[Fix], str | None]


@dataclass
class Outcome:
    """What became of a text and its findings.

    Attributes
    ----------
    text
        The text with the fixes applied.
    applied
        The findings that were fixed.
    withheld
        Findings whose fix was not applied, without it and with the reason. What is in neither list is in the way of
        another fix: analyse the text again.
    """

    text: str
    applied: list[Finding] = field(default_factory=list)
    withheld: list[Finding] = field(default_factory=list)


def apply_fixes(text: str, findings: Iterable[Finding], *, unsafe: bool = False, judge: Judge = objection) -> Outcome:
    """Apply the fixes of findings in a text.

    Parameters
    ----------
    text
        The module, as it was analysed.
    findings
        All or some of its findings.
    unsafe
        Whether unsafe fixes are applied too.
    judge
        Validates a fix before it is applied.

    Returns
    -------
    Outcome
        The new text parses, and its syntax tree is the old one apart from the fixes.
    """
    outcome = Outcome(text)
    waiting = [f for f in findings if f.fix and (unsafe or f.fix.applicability == "safe")]
    positions = Positions(text)
    width = {id(f): positions.offset(f.end_location) - positions.offset(f.location) for f in waiting}
    waiting = sorted(waiting, key=lambda f: (not _removes_another(f, waiting), -width[id(f)], f.sort_key))
    for finding in list(waiting):
        if finding.fix and (reason := judge(finding.fix)):
            waiting.remove(finding)
            outcome.withheld.append(_without_fix(finding, reason))
    while waiting:
        chosen = _compatible(text, waiting)
        try:
            outcome.text = _checked(text, _edits(chosen))
        except WithheldError:
            finding, reason = _culprit(text, chosen)
            waiting.remove(finding)
            outcome.withheld.append(_without_fix(finding, reason))
        else:
            if together := _without_shared_parts(text, chosen):
                with contextlib.suppress(WithheldError):
                    outcome.text = _checked(text, together)
            outcome.applied = sorted(chosen, key=lambda f: f.sort_key)
            break
    return outcome


def _edits(findings: Iterable[Finding]) -> tuple[Edit, ...]:
    return tuple(edit for f in findings if f.fix for edit in f.fix.edits)


def _removes_another(finding: Finding, findings: Iterable[Finding]) -> bool:
    """Say whether an assignment that goes with the fix holds another finding, which then need not be fixed."""
    removed = [e for e in _edits([finding]) if not e.content]
    return any(e.location <= f.location < e.end_location for e in removed for f in findings)


def _without_fix(finding: Finding, reason: str) -> Finding:
    return replace(finding, fix=None, no_fix_reason=reason)


def _compatible(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings whose fixes can be applied together, the first ones if they cannot."""
    positions = Positions(text)
    chosen: list[Finding] = []
    for finding in findings:
        together = [*chosen, finding]
        if not overlap(spans_of(positions, _edits(together))) and not _needs_what_goes(positions, together):
            chosen = together
    return chosen


def _needs_what_goes(positions: Positions, findings: Sequence[Finding]) -> bool:
    """Say whether one fix reads a name whose assignment another one removes."""
    removed = [
        {n for e in _edits([f]) if not e.content for n in _names(positions.slice(e.location, e.end_location))}
        for f in findings
    ]
    read = [{n for e in _edits([f]) for n in re.findall(r"\w+", e.content)} for f in findings]
    return any(names & others for i, names in enumerate(removed) for k, others in enumerate(read) if i != k)


def _names(statement: str) -> list[str]:
    return re.findall(r"\w+", statement.partition("=")[0])


def _culprit(text: str, findings: Sequence[Finding]) -> tuple[Finding, str]:
    """Return the first finding whose fix cannot be applied with those before it, and why."""
    for count, finding in enumerate(findings, 1):
        try:
            _checked(text, _edits(findings[:count]))
        except WithheldError as error:
            return finding, str(error)
    raise AssertionError("the fixes can be applied together")


def _without_shared_parts(text: str, findings: Sequence[Finding]) -> tuple[Edit, ...]:
    """Return the edits of several fixes and those that remove what only the replaced expressions have read together."""
    parts = {span for f in findings if f.fix for span in f.fix.parts}
    if len(findings) < 2 or not parts:
        return ()
    tree, positions, edits = ast.parse(text), Positions(text), _edits(findings)
    spans = [(e.location, e.end_location) for e in edits if e.location != e.end_location]
    within = [n for n in ast.walk(tree) if isinstance(n, ast.expr | ast.stmt) and _lies_in(positions.span(n), spans)]
    scopes = Scopes(tree)
    replaced = [n for n in within if scopes.parents[n] not in within]
    news = [e.content for e in edits if e.content and e.location != e.end_location]
    dead = dead_assignments(
        positions, scopes, replaced, ", ".join(f"({n})" for n in news), lambda a: positions.span(a) in parts
    )
    gone = [n for n in replaced if isinstance(n, ast.stmt)]
    if len(dead) == len(gone) or not dead.keys() >= set(gone):
        return ()
    together = (*(e for e in edits if e.content), *dead.values())
    return () if overlap(spans_of(positions, together)) else together


def _lies_in(span: tuple[Location, Location], spans: Iterable[tuple[Location, Location]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in spans)


def _checked(text: str, edits: Iterable[Edit]) -> str:
    """Apply fixes and compare the syntax trees; raise `WithheldError` if anything else has changed."""
    edits = set(edits)
    new = apply_with_libcst(text, edits)
    try:
        after = ast.parse(new)
        before = _Expected(Positions(text), edits).visit(ast.parse(text))
        same = _shape(before) == _shape(after)
    except SyntaxError as error:
        raise WithheldError(f"the file would not parse any more: {error.msg}") from None
    except RecursionError:
        raise WithheldError("the file is nested too deeply to compare it before and after") from None
    if not same or not _is_subsequence(_imports(before), _imports(after)):
        raise WithheldError("the fix would change more than it replaces")
    return new


class _Expected(ast.NodeTransformer):
    """Makes from the tree before what the tree after has to be, but for the new imports."""

    def __init__(self, positions: Positions, edits: Iterable[Edit]) -> None:
        self.positions = positions
        self.removed = [e for e in edits if not e.content]
        replaced = [e for e in edits if e.content and e.location != e.end_location]
        self.replaced = {(e.location, e.end_location): e.content for e in replaced}
        self.replaced.update({span: e.content for e in replaced for span in self._inside_parentheses(e)})

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.expr) and (content := self.replaced.get(self.positions.span(node))):
            new = ast.parse(f"(\n{content}\n)", mode="eval").body
            if hasattr(node, "ctx") and hasattr(new, "ctx"):
                new.ctx = node.ctx
            return new
        if isinstance(node, ast.stmt):
            start, end = self.positions.span(node)
            if any(e.location <= start and end <= e.end_location for e in self.removed):
                return None
        return self.generic_visit(node)

    def _inside_parentheses(self, edit: Edit) -> Iterator[tuple[Location, Location]]:
        """Yield the spans without one pair of parentheses, two pairs, ...: one of them is the expression's."""
        start, end = self.positions.offset(edit.location), self.positions.offset(edit.end_location)
        text = self.positions.text
        while text[start] == "(" and text[end - 1] == ")":
            start, end = start + 1, end - 1
            while text[start].isspace():
                start += 1
            while text[end - 1].isspace():
                end -= 1
            yield self.positions.at(start), self.positions.at(end)


def _shape(tree: ast.AST | None) -> list[str]:
    assert isinstance(tree, ast.Module)
    return [ast.dump(s) for s in tree.body if not isinstance(s, ImportStatement)]


def _imports(tree: ast.AST | None) -> list[tuple[str | None, int | None, str, str | None]]:
    assert isinstance(tree, ast.Module)
    statements = [s for s in tree.body if isinstance(s, ImportStatement)]
    return [
        (getattr(s, "module", None), getattr(s, "level", None), a.name, a.asname) for s in statements for a in s.names
    ]


def _is_subsequence(some: Iterable[object], of: Iterable[object]) -> bool:
    rest = iter(of)
    return all(item in rest for item in some)
