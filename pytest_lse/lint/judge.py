"""Is a match a problem? Most real code that matches is stable already, and then the linter is silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pytest_lse.lint.bounds import OVERFLOW, UNDERFLOW, Bounds
from pytest_lse.lint.graph import BIT, CORE, Node, coefficient, factors, is_number, terms
from pytest_lse.lint.match import ALTERNATIVES, CHOICES, alternatives
from pytest_lse.lint.patterns import Pattern

#: operations whose result is a sum of positive terms: if the terms do not overflow, its logarithm is what was meant
_POSITIVE_SUMS = frozenset({"sum", "mean", "cumsum"})


_EXP = BIT["exp"]
#: how many of the values that a leaf is made of are looked at
_NEAR = 500
#: exponents within this range neither overflow nor vanish beside each other
_MODERATE = 40.0
#: operations that make nothing of a constant but a constant
_ARITHMETIC = frozenset(
    {"add", "mul", "pow", "const", "log", "log1p", "sum", "mean", "opaque", "free", "attr", "index"}
)


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
    leaves = tuple(leaves)
    if any(leaf.op == "guarded" for leaf in leaves):
        # Only the elements that passed a test get here: the others have their own form.
        return False
    always = getattr(pattern.kernel.module, "always", ())
    if always is True or pattern.spelling in (always or ()):
        return True
    # A leaf that is a sum or product has become part of the one around it: its parts are leaves too.
    leaves = {part for leaf in leaves for part in (leaf, *(leaf.args if leaf.op in ("add", "mul") else ()))}
    if "negative" in pattern.kernel.args.values():
        if any(bounds.in_domain(leaf) for leaf in leaves):
            return True
        if any(map(_is_step, leaves)):
            return False
        if any(_tested(leaf, bounds) for leaf in leaves):
            # Each side of -log 2 has its own form: a test of the argument says that the author knows.
            return False
    inside = list(_inside(pattern, root, leaves))
    if any(_is_filled_in(n, leaves) for n in inside) or (root.op == "log" and bounds.tested(root.args[0])):
        return False
    if any(_is_normalised(leaf, inside) for leaf in leaves) or _is_series(pattern, inside, leaves):
        return False
    exponents = [n.args[0] for n in inside if n.op == "exp" and not _is_power(n.args[0])]
    if pattern.kernel.name == "sigmoid" and exponents and all(map(_is_fitted, exponents)):
        return False
    if exponents and all(_moderate(e, bounds) for e in exponents):
        return False
    if all(n.op in _ARITHMETIC for n in inside if n.op != "exp") and all(e.op == "const" for e in exponents):
        return False
    return _overflows(pattern, exponents, leaves, bounds) or any(_vanishes(n, bounds) for n in inside)


def _is_step(exponent: Node) -> bool:
    """Return whether an exponent is one over a number of steps: `exp(-1 / n)` is as far from 1 as n is small."""
    if exponent.op in CHOICES:
        return any(map(_is_step, exponent.args[-2:]))
    parts = [f for f in factors(exponent) if not is_number(f)]
    return (
        len(parts) == 1 and parts[0].op == "pow" and parts[0].args[1].value == -1.0 and not parts[0].args[0].ops & CORE
    )


def _is_filled_in(n: Node, leaves: set[Node]) -> bool:
    """Return whether only some elements of a value are exponentials, and the others something else that is not known.

    `np.where(known, mass, np.exp(log_mass))` is a choice between two sources of the same numbers.
    """
    if n.op != "where" or n.args[0].op == "const":
        return False
    found = _taken(n, leaves)
    return len(found) == 1 and not all(map(_is_fixed, (a for a in n.args[1:] if a is not found[0])))


def _is_fixed(n: Node) -> bool:
    return all(part.args or part.op == "const" for part in n.walk())


def _is_normalised(leaf: Node, inside: list[Node]) -> bool:
    """Return whether a weight is one over the sum of the very exponentials that it is the weight of."""
    exponentials = {n for n in inside if n.op == "exp"}
    return any(
        f.op == "pow" and f.args[1].value == -1.0 and f.ops & _EXP and any(n in exponentials for n in f.walk())
        for f in factors(leaf)
    )


def _is_series(pattern: Pattern, inside: list[Node], leaves: Iterable[Node]) -> bool:
    """Return whether the weight of the exponential in `log(1 + w * exp(x))` is made of that too: it is a polynomial."""
    exponentials = {n for n in inside if n.op == "exp"}
    weighted = pattern.kernel.name == "softplus" and "weighted" in pattern.spelling
    return weighted and any(n in exponentials for leaf in leaves for n in islice(leaf.walk(), _NEAR))


def _is_power(exponent: Node) -> bool:
    """Return whether the exponential is a power: `exp(k * log(u))` is u**k, which overflows where u does."""
    return any(f.op == "log" and not f.ops & _EXP for f in factors(exponent))


def _is_fitted(exponent: Node) -> bool:
    """Return whether an exponent is a line with two literal coefficients, as of a curve that was fitted to data.

    Whoever fits `1 / (1 + exp(-0.082 * (v + 22.5)))` knows what `v` can be.
    """
    slope = [t for t in terms(exponent) if not is_number(t)]
    if exponent.op == "mul":
        inner = [f for f in exponent.args if not is_number(f)]
        return len(inner) == 1 and inner[0].op == "add" and _is_fitted_line(inner[0], coefficient(exponent))
    return exponent.op == "add" and len(slope) == 1 and _is_fitted_line(exponent, coefficient(slope[0]))


def _is_fitted_line(line: Node, slope: float) -> bool:
    return abs(slope) not in (1.0, 2.0, 0.5) and len(line.args) == 2 and any(map(is_number, line.args))


def _tested(leaf: Node, bounds: Bounds) -> bool:
    return leaf.op == "clip" or any(n.op == "guarded" or bounds.tested(n) for n in leaf.walk())


def _moderate(exponent: Node, bounds: Bounds) -> bool:
    low, high = bounds.interval(exponent)
    return low >= -_MODERATE and high <= _MODERATE


def _overflows(pattern: Pattern, exponents: list[Node], leaves: Iterable[Node], bounds: Bounds) -> bool:
    if getattr(pattern.kernel.module, "shift_invariant", False):
        # One part that is shifted says that the author has thought of it.
        weights = [n.args[0] for leaf in leaves for n in islice(leaf.walk(), _NEAR) if n.op == "exp"]
        if any(bounds.shifted(e) or bounds.unknown_shift(e) for e in (*exponents, *weights)):
            return False
    return any(bounds.interval(e)[1] > OVERFLOW and not bounds.shifted(e) for e in exponents)


def _vanishes(n: Node, bounds: Bounds) -> bool:
    if n.op not in ("log", "log1p") or _positive_sum(n.args[0], bounds) or _scaled_sum(n.args[0], bounds):
        return False
    return bounds.interval(n.args[0])[0] + (1.0 if n.op == "log1p" else 0.0) <= UNDERFLOW


def _scaled_sum(n: Node, bounds: Bounds) -> bool:
    """Return whether a value is a sum of shifted exponentials times something: `sum(exp(x - max(x))) / n`."""
    return n.op == "mul" and any(f.op in _POSITIVE_SUMS and _is_shifted(f.args[0], bounds) for f in n.args)


def _is_shifted(term: Node, bounds: Bounds) -> bool:
    exponents = [f.args[0] for f in factors(term) if f.op == "exp"]
    return bool(exponents) and all(bounds.shifted(e) or bounds.unknown_shift(e) for e in exponents)


def _positive_sum(n: Node, bounds: Bounds) -> bool:
    if n.op in ALTERNATIVES:
        # An alternative without an exponential is not what the pattern has found.
        found = [a for a in alternatives(n) if a.ops & _EXP]
        return bool(found) and all(_positive_sum(a, bounds) for a in found)
    if n.op == "abs":
        return _positive_sum(n.args[0], bounds)
    if n.op == "add":
        positive = [t for t in n.args if _exponential(t) or (t.op in _POSITIVE_SUMS and _exponential(t.args[0]))]
        return bool(positive) and all(t in positive or bounds.interval(t)[0] >= 0.0 for t in n.args)
    return n.op in _POSITIVE_SUMS


def _exponential(n: Node) -> bool:
    return n.op == "exp" or (n.op == "mul" and coefficient(n) > 0.0 and any(f.op == "exp" for f in n.args))


def _inside(pattern: Pattern, root: Node, leaves: set[Node]) -> Iterator[Node]:
    """Yield the nodes between the root and the leaves."""
    seen = set(leaves)
    todo = [root]
    if root.op in ("add", "mul") and len(root.args) > len(pattern.loose.args):
        # Part of the sum or product is left over: what holds none of the leaves is not part of the match.
        todo = [a for a in root.args if any(n in leaves for n in a.walk())]
    while todo:
        n = todo.pop()
        if n in seen:
            continue
        seen.add(n)
        yield n
        todo.extend(_taken(n, leaves) if n.op in CHOICES else n.args)


def _taken(choice: Node, leaves: set[Node]) -> tuple[Node, ...]:
    """Return the alternatives in which something was found: what else a value may be says nothing of those."""
    found = tuple(a for a in choice.args[-2:] if any(n in leaves for n in islice(a.walk(), _NEAR)))
    return found or choice.args
