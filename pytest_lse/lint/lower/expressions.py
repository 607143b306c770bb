"""Expressions to values."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any, Protocol

from pytest_lse.lint import ops
from pytest_lse.lint.bounds import Facts, fact
from pytest_lse.lint.graph import Graph, Node
from pytest_lse.lint.lower.environment import ANY_LIBRARY, LIBRARIES, State

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "contract",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less",
    ast.Gt: "greater",
    ast.GtE: "greater",
    ast.Eq: "equal",
}
_BUILTINS = frozenset(dir(builtins))
#: attributes that are the value itself, or its transpose
ATTRIBUTES = {"T": "transpose", "mT": "transpose", "H": "transpose", "data": "detach", "real": "cast"}
_MODULE_NAMES = {
    **dict.fromkeys(("numpy.e", "math.e", "torch.e", "jax.numpy.e", f"{ANY_LIBRARY}.e"), 2.718281828459045),
    **dict.fromkeys(("numpy.pi", "math.pi", "torch.pi", "jax.numpy.pi", f"{ANY_LIBRARY}.pi"), 3.141592653589793),
}
_NEWAXIS = frozenset({"numpy.newaxis", "jax.numpy.newaxis", "tensorflow.newaxis", f"{ANY_LIBRARY}.newaxis"})
Site = ast.expr | ast.AugAssign


class Observer(Protocol):
    """Is shown each expression that computes something, at the moment when it is lowered."""

    def __call__(self, site: Site, node: Node, framework: str | None) -> None: ...


class Expressions:
    """Lowers expressions in the current state."""

    def __init__(self, observer: Observer) -> None:
        self.graph = Graph()
        self.state = State()
        self.observer = observer
        #: value -> the expressions that compute it
        self.sources: dict[Node, list[ast.expr]] = {}
        #: id of an expression -> the value that it had
        self.values: dict[int, Node] = {}
        #: id of a shown expression -> the statement that it stands in, what was known there, whether in a branch
        self.places: dict[int, tuple[ast.stmt | None, Facts, bool]] = {}
        #: how many branches of the present function the present statement is in
        self.branches = 0
        #: is told of a value that counts only where some facts hold
        self.excuse: Callable[[Node, Facts], None] | None = None
        self.statement: ast.stmt | None = None
        #: value -> the framework whose function computed it
        self.frameworks: dict[Node, str] = {}
        #: the frameworks that the file imports
        self.imported: set[str] = set()
        self.star_modules: list[str] = []
        #: the file that is lowered, and what knows the modules around it
        self.path = ""
        self.outside: Any = None
        #: whether overflow is expected here: inside `errstate` or a `try` that catches it
        self.tolerant = 0
        self._silent = 0
        #: whether what is lowered will be lowered again
        self._unseen = 0
        self._visitors: dict[type, Callable[[Any], Node]] = {
            kind: getattr(self, f"_{kind.__name__}")
            for kind in vars(ast).values()
            if isinstance(kind, type) and hasattr(self, f"_{kind.__name__}")
        }

    def lower(self, expr: ast.expr) -> Node:
        """Return the value of an expression in the current state."""
        visit = self._visitors.get(type(expr))
        node = visit(expr) if visit else self._parts(expr)
        if not self._silent and not self._unseen:
            self.values[id(expr)] = node
            if node.op != "const":
                self.sources.setdefault(node, []).append(expr)
        return node

    def relower(self, expr: ast.expr) -> Node:
        """Return the value that the expression would have now, without showing it to anyone."""
        self._silent += 1
        state, self.state = self.state, self.state.copy()
        try:
            return self.lower(expr)
        finally:
            self.state = state
            self._silent -= 1

    def _observe(self, site: Site, node: Node, framework: str | None = None) -> Node:
        if framework is not None:
            self.frameworks.setdefault(node, framework)
        if not self._silent and not self._unseen:
            if not self.tolerant:
                self.places[id(site)] = self.statement, self.state.facts, self.branches > 0
            self.observer(site, node, framework)
        return node

    def _parts(self, expr: ast.expr) -> Node:
        for child in ast.iter_child_nodes(expr):
            if isinstance(child, ast.expr):
                self.lower(child)
            elif isinstance(child, ast.comprehension):
                self._bind_generator(child)
        return self.graph.opaque(type(expr).__name__)

    def _Constant(self, e: ast.Constant) -> Node:
        if isinstance(e.value, complex | bytes) or e.value is ...:
            return self.graph.symbol("literal", repr(e.value))
        return self.graph.const(e.value)

    def _Name(self, e: ast.Name) -> Node:
        known = self.state.names.get(e.id)
        if known is not None:
            return known
        for module in self.star_modules:
            if ops.functions(f"{module}.{e.id}"):
                return self.graph.symbol("name", f"{module}.{e.id}")
        if e.id in _BUILTINS:
            return self.graph.symbol("name", f"builtins.{e.id}")
        return self.graph.symbol("free", e.id)

    def _Attribute(self, e: ast.Attribute) -> Node:
        base = self.lower(e.value)
        return self._attribute(base, e.attr)

    def _attribute(self, base: Node, name: str) -> Node:
        if base.op == "name":
            dotted = f"{self._library(base.value)}.{name}"
            if dotted in _MODULE_NAMES:
                return self.graph.const(_MODULE_NAMES[dotted])
            if dotted in _NEWAXIS:
                return self.graph.none
            return self.graph.symbol("name", dotted)
        if name == "F" and "mxnet" in self.imported:
            return self.graph.symbol("name", "mxnet.F")
        if base.op == "pair" and name in ("values", "indices"):
            return base.args[0] if name == "values" else self.graph.opaque(name)
        known = self.state.attributes.get((base, name))
        if known is None:
            known = self.member_of(base, name)
        if known is not None:
            return self.property_value(known)
        if name in ATTRIBUTES:
            return self.graph.make(ATTRIBUTES[name], base)
        return self.graph._intern("attr", (base,), name)

    def _library(self, dotted: str) -> str:
        """Return the module that a name means: `from .backend import np` is one of several libraries."""
        origin, _, word = dotted.rpartition(".")
        own = word in LIBRARIES and (origin or dotted != word) and origin.partition(".")[0] not in ops.frameworks()
        return ANY_LIBRARY if own else dotted

    def _Subscript(self, e: ast.Subscript) -> Node:
        base = self.lower(e.value)
        axis = self._inserted_axis(e.slice)
        if axis is not None:
            return self.graph.make("expand", base, self.graph.const(axis))
        key = self.lower(e.slice)
        if key.op == "const" and isinstance(key.value, str):
            item = self.state.attributes.get((base, f"[{key.value!r}]"))
            if item is not None:
                return item
        item = self.state.attributes.get((base, f"[{key.id}]"))
        if item is not None:
            return item
        shapeless = self.graph.shapeless
        mask = key
        while mask.op in ("nonzero", "index"):
            mask = mask.args[0]
        facts = fact(self.graph, mask, True)
        if shapeless(base) in facts:
            return self.graph._intern("guarded", (base,), facts[shapeless(base)])
        return self.graph.make("index", base, key)

    def _inserted_axis(self, key: ast.expr) -> int | None:
        """Return the axis that `[:, None]` and its relatives insert."""
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        plain = [isinstance(p, ast.Slice) and not (p.lower or p.upper or p.step) for p in parts]
        dots = [isinstance(p, ast.Constant) and p.value is ... for p in parts]
        new = [i for i, p in enumerate(parts) if not (plain[i] or dots[i]) and self._is_newaxis(p)]
        if len(new) != 1 or not all(plain[i] or dots[i] or i == new[0] for i in range(len(parts))):
            return None
        return new[0] if not any(dots[: new[0]]) else new[0] - len(parts)

    def _is_newaxis(self, e: ast.expr) -> bool:
        if isinstance(e, ast.Constant):
            return e.value is None
        return isinstance(e, ast.Attribute | ast.Name) and self.relower(e) is self.graph.none

    def _Slice(self, e: ast.Slice) -> Node:
        none = self.graph.none
        return self.graph.make("slice", *(self.lower(p) if p else none for p in (e.lower, e.upper, e.step)))

    def _Tuple(self, e: ast.Tuple) -> Node:
        nodes = [self.lower(x) for x in e.elts]
        if nodes and all(n.op == "const" for n in nodes):
            return self.graph.const(tuple(n.value for n in nodes))
        return self.graph.make("tuple", *nodes)

    def _List(self, e: ast.List) -> Node:
        return self.graph.make("tuple", *(self.lower(x) for x in e.elts)) if e.elts else self.graph.make("empty")

    def _UnaryOp(self, e: ast.UnaryOp) -> Node:
        x = self.lower(e.operand)
        if isinstance(e.op, ast.USub):
            return self._observe(e, self.graph.neg(x))
        if isinstance(e.op, ast.UAdd):
            return x
        return self.graph.make("not", x)

    def _BinOp(self, e: ast.BinOp) -> Node:
        # A chain of 1,000 operators is a tree 1,000 deep to the left: go down in a loop.
        chain = [e]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        node = self.lower(chain[-1].left)
        for part in reversed(chain):
            right = self.lower(part.right)
            node = self._observe(part, self._binary(part.op, node, right))
            if part is not e and not self._silent and not self._unseen:
                self.values[id(part)] = node
                self.sources.setdefault(node, []).append(part)
        return node

    def _binary(self, operator: ast.operator, a: Node, b: Node) -> Node:
        op = _BINARY.get(type(operator))
        if op is None:
            return self.graph.make(type(operator).__name__, a, b)
        for items in (a, b):
            if op == "mul" and items.op == "tuple" and len(items.args) == 1 and items.args[0].op == "const":
                return self.graph.make("tile", items.args[0])  # `[0.0] * n`
        return self.graph.make(op, a, b)

    def _BoolOp(self, e: ast.BoolOp) -> Node:
        return self.graph.make("and" if isinstance(e.op, ast.And) else "or", *(self.lower(v) for v in e.values))

    def _Compare(self, e: ast.Compare) -> Node:
        nodes = [self.lower(e.left), *(self.lower(c) for c in e.comparators)]
        parts = [
            self.graph.make(_COMPARE.get(type(op), type(op).__name__), a, b)
            for op, a, b in zip(e.ops, nodes, nodes[1:], strict=False)
        ]
        return self._observe(e, parts[0]) if len(parts) == 1 else self.graph.make("and", *parts)

    def _IfExp(self, e: ast.IfExp) -> Node:
        test = self.lower(e.test)
        a = self.under(test, True, e.body)
        b = self.under(test, False, e.orelse)
        return self.graph.choose(test, self.guarded(test, True, a), self.guarded(test, False, b))

    def guarded(self, test: Node, holds: bool, node: Node) -> Node:
        """Return a value that is used only where a test holds (or does not), with what that says of it."""
        facts = fact(self.graph, test, holds)
        self.limited(node, facts)
        known = facts.get(self.graph.shapeless(node))
        return self.graph._intern("guarded", (node,), known) if known else node

    def limited(self, node: Node, facts: Facts) -> None:
        """Note that a value, wherever it was computed, is used only where facts hold."""
        if facts and self.excuse is not None and not self._silent and not self._unseen:
            self.excuse(node, facts)

    def under(self, test: Node, holds: bool, expr: ast.expr) -> Node:
        """Return the value of an expression that is evaluated, or used, only where a test holds (or does not)."""
        before = self.state.facts
        self.state.assume(fact(self.graph, test, holds))
        node = self.lower(expr)
        self.state.facts = before
        return node

    def _NamedExpr(self, e: ast.NamedExpr) -> Node:
        node = self.lower(e.value)
        self.state.names[e.target.id] = node
        return node

    def _Starred(self, e: ast.Starred) -> Node:
        return self.graph.make("starred", self.lower(e.value))

    def _Lambda(self, e: ast.Lambda) -> Node:
        return self.define(e)

    def define(self, function: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef) -> Node:
        raise NotImplementedError

    def _comprehension(self, e: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Node:
        names = self.state.names
        self.state.names = dict(names)
        whole = {}
        for generator in e.generators:
            whole.update(self._bind_generator(generator))
        element = self.lower(e.elt)
        self.state.names = names
        # `[f(v) for v in xs]` is f(xs): the element of each sequence stands for the sequence.
        return self.graph.substitute(element, whole)

    _ListComp = _SetComp = _GeneratorExp = _comprehension

    def _DictComp(self, e: ast.DictComp) -> Node:
        names = self.state.names
        self.state.names = dict(names)
        whole = {}
        for generator in e.generators:
            whole.update(self._bind_generator(generator))
        self.lower(e.key)
        value = self.lower(e.value)
        self.state.names = names
        return self.graph.make("dict", self.graph.substitute(value, whole))

    def _Dict(self, e: ast.Dict) -> Node:
        # Two dictionaries are two objects, even if both are empty.
        return self.graph._intern("empty", (self.graph.opaque("dict"),)) if not e.keys else self._parts(e)

    def _bind_generator(self, g: ast.comprehension) -> dict[Node, Node]:
        whole = self.bind_loop(g.target, g.iter)
        for condition in g.ifs:
            self.lower(condition)
        return whole

    def bind_loop(self, target: ast.expr, iterable: ast.expr) -> dict[Node, Node]:
        """Bind the target of a loop to an element of what it iterates over; return element -> sequence."""
        sequence = self.lower(iterable)
        if isinstance(iterable, ast.Call) and sequence.op == "opaque":
            zipped = self._zipped(iterable)
            sequence = sequence if zipped is None else zipped
        whole: dict[Node, Node] = {}
        self._bind_element(target, sequence, whole)
        return whole

    def _zipped(self, call: ast.Call) -> Node | None:
        function = self.relower(call.func)
        if function.op == "attr" and function.value in ("values", "items") and not call.args:
            values = self.graph.make("dict_values", function.args[0])
            return values if function.value == "values" else self.graph.make("zip", self.graph.opaque("keys"), values)
        if function.value == "builtins.zip" and not any(isinstance(a, ast.Starred) for a in call.args):
            return self.graph.make("zip", *(self.relower(a) for a in call.args))
        if function.value == "builtins.enumerate" and call.args:
            return self.graph.make("zip", self.graph.opaque("number"), self.relower(call.args[0]))
        return None

    def _bind_element(self, target: ast.expr, sequence: Node, whole: dict[Node, Node]) -> None:
        if isinstance(target, ast.Tuple | ast.List) and sequence.op == "zip" and len(target.elts) == len(sequence.args):
            for t, s in zip(target.elts, sequence.args, strict=True):
                self._bind_element(t, s, whole)
            return
        element = self.graph.make("iter", sequence)
        if element.op == "iter":
            whole[element] = sequence
        self.bind(target, element)

    def member_of(self, base: Node, name: str) -> Node | None:
        raise NotImplementedError

    def property_value(self, known: Node) -> Node:
        raise NotImplementedError

    def bind(self, target: ast.expr, node: Node) -> None:
        raise NotImplementedError
