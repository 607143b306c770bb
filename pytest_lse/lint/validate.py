"""Validates a fix before it is written: the value before and the value after agree on numbers.

Benign numbers of several shapes first, among them shapes in which broadcasting hides a wrong axis and shapes in which
it does not; then numbers far out, where the naive form fails: there the replacement has to give what is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pytest_lse.lint.evaluate import Exact, Floats, UnknownError, evaluate, leaves, names_epsilon
from pytest_lse.lint.finding import Fix
from pytest_lse.lint.graph import Node

_SHAPES: tuple[tuple[int, ...], ...] = ((7,), (5, 7), (7, 7), (4, 5, 7), (7, 7, 7))
#: what else a parameter may be: a number, a row
_MIXED = (0.3, 0.6)
#: the numbers of each shape, see `_numbers`; mixed: some parameters are a row or a number
_SPREADS = ("any", "negative", "positive", "unit", "mixed")
_DTYPES = (("float64", 1e-9), ("float32", 2e-4))
#: a fix that removes an epsilon is unsafe for that reason and may differ by it
_UNSAFE_TOLERANCE = 1e-3
_FAR = np.array([-1000.0, -740.0, -90.0, -20.0, -1.0, 0.5, 3.0, 40.0, 95.0, 715.0, 1000.0])
_FAR_TOLERANCE = 1e-6
_NOTHING = "validation: the values could not be compared"
#: the value of a parameter that is called epsilon
_EPSILON = 1e-8


def objection(fix: Fix) -> str | None:
    """Return why a fix must not be applied, None if its values agree.

    Parameters
    ----------
    fix
        A fix of this process, with its `proof`; one without has nothing to compare and is not objected to.
    """
    if fix.proof is None:
        return None
    before, after = fix.proof
    safe = fix.applicability == "safe"
    with np.errstate(all="ignore"):
        if fix.departs:
            # An epsilon that is removed, a logarithm of negative factors: only where nobody says that values change.
            found = (_on_benign_numbers(before, after, safe, (s,)) for s in ("unit", "negative", "positive"))
            return next((reason for reason in found if reason != _NOTHING), _NOTHING)
        return _on_benign_numbers(before, after, safe) or _on_far_numbers(before, after)


def _on_benign_numbers(before: Node, after: Node, safe: bool, spreads: tuple[str, ...] = _SPREADS) -> str | None:
    compared = 0
    for dtype, tolerance in _DTYPES:
        tolerance = tolerance if safe else max(tolerance, _UNSAFE_TOLERANCE)
        for given, alternative, shape in _benign(leaves(before, after), dtype, spreads):
            try:
                old = np.asarray(evaluate(before, given, Floats(), alternative=alternative))
            except UnknownError:
                continue
            if old.dtype == object or not np.isfinite(old).any():
                continue
            try:
                new = np.asarray(evaluate(after, given, Floats(), alternative=alternative))
            except UnknownError:
                return f"validation: the replacement cannot be evaluated where the original can, on shape {shape}"
            if old.shape != new.shape:
                return f"validation: the replacement has shape {new.shape} where the original has {old.shape}"
            close = np.isclose(new, old, rtol=tolerance, atol=tolerance)
            if not (close | ~np.isfinite(old)).all():
                return f"validation: the replacement gives other numbers on shape {shape}"
            compared += 1
    return None if compared else _NOTHING


def _benign(
    names: list[Node], dtype: str, spreads: tuple[str, ...]
) -> Iterator[tuple[dict[Node, Any], int, tuple[int, ...]]]:
    random = np.random.default_rng(0)
    for shape in _SHAPES:
        for spread in spreads if dtype == "float64" else [s for s in ("any", "unit") if s in spreads]:
            given = {}
            for node in names:
                draw = random.random()
                size = () if spread == "mixed" and draw < _MIXED[0] else shape
                size = shape[-1:] if spread == "mixed" and _MIXED[0] <= draw < _MIXED[1] else size
                numbers = _EPSILON if names_epsilon(node) else _numbers(random, spread, size)
                given[node] = np.asarray(numbers, dtype)
            yield given, len(shape), shape


def _numbers(random: np.random.Generator, spread: str, shape: tuple[int, ...]) -> Any:
    if spread == "unit":
        return random.uniform(0.05, 0.95, shape)
    numbers = random.normal(size=shape)
    if spread == "negative":
        return -np.abs(numbers) - 0.1
    return np.abs(numbers) + 0.1 if spread == "positive" else numbers


def _on_far_numbers(before: Node, after: Node) -> str | None:
    names = leaves(before, after)
    exact = Exact()
    random = np.random.default_rng(1)
    for shape in ((3,), (2, 3), (3, 3)):
        for alternative in range(2):
            given = {node: random.choice(_FAR, size=shape) for node in names}
            try:
                truth = evaluate(before, {n: exact.number(v) for n, v in given.items()}, exact, alternative=alternative)
                new = evaluate(after, given, Floats(), alternative=alternative)
            except UnknownError:
                continue
            for true, got in zip(np.ravel(truth), np.ravel(new), strict=True):
                expected = float(true) if not isinstance(true, bool) else true
                if not np.isfinite(expected) or abs(expected) > 1e300:
                    continue
                if not abs(got - expected) <= _FAR_TOLERANCE * (1 + abs(expected)):
                    return f"validation: the replacement would give {got:.6g} where {expected:.6g} is right"
    return None
