"""The functions, methods and other statements of a module, told from its lines alone.

A unit is a stretch of lines: a function of the module or of a class of the module, with its decorators and all that is
nested in it, or one statement outside of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache

from pytest_lse.lint.code import UncertainError, code

_NEXT = r"(?:(@)|(?:async[ \t]+)?(def|class)[ \t]+(\w+)|(from|import)\b|(?!(?:else|elif|except|finally)\b)[^\s)\]}])"
#: an attribute that a statement assigns or changes
STORED = re.compile(r"\.[ \t]*(\w+)[ \t]*(?:[-+*/%@&|^]|//|\*\*|<<|>>)?=(?!=)")
_TOP = re.compile(r"\n" + _NEXT)
_FIRST_METHOD = re.compile(r"\n([ \t]+)(?:@|(?:async[ \t]+)?(?:def|class)[ \t])")

MODULE, IMPORT, FUNCTION, CLASS, METHOD, MEMBER = range(6)


class Unit:
    """A stretch of lines.

    Attributes
    ----------
    kind
        `FUNCTION`, `METHOD`; `CLASS` for the lines of a class before its first method, `MEMBER` for others between
        its methods; `IMPORT` and `MODULE` for statements outside of functions and classes.
    name
        Of the function, method or class.
    start, end
        Indices in the code.
    first, row
        Its first line, and the one with `def` or `class`, 1-based.
    indent
        What stands in front of it.
    owner
        The index of its class among the classes, for the kinds of a class.
    """

    __slots__ = ("end", "first", "indent", "kind", "name", "owner", "row", "start")

    def __init__(self, kind: int, name: str, start: int, at: int, indent: str = "", owner: int = -1) -> None:
        self.kind = kind
        self.name = name
        self.start = start
        self.end = start
        self.first = start
        self.row = at
        self.indent = indent
        self.owner = owner


class Units:
    """All units of a module's code, in order."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.units: list[Unit] = []
        #: class -> the indices of its units
        self.classes: list[list[int]] = []
        for unit in _split(code, _TOP, 0, len(code), "", -1):
            if unit.kind == CLASS:
                unit.owner = len(self.classes)
                self.classes.append([])
                self._members(unit)
            else:
                self.units.append(unit)
        for i, unit in enumerate(self.units):
            if unit.owner >= 0:
                self.classes[unit.owner].append(i)
        self._starts = [u.start for u in self.units]
        row, last = 0, 0
        for unit in self.units:
            row += code.count("\n", last, unit.start)
            last = unit.start
            unit.first, unit.row = row, row + code.count("\n", last, unit.row)

    @classmethod
    def of(cls, text: str) -> Units:
        """Return the units of a text.

        Raises
        ------
        UncertainError
            Only the parser can tell.
        """
        return cls(code(text))

    def _members(self, unit: Unit) -> None:
        """Split a class at its methods."""
        self.units.append(unit)
        first = _FIRST_METHOD.search(self.code, unit.row, unit.end)
        if first is None:
            return
        indent = first[1]
        end = unit.end
        unit.end = first.start() + 1
        self.units += _split(self.code, _inner(indent), first.start(), end, indent, unit.owner)

    def at(self, index: int) -> int:
        """Return which unit an index of the code belongs to."""
        return max(bisect_right(self._starts, index) - 1, 0)

    def text(self, unit: Unit) -> str:
        """Return the code of a unit."""
        return self.code[unit.start : unit.end]


@cache
def _inner(indent: str) -> re.Pattern[str]:
    return re.compile(r"\n" + indent + _NEXT)


def _split(code: str, pattern: re.Pattern[str], begin: int, end: int, indent: str, owner: int) -> list[Unit]:
    units: list[Unit] = []
    decorated = -1
    for m in pattern.finditer(code, begin, end):
        at = m.start() + 1
        decorator, keyword, name, imports = m.groups()
        if decorator:
            decorated = at if decorated < 0 else decorated
            continue
        if keyword == "def":
            kind = FUNCTION if owner < 0 else METHOD
        elif keyword == "class":
            kind = CLASS if owner < 0 else MEMBER
        elif decorated >= 0:
            raise UncertainError
        elif owner < 0:
            kind = IMPORT if imports else MODULE
        else:
            kind = MEMBER
        start = at if decorated < 0 else decorated
        decorated = -1
        if units:
            units[-1].end = start
        units.append(Unit(kind, name or "", start, at, indent, owner))
    if decorated >= 0:
        raise UncertainError
    if units:
        units[-1].end = end
    return units
