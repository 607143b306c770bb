"""What a wrong result gives away of its cause: a factor, or a term, that has a name."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_lse.assertions.cases import Case
from pytest_lse.dtypes import FORMATS

ROUNDINGS = 64.0


def recognised(case: Case, got: float, expected: float, *, mean: bool) -> str:
    """Return a sentence about a wrong result, if exactly one explanation fits it.

    Parameters
    ----------
    mean : bool
        Whether the kernel is a mean over everything, so that no row's length adds a term.
    """
    near = ROUNDINGS * FORMATS.get(case.dtype, FORMATS["float64"]).u
    found = [
        f"The result is {_number(factor)} times what it should be, as if {cause}."
        for factor, cause in _factors(case)
        if abs(expected) > near and abs(got - factor * expected) <= near * abs(got)
    ]
    found += [
        f"The result is {term} too {'large' if got > expected else 'small'}, as if {cause}."
        for value, term, cause in (() if mean else _terms(case))
        if abs(abs(got - expected) - value) <= near * max(abs(got), abs(expected), 1.0)
    ]
    return found[0] if len(found) == 1 else ""


def _lengths(case: Case) -> tuple[set[int], int]:
    """Return over how many numbers a mean may be taken, and how many are in a row."""
    first = case.arguments[0]
    if not first.ndim:
        return set(), 1
    return {first.size, *first.shape} - {0, 1}, first.shape[case.axis]


def _factors(case: Case) -> Iterator[tuple[float, str]]:
    yield -1.0, "its sign were lost"
    yield 1.0 / math.log(2.0), "the logarithm were to base 2"
    yield 1.0 / math.log(10.0), "the logarithm were to base 10"
    for n in sorted(_lengths(case)[0]):
        yield float(n), f"a sum of {n} numbers were taken for their mean"
        yield 1.0 / n, f"a mean of {n} numbers were taken for their sum"


def _terms(case: Case) -> Iterator[tuple[float, str, str]]:
    width = _lengths(case)[1]
    if width > 1:
        yield math.log(width), f"log({width})", f"a sum and a mean of {width} numbers were confused"
    yield 0.5 * math.log(2.0 * math.pi), "log(2 pi) / 2", "the normalisation of a Gaussian were missing"


def _number(factor: float) -> str:
    whole = 1.0 / factor == round(1.0 / factor)
    return f"{factor:.0f}" if factor == round(factor) else f"1/{1.0 / factor:.0f}" if whole else f"{factor:.3g}"
