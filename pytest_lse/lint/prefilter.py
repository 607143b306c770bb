"""Can these bytes hold a finding at all? Derived from the patterns and the op table, so that it loses nothing.

Tracing the kernels costs more than the rest of a check of one clean file, so what follows from them is kept in
`words.txt`, which `python -m pytest_lse.lint.prefilter` writes anew and a test compares. Where the files that it was
made from have changed since, it is not used, so that nobody loses findings who adds a kernel.
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
SPELT_OTHERWISE = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "abs", "sum", "contract", "index", "where", "square"}
)
#: operations that are made of others: their words stand for those
_MADE_OF = {"exp": ("cosh", "sinh", "exp2"), "log": ("log2", "log10", "log_base"), "softmax": ("softmin",)}
#: stands in a group for a power of e, `math.e ** x` or `pow(2.71828, x)`
POWER = "e**"
#: the words that are no names; division is one
OPERATORS = frozenset({"/", "**"})
_ATTRIBUTE_E = re.compile(rb"\.e\b")
_IMPORTED_E = re.compile(rb"import[^\n]*\be\b")


def may_hold_finding(data: bytes, off: Collection[str] = ()) -> bool:
    """Return whether the bytes hold the words of at least one pattern.

    Parameters
    ----------
    data
        The bytes of a module or notebook.
    off
        Codes that are not looked for.
    """
    known: dict[str, bool] = {}
    for need in groups(frozenset(off)):
        for group in need:
            for word in group:
                if word not in known:
                    known[word] = _holds(word, data)
                if known[word]:
                    break
            else:
                break
        else:
            return True
    return False


@cache
def needs() -> tuple[Need, ...]:
    """Return what the words file says, or what it should say if it is out of date."""
    with open(WORDS, encoding="ascii") as stream:
        made_from, *lines = stream.read().splitlines()
    if made_from != stamp():
        return derive()
    pairs = [line.split(": ") for line in lines]
    return tuple(
        (frozenset(codes.split()), tuple(tuple(group.split()) for group in groups.split("; ")))
        for codes, groups in pairs
    )


@cache
def groups(off: frozenset[str]) -> tuple[tuple[Group, ...], ...]:
    """Return the groups of words of each kind of pattern that is looked for, without those that hold another's."""
    wanted = [g for codes, g in needs() if not codes <= off]
    return tuple(g for g in wanted if not any(set(other) < set(g) for other in wanted))


def off(is_on: Callable[[str], bool]) -> frozenset[str]:
    """Return the codes of patterns that are not on."""
    return frozenset(code for codes, _ in needs() for code in codes if not is_on(code))


def _holds(word: str, data: bytes) -> bool:
    if word == POWER:
        return power_of_e(data)
    # The substring test is several times faster than the search, and most files fail it for most words.
    return word.encode() in data and (word in OPERATORS or _expression_of_bytes(word).search(data) is not None)


@cache
def expression(word: str) -> re.Pattern[str]:
    """Return what finds a word, also with a `_` behind it as PyTorch's in-place methods have."""
    # It begins with the word, for which the engine can look fast, and looks back; `\b` in front would be slow.
    literal = re.escape(word)
    return re.compile(literal + r"(?<!\w" + literal + r")_?\b")


@cache
def _expression_of_bytes(word: str) -> re.Pattern[bytes]:
    return re.compile(expression(word).pattern.encode())


def power_of_e(data: bytes) -> bool:
    """Return whether the bytes hold a power, and a constant that may be e."""
    if b"**" not in data and b"pow" not in data:
        return False
    if b".e" in data and _ATTRIBUTE_E.search(data):
        return True
    return b"2.71" in data or (b"math import" in data and _IMPORTED_E.search(data) is not None)


def stamp() -> str:
    """Return what tells the files that the words follow from: the names and sizes of kernels, rules and columns."""
    package = os.path.dirname(os.path.dirname(__file__))
    names, size = 0, 0
    for folder in ("kernels", "rules", os.path.join("lint", "columns")):
        for entry in os.scandir(os.path.join(package, folder)):
            if entry.name.endswith(".py"):
                names += sum(entry.name.encode())
                size += entry.stat().st_size
    return f"# made from {size} bytes in files of sum {names}"


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
    from pytest_lse.lint.graph import is_number
    from pytest_lse.lint.patterns import patterns

    if node.op == "pow" and is_number(node.args[1]) and node.args[1].value < 0.0:
        return tuple(sorted(OPERATORS | ops.words("div") | ops.words("pow") | ops.words("reciprocal")))
    if node.op not in ops.PARAMS or node.op in SPELT_OTHERWISE:
        return None
    words = _words(node.op)
    if node.op in ("exp", "expm1"):
        words.add(POWER)
    if node.op in patterns().kernels:
        # A value that means this kernel: its own spellings are found by their exponential.
        words |= {*_words("exp"), POWER}
    return tuple(sorted(words))


def _words(op: str) -> set[str]:
    from pytest_lse.lint import ops

    return {word for made in (op, *_MADE_OF.get(op, ())) for word in ops.words(made)}


def spelled(needs: Iterable[Need]) -> str:
    """Return the text of the words file: `CODE CODE: word word; word word` on each line."""
    lines = (f"{' '.join(sorted(codes))}: {'; '.join(map(' '.join, groups))}\n" for codes, groups in needs)
    return "".join(lines)


def _write() -> None:
    text = f"{stamp()}\n{spelled(derive())}"
    with open(WORDS, "w", encoding="ascii", newline="\n") as stream:
        stream.write(text)


if __name__ == "__main__":
    _write()
