"""Where a new import statement goes: one line, in the section it belongs to, in that section's order."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import groupby, pairwise
from typing import Any

from pytest_lse.lint.finding import Edit, Location
from pytest_lse.lint.positions import Positions

ImportStatement = ast.Import | ast.ImportFrom

# The packages beside which a reader looks for SciPy or a framework, when a section is in no order.
_NUMERIC = {"numpy", "scipy", "torch", "jax", "tensorflow", "pandas", "sklearn", "matplotlib", "keras"}


class Kind(IntEnum):
    """isort's sections."""

    STANDARD = 0
    THIRD_PARTY = 1
    LOCAL = 2


def module_of(statement: ImportStatement) -> str:
    """Return the module that the statement imports, the first of several."""
    if isinstance(statement, ast.Import):
        return statement.names[0].name
    return "." * statement.level + (statement.module or "")


# Which of them a block follows is seen from the block; the first that fits is taken.
_ORDERS: tuple[Callable[[ImportStatement], Any], ...] = (
    lambda s: (isinstance(s, ast.ImportFrom), module_of(s).lower()),  # isort's default, and ruff's
    lambda s: (module_of(s).lower(), isinstance(s, ast.ImportFrom)),  # force_sort_within_sections
    lambda s: (isinstance(s, ast.Import), module_of(s).lower()),  # from_first
)


