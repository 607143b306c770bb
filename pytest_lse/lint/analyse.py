"""The analysis of one module: which of its expressions are a naive pattern that can fail, and what replaces them."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from pytest_lse.lint.bounds import Bounds, Facts, meet
from pytest_lse.lint.emit import Fixer
from pytest_lse.lint.finding import Finding, Fix
from pytest_lse.lint.graph import CORE, Node
from pytest_lse.lint.imports import Imports
from pytest_lse.lint.judge import dangerous
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.calls import OUTSIDE
from pytest_lse.lint.lower.expressions import Site
from pytest_lse.lint.match import CHOICES, Bindings, Matcher
from pytest_lse.lint.message import message, severity, witness
from pytest_lse.lint.ops import stabilising
from pytest_lse.lint.patterns import Pattern, patterns
from pytest_lse.lint.shipped_tests import is_shipped_test
from pytest_lse.lint.uses import is_of_a_scale, is_only_called, is_only_read_in

if TYPE_CHECKING:
    from pytest_lse.lint.lower.outside import Outside

_INTERESTING = CORE | OUTSIDE
#: how many of the values that a value is made of are asked for their names
_NEAR = 500


@dataclass(frozen=True, slots=True)
class _Match:
    site: Site
    statement: ast.stmt
    node: Node
    pattern: Pattern
    framework: str | None
    leaves: tuple[Node, ...]
    fix: Fix | None
    reason: str | None


class Analysis:
    """Collects the matches of one module (or of one notebook cell, with what the cells before it have bound)."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.lowerer = Lowerer(self._observe)
        self.lowerer.inlined = self._observe_inside
        self.lowerer.excuse = self._excuse_under
        self.matcher = Matcher(self.lowerer.graph, patterns())
        self.lowerer.path = os.path.abspath(filename)
        self.lowerer.outside = self
        self._in_tests = is_shipped_test(filename)
        self._bounds: Bounds | None = None
        #: what values match under the present bounds
        self._known: dict[tuple[Node, bool], tuple[Pattern, tuple[Node, ...]] | None] = {}
        self._matches: list[_Match] = []
        #: ids of sites that are no findings of their own, whatever a call makes of them
        self._settled: set[int] = set()
        #: finding -> the stable spelling in which its value is used
        self._excusing: list[tuple[_Match, Site]] = []
        self._cells: list[ast.Module] = []
        self.fixer: Fixer | None = None

    def run(self, text: str, cell: int | None = None) -> list[Finding]:
        """Return the findings of a module's text.

        Raises
        ------
        SyntaxError
            The text does not parse.
        """
        tree = ast.parse(text)
        self._matches, self._excusing = [], []
        self.fixer = Fixer(self.lowerer, self.matcher, Imports(tree, text, self.filename, tuple(self._cells)))
        self._cells.append(tree)
        # What another cell says has its place in another text.
        self.lowerer.sources.clear()
        self.lowerer.module(tree)
        widest = _widest(self._matches, self.lowerer.graph.shapeless)
        return [self._finding(m, cell) for m in widest if not self._is_meant(m)]

    @cached_property
    def _outside(self) -> Outside:
        # Most files ask nothing of other modules, and to look for those takes a part of the package of its own.
        from pytest_lse.lint.lower.outside import Outside

        return Outside(self.lowerer, self.matcher, self.lowerer.path)

    def remember(self, node: Node, home: Lowerer, callee: Node, arguments: tuple[list[Node], dict[str, Node]]) -> None:
        """Remember how a value comes about of which another module may know more."""
        self._outside.remember(node, home, callee, arguments)

    def _observe(self, site: Site, node: Node, framework: str | None) -> None:
        if not node.ops & _INTERESTING:
            return
        if self.lowerer.tolerant or self.lowerer.in_test or self._in_tests:
            return
        written = node
        if node.ops & OUTSIDE:
            node = self._outside.resolved(node)
        if not node.ops & CORE:
            return
        found = self._match(node, call=isinstance(site, ast.Call))
        if found is None:
            self._excuse(site, node)
        if found is None or self.fixer is None or self.lowerer.statement is None:
            return
        if self._from_operand(site, found):
            self._settled.add(id(site))
            return
        pattern, leaves = found
        framework = framework or self.lowerer.framework_of(node)
        if framework in stabilising():
            return
        fix, reason = self.fixer.fix(site if node is written else None, node, pattern, framework)
        if node is not written:
            reason = self._outside.reason(node)
        statement = self.lowerer.statement
        self._matches.append(_Match(site, statement, node, pattern, framework, leaves, fix, reason))

    def _observe_inside(self, site: Site, node: Node, framework: str | None, statement: ast.stmt) -> None:
        """Look at an expression of a function with the arguments of a call of it."""
        if self.lowerer.in_test or self._in_tests or not node.ops & _INTERESTING:
            return
        if node.ops & OUTSIDE:
            node = self._outside.resolved(node)
        if not node.ops & CORE or id(site) in self._settled or any(m.site is site for m in self._matches):
            return
        found = self._match(node)
        if found is None:
            self._excuse(site, node)
        if found is None or self.fixer is None or framework in stabilising() or self._from_operand(site, found, False):
            return
        pattern, leaves = found
        # The argument's text is another function's: there is nothing that a fix could write here.
        fix, reason = self.fixer.fix(None, node, pattern, framework)
        self._matches.append(_Match(site, statement, node, pattern, framework, leaves, fix, reason))

    def _excuse(self, site: Site, node: Node) -> None:
        """Forget the findings inside a stable spelling."""
        inside: set[int] | None = None
        for pattern in self.matcher.patterns.stable.get(node.op, ()):
            if self._matches and self.matcher.loose(pattern, self.lowerer.graph.shapeless(node)) is not None:
                inside = {id(n) for n in ast.walk(site)} if inside is None else inside
                self._settled |= inside
                kernel = pattern.kernel
                codes = getattr(kernel.module, "excuses", (kernel.code,))
                kept = [m for m in self._matches if id(m.site) not in inside or m.pattern.kernel.code not in codes]
                self._matches = kept
                parts = set(islice(node.walk(), _NEAR))
                self._excusing += [(m, site) for m in kept if m.pattern.kernel.code in codes and m.node in parts]

    def _excuse_under(self, node: Node, facts: Facts) -> None:
        """Forget the findings in a value that is used only where facts hold, if it cannot fail there."""
        if self._matches and node.ops & CORE:
            bounds = Bounds(self.lowerer.graph, meet(self.lowerer.state.facts, facts))
            inside = set(islice(node.walk(), _NEAR))
            self._matches = [m for m in self._matches if m.node not in inside or self._still(m, bounds)]

    def _still(self, match: _Match, bounds: Bounds) -> bool:
        found = self._find(match.node, bounds, call=isinstance(match.site, ast.Call))
        return found is not None and found[0].kernel is match.pattern.kernel

    def _from_operand(self, site: Site, found: tuple[Pattern, tuple[Node, ...]], here: bool = True) -> bool:
        """Return whether an operand is this match already: it was reported where it was computed.

        In a call of the function that the site stands in, the operands are known as they are without the call.
        """
        for operand in _operands(site):
            value = self.lowerer.values.get(id(operand))
            if value is not None and value.ops & OUTSIDE:
                value = self._outside.resolved(value)
            if value is None or not value.ops & CORE:
                continue
            before = self._match(value)
            if before is None or before[0].kernel is not found[0].kernel:
                continue
            if not here or any(leaf.op != "const" and leaf in found[1] for leaf in before[1]):
                return True
        return False

    def _match(self, node: Node, *, call: bool = False) -> tuple[Pattern, tuple[Node, ...]] | None:
        bounds = self._bounds_here()
        key = (node, call)
        if key not in self._known:
            self._known[key] = self._find(node, bounds, call=call)
        return self._known[key]

    def _find(self, node: Node, bounds: Bounds, *, call: bool) -> tuple[Pattern, tuple[Node, ...]] | None:
        shapeless = self.lowerer.graph.shapeless(node)
        table = self.matcher.patterns.naive
        targets = [(shapeless, table.get(shapeless.op, ()))]
        if shapeless.op == "mul" and call:
            # `log2(x)` is a multiple of log(x).
            logs = tuple(p for p in table.get("log", ()) if p.kernel.code != "LSE013")
            targets += [(f, logs) for f in shapeless.args if f.op == "log"]
        if shapeless.op == "mul":
            targets += [(f, table.get("pow", ())) for f in shapeless.args if f.op == "pow"]
        if shapeless.op == "add":
            negated = self.lowerer.graph.neg(shapeless)
            targets.append((negated, table.get(negated.op, ())))
        for target, candidates in targets:
            for pattern in candidates:
                if not self.matcher.possible(pattern, target):
                    continue
                bindings = self._bind(pattern, target, node)
                if bindings is None:
                    continue
                if dangerous(pattern, target, bindings.values(), bounds):
                    return pattern, tuple(bindings.values())
        return None

    def _bind(self, pattern: Pattern, target: Node, node: Node) -> Bindings | None:
        module = pattern.kernel.module
        exact = getattr(module, "exact", False)
        bindings = self.matcher.exact(pattern, node) if exact else self.matcher.loose(pattern, target)
        applies = getattr(module, "applies", None)
        if getattr(module, "unconditional", False) and any(a.op in CHOICES for a in target.args):
            return None
        if bindings is not None and "eps" in bindings and _is_own_target(bindings):
            return None
        if bindings is not None and applies is not None and not applies({n: _hint(b) for n, b in bindings.items()}):
            return None
        return bindings

    def _bounds_here(self) -> Bounds:
        """Return the intervals under the facts of this place; as long as those stay, so does what follows from them."""
        facts = self.lowerer.state.facts
        if self._bounds is None or self._bounds.facts is not facts:
            self._bounds = Bounds(self.lowerer.graph, facts)
            self._known.clear()
        return self._bounds

    def _is_meant(self, match: _Match) -> bool:
        """Return whether what else is done with a value shows that the pattern is meant as it stands."""
        assert self.fixer is not None
        scopes, module = self.fixer.imports.scopes, match.pattern.kernel.module
        harmless = getattr(module, "harmless", ())
        if harmless and is_only_called(match.site, harmless, scopes):
            return True
        if is_only_read_in(match.site, [site for m, site in self._excusing if m is match], scopes):
            return True
        names = {n.value for n in match.pattern.loose.walk() if n.op == "var"}
        has_epsilon = not names.isdisjoint(getattr(module, "dropped", ()))
        return has_epsilon and is_of_a_scale(match.site, scopes, self.lowerer.values)

    def _finding(self, match: _Match, cell: int | None) -> Finding:
        assert self.fixer is not None
        positions = self.fixer.positions
        start, end = positions.span(match.site)
        kernel = match.pattern.kernel
        return Finding(
            code=kernel.code or "",
            name=kernel.title,
            message=message(match.pattern, match.framework),
            filename=self.filename,
            location=start,
            end_location=end,
            severity=severity(match.pattern, match.framework),
            cell=cell,
            witness=witness(match.pattern, match.framework),
            fix=match.fix,
            no_fix_reason=match.reason,
            framework=match.framework,
            statement_end=match.statement.end_lineno or match.statement.lineno,
        )


