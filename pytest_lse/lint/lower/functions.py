"""Functions and classes of the module itself: their calls are replaced by what they return.

A function is lowered once, with opaque parameters; a call substitutes its arguments into the returned value. So a
helper is what its graph is, whatever its name: `def squash(v): return 1 / (1 + np.exp(-v))` is a sigmoid.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_lse.lint.graph import Node
from pytest_lse.lint.lower.calls import Calls
from pytest_lse.lint.lower.environment import Attribute, State
from pytest_lse.lint.lower.expressions import Observer

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
#: a returned value with more nodes is left opaque: it is no kernel
_LARGEST = 300
_CALLABLE = ("forward", "__call__", "call")


@dataclass(eq=False)
class Function:
    """A function of the module and, once it is lowered, what it returns."""

    definition: Definition
    closure: State
    #: whether it is defined inside a test
    in_test: bool = False
    owner: Class | None = None
    parameters: dict[str, Node] = field(default_factory=dict)
    lowered: bool = False
    returned: list[Node] = field(default_factory=list)
    result: Node | None = None

    @property
    def name(self) -> str:
        return getattr(self.definition, "name", "<lambda>")

    @property
    def is_static(self) -> bool:
        decorators = getattr(self.definition, "decorator_list", [])
        return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators)


@dataclass(eq=False)
class Class:
    """A class of the module: its instances share one symbolic `self`."""

    self: Node
    definition: ast.ClassDef
    is_test: bool = False
    methods: dict[str, Node] = field(default_factory=dict)
    attributes: dict[Attribute, Node] = field(default_factory=dict)
    init: Function | None = None


class Functions(Calls):
    """Lowers definitions, and inlines calls of them."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.current: Function | None = None
        #: whether the code is inside a test: there a naive formula is the reference, on numbers of its author's choice
        self.in_test = False
        #: rows of definitions that hold no finding: they are lowered only if they are called
        self.cold: frozenset[int] = frozenset()
        #: returns the definition in such a row, where the tree holds a stub of it
        self.load: Callable[[int], Definition] | None = None
        self._pending: list[list[Function]] = [[]]

    def define(self, function: Definition) -> Node:
        """Register a function; its body is lowered when its scope is complete, or when it is called before."""
        args = function.args
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self.lower(default)
        record = Function(function, self.state, self.in_test)
        node = self.graph._intern("function", (), len(self.functions))
        self.functions.append(record)
        if isinstance(function, ast.Lambda):
            record.closure = self.state.copy()
            self.complete(record)
        else:
            self._pending[-1].append(record)
        return node

    def complete_pending(self) -> None:
        """Lower the functions that the scope just finished has defined."""
        for record in self._pending[-1]:
            if record.definition.lineno not in self.cold:
                self.complete(record)
        self._pending[-1] = []

    def complete(self, record: Function) -> None:
        """Lower a function's body, once."""
        if record.lowered or self._silent:
            return
        init = record.owner.init if record.owner is not None else None
        if init is not None and init is not record and not init.lowered:
            self.complete(init)
            # `__init__` may have called it, and then it is lowered.
            self.complete(record)
            return
        record.lowered = True
        if self.load and record.definition.lineno in self.cold and not isinstance(record.definition, ast.Lambda):
            record.definition = self.load(record.definition.lineno)
        outer, current, tolerant, in_test = self.state, self.current, self.tolerant, self.in_test
        self.in_test = record.in_test or _is_test(record)
        state = State()
        state.names = dict(record.closure.names)
        state.attributes = dict(record.owner.attributes if record.owner else record.closure.attributes)
        state.facts = record.closure.facts if isinstance(record.definition, ast.Lambda) else {}
        self.state, self.current, self.tolerant = state, record, 0
        self._pending.append([])
        self._bind_parameters(record)
        body = record.definition.body
        if isinstance(body, ast.expr):
            record.returned.append(self.lower(body))
        else:
            self.block(body)
        self.complete_pending()
        self._pending.pop()
        if record.owner is not None and record is record.owner.init:
            # What is assigned elsewhere too, `__init__` does not tell.
            changed = _assigned_outside_init(record.owner.definition)
            known = {k: v for k, v in self.state.attributes.items() if k[1] not in changed}
            record.owner.attributes = {**known, **record.owner.attributes}
        self.state, self.current, self.tolerant, self.in_test = outer, current, tolerant, in_test
        record.result = self._result(record)

    def _bind_parameters(self, record: Function) -> None:
        args = record.definition.args
        for a in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            record.parameters[a.arg] = self.graph.opaque(a.arg)
        names = list(record.parameters)
        if record.owner is not None and names and not record.is_static:
            record.parameters[names[0]] = record.owner.self
        self.state.names.update(record.parameters)
        if "F" in record.parameters and "mxnet" in self.imported:
            # Gluon passes `mx.nd` or `mx.sym` to hybrid_forward(self, F, x).
            self.state.names["F"] = self.graph.symbol("name", "mxnet.F")
        for rest in (args.vararg, args.kwarg):
            if rest is not None:
                self.state.names[rest.arg] = self.graph.opaque(rest.arg)

    def _result(self, record: Function) -> Node | None:
        results = list(dict.fromkeys(record.returned))
        if not results:
            return None
        node = results[0]
        for other in results[1:]:
            node = self.graph.make("phi", node, other)
        for count, _ in enumerate(node.walk()):
            if count > _LARGEST:
                return None
        return node

    def block(self, body: list[ast.stmt]) -> None:
        raise NotImplementedError

    def apply(self, e: ast.Call, function: Node) -> Node:
        arguments = self._arguments(e)
        if function.op == "module":
            return self.apply_module(e, function, arguments[0] if arguments else [])
        if function.op == "instance":
            owner = self.classes[function.value]
            method = next((owner.methods[m] for m in _CALLABLE if m in owner.methods), None)
            if method is None:
                return self.graph.opaque("call")
            function = method
        record = self.functions[function.value]
        self.complete(record)
        if arguments is None or record.result is None or not record.lowered:
            return self.graph.opaque(record.name)
        mapping = self._substitution(record, *arguments)
        return self.graph.opaque(record.name) if mapping is None else self.graph.substitute(record.result, mapping)

    def _substitution(
        self, record: Function, positional: list[Node], keywords: dict[str, Node]
    ) -> dict[Node, Node] | None:
        args = record.definition.args
        names = [a.arg for a in (*args.posonlyargs, *args.args)]
        if record.owner is not None and not record.is_static:
            names = names[1:]
        if len(positional) > len(names) or any(k not in record.parameters for k in keywords):
            return None
        given = dict(zip(names, positional, strict=False)) | keywords
        defaults = dict(zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults), strict=False))
        for a, default in (*defaults.items(), *zip(args.kwonlyargs, args.kw_defaults, strict=True)):
            if a.arg not in given and isinstance(default, ast.Constant):
                given[a.arg] = self.graph.const(default.value)
        return {record.parameters[n]: v for n, v in given.items() if n in record.parameters}

    def method_of(self, instance: Node, name: str) -> Node | None:
        return self.classes[instance.value].methods.get(name) if instance.op == "instance" else None

    def define_class(self, definition: ast.ClassDef) -> Node:
        """Lower a class body. Its methods come later, `__init__` first, since it says what the attributes are."""
        outer, in_test = self.state, self.in_test
        self.in_test |= _is_test_class(definition)
        index = len(self.classes)
        record = Class(self.graph.opaque("self"), definition, _is_test_class(definition))
        self.classes.append(record)
        self.state = outer.copy()
        self._pending.append([])
        self.block(definition.body)
        methods = self._pending.pop()
        for name, node in self.state.names.items():
            if node.op == "function" and outer.names.get(name) is not node:
                record.methods[name] = node
                record.attributes[record.self, name] = node
        self.state, self.in_test = outer, in_test
        for method in methods:
            method.owner, method.closure = record, outer
        methods.sort(key=lambda m: m.name != "__init__")
        record.init = next((m for m in reversed(methods) if m.name == "__init__"), None)
        self._pending[-1] += methods
        return self.graph._intern("class", (), index)


def _is_test(record: Function) -> bool:
    return record.name.startswith("test_") or (record.owner is not None and record.owner.is_test)


def _is_test_class(definition: ast.ClassDef) -> bool:
    bases = [getattr(b, "attr", getattr(b, "id", "")) for b in definition.bases]
    return definition.name.startswith("Test") or any(b.endswith("TestCase") for b in bases)


def _assigned_outside_init(definition: ast.ClassDef) -> set[str]:
    changed = set()
    for method in definition.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name != "__init__":
            for n in ast.walk(method):
                if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store):
                    changed.add(n.attr)
    return changed
