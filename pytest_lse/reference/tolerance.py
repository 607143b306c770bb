"""The tolerance: what honest code may be off by, from the data at hand (derivation: docs/error-bounds.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.reference import evaluation, exact, special
from pytest_lse.reference.evaluation import Value
from pytest_lse.reference.honest import Honest
from pytest_lse.reference.layout import Problem
from pytest_lse.reference.running import Model, Running

PRECISION = 300


#: how much worse than its running error bound honest code of another spelling may be
SPELLING = 2.0
#: outputs of a kernel of one's own whose condition number is worked out from derivatives
DERIVED = 16
#: a sum of so many terms may be taken in any order; longer ones need several running sums
ANY_ORDER = 2**16


def summation(target: Format, strict: bool) -> Callable[[int], float]:
    """Return the error of a sum of n terms, in units of u."""
    pairwise = strict or target.precision < 24  # the narrow formats accumulate in float32

    def bound(n: int) -> float:
        if pairwise:
            return min(n - 1.0, 2.0 + math.log2(n)) if n > 1 else 0.0
        return max(min(n - 1.0, ANY_ORDER), n / 32 if n > ANY_ORDER else 0.0)

    return bound


def model(target: Format, strict: bool) -> Model:
    """Return the arithmetic of honest code in a format."""
    # Functions of the narrow formats are computed in float32 and rounded: half a unit in the last place.
    narrow = target.precision < 24
    return Model(target.u, 1.0 if narrow else 4.0 if strict else 8.0, summation(target, strict), flushed(target))


def steps(target: Format) -> float:
    """Return how many roundings of 1 + |answer| honest code may spend besides."""
    # A small answer may be the difference of two terms that matter to each other: up to log(1/u) each.
    return (4.0 if target.precision < 24 else 8.0) - math.log(target.u)


def flushed(target: Format) -> float:
    """Return below what size a result may be flushed to zero."""
    # float16 arithmetic keeps its subnormals everywhere; elsewhere flushing to zero is common (XLA, TensorFlow).
    return 0.0 if target.name == "float16" else target.tiny


def floor(target: Format) -> float:
    """Return the error that flushing and rounding of the smallest numbers may cost."""
    return 4.0 * (flushed(target) or target.smallest_subnormal)


@dataclass(frozen=True)
class Bound:
    """A tolerance that is worked out when somebody asks: most answers are right without it.

    Attributes
    ----------
    least : ndarray
        What it is at least, whatever the analysis of the formula says.
    work : callable
        Does that analysis.
    """

    least: np.ndarray
    work: Callable[[], np.ndarray]

    @cached_property
    def full(self) -> np.ndarray:
        """The tolerance."""
        with np.errstate(all="ignore"):
            return self.work()


def least_of_values(problem: Problem, target: Format, strict: bool, value: np.ndarray) -> np.ndarray:
    """Return what the tolerance of such a value is at least."""
    return _assembled(problem, target, strict, np.zeros(()), value)


def least_of_gradient(target: Format, strict: bool, value: np.ndarray) -> np.ndarray:
    """Return what the tolerance of such a gradient is at least."""
    least = floor(target) + (0.0 if strict else steps(target)) * target.u * np.abs(value)
    return np.asarray(np.where(np.isfinite(least), least, floor(target)))


def of_values(problem: Problem, target: Format, strict: bool, values: Sequence[Value]) -> list[Bound]:
    """Return the tolerance of each output."""
    found: list[np.ndarray] = []

    def work(i: int) -> np.ndarray:
        if not found:
            found.extend(_of_values(problem, target, strict, values))
        return found[i]

    return [
        Bound(least_of_values(problem, target, strict, v.high), lambda i=i: work(i))  # type: ignore[misc]
        for i, v in enumerate(values)
    ]


def _of_values(problem: Problem, target: Format, strict: bool, values: Sequence[Value]) -> list[np.ndarray]:
    if problem.arrays[0].size == 0:
        return [np.full(v.high.shape, floor(target)) for v in values]
    if problem.spec.conditioned:
        call = evaluation.call_of(problem, "stable")
        radii = _condition(problem, target, call)
        if values[0].high.size <= DERIVED:
            radii[0] = np.fmin(radii[0], 4.0 * _first_order(problem, target, values[0].high.shape))
        radii = [r + e for r, e in zip(radii, _roundings(problem, target, strict, call), strict=True)]
        return [_conditioned(problem, target, strict, r, v.high) for r, v in zip(radii, values, strict=True)]
    worst = _worst_of_values(problem, target, strict)
    bounds = [
        _assembled(problem, target, strict, problem.restore(w), v.high) for w, v in zip(worst, values, strict=True)
    ]
    if all(np.isfinite(w).all() or not np.isfinite(v.high).all() for w, v in zip(worst, values, strict=True)):
        return bounds
    # The running bound is lost where a masked term met an unbounded one: the condition number knows better there.
    radii = _condition(problem, target, evaluation.call_of(problem, "stable"))
    return [
        np.where(np.isfinite(problem.restore(w)), b, _conditioned(problem, target, strict, problem.restore(r), v.high))
        for w, b, r, v in zip(worst, bounds, radii, values, strict=True)
    ]


def _worst_of_values(problem: Problem, target: Format, strict: bool) -> list[np.ndarray]:
    """Return the running error bound of each output, the worst of the honest spellings."""
    if "worst" not in problem.cache:
        names, group = _spellings(problem, strict), problem.cache.get("group")
        if special.stand_in(problem) is not problem.arrays:
            group = None
        if group is None:
            worst = _worst(problem, target, strict, [evaluation.call_of(problem, n) for n in names])
        else:
            xp = Running(model(target, strict), sharp=strict)
            found = [[error for _, error in group.outputs(problem, xp, n)] for n in names]
            worst = [np.fmax.reduce(same) for same in zip(*found, strict=True)]
        slack = getattr(problem.spec.module, "slack", None)
        if slack is not None:
            worst[0] = worst[0] + target.u * slack(problem.cache["first"], summation(target, strict))
        problem.cache["worst"] = worst
    return list(problem.cache["worst"])


def enough_of_values(problem: Problem, target: Format, strict: bool, share: float) -> evaluation.Enough:
    """Return which values are known to a share of their tolerance."""

    def most(values: list[Value]) -> list[np.ndarray]:
        problem.cache["first"] = values[0].high
        worst = _worst_of_values(problem, target, strict)
        return [share * _assembled(problem, target, strict, w, v.high) for w, v in zip(worst, values, strict=True)]

    def least(value: np.ndarray) -> np.ndarray:
        return share * least_of_values(problem, target, strict, value)

    return evaluation.Enough(least, None if problem.spec.conditioned else most)


def enough_of_gradient(
    problem: Problem, target: Format, strict: bool, share: float, cotangent: Any
) -> evaluation.Enough:
    """Return which gradients are known to a share of their tolerance."""

    def most(values: list[Value]) -> list[np.ndarray]:
        weights = problem.cotangent(cotangent, problem.cache["outputs"][0])
        worst = _worst_of_gradient(problem, target, strict, weights)
        return [share * _assembled_gradient(problem, target, strict, weights, worst, values[0].high)[0]]

    def least(value: np.ndarray) -> np.ndarray:
        return share * least_of_gradient(target, strict, value)

    return evaluation.Enough(least, None if problem.spec.conditioned else most)


def of_gradient(problem: Problem, target: Format, strict: bool, value: Value, cotangent: Any) -> Bound:
    """Return the tolerance of the gradient."""
    least = least_of_gradient(target, strict, value.high)
    return Bound(least, lambda: _of_gradient(problem, target, strict, value, cotangent))


def _of_gradient(problem: Problem, target: Format, strict: bool, value: Value, cotangent: Any) -> np.ndarray:
    if problem.arrays[0].size == 0:
        return np.full(value.high.shape, floor(target))
    weights = problem.cotangent(cotangent, problem.cache["outputs"][0])
    if problem.spec.conditioned:
        call = evaluation.gradient_call(problem, weights, False)
        radius = _condition(problem, target, call)[0] + _roundings(problem, target, strict, call)[0]
        return _conditioned(problem, target, strict, radius, value.high, gradient=True)
    worst = problem.restore_gradient(_worst_of_gradient(problem, target, strict, weights))
    bound, lost = _assembled_gradient(problem, target, strict, weights, worst, value.high)
    if not np.isfinite(bound[np.isfinite(value.high)]).all():
        (radius,) = _condition(problem, target, evaluation.gradient_call(problem, weights, False))
        known = _conditioned(problem, target, strict, problem.restore_gradient(radius), value.high, gradient=True)
        bound = np.where(np.isfinite(bound), bound, known + lost)
    return np.asarray(np.where(np.isnan(bound), lost, bound))


def _worst_of_gradient(problem: Problem, target: Format, strict: bool, weights: np.ndarray) -> np.ndarray:
    """Return the running error bound of the gradient, the worst of the honest spellings."""
    if "worst of gradient" not in problem.cache:
        names = [*_gradients(problem, strict), *_spellings(problem, strict)]
        calls = [evaluation.gradient_call(problem, weights, False, n) for n in names]
        (problem.cache["worst of gradient"],) = _worst(problem, target, strict, calls)
    return np.asarray(problem.cache["worst of gradient"])


def _assembled_gradient(
    problem: Problem, target: Format, strict: bool, weights: np.ndarray, worst: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the tolerance, and what of it is there for numbers that are flushed to zero."""
    scale = 0.0 if strict else steps(target)
    # What was flushed to zero comes back multiplied, by the weights and by the other arguments (the keys of attention);
    # in float16 the frameworks' own gradients stop at its normal numbers (exp(12) is beyond it).
    factors = [
        float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a))) for a in problem.arrays[1:] if a.dtype.kind == "f"
    ]
    largest = max([1.0, 2.0 * float(np.max(np.abs(weights), initial=0.0)), *(min(f, 1e6) for f in factors)])
    lost = (floor(target) if strict else 4.0 * target.tiny) * largest
    return SPELLING * worst + scale * target.u * np.abs(value) + lost, lost


