"""The tolerance: what honest code may be off by, from the data at hand (derivation: docs/error-bounds.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import evaluation, exact
from pytest_lse.reference.evaluation import Value
from pytest_lse.reference.layout import Problem
from pytest_lse.reference.running import Model, Running

PRECISION = 300


def summation(target: Format, strict: bool) -> Any:
    """Return the error of a sum of n terms, in units of u."""

    def of(n: int) -> float:
        pairwise = 8.0 + math.log2(max(n, 1))
        if strict or target.precision < 24:
            return min(n - 1.0, pairwise)
        # Vectorised loops keep 16 or more running sums.
        return min(n - 1.0, pairwise + n / 16)

    return lambda n: max(of(n), 0.0)


def model(target: Format, strict: bool) -> Model:
    """Return the arithmetic of honest code in a format."""
    wide = target.precision >= 24
    return Model(target.u, 4.0 if strict or not wide else 8.0, summation(target, strict))


def floor(target: Format) -> float:
    """Return the error that flushing and rounding of the smallest numbers may cost."""
    # float16 arithmetic keeps its subnormals everywhere; elsewhere flushing to zero is common (XLA, TensorFlow).
    return 4.0 * (target.smallest_subnormal if target.name == "float16" else target.tiny)


def of_values(problem: Problem, target: Format, strict: bool, values: Sequence[Value]) -> list[np.ndarray]:
    """Return the tolerance of each output."""
    if any(a.size == 0 for a in problem.arrays):
        return [np.full(v.high.shape, floor(target)) for v in values]
    if problem.spec.conditioned:
        radii = _condition(problem, target, evaluation.call_of(problem, "stable"))
        return [_conditioned(problem, target, strict, r, v.high) for r, v in zip(radii, values, strict=True)]
    worst = _worst(problem, target, strict, [evaluation.call_of(problem, n) for n in _spellings(problem, strict)])
    return [
        _assembled(problem, target, strict, problem.restore(w), v.high) for w, v in zip(worst, values, strict=True)
    ]


def of_gradient(problem: Problem, target: Format, strict: bool, value: Value, cotangent: Any) -> np.ndarray:
    """Return the tolerance of the gradient."""
    if any(a.size == 0 for a in problem.arrays):
        return np.full(value.high.shape, floor(target))
    weights = problem.cotangent(cotangent, problem.cache["outputs"][0])
    if problem.spec.conditioned:
        (radius,) = _condition(problem, target, evaluation.gradient_call(problem, weights, False))
        return _conditioned(problem, target, strict, radius, value.high, gradient=True)
    names = [*problem.spec.vjp, *_spellings(problem, strict)]
    calls = [evaluation.gradient_call(problem, weights, False, n) for n in names]
    (worst,) = _worst(problem, target, strict, calls)
    worst = problem.restore_gradient(worst)
    scale = 0.0 if strict else 8.0
    return np.asarray(2.0 * worst + scale * target.u * np.abs(value.high) + floor(target))


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
    steps = (4.0 if strict else 8.0) + summation(target, strict)(n)
    size = np.abs(value)
    if gradient:
        # The entries of a gradient share their intermediate results.
        scale = size + (0.0 if strict else np.max(size, initial=0.0, where=np.isfinite(size)))
    elif problem.spec.scale == "probability":
        scale = size * (1.0 + np.abs(np.log(np.where(size > 0.0, size, 1.0))))
    else:
        scale = size if strict else 1.0 + size
    scale = np.where(np.isfinite(scale), scale, 0.0)
    return np.asarray(2.0 * radius + steps * target.u * scale + floor(target))


def _spellings(problem: Problem, strict: bool) -> list[str]:
    return ["stable"] if strict else list(problem.spec.stable)


def _worst(problem: Problem, target: Format, strict: bool, calls: Sequence[evaluation.Call]) -> list[np.ndarray]:
    xp = Running(model(target, strict), sharp=strict)
    inputs = (*problem.arrays, *problem.row_params.values())
    found: list[list[np.ndarray]] = []
    for call in calls:
        found.append([np.zeros(a.shape) if a.parts[1] is None else a.parts[1] for a in call(xp, inputs)])
    return [np.fmax.reduce(same) for same in zip(*found, strict=True)]


def _assembled(problem: Problem, target: Format, strict: bool, worst: np.ndarray, value: np.ndarray) -> np.ndarray:
    size = np.abs(value)
    if strict:
        extra = target.u * size
    elif problem.spec.scale == "probability":
        with np.errstate(divide="ignore", invalid="ignore"):
            extra = target.u * size * (8.0 + np.abs(np.log(np.where(size > 0.0, size, 1.0))))
    else:
        extra = 8.0 * target.u * (1.0 + size)
    bound = 2.0 * worst + np.where(np.isfinite(extra), extra, 0.0) + floor(target)
    return np.asarray(np.where(np.isnan(bound), floor(target), bound))
