"""A replacement template with its placeholders filled in, spelled for the user's module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import cache

from pytest_lse.lint import ops
from pytest_lse.lint.graph import Node
from pytest_lse.lint.texts import literal, negate


class UnavailableError(Exception):
    """A template cannot be filled in here; the message says why."""


#: an attribute of a variable, where every other one is part of a dotted name
_SHAPE = "shape"


@cache
def placeholders(template: str) -> dict[str, int]:
    """Return the names that a template uses, and how often."""
    tree = ast.parse(template, mode="eval")
    heads = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr != _SHAPE}
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names: dict[str, int] = {}
    for n in ast.walk(tree):
        if isinstance(n, ast.Name) and id(n) not in heads | called:
            names[n.id] = names.get(n.id, 0) + 1
    return names


def fill(
    template: str,
    values: Mapping[str, Node],
    text_of: Callable[[str], str],
    spell: Callable[[str], str],
) -> str:
    """Return the template's text.

    Parameters
    ----------
    template
        An expression over full dotted names and the names of the pattern's variables.
    values
        What each variable stands for: a keyword whose value is the function's own default is left out.
    text_of
        Variable -> its source text at the place of the fix.
    spell
        Dotted name -> how the module writes it.
    """
    tree = ast.parse(template, mode="eval").body
    dotted: dict[str, str] = {}

    class Fill(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            if node.attr == _SHAPE:
                return self.generic_visit(node)
            name = ast.unparse(node)
            dotted[f"D{len(dotted)}_"] = spell(name)
            return ast.Name(f"D{len(dotted) - 1}_", ast.Load())

        def visit_Call(self, node: ast.Call) -> ast.AST:
            if isinstance(node.func, ast.Attribute):
                defaults = _defaults(ast.unparse(node.func))
                node.keywords = [k for k in node.keywords if not _is_default(k, values, defaults)]
            return self.generic_visit(node)

        def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
            inner = self.visit(node.operand)
            # Two signs cancel: `-x` of a negative argument.
            return _Text(negate(inner.id)) if isinstance(inner, _Text) else ast.UnaryOp(node.op, inner)

        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id not in values:
                return node
            text = text_of(node.id)
            try:
                return ast.copy_location(_Text(text), node)
            except SyntaxError:
                raise UnavailableError("its argument cannot be moved") from None

    filled = Fill().visit(tree)
    return _Unparser(dotted).visit(filled)


class _Text(ast.Name):
    """An expression given by its source text: it is emitted as it stands."""

    def __init__(self, text: str) -> None:
        super().__init__(id=text, ctx=ast.Load())
        self.shape = ast.parse(f"({text}\n)", mode="eval").body


_PRECEDENCE = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.FloorDiv: 2, ast.Mod: 2, ast.Pow: 4}


def precedence(e: ast.expr) -> int:
    """Return how tightly an expression binds: 0 looser than arithmetic, 5 an atom."""
    if isinstance(e, _Text):
        return precedence(e.shape)
    if isinstance(e, ast.BinOp):
        return _PRECEDENCE.get(type(e.op), 0)
    if isinstance(e, ast.UnaryOp):
        return 3
    if isinstance(e, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant | ast.List | ast.ListComp):
        return 5
    return 0


class _Unparser:
    """Writes the few kinds of expression that templates consist of, with no more parentheses than needed."""

    def __init__(self, dotted: Mapping[str, str]) -> None:
        self.dotted = dotted

    def visit(self, e: ast.expr, at_least: int = 0) -> str:
        text = self._text(e)
        bare = isinstance(e, _Text) and isinstance(e.shape, ast.GeneratorExp | ast.Tuple)
        if (bare and text.startswith("(")) or (not bare and precedence(e) >= at_least):
            return text
        return f"({text})"

    def _text(self, e: ast.expr) -> str:
        match e:
            case _Text():
                return e.id
            case ast.Name():
                return self.dotted.get(e.id, e.id)
            case ast.Constant():
                return literal(e.value) if not isinstance(e.value, str) else repr(e.value)
            case ast.BinOp():
                symbol = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: " * ", ast.Div: " / ", ast.Pow: "**"}[type(e.op)]
                level = precedence(e)
                return self.visit(e.left, level) + symbol + self.visit(e.right, level + 1)
            case ast.UnaryOp():
                return "-" + self.visit(e.operand, 4)
            case ast.Call():
                parts = [self.visit(a, _ARGUMENT) for a in e.args]
                parts += [f"{k.arg}={self.visit(k.value, _ARGUMENT)}" for k in e.keywords]
                return f"{self.visit(e.func, 5)}({', '.join(parts)})"
            case ast.Compare(ops=[ast.Gt()], comparators=[right]):
                return f"{self.visit(e.left, 1)} > {self.visit(right, 1)}"
            case ast.Attribute():
                return f"{self.visit(e.value, 5)}.{e.attr}"
            case ast.Subscript():
                return f"{self.visit(e.value, 5)}[{self.visit(e.slice)}]"
            case _:
                raise TypeError(f"a replacement template holds a {type(e).__name__}")


_ARGUMENT = 0


def _is_default(keyword: ast.keyword, values: Mapping[str, Node], defaults: Mapping[str, object]) -> bool:
    if not isinstance(keyword.value, ast.Name) or keyword.value.id not in values:
        return False
    node = values[keyword.value.id]
    if node.op != "const" or keyword.arg is None or keyword.arg not in defaults:
        return False
    default = defaults[keyword.arg]
    value = node.value
    return (type(value) is not bool and not isinstance(default, bool) and value == default) or value is default


@cache
def _defaults(dotted: str) -> dict[str, object]:
    """Return the defaults of a function's parameters, as far as the op table knows them."""
    known: dict[str, object] = {}
    for call in ops.functions(dotted):
        for p in call.parameters:
            if p.canonical and p.default is not ops.REQUIRED:
                known[p.spelling] = p.default
    return known