class Place:
    """The top of a module, and where in it there is room.

    Parameters
    ----------
    tree, positions
        The module and its text.
    package
        Top-level package that the file belongs to: its imports are local ones.
    """

    def __init__(self, tree: ast.Module, positions: Positions, package: str | None) -> None:
        self.body = tree.body
        self.positions = positions
        self.package = package

    def insert(self, statement: str, before: int) -> Edit | None:
        """Return the edit that adds an import statement above a row, None where a line has no room for one.

        Parameters
        ----------
        statement
            One import statement, without a line ending.
        before
            Row of the top-level statement that needs the import.
        """
        (new,) = ast.parse(statement).body
        assert isinstance(new, ImportStatement)
        sections = self._sections(before)
        kind = self._kind(new)
        same = [s for s in sections if any(self._kind(e) == kind for e in s)]
        if same:
            return self._into(max(same, key=lambda s: self._affinity(s, new)), new, statement, kind)
        lower = [s for s in sections if any(self._kind(e) < kind for e in s)]
        if lower:
            last = [e for e in lower[-1] if self._kind(e) < kind][-1]
            alone = last is lower[-1][-1]
            return self._after(last, statement, blank=alone)
        if sections:
            return self._above(sections[0][0], statement)
        return self._at_top(statement)

    def _kind(self, statement: ImportStatement) -> Kind:
        root = module_of(statement).partition(".")[0]
        if root in ("", self.package):
            return Kind.LOCAL
        return Kind.STANDARD if root in sys.stdlib_module_names else Kind.THIRD_PARTY

    def _sections(self, before: int) -> list[list[ImportStatement]]:
        """Return the runs of imports without an empty line or another statement between them."""
        numbered = [(s, i) for i, s in enumerate(self.body) if isinstance(s, ImportStatement) and not _is_future(s)]
        numbered = [(s, i) for s, i in numbered if (s.end_lineno or s.lineno) < before]
        breaks, count = {}, 0
        for (a, i), (b, j) in pairwise(numbered):
            rows = range((a.end_lineno or a.lineno) + 1, b.lineno)
            count += j != i + 1 or any(not self.positions.line(row).strip() for row in rows)
            breaks[b] = count
        return [[s for s, _ in run] for _, run in groupby(numbered, key=lambda si: breaks.get(si[0], 0))]

    def _affinity(self, section: Sequence[ImportStatement], new: ImportStatement) -> tuple[bool, bool]:
        roots = {module_of(s).partition(".")[0] for s in section}
        return module_of(new).partition(".")[0] in roots, bool(roots & _NUMERIC)

    def _into(self, section: list[ImportStatement], new: ImportStatement, text: str, kind: Kind) -> Edit | None:
        entries = [e for e in section if self._kind(e) == kind]
        order = next((key for key in _ORDERS if entries == sorted(entries, key=key)), None)
        if order is not None:
            smaller = [e for e in entries if order(e) <= order(new)]
        else:
            roots = [module_of(e).partition(".")[0] for e in entries]
            root = module_of(new).partition(".")[0]
            kin = [e for e, r in zip(entries, roots, strict=True) if r == root]
            numeric = [e for e, r in zip(entries, roots, strict=True) if r in _NUMERIC]
            smaller = kin or numeric or entries
        if smaller:
            return self._after(smaller[-1], text)
        return self._at_row(entries[0].lineno, text)

    def _above(self, first: ImportStatement, text: str) -> Edit | None:
        """Open a section above another one and the comments on it, but below those that begin the file."""
        row = self._top_of_comments(first.lineno)
        return self._at_row(first.lineno if row == 1 else row, text, blank=1)

    def _at_top(self, text: str) -> Edit | None:
        """Open the first section: below the docstring, the __future__ imports or the comments that begin the file."""
        anchors = [s for s in self.body if _is_future(s)] or [s for s in self.body[:1] if _is_docstring(s)]
        if anchors:
            return self._after(anchors[-1], text, blank=True)
        first = self.body[0]
        definition = isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        decorators = first.decorator_list if definition else []  # type: ignore[attr-defined]
        first_row = min([first.lineno, *(d.lineno for d in decorators)])
        row = self._top_of_comments(first_row)
        return self._at_row(first_row if row == 1 else row, text, blank=2 if definition else 1)

    def _top_of_comments(self, row: int) -> int:
        """Return the first row of the comments that end directly above a row."""
        while row > 1 and self.positions.line(row - 1).lstrip().startswith("#"):
            row -= 1
        return row

    def _after(self, anchor: ast.stmt, text: str, *, blank: bool = False) -> Edit:
        """Insert below a statement; with `blank`, as a section of its own."""
        row = anchor.end_lineno or anchor.lineno
        for statement in self.body:  # the logical line may hold more statements, which may end further down
            if statement.lineno > row:
                break
            row = max(row, statement.end_lineno or row)
            while self._continues(row):
                row += 1
        newline = self._newline(row)
        before = newline if blank else ""
        if not self.positions.line(row).endswith(("\r", "\n")):
            end = self.positions.at(len(self.positions.text))
            return Edit(newline + before + text, end, end)
        place = Location(row + 1, 1)
        return Edit(before + text + newline * (1 + (self._missing(row + 1) if blank else 0)), place, place)

    def _missing(self, row: int) -> int:
        """Return how many empty lines a section that ends above a row lacks below it: two belong above a definition."""
        rest = [self.positions.line(r).strip() for r in range(row, len(self.positions.starts) + 1)]
        empty = next((i for i, line in enumerate(rest) if line), None)
        if empty is None:
            return 0
        return max(0, (2 if rest[empty].startswith(("def ", "class ", "async ", "@")) else 1) - empty)

    def _continues(self, row: int) -> bool:
        return self.positions.line(row).rstrip("\r\n").endswith("\\")

    def _at_row(self, row: int, text: str, *, blank: int = 0) -> Edit | None:
        """Insert above a row, with that many empty lines between."""
        if row > 1 and self._continues(row - 1):
            return None
        place = Location(row, 1)
        return Edit(text + self._newline(row) * (1 + blank), place, place)

    def _newline(self, row: int) -> str:
        """Return the line ending of a row, or of the first one if the row has none."""
        for line in (self.positions.line(row), self.positions.line(1)):
            for newline in ("\r\n", "\n", "\r"):
                if line.endswith(newline):
                    return newline
        return "\n"


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_docstring(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False
