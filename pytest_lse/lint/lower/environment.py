"""What is known at one point of a program: the value of each name and attribute, and facts about values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pytest_lse.lint import ops
from pytest_lse.lint.bounds import Interval, meet
from pytest_lse.lint.graph import VIEWS, Graph, Node

Attribute = tuple[Node, str]
#: the module that stands for one of several array libraries
ANY_LIBRARY = "xp"
#: what people call such a module where another module of their project chooses it
LIBRARIES = frozenset({"np", "xp", "jnp", "numpy"})
_LASTING = frozenset({"module", "function", "instance", "class"})


class State:
    """The environment; copied where the control flow splits and joined where it meets."""

    __slots__ = ("attributes", "ended", "facts", "names")

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}
        self.attributes: dict[Attribute, Node] = {}
        self.facts: dict[Node, Interval] = {}
        #: whether control has left this path: after return, raise, break, continue
        self.ended = False

    def copy(self) -> State:
        other = State()
        other.names = dict(self.names)
        other.attributes = dict(self.attributes)
        other.facts = self.facts
        other.ended = self.ended
        return other

    def assume(self, facts: dict[Node, Interval]) -> None:
        if facts:
            self.facts = meet(self.facts, facts)

    def mutate(self, graph: Graph, target: Node, value: Node | None = None) -> None:
        """Give a changed object its new value under all its names; what was a view of it becomes unknown."""
        new = graph.opaque("changed") if value is None else value
        for name, node in self.names.items():
            if node is target:
                self.names[name] = new
            elif _is_view(node, target):
                self.names[name] = graph.opaque("view")
        for key, node in self.attributes.items():
            if node is target:
                self.attributes[key] = new
        if target.op == "attr":
            self.attributes[target.args[0], target.value] = new

    def forget(self, graph: Graph, owner: Node, settled: Mapping[Attribute, Node]) -> None:
        """Give the attributes of an object new values: a method that returns nothing was called on it.

        Those stay that only `__init__` assigns.
        """
        for key in self.attributes:
            node = self.attributes[key]
            if key[0] is owner and settled.get(key) is not node and node.op not in _LASTING:
                self.attributes[key] = graph.opaque(key[1])

    def join(self, graph: Graph, a: State, b: State, test: Node | None = None) -> None:
        """Become what is known where two paths meet: `a` where the test held, `b` where it did not."""
        if a.ended or b.ended:
            survivor = b if a.ended else a
            self.names, self.attributes = survivor.names, survivor.attributes
            self.facts, self.ended = survivor.facts, a.ended and b.ended
            return
        test = graph.none if test is None else test
        self.names = _join(graph, a.names, b.names, test)
        self.attributes = _join(graph, a.attributes, b.attributes, test)
        self.facts = {n: i for n, i in a.facts.items() if b.facts.get(n) == i}


K = TypeVar("K")


def _join(graph: Graph, a: dict[K, Node], b: dict[K, Node], test: Node) -> dict[K, Node]:
    differing = [key for key in a.keys() & b.keys() if a[key] is not b[key]]
    joined = a | b
    for key in differing:
        imported = _imported(graph, a[key], b[key])
        joined[key] = graph.choose(test, a[key], b[key]) if imported is None else imported
    return joined


def _imported(graph: Graph, a: Node, b: Node) -> Node | None:
    """Return what a name means of which one value is imported and the other stands in for it: `import cupy as np`."""
    if a.op != "name":
        a, b = b, a
    if a.op != "name":
        return None
    if b.op == "name":
        roots = ops.frameworks()
        frameworks = [roots.get(n.value.partition(".")[0]) for n in (a, b)]
        if None in frameworks:
            return None
        word = b.value.rpartition(".")[2]
        other = f"{ANY_LIBRARY}.{word}" if ops.functions(b.value) else ANY_LIBRARY
        return a if frameworks[0] == frameworks[1] else graph.symbol("name", other)
    return a if b is graph.none or (b.op == "function" and ops.functions(a.value)) else None


def _is_view(node: Node, target: Node) -> bool:
    while node.op in VIEWS and node.args:
        node = node.args[0]
        if node is target:
            return True
    return False
