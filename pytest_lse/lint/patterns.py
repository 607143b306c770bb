"""The patterns: every formula of every kernel and rule file, traced into a value graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_lse.discovery import Formula, KernelFile, coded
from pytest_lse.lint.graph import BIT, Graph, Node

#: the codes from the widest pattern to the narrowest: a wide one absorbs the narrow ones inside it
WIDEST_FIRST = (
    ("LSE009", "LSE020", "LSE010", "LSE011", "LSE022"),
    ("LSE012", "LSE016", "LSE017", "LSE018"),
    ("LSE003", "LSE007", "LSE008", "LSE015", "LSE019"),
    ("LSE001", "LSE002", "LSE004", "LSE005", "LSE006"),
    ("LSE021",),
    ("LSE013", "LSE014"),
)
RANK = {code: rank for rank, codes in enumerate(WIDEST_FIRST) for code in codes}
_ORDER = {code: place for place, code in enumerate(code for codes in WIDEST_FIRST for code in codes)}


@dataclass(frozen=True, eq=False, slots=True)
class Pattern:
    """One spelling of a kernel: its graph, as written and without its shapes."""

    kernel: KernelFile
    spelling: str
    naive: bool
    root: Node
    loose: Node
    #: parameters that this spelling fixes to a constant
    fixed: dict[str, Any]
    #: whether the value is the kernel itself: a spelling with further variables is an element of it, or a multiple
    whole: bool

    @property
    def rank(self) -> int:
        # A code that is new is wider than all: what its author wrote a pattern for is not to vanish in parts of it.
        return RANK.get(self.kernel.code or "", -1)


@dataclass(frozen=True)
class Patterns:
    """All patterns, by the operation at their root."""

    graph: Graph
    #: op of the root without shapes -> naive patterns, widest first
    naive: dict[str, tuple[Pattern, ...]]
    #: the same for stable spellings: what lies inside one is no finding
    stable: dict[str, tuple[Pattern, ...]]
    #: the same for all spellings, which tell what a value means
    all: dict[str, tuple[Pattern, ...]]
    kernels: frozenset[str]
    #: part of a pattern -> the operations that a value must hold, as bits: one of several sets
    needs: dict[Node, tuple[int, ...]]
    traced: tuple[Pattern, ...] = ()


@cache
def patterns() -> Patterns:
    """Return the patterns: tracing them costs more than the rest of the analysis of one file."""
    from pytest_lse.lint import traced

    return traced.load() or trace()


def trace() -> Patterns:
    """Return the patterns, traced from the kernel and rule files."""
    graph = Graph()
    traced = [
        _trace(graph, kernel, spelling, formula, naive)
        for kernel in coded()
        for naive, formulas in ((True, kernel.naive), (False, kernel.stable))
        for spelling, formula in formulas.items()
    ]
    traced.sort(key=lambda p: _ORDER.get(p.kernel.code or "", len(_ORDER)))
    return collected(graph, traced, _needs(traced, _kernels(traced)))


def _kernels(traced: list[Pattern]) -> frozenset[str]:
    return frozenset(p.kernel.name for p in traced if not p.kernel.path.startswith("pytest_lse.rules"))


def collected(graph: Graph, traced: list[Pattern], needs: dict[Node, tuple[int, ...]]) -> Patterns:
    """Return patterns with the tables by which they are found."""
    return Patterns(
        graph,
        _by_root([p for p in traced if p.naive]),
        _by_root([p for p in traced if not p.naive]),
        # A stable spelling first: its variable is the argument itself, not the shifted one.
        _by_root(sorted(traced, key=lambda p: p.naive)),
        _kernels(traced),
        needs,
        tuple(traced),
    )


def _trace(graph: Graph, kernel: KernelFile, spelling: str, formula: Formula, naive: bool) -> Pattern:
    from pytest_lse.lint.symbolic import Namespace, Symbol

    code = formula.__code__
    names = code.co_varnames[1 : code.co_argcount]
    defaults = formula.__defaults__ or ()
    fixed = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    arguments = {n: Symbol(graph, graph.symbol("var", n)) for n in names if n not in fixed}
    result = formula(Namespace(graph), *(fixed[n] if n in fixed else arguments[n] for n in names))
    whole = set(names) <= set(kernel.signature)
    return Pattern(kernel, spelling, naive, result.node, graph.shapeless(result.node), fixed, whole)


def _needs(traced: list[Pattern], kernels: frozenset[str]) -> dict[Node, tuple[int, ...]]:
    """Return which operations a value holds where a part of a pattern matches it."""
    found: dict[Node, tuple[int, ...]] = {}
    spelled: dict[str, list[Node]] = {k: [] for k in kernels}
    for p in traced:
        if p.kernel.name in kernels:
            spelled[p.kernel.name] += [p.root, p.loose]
    open_kernels: list[str] = []

    def needs(part: Node) -> tuple[int, ...]:
        if part in found:
            return found[part]
        if part.op in ("var", "const", "mul"):  # a constant times a variable is any value
            own = {0}
        else:
            own = {BIT[part.op]}
        if part.op in open_kernels:
            own = {0}
        elif part.op in kernels:
            open_kernels.append(part.op)
            own.update(need for spelling in spelled[part.op] for need in needs(spelling))
            open_kernels.pop()
        for arg in part.args:
            own = {a | b for a in own for b in needs(arg)}
        least = tuple(sorted(a for a in own if not any(b != a and a & b == b for b in own)))
        if not open_kernels:  # what was left out inside a kernel's own spelling is not known to be right elsewhere
            found[part] = least
        return least

    for p in traced:
        for part in (*p.root.walk(), *p.loose.walk()):
            needs(part)
    return found


def _by_root(traced: list[Pattern]) -> dict[str, tuple[Pattern, ...]]:
    table: dict[str, tuple[Pattern, ...]] = {}
    for p in traced:
        table[p.loose.op] = (*table.get(p.loose.op, ()), p)
    return table
