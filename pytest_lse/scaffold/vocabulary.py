"""What a function can be: every kernel whose formula can be traced, also those that no rule looks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from pytest_lse.discovery import Formula, KernelFile, kernel, kernel_names
from pytest_lse.lint import patterns
from pytest_lse.lint.graph import Graph, Node
from pytest_lse.lint.patterns import Pattern, Patterns
from pytest_lse.lint.symbolic import Namespace, Symbol

#: the derivative of a softplus is a sigmoid: a function is rather called by the name of what it computes
_SAME_AS_ANOTHER = frozenset({"softplus_grad"})
_LOGITS = [0.3, -0.7, 1.1]
#: role of an array -> ordinary values of it; all others are logits
_VALUES: dict[str, Any] = {
    "negative": [-0.3, -0.7, -1.1],
    "mask": [True, False, True],
    "probabilities": [0.2, 0.5, 0.3],
    "log_probabilities": [-1.6, -0.7, -1.2],
    "targets": [0.0, 1.0, 0.0],
    "temperature": 1.5,
    "uniform": [0.2, 0.5, 0.9],
}
_NEAR = 1e-9


@cache
def vocabulary() -> Patterns:
    """Return the traced spellings, naive and stable, of all kernels; the widest first."""
    graph = Graph()
    traced = [p for name in kernel_names() if name not in _SAME_AS_ANOTHER for p in _spellings(graph, kernel(name))]
    # A stable spelling first: its variable is the argument itself, not the shifted one.
    traced.sort(key=lambda p: (p.kernel.code is None, p.rank, p.naive))
    names = frozenset(p.kernel.name for p in traced)
    return replace(patterns.patterns(), graph=graph, all=patterns._by_root(traced), kernels=names)


def _spellings(graph: Graph, file: KernelFile) -> Iterator[Pattern]:
    truth = _value(file, next(iter(file.stable.values()), None))
    for naive, formulas in ((True, file.naive), (False, file.stable)):
        for spelling, formula in formulas.items():
            try:
                pattern = patterns._trace(graph, file, spelling, formula, naive)
            except (AttributeError, TypeError):
                continue  # it uses an operation that the op table does not have, so no lowered code has it either
            if pattern.whole and _same(_value(file, formula), truth):
                yield pattern


def _same(value: Any, truth: Any) -> bool:
    """Return whether a spelling is the kernel: a rule may also list what is a mistake of the same kind."""
    import numpy as np

    if value is None or truth is None:
        return True
    same_shape = np.shape(value) == np.shape(truth)
    return same_shape and bool(np.all(np.isclose(value, truth, rtol=_NEAR, atol=_NEAR, equal_nan=True)))


def _value(file: KernelFile, formula: Formula | None) -> Any:
    """Return what a formula gives for ordinary values; None where it cannot be evaluated here."""
    import numpy as np

    from pytest_lse.lint.evaluate import Floats, UnknownError, evaluate

    if formula is None:
        return None
    graph = Graph()
    given: dict[Node, Any] = {}
    code = formula.__code__
    arguments: list[Any] = []
    for name in code.co_varnames[1 : code.co_argcount]:
        if name in file.args:
            node = graph.symbol("var", name)
            value = np.asarray(_VALUES.get(file.args[name], _LOGITS))
            # Arrays of one role differ, so that a formula in which they change places is another one.
            given[node] = value[::-1] if value.ndim and file.args[name] in _roles_before(file, name) else value
            arguments.append(Symbol(graph, node))
        elif name in file.params:
            arguments.append(file.params[name])
        else:
            return None
    try:
        with np.errstate(all="ignore"):
            return evaluate(formula(Namespace(graph), *arguments).node, given, Floats())
    except (UnknownError, AttributeError, TypeError, ValueError, IndexError):
        return None


def _roles_before(file: KernelFile, name: str) -> list[str]:
    names = list(file.args)
    return [file.args[n] for n in names[: names.index(name)]]
