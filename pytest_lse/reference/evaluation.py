"""The ladder: a formula is evaluated in ever more precise arithmetic until its rounding is decided.

Every level bounds its own error. Where the lower and upper end of that bound round to the same number, this number is
the correctly rounded result; the rest, row by row, goes to the next level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import exact, special, tape
from pytest_lse.reference.arrays import Array
from pytest_lse.reference.decided import Decided
from pytest_lse.reference.doubledouble import UNIT, DoubleDouble
from pytest_lse.reference.layout import Problem
from pytest_lse.reference.namespace import Namespace
from pytest_lse.reference.quick import Quick
from pytest_lse.reference.rounding import narrow, round_sum
from pytest_lse.reference.shortcut import first

Call = Callable[[Namespace, tuple[Any, ...]], tuple[Array, ...]]


@dataclass(frozen=True)
class Value:
    """A correctly rounded array, the two doubles it was rounded from, and which answers pass besides.

    Attributes
    ----------
    required : ndarray of bool
        Whether the element is judged.
    alternatives : tuple of ndarray
        Further right answers.
    error : ndarray, optional
        How far the two doubles may be from the exact value, where that was good enough to be kept.
    """

    rounded: np.ndarray
    high: np.ndarray
    low: np.ndarray
    error: np.ndarray | None = None
    required: np.ndarray | None = None
    alternatives: tuple[np.ndarray, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[np.ndarray]) -> Value:
        """Make a value of its three or four arrays."""
        rounded, high, low, *rest = parts
        return cls(rounded, high, low, rest[0] if rest else None)

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The arrays that move together: the error where there is one."""
        exact = self.rounded, self.high, self.low
        return exact if self.error is None else (*exact, self.error)


@dataclass(frozen=True)
class Enough:
    """Which values are good enough to be judged by.

    Attributes
    ----------
    least : callable
        The error that such a value may always have, from the value.
    most : callable, optional
        The error that each output of the whole problem may have, from the values: it costs a look at the formula.
    """

    least: Callable[[np.ndarray], np.ndarray]
    most: Callable[[list[Value]], list[np.ndarray]] | None = None


def shortcut(problem: Problem, target: Format, pairs: bool) -> Decided | None:
    """Return what is decided quickly, or None where there is no shortcut."""
    if problem.reduced or problem.row_params or problem.params.get("pos_weight", 1.0) != 1.0:
        return None
    if problem.spec.name != "cross_entropy":
        return first(problem.spec.name, problem.arrays, target, pairs)
    options, labels = problem.params, problem.arrays[1]
    if options["reduction"] != "none" or options["label_smoothing"] or options["weight"] is not None:
        return None
    found = first("cross_entropy", problem.arrays, target, pairs)
    if found is not None:
        found.fix(labels == options["ignore_index"], 0.0)
    return found


def rounded(problem: Problem, target: Format) -> list[np.ndarray]:
    """Return the correctly rounded outputs alone, in the user's shapes."""
    found = shortcut(problem, target, pairs=False)
    if found is None:
        return [v.rounded for v in values(problem, target)]
    ruling = _continue(problem, target, found)
    if ruling.fixed:
        ruling.apply(found.rounded, np.zeros(found.rounded.shape))
    return [problem.restore(found.rounded)]


def values(problem: Problem, target: Format, enough: Enough | None = None) -> list[Value]:
    """Return the truth of every output, in the user's shapes.

    Parameters
    ----------
    enough : Enough, optional
        Which values will do. Default: every value is correctly rounded.
    """
    known = None if enough is None else problem.cache.get("quick")
    found = shortcut(problem, target, pairs=True) if known is None else None
    if found is not None:
        ruling = _continue(problem, target, found)
        value = Value(found.rounded.astype(np.float64), found.high, found.low)
        problem.cache["first"] = value.high
        whole = _ruled(value, ruling, problem.restore)
        problem.cache["outputs"] = [whole.high]
        return [whole]
    ruling = special.rule(problem)
    if ruling.skip is not None and ruling.skip.any():
        known = None
    if problem.spec.layout == "rows" and problem.arrays[0].shape[-1] == 0 and not problem.reduced:
        results = [_empty(problem)]
        ruling = special.Ruling(free=[np.isnan(results[0].high)])  # the mean of nothing
    elif problem.arrays[0].size == 0 and (problem.reduced or problem.spec.name in ("cross_entropy", "info_nce")):
        results = [Value.of(np.zeros(()) for _ in range(3))]
    else:
        levels = _levels(target, SIDE.get(problem.spec.name, 0), enough, known)
        call = call_of(problem, "stable")
        results = _climb(
            call, inputs_of(problem), levels, problem.separable, ruling.skip, enough.most if enough else None
        )
    problem.cache["first"] = results[0].high
    finished = [_ruled(results[0], ruling, problem.restore)]
    if len(results) > 1:
        finished += [_ruled(r, special.Ruling(free=ruling.free), problem.restore) for r in results[1:]]
    problem.cache["outputs"] = [f.high for f in finished]
    return finished


