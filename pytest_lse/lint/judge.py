"""Is a match a problem? Most real code that matches is stable already, and then the linter is silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_lse.lint.bounds import OVERFLOW, UNDERFLOW, Bounds
from pytest_lse.lint.graph import Node
from pytest_lse.lint.patterns import Pattern

#: operations whose result is a sum of positive terms: if the terms do not overflow, its logarithm is what was meant
_POSITIVE_SUMS = frozenset({"sum", "mean", "cumsum"})


#: exponents within this range neither overflow nor vanish beside each other
_MODERATE = 40.0
#: operations that make nothing of a constant but a constant
_ARITHMETIC = frozenset({"add", "mul", "pow", "const", "log", "log1p", "sum", "mean", "opaque", "free", "attr", "index"})


def dangerous(pattern: Pattern, root: Node, leaves: Iterable[Node], bounds: Bounds) -> bool:
    """Return whether a match can fail: an exponential may overflow, or a logarithm may see 0.

    Parameters
    ----------
    pattern
        What matched.
    root
        The matched value, without its shapes.
    leaves
        What the pattern's variables stand for: their inside is not part of the match.
    bounds
        The intervals of the graph, under the facts that hold at this place.
    """
    shifts = getattr(pattern.kernel.module, "shift_invariant", False)
    always = getattr(pattern.kernel.module, "always", ())
    if always is True or pattern.spelling in (always or ()):
        return True
    # A leaf that is a sum or product has become part of the one around it: its parts are leaves too.
    leaves = {part for leaf in leaves for part in (leaf, *(leaf.args if leaf.op in ("add", "mul") else ()))}
    if "negative" in pattern.kernel.args.values() and any(n.op == "guarded" or bounds.tested(n) for leaf in leaves for n in leaf.walk()):
        # Each side of -log 2 has its own form: a test of the argument says that the author knows.
        return False
    overflow = thought_of = varies = vanishes = False
    moderate = True
    for n in _inside(root, leaves):
        if n.op == "exp":
            exponent = n.args[0]
            varies |= exponent.op != "const"
            low, high = bounds.interval(exponent)
            moderate &= -_MODERATE <= low and high <= _MODERATE
            if shifts and (bounds.shifted(exponent) or bounds.unknown_shift(exponent)):
                # A part that is shifted says that the author has thought of it.
                thought_of = True
            overflow |= bounds.interval(exponent)[1] > OVERFLOW and not bounds.shifted(exponent)
        elif n.op in ("log", "log1p") and not _positive_sum(n.args[0], bounds):
            low = bounds.interval(n.args[0])[0] + (1.0 if n.op == "log1p" else 0.0)
            vanishes |= low <= UNDERFLOW
        elif n.op not in _ARITHMETIC:
            varies = True
    if moderate and any(n.op == "exp" for n in _inside(root, leaves)):
        return False
    return varies and (vanishes or (overflow and not thought_of))


def _positive_sum(n: Node, bounds: Bounds) -> bool:
    if n.op == "add":
        return any(map(_exponential, n.args)) and all(_exponential(t) or bounds.interval(t)[0] >= 0.0 for t in n.args)
    return n.op in _POSITIVE_SUMS


def _exponential(n: Node) -> bool:
    return n.op == "exp" or (n.op == "mul" and any(f.op == "exp" for f in n.args))


def _inside(root: Node, leaves: set[Node]) -> Iterator[Node]:
    seen = set(leaves)
    todo = [root]
    while todo:
        n = todo.pop()
        if n in seen:
            continue
        seen.add(n)
        yield n
        todo.extend(n.args)
