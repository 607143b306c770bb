"""LibCST applies edits: every byte that no edit covers stays as it is.

The edits are texts with places (see `pytest_lse.lint.finding`). Four kinds occur, and nothing else is accepted: an
expression is replaced, a line with an import is inserted, a member is added to an import, an assignment is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider

from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.finding import Edit, Location
from pytest_lse.lint.positions import Positions

Span = tuple[Location, Location]


_STATEMENT = (cst.BaseSmallStatement, cst.BaseCompoundStatement)


class WithheldError(Exception):
    """A fix cannot be applied; the message says why."""


def apply_with_libcst(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits applied to its concrete syntax tree.

    Raises
    ------
    WithheldError
        LibCST does not reproduce the file, or an edit is none of the kinds above.
    ValueError
        Edits overlap.
    """
    edits = set(edits)
    expected = apply_edits(text, edits)
    try:
        module = cst.parse_module(text)
        if module.code != text:
            raise WithheldError(
                "LibCST does not reproduce this file byte for byte (a form feed or a bare carriage return)"
            )
        changed = cast(cst.Module, _Applier(module, text, edits).run()).code
    except cst.ParserSyntaxError as error:
        raise WithheldError(f"LibCST cannot parse this file: {error.message}") from None
    except cst.CSTValidationError as error:
        raise WithheldError(f"the fix would not be valid syntax: {error}") from None
    except RecursionError:
        raise WithheldError("the file is nested too deeply for LibCST") from None
    if changed != expected:
        raise WithheldError("LibCST and the edits disagree")
    return changed


