"""Functions and classes of the module itself: their calls are replaced by what they return.

A function is lowered once, with opaque parameters; a call substitutes its arguments into the returned value. So a
helper is what its graph is, whatever its name: `def squash(v): return 1 / (1 + np.exp(-v))` is a sigmoid.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pytest_lse.lint import ops
from pytest_lse.lint.graph import CORE, Node, postorder
from pytest_lse.lint.lower.calls import OUTSIDE, STILL, Calls
from pytest_lse.lint.lower.environment import ANY_LIBRARY, Attribute, State
from pytest_lse.lint.lower.expressions import Observer, Site

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
#: a returned value with more nodes is left opaque: it is no kernel
_LARGEST = 300
#: the largest default that makes a parameter an epsilon whatever its name
_TINY = 1e-5
#: top-level modules that belong to no project
_ELSEWHERE = frozenset({"builtins", *sys.stdlib_module_names})
CALLABLE = ("forward", "__call__", "call")


@dataclass(eq=False)
class Function:
    """A function of the module and, once it is lowered, what it returns."""

    definition: Definition
    closure: State
    #: whether it is defined inside a test
    in_test: bool = False
    #: what lowers the module that it stands in
    home: Functions | None = None
    owner: Class | None = None
    parameters: dict[str, Node] = field(default_factory=dict)
    lowered: bool = False
    returned: list[Node] = field(default_factory=list)
    result: Node | None = None
    #: whether its lowering asked for its own result: what it returns depends on what a subclass overrides
    is_cyclic: bool = False
    #: what the attributes are at its end that no other method assigns
    attributes: dict[Attribute, Node] = field(default_factory=dict)

    def forget(self) -> None:
        """Become a function that has not been lowered."""
        self.lowered, self.is_cyclic, self.result = False, False, None
        self.parameters, self.attributes, self.returned = {}, {}, []

    @property
    def name(self) -> str:
        return getattr(self.definition, "name", "<lambda>")

    @property
    def is_static(self) -> bool:
        return self._is_decorated("staticmethod")

    @property
    def is_property(self) -> bool:
        return self._is_decorated("property", "cached_property", "lazy_property", "lazyproperty")

    def _is_decorated(self, *names: str) -> bool:
        decorators = getattr(self.definition, "decorator_list", [])
        return any(getattr(d, "id", getattr(d, "attr", None)) in names for d in decorators)


@dataclass(eq=False)
class Class:
    """A class of the module: its instances share one symbolic `self`."""

    self: Node
    definition: ast.ClassDef
    is_test: bool = False
    methods: dict[str, Node] = field(default_factory=dict)
    attributes: dict[Attribute, Node] = field(default_factory=dict)
    init: Function | None = None
    parent: Class | None = None
    home: Functions | None = None
    #: what it inherits from
    bases: list[Node] = field(default_factory=list)

    @cached_property
    def assigned_by(self) -> dict[str, str]:
        """Attribute -> the only method that assigns it, beside `self.x = None`; most classes are never asked."""
        return _assigned_once(self.definition)

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The attributes that its methods assign, or change in place."""
        return frozenset(name for name, _, _ in _assignments(self.definition, init=True))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that its body binds."""
        return frozenset(
            t.id
            for s in self.definition.body
            if isinstance(s, ast.Assign | ast.AnnAssign)
            for t in (s.targets if isinstance(s, ast.Assign) else [s.target])
            if isinstance(t, ast.Name)
        )


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
        self.load: Callable[[int], Definition | None] | None = None
        #: rows of those that are long, and return nothing that a finding could be made of unless they are given it
        self.idle: frozenset[int] = frozenset()
        self._pending: list[list[Function]] = [[]]
        #: the functions that are being lowered, each wanted by the one before
        self._stack: list[Function] = []
        #: what methods leave in attributes that others have asked for, and what was lowered to find that out
        self._kept_by: dict[Function, dict[Attribute, Node]] = {}
        self._completed: list[Function] = []
        self._class_of: dict[Node, Class] = {}
        #: is shown what an expression of a function is worth in a call of it
        self.inlined: Callable[[Site, Node, str | None, ast.stmt], None] | None = None

    def define(self, function: Definition) -> Node:
        """Register a function; its body is lowered when its scope is complete, or when it is called before."""
        args = function.args
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self.lower(default)
        record = Function(function, self.state, self.in_test, self)
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
        if record.home is not self and record.home is not None:
            record.home.complete(record)
            return
        if record.lowered or self._silent:
            return
        init = record.owner.init if record.owner is not None else None
        if init is not None and init is not record and not init.lowered:
            self.complete(init)
            # `__init__` may have called it, and then it is lowered.
            self.complete(record)
            return
        record.lowered = True
        self._stack.append(record)
        if self._unseen:
            self._completed.append(record)
        if self.load and record.definition.lineno in self.cold and not isinstance(record.definition, ast.Lambda):
            record.definition = self.load(record.definition.lineno) or record.definition
        outer, current, tolerant, in_test = self.state, self.current, self.tolerant, self.in_test
        statement, branches = self.statement, self.branches
        self.in_test = record.in_test or _is_test(record)
        state = State()
        # What is filled later may be filled by then.
        state.names = {n: v for n, v in record.closure.names.items() if v.op not in ("tile", "empty")}
        state.attributes = dict(record.owner.attributes if record.owner else record.closure.attributes)
        state.facts = record.closure.facts if isinstance(record.definition, ast.Lambda) else {}
        self.state, self.current, self.tolerant, self.branches = state, record, 0, 0
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
            known = {k: v for k, v in self.state.attributes.items() if k[1] not in changed and v.op != "tile"}
            record.owner.attributes = {**known, **record.owner.attributes}
        elif record.owner is not None:
            mine = {a for a, method in record.owner.assigned_by.items() if method == record.name}
            record.attributes = {
                k: v for k, v in self.state.attributes.items() if k[1] in mine and k[0] is record.owner.self
            }
        self.statement, self.branches = statement, branches
        self.state, self.current, self.tolerant, self.in_test = outer, current, tolerant, in_test
        self._stack.pop()
        record.result = self._result(record)

    def _bind_parameters(self, record: Function) -> None:
        args = record.definition.args
        tiny = {a.arg for a, default in _defaults(args) if _is_tiny(default)}
        for a in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            record.parameters[a.arg] = self.graph.opaque(a.arg + ("_small" if a.arg in tiny else ""))
        names = list(record.parameters)
        if record.owner is not None and names and not record.is_static:
            record.parameters[names[0]] = record.owner.self
        self.state.names.update(record.parameters)
        for a, default in _defaults(args):
            # `def sigmoid(x, xp=numpy)`: it is called with other libraries too.
            if isinstance(default, ast.Name | ast.Attribute) and self.relower(default).value in ops.libraries():
                self.state.names[a.arg] = self.graph.symbol("name", ANY_LIBRARY)
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
            node = self.graph.make("either", node, other)
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
        if function.op != "function":
            owner = self.classes[function.value] if function.op == "instance" else self._class_of[function]
            method = next((m for name in CALLABLE if (m := self._method_in(owner, name)) is not None), None)
            if method is None:
                return self.unknown("call", function, arguments)
            function = method
        return self._result_of_call(self.functions[function.value], arguments)

    def is_self(self, node: Node) -> bool:
        return node in self._class_of

    def call_function(self, function: Node, positional: list[Node]) -> Node:
        return self._result_of_call(self.functions[function.value], (positional, {}))

    def _result_of_call(self, record: Function, arguments: tuple[list[Node], dict[str, Node]] | None) -> Node:
        if self._is_idle(record, arguments):
            return self.graph.opaque(record.name)
        self.complete(record)
        stack = self._stack if record.home is None else record.home._stack
        if record in stack:
            for other in stack[stack.index(record) + 1 :]:
                other.is_cyclic = True
        if arguments is None or record.result is None or not record.lowered or record.is_cyclic:
            return self.graph.opaque(record.name)
        mapping = self._substitution(record, *arguments)
        if mapping is None:
            return self.graph.opaque(record.name)
        values = self.graph.substitution(record.result, mapping)
        if self.inlined is not None and not self._silent and not self._unseen:
            self._show_inside(record, values)
        return values[record.result]

    def _is_idle(self, record: Function, arguments: tuple[list[Node], dict[str, Node]] | None) -> bool:
        """Return whether a call tells too little to be worth its price to one who only asks if there is a finding."""
        if not self.idle or record.lowered or record.definition.lineno not in self.idle:
            return False
        positional, keywords = arguments or ([], {})
        return not any(n.ops & (CORE | OUTSIDE) for n in (*positional, *keywords.values()))

    def _show_inside(self, record: Function, values: dict[Node, Node]) -> None:
        """Show what the expressions of a function are worth in this call: `log(p)` may be that of a softmax here."""
        assert self.inlined is not None
        assert record.result is not None
        # What was chosen outside, a branch inside may rule out: both ask for the same `kind`.
        chosen = any(values.get(p, p).op in ("phi", "either") for p in record.parameters.values())
        for node in postorder(record.result):
            value = values[node]
            if value is node:
                continue
            for site in self.sources.get(node, ()):
                statement, facts, in_branch = self.places.get(id(site), (None, {}, False))
                # What was known of the parameters there is not known of the arguments: whoever tested has thought.
                guarded = facts and any(n in facts for n in self.graph.shapeless(node).walk())
                if statement is not None and not guarded and not (chosen and in_branch):
                    self.inlined(site, value, self.frameworks.get(node), statement)

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
        for a, default in _defaults(args):
            if a.arg not in given and isinstance(default, ast.Constant):
                given[a.arg] = self.graph.const(default.value)
        return {record.parameters[n]: v for n, v in given.items() if n in record.parameters}

    def member_of(self, base: Node, name: str) -> Node | None:
        """Return a method or attribute of an instance of one of the module's classes."""
        owner = self.classes[base.value] if base.op in ("instance", "class") else self._class_of.get(base)
        if owner is None:
            return None
        method = self._method_in(owner, name)
        if base.op == "class":
            return method if method is not None and self._is_static(self.functions[method.value]) else None
        if method is not None:
            return method
        if base.op == "instance":
            if owner.init is not None:
                self.complete(owner.init)
            known = owner.attributes.get((owner.self, name))
            if known is not None:
                return known
        inherited = self._inherited(owner, name)
        if inherited is not None:
            return inherited
        by = owner.methods.get(owner.assigned_by.get(name, ""))
        if by is None or by.op != "function":
            return None
        record = self.functions[by.value]
        home = self if record.home is None else record.home
        if record is home.current:
            return None
        if record not in home._kept_by:
            home._kept_by[record] = record.attributes if record.lowered else home._foretold(record)
        return home._kept_by[record].get((owner.self, name))

    def _is_static(self, record: Function) -> bool:
        if record.definition.lineno in (self if record.home is None else record.home).cold:
            self.complete(record)  # a stub has no decorators
        return record.is_static

    def _inherited(self, owner: Class, name: str) -> Node | None:
        """Return what the `__init__` of a base class leaves in an attribute, if nothing below assigns it."""
        below = owner
        parent = self.parent_of(owner)
        while parent is not None and parent is not owner:
            if name in below.assigned or name in below.names:
                return None
            if parent.init is not None:
                self.complete(parent.init)
                known = parent.attributes.get((parent.self, name))
                if known is not None:
                    return known
            below, parent = parent, self.parent_of(parent)
        return None

    def parent_of(self, owner: Class) -> Class | None:
        """Return the class that a class inherits from, as far as it is known."""
        return owner.parent

    def may_be_outside(self, callee: Node) -> bool:
        """Return whether another module may say what a callee is."""
        if callee.ops & OUTSIDE:
            return True
        if callee.op == "name":
            root = str(callee.value).partition(".")[0]
            return root not in _ELSEWHERE and root not in ops.frameworks()
        if callee.op == "free":
            return bool(self.star_modules)
        owner = callee.args[0] if callee.op == "attr" else callee
        if owner.op == "name":
            return self.may_be_outside(owner)
        if owner.op not in ("instance", "class") and owner not in self._class_of:
            return False
        record: Class | None = self._class_of[owner] if owner in self._class_of else self.classes[owner.value]
        while record is not None:
            if any(b.op in ("name", "free") and self.may_be_outside(b) for b in record.bases):
                return True
            record = record.parent
        return False

    def _foretold(self, record: Function) -> dict[Attribute, Node]:
        """Return what a method will leave in attributes.

        It is lowered again when its turn comes: now the method that asks is in the midst, and what it returns unknown.
        """
        self._kept_by[record] = {}  # what asks while this is being found out is not told
        self._unseen += 1
        outer, self._completed = self._completed, []
        self.complete(record)
        kept = record.attributes
        for done in self._completed:
            done.forget()
        self._completed = outer
        self._unseen -= 1
        return kept

    def _method_in(self, owner: Class, name: str) -> Node | None:
        """Return a method, also one that is inherited from a class of which nothing is overridden."""
        method = owner.methods.get(name)
        parent = self.parent_of(owner)
        while method is None and parent is not None and parent is not owner:
            if any(m in parent.methods for m in owner.methods if m != "__init__"):
                return None
            method, parent = parent.methods.get(name), self.parent_of(parent)
        return method

    def property_value(self, known: Node) -> Node:
        if known.op != "function":
            return known
        record = self.functions[known.value]
        if record.definition.lineno in (self if record.home is None else record.home).cold:
            self.complete(record)  # a stub has no decorators
        if not record.is_property:
            return known
        self.complete(record)
        return record.result if record.result is not None else self.graph.opaque(record.name)

    def define_class(self, definition: ast.ClassDef) -> Node:
        """Lower a class body. Its methods come later, `__init__` first, since it says what the attributes are."""
        bases = [self.lower(b) for b in definition.bases]
        outer, in_test = self.state, self.in_test
        self.in_test |= _is_test_class(definition)
        index = len(self.classes)
        record = Class(self.graph.opaque("self"), definition, _is_test_class(definition))
        record.home, record.bases = self, bases
        record.parent = next((self.classes[b.value] for b in bases if b.op == "class"), None)
        self.classes.append(record)
        self._class_of[record.self] = record
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