def _continue(problem: Problem, target: Format, found: Decided) -> special.Ruling:
    """Send the rows that the shortcut has left open down the ladder; return what else is ruled about them."""
    if not found.open:
        return special.Ruling()
    ruling = special.rule(problem)
    pending = np.concatenate(found.open)
    if ruling.skip is not None:
        found.rounded[ruling.skip] = np.nan
        if found.pairs:
            found.high[ruling.skip], found.low[ruling.skip] = np.nan, 0.0
        pending = pending[~ruling.skip[pending]]
    if len(pending):
        rest = tuple(a[pending] for a in inputs_of(problem))
        levels = _levels(target, SIDE.get(problem.spec.name, 0))
        (value,) = _climb(call_of(problem, "stable"), rest, levels, True)
        found.rounded[pending] = value.rounded
        if found.pairs:
            found.high[pending], found.low[pending] = value.high, value.low
    return ruling


def _empty(problem: Problem) -> Value:
    fill = special.EMPTY.get(problem.spec.name)
    shape = problem.arrays[0].shape if fill is None else problem.arrays[0].shape[:1]
    value = np.full(shape, 0.0 if fill is None else fill)
    return Value(value, value.copy(), np.zeros(shape))


def gradient(
    problem: Problem,
    target: Format,
    cotangent: Any,
    wrt: int = 0,
    shape: tuple[int, ...] | None = None,
    enough: Enough | None = None,
) -> Value:
    """Return the truth of the gradient with respect to an argument.

    Parameters
    ----------
    shape : tuple of int, optional
        Of the argument before it was broadcast; default: the gradient has the shape of the broadcast argument.
    enough : Enough, optional
        As in `values`.
    """
    weights = problem.cotangent(cotangent, problem.cache["outputs"][0])
    separable = problem.separable
    if shape is not None and problem.spec.layout != "whole" and shape != problem.shape and problem.arrays[0].size:
        call = _summed(problem, gradient_call(problem, weights, False, wrt=wrt), shape)
        (result,) = _climb(call, inputs_of(problem), list(_levels(target)), False)
        return result
    ruling = special.rule(problem, gradient=True)
    if problem.arrays[0].size == 0:
        result = Value.of(np.zeros(problem.arrays[wrt].shape) for _ in range(3))
    else:
        inputs = (*inputs_of(problem), weights) if separable else inputs_of(problem)
        call = gradient_call(problem, weights, separable, wrt=wrt)
        levels = _levels(target, enough=enough)
        (result,) = _climb(call, inputs, levels, separable, ruling.skip, enough.most if enough else None)
    if wrt:
        ruling = special.Ruling()  # the rules are about the first argument
    ruled = _ruled(result, ruling, problem.restore_gradient)
    if problem.spec.name != "ctc_loss":
        return ruled
    # PyTorch's ctc_loss returns the gradient with respect to the logits before a log_softmax.
    return replace(ruled, alternatives=(*ruled.alternatives, ruled.high + weights * np.exp(problem.arrays[0])))


