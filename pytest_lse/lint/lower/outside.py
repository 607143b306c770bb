"""Values that come from another module of the project, or from a base class there: found out when they are needed.

A call of something that another module defines is a value about which nothing is known, and which remembers what was
called. Only where a logarithm or a loss takes such a value the other module is looked for, parsed, and the function or
class in question lowered into the same graph, as if it stood in the file. What comes of it counts only if it is a
probability itself, a softmax or a sigmoid: of anything else the file knows no more than before.
"""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_lse.lint import neighbours, ops
from pytest_lse.lint.code import UncertainError
from pytest_lse.lint.dotted import joined
from pytest_lse.lint.graph import BIT, VIEWS, Node, postorder
from pytest_lse.lint.lower.calls import OUTSIDE
from pytest_lse.lint.lower.functions import CALLABLE, Class
from pytest_lse.lint.lower.statements import Lowerer
from pytest_lse.lint.match import Matcher
from pytest_lse.lint.reduced import Definition, Reduced
from pytest_lse.lint.units import Units

#: operations that take a probability, or the logits that it should have been
_TAKERS = frozenset(
    {"log", "log1p", "bce", "bce_with_logits", "bce_weighted", "cross_entropy", "nll", "cross_entropy_of_probs"}
    | {"distribution_probs", "distribution_logits"}
)
_TAKER_BITS = sum(BIT[op] for op in _TAKERS)
#: operations through which a probability reaches them
_THROUGH = VIEWS | {
    "add",
    "mul",
    "clip",
    "where",
    "phi",
    "either",
    "maximum",
    "minimum",
    "sum",
    "tuple",
    "concat",
    "pair",
}
_THROUGH |= {"guarded", "item", "relu", "abs", "contract", "mean"}
_PROBABILITIES = frozenset({"softmax", "sigmoid", "log_softmax"})
_CHOICES = frozenset({"phi", "either"})
#: how many modules are looked into for one file, and how deep one leads to the next
_MOST = 30
_DEEPEST = 8
#: how many parsed modules are remembered
_PARSED = 32
_NOWHERE = ast.Call(ast.Name("_", ast.Load()), [], [])
_EMPTY = ast.parse("def _(): pass").body[0]


@dataclass(frozen=True, eq=False, slots=True)
class _Call:
    """A call of something that is not known yet."""

    home: Lowerer
    callee: Node
    arguments: tuple[list[Node], dict[str, Node]]


