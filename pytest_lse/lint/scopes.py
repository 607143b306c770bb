"""Which scope of a module binds and reads which names."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scope = ast.Module | ast.ClassDef | Function | Comprehension


class Scopes:
    """The scopes of a module with their names.

    Attributes
    ----------
    parents
        Each node's parent.
    bound
        Scope -> name -> the nodes that bind or delete it there: names, aliases, arguments, definitions, patterns.
    reads
        Name -> the nodes that read it, in any scope.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.bound: dict[Scope, dict[str, list[ast.AST]]] = defaultdict(lambda: defaultdict(list))
        self.reads: dict[str, list[ast.Name]] = defaultdict(list)
        self._readers: dict[str, dict[Scope | None, list[ast.Name]]] = {}
        self._scope: dict[ast.AST, Scope] = {tree: tree}
        self._globals: set[tuple[Scope, str]] = set()
        self._nonlocals: set[tuple[Scope, str]] = set()
        self._visit()
        for scope, name in self._globals | self._nonlocals:
            owner = tree if (scope, name) in self._globals else self._enclosing(scope, name)
            if nodes := self.bound[scope].pop(name, []):
                self.bound[owner][name] += nodes

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope in which the node is evaluated."""
        return self._scope[node]

    def chain(self, node: ast.AST) -> Iterator[Scope]:
        """Yield the scopes whose names the node sees, innermost first."""
        scope = self._scope[node]
        yield scope
        while scope is not self.tree:
            scope = self._scope[scope]
            if not isinstance(scope, ast.ClassDef):
                yield scope

    def owner(self, name: str, node: ast.AST) -> Scope | None:
        """Return the scope whose `name` the node sees, None if nothing in the module binds it."""
        for scope in self.chain(node):
            if (scope, name) in self._globals:
                return self.tree if name in self.bound[self.tree] else None
            if name in self.bound[scope]:
                return scope
        return None

    def readers(self, name: str) -> dict[Scope | None, list[ast.Name]]:
        """Return scope -> the nodes that read its variable of that name."""
        if name not in self._readers:
            found: dict[Scope | None, list[ast.Name]] = defaultdict(list)
            for node in self.reads.get(name, ()):
                found[self.owner(name, node)].append(node)
            self._readers[name] = found
        return self._readers[name]

    def runs_late(self, node: ast.AST) -> bool:
        """Say whether the node runs when a function is called, rather than when the module is imported."""
        scope = self._scope[node]
        while not isinstance(scope, ast.Module | Function):
            scope = self._scope[scope]
        return scope is not self.tree

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the node's parent, the parent's parent, and so on up to the module."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def _enclosing(self, scope: Scope, name: str) -> Scope:
        """Return the function outside `scope` that binds a nonlocal name."""
        outer = (s for s in self.chain(scope) if isinstance(s, Function) and name in self.bound[s])
        return next(outer, self.tree)

    def _visit(self) -> None:
        parents, scopes = self.parents, self._scope
        stack: list[tuple[ast.AST, Scope]] = [(self.tree, self.tree)]
        while stack:
            node, scope = stack.pop()
            kind = type(node)
            if kind not in _NAMELESS:
                self._record(node, scope)
            children = list(_children(node, scope) if kind in _OWN else _plain_children(node, scope))
            for child, inside in children:
                parents[child] = node
                scopes[child] = inside
            stack += reversed(children)

    def _record(self, node: ast.AST, scope: Scope) -> None:
        bind = self.bound[scope]
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self.reads[name].append(node)
            case ast.Name(id=name):
                parent = self.parents[node]
                if isinstance(parent, ast.NamedExpr):
                    bind = self.bound[self._outside_comprehensions(scope)]
                elif isinstance(parent, ast.AugAssign):
                    self.reads[name].append(node)
                bind[name].append(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bind[name].append(node)
            case ast.arg(arg=name):
                bind[name].append(node)
            case ast.alias(name=name, asname=asname):
                bind[asname or name.partition(".")[0]].append(node)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bind[name].append(node)
            case ast.MatchMapping(rest=str(name)):
                bind[name].append(node)
            case ast.Global(names=names):
                self._globals |= {(scope, name) for name in names}
            case ast.Nonlocal(names=names):
                self._nonlocals |= {(scope, name) for name in names}
            case _ if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):  # Python 3.12
                bind[node.name].append(node)  # type: ignore[attr-defined]
            case _:
                pass

    def _outside_comprehensions(self, scope: Scope) -> Scope:
        while isinstance(scope, Comprehension):
            scope = self._scope[scope]
        return scope


#: nodes that stand for themselves wherever they are
_SINGLE = (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)
#: the most frequent nodes that neither bind nor read a name of their own
_NAMELESS = frozenset(
    {ast.Attribute, ast.Call, ast.Constant, ast.Assign, ast.Expr, ast.keyword, ast.BinOp, ast.Subscript, ast.Tuple}
    | {ast.If, ast.Compare, ast.Return, ast.List, ast.UnaryOp, ast.BoolOp, ast.For, ast.AugAssign, ast.JoinedStr}
)
#: nodes of which some children are evaluated in another scope
_OWN = frozenset(
    {ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.ClassDef, ast.comprehension}
    | {ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp}
)


def _plain_children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    for name in node._fields:
        child = getattr(node, name, None)
        if isinstance(child, list):
            for c in child:
                if isinstance(c, ast.AST) and not isinstance(c, _SINGLE):
                    yield c, scope
        elif isinstance(child, ast.AST) and not isinstance(child, _SINGLE):
            yield child, scope


def _children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield the node's children with the scope in which each is evaluated."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            outside = _signature(node)
            yield from ((child, scope) for child in outside)
            # The arguments object is a child too: its own children, arg nodes, are bound inside the function.
            yield from ((child, node) for child in ast.iter_child_nodes(node) if child not in outside)
        case ast.arguments():
            # defaults and annotations were reached from the function, in the scope outside it
            names = [*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg]
            yield from ((name, scope) for name in names if name)
        case ast.arg():
            pass
        case ast.ClassDef():
            inside = {*node.body, *getattr(node, "type_params", [])}
            yield from ((child, node if child in inside else scope) for child in ast.iter_child_nodes(node))
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield node.generators[0].iter, scope
            yield from ((child, node) for child in ast.iter_child_nodes(node))
        case ast.comprehension():
            first = isinstance(scope, Comprehension) and scope.generators[0] is node
            yield from ((c, scope) for c in ast.iter_child_nodes(node) if not (first and c is node.iter))


def _signature(node: Function) -> list[ast.AST]:
    """Return the parts of a function that are evaluated where it is defined."""
    args = node.args
    parts: Iterable[ast.AST | None] = [*args.defaults, *args.kw_defaults]
    if not isinstance(node, ast.Lambda):
        named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        annotations = [a.annotation for a in named if a]
        parts = [*node.decorator_list, *parts, *annotations, node.returns]
    return [part for part in parts if part]
