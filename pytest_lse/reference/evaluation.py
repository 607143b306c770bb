"""The ladder: a formula is evaluated in ever more precise arithmetic until its rounding is decided.

Every level bounds its own error. Where the lower and upper end of that bound round to the same number, this number is
the correctly rounded result; the rest, row by row, goes to the next level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import exact, tape
from pytest_lse.reference.arrays import Array, Namespace
from pytest_lse.reference.layout import Problem
from pytest_lse.reference.rounding import round_sum
from pytest_lse.reference.running import FLOAT64, Running

Call = Callable[[Namespace, tuple[np.ndarray, ...]], tuple[Array, ...]]


@dataclass(frozen=True)
class Value:
    """A correctly rounded array and the two doubles it was rounded from."""

    rounded: np.ndarray
    high: np.ndarray
    low: np.ndarray


def values(problem: Problem, target: Format) -> list[Value]:
    """Return the truth of every output, in the user's shapes."""
    results = _climb(call_of(problem, "stable"), _inputs(problem), target, problem.separable)
    problem.cache["outputs"] = [problem.restore(r.high) for r in results]
    return [Value(*(problem.restore(p) for p in (r.rounded, r.high, r.low))) for r in results]


def gradient(problem: Problem, target: Format, cotangent: Any) -> Value:
    """Return the truth of the gradient with respect to the first argument, in its shape."""
    weights = problem.cotangent(cotangent, problem.cache["outputs"][0])
    separable = problem.separable
    inputs = (*_inputs(problem), weights) if separable else _inputs(problem)
    (result,) = _climb(gradient_call(problem, weights, separable), inputs, target, separable)
    return Value(*(problem.restore_gradient(p) for p in (result.rounded, result.high, result.low)))


def _inputs(problem: Problem) -> tuple[np.ndarray, ...]:
    return (*problem.arrays, *problem.row_params.values())


def call_of(problem: Problem, name: str) -> Call:
    """Return a spelling of the kernel as a function of an arithmetic and the canonical arrays."""
    formula = problem.formula(name)
    count, keys = len(problem.arrays), tuple(problem.row_params)

    def call(xp: Namespace, arrays: tuple[np.ndarray, ...]) -> tuple[Array, ...]:
        lifted = [a if isinstance(a, Array) else lift(xp, a) for a in arrays]
        result = formula(xp, *lifted[:count], **dict(zip(keys, lifted[count:], strict=True)))
        if problem.spec.mean:
            result = xp.mean(result)
        return tuple(xp.asarray(r) for r in (result if isinstance(result, tuple) else (result,)))

    return call


def gradient_call(problem: Problem, weights: np.ndarray, separable: bool, name: str | None = None) -> Call:
    """Return the gradient as a function of an arithmetic and the canonical arrays (with the weights if separable).

    Parameters
    ----------
    name : str, optional
        A ``vjp`` spelling, or a ``stable`` one to be differentiated; default: the kernel's ``vjp``, or else ``stable``.
    """
    name = name or ("vjp" if "vjp" in problem.spec.vjp else "stable")
    if name.startswith("stable"):
        return _differentiated(problem, weights, separable, name)
    formula = problem.formula(name)
    count, keys = len(problem.arrays), tuple(problem.row_params)

    def call(xp: Namespace, arrays: tuple[np.ndarray, ...]) -> tuple[Array, ...]:
        lifted = [lift(xp, a) for a in (arrays[:-1] if separable else arrays)]
        g = xp.asarray(arrays[-1] if separable else weights)
        if problem.spec.mean:
            g = xp.divide(g, float(len(problem.arrays[0])))
        result = formula(xp, g, *lifted[:count], **dict(zip(keys, lifted[count:], strict=True)))
        first = result[0] if isinstance(result, tuple) else result
        return (xp.broadcast_to(first, lifted[0].shape),)

    return call