def _defaults(args: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """Yield each parameter that has a default, with that."""
    yield from zip(reversed([*args.posonlyargs, *args.args]), reversed(args.defaults), strict=False)
    yield from zip(args.kwonlyargs, args.kw_defaults, strict=True)


def _is_tiny(default: ast.expr | None) -> bool:
    """Return whether a default is a number that only an epsilon has."""
    return isinstance(default, ast.Constant) and isinstance(default.value, float) and 0.0 < default.value <= _TINY


def _is_test(record: Function) -> bool:
    return record.name.startswith("test_") or (record.owner is not None and record.owner.is_test)


def _is_test_class(definition: ast.ClassDef) -> bool:
    bases = [getattr(b, "attr", getattr(b, "id", "")) for b in definition.bases]
    return definition.name.startswith("Test") or any(b.endswith("TestCase") for b in bases)


def _assigned_outside_init(definition: ast.ClassDef) -> set[str]:
    """Return the attributes that methods other than `__init__` assign, or change in place."""
    return {name for name, _, _ in _assignments(definition, init=False)}


def _assigned_once(definition: ast.ClassDef) -> dict[str, str]:
    """Return attribute -> method, for those that one method assigns and nothing else does or changes in place.

    Those that hold no result of a call are left out: asking for them would cost the lowering of a method.
    """
    by: dict[str, str | None] = {}
    for name, method, plain in _assignments(definition, init=True):
        by[name] = method if plain and by.get(name, method) == method else None
    called = {
        target.attr
        for s in statements(definition.body)
        if isinstance(s, ast.Assign)
        for t in s.targets
        for target in (t.elts if isinstance(t, ast.Tuple) else [t])
        if isinstance(target, ast.Attribute) and (isinstance(s.value, ast.Name) or _holds_call(s.value))
    }
    return {a: method for a, method in by.items() if method is not None and method != "__init__" and a in called}


def _holds_call(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) or any(isinstance(n, ast.Call) for n in ast.walk(value))


def _assignments(definition: ast.ClassDef, *, init: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield attribute, method and whether it is assigned: else it is changed in place. `self.x = None` is left out."""
    for method in definition.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or (method.name == "__init__" and not init):
            continue
        for s in statements(method.body):
            empty: list[ast.expr] = []
            if init and isinstance(s, ast.Assign) and isinstance(s.value, ast.Constant) and s.value.value is None:
                empty = s.targets
            for target in _targets(s):
                if isinstance(target, ast.Attribute) and (target in empty or _is_kept(target, s)):
                    continue
                if isinstance(target, ast.Attribute):
                    yield target.attr, method.name, True
                elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
                    yield target.value.attr, method.name, False


def _is_kept(target: ast.Attribute, s: ast.stmt) -> bool:
    """Return whether an attribute stays the module that it is: `self.net = self.net.to(device)`."""
    value = s.value if isinstance(s, ast.Assign) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute) or value.func.attr not in STILL:
        return False
    receiver = value.func.value
    if not isinstance(receiver, ast.Attribute) or receiver.attr != target.attr:
        return False
    return all(getattr(n, "id", "") == "self" for n in (target.value, receiver.value))


def statements(body: Iterable[ast.stmt]) -> Iterator[Any]:
    """Yield the statements and those inside them, without a look at any expression."""
    todo: list[Any] = list(body)
    while todo:
        s = todo.pop()
        yield s
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo += getattr(s, part, ())


def _targets(s: ast.stmt) -> Iterator[ast.expr]:
    """Yield what a statement assigns."""
    todo: list[ast.expr] = []
    if isinstance(s, ast.Assign):
        todo = [*s.targets]
    elif isinstance(s, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        todo = [s.target]
    elif isinstance(s, ast.With | ast.AsyncWith):
        todo = [item.optional_vars for item in s.items if item.optional_vars is not None]
    while todo:
        target = todo.pop()
        yield target
        if isinstance(target, ast.Tuple | ast.List):
            todo += target.elts
        elif isinstance(target, ast.Starred):
            todo.append(target.value)
