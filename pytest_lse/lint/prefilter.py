"""Can these bytes hold a finding at all? Derived from the patterns and the op table, so that it loses nothing.

Tracing the kernels costs more than the rest of a check of one clean file, so what follows from them is kept in
`words.txt`, which `python -m pytest_lse.lint.prefilter` writes anew and a test compares. Where the files that it was
made from have changed since, it is not used, so that nobody loses findings who adds a kernel.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from functools import cache, lru_cache
from itertools import product

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.graph import Node

Group = tuple[str, ...]
#: codes, and the groups of words of which a file must hold one each: those of an operation, then those of its arguments
Need = tuple[frozenset[str], tuple[Group, ...]]

WORDS = os.path.join(os.path.dirname(__file__), "words.txt")

#: operations that Python also spells with operators, or that need no spelling at all
SPELT_OTHERWISE = frozenset(
    {
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "pow",
        "abs",
        "sum",
        "contract",
        "index",
        "where",
        "square",
        "maximum",
        "minimum",
    }
)
#: operations that are made of others: their words stand for those
_MADE_OF = {
    "exp": ("cosh", "sinh", "exp2"),
    "log": ("log2", "log10", "log_base"),
    "softmax": ("softmin",),
    "mean": ("average",),
    "bce_with_logits": ("bce",),
    "cross_entropy": ("cross_entropy_of_probs",),
}
_DIVIDING = ("div", "pow", "reciprocal", "average", "log_base")
_ADDING = ("add", "sub", "sum", "contract", "einsum", "segment_sum", "average", "cosh", "sinh")
#: stands in a group for a power of e, `math.e ** x` or `pow(2.71828, x)`
POWER = "e**"
#: the words that are no names
DIVISIONS = frozenset({"/", "**"})
ADDITIONS = frozenset({"+", "-", "@"})
OPERATORS = DIVISIONS | ADDITIONS
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
    known: dict[int, bool] = {}
    absent: set[bytes] = set()
    for need in _plan(frozenset(off)):
        for number, parts, power in need:
            if number not in known:
                known[number] = _holds_any(parts, data, absent) or (power and power_of_e(data))
            if not known[number]:
                break
        else:
            return True
    return False


#: what is sought for some words, shorter ones that it holds, and the words themselves
_Part = tuple[bytes, tuple[bytes, ...], tuple[str, ...]]


@cache
def _plan(off: frozenset[str]) -> tuple[tuple[tuple[int, tuple[_Part, ...], bool], ...], ...]:
    """Return the needs with their groups numbered, the arguments first: many operations share those."""
    needs = groups(off)
    numbers = {group: i for i, group in enumerate(dict.fromkeys(group for need in needs for group in need))}
    sought = {group: _parts(group) for group in numbers}
    every = {part for parts in sought.values() for part in parts}
    steps = {
        group: (
            number,
            tuple(
                (part, tuple(p for p in every if p in part and p != part), tuple(words))
                for part, words in sought[group].items()
            ),
            POWER in group,
        )
        for group, number in numbers.items()
    }
    return tuple(tuple(steps[group] for group in reversed(need)) for need in needs)


def _parts(group: Group) -> dict[bytes, list[str]]:
    """Return what is sought for words: `softmax` and `Softmax` have all but a letter in common."""
    parts: dict[str, list[str]] = {}
    for word in sorted(group, key=len):
        if word != POWER:
            parts.setdefault(word[1:] or word, []).append(word)
    found: dict[bytes, list[str]] = {}
    for part, words in parts.items():
        found.setdefault((part if len(words) > 1 else words[0]).encode(), []).extend(words)
    return found


def _holds_any(parts: tuple[_Part, ...], data: bytes, absent: set[bytes]) -> bool:
    for part, inside, words in parts:
        if inside and not absent.isdisjoint(inside):
            continue
        # The substring test is several times faster than the search, and most files fail it for most words.
        if part not in data:
            absent.add(part)
        elif any(word in OPERATORS or _search(word).search(data) for word in words):
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
    return tuple(g for g in wanted if not any(o[0] == g[0] and set(o) < set(g) for o in wanted))


def off(is_on: Callable[[str], bool]) -> frozenset[str]:
    """Return the codes of patterns that are not on."""
    return frozenset(code for codes, _ in needs() for code in codes if not is_on(code))


@cache
def expression(word: str) -> re.Pattern[str]:
    """Return what finds a word, also with a `_` behind it as PyTorch's in-place methods have."""
    # It begins with the word, for which the engine can look fast, and looks back; `\b` in front would be slow.
    literal = re.escape(word)
    return re.compile(literal + r"(?<!\w" + literal + r")_?\b")


