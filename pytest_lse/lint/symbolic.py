"""A symbolic array namespace: calling a kernel's formula with it builds the formula's value graph."""

from __future__ import annotations

from typing import Any, NoReturn

from pytest_lse.lint import ops
from pytest_lse.lint.graph import Graph, Node


class Symbol:
    """A symbolic value, with the operators of an array."""

    __slots__ = ("graph", "node")

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph = graph
        self.node = node

    def __add__(self, other: object) -> Symbol:
        return self._make("add", self, other)

    def __radd__(self, other: object) -> Symbol:
        return self._make("add", other, self)

    def __sub__(self, other: object) -> Symbol:
        return self._make("sub", self, other)

    def __rsub__(self, other: object) -> Symbol:
        return self._make("sub", other, self)

    def __mul__(self, other: object) -> Symbol:
        return self._make("mul", self, other)

    def __rmul__(self, other: object) -> Symbol:
        return self._make("mul", other, self)

    def __truediv__(self, other: object) -> Symbol:
        return self._make("div", self, other)

    def __rtruediv__(self, other: object) -> Symbol:
        return self._make("div", other, self)

    def __neg__(self) -> Symbol:
        return self._make("neg", self)

    def __pow__(self, other: object) -> Symbol:
        return self._make("pow", self, other)

    def __getitem__(self, key: object) -> Symbol:
        return self._make("index", self, key)

    def _make(self, op: str, *args: object) -> Symbol:
        return Symbol(self.graph, self.graph.make(op, *(as_node(self.graph, a) for a in args)))

    def _strict(self, *_: object) -> NoReturn:
        raise TypeError("a symbolic value has no truth value, length or iteration: write the formula branch-free")

    __bool__ = __len__ = __iter__ = __lt__ = __le__ = __gt__ = __ge__ = _strict


class Namespace:
    """`xp`: every operation of the op table as a function, with its canonical parameters."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __getattr__(self, op: str) -> Any:
        if op not in ops.PARAMS:
            raise AttributeError(f"the op table has no operation {op!r}")
        names = [name for name, _ in ops.signature(op)]
        graph = self._graph

        def function(*args: object, **keywords: object) -> Symbol:
            given = dict(zip(names, args, strict=False)) | keywords
            values = [given.pop(name, default) for name, default in ops.signature(op)]
            if given or any(v is ops.REQUIRED for v in values):
                raise TypeError(f"{op}() takes {', '.join(names)}")
            return Symbol(graph, graph.make(op, *(as_node(graph, v) for v in values)))

        return function


def as_node(graph: Graph, value: object) -> Node:
    return value.node if isinstance(value, Symbol) else graph.const(value)
