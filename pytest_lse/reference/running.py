"""Float64 with a running error bound: what a computation with unit roundoff u may be off by.

With u = 2**-53 it is the first, cheap level of the truth for the narrow dtypes. With the u of a dtype it is the
tolerance: run over a formula, it bounds the error of honest code that evaluates this formula in that dtype, from the
data at hand, the condition number included (`bounds`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand, Part, scaled
from pytest_lse.reference.namespace import Namespace


@dataclass(frozen=True)
class Model:
    """The arithmetic that is modelled.

    Attributes
    ----------
    u : float
        Unit roundoff of one addition, multiplication or division.
    c : float
        Error of exp, log and their kin, in units of u.
    summation : callable
        Error of a sum of n terms, in units of u times the sum of magnitudes.
    flushed : float
        Results below this may be flushed to zero.
    """

    u: float
    c: float
    summation: Callable[[int], float]
    flushed: float = 0.0


def sequential(n: int) -> float:
    """Bound of any order of summation (Higham, Accuracy and Stability of Numerical Algorithms, equation 4.4)."""
    return float(max(n - 1, 0))


FLOAT64 = Model(2.0**-53, 4.0, sequential)
#: errors of arguments up to which the second order is less than a hundredth of the first
SMALL = 0.005
#: what honest code of another spelling may lose of the smaller term of a sum, where the larger one has no place for it
SPELLINGS = 2.0
TINY, SMALLEST = 2.0**-1022, 2.0**-1074


class Running(Namespace):
    """Arrays of (value, absolute error bound)."""

    def __init__(self, model: Model = FLOAT64, sharp: bool = True, trusted: bool = True) -> None:
        self.model = model
        self.sharp = sharp
        # Whether an infinity is taken for the value itself, however it arose, and a number below the normal ones for
        # one with all its digits.
        self.trusted = trusted

    @property
    def pi(self) -> Array:
        return Array(self, (np.asarray(np.pi), np.asarray(np.pi * self.model.u)))

    def lift(self, values: np.ndarray) -> Array:
        return Array(self, (values, None))

    def _pair(self, x: Operand) -> tuple[np.ndarray, Part]:
        return self.asarray(x).parts

    def _result(self, value: np.ndarray, error: Part, *operands: Any) -> Array:
        value = np.asarray(value)
        if self.model.flushed:
            size = np.abs(value)
            small = size < self.model.flushed
            if small.any():
                error = _plus(error, np.where(small, size, 0.0))
        if error is None:
            return Array(self, (value, None))
        finite = np.isfinite(value)
        if not finite.all():
            lost: Any = 0.0
            if not self.trusted:
                # A finite computation that overflows proves nothing; infinities that were there before are exact.
                sound = np.all([np.broadcast_to(np.isfinite(o), value.shape) for o in operands], axis=0)
                lost = np.where(sound | ~(error < np.inf), np.inf, 0.0)
            error = np.where(finite, error, lost)
        return Array(self, (value, error if error.shape == value.shape else np.broadcast_to(error, value.shape)))

    def _rounding(self, value: np.ndarray) -> np.ndarray:
        size = np.abs(value)
        if not self.trusted:
            size = np.where(np.isinf(size), 0.0, size)  # an infinity is either exact or lost: see `_result`
        return np.asarray(self.model.u * size)

    def _scaled(self, size: np.ndarray, error: np.ndarray) -> np.ndarray:
        return size * error if self.trusted else scaled(size, error)

    def _underflow(self, value: np.ndarray, error: np.ndarray, exact: np.ndarray) -> np.ndarray:
        """Add what the numbers below the normal ones lack of digits."""
        if self.trusted:
            return error
        small = np.abs(value) < TINY
        if not small.any():
            return error
        return error + np.where(small & ~exact, SMALLEST, 0.0)

    def add(self, a: Operand, b: Operand) -> Array:
        (p, e), (q, f) = self._pair(a), self._pair(b)
        value = p + q
        # A sum is off by no more than its smaller term, which is how far the other one is.
        smaller = np.minimum(np.abs(p) if e is None else np.abs(p) + e, np.abs(q) if f is None else np.abs(q) + f)
        if self.trusted:
            smaller = SPELLINGS * smaller
        return self._result(value, _plus(_plus(e, f), np.fmin(self._rounding(value), smaller)), p, q)

    def multiply(self, a: Operand, b: Operand) -> Array:
        (p, e), (q, f) = self._pair(a), self._pair(b)
        value = p * q
        error = self._rounding(value)
        if self.trusted:
            # What is multiplied by 1 or 0 is not rounded.
            error = np.where(_neutral(p, e) | _neutral(q, f), 0.0, error)
        if f is not None:
            error = error + self._scaled(np.abs(p), f)
        if e is not None:
            error = error + self._scaled(np.abs(q) if f is None else np.abs(q) + f, e)
        if not self.trusted and (np.isinf(p).any() or np.isinf(q).any()):
            # An infinity times what is not zero is itself.
            sure = _certainly_infinite(p, e, q, f) | _certainly_infinite(q, f, p, e)
            error = np.where(sure, 0.0, error)
        error = self._underflow(value, error, (p == 0.0) | (q == 0.0))
        return self._result(value, error, p, q)

    def divide(self, a: Operand, b: Operand) -> Array:
        (p, e), (q, f) = self._pair(a), self._pair(b)
        value = p / q
        size = np.abs(value)
        error = self._rounding(value)
        if f is not None:
            room = np.abs(q) - f
            spread = (size * f) if e is None else (size * f + e)
            error = error + np.where(room > 0, spread / np.where(room > 0, room, 1.0), np.inf)
        elif e is not None:
            error = error + e / np.abs(q)
        error = self._underflow(value, error, (p == 0.0) | np.isinf(q))
        return self._result(value, error, p, q)

    def negative(self, x: Operand) -> Array:
        value, error = self._pair(x)
        return Array(self, (-value, error))

    def exp(self, x: Operand) -> Array:
        value, error = self._pair(x)
        result = np.exp(value)
        factor: Part = self.model.c * self.model.u
        if error is not None:
            factor = factor + np.expm1(np.minimum(error, 700.0)) * (1.0 + factor)
        return self._result(result, self._underflow(result, _no_nan(result * factor), np.isneginf(value)), value)

    def expm1(self, x: Operand) -> Array:
        value, error = self._pair(x)
        result = np.expm1(value)
        bound = self.model.c * self._rounding(result)
        if error is not None:
            bound = bound + np.exp(np.minimum(value, 700.0)) * np.expm1(np.minimum(error, 700.0)) * 1.01
        return self._result(result, _no_nan(bound), value)

    def log(self, x: Operand) -> Array:
        value, error = self._pair(x)
        result = np.log(value)
        bound = _plus(self._slope(value, error), self.model.c * self._rounding(result))
        return self._result(result, bound, np.where(value == 0.0, np.inf, value))  # log(0) is exact

    def log1p(self, x: Operand) -> Array:
        value, error = self._pair(x)
        result = np.log1p(value)
        slope = self._slope(1.0 + value, error)
        bound = _plus(slope, self.model.c * self._rounding(result))
        return self._result(result, bound, np.where(value == -1.0, np.inf, value))

    def _slope(self, value: np.ndarray, error: Part) -> Part:
        if error is None:
            return None
        ratio = error / np.where(value == 0.0, 1.0, np.abs(value))
        slope = np.where(ratio < 1.0, -np.log1p(-np.minimum(ratio, 0.9999999999)), np.inf)
        return slope if self.trusted else np.where((value == 0.0) & (error > 0.0), np.inf, slope)

    def sqrt(self, x: Operand) -> Array:
        value, error = self._pair(x)
        result = np.sqrt(value)
        bound = self.model.u * result
        if error is not None:
            bound = bound + np.minimum(np.sqrt(error), error / np.where(result == 0.0, np.inf, result))
        return self._result(result, bound, value)

    def compare(self, a: Operand, b: Operand) -> np.ndarray:
        p, q = self._pair(a)[0], self._pair(b)[0]
        # inf - inf is nan, which would hide that they are equal.
        return np.where(p == q, 0.0, np.sign(np.subtract(p, q)))

    def less(self, a: Operand, b: Operand) -> np.ndarray:
        return np.asarray(self._pair(a)[0] < self._pair(b)[0])

    def greater(self, a: Operand, b: Operand) -> np.ndarray:
        return np.asarray(self._pair(a)[0] > self._pair(b)[0])

    def equal(self, a: Operand, b: Operand) -> np.ndarray:
        return np.asarray(self._pair(a)[0] == self._pair(b)[0])

    def abs(self, x: Operand) -> Array:
        value, error = self._pair(x)
        return Array(self, (np.abs(value), error))

    def logsumexp(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        """Bound the textbook's computation as a whole: its shift is the same number twice, whatever its error.

        An error of the elements moves the result by their weighted mean, and in no case by more than the largest.
        """
        x = self.asarray(x)
        moved, axes = self._last(x, axis if dim is None else dim)
        value, error = moved.parts
        u, c, n = self.model.u, self.model.c, value.shape[-1]
        top = value.max(axis=-1, keepdims=True, initial=-np.inf)
        first = value == top
        below = np.where(first, 0.0, value - top)
        small = np.where(first, 1.0, np.exp(below))
        total = small.sum(axis=-1)
        rest = np.where(first, 0.0, small)
        steps = np.where(rest > 0.0, rest * (c - below), 0.0).sum(axis=-1)
        log_total = np.log(total)
        if self.sharp:
            # The maximum is kept out of the sum, and log1p takes the rest.
            lost = (steps + self.model.summation(n) * rest.sum(axis=-1)) / total
        else:
            lost = steps / total + self.model.summation(n)
        top = top[..., 0]
        result = np.where(np.isinf(top), top, top + log_total)
        bound = u * (lost + c * np.abs(log_total)) + np.fmin(u * np.abs(result), SPELLINGS * np.abs(log_total))
        if error is not None:
            largest = error.max(axis=-1, initial=0.0)
            mean = 1.02 * (small * error).sum(axis=-1) / total
            bound = bound + np.where(largest <= SMALL, mean, largest)
        result_ = self._result(result, bound)
        if keepdims or keepdim:
            return self.reshape(result_, tuple(1 if a in axes else s for a, s in enumerate(x.shape)))
        return result_

    def softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        """Bound the textbook's computation as a whole: a maximum without a rival has a difference of exactly 0."""
        x, axis = self.asarray(x), axis if dim is None else dim
        if axis % x.ndim != x.ndim - 1 or not self.trusted:
            return super().softmax(x, axis)
        value, error = x.parts
        u, n = self.model.u, value.shape[-1]
        top = value.max(axis=-1, keepdims=True, initial=-np.inf)
        first = value == top
        below = np.where(first, 0.0, value - top)
        if error is not None:
            # Twice a large error is far more than twice its exponential, which is what other spellings are given.
            error = np.where(error > SMALL, 4.0 * error, error)
        total = np.exp(below).sum(axis=-1, keepdims=True)
        result = np.exp(below) / total
        most, least = share_ends(value, top, error, u * np.abs(below))
        rounding = u * (2.0 * self.model.c + self.model.summation(n) + 1.0) * result
        return self._result(result, np.fmax(most - result, result - least) + rounding)

    def _sum_last(self, x: Array) -> Array:
        value, error = x.parts
        total = value.sum(axis=-1)
        rounding = self.model.summation(value.shape[-1]) * self.model.u
        size = np.abs(value).sum(axis=-1)
        # An infinity is either exact or lost: 0 * inf would say neither.
        bound = rounding * (size if self.trusted else np.where(np.isinf(size), 0.0, size))
        if error is not None:
            bound = bound + error.sum(axis=-1) * (1.0 + rounding)
        return self._result(total, bound, np.abs(value).max(axis=-1, initial=0.0))

    def _order(self, x: Array, axis: int) -> np.ndarray:
        return np.asarray(np.argmax(x.parts[0], axis=axis, keepdims=True))


