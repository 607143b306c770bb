"""Respells a fixture, written for NumPy, for another framework: the op table read in both directions."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from pytest_lse.lint import ops

#: the frameworks that have everything: what is missing there must be marked in the fixture
COMPLETE = frozenset({"numpy", "torch", "jax", "tensorflow"})
#: names that are no call
_VALUES = {"numpy.newaxis": "None", "numpy.inf": "float('inf')", "numpy.pi": "3.141592653589793"}


class RespellError(Exception):
    """The framework has no spelling of something."""


class Respeller(ast.NodeVisitor):
    """Collects the texts that replace NumPy's calls."""

    def __init__(self, text: str, framework: str) -> None:
        self.text = text
        self.framework = framework
        self.column = next(c for c in ops.columns() if c.framework == framework)
        self.names: dict[str, str] = {}
        self.modules: dict[str, None] = {}
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def render(self, node: ast.AST, start: int, end: int) -> str:
        """Return the text of a span, with the calls below the node respelled."""
        pieces, position = [], start
        for child in sorted(_outermost(node), key=lambda n: (n.lineno, n.col_offset)):
            text = self._replaced(child)
            if text is not None:
                first, last = self._span(child)
                pieces += [self.text[position:first], text]
                position = last
        return "".join((*pieces, self.text[position:end]))

    def _inside(self, node: ast.AST) -> str:
        return self._replaced(node) or self.render(node, *self._span(node))

    def _span(self, node: Any) -> tuple[int, int]:
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def _replaced(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Attribute):
            dotted = self._dotted(node)
            if dotted in _VALUES:
                return _VALUES[dotted]
            if dotted.startswith(("numpy.", "scipy.")):
                raise RespellError(f"{self.framework} has no {dotted}")
            return None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            dotted = self._dotted(node.func)
            if dotted.startswith(("numpy.", "scipy.")):
                return self._call(node, ops.functions(dotted), None)
            if not dotted:
                known = [c for c in ops.methods(node.func.attr) if c.framework == "numpy"]
                return self._call(node, known, node.func.value) if known else None
        return None

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            head = self._dotted(node.value)
            return f"{head}.{node.attr}" if head else ""
        return self.names.get(node.id, "") if isinstance(node, ast.Name) else ""

    def _call(self, node: ast.Call, candidates: Sequence[ops.Call], receiver: ast.expr | None) -> str:
        keywords = {k.arg or "": k.value for k in node.keywords}
        for call in candidates:
            bound = call.bind(node.args, keywords, receiver)
            if bound is not None:
                return self._spelled(call.op, bound, receiver)
        raise RespellError(f"the op table does not know {ast.unparse(node)}")

    def _spelled(self, op: str, bound: Mapping[str, Any], receiver: ast.expr | None) -> str:
        cells = [c.strip().replace("@", self.column.modules[0]) for c in self.column.calls.get(op, "").split("|")]
        cells = [c for c in cells if not _is_old(c.partition("(")[0])]
        chosen = [c for c in cells if c.startswith(".") == (receiver is not None)] or cells
        for cell in chosen:
            name, _, parameters = cell.partition("(")
            call = ops._parse((op, self.framework, parameters.removesuffix(")")))
            given = {n: v for n, v in bound.items() if isinstance(v, ast.AST)}
            method = name.startswith(".")
            first = ops.signature(op)[0][0] if method else None
            places = {p.canonical: p.spelling for p in reversed(call.parameters) if p.canonical}
            places = dict(reversed(places.items()))
            if not set(given) - {first} <= set(places):
                continue
            arguments, positional = [], True
            for canonical, spelling in places.items():
                if canonical in given:
                    text = self._argument(op, given[canonical])
                    arguments.append(text if positional and canonical in _POSITIONAL else f"{spelling}={text}")
                else:
                    positional = False
            head = self._receiver(given[first]) + name if first else name
            if not method:
                self.modules[name.rpartition(".")[0]] = None
            return f"{head}({', '.join(arguments)})"
        raise RespellError(f"{self.framework} cannot spell {op}({', '.join(bound)})")

    def _argument(self, op: str, node: ast.AST) -> str:
        text = self._inside(node)
        # PyTorch alone takes no number there.
        alone = self.framework == "torch" and op in ("maximum", "minimum") and isinstance(node, ast.Constant)
        return f"torch.tensor({text})" if alone else text

    def _receiver(self, node: ast.expr) -> str:
        text = self._inside(node)
        return text if isinstance(node, ast.Name | ast.Call | ast.Subscript | ast.Attribute) else f"({text})"


_POSITIONAL = frozenset({"x", "y", "condition", "shape", "min", "max"})


@cache
def _is_old(dotted: str) -> bool:
    """Return whether the installed version of a framework lacks a function."""
    root, *names = dotted.split(".")
    if not root or importlib.util.find_spec(root) is None:
        return False
    value = importlib.import_module(root)
    for name in names:
        value = getattr(value, name, None)
    return value is None


def _outermost(node: ast.AST) -> list[Any]:
    """Return the calls and attributes below a node that lie in no other one."""
    found: list[Any] = []
    for child in ast.iter_child_nodes(node):
        found += [child] if isinstance(child, ast.Call | ast.Attribute) else _outermost(child)
    return found


def respelled(text: str, framework: str) -> str:
    """Return the fixture in another framework's spelling, line for line.

    Functions marked `# not in: ...` with that framework are left out, and outside of the large frameworks also those
    that use what it has not. A method that the framework has not becomes its function.

    Raises
    ------
    RespellError
        The framework has no spelling of something that is not marked.
    """
    if framework == "numpy" or "import numpy as np" not in text:
        return text
    tree = ast.parse(text)
    speller = Respeller(text, framework)
    lines = text.split("\n")
    out = text
    spans: list[tuple[int, int, str]] = []
    heads: list[tuple[int, int]] = []
    for statement in tree.body:
        start, end = speller._span(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if any(a.name.partition(".")[0] in ("numpy", "scipy") for a in statement.names):
                heads.append((start, end))
                for a in statement.names:
                    top = a.name.partition(".")[0]
                    speller.names[a.asname or top] = a.name if a.asname else top
            continue
        new = None
        if framework not in _left_out(lines[statement.lineno - 1]):
            try:
                new = speller.render(statement, start, end)
            except RespellError:
                if framework in COMPLETE:
                    raise
        if new is None:
            end = text.find("\n", end)  # with the marker behind it
            new = "pass" + "\n" * text.count("\n", start, end)
        spans.append((start, end, new))
    spans = sorted(spans + [(*head, "import " + ", ".join(_imports(speller))) for head in heads])
    for start, end, new in reversed(spans):
        out = out[:start] + new + out[end:]
    return out


def _imports(speller: Respeller) -> list[str]:
    root = speller.column.roots[0]
    foreign = [m for m in speller.modules if m.partition(".")[0] != root]
    return list(dict.fromkeys((root, speller.column.modules[0], *foreign)))


def _left_out(line: str) -> list[str]:
    _, mark, rest = line.partition("# not in:")
    return [name.strip() for name in rest.split(",")] if mark else []


@pytest.fixture(scope="session")
def respell() -> Callable[[str, str], str]:
    return respelled
