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

#: the words of an operation
Group = tuple[str, ...]
#: operations of which each is applied to what the next one gives, whatever stands between them
Chain = tuple[Group, ...]
#: the words of an operation, and the chains that its arguments must all hold
Form = tuple[Group, tuple[Chain, ...]]
#: codes, and the form that all of their patterns have
Need = tuple[frozenset[str], Form]

NONE, WITH_GIVEN, HELD = range(3)

WORDS = os.path.join(os.path.dirname(__file__), "words.txt")

#: operations that Python also spells with operators, or that need no spelling at all
SPELT_OTHERWISE = frozenset("add sub mul div neg pow abs sum contract index where square maximum minimum".split())
#: operations whose result is made of their arguments as they are, so that what these hold it holds
KEEPING = SPELT_OTHERWISE | frozenset(
    "mean cumsum clip relu sqrt reciprocal concat masked_fill average filled kron norm lp_normalized normalized einsum "
    "segment_sum cast detach contiguous squeeze expand reshape transpose tile std_like".split()
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
#: what a file may hold that has imported it
PROBABILITIES = ("softmax", "sigmoid", "log_softmax")
#: the words that are no names
DIVISIONS = frozenset({"/", "**"})
ADDITIONS = frozenset({"+", "-", "@"})
#: begins a chain of which nothing but views stands before the next operation
DIRECT = ("=",)
OPERATORS = DIVISIONS | ADDITIONS
#: `i.e.` stands in many a comment, next to `**kwargs`
_ATTRIBUTE_E = re.compile(rb"\.e\b(?:(?<!\bi\.e)|[ \t]*\*\*)")
_POWER = re.compile(rb"\*\*(?:(?!\w)|(?<=[\w)\]]\*\*))")
#: `math.log(2 * math.pi)`, `self.log("loss", loss)`, `wandb.log({...})`
_TO_NUMBERS = r"(?!\([ \t\n]*(?:[\"',{]|(?:[\d.eE_*/+\- \t]|(?:\w+\.)?pi\b)+\)))"
_OF_NUMBERS = frozenset({"log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "cosh", "sinh"})
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
    return chance(data, off) == HELD


def chance(data: bytes, off: Collection[str] = (), given: Collection[str] = ()) -> int:
    """Return whether the bytes hold the words of at least one pattern, or would with some more.

    Parameters
    ----------
    data
        The bytes of a module or notebook.
    off
        Codes that are not looked for.
    given
        Words that may come from elsewhere.

    Returns
    -------
    int
        `HELD`, `WITH_GIVEN` or `NONE`.
    """
    known: dict[int, bool] = {}
    absent: set[bytes] = set()
    best = NONE
    for need in _plan(frozenset(off), frozenset(given)):
        here = HELD
        for number, parts, power, is_given in need:
            if number not in known:
                known[number] = _holds_any(parts, data, absent) or (power and power_of_e(data))
            if not known[number]:
                if not is_given:
                    break
                here = WITH_GIVEN
        else:
            if here == HELD:
                return HELD
            best = here
    return best


#: what is sought for some words, shorter ones that it holds, and the words themselves
_Part = tuple[bytes, tuple[bytes, ...], tuple[str, ...]]


@cache
def _plan(
    off: frozenset[str], given: frozenset[str]
) -> tuple[tuple[tuple[int, tuple[_Part, ...], bool, bool], ...], ...]:
    """Return the needs with their groups numbered, the arguments first: many operations share those."""
    needs = [groups(form) for form in forms(off)]
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
            not given.isdisjoint(group),
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
    return tuple((frozenset(codes.split()), _read(form)) for codes, form in pairs)


def _read(form: str) -> Form:
    outer, *chains = [tuple(tuple(g.split()) for g in part.split(" > ")) for part in form.split("; ")]
    return outer[0], tuple(chains)


@cache
def forms(off: frozenset[str]) -> tuple[Form, ...]:
    """Return the form of each kind of pattern that is looked for, without those that have another's."""
    wanted = [form for codes, form in needs() if not codes <= off]
    return tuple(f for f in wanted if not any(o is not f and _holds(f, o) for o in wanted))


def groups(form: Form) -> tuple[Group, ...]:
    """Return the groups of words of which a file with such a pattern holds one each."""
    outer, chains = form
    return tuple(dict.fromkeys([outer, *(group for chain in chains for group in chain if group != DIRECT)]))


def _holds(form: Form, other: Form) -> bool:
    """Return whether whatever has one form has the other too, which is more than one operation."""
    return form[0] == other[0] and bool(other[1]) and all(any(_ends(c, o) for c in form[1]) for o in other[1])


def _ends(chain: Chain, other: Chain) -> bool:
    """Return whether a value that holds one chain holds the other too."""
    before = len(chain) - len(other)
    # What is below an operator stays in its result, what is below an exponential does not.
    kept = all(group == DIRECT or OPERATORS & set(group) for group in chain[:before])
    return before >= 0 and chain[before:] == other and kept


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
def applied(word: str) -> re.Pattern[str]:
    """Return what finds a word, unless it is applied to a number or a text."""
    tail = _TO_NUMBERS if word in _OF_NUMBERS else ""
    return re.compile(expression(word).pattern + tail)


@cache
def _search(word: str) -> re.Pattern[bytes]:
    return re.compile(applied(word).pattern.encode())


@lru_cache(maxsize=1)  # several groups ask for it
def power_of_e(data: bytes) -> bool:
    """Return whether the bytes hold a power, and a constant that may be e."""
    if b"**" not in data and b"pow" not in data:
        return False
    held = (
        (b".e" in data and _ATTRIBUTE_E.search(data) is not None)
        or b"2.71" in data
        or (b"math import" in data and _IMPORTED_E.search(data) is not None)
    )
    return held and (b"pow" in data or _POWER.search(data) is not None)


@cache
def stamp() -> str:
    """Return what tells the files that words and patterns follow from: names and sizes of kernels, rules, columns."""
    package = os.path.dirname(os.path.dirname(__file__))
    names = 0
    size = sum(os.path.getsize(os.path.join(package, "lint", f"{n}.py")) for n in ("graph", "patterns", "symbolic"))
    for folder in ("kernels", "rules", os.path.join("lint", "columns")):
        for entry in os.scandir(os.path.join(package, folder)):
            if entry.name.endswith(".py"):
                names += sum(entry.name.encode())
                size += entry.stat().st_size
    return f"# made from {size} bytes in files of sum {names}"


def derive() -> tuple[Need, ...]:
    """Return what each kind of pattern needs: its codes, and the form that they have."""
    from pytest_lse.lint.patterns import patterns

    found: dict[Form, set[str]] = {}
    ways = [(p.kernel.code or "", _ways(p.loose)) for ps in patterns().naive.values() for p in ps]
    # Any of its operations would do. One whose forms others have anyhow makes no more of them.
    for code, its_ways in sorted(ways, key=lambda way: (len(way[1]), min(map(len, way[1].values()), default=0))):
        best = min(its_ways, key=lambda outer: (_more(its_ways[outer], found), outer), default=())
        for form in its_ways.get(best, {((), ())}):
            found.setdefault(next((o for o in found if _holds(form, o)), form), set()).add(code)
    least = [
        # A form that holds another is found only where that is.
        (frozenset(c for c in codes if not any(o != f and c in found[o] and _holds(f, o) for o in found)), f)
        for f, codes in found.items()
    ]
    # The short ones first: most files that pass, pass by them.
    return tuple(sorted((n for n in least if n[0]), key=lambda n: (len(groups(n[1])), n[1])))


def _more(forms: Collection[Form], found: Collection[Form]) -> tuple[int, int]:
    """Return how many of the forms none that is found is part of, the fewer groups they have the worse."""
    more = sum(not any(_holds(f, o) for o in found) for f in forms)
    return more, -min(len(groups(f)) for f in forms)


def _ways(node: Node) -> dict[Group, set[Form]]:
    """Return each operation of a pattern that has a word, with the forms of which a value that matches has one."""
    from pytest_lse.lint.patterns import patterns

    ways: dict[Group, set[Form]] = {}
    for n in node.walk():
        # A pattern's root is found by its operation alone, what is below it in any spelling.
        if n.op in KEEPING and n.op != "pow":  # they stand in nearly every function
            continue
        if (n is node or n.op not in patterns().kernels) and (group := _spellings(n)):
            inner = {frozenset[Chain]().union(*parts) for parts in product(*map(_inner, n.args))}
            ways.setdefault(group, set()).update((group, tuple(sorted(chains))) for chains in _least(inner))
    telling = {group for group, forms in ways.items() if all(chains for _, chains in forms)}
    return {group: forms for group, forms in ways.items() if group in telling or not telling}


def _inner(node: Node, inside: frozenset[str] = frozenset()) -> set[frozenset[Chain]]:
    """Return the sets of chains of which a value that matches holds one."""
    from pytest_lse.lint.patterns import patterns

    below: set[frozenset[Chain]] = {frozenset()}
    for arg in node.args:
        below = _least({a | b for a in below for b in _inner(arg, inside)})
    group = _spellings(node)
    below = {frozenset(chain[1:] if chain[0] == DIRECT else chain for chain in chains) for chains in below}
    own = {_applied(node, group, chains) for chains in below} if group else below
    if node.op in inside:
        own = below
    elif node.op in patterns().kernels:
        # A value that means this kernel, however it is spelt.
        spellings = {
            s for ps in patterns().all.values() for p in ps if p.kernel.name == node.op for s in (p.root, p.loose)
        }
        own |= {a | b for s in spellings for a in _inner(s, inside | {node.op}) for b in below}
    return _least(own)


def _applied(node: Node, group: Group, chains: frozenset[Chain]) -> frozenset[Chain]:
    """Return the chains of an operation's result."""
    if OPERATORS & set(group):  # alone they tell nothing
        return frozenset(c if c[0] == group else (group, *c) for c in chains)
    # What an exponential is made of is not looked at: most that are summed are exponentials of something.
    return chains if node.op in KEEPING else frozenset({(DIRECT, group)})


def _least(sets: set[frozenset[Chain]]) -> set[frozenset[Chain]]:
    """Return the sets without those that hold another."""
    least = {frozenset(c for c in s if not any(o != c and _ends(o, c) for o in s)) for s in sets}
    return {s for s in least if not any(o != s and all(any(_ends(c, e) for c in s) for e in o) for o in least)}


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
    """Return the text of the words file: `CODE CODE: word word; word word > word` on each line."""
    return "".join(f"{' '.join(sorted(codes))}: {_spelled(form)}\n" for codes, form in needs)


def _spelled(form: Form) -> str:
    outer, chains = form
    return "; ".join(" > ".join(map(" ".join, chain)) for chain in ((outer,), *chains))


def _write() -> None:
    from pytest_lse.lint import patterns, traced

    _put(traced.FILE, traced.write(patterns.trace()))
    _put(WORDS, spelled(derive()))  # they follow from the patterns


def _put(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii", newline="\n") as stream:
        stream.write(f"{stamp()}\n{text}")


if __name__ == "__main__":
    _write()
