"""Statements just above a fix that go with it: what they computed is written where it is needed.

In `x = np.exp(x)` and `p = x / x.sum()` nothing holds the logits any more when the softmax is computed. Without the
first line `x` does, and a call that the first line made is made once, by the second.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from typing import cast

from pytest_lse.lint.graph import Node
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.expressions import Site
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Scopes

_SIMPLE = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)
#: what is evaluated later, more than once, or not at all
_ELSEWHERE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp)
_EFFECTS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


class Above:
    """The assignments that stand immediately above the statement of a site.

    Attributes
    ----------
    calls, names
        Each call and each name in what moves -> its value.
    elsewhere
        Names that the other texts read.
    """

    def __init__(self, lowerer: Lowerer, positions: Positions, scopes: Scopes, site: Site) -> None:
        self.lowerer = lowerer
        self.positions = positions
        self.scopes = scopes
        self.site = site
        #: the statements above, in the same block
        self.block = _above(scopes, site)
        self.assignments = list(_assignments(scopes, site, self.block))
        self._pieces: list[tuple[int, ast.expr]] = []
        self.elsewhere: set[str] = set()
        self.calls: dict[str, Node] = {}
        self.names: dict[str, Node] = {}

    def text(self, node: Node) -> str | None:
        """Return an expression with this value that makes sense once the assignments down from its own are gone."""
        for i, assignment in enumerate(self.assignments):
            for e in ast.walk(assignment.value):
                if isinstance(e, ast.expr) and self.lowerer.values.get(id(e)) is node and self._can_move(e):
                    self._pieces.append((i, e))
                    self.take(e)
                    return self.positions.segment(e)
        return None

    @property
    def needed(self) -> list[ast.Assign]:
        """The assignments that have to go, for the texts that were taken from them."""
        return [
            a
            for k, a in enumerate(self.assignments)
            if any(k == i or (k < i and not self._harmless(a, e)) for i, e in self._pieces)
        ]

    def _harmless(self, assignment: ast.Assign, moved: ast.expr) -> bool:
        """Say whether an expression may move down past an assignment."""
        return (
            target(assignment) not in names_read(moved)
            and is_pure(self.lowerer, assignment.value)
            and is_pure(self.lowerer, moved)
        )

    @property
    def misread(self) -> bool:
        """Say whether a text would read a name whose assignment goes, and mean what that assigned."""
        needed = {id(a): target(a) for a in self.needed}
        later = [
            names_read(e) & {needed[id(a)] for a in self.assignments[i + 1 :] if id(a) in needed}
            for i, e in self._pieces
        ]
        return any(later) or not self.elsewhere.isdisjoint(needed.values())

    def take(self, e: Site) -> None:
        """Note what the parts of an expression mean where it stands."""
        values = self.lowerer.values
        for n in ast.walk(e):
            if isinstance(n, ast.Call) and id(n) in values:
                self.calls[ast.dump(n)] = values[id(n)]
            elif isinstance(n, ast.Name) and id(n) in values:
                self.names[n.id] = values[id(n)]

    def _can_move(self, e: ast.expr) -> bool:
        if "#" in self.positions.segment(e) or any(isinstance(n, _EFFECTS) for n in ast.walk(e)):
            return False
        return all(self._is_known(n) for n in ast.walk(e) if isinstance(n, ast.Call)) or not self._other_effects(e)

    def resolved(self, tree: ast.expr, names: dict[str, Node]) -> ast.expr:
        """Return an expression in which the calls that move are names, and add to `names` what those hold."""
        calls = self.calls

        class Calls(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.AST:
                value = calls.get(ast.dump(node))
                if value is None:
                    return self.generic_visit(node)
                names[f"moved {len(names)}"] = value
                return ast.Name(f"moved {len(names) - 1}", ast.Load())

        return cast(ast.expr, Calls().visit(copy.deepcopy(tree)))

    def _is_known(self, call: ast.Call) -> bool:
        return _is_known(self.lowerer, call)

    def _other_effects(self, e: ast.expr) -> bool:
        """Say whether anything that is evaluated between its old place and its new one may do or notice something."""
        statement = _statement(self.scopes, self.site)
        around = {self.site, *self.scopes.ancestors(self.site)}
        inside = {*ast.walk(self.site), *(n for a in self.assignments for n in ast.walk(a))} - set(ast.walk(e))
        others = [n for n in ast.walk(statement) if n not in around and n not in inside]
        return any(isinstance(n, (ast.Call, *_EFFECTS)) for n in others) or any(
            isinstance(n, ast.Call) and n is not self.site and not self._is_known(n) for n in inside
        )


def _above(scopes: Scopes, site: Site) -> list[ast.stmt]:
    statement = site if isinstance(site, ast.stmt) else _statement(scopes, site)
    block = next(v for _, v in ast.iter_fields(scopes.parents[statement]) if isinstance(v, list) and statement in v)
    return block[: block.index(statement)]


def _assignments(scopes: Scopes, site: Site, block: Sequence[ast.stmt]) -> Iterator[ast.Assign]:
    """Yield the statements `name = value` immediately above the site's, the nearest first."""
    if not isinstance(site, ast.expr):
        return
    for ancestor in scopes.ancestors(site):
        if isinstance(ancestor, _ELSEWHERE):
            return
        if isinstance(ancestor, ast.stmt):
            if not isinstance(ancestor, _SIMPLE):
                return
            break
    for above in reversed(block):
        if not isinstance(above, ast.Assign) or not isinstance(above.targets[0], ast.Name) or len(above.targets) > 1:
            return
        yield above


def names_in(text: str) -> set[str]:
    """Return the names in the text of an expression, or of an index: `:, ::2` stands nowhere else."""
    return names_read(ast.parse(f"0[{text}\n]"))


def names_read(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def target(assignment: ast.Assign) -> str:
    name = assignment.targets[0]
    assert isinstance(name, ast.Name)
    return name.id


def is_pure(lowerer: Lowerer, e: ast.expr) -> bool:
    """Say whether nothing is lost when an expression is not evaluated: it calls nothing but known operations."""
    nodes = list(ast.walk(e))
    return not any(isinstance(n, _EFFECTS) for n in nodes) and all(
        _is_known(lowerer, n) for n in nodes if isinstance(n, ast.Call)
    )


def _is_known(lowerer: Lowerer, call: ast.Call) -> bool:
    value = lowerer.values.get(id(call))
    return value is not None and value.op != "opaque"


def fresh(lowerer: Lowerer, e: ast.expr) -> bool:
    """Say whether an expression makes a new array, which nothing else can hold."""
    value = lowerer.values.get(id(e))
    if value is None or value.op not in ("exp", "mul") or not isinstance(e, ast.Call | ast.BinOp):
        return False
    return isinstance(e, ast.BinOp) or isinstance(e.func, ast.Attribute) or lowerer.relower(e.func).op == "name"


def _statement(scopes: Scopes, node: ast.AST) -> ast.stmt:
    return next(a for a in scopes.ancestors(node) if isinstance(a, ast.stmt))
