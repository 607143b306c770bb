"""Which functions of a module can hold a finding? The others need not be parsed.

A pattern needs words (see `prefilter`). A function can hold a finding only if the words of one pattern stand in it or
in what it can reach: values come to it from functions, classes and variables that it names, and from its class. What
cannot be told from the lines is left to the parser: then the whole file is analysed.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache, cached_property

from pytest_lse.lint.code import code
from pytest_lse.lint.prefilter import OPERATORS, POWER, Group, expression, power_of_e
from pytest_lse.lint.units import FUNCTION, IMPORT, METHOD, MODULE, STORED, Units

_NAME = re.compile(r"[^\W\d]\w*")
_DEFINED = re.compile(r"(?<!\w)(?:def|class)[ \t]+(\w+)")
_ALIAS = re.compile(r"(\w+)[ \t]+as[ \t]+(\w+)")
_COMMON = frozenset({*keyword.kwlist, *dir(builtins), "self", "cls"})
#: methods that the call of a class or of an instance means
_CALLED = frozenset({"__init__", "forward", "__call__", "call"})
#: a statement with more names is a table of something: it may go anywhere
_MANY = 300


def cut(text: str, needs: tuple[tuple[Group, ...], ...]) -> Reach | None:
    """Return where the patterns with these needs can be, None if they can be nowhere.

    Raises
    ------
    UncertainError
        Only the parser can tell.
    """
    reach = Reach(Units(code(text)), _table(needs))
    return reach if reach.possible() else None


class _Table:
    """The words as bits, one for each group."""

    def __init__(self, needs: tuple[tuple[Group, ...], ...]) -> None:
        sets = [frozenset(need) for need in needs]
        # What satisfies a larger need satisfies the smaller one.
        least = [s for s in sets if not any(other < s for other in sets)]
        bits: dict[Group, int] = {}
        self.words: dict[str, int] = defaultdict(int)
        #: bits of the groups that operators belong to: nearly every function has those
        self.operators = 0
        self.needs: set[int] = set()
        for need in least:
            for group in need:
                if group in bits:
                    continue
                bits[group] = bit = 1 << len(bits)
                if not OPERATORS.isdisjoint(group):
                    self.operators |= bit
                for word in group:
                    self.words[word] |= bit
            self.needs.add(sum(bits[group] for group in need))
        self.operator_words = [w for w, b in self.words.items() if b & self.operators]
        for word in self.operator_words:
            if not self.words[word] & ~self.operators:
                del self.words[word]

    def satisfied(self, mask: int) -> bool:
        return any(need & mask == need for need in self.needs)


_table = cache(_Table)


class Reach:
    """Which words stand in each unit, or in what values can come to it from.

    Attributes
    ----------
    units
        The module.
    own
        The words of each unit, as bits.
    """

    def __init__(self, units: Units, table: _Table) -> None:
        self.units = units
        self.table = table
        self.own = [0] * len(units.units)
        self._mentions: dict[str, list[int]] = {}
        self._operators: dict[int, bool] = {}
        self._find_words()

    def possible(self) -> bool:
        """Return whether any unit can hold a pattern, wherever values go."""
        total = self.table.operators
        for mask in self.own:
            total |= mask
        return self.table.satisfied(total) and bool(self.hot(lambda i: True))

    def carriers(self) -> set[int]:
        """Return the units with words of a pattern."""
        return {i for i, mask in enumerate(self.own) if mask}

    def hot(self, is_open: Callable[[int], bool]) -> set[int]:
        """Return the units that reach all words of a pattern.

        Parameters
        ----------
        is_open
            Whether values that are made of words can leave a function.
        """
        return {i for i, mask in enumerate(self._reached(is_open)) if mask and self._satisfied(i, mask)}

    def touched(self, is_open: Callable[[int], bool]) -> set[int]:
        """Return the units that reach any word of a pattern."""
        return {i for i, mask in enumerate(self._reached(is_open)) if mask}

    def _reached(self, is_open: Callable[[int], bool]) -> list[int]:
        units, reached = self.units.units, list(self.own)
        todo = [i for i, mask in enumerate(reached) if mask]
        while todo:
            i = todo.pop()
            unit = units[i]
            if unit.kind in (FUNCTION, METHOD) and unit.name != "__init__" and not is_open(i):
                continue
            mask = reached[i]
            for j in self._readers(i):
                if reached[j] | mask != reached[j] and units[j].kind != IMPORT:
                    reached[j] |= mask
                    todo.append(j)
        return reached

    def _satisfied(self, i: int, mask: int) -> bool:
        if self.table.satisfied(mask):
            return True
        return self.table.satisfied(mask | self.table.operators) and self._has_operators(i)

    def _has_operators(self, i: int) -> bool:
        """Return whether operators stand in a unit, or can come from something it names."""
        if i not in self._operators:
            unit = self.units.units[i]
            text = self.units.text(unit)
            self._operators[i] = (
                unit.owner >= 0
                or any(w in text for w in self.table.operator_words)
                or not self.defined.keys().isdisjoint(self.names(i) - {unit.name})
            )
        return self._operators[i]

    def _find_words(self) -> None:
        text, at, own = self.units.code, self.units.at, self.own
        for word, bits in self.table.words.items():
            if word == POWER:
                places = self._powers()
            elif word in text:
                places = _places(word, text)
            else:
                continue
            for place in places:
                own[at(place)] |= bits
        for i, unit in enumerate(self.units.units):
            if unit.kind == IMPORT and own[i]:
                own[i] = 0
                # A word that has been given another name is found by that.
                for name, alias in _ALIAS.findall(self.units.text(unit)):
                    if bits := self.table.words.get(name, 0):
                        for j in self.mentions(alias):
                            own[j] |= bits if j != i else 0

    def _powers(self) -> Iterator[int]:
        text = self.units.code
        if power_of_e(text.encode("utf-8", "replace")):
            yield from (m.start() for m in re.finditer(r"\*\*|pow", text))

    def mentions(self, name: str) -> list[int]:
        """Return the units in which a name stands."""
        if name not in self._mentions:
            places = map(self.units.at, _places(name, self.units.code))
            self._mentions[name] = list(dict.fromkeys(places))
        return self._mentions[name]

    @cached_property
    def defined(self) -> dict[str, list[int]]:
        """Name of a function, method or class -> the units that define it."""
        found: dict[str, list[int]] = defaultdict(list)
        for m in _DEFINED.finditer(self.units.code):
            found[m[1]].append(self.units.at(m.start()))
        return found

    @cached_property
    def _imported(self) -> set[str]:
        texts = (self.units.text(u) for u in self.units.units if u.kind == IMPORT)
        return {name for text in texts for name in _NAME.findall(text)}

    def names(self, i: int) -> set[str]:
        """Return the names in a unit."""
        return set(_NAME.findall(self.units.text(self.units.units[i])))

    def variables(self, i: int) -> set[str]:
        """Return the names in a statement of the module that may be its variables, or functions inside it."""
        own = self.names(i)
        functions = {n for n in own & self.defined.keys() if i not in self.defined[n]}
        return own - _COMMON - functions - self._imported

    def _readers(self, i: int) -> Iterator[int]:
        """Yield the units that values of a unit can go to."""
        unit = self.units.units[i]
        if unit.kind == METHOD and unit.name != "__init__":
            stored = dict.fromkeys(STORED.findall(self.units.text(unit)))
            if stored:
                yield from self.units.classes[unit.owner]
            for name in stored:
                yield from self.mentions(name)
        if unit.kind == MODULE:
            variables = self.variables(i)
            if len(variables) > _MANY:
                yield from range(len(self.units.units))
            for name in variables:
                yield from self.mentions(name)
        elif unit.kind == FUNCTION or (unit.kind == METHOD and unit.name not in _CALLED):
            yield from self.mentions(unit.name)
        else:
            members = self.units.classes[unit.owner]
            if unit.kind != METHOD or unit.name == "__init__":
                yield from members
            else:
                yield from members  # as `self(x)`
                yield from self.mentions(unit.name)
            if unit.name != "__init__":
                yield from self.mentions(self.units.units[members[0]].name)


def _places(word: str, text: str) -> Iterator[int]:
    if word in OPERATORS:
        at = text.find(word)
        while at >= 0:
            yield at
            at = text.find(word, at + len(word))
    else:
        yield from (m.start() for m in expression(word).finditer(text))
