"""Is a function a kernel? Compares what it returns with the spellings of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_lse.discovery import KernelFile, kernel
from pytest_lse.lint.graph import Graph, Node, factors
from pytest_lse.lint.match import CHOICES, Bindings, Matcher
from pytest_lse.lint.patterns import Pattern

_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "logsumexp", "softmax", "log_softmax", "cumsum", "logcumsumexp"})
_SYMMETRIC = frozenset({"logaddexp"})


class Unknown:
    """The marker of a shape parameter about which the value graph says nothing."""


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Meaning:
    """What a value is.

    Attributes
    ----------
    kernel : KernelFile
        The kernel that it is.
    arrays : tuple of (str, bool)
        For each array of the kernel the function's parameter that it is, and whether it is its negative.
    shapes : dict
        ``axis`` and ``keepdims``, as far as the kernel has them: a constant, the name of the function's parameter as
        `Parameter`, or `UNKNOWN`.
    elementwise : bool
        The kernel is a mean, the function returns what it is the mean of.
    """

    kernel: KernelFile
    arrays: tuple[tuple[str, bool], ...]
    shapes: dict[str, Any]
    elementwise: bool = False


@dataclass(frozen=True)
class Parameter:
    """A parameter of the function, by name."""

    name: str


def recognise(matcher: Matcher, result: Node, parameters: dict[str, Node]) -> Meaning | None:
    """Return the kernel that a function's value is, in its parameters; None if it is none."""
    graph = matcher.graph
    names = {node: name for name, node in parameters.items()}
    for node, reduced in _values(graph, result):
        for exact in (True, False):
            value = node if exact else graph.shapeless(node)
            for file, bindings in _readings(matcher, value, exact):
                if reduced and file.reduction != "mean":
                    continue
                arrays = _arrays(graph, file, bindings, names)
                if arrays is None or (not exact and not _uniform(matcher, file, value, len(names) > len(arrays))):
                    continue
                shapes = {
                    p: _shape(bindings.get(p), names, node, p, exact) for p in ("axis", "keepdims") if p in file.params
                }
                return Meaning(file, arrays, shapes, elementwise=file.reduction == "mean" and not reduced)
    return None


def _values(graph: Graph, result: Node) -> Iterator[tuple[Node, bool]]:
    """Yield what may be a formula's value, and whether the mean of it is returned."""
    result = _as_choice(graph, result)
    if result.op == "phi":
        alternatives = [a for a in _alternatives(result) if a is not graph.none]
        if len(alternatives) == 1:
            result = alternatives[0]
    yield result, False
    for factor in factors(result):
        if factor.op == "mean":
            # -mean(v) is the mean of -v.
            yield graph.mul(*(f.args[0] if f is factor else f for f in factors(result))), True


def _as_choice(graph: Graph, result: Node) -> Node:
    """Return what a function returns on several paths as a choice: here each of them is looked at."""
    return graph.make("phi", *(_as_choice(graph, a) for a in result.args)) if result.op == "either" else result


def _alternatives(node: Node) -> Iterator[Node]:
    for a in node.args:
        if a.op == "phi":
            yield from _alternatives(a)
        else:
            yield a


def _readings(matcher: Matcher, node: Node, exact: bool) -> Iterator[tuple[KernelFile, Bindings]]:
    """Yield the kernels that a value can be, with their bindings."""
    if node.op in matcher.patterns.kernels:
        file = kernel(node.op)
        yield file, dict(zip((*file.args, *file.params), node.args, strict=False))
    for pattern in _candidates(matcher, node):
        found = matcher.exact(pattern, node) if exact else next(matcher._match(pattern.loose, node, {}, True), None)
        if found is not None:
            constants = {n: matcher.graph.const(v) for n, v in pattern.fixed.items()}
            yield pattern.kernel, constants | found


def _candidates(matcher: Matcher, node: Node) -> Sequence[Pattern]:
    roots = {node.op} if node.op not in CHOICES else {a.op for a in _branches(node)}
    return [p for root in sorted(roots) for p in matcher.patterns.all.get(root, ())]


def _branches(node: Node) -> Iterator[Node]:
    for a in node.args[-2:]:
        if a.op in CHOICES:
            yield from _branches(a)
        else:
            yield a


def _uniform(matcher: Matcher, file: KernelFile, value: Node, configurable: bool) -> bool:
    """Return whether a value of several alternatives is the kernel in all of them.

    A function of the kernel's arrays alone may be the kernel in one alternative and a shortcut in the other; one that
    has more parameters chooses between different functions.
    """
    if value.op not in CHOICES or not configurable:
        return True
    return all(any(f is file for f, _ in _readings(matcher, branch, False)) for branch in _branches(value))


def _arrays(
    graph: Graph, file: KernelFile, bindings: Bindings, names: dict[Node, str]
) -> tuple[tuple[str, bool], ...] | None:
    found = []
    for arg in file.args:
        node = bindings.get(arg)
        if node is None:
            return None
        if node in names:
            found.append((names[node], False))
        elif (positive := graph.neg(node)) in names:
            found.append((names[positive], True))
        else:
            return None
    if len({name for name, _ in found}) < len(found):
        return None
    for param in file.params:
        node = bindings.get(param)
        if param not in ("axis", "keepdims") and node is not None and not _is_default(node, file.params[param]):
            return None
    if file.name in _SYMMETRIC:
        order = list(names.values())
        found.sort(key=lambda array: order.index(array[0]))
    return tuple(found)


def _is_default(node: Node, default: object) -> bool:
    return node.op == "const" and (node.value is None or node.value == default)


def _shape(bound: Node | None, names: dict[Node, str], node: Node, param: str, exact: bool) -> Any:
    if exact and bound is not None:
        if bound in names:
            return Parameter(names[bound])
        if bound.op == "const":
            return int(bound.value) if isinstance(bound.value, float) else bound.value
        return UNKNOWN
    if param == "keepdims":
        return UNKNOWN
    axes = {n.args[1] for n in node.walk() if n.op in _REDUCTIONS and len(n.args) > 1}
    if len(axes) == 1:
        (axis,) = axes
        if axis in names:
            return Parameter(names[axis])
        if axis.op == "const" and isinstance(axis.value, float):
            return int(axis.value)
        if axis.op == "const" and axis.value is None:
            return None
    return UNKNOWN