def _roundings(problem: Problem, target: Format, strict: bool, call: evaluation.Call) -> list[np.ndarray]:
    """Return what honest code loses to roundings on the way through a formula of the user's own."""
    arithmetic = model(target, strict)
    count = steps(target) + arithmetic.summation(max((a.size for a in problem.arrays), default=1))
    with exact.arithmetic(PRECISION, make=lambda backend: Honest(backend, arithmetic, count)) as xp:
        lost = [xp.radii(array) for array in call(xp, problem.arrays)]
    return [np.where(np.isfinite(e) & (not strict), e, 0.0) for e in lost]


def _first_order(problem: Problem, target: Format, shape: tuple[int, ...]) -> np.ndarray:
    """Return the condition number times 2 u from the derivatives, which know of inputs that occur several times."""
    found = np.zeros(shape)
    for index in np.ndindex(shape):
        weights = np.zeros(shape)
        weights[index] = 1.0
        for wrt, array in enumerate(problem.arrays):
            if array.dtype == np.float64:
                call = evaluation.gradient_call(problem, weights, False, "stable", wrt)
                with exact.arithmetic(PRECISION) as xp:
                    slopes = [
                        exact.round_dyadic(low, FORMATS["float64"])
                        for low, _ in xp.bounds(call(xp, problem.arrays)[0]).flat
                    ]
                moved = np.abs(np.reshape(slopes, array.shape) * np.where(np.isfinite(array), array, 0.0))
                found[index] += 2.0 * target.u * moved.sum()
    return np.where(np.isnan(found), np.inf, found)