def analyse(text: str, filename: str) -> list[Finding]:
    """Return the findings in a module's text, in the order of their places.

    Raises
    ------
    SyntaxError
        The text does not parse.
    RecursionError, MemoryError
        It is nested too deeply for the parser.
    """
    return sorted(Analysis(filename).run(text), key=lambda f: f.sort_key)


def analyse_cells(cells: Sequence[str], filename: str) -> list[Finding]:
    """Return the findings in a notebook's cells, which share one namespace; `cell` counts from 1."""
    analysis = Analysis(filename)
    found = [f for i, text in enumerate(cells, 1) for f in analysis.run(text, i)]
    return sorted(found, key=lambda f: f.sort_key)


def _widest(matches: list[_Match], shapeless: Callable[[Node], Node]) -> Iterator[_Match]:
    """Drop each match that lies inside a wider one."""
    absorbed: set[int] = set()
    at_site: dict[int, list[_Match]] = {}
    for match in matches:
        at_site.setdefault(id(match.site), []).append(match)
    for wide in matches:
        for inside in ast.walk(wide.site):
            for narrow in at_site.get(id(inside), ()):
                if (
                    narrow.site is not wide.site
                    and narrow.pattern.rank >= wide.pattern.rank
                    and not _in_leaf(narrow, wide, shapeless)
                ):
                    absorbed.add(id(narrow))
    seen: set[int] = set()
    for match in matches:
        if id(match) not in absorbed and id(match.site) not in seen:
            seen.add(id(match.site))
            yield match


