"""What a function can be: every kernel whose formula can be traced, also those that no rule looks for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pytest_lse.discovery import KernelFile, kernel, kernel_names
from pytest_lse.lint import patterns
from pytest_lse.lint.graph import Graph
from pytest_lse.lint.patterns import Pattern, Patterns

#: the derivative of a softplus is a sigmoid: a function is rather called by the name of what it computes
_SAME_AS_ANOTHER = frozenset({"softplus_grad"})


@cache
def vocabulary() -> Patterns:
    """Return the traced spellings, naive and stable, of all kernels; the widest first."""
    graph = Graph()
    traced = [p for name in kernel_names() if name not in _SAME_AS_ANOTHER for p in _spellings(graph, kernel(name))]
    # A stable spelling first: its variable is the argument itself, not the shifted one.
    traced.sort(key=lambda p: (p.kernel.code is None, p.rank, p.naive))
    names = frozenset(p.kernel.name for p in traced)
    return replace(patterns.patterns(), graph=graph, all=patterns._by_root(traced), kernels=names)


def _spellings(graph: Graph, file: KernelFile) -> list[Pattern]:
    found = []
    for naive, formulas in ((True, file.naive), (False, file.stable)):
        for spelling, formula in formulas.items():
            try:
                pattern = patterns._trace(graph, file, spelling, formula, naive)
            except (AttributeError, TypeError):
                continue  # it uses an operation that the op table does not have, so no lowered code has it either
            if pattern.whole:
                found.append(pattern)
    return found
