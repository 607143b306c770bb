"""A module's tree in which most functions are stubs, and the functions themselves when they are wanted."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection

from pytest_lse.lint.code import UncertainError
from pytest_lse.lint.lower.calls import STILL
from pytest_lse.lint.units import FUNCTION, METHOD, STORED, Unit, Units

_IMPORT = re.compile(r"(?<![\w.])(?:from[ \t]+[\w.]+[ \t]+)?import\b[ \t]*(?:\([^)]*\)|[^\n;]*)")
_NONE = re.compile(r"\.[ \t]*(\w+)[ \t]*=[ \t]*None[ \t]*(?=[\n;])")
#: modules that stay what they are
_KEPT = re.compile(rf"\.[ \t]*(\w+)[ \t]*=[ \t]*self\.\1\.(?:{'|'.join(STILL)})\([^()\n]*\)[ \t]*(?=[\n;])")
#: attributes that are assigned in other ways than by a statement of their own
_STORED_OTHERWISE = re.compile(
    r"\n[^\n=]*\.[ \t]*\w+\]?[ \t]*[,)\]][^\n]*=(?!=)"
    r"|\.[ \t]*\w+\[[^\n]*\][ \t]*[-+*/]?=(?!=)"
    r"|\b(?:as|for)[ \t][^\n:]*\.[ \t]*\w|\n[ \t]*[\w.\[\]]+\.\w+[ \t]*:"
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Reduced:
    """A module of which the kept functions are parsed, and the others one by one.

    Attributes
    ----------
    tree
        The module, its nodes where they stand in the text; functions that are not kept are stubs.
    imports
        The import statements inside of those.
    stubs
        Row of the `def` of each stub -> its unit.
    cold
        Row of each function that is not kept -> its unit's index, also of those of which no stub can be made.
    """

    def __init__(self, text: str, units: Units, kept: Collection[int]) -> None:
        self._lines = text.split("\n")
        self._ends: dict[int, int] = {}
        self.stubs: dict[int, Unit] = {}
        self.cold: dict[int, int] = {}
        lines = list(self._lines)
        imports: list[str] = []
        ends = [*(u.first for u in units.units[1:]), len(lines) + 1]
        for i, unit in enumerate(units.units):
            if i in kept or unit.kind not in (FUNCTION, METHOD):
                continue
            self.cold[unit.row] = i
            stub = _stub(unit, units.text(unit), imports)
            if stub is None:
                continue
            self.stubs[unit.row] = unit
            self._ends[unit.row] = ends[i]
            count = ends[i] - unit.first
            lines[unit.first - 1 : ends[i] - 1] = [""] * count
            lines[unit.row - 1] = unit.indent + stub
        self.tree = _parsed("\n".join(lines))
        self.imports = _parsed("\n".join(imports)).body

    def load(self, row: int) -> Definition | None:
        """Return the function of a stub, None where there is none in that row.

        Raises
        ------
        UncertainError
            It does not parse on its own.
        """
        unit = self.stubs.get(row)
        if unit is None:
            return None
        lines = self._lines[unit.first - 1 : self._ends[row] - 1]
        # The lines before it are empty; a method needs a block to be in.
        head = "\n" * (unit.first - 2) + "if 1:\n" if unit.indent else "\n" * (unit.first - 1)
        body: list[ast.stmt] = _parsed(head + "\n".join(lines)).body
        if unit.indent and isinstance(body[0], ast.If):
            body = body[0].body
        if len(body) != 1 or not isinstance(body[0], Definition) or body[0].lineno != row:
            raise UncertainError
        return body[0]


def _stub(unit: Unit, code: str, imports: list[str]) -> str | None:
    """Return a definition that says as much of the class as the method does, None if that takes the whole method."""
    stored: dict[str, None] = {}
    if unit.kind == METHOD and "." in code:
        if _STORED_OTHERWISE.search(code):
            return None
        names, empty = Counter(STORED.findall(code)), Counter([*_NONE.findall(code), *_KEPT.findall(code)])
        stored = {name: None for name, count in names.items() if count > empty[name]}
    if "import" in code:
        imports += _IMPORT.findall(code)
    return f"def {unit.name}(): " + "".join(f"self.{name} = " for name in stored) + ("_()" if stored else "0")


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        raise UncertainError from None