class _Applier(cst.CSTTransformer):
    def __init__(self, module: cst.Module, text: str, edits: set[Edit]) -> None:
        super().__init__()
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = module
        self.text = text
        #: where a node's code is, without the parentheses around it and the lines above it
        self.spans = _by_node(wrapper.resolve(PositionProvider))
        #: with them
        self.outer = _by_node(wrapper.resolve(WhitespaceInclusivePositionProvider))
        self.expressions: dict[cst.CSTNode, cst.BaseExpression] = {}
        self.imports: dict[cst.CSTNode, list[Edit]] = {}
        self.inserted: list[Edit] = []
        #: statement -> how many empty lines below it go with it
        self.removed: dict[cst.CSTNode, int] = {}
        #: LibCST would drop an empty line at once, with the comments above it
        self.placeholders: dict[cst.CSTNode, int] = {}
        self._sort_out(edits)

    def run(self) -> cst.CSTNode:
        return cast(cst.CSTNode, self.module.visit(self))

    def _sort_out(self, edits: set[Edit]) -> None:
        bare = {s: n for n, s in self.spans.items() if isinstance(n, cst.BaseExpression)}
        parenthesised = {s: n for n, s in self.outer.items() if isinstance(n, cst.BaseExpression)}
        members = [(s, n) for n, s in self.spans.items() if isinstance(n, cst.ImportFrom)]
        small = [(s, n) for n, s in self.spans.items() if isinstance(n, cst.BaseSmallStatement)]
        self._statements = [s for n, s in self.spans.items() if isinstance(n, _STATEMENT)]
        for edit in edits:
            span = edit.location, edit.end_location
            if edit.location != edit.end_location and not edit.content:
                inside = {n for s, n in small if span[0] <= s[0] and s[1] <= span[1]}
                if not inside:
                    raise WithheldError("there is no statement where the edit removes one")
                last = max(self.spans[n][1] for n in inside)
                below = edit.end_location.row - last.row - 1 if edit.end_location.column == 1 else 0
                self.removed |= {n: below if self.spans[n][1] == last else 0 for n in inside}
            elif edit.location != edit.end_location:
                new = self._expression(edit)
                if node := bare.get(span):
                    new = new.with_changes(lpar=[*node.lpar, *new.lpar], rpar=[*new.rpar, *node.rpar])
                    self.expressions[node] = new
                elif node := parenthesised.get(span):
                    self.expressions[node] = new
                else:
                    raise WithheldError("there is no expression where the edit replaces one")
            elif found := [n for s, n in members if s[0] < edit.location <= s[1]]:
                self.imports.setdefault(found[0], []).append(edit)
            else:
                self.inserted.append(edit)

    def _expression(self, edit: Edit) -> cst.BaseExpression:
        """Return the new expression; of several lines, it is parsed at the indentation that they are relative to."""
        if "\n" not in edit.content and "\r" not in edit.content:
            return cst.parse_expression(edit.content, self.module.config_for_parsing)
        around = max((s for s in self._statements if s[0] <= edit.location and edit.end_location <= s[1]), default=None)
        line = Positions(self.text).line(around[0].row) if around else ""
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        newline = self.module.default_newline
        header = f"if 1:{newline}{indent}" if indent else ""
        node: cst.CSTNode = self._parse(f"{header}({edit.content}{newline}){newline}").body[0]
        while isinstance(node, cst.If | cst.IndentedBlock | cst.SimpleStatementLine):
            node = node.body if isinstance(node, cst.If) else node.body[0]
        new = cst.ensure_type(node, cst.Expr).value
        return new.with_changes(lpar=new.lpar[1:], rpar=new.rpar[:-1])

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self.expressions and node not in self.imports

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        if original_node in self.expressions:
            return cast(cst.CSTNodeT, self.expressions[original_node])
        if original_node in self.imports:
            return cast(cst.CSTNodeT, self._extended(original_node))
        if isinstance(original_node, cst.SimpleStatementLine) and not self.removed.keys().isdisjoint(
            original_node.body
        ):
            return cast(cst.CSTNodeT, self._line(original_node, cast(cst.SimpleStatementLine, updated_node)))
        if isinstance(updated_node, cst.Module):
            updated_node = cast(cst.CSTNodeT, self._insert(updated_node))
        if isinstance(updated_node, cst.Module | cst.IndentedBlock):
            return cast(cst.CSTNodeT, _without(updated_node, self.placeholders))
        return updated_node

    def _extended(self, statement: cst.CSTNode) -> cst.CSTNode:
        """Return a from-import with members added: parsed again, at its indentation."""
        start, end = self.spans[statement]
        positions = Positions(self.text)
        indent = re.match(r"[ \t]*", positions.line(start.row))
        assert indent is not None
        header = f"if 1:{self.module.default_newline}{indent[0]}" if indent[0] else f"pass{self.module.default_newline}"
        origin = Positions(header).at(len(header))
        edits = [
            Edit(e.content, *(_moved(place, start, origin) for place in (e.location, e.end_location)))
            for e in self.imports[statement]
        ]
        node: cst.CSTNode = self._parse(apply_edits(header + positions.slice(start, end), edits)).body[-1]
        while isinstance(node, cst.If | cst.IndentedBlock | cst.SimpleStatementLine):
            node = node.body if isinstance(node, cst.If) else node.body[0]
        return node

    def _parse(self, code: str) -> cst.Module:
        return cst.parse_module(code, self.module.config_for_parsing)

    def _line(self, original: cst.SimpleStatementLine, updated: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
        """Return a line without the statements that are removed, a placeholder if none are left."""
        pairs = zip(original.body, updated.body, strict=True)
        kept = [new for old, new in pairs if old not in self.removed]
        if kept and original.body[-1] in self.removed:
            kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        if kept:
            return updated.with_changes(body=kept)
        placeholder = cst.Pass()
        self.placeholders[placeholder] = self.removed[original.body[-1]]
        return updated.with_changes(body=[placeholder])

    def _insert(self, module: cst.Module) -> cst.Module:
        """Return the module with the new lines; its statements are still as many as in the original."""
        starts = [self.outer[s][0].row + len(_leading(s)) for s in self.module.body]
        for edit in sorted(self.inserted, key=lambda e: e.location, reverse=True):
            row, content = edit.location.row, edit.content
            if edit.location.column > 1:  # below a last line without a line ending
                row, content = row + 1, content.removeprefix("\r").removeprefix("\n")
            # the first line ending is the default one of a module
            new = self._parse(f"pass{self.module.default_newline}{content}")
            index = next((i for i, start in enumerate(starts) if start >= row), len(starts))
            module = _insert_statements(module, index, new, self._lines_above(module, index, row, starts))
        return module

    def _lines_above(self, module: cst.Module, index: int, row: int, starts: Sequence[int]) -> int:
        """Return how many of the empty lines and comments above a statement are above a row."""
        if index == len(starts):
            return row - self.outer[self.module.body[-1]][1].row
        header = module.header if index == 0 else ()
        return len(header) + len(_leading(module.body[index])) - (starts[index] - row)


def _insert_statements(module: cst.Module, index: int, new: cst.Module, above: int) -> cst.Module:
    """Insert all statements but the first of `new` before the one at an index, below the first lines `above` it."""
    body = list(module.body)
    at_end = index == len(body)
    lines = [*module.footer] if at_end else [*(module.header if index == 0 else ()), *_leading(body[index])]
    _, first, *rest = new.body
    before, after = [*lines[:above], *_leading(first)], [*new.footer, *lines[above:]]
    if not at_end:
        body[index] = body[index].with_changes(leading_lines=after)
    body[index:index] = [first.with_changes(leading_lines=before if index else ()), *rest]
    return module.with_changes(
        body=body, header=module.header if index else before, footer=after if at_end else module.footer
    )


def _without(block: cst.Module | cst.IndentedBlock, placeholders: dict[cst.CSTNode, int]) -> cst.CSTNode:
    """Drop the lines of a block that hold a placeholder; the comments above them go to the next statement."""
    body: list[cst.CSTNode] = []
    orphans: list[cst.EmptyLine] = []
    gone = 0
    for statement in block.body:
        lines = _leading(statement)[gone:]
        if isinstance(statement, cst.SimpleStatementLine) and statement.body[0] in placeholders:
            orphans += lines
            gone = placeholders[statement.body[0]]
        else:
            body.append(statement.with_changes(leading_lines=[*orphans, *lines]) if orphans or gone else statement)
            orphans, gone = [], 0
    return block if len(body) == len(block.body) else block.with_changes(body=body, footer=[*orphans, *block.footer])


def _leading(statement: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    return cast(Sequence[cst.EmptyLine], getattr(statement, "leading_lines", ()))


def _by_node(ranges: Mapping[cst.CSTNode, object]) -> dict[cst.CSTNode, Span]:
    return {
        node: (Location(r.start.line, r.start.column + 1), Location(r.end.line, r.end.column + 1))
        for node, r in cast(Mapping[cst.CSTNode, CodeRange], ranges).items()
    }


def _moved(place: Location, start: Location, origin: Location) -> Location:
    """Return a place counted from `origin` as it was counted from `start`."""
    column = place.column - start.column + origin.column if place.row == start.row else place.column
    return Location(place.row - start.row + origin.row, column)