def _summed(problem: Problem, call: Call, shape: tuple[int, ...]) -> Call:
    """Add up, exactly, the gradients of an element that was broadcast."""
    whole, axis = problem.shape, problem.axis
    lead = len(whole) - len(shape)
    axes = tuple(i for i, n in enumerate(whole) if i < lead or shape[i - lead] != n)

    def summed(xp: Namespace, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
        (found,) = call(xp, arrays)
        if problem.spec.layout == "rows":
            found = xp.reshape(found, (*whole[:axis], *whole[axis + 1 :], whole[axis]))
            order = list(range(len(whole) - 1))
            found = xp.transpose(found, (*order[:axis], len(order), *order[axis:]))
        return (xp.reshape(xp.sum(xp.reshape(found, whole), axes), shape),)

    return summed


def _ruled(value: Value, ruling: special.Ruling, restore: Callable[[np.ndarray], np.ndarray]) -> Value:
    if not (ruling.fixed or ruling.free or ruling.either):
        return Value.of(restore(p) for p in value.parts)
    parts = tuple(np.array(p) for p in value.parts)
    ruling.apply(*parts[1:])
    ruling.apply(parts[0], np.zeros(parts[0].shape))
    required, others = ruling.required(parts[0].shape), ruling.alternatives(parts[1])
    whole = Value.of(restore(p) for p in parts)
    return replace(whole, required=restore(required), alternatives=tuple(restore(o) for o in others))


def inputs_of(problem: Problem, far: float = 1e300) -> tuple[np.ndarray, ...]:
    """Return the canonical arrays of a call, array-valued parameters last; see `special.stand_in`."""
    return (*special.stand_in(problem, far), *problem.row_params.values())


def call_of(problem: Problem, name: str) -> Call:
    """Return a spelling of the kernel as a function of an arithmetic and the canonical arrays."""
    formula = problem.formula(name)
    count, keys = len(problem.arrays), tuple(problem.row_params)

    def call(xp: Namespace, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
        lifted = [a if isinstance(a, Array) else lift(xp, a) for a in arrays]
        result = formula(xp, *lifted[:count], **dict(zip(keys, lifted[count:], strict=True)))
        if problem.reduced:
            result = xp.mean(result) if problem.reduction == "mean" else xp.sum(result)
        return tuple(xp.asarray(r) for r in (result if isinstance(result, tuple) else (result,)))

    return call


def gradient_call(
    problem: Problem, weights: np.ndarray, separable: bool, name: str | None = None, wrt: int = 0
) -> Call:
    """Return the gradient as a function of an arithmetic and the canonical arrays (with the weights if separable).

    Parameters
    ----------
    name : str, optional
        A ``vjp`` spelling, or a ``stable`` one to be differentiated; default: the kernel's ``vjp``, or else ``stable``.
    wrt : int
        The argument; one that ``vjp`` does not return is differentiated for.
    """
    name = name or ("vjp" if "vjp" in problem.spec.vjp else "stable")
    traced = _differentiated(problem, weights, separable, name if name.startswith("stable") else "stable", wrt)
    if name.startswith("stable"):
        return traced
    position = sum(a.dtype == np.float64 for a in problem.arrays[:wrt])
    formula = problem.formula(name)
    count, keys = len(problem.arrays), tuple(problem.row_params)

    def call(xp: Namespace, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
        lifted = [lift(xp, a) for a in (arrays[:-1] if separable else arrays)]
        g = xp.asarray(arrays[-1] if separable else weights)
        if problem.reduced and problem.reduction == "mean":
            g = xp.divide(g, float(len(problem.arrays[0])))
        result = formula(xp, g, *lifted[:count], **dict(zip(keys, lifted[count:], strict=True)))
        if position >= len(result):
            return traced(xp, arrays)
        return (xp.broadcast_to(result[position], lifted[wrt].shape),)

    return call


def _differentiated(problem: Problem, weights: np.ndarray, separable: bool, name: str, wrt: int) -> Call:
    forward = call_of(problem, name)

    def call(xp: Namespace, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
        data, g = (arrays[:-1], arrays[-1]) if separable else (arrays, weights)
        recorder = tape.Tape(xp)
        variable = recorder.variable(lift(xp, data[wrt]))
        output = forward(recorder, (*data[:wrt], variable, *data[wrt + 1 :]))[0]
        return (recorder.gradient(output, xp.asarray(np.reshape(g, output.shape)), variable),)

    return call


def lift(xp: Namespace, array: np.ndarray) -> Any:
    """Make floating arrays elements of an arithmetic; labels and masks stay as they are."""
    return xp.lift(array) if isinstance(array, np.ndarray) and array.dtype == np.float64 else array


Found = tuple[list[Value], list[np.ndarray]]
Level = Callable[[Call, tuple[np.ndarray, ...]], Found]
Bounded = tuple[np.ndarray, Any]

#: kernels whose answer may be an elementary number plus (1) or minus (-1) an exponential too small for any precision
SIDE = {"log_softmax": -1, "cross_entropy": 1, "soft_cross_entropy": 1, "bce_with_logits": 1, "info_nce": 1}
#: elements that are evaluated at once
BLOCK = 8192


def _climb(
    call: Call,
    inputs: tuple[np.ndarray, ...],
    levels: Iterable[Level],
    separable: bool,
    skip: np.ndarray | None = None,
    most: Callable[[list[Value]], list[np.ndarray]] | None = None,
) -> list[Value]:
    """Evaluate level by level; rows to be skipped stay nan.

    Parameters
    ----------
    most : callable, optional
        The errors that are good enough, asked for once, after the first level.
    """
    results: list[Value] = []
    pending: np.ndarray | None = None
    if separable and skip is not None and skip.any():
        pending = (~skip).nonzero()[0]
    for level in levels:
        some = inputs if pending is None else tuple(a[pending] for a in inputs)
        fresh, decided = _in_blocks(level, call, some) if separable else level(call, some)
        if pending is None:
            results = fresh
        else:
            _fill(results, fresh, pending, len(inputs[0]))
        undecided = [~d for d in decided]
        if most is not None and any(u.any() for u in undecided):
            close = [_close(v, m) for v, m in zip(results, most(results), strict=True)]
            undecided = [u & ~(c if pending is None else c[pending]) for u, c in zip(undecided, close, strict=True)]
            most = None
        if not any(u.any() for u in undecided):
            break
        if separable:
            rows = np.any([u.reshape(u.shape[0], -1).any(axis=1) for u in undecided], axis=0).nonzero()[0]
            pending = rows if pending is None else pending[rows]
    return results


def _close(value: Value, allowed: np.ndarray) -> np.ndarray:
    """Say which values are known to an error that is allowed."""
    assert value.error is not None
    return np.asarray(np.isfinite(value.high) & np.isfinite(allowed) & (value.error <= allowed))


def _in_blocks(level: Level, call: Call, inputs: tuple[np.ndarray, ...]) -> Found:
    """Evaluate rows in blocks whose temporaries stay in the cache."""
    rows = len(inputs[0])
    step = max(1, BLOCK * rows // max(inputs[0].size, 1))
    if rows <= step:
        return level(call, inputs)
    found = [level(call, tuple(a[i : i + step] for a in inputs)) for i in range(0, rows, step)]
    fresh = [
        Value.of(np.concatenate(parts) for parts in zip(*(v.parts for v in same), strict=True))
        for same in zip(*(f[0] for f in found), strict=True)
    ]
    return fresh, [np.concatenate(same) for same in zip(*(f[1] for f in found), strict=True)]


def _fill(results: list[Value], fresh: list[Value], rows: np.ndarray, count: int) -> None:
    if not results:
        results[:] = [Value.of(np.full((count, *p.shape[1:]), np.nan) for p in v.parts) for v in fresh]
    for old, new in zip(results, fresh, strict=True):
        if old.error is not None and new.error is None:
            old.error[rows] = 0.0
        for whole, part in zip(old.parts, new.parts, strict=False):
            whole[rows] = part


def _levels(
    target: Format, side: int = 0, enough: Enough | None = None, known: Sequence[Bounded] | None = None
) -> Iterator[Level]:
    """Yield the levels, the cheapest first, of which `known` has the results already."""
    if known is not None:
        yield lambda call, inputs: _bounded(known, target, enough)
    elif target.precision < 53 or enough is not None:
        yield lambda call, inputs: _bounded([a.parts for a in call(Quick(), inputs)], target, enough)
    yield lambda call, inputs: _double(call, inputs, target, enough)
    for precision in exact.PRECISIONS:
        yield lambda call, inputs, p=precision: _exactly(call, inputs, target, p, side)  # type: ignore[misc]


def _bounded(arrays: Sequence[Bounded], target: Format, enough: Enough | None) -> Found:
    found = [_rounded(np.asarray(v), np.zeros(v.shape), error, target, 1.0, enough) for v, error in arrays]
    return [f[0] for f in found], [f[1] for f in found]


def _double(call: Call, inputs: tuple[np.ndarray, ...], target: Format, enough: Enough | None) -> Found:
    found = []
    for array in call(DoubleDouble(), inputs):
        high, low, error = array.parts
        low = np.zeros(high.shape) if low is None else low
        found.append(_rounded(np.asarray(high), low, error, target, UNIT, enough))
    return [f[0] for f in found], [f[1] for f in found]


def _rounded(
    high: np.ndarray,
    low: np.ndarray,
    error: np.ndarray | None,
    target: Format,
    unit: float,
    enough: Enough | None,
) -> tuple[Value, np.ndarray]:
    """Round both ends of what the error bound leaves; where they agree, the rounding is decided."""
    if enough is None:
        return _ends(high, low, error, target, unit)
    margin = np.zeros(high.shape) if error is None else error * (1.001 * unit)
    close = np.isfinite(high) & (margin <= enough.least(high))
    if close.all():
        return Value(narrow(high, target) + 0.0, np.array(high), np.array(low), np.array(margin)), close
    value, decided = _ends(high, low, error, target, unit)
    rounded = np.where(decided, value.rounded, narrow(high, target) + 0.0)
    return replace(value, rounded=rounded, error=np.array(margin)), decided | close


def _ends(
    high: np.ndarray, low: np.ndarray, error: np.ndarray | None, target: Format, unit: float
) -> tuple[Value, np.ndarray]:
    if unit == 1.0 and error is not None and target.name != "bfloat16" and np.isfinite(high).all():
        # The common case, in few passes: margins that exceed the roundings of the ends as well.
        margin = np.abs(high) * 2.0**-52
        margin += error * 1.001
        ends = (high - margin).astype(target.name), (high + margin).astype(target.name)
        # A copy, since later levels fill in what is open.
        return Value(ends[0].astype(np.float64) + 0.0, np.array(high), low), ends[0] == ends[1]
    if error is None:
        margin = np.zeros(high.shape)
    else:
        # The bound itself was computed with roundings, and so are the ends: inexact where a margin is added to low.
        # A margin below the smallest double still tells a midpoint from what is next to it; only 0 is 0 on both sides.
        margin = np.maximum((error * 1.001) * unit + np.abs(low) * 2.0**-52, np.where(high == 0.0, 0.0, 2.0**-1074))
        margin = np.where(error > 0.0, margin, 0.0)
    margin = np.where(np.isfinite(high), margin, 0.0)
    if unit == 1.0:  # no low part: the ends are ordinary numbers, rounded outwards by more than their rounding
        margin = margin + np.abs(np.where(margin > 0.0, high, 0.0)) * 2.0**-52
        bottom, top = narrow(high - margin, target), narrow(high + margin, target)
    else:
        bottom, top = round_sum(high, low - margin, target), round_sum(high, low + margin, target)
    # An infinity is one only if nothing overflowed on the way, and a nan proves nothing.
    known = np.isfinite(high) if error is None else np.isfinite(high) | (np.isinf(high) & (error == 0.0))
    decided = (bottom == top) & (known | (np.isinf(high) if error is None else False))
    return Value(bottom + 0.0, np.array(high), np.array(low)), decided  # 0.0: no negative zeros


def _exactly(call: Call, inputs: tuple[np.ndarray, ...], target: Format, precision: int, side: int) -> Found:
    last = precision == exact.PRECISIONS[-1]
    fresh, decided = [], []
    with exact.arithmetic(precision) as xp:
        for array in call(xp, inputs):
            ends = xp.bounds(array)
            rounded, high, low = (np.zeros(ends.shape) for _ in range(3))
            done = np.zeros(ends.shape, dtype=bool)
            for index, (bottom, top) in zip(np.ndindex(ends.shape), ends.flat, strict=True):
                settled = exact.settle(bottom, top, target, last, side)
                done[index] = settled is not None
                if settled is not None:
                    rounded[index], high[index], low[index] = settled
            fresh.append(Value(rounded + 0.0, high, low))
            decided.append(done)
    return fresh, decided