def _condition(problem: Problem, target: Format, call: evaluation.Call) -> list[np.ndarray]:
    """Return how far the outputs move when every input moves by 2 u: the condition number times 2 u.

    Interval arithmetic overestimates where an input occurs several times, by a factor of about the occurrences.
    """
    with exact.arithmetic(PRECISION, blur=2.0 * target.u) as xp:
        return [xp.radii(array) for array in call(xp, problem.arrays)]


def _conditioned(
    problem: Problem, target: Format, strict: bool, radius: np.ndarray, value: np.ndarray, gradient: bool = False
) -> np.ndarray:
    n = max((a.size for a in problem.arrays), default=1)
    count = (4.0 if strict else 8.0) + summation(target, strict)(n)
    size = np.abs(value)
    if gradient:
        # The entries of a gradient share their intermediate results.
        scale = size + (0.0 if strict else np.max(size, initial=0.0, where=np.isfinite(size)))
    elif problem.spec.scale == "probability":
        scale = size * (1.0 + np.abs(np.log(np.where(size > 0.0, size, 1.0))))
    else:
        scale = size if strict else 1.0 + size
    scale = np.where(np.isfinite(scale), scale, 0.0)
    return np.asarray(radius + count * target.u * scale + floor(target))


def _spellings(problem: Problem, strict: bool) -> list[str]:
    return ["stable"] if strict else list(problem.spec.stable)


def _gradients(problem: Problem, strict: bool) -> list[str]:
    # One minus a number near 1 is what the sharp bound is about.
    return [n for n in problem.spec.vjp if not (strict and n == "vjp_complement")]


def _worst(problem: Problem, target: Format, strict: bool, calls: Sequence[evaluation.Call]) -> list[np.ndarray]:
    xp = Running(model(target, strict), sharp=strict)
    # No more than what makes exp 0: a spelling whose terms cancel there would seem to lose all digits.
    inputs = evaluation.inputs_of(problem, 2.0 * target.log_max)
    found = [[np.zeros(a.shape) if a.parts[1] is None else a.parts[1] for a in call(xp, inputs)] for call in calls]
    # What is unknown of one spelling is not known by another.
    return [np.where(np.isnan(w := np.maximum.reduce(same)), np.inf, w) for same in zip(*found, strict=True)]


def _assembled(problem: Problem, target: Format, strict: bool, worst: np.ndarray, value: np.ndarray) -> np.ndarray:
    size = np.abs(value)
    if strict:
        extra = target.u * size
    elif problem.spec.scale == "probability":
        with np.errstate(divide="ignore", invalid="ignore"):
            extra = target.u * size * (steps(target) + 8.0 * np.abs(np.log(np.where(size > 0.0, size, 1.0))))
    else:
        extra = steps(target) * target.u * (1.0 + size)
    bound = SPELLING * worst + np.where(np.isfinite(extra), extra, 0.0) + floor(target)
    return np.asarray(np.where(np.isnan(bound), floor(target), bound))
