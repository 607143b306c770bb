"""Puts a replacement in the place of an expression: the parentheses it needs and no others."""

from __future__ import annotations

import ast
import copy
import io
import tokenize
from itertools import pairwise

from pytest_lse.lint.finding import Edit
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Scopes

#: what replaces several lines is broken again if it is longer than this
_LINE_LENGTH = 88
_VISIBLE = {tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP, tokenize.COMMENT} | {
    getattr(tokenize, name) for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END") if hasattr(tokenize, name)
}


def place(positions: Positions, scopes: Scopes, site: ast.expr, text: str) -> Edit:
    """Return the edit that replaces an expression by a text.

    Parentheses around the expression go with it where they hold nothing else and nothing needs them; a minus before a
    text that begins with one goes with both.

    Parameters
    ----------
    positions, scopes
        The module's text, and the parents of its nodes.
    site
        The expression.
    text
        An expression too, of any precedence.
    """
    lines, text = text, joined(text)
    parent = scopes.parents.get(site)
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub):
        negated = _parse(text)
        if isinstance(negated, ast.UnaryOp) and isinstance(negated.op, ast.USub):
            return place(positions, scopes, parent, ast.get_source_segment(f"({text}\n)", negated.operand) or text)
    start, end = (positions.offset(p) for p in positions.span(site))
    call = parent if isinstance(parent, ast.Call) and parent.func is not site else None
    outer = _own_parentheses(positions.text, start, end, positions.offset(positions.end(call)) if call else None)
    if outer != (start, end) and not _glued(positions.text, *outer) and _fits(positions, scopes, site, outer, text):
        start, end = outer
    elif outer == (start, end) and not _fits(positions, scopes, site, outer, text):
        text = f"({text})"
    return Edit(_wrapped(positions, start, end, text, lines), positions.at(start), positions.at(end))


def with_keyword(positions: Positions, call: ast.Call, argument: ast.expr | ast.keyword, text: str) -> str:
    """Return a call's text with another keyword argument, `name=value`, in the place of one of its arguments."""
    whole, first, last = positions.text, *(positions.offset(p) for p in positions.span(call))
    start, end = (positions.offset(p) for p in positions.span(argument))
    if isinstance(argument, ast.expr):
        start, end = _own_parentheses(whole, start, end, last)
    return whole[first:start] + text + whole[end:last]


def _wrapped(positions: Positions, start: int, end: int, one: str, text: str) -> str:
    """Break a call that replaces several lines, or was given as such, where it would be too long for one."""
    broken = "\n" in positions.text[start:end] or "\n" in text
    first, last = positions.line(positions.at(start).row), positions.line(positions.at(end).row)
    row, rest = positions.at(start).column - 1, last[positions.at(end).column - 1 :].rstrip()
    tree = _parse(one)
    if not broken or "\n" in one or row + len(one) + len(rest) <= _LINE_LENGTH:
        return one
    if not isinstance(tree, ast.Call) or one.startswith("("):
        return one
    head = text.index("(", len(ast.unparse(tree.func)))
    indent = first[: len(first) - len(first.lstrip())]
    newline = first[len(first.rstrip("\r\n")) :]
    inner = indent + ("\t" if "\t" in indent else "    ")
    lines = [one[head + 1 : -1]]
    if len(inner) + len(lines[0]) > _LINE_LENGTH and "\n" in text:
        lines = _dedented(text[head + 1 : -1])
    return "".join([one[: head + 1], *(f"{newline}{inner}{line}" for line in lines), newline, indent, ")"])


def _dedented(text: str) -> list[str]:
    first, *others = (line.rstrip() for line in text.strip().splitlines())
    margin = min((len(line) - len(line.lstrip()) for line in others if line), default=0)
    return [first, *(line[margin:] for line in others)]


def joined(text: str) -> str:
    """Return the text of an expression in one line, as it is where a string or a comment needs its lines."""
    if "\n" not in text and "\r" not in text:
        return text
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline) if t.type in _VISIBLE][1:-1]
    if any(t.type == tokenize.COMMENT or t.start[0] != t.end[0] for t in tokens):
        return text
    parts = [tokens[0].string]
    calls: list[bool] = []
    for before, token in pairwise(tokens):
        if before.string in "([{":
            called = len(parts) > 1 and (parts[-2][-1:].isalnum() or parts[-2][-1:] in "_)]")
            calls.append(before.string == "(" and called)
        if before.end[0] == token.start[0]:
            parts.append(" " * (token.start[1] - before.end[1]))
        elif token.string in ")]}":
            if before.string == "," and calls and calls[-1]:
                parts.pop()  # a trailing comma
            parts.append("")
        else:
            parts.append("" if before.string in "([{" else " ")
        if token.string in ")]}" and calls:
            calls.pop()
        parts.append(token.string)
    one = "".join(parts)
    return one if ast.dump(_parse(one)) == ast.dump(_parse(text)) else text


def _parse(text: str) -> ast.expr:
    return ast.parse(f"({text}\n)", mode="eval").body


def _own_parentheses(text: str, start: int, end: int, owned: int | None) -> tuple[int, int]:
    """Return the span with the parentheses around it that hold nothing else; what ends at `owned` is a call's."""
    pairs = [(start, end)]
    while True:
        left, right = pairs[-1]
        before, after = text[:left].rstrip(" \t\r\n"), text[right:]
        close = right + len(after) - len(after.lstrip(" \t\r\n"))
        if not before.endswith("(") or text[close : close + 1] != ")":
            break
        pairs.append((len(before) - 1, close + 1))
    if len(pairs) > 1 and pairs[-1][1] == owned:
        pairs.pop()
    return pairs[-1]


def _glued(text: str, start: int, end: int) -> bool:
    """Say whether only the parentheses separate what they hold from a word: `return(x)`."""
    return any(c.isalnum() or c in "_'\"" for c in text[max(start - 1, 0) : start] + text[end : end + 1])


def _fits(positions: Positions, scopes: Scopes, site: ast.expr, span: tuple[int, int], text: str) -> bool:
    """Say whether a text without parentheses in the place of a span means what it means with them."""
    root: ast.expr = site
    for ancestor in scopes.ancestors(site):
        if isinstance(ancestor, ast.JoinedStr | ast.FormattedValue):
            return isinstance(_parse(text), ast.Call | ast.Name | ast.Attribute | ast.Subscript)
        if isinstance(ancestor, ast.expr):
            root = ancestor
        elif not isinstance(ancestor, ast.keyword | ast.comprehension):
            break
    start, end = (positions.offset(p) for p in positions.span(root))
    start, end = min(start, span[0]), max(end, span[1])
    whole = positions.text
    before, after = whole[start:end], whole[start : span[0]] + text + whole[span[1] : end]
    try:
        # a line break ends the statement unless it stands in brackets, of the expression or further out
        tree = ast.parse(after if _parses(before) else f"({after}\n)", mode="eval").body
    except SyntaxError:
        return False
    return ast.dump(tree) == ast.dump(_substituted(root, site, _parse(text)))


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _substituted(root: ast.expr, site: ast.expr, new: ast.expr) -> ast.expr:
    if root is site:
        return new
    return copy.deepcopy(root, {id(site): new})  # the copy of the site is what the memo says