class Outside:
    """What the modules around one file make of the values that come from them."""

    def __init__(self, main: Lowerer, matcher: Matcher, path: str) -> None:
        self.graph = main.graph
        self._matcher = matcher
        self._main = main
        self._calls: dict[Node, _Call] = {}
        self._values: dict[Node, Node | None] = {}
        self._homes: dict[str, Lowerer | None] = {}
        self._seen: dict[Node, Node] = {}
        self._known: dict[Node, Node] = {}
        #: probability -> the name of what was called, as the file knows it
        self._origins: dict[Node, str] = {}
        self._depth = 0
        self._desk = _Desk(self, main)
        main.path = path
        main.outside = self

    # ---- while a module is lowered

    def remember(self, node: Node, home: Lowerer, callee: Node, arguments: tuple[list[Node], dict[str, Node]]) -> None:
        """Remember how a value about which nothing is known yet comes about."""
        node.ops |= OUTSIDE
        self._calls[node] = _Call(home, callee, arguments)

    # ---- where a logarithm or a loss is found

    def resolved(self, node: Node) -> Node:
        """Return the value with what the project's other modules say of it."""
        if not node.ops & _TAKER_BITS:
            return node
        if node.op in _TAKERS:
            for pending in self._reached(node.args):
                if pending not in self._known:
                    value = self.value(pending)
                    found = None if value is None else self._probability(value)
                    self._known[pending] = pending if found is None else found
                    if found is not None:
                        self._seen.clear()
                        for n in found.walk():
                            if n.op in _PROBABILITIES:
                                self._origins.setdefault(n, self._name(pending))
        if not self._known:
            return node
        if node not in self._seen:
            for n in postorder(node, self._seen):
                args = tuple(self._seen[a] for a in n.args)
                known = self._known.get(n)
                if known is not None:
                    self._seen[n] = known
                elif args == n.args:
                    self._seen[n] = n
                else:
                    self._seen[n] = made = self.graph.make(n.op, *args, value=n.value)
                    if n in self._main.frameworks:
                        self._main.frameworks.setdefault(made, self._main.frameworks[n])
        return self._seen[node]

    def reason(self, node: Node) -> str:
        """Return why what holds such a value has no fix."""
        names = sorted({self._origins[n] for n in node.walk() if n in self._origins})
        return f"the probability is computed by {' and '.join(names) or 'a function'} of another module"

    def _name(self, pending: Node) -> str:
        callee = self._calls[pending].callee
        while callee in self._calls:
            callee = self._calls[callee].callee
        if callee.op == "attr" and callee.args[0] in self._calls:
            return self._name(callee.args[0])
        return str(callee.value).lstrip(".")

    def _reached(self, roots: Iterable[Node]) -> Iterator[Node]:
        """Yield the unknown values that values are made of, through whatever leaves them probabilities."""
        todo = list(roots)
        seen = set(todo)
        while todo:
            n = todo.pop()
            if not n.ops & OUTSIDE:
                continue
            if n in self._calls:
                yield n
            elif n.op in _THROUGH:
                todo += [a for a in n.args if a not in seen]
                seen.update(n.args)

    def _probability(self, value: Node) -> Node | None:
        """Return the softmax or sigmoid that a value is, None if it is neither."""
        graph = self.graph
        if value.ops & OUTSIDE:
            found = {p: v for p in self._reached((value,)) if (v := self.value(p)) is not None}
            value = graph.substitute(value, found)
        if value.op == "tuple":
            items = [self._probability(a) for a in value.args]
            if all(i is None for i in items):
                return None
            return graph.make("tuple", *(graph.opaque("item") if i is None else i for i in items))
        if value.op in _CHOICES:
            a, b = map(self._probability, value.args)
            if a is None and b is None:
                return None
            if value.op == "either" and (a is None or b is None):
                return None
            return graph.make(value.op, *(graph.opaque("other") if i is None else i for i in (a, b)))
        if value.op in VIEWS or value.op in ("relu", "abs"):
            return self._probability(value.args[0])
        value = graph.shapeless(value)
        if value.op in _PROBABILITIES:
            made = value
        elif value.op in _CHOICES:
            return self._probability(value)
        else:
            meaning = self._matcher.meaning(value, loose=True)
            if meaning is None or meaning[0].kernel.name not in _PROBABILITIES or not meaning[0].whole:
                return None
            kernel, bindings = meaning[0].kernel, meaning[1]
            names = [name for name, _ in ops.signature(kernel.name)]
            made = graph.make(kernel.name, *(bindings.get(n, graph.none) for n in names))
        framework = self._main.framework_of(value)
        if framework is not None:
            self._main.frameworks.setdefault(made, framework)
        return made

    # ---- what was called

    def value(self, pending: Node) -> Node | None:
        """Return what a call gives that was not known when it was lowered."""
        if pending not in self._values:
            self._values[pending] = None  # what asks for itself is not told
            if self._depth < _DEEPEST:
                self._depth += 1
                call = self._calls[pending]
                callee = self.object(call.home, call.callee)
                self._values[pending] = None if callee is None else self._desk.called(callee, call.arguments)
                self._depth -= 1
        return self._values[pending]

    def object(self, home: Lowerer, node: Node) -> Node | None:
        """Return the function, class or instance that a name or attribute means."""
        if node in self._calls:
            return self.value(node)
        if node.op == "name":
            return self._defined(str(node.value), home.path)
        if node.op == "free":
            found = (self._defined(joined(m, str(node.value)), home.path) for m in home.star_modules)
            return next((n for n in found if n is not None), None)
        if node.op == "attr":
            owner = self.object(home, node.args[0])
            return None if owner is None else self._desk.attribute(owner, str(node.value))
        if node.op in VIEWS:  # `net.to(device)`
            return self.object(home, node.args[0])
        if node.op in _CHOICES:
            either = [n for a in node.args if (n := self.object(home, a)) is not None]
            return either[0] if len(either) == len(node.args) and len(set(either)) == 1 else None
        return node

    def _defined(self, dotted: str, path: str) -> Node | None:
        place = neighbours.locate(dotted, path)
        if place is None:
            return None
        file, name, rest = place
        if not neighbours.makes(file, name):
            return None
        home = self._home(file)
        node = None if home is None else home.state.names.get(name)
        if node is None or home is None or (node.op == "opaque" and node not in self._calls):
            return None
        found = self.object(home, node) if node.op != "name" else node
        for attribute in rest:
            found = None if found is None else self._desk.attribute(found, attribute)
        return found

    def parent(self, owner: Class) -> Class | None:
        """Return the class of another module that a class inherits from."""
        for base in owner.bases:
            found = self.object(owner.home, base) if base.op in ("name", "free") else None  # type: ignore[arg-type]
            if found is not None and found.op == "class":
                known: Class = self._main.classes[found.value]
                return known
        return None

    def _home(self, path: str) -> Lowerer | None:
        """Return the lowered module of a file."""
        if path not in self._homes:
            self._homes[path] = None
            if path == self._main.path:
                self._homes[path] = self._main
            elif len(self._homes) <= _MOST:
                self._homes[path] = self._lowered(path)
        return self._homes[path]

    def _lowered(self, path: str) -> Lowerer | None:
        here = neighbours.module(path)
        if here is None or (not here.makes_probabilities and not path.endswith("__init__.py")):
            return None
        reduced = _reduced(path, here)
        if reduced is None:
            return None
        home = _Neighbour(self, self._main, path)
        home.cold, home.load = frozenset(reduced.cold), lambda row: _loaded(reduced, row)
        home.collect_imports(reduced.imports)
        try:
            home.module(reduced.tree)
        except (RecursionError, MemoryError):
            return None
        return home