def _differentiated(problem: Problem, weights: np.ndarray, separable: bool, name: str) -> Call:
    forward = call_of(problem, name)

    def call(xp: Namespace, arrays: tuple[np.ndarray, ...]) -> tuple[Array, ...]:
        data, g = (arrays[:-1], arrays[-1]) if separable else (arrays, weights)
        recorder = tape.Tape(xp)
        first = recorder.variable(xp.asarray(data[0]))
        output = forward(recorder, (first, *data[1:]))[0]
        return (recorder.gradient(output, xp.asarray(np.reshape(g, output.shape)), first),)

    return call


def lift(xp: Namespace, array: np.ndarray) -> Any:
    """Make floating arrays elements of an arithmetic; labels and masks stay as they are."""
    return xp.lift(array) if isinstance(array, np.ndarray) and array.dtype == np.float64 else array


def _climb(call: Call, inputs: tuple[np.ndarray, ...], target: Format, separable: bool) -> list[Value]:
    results: list[Value] = []
    pending: np.ndarray | None = None
    for level in _levels(target):
        some = inputs if pending is None else tuple(a[pending] for a in inputs)
        found = level(call, some)
        undecided = _merge(results, found, pending)
        if not undecided.any():
            break
        if separable:
            rows = undecided.reshape(undecided.shape[0], -1).any(axis=1).nonzero()[0]
            pending = rows if pending is None else pending[rows]
    return results


Found = tuple[list[Value], list[np.ndarray]]


def _merge(results: list[Value], found: Found, pending: np.ndarray | None) -> np.ndarray:
    fresh, decided = found
    if pending is None or not results:
        results[:] = fresh
    else:
        for old, new in zip(results, fresh, strict=True):
            for whole, part in ((old.rounded, new.rounded), (old.high, new.high), (old.low, new.low)):
                whole[pending] = part
    open_ = [~d for d in decided]
    if len(open_) == 1:
        return np.atleast_1d(open_[0])
    lengths = {o.shape[:1] for o in open_}
    if len(lengths) == 1 and open_[0].ndim:
        return np.any([o.reshape(o.shape[0], -1).any(axis=1) for o in open_], axis=0)
    return np.atleast_1d(np.any([o.any() for o in open_]))


def _levels(target: Format) -> Iterator[Callable[[Call, tuple[np.ndarray, ...]], Found]]:
    if target.precision < 53:
        yield lambda call, inputs: _quick(call, inputs, target)
    for precision in exact.PRECISIONS:
        yield lambda call, inputs, p=precision: _exactly(call, inputs, target, p)  # type: ignore[misc]


def _quick(call: Call, inputs: tuple[np.ndarray, ...], target: Format) -> Found:
    fresh, decided = [], []
    for array in call(Running(FLOAT64), inputs):
        value, error = array.parts
        value = np.array(value)
        margin = np.zeros(value.shape) if error is None else error * 1.001 + 2.0**-1070
        low, high = round_sum(value, -margin, target), round_sum(value, margin, target)
        # A nan may stem from inf - inf inside, and an infinity from an overflow: only finite values prove themselves.
        decided.append((low == high) & np.isfinite(value))
        fresh.append(Value(low, value, np.zeros(value.shape)))
    return fresh, decided


def _exactly(call: Call, inputs: tuple[np.ndarray, ...], target: Format, precision: int) -> Found:
    last = precision == exact.PRECISIONS[-1]
    fresh, decided = [], []
    with exact.arithmetic(precision) as xp:
        for array in call(xp, inputs):
            ends = xp.bounds(array)
            rounded, high, low = (np.zeros(ends.shape) for _ in range(3))
            done = np.zeros(ends.shape, dtype=bool)
            for index, (bottom, top) in zip(np.ndindex(ends.shape), ends.flat, strict=True):
                settled = exact.settle(bottom, top, target, last)
                done[index] = settled is not None
                if settled is not None:
                    rounded[index], high[index], low[index] = settled
            fresh.append(Value(rounded, high, low))
            decided.append(done)
    return fresh, decided
