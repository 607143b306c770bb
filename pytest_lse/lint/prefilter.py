"""Can these bytes hold a finding at all? Derived from the patterns and the op table, so that it loses nothing.

Tracing the kernels costs more than the rest of a check of one clean file, so what follows from them is kept in
`words.txt`, which `python -m pytest_lse.lint.prefilter` writes anew and a test compares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from functools import cache

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.graph import Node

Group = tuple[str, ...]
#: codes, and the groups of words of which a file must hold one each
Need = tuple[frozenset[str], tuple[Group, ...]]

WORDS = os.path.join(os.path.dirname(__file__), "words.txt")

#: operations that Python also spells with operators, or that need no spelling at all
_SPELT_OTHERWISE = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "abs", "sum", "contract", "index", "where", "square"}
)
#: stands in a group for `e ** x`, for any module's e
_POWER = "e**"
_POWERS = frozenset({_POWER, "pow", "power"})
_SPACE = b" \t\n\r\f\v\\"
_E_IN_PARENTHESES = re.compile(rb"\be\)$")


def may_hold_finding(data: bytes, off: Collection[str] = ()) -> bool:
    """Return whether the bytes hold the words of at least one pattern.

    Parameters
    ----------
    data
        The bytes of a module or notebook.
    off
        Codes that are not looked for.
    """
    known: dict[Group, bool] = {}

    def holds(group: Group) -> bool:
        if group not in known:
            known[group] = any(_holds(word, data) for word in group)
        return known[group]

    return any(all(map(holds, groups)) for codes, groups in needs() if not codes.issubset(off))


@cache
def needs() -> tuple[Need, ...]:
    """Return what the words file says."""
    with open(WORDS, encoding="ascii") as stream:
        pairs = [line.split(": ") for line in stream.read().splitlines()]
    return tuple(
        (frozenset(codes.split()), tuple(tuple(group.split()) for group in groups.split("; ")))
        for codes, groups in pairs
    )


def off(is_on: Callable[[str], bool]) -> frozenset[str]:
    """Return the codes of patterns that are not on."""
    return frozenset(code for codes, _ in needs() for code in codes if not is_on(code))


def _holds(word: str, data: bytes) -> bool:
    if word == _POWER:
        return _holds_power_of_e(data)
    # The substring test is several times faster than the search, and most files fail it for most words.
    return word.encode() in data and _expression(word).search(data) is not None


@cache
def _expression(word: str) -> re.Pattern[bytes]:
    # It begins with the word, for which the engine can look fast, and looks back; `\b` in front would be slow.
    literal = re.escape(word.encode())
    return re.compile(literal + rb"(?<!\w" + literal + rb")_?\b")


def _holds_power_of_e(data: bytes) -> bool:
    at = data.find(b"**")
    while at >= 0:
        before = data[max(0, at - 80) : at].rstrip(_SPACE)
        if before.endswith(b"e") or _E_IN_PARENTHESES.search(before) or not before:
            return True
        at = data.find(b"**", at + 2)
    return False


def derive() -> tuple[Need, ...]:
    """Return what each kind of pattern needs: its codes, and the groups of words of which a file must hold one each."""
    from pytest_lse.lint.patterns import patterns

    found: dict[frozenset[Group], set[str]] = {}
    for pattern in (p for ps in patterns().naive.values() for p in ps):
        found.setdefault(frozenset(_groups(pattern.loose)), set()).add(pattern.kernel.code or "")
    least = [
        # A set that holds another is found only where the smaller one is.
        (frozenset(c for c in codes if not any(c in found[other] for other in found if other < groups)), groups)
        for groups, codes in found.items()
    ]
    # The short ones first: most files that pass, pass by them.
    ordered = sorted(((c, tuple(sorted(g))) for c, g in least if c), key=lambda n: (len(n[1]), n[1]))
    return tuple(ordered)


def _groups(node: Node) -> set[Group]:
    return {group for n in node.walk() if (group := _spellings(n)) is not None}


def _spellings(node: Node) -> Group | None:
    from pytest_lse.lint import ops
    from pytest_lse.lint.patterns import patterns

    if node.op not in ops.PARAMS or node.op in _SPELT_OTHERWISE:
        return None
    words = set(ops.words(node.op))
    if node.op in ("exp", "expm1"):
        words |= _POWERS
    if node.op in patterns().kernels:
        # A value that means this kernel: its own spellings are found by their exponential.
        words |= ops.words("exp") | _POWERS
    return tuple(sorted(words))


def spelled(needs: Iterable[Need]) -> str:
    """Return the text of the words file: `CODE CODE: word word; word word` on each line."""
    lines = (f"{' '.join(sorted(codes))}: {'; '.join(map(' '.join, groups))}\n" for codes, groups in needs)
    return "".join(lines)


def _write() -> None:
    text = spelled(derive())
    with open(WORDS, "w", encoding="ascii", newline="\n") as stream:
        stream.write(text)


if __name__ == "__main__":
    _write()