def share_ends(value: np.ndarray, top: np.ndarray, error: Part, rounding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return upper and lower ends of a softmax along the last axis.

    Parameters
    ----------
    top : ndarray
        The maxima, that axis kept.
    error, rounding : ndarray
        Of the elements (None: exact), and of their differences to the maximum.
    """
    first = value == top
    below = np.where(first, 0.0, value - top)
    above = beneath = rounding
    if error is not None:
        known = np.max(error, axis=-1, keepdims=True, where=first, initial=0.0)
        rivals = np.max(value + error, axis=-1, keepdims=True, where=~first, initial=-np.inf)
        alone = first & (first.sum(axis=-1, keepdims=True) == 1) & (rivals < top - known)
        above = np.where(alone, 0.0, rounding + error + known)
        beneath = np.where(alone, 0.0, rounding + error + np.maximum(known, rivals - top))
    # Whichever turns out to be the maximum: no difference is above 0.
    high, low = np.exp(np.minimum(below + above, 0.0)), np.exp(below - beneath)
    # A larger numerator is in the denominator as well.
    most = high / (np.maximum(low.sum(axis=-1, keepdims=True) - low, 0.0) + high)
    least = low / (high.sum(axis=-1, keepdims=True) - high + low)
    return most, least


def _plus(a: Part, b: Part) -> Part:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _neutral(x: np.ndarray, error: Part) -> np.ndarray:
    size = np.abs(x)
    whole = (size == 1.0) | (size == 0.0)
    return np.asarray(whole if error is None else whole & (error == 0.0))


def _certainly_infinite(p: np.ndarray, e: Part, q: np.ndarray, f: Part) -> np.ndarray:
    """Say where an exact infinity p is multiplied by a q of certain sign."""
    exact = np.isinf(p) if e is None else np.isinf(p) & (e == 0.0)
    return np.asarray(exact & (np.abs(q) > (0.0 if f is None else f)))


def _no_nan(error: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(error), 0.0, error)
