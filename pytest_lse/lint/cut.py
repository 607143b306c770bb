"""Which functions of a module can hold a finding? The others need not be lowered, and most not even parsed.

The functions with words of a pattern are parsed one by one, and what their values are made of is followed (`flow`):
from there to whatever names them, and, where such a value is passed to a function of the module, into that. What
cannot be told from the lines is left to the parser: then the whole file is analysed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property

from pytest_lse.lint.code import UncertainError, code
from pytest_lse.lint.flow import ARGUMENT, CALLED, NUMBER, Flow, Table, table
from pytest_lse.lint.neighbours import Place, idle, inherited
from pytest_lse.lint.prefilter import (
    OPERATORS,
    POWER,
    PROBABILITIES,
    Form,
    Group,
    applied,
    expression,
    groups,
    power_of_e,
)
from pytest_lse.lint.units import CLASS, FUNCTION, IMPORT, MEMBER, METHOD, MODULE, Units

_NAME = re.compile(r"[^\W\d]\w*")
_STORED = re.compile(r"(\.\w+)[ \t]*(?:[-+*/@%&|^<>]*=|[,:)\]]|in\b)")
#: a function of more lines computes something: it does not just say what a constant is
_LONG = 20
_INSTANCES = ("self", "cls")
#: a parameter that is a number unless it is given
_DEFAULT = re.compile(r"\w[ \t]*=[ \t]*[-+]?(?:[\d.]|True\b|False\b)")
_IMPORTED_AS = re.compile(r"(\w+)[ \t]+as[ \t]+(\w+)")


def cut(text: str, forms: tuple[Form, ...], brought: Callable[[], dict[str, Place | None]] = dict) -> Cut | None:
    """Return where the patterns with these forms can be, None if they can be nowhere.

    Parameters
    ----------
    text
        The module.
    forms
        What the patterns are made of.
    brought
        Returns the names that it imports from modules which make probabilities, and where those are defined; called
        only if that matters.

    Raises
    ------
    UncertainError
        Only the parser can tell.
    """
    plain = code(text)
    power = power_of_e(plain.encode("utf-8", "replace"))
    held: dict[Group, bool] = {}

    def holds(group: Group) -> bool:
        if group not in held:
            held[group] = (
                not OPERATORS.isdisjoint(group)
                or any(word in plain and applied(word).search(plain) for word in group)
                or (power and POWER in group)
            )
        return held[group]

    def is_given(group: Group) -> bool:
        return not set(PROBABILITIES).isdisjoint(group)

    # The words of the other forms need not be followed.
    here = tuple(f for f in forms if all(map(holds, groups(f))))
    with_given = tuple(f for f in forms if all(is_given(g) or holds(g) for g in groups(f)))
    names = brought() if any(is_given(g) for f in with_given for g in groups(f)) else {}
    if names:
        here = with_given
    if not here:
        return None
    found = Cut(text, Units(plain), here, power=power)
    found.bring(names)
    found.follow()
    return found if found.hot else None


class Cut:
    """The functions of a module that can hold a finding.

    Attributes
    ----------
    units
        The module.
    hot
        The indices of the units that can hold one.
    """

    def __init__(self, text: str, units: Units, forms: tuple[Form, ...], *, power: bool) -> None:
        self.units = units
        self.hot: set[int] = set()
        self._power = power
        self._table: Table = table(forms)
        self._lines = text.split("\n")
        #: what the units that have been looked at say of a name, or of a dot and an attribute
        self._told: dict[str, int] = {}
        #: attributes of which all that assigns them has been looked at: they are what that says
        self._settled: set[str] = set()
        names = dict.fromkeys(map(self._class_name, range(len(self.units.classes))))
        self._classes = (1 << len(names)) - 1 << self._table.size
        #: what names can hold, as far as it is known, with the bit of the name: it may be called
        self._keys = [*{**names, **self._makers}]
        self._bits = {key: 1 << i for i, key in enumerate(self._keys)}
        self._known = {key: ARGUMENT | bit << self._table.size for key, bit in self._bits.items()}
        #: unit that has been looked at -> its values
        self._flows: dict[int, Flow] = {}
        #: name -> the units that read it
        self._readers: dict[str, set[int]] = {}
        #: what values hold when their names have been looked at, as long as nothing more is learnt
        self._resolved: dict[int, tuple[int, int]] = {}
        self._learnt = 0
        self._running: set[int] = set()
        #: unit -> the names, and the bits of called ones, of which more is known since it has been looked at
        self._todo: dict[int, tuple[set[str], int]] = {}
        #: module that is imported -> names in it that make no probabilities
        self._modules: dict[str, frozenset[str]] = {}

    def follow(self) -> None:
        """Find the hot units."""
        for i in self._sources():
            self._wait_for(i)
        while self._todo:
            i, (names, called) = self._todo.popitem()
            self._look_at(i, names, called)
        self._flows.clear()  # with the trees: they refer to this object, and would live on until cycles are looked for
        self._add_callers()

    def _add_callers(self) -> None:
        """Let what calls a hot function be hot too if that has defaults: with these it may be a pattern there."""
        for i in tuple(self.hot):
            unit = self.units.units[i]
            if unit.kind in (FUNCTION, METHOD) and _DEFAULT.search(self.units.text(unit).partition(":\n")[0]):
                key = unit.name if unit.kind == FUNCTION else f".{unit.name}"
                self.hot.update(j for j in self._mentions(key) if self.units.units[j].kind != IMPORT)

    def is_idle(self, i: int) -> bool:
        """Return whether a function is long, and returns nothing of interest that it is not given."""
        unit = self.units.units[i]
        key = unit.name if unit.kind == FUNCTION else f"{unit.owner}.{unit.name}"
        is_long = self.units.text(unit).count("\n") > _LONG
        return is_long and unit.name != "__init__" and not self._told.get(key, 0) & self._table.followed

    def bring(self, names: dict[str, Place | None]) -> None:
        """Let names hold any probability: what they are is another module's matter."""
        for name, place in names.items():
            if place is not None and not place[1]:
                self._modules[name] = idle(place[0])
            self._told[name] = self._known[name] = self._table.probability
            for i in self._mentions(name):
                self._wait_for(i)
        for owner, head in enumerate(self._heads if names else ()):
            bases = names.keys() & _NAME.findall(head)
            members: set[str] | None = set()
            for base in bases:
                place = names[base]
                more = inherited(*place) if place is not None and place[1] else None
                members = None if members is None or more is None else members | more
            if bases and members != set():
                self._inherit(owner, members)

    def _inherit(self, owner: int, members: set[str] | None) -> None:
        """Let a class have members that hold any probability, None if not even their names are known."""
        units = self.units
        for name in members or ("",):
            self._known[f"{owner}.{name}"] = self._known.get(f"{owner}.{name}", 0) | self._table.probability
        for i in units.classes[owner]:
            text = units.text(units.units[i])
            if members is None:
                is_concerned = self._table.takes_probability(text)
            else:
                is_concerned = not members.isdisjoint(_NAME.findall(text)) or (
                    "self(" in text and not members.isdisjoint(CALLED)
                )
            if is_concerned:
                self._wait_for(i)

    def _sources(self) -> Iterator[int]:
        """Yield the units with words that must be in an argument."""
        text, table = self.units.code, self._table
        places = [at for word in table.sought if word in text for at in self._places(word)]
        if self._power and table.power:
            places += [*self._places_of("**", text), *self._places("pow")]
        for at in places:
            i = self.units.at(at)
            if self.units.units[i].kind == IMPORT:
                self._aliases(i)
            else:
                yield i

    def _aliases(self, i: int) -> None:
        """A word that has been given another name is found by that."""
        for name, alias in _IMPORTED_AS.findall(self.units.text(self.units.units[i])):
            self._learn(alias, self._table.words.get(name, 0))

    @staticmethod
    def _places_of(literal: str, text: str) -> Iterator[int]:
        at = text.find(literal)
        while at >= 0:
            yield at
            at = text.find(literal, at + len(literal))

    def _places(self, word: str) -> list[int]:
        return [m.start() for m in expression(word).finditer(self.units.code)] if word in self.units.code else []

    def _mentions(self, key: str) -> Iterator[int]:
        """Yield the units that may ask for a name, or for an attribute."""
        text, units = self.units.code, self.units
        owner, dot, name = key.rpartition(".")
        if owner and name in CALLED:  # `self(x)`
            yield from (i for i in units.classes[int(owner)] if "self(" in units.text(units.units[i]))
        for at in self._places_of(name, text):
            if _in_a_word(text, at, at + len(name)) or (text[at - 1] == "." and not dot):
                continue
            if not dot:
                yield units.at(at)
            elif text[at - 1] in ". \t\n" and text[at - 4 : at] != "def ":
                is_own = text[at - 5 : at] == "self."
                i = units.at(at)
                if text[at - 1] != "." and units.units[i].kind not in (CLASS, MEMBER):
                    continue  # the name of a variable
                if (owner and units.units[i].owner == int(owner)) or not (owner or is_own):
                    yield i
        if dot and name in CALLED:
            yield from (units.at(at) for at in self._places_of("self(", text))

    # ---- looking at one unit

    def _wait_for(self, i: int) -> None:
        if i not in self._flows and self.units.units[i].kind != IMPORT:
            self._todo.setdefault(i, (set(), 0))

    def _wait_again(self, i: int, name: str, called: int) -> None:
        names, bits = self._todo.get(i, (set(), 0))
        names.add(name)
        self._todo[i] = names, bits | called

    def _look_at(self, i: int, names: set[str] | None = None, called: int = 0) -> None:
        if i in self._running:
            return
        self._running.add(i)
        flow = self._flows.get(i)
        if flow is None:
            flow = self._first_look(i)
        elif names is not None:
            flow.resume(names, called)
        self._running.discard(i)
        for name in flow.all_read():
            self._readers.setdefault(name, set()).add(i)
        if flow.hot:
            self.hot.add(i)
        unit = self.units.units[i]
        if unit.name == "__init__" and unit.kind == METHOD:
            self._settle(i, flow)
        for key, mask in self._says(i, flow):
            self._learn(key, mask)

    def _first_look(self, i: int) -> Flow:
        unit = self.units.units[i]
        if unit.kind == METHOD:
            for j in self._makers.get(f"{unit.owner}.__init__", ()):
                if j not in self._flows:
                    self._look_at(j)
        flow = self._flows[i] = Flow(
            self._table,
            self._known,
            self._seen,
            power=self._power,
            owner=unit.owner,
            classes=self._classes,
            idle=self._modules,
        )
        tree = self._parsed(i)
        if unit.kind in (FUNCTION, METHOD):
            flow.function(tree[0], is_method=unit.kind == METHOD)  # type: ignore[arg-type]
        else:
            flow.statements(tree)
        return flow

    def _settle(self, i: int, flow: Flow) -> None:
        for name in flow.news:
            key = f"{self.units.units[i].owner}{name}"
            if name[0] == "." and self._makers.get(key) == [i] and key not in self._settled:
                self._settled.add(key)
                self._known[key] = self._told.get(key, 0)

    def _seen(self, flow: Flow, mask: int) -> int:
        """Return what a value can hold when the names in it have been looked at, and all that those hold in turn."""
        size = self._table.size
        key = mask >> size
        while key not in self._resolved:
            before = self._learnt
            found = self._closure(key)
            if before == self._learnt:
                self._resolved[key] = found
        names, held = self._resolved[key]
        flow.called |= names
        return mask & ~ARGUMENT | held

    def _closure(self, names: int) -> tuple[int, int]:
        """Return names with those that they hold in turn, as bits, and all that they hold."""
        size = self._table.size
        seen, found = 0, 0
        while left := names & ~seen:
            bit = left & -left
            seen |= bit
            key = self._keys[bit.bit_length() - 1]
            for i in self._makers.get(key, ()):
                if i not in self._flows:
                    self._look_at(i)
            found |= self._told.get(key, 0)
            names |= found >> size
        return seen, found

    def _says(self, i: int, flow: Flow) -> Iterator[tuple[str, int]]:
        """Yield what others see of a unit."""
        unit = self.units.units[i]
        news = [(key, flow.names[key]) for key in flow.news]
        flow.news = {}
        if unit.kind == FUNCTION:
            yield unit.name, flow.returned
        elif unit.kind == METHOD:
            for owner in self._families[unit.owner]:
                yield f"{owner}.{unit.name}", flow.returned
                if unit.name in CALLED:
                    yield self._class_name(owner), flow.returned
            yield "." + unit.name, flow.returned
            for key, mask in news:
                if key[0] == ".":
                    yield key, mask
                    yield f"{unit.owner}{key}", mask
        elif unit.kind == MODULE:
            for key, mask in news:
                if key[0] == "." and mask & ~(ARGUMENT | NUMBER):  # an attribute of whatever the module has
                    raise UncertainError
                yield key, mask
        else:
            for key, mask in news:
                if key[0] == ".":
                    yield key, mask
                elif key not in _INSTANCES:  # the parameter of a method of a class inside
                    yield "." + key, mask
                    yield f"{unit.owner}.{key}", mask

    def _class_name(self, owner: int) -> str:
        return self.units.units[self.units.classes[owner][0]].name

    @cached_property
    def _heads(self) -> list[str]:
        """Class -> what stands in its first lines."""
        units = self.units
        return [units.text(units.units[members[0]]).partition(":\n")[0] for members in units.classes]

    @cached_property
    def _families(self) -> list[list[int]]:
        """Class -> itself and the classes that inherit from it."""
        heads = self._heads
        parents = [set(_NAME.findall(head)) for head in heads]
        families = []
        for owner in range(len(heads)):
            family, names = [owner], {self._class_name(owner)}
            for other, its_parents in enumerate(parents):  # a class stands below its parents
                if other not in family and its_parents & names:
                    family.append(other)
                    names.add(self._class_name(other))
            families.append(family)
        return families

    def _learn(self, key: str, mask: int) -> None:
        """Remember what a name can hold, and look again at what reads it."""
        known = self._told.get(key, 0)
        if known | mask == known:
            return
        self._told[key] = known | mask
        followed = self._table.followed
        self._resolved.clear()
        self._learnt += 1
        before = self._known.get(key, 0)
        if key in self._settled:
            self._known[key] = before | mask
        elif (known | mask) & followed:
            self._known[key] = before | ARGUMENT | (known | mask) & (followed | self._table.brought)
        changed = self._known.get(key, 0) != before
        bit = self._bits.get(key, 0)
        if changed:
            for j in self._readers.get(key, set()) | self._running:
                self._wait_again(j, key, bit)
        if bit:
            for j, flow in self._flows.items():
                if flow.all_called & bit or j in self._running:
                    self._wait_again(j, key, bit)
        if mask & followed & ~known:
            for j in self._mentions(key):
                self._wait_for(j)

    @cached_property
    def _makers(self) -> dict[str, list[int]]:
        """Name, or dot and attribute -> the units that say what it is."""
        found: dict[str, list[int]] = {}
        units = self.units
        for i, unit in enumerate(units.units):
            keys: list[str] = []
            if unit.kind == FUNCTION:
                keys = [unit.name]
            elif unit.kind == METHOD:
                keys = ["." + unit.name]
                for owner in self._families[unit.owner]:
                    keys.append(f"{owner}.{unit.name}")
                    if unit.name in CALLED:
                        keys.append(self._class_name(owner))
                for name in _STORED.findall(units.text(unit)):
                    keys += [name, f"{unit.owner}{name}"]
            elif unit.kind == MODULE:
                keys = _NAME.findall(units.text(unit))
            elif unit.kind != IMPORT:
                names = _NAME.findall(units.text(unit))
                keys = ["." + name for name in names] + [f"{unit.owner}.{name}" for name in names]
            for key in keys:
                its = found.setdefault(key, [])
                if i not in its[-1:]:
                    its.append(i)
        return found

    def _parsed(self, i: int) -> list[ast.stmt]:
        units = self.units.units
        unit = units[i]
        end = units[i + 1].first if i + 1 < len(units) else len(self._lines) + 1
        lines = self._lines[unit.first - 1 : end - 1]
        if unit.indent:
            lines.insert(0, "if 1:")
        body = _parse("\n".join(lines))
        if body is None and unit.kind == CLASS:
            body = _parse("\n".join([*lines, " pass"]))
        if body is None:
            raise UncertainError
        if unit.indent and body and isinstance(body[0], ast.If):
            body = body[0].body
        if unit.kind in (FUNCTION, METHOD) and not (
            len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef)
        ):
            raise UncertainError
        return body


def _parse(text: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError):
        return None


def _in_a_word(text: str, start: int, end: int) -> bool:
    """Return whether what stands there is only part of a name."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before.isalnum() or before == "_" or after.isalnum() or after == "_"