class _Neighbour(Lowerer):
    """Lowers another module into the graph of the file that asks; what it finds there is that module's own business."""

    def __init__(self, outside: Outside, main: Lowerer, path: str) -> None:
        super().__init__(_unseen)
        self.graph, self.frameworks = main.graph, main.frameworks
        self.functions, self.classes, self._class_of = main.functions, main.classes, main._class_of
        self.path, self.outside = path, outside


class _Desk(_Neighbour):
    """Applies what was found, with what classes inherit from other modules."""

    def __init__(self, outside: Outside, main: Lowerer) -> None:
        super().__init__(outside, main, "")
        self._outside = outside
        self._parents: dict[Class, Class | None] = {}

    def parent_of(self, owner: Class) -> Class | None:
        if owner.parent is not None:
            return owner.parent
        if owner not in self._parents:
            self._parents[owner] = None
            self._parents[owner] = self._outside.parent(owner)
        return self._parents[owner]

    def attribute(self, owner: Node, name: str) -> Node | None:
        """Return a function or object that is an attribute of another."""
        if owner.op == "name":
            return self.graph.symbol("name", f"{owner.value}.{name}")
        found = self.member_of(owner, name)
        if found is not None:
            found = self.property_value(found)
            return self._outside.value(found) if found in self._outside._calls else found
        return None

    def called(self, callee: Node, arguments: tuple[list[Node], dict[str, Node]]) -> Node | None:
        """Return what a call gives, None if that is not known."""
        if callee.op == "name":
            return self._fit(_NOWHERE, ops.functions(str(callee.value)), *arguments) or self._construct(
                str(callee.value), *arguments
            )
        if callee.op == "class":
            return self.graph._intern("instance", (), callee.value)
        if callee.op == "module":
            return self.apply_module(_NOWHERE, callee, arguments[0])
        if callee.op == "instance" or self.is_self(callee):
            owner = self.classes[callee.value] if callee.op == "instance" else self._class_of[callee]
            method = next((m for name in CALLABLE if (m := self._method_in(owner, name)) is not None), None)
            if method is None:
                return None
            callee = method
        if callee.op != "function":
            return None
        node = self._result_of_call(self.functions[callee.value], arguments)
        return self._outside.value(node) if node in self._outside._calls else node


def _unseen(site: Any, node: Node, framework: str | None) -> None:
    """Look at nothing: another module has findings of its own, when it is checked itself."""


_parsed: OrderedDict[str, tuple[tuple[int, int], Reduced | None]] = OrderedDict()


def _reduced(path: str, here: neighbours.Module) -> Reduced | None:
    """Return a module in which each function is parsed when it is wanted, None if it does not parse."""
    if path not in _parsed or _parsed[path][0] != here.signature:
        _parsed[path] = here.signature, _read(here)
    _parsed.move_to_end(path)
    if len(_parsed) > _PARSED:
        _parsed.popitem(last=False)
    return _parsed[path][1]


def _read(here: neighbours.Module) -> Reduced | None:
    text = here.text()
    if not 0 < len(text) <= neighbours.LARGEST:
        return None
    try:
        return Reduced(text, Units.of(text), ())
    except UncertainError:
        return None
    except (RecursionError, MemoryError):
        return None


def _loaded(reduced: Reduced, row: int) -> Definition | None:
    try:
        return reduced.load(row)
    except UncertainError:
        assert isinstance(_EMPTY, ast.FunctionDef)
        return _EMPTY