def _in_leaf(narrow: _Match, wide: _Match, shapeless: Callable[[Node], Node]) -> bool:
    """Return whether the narrow match belongs to an argument of the wide one, which stays when that is replaced."""
    node = shapeless(narrow.node)
    return any(n is node for leaf in wide.leaves for n in leaf.walk())


def _is_own_target(bindings: Bindings) -> bool:
    """Return whether the targets of a loss are the very probabilities that it takes: it is their entropy."""
    targets, x = bindings.get("targets"), bindings.get("x")
    if targets is None or x is None or x.op == "const" or targets is x:
        return False
    parts = set(islice(targets.walk(), _NEAR))
    return x in parts and not any(n.op in ("less", "greater", "equal") for n in parts)


def _hint(node: Node) -> object:
    """Return what a rule may know of a bound value: a constant as it is, of anything else its name."""
    if node.op in ("const", "free", "attr", "name"):
        return node.value
    if node.op == "opaque":
        return str(node.value).partition("#")[0]
    if node.op == "bounded":
        return "random"
    # Each value once: what is computed step by step has few values, but a great many paths to them.
    named = ("const", "free", "attr", "name", "opaque", "bounded")
    parts = (n for n in islice(node.walk(), _NEAR) if n.op in named)
    return " ".join(str(_hint(n)) for n in parts)


def _operands(site: Site) -> Iterator[ast.expr]:
    if isinstance(site, ast.BinOp):
        yield from (site.left, site.right)
    elif isinstance(site, ast.UnaryOp):
        yield site.operand
    elif isinstance(site, ast.AugAssign):
        yield from (site.target, site.value)
    elif isinstance(site, ast.Call):
        yield from site.args
        yield from (k.value for k in site.keywords)
        if isinstance(site.func, ast.Attribute):
            yield site.func.value
