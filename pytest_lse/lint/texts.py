"""The source text of a value at a place: an expression inside the replaced one, or a name that still holds it."""

from __future__ import annotations

import ast

from pytest_lse.lint.graph import Node, coefficient, is_number
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.expressions import Site
from pytest_lse.lint.moved import Above, names_in
from pytest_lse.lint.positions import Positions

_SCOPED = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)

#: how far back the expressions of a value are looked at: a common one has thousands
_RECENT = 100


class Texts:
    """Spells values at one site."""

    def __init__(
        self, lowerer: Lowerer, positions: Positions, site: Site, above: Above | None = None, *, alone: bool = False
    ) -> None:
        self.lowerer = lowerer
        self.positions = positions
        self.site = site
        #: whence what is no longer available may be taken
        self._above = above
        self._moves = False
        #: whether only the site itself says what there is
        self._alone = alone
        self._inside = {id(n) for n in _evaluated_with(site)}

    def of(self, node: Node) -> str | None:
        """Return an expression that has this value at the site, None if nothing there holds it any more."""
        if node.op == "const":
            return literal(node.value)
        if text := self.of_known(node) or self._composed(node):
            return text
        if self._above is None or self._moves:
            return None
        self._moves = True
        try:
            return self.of_known(node) or self._composed(node)
        finally:
            self._moves = False

    def _source(self, node: Node) -> str | None:
        for expr in self.lowerer.sources.get(node, ())[-len(self._inside) - _RECENT :]:
            if id(expr) in self._inside:
                return self.positions.segment(expr)
        return None

    def _name(self, node: Node) -> str | None:
        if node.op == "free" and node.value not in self.lowerer.state.names and str(node.value).isidentifier():
            return str(node.value)  # nothing here binds it
        names = [name for name, value in self.lowerer.state.names.items() if value is node and name.isidentifier()]
        return names[-1] if names else None

    def _earlier(self, node: Node) -> str | None:
        """Return an expression of the same function that would have the value again if it were evaluated now."""
        for expr in self.lowerer.sources.get(node, ())[-_RECENT:]:
            text = self.positions.segment(expr)
            if isinstance(expr, ast.Name | ast.Constant) or "\n" in text or "#" in text or len(text) > 80:
                continue
            if self.lowerer.relower(expr) is node and not self._calls_functions_of_the_module(expr):
                return text
        return None

    def _calls_functions_of_the_module(self, expr: ast.expr) -> bool:
        """Say whether a call would be made a second time that costs more, or does more, than an operation on arrays."""
        calls = [n.func for n in ast.walk(expr) if isinstance(n, ast.Call)]
        return any(isinstance(f, ast.Name) and self.lowerer.relower(f).op != "name" for f in calls)

    def _composed(self, node: Node) -> str | None:
        if node.op == "index":
            base, key = self.of(node.args[0]), self.of(node.args[1])
            return f"{atom(base)}[{key}]" if base and key else None
        if node.op == "mul" and any(map(is_number, node.args)):
            return self._scaled(node)
        if node.op == "add":
            negated = self.of_known(self.lowerer.graph.neg(node))
            return f"-({negated})" if negated else None
        negated = self.of_known(self.lowerer.graph.neg(node))
        return negate(negated) if negated else None

    def _scaled(self, node: Node) -> str | None:
        graph, c = self.lowerer.graph, coefficient(node)
        negated = self.of_known(graph.neg(node))
        if negated:
            return negate(negated)
        rest = self.of(graph.mul(*(a for a in node.args if not is_number(a))))
        if rest is None:
            return None
        return negate(rest) if c == -1.0 else f"{literal(c)} * {factor(rest)}"

    def of_known(self, node: Node) -> str | None:
        """Return the text of a value that some expression computes, without composing one."""
        text = self._source(node)
        if text is None and not self._alone:
            text = self._name(node) or self._earlier(node)
        if self._above is not None:
            if text is not None:
                self._above.elsewhere |= names_in(text)
            elif self._moves:
                text = self._above.text(node)
        return text


def literal(value: object) -> str:
    """Return a constant as people write it: 1 for 1.0."""
    if isinstance(value, tuple):
        inner = ", ".join(literal(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _kind(text: str) -> ast.expr:
    return ast.parse(f"({text}\n)", mode="eval").body


def atom(text: str) -> str:
    """Parenthesise a text unless it can be subscripted or called as it stands."""
    atoms = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.ListComp)
    return text if isinstance(_kind(text), atoms) and not text.startswith("(") else f"({text})"


def factor(text: str) -> str:
    """Parenthesise a text unless it can stand in a product."""
    kind = _kind(text)
    loose = (ast.BinOp, ast.IfExp, ast.Compare, ast.BoolOp, ast.Lambda, ast.NamedExpr, ast.Tuple, ast.Starred)
    if isinstance(kind, ast.BinOp) and isinstance(kind.op, ast.Pow | ast.Mult):
        return text
    if isinstance(kind, ast.Tuple) and text.startswith("("):
        return text
    return f"({text})" if isinstance(kind, loose) else text


def negate(text: str) -> str:
    """Return the text of the negated value; two signs cancel."""
    kind = _kind(text)
    leftmost = kind
    while isinstance(leftmost, ast.BinOp) and isinstance(leftmost.op, ast.Mult | ast.Div):
        leftmost = leftmost.left
    if isinstance(leftmost, ast.UnaryOp) and isinstance(leftmost.op, ast.USub) and text.startswith("-"):
        return _bare(text[1:].lstrip())
    if isinstance(kind, ast.BinOp) and isinstance(kind.op, ast.Mult | ast.Div | ast.Pow):
        return f"-{text}"
    return f"-{factor(text)}" if not isinstance(kind, ast.UnaryOp) else f"-({text})"


def _bare(text: str) -> str:
    """Return an arithmetic expression without the parentheses around it."""
    if not (text.startswith("(") and text.endswith(")") and "\n" not in text):
        return text
    try:
        inner = ast.parse(text[1:-1], mode="eval").body
    except SyntaxError:
        return text  # (a) + (b)
    arithmetic = isinstance(inner, ast.BinOp | ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    return text[1:-1] if arithmetic and ast.dump(inner) == ast.dump(_kind(text)) else text


def _evaluated_with(site: Site) -> list[ast.AST]:
    """Return the nodes inside the site that are evaluated once, in its own scope."""
    found: list[ast.AST] = []
    todo: list[ast.AST] = [site]
    while todo:
        n = todo.pop()
        found.append(n)
        if isinstance(n, ast.Lambda):
            continue
        if isinstance(n, _SCOPED):
            todo.append(n.generators[0].iter)  # type: ignore[union-attr]
            continue
        todo.extend(ast.iter_child_nodes(n))
    return found