@cache
def _search(word: str) -> re.Pattern[bytes]:
    return re.compile(expression(word).pattern.encode())


@lru_cache(maxsize=1)  # several groups ask for it
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
    """Return what each kind of pattern needs: its codes, its outer operation and those inside, as groups of words."""
    from pytest_lse.lint.patterns import patterns

    ways = [(p, _ways(p.loose)) for ps in patterns().naive.values() for p in ps]
    every = {way for _, its_ways in ways for way in its_ways if way[1]}
    # way -> the patterns that need at least that
    shared = {
        way: sum(any(w[0] == way[0] and way[1] <= w[1] for w in its_ways) for _, its_ways in ways) for way in every
    }
    found: dict[tuple[Group, frozenset[Group]], set[str]] = {}
    for pattern, its_ways in ways:
        # Any of its operations would do; the one that most patterns share makes the fewest needs.
        rank = {w: max((n for o, n in shared.items() if o[0] == w[0] and o[1] <= w[1]), default=0) for w in its_ways}
        best = max(its_ways, key=lambda way: (rank[way], way[0]), default=((), ()))[0]
        for need in [w for w in its_ways if w[0] == best] or [((), frozenset())]:
            found.setdefault(need, set()).add(pattern.kernel.code or "")
    least = [
        # A set that holds another is found only where the smaller one is.
        (frozenset(c for c in codes if not any(c in found[o] for o in found if o[0] == outer and o[1] < inner)), o_i)
        for o_i, codes in found.items()
        for outer, inner in (o_i,)
    ]
    needs = [(codes, (outer, *sorted(inner))) for codes, (outer, inner) in least if codes]
    # The short ones first: most files that pass, pass by them.
    return tuple(sorted(needs, key=lambda n: (len(n[1]), n[1])))


def _ways(node: Node) -> set[tuple[Group, frozenset[Group]]]:
    """Return each operation of a pattern that has a word, with the groups of words that its arguments need."""
    from pytest_lse.lint.patterns import patterns

    ways: dict[Group, set[frozenset[Group]]] = {}
    for n in node.walk():
        # A pattern's root is found by its operation alone, what is below it in any spelling.
        if n.op in ("add", "sum"):  # they stand in nearly every function
            continue
        if (n is node or n.op not in patterns().kernels) and (group := _spellings(n)):
            inner = {frozenset[Group]().union(*parts) for parts in product(*map(_inner, n.args))}
            ways[group] = _least(ways.get(group, set()) | inner)
    telling = {group for group, inner in ways.items() if frozenset() not in inner}
    return {(group, need) for group in telling or ways for need in ways[group]}


def _inner(node: Node, inside: frozenset[str] = frozenset()) -> set[frozenset[Group]]:
    """Return the sets of groups of words of which a value that matches needs one."""
    from pytest_lse.lint.patterns import patterns

    group = _spellings(node)
    own: set[frozenset[Group]] = {frozenset((group,) if group else ())}
    if node.op in inside:
        own = {frozenset()}
    elif node.op in patterns().kernels:
        # A value that means this kernel, however it is spelt.
        spellings = {
            s for ps in patterns().all.values() for p in ps if p.kernel.name == node.op for s in (p.root, p.loose)
        }
        own |= {need for spelling in spellings for need in _inner(spelling, inside | {node.op})}
    for arg in node.args:
        own = _least({a | b for a in own for b in _inner(arg, inside)})
    return _least(own)


def _least(sets: set[frozenset[Group]]) -> set[frozenset[Group]]:
    return {s for s in sets if not any(other < s for other in sets)}


def _spellings(node: Node) -> Group | None:
    from pytest_lse.lint import ops
    from pytest_lse.lint.graph import is_number

    if node.op == "pow" and is_number(node.args[1]) and node.args[1].value < 0.0:
        return tuple(sorted(DIVISIONS.union(*map(ops.words, _DIVIDING))))
    if node.op in ("add", "sum"):
        return tuple(sorted(ADDITIONS.union(*map(ops.words, _ADDING))))
    if node.op not in ops.PARAMS or node.op in SPELT_OTHERWISE:
        return None
    words = _words(node.op)
    if node.op in ("exp", "expm1"):
        words.add(POWER)
    return tuple(sorted(words)) or None


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
