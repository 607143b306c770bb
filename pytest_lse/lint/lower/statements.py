"""Statements: assignments, branches, loops."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

from pytest_lse.lint import ops
from pytest_lse.lint.bounds import OVERFLOW, fact, is_epsilon, limit
from pytest_lse.lint.dotted import joined
from pytest_lse.lint.graph import BIT, Node, factors, is_number, terms
from pytest_lse.lint.lower.calls import HARMLESS
from pytest_lse.lint.lower.environment import LIBRARIES, State
from pytest_lse.lint.lower.expressions import Observer
from pytest_lse.lint.lower.functions import Functions, statements

#: deep enough for a sum of some thousand terms; frames of pure Python calls live on the heap
_DEPTH = 20_000
_EXP = BIT["exp"]
_OVERFLOW = frozenset({"OverflowError", "FloatingPointError", "ArithmeticError", "RuntimeWarning"})


class Lowerer(Functions):
    """Lowers a module, statement by statement."""

    def __init__(self, observer: Observer) -> None:
        super().__init__(observer)
        #: what a name held before the loop that is being lowered -> what it held inside at first
        self._during: dict[Node, Node] = {}
        self._statements: dict[type, Callable[[Any], None]] = {
            kind: getattr(self, f"_do_{kind.__name__}")
            for kind in vars(ast).values()
            if isinstance(kind, type) and hasattr(self, f"_do_{kind.__name__}")
        }

    def module(self, tree: ast.Module) -> None:
        """Lower a module, or the next cell of a notebook: names stay known."""
        # Never lowered again: CPython loses count where the limit changes while another thread parses.
        if sys.getrecursionlimit() < _DEPTH:
            sys.setrecursionlimit(_DEPTH)
        self.collect_imports(tree.body)
        self.block(tree.body)
        self.complete_pending()

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if self.state.ended:
                # Unreachable code is lowered all the same, with what was known last.
                self.state.ended = False
            outer, self.statement = self.statement, statement
            do = self._statements.get(type(statement))
            if do:
                do(statement)
            else:
                self._do_other(statement)
            self.statement = outer

    def collect_imports(self, body: list[ast.stmt]) -> None:
        """Note which frameworks the statements import, at any depth."""
        roots = ops.frameworks()
        for node in statements(body):
            names: Iterable[str] = ()
            if isinstance(node, ast.Import):
                names = (a.name for a in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = (node.module, *(a.name for a in node.names))
            names = list(names)
            if any("mx" in n.split(".") for n in names):
                self.imported.add("mxnet")
            if isinstance(node, ast.ImportFrom) and not LIBRARIES.isdisjoint(a.asname or a.name for a in node.names):
                self.imported.add("numpy")
            self.imported.update(roots[root] for root in (n.partition(".")[0] for n in names) if root in roots)

    def _do_other(self, s: ast.stmt) -> None:
        for child in ast.iter_child_nodes(s):
            if isinstance(child, ast.expr):
                self.lower(child)
        self.state.ended = isinstance(s, ast.Raise | ast.Break | ast.Continue)

    # ---- binding

    def bind(self, target: ast.expr, node: Node) -> None:
        """Assign a value to a target."""
        if isinstance(target, ast.Name | ast.Attribute):
            self.bind_value(target, node)
        elif isinstance(target, ast.Tuple | ast.List):
            starred = any(isinstance(t, ast.Starred) for t in target.elts)
            for i, t in enumerate(target.elts):
                # What a call gives in several parts are several values, not pieces of an array.
                part = "item" if node.op == "opaque" else "index"
                item = self.graph.opaque("item") if starred else self.graph.make(part, node, self.graph.const(i))
                self.bind(t.value if isinstance(t, ast.Starred) else t, item)
        elif isinstance(target, ast.Subscript):
            base = self.lower(target.value)
            key = self.lower(target.slice)
            if key.op == "const" and isinstance(key.value, str):
                # A column or an entry: the others stay what they are.
                self.state.attributes[base, f"[{key.value!r}]"] = node
                return
            whole = isinstance(target.slice, ast.Slice) and not (target.slice.lower or target.slice.upper)
            new = node if whole else self._stored(base, key, node)
            new = self.graph.opaque("changed") if new is None else new
            self.state.mutate(self.graph, base, new)
            # What was put in can be read by the same key, as long as nothing else happens to the array.
            self.state.attributes[new, f"[{key.id}]"] = node

    def _stored(self, base: Node, key: Node, node: Node) -> Node | None:
        """Return what an array holds after some of it has been set, None where that is not known."""
        graph = self.graph
        before = self._during.get(base, base)
        if _is_filled(before):
            # It was made to be filled: what is put in is what counts.
            new = graph.make("tile", node)
            return new if before is base else graph.make("where", graph.none, new, base)
        if before.op in ("where", "tile") and before is base and not is_number(node):
            return graph.make("where", graph.none, graph.make("tile", node), base)
        if any(n.op == "isfinite" for n in key.walk()):
            return None
        facts = fact(graph, key, False)
        self.limited(base, facts)
        # `x[x > top] = top`: what stays was tested.
        kept = {n: graph._intern("guarded", (n,), f) for n in base.walk() if (f := facts.get(graph.shapeless(n)))}
        if not kept and not is_number(node):
            return None
        if kept and is_number(node):
            node = graph.const(limit(node.value))
        new = graph.make("tile", node)
        limited = graph._intern("guarded", (new,), (-math.inf, OVERFLOW)) if kept else new
        return graph.make("where", key, limited, graph.substitute(base, kept))

    def bind_value(self, target: ast.expr, node: Node) -> None:
        if isinstance(target, ast.Name):
            if node.op == "opaque" and is_epsilon(target.id) and not is_epsilon(str(node.value)):
                node = self.graph.opaque(target.id)  # wherever it comes from, its name says what it is
            self.state.names[target.id] = node
        elif isinstance(target, ast.Attribute):
            self.state.attributes[self.lower(target.value), target.attr] = node

    def _do_Assign(self, s: ast.Assign) -> None:
        node = self.lower(s.value)
        if isinstance(s.value, ast.BinOp) and isinstance(s.value.op, ast.Mult) and isinstance(s.targets[0], ast.Name):
            before = self.state.names.get(s.targets[0].id)
            if before is not None and before in factors(node):
                node = self._reweighted(before, node)
        for target in s.targets:
            self.bind(target, node)

    def _do_AnnAssign(self, s: ast.AnnAssign) -> None:
        if s.value is not None:
            self.bind(s.target, self.lower(s.value))

    def _do_AugAssign(self, s: ast.AugAssign) -> None:
        if isinstance(s.target, ast.Subscript):
            node = self._binary(s.op, self.lower(s.target), self.lower(s.value))
            self._observe(s, node)
            base = self.lower(s.target.value)
            if _is_filled(self._during.get(base, base)) and isinstance(s.op, ast.Add):
                # `total[i] += ...` of an array of zeros gathers sums.
                self.bind(s.target, self.graph.make("loopsum", self.lower(s.value)))
                return
            if self._stored(base, self.lower(s.target.slice), node) is not None and _was_filled(base):
                self.bind(s.target, node)
            else:
                self.state.mutate(self.graph, base)
            return
        before = self.lower(s.target)
        node = self._binary(s.op, before, self.lower(s.value))
        self._observe(s, node)
        if isinstance(s.op, ast.Mult):
            node = self._reweighted(before, node)
        names = dict(self.state.names)
        # Other names change with an array and keep a number: what they hold is unknown now.
        self.state.mutate(self.graph, before)
        if before.op == "const":
            # A number is not an array: other names keep it.
            self.state.names = names
        self.bind_value(s.target, node)

    def _reweighted(self, before: Node, product: Node) -> Node:
        """Return what weights are after one round of `w *= exp(gain)`: normalised each time, they cannot run away."""
        carried = before.op in ("opaque", "attr") and not before.ops & _EXP
        return self.graph.opaque("weights") if carried and product.ops & _EXP else product

    def _do_Delete(self, s: ast.Delete) -> None:
        for target in s.targets:
            if isinstance(target, ast.Name):
                self.state.names.pop(target.id, None)

    def _do_Global(self, s: ast.Global | ast.Nonlocal) -> None:
        for name in s.names:
            self.state.names[name] = self.graph.opaque(name)

    _do_Nonlocal = _do_Global

    def _do_Import(self, s: ast.Import) -> None:
        for a in s.names:
            dotted = a.name if a.asname else a.name.partition(".")[0]
            self.state.names[a.asname or dotted] = self.graph.symbol("name", dotted)

    def _do_ImportFrom(self, s: ast.ImportFrom) -> None:
        module = "." * s.level + (s.module or "")
        for a in s.names:
            if a.name == "*":
                self.star_modules.append(module)
            else:
                self.state.names[a.asname or a.name] = self.graph.symbol("name", joined(module, a.name))

    # ---- definitions

    def _do_FunctionDef(self, s: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in s.decorator_list:
            self.lower(decorator)
        self.state.names[s.name] = self.define(s)

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_ClassDef(self, s: ast.ClassDef) -> None:
        self.state.names[s.name] = self.define_class(s)

    def _do_Return(self, s: ast.Return) -> None:
        if s.value is not None:
            node = self.lower(s.value)
            if self.current is not None:
                self.current.returned.append(node)
        self.state.ended = True

    # ---- calls for their effect

    def _do_Expr(self, s: ast.Expr) -> None:
        if not isinstance(s.value, ast.Call):
            self.lower(s.value)
            return
        call = s.value
        before = dict(self.state.names)
        node = self.lower(call)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in HARMLESS or node.op != "opaque":
            return
        touched = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        for e in (*touched, *call.args, *(k.value for k in call.keywords)):
            if isinstance(e, ast.Name) and self.state.names.get(e.id) is before.get(e.id):
                target = self.state.names.get(e.id)
                if target is not None and target.op not in ("name", "function", "class", "module", "instance", "const"):
                    if (
                        self.current is not None
                        and self.current.owner is not None
                        and target is self.current.owner.self
                    ):
                        self.state.forget(self.graph, target, self.current.owner.attributes)
                    else:
                        self.state.mutate(self.graph, target)

    # ---- control flow

    def _do_If(self, s: ast.If) -> None:
        test = self.lower(s.test)
        start = self.state
        branches = []
        for holds, body in ((True, s.body), (False, s.orelse)):
            self.state = start.copy()
            self.state.assume(fact(self.graph, test, holds))
            self.branches += 1
            self.block(body)
            self.branches -= 1
            branches.append(self.state)
        self.state = start
        start.join(self.graph, branches[0], branches[1], test)

    def _do_For(self, s: ast.For | ast.AsyncFor) -> None:
        self._loop(s, lambda: self.bind_loop(s.target, s.iter))

    _do_AsyncFor = _do_For

    def _do_While(self, s: ast.While) -> None:
        def enter() -> dict[Node, Node]:
            test = self.lower(s.test)
            self.state.assume(fact(self.graph, test, True))
            return {}

        self._loop(s, enter)

    def _loop(self, s: ast.For | ast.AsyncFor | ast.While, enter: Callable[[], dict[Node, Node]]) -> None:
        start = self.state.copy()
        fresh: dict[str, Node] = {}
        for name in _assigned(s.body):
            if name in self.state.names:
                before = self.state.names[name]
                fresh[name] = self.state.names[name] = self.graph.opaque(name)
                self._during[fresh[name]] = self._during.get(before, before)
        whole = enter()
        self.block(s.body)
        end, self.state = self.state, start
        for name in _assigned([s]):
            after = end.names.get(name)
            if after is not None:
                start.names[name] = self._after_loop(start.names.get(name), fresh.get(name), after, whole)
        for key, node in end.attributes.items():
            if start.attributes.get(key) is not node:
                start.attributes[key] = self.graph.opaque(key[1])
        self.block(s.orelse)

    def _after_loop(self, before: Node | None, during: Node | None, after: Node, whole: dict[Node, Node]) -> Node:
        """Return what a name holds after a loop, given what it holds before it, and at the ends of each pass."""
        graph = self.graph
        if before is None or during is None:
            return graph.opaque("loop")
        if after.op == "appended" and after.args[0] is during:
            return graph.substitute(after.args[1], whole) if before.op == "empty" else graph.opaque("list")
        if after.op == "add" and during in terms(after):
            rest = [t for t in after.args if t is not during]
            summed = graph.make("loopsum", graph.substitute(graph.add(*rest), whole))
            return summed if is_number(before) and before.value == 0.0 else graph.add(before, summed)
        if after.op == "where" and after.args[2] is during:
            stored = graph.substitute(after.args[1], whole)
            return stored if _is_filled(before) else graph.make("where", graph.none, stored, before)
        if after.op in ("maximum", "phi") and during in after.args:
            other = next((a for a in after.args if a is not during), None)
            if other is not None:
                return graph.make(
                    "loopmax" if after.op == "maximum" else "phi", graph.substitute(other, whole), graph.opaque("loop")
                )
        return graph.opaque("loop")

    def _do_Try(self, s: ast.Try) -> None:
        start = self.state.copy()
        catches = any(_catches_overflow(h) for h in s.handlers)
        self.tolerant += catches
        self.block(s.body)
        self.tolerant -= catches
        self.block(s.orelse)
        merged = self.state
        for handler in s.handlers:
            self.state = start.copy()
            for name in _assigned(s.body):
                if name in self.state.names:
                    self.state.names[name] = self.graph.opaque(name)
            if handler.name:
                self.state.names[handler.name] = self.graph.opaque(handler.name)
            self.block(handler.body)
            joined = State()
            joined.join(self.graph, merged, self.state)
            merged = joined
        self.state = merged
        self.block(s.finalbody)

    _do_TryStar = _do_Try

    def _do_With(self, s: ast.With | ast.AsyncWith) -> None:
        tolerant = 0
        for item in s.items:
            self.lower(item.context_expr)
            call = item.context_expr
            if isinstance(call, ast.Call):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                tolerant |= name == "errstate"
            if item.optional_vars is not None:
                self.bind(item.optional_vars, self.graph.opaque("with"))
        self.tolerant += tolerant
        self.block(s.body)
        self.tolerant -= tolerant

    _do_AsyncWith = _do_With

    def _do_Match(self, s: ast.Match) -> None:
        self.lower(s.subject)
        start = self.state
        merged: State | None = start.copy()
        for case in s.cases:
            self.state = start.copy()
            for n in ast.walk(case.pattern):
                name = getattr(n, "name", None) or getattr(n, "rest", None)
                if isinstance(name, str):
                    self.state.names[name] = self.graph.opaque(name)
            if case.guard is not None:
                self.lower(case.guard)
            self.block(case.body)
            joined = State()
            joined.join(self.graph, merged or self.state, self.state)
            merged = joined
        self.state = merged or start


def _is_filled(node: Node) -> bool:
    """Return whether an array was made of one number, or a container of nothing."""
    return node.op == "empty" or (node.op == "tile" and node.args[0].op == "const")


def _was_filled(node: Node) -> bool:
    """Return whether an array was made of one number and has been filled since."""
    return node.op in ("tile", "where")


def _assigned(body: Iterable[ast.stmt]) -> list[str]:
    """Return the names that statements bind or change in place, in order, without those of inner functions."""
    names: dict[str, None] = {}
    todo: list[ast.AST] = list(body)
    while todo:
        n = todo.pop()
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[n.name] = None
            continue
        if isinstance(n, ast.Lambda):
            continue
        if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load):
            names[n.id] = None
        elif isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name):
            names[n.value.id] = None
        elif isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and isinstance(n.func.value, ast.Name):
            if n.func.attr.endswith("_") or n.func.attr in ("append", "extend", "pop", "update", "sort", "fill"):
                names[n.func.value.id] = None
        elif isinstance(n, ast.Import | ast.ImportFrom):
            names.update(dict.fromkeys((a.asname or a.name).partition(".")[0] for a in n.names))
        todo.extend(ast.iter_child_nodes(n))
    return list(names)


def _catches_overflow(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(k, "id", getattr(k, "attr", None)) in _OVERFLOW for k in kinds)
