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
        return self._result(value, _plus(_plus(e, f), self._rounding(value)), p, q)

    def multiply(self, a: Operand, b: Operand) -> Array:
        (p, e), (q, f) = self._pair(a), self._pair(b)
        value = p * q
        error = self._rounding(value)
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


def _plus(a: Part, b: Part) -> Part:
    if a is None or b is None:
        return b if a is None else a
    return a + b


def _certainly_infinite(p: np.ndarray, e: Part, q: np.ndarray, f: Part) -> np.ndarray:
    """Say where an exact infinity p is multiplied by a q of certain sign."""
    exact = np.isinf(p) if e is None else np.isinf(p) & (e == 0.0)
    return np.asarray(exact & (np.abs(q) > (0.0 if f is None else f)))


def _no_nan(error: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(error), 0.0, error)
