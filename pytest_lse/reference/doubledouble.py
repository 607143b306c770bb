"""Pairs of doubles with a proved error bound: 104 bits of arithmetic, 86 bits of exp, vectorised.

An element is an unevaluated sum ``high + low`` and a bound ``error`` on its distance from the true value (in units of
2**-64). The constants
are proved in docs/error-bounds.md, and tests/reference/test_doubledouble.py checks every one of them. Addition,
multiplication and division are AccurateDWPlusDW, DWTimesDW1 and DWDivDW2 of M. Joldes, J.-M. Muller, V. Popescu,
"Tight and rigorous error bounds for basic building blocks of double-word arithmetic", ACM TOMS 44(2), 2017.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand, Part, scaled
from pytest_lse.reference.namespace import Namespace
from pytest_lse.reference.powers import BITS, ONE, STEPS, log2, powers
from pytest_lse.reference.rounding import two_sum

#: errors are held in units of this, so that a bound far below the smallest double is not lost
UNIT = 2.0**-64
#: relative errors of the operations
ADD = 2.0**-104 / UNIT
MULTIPLY = 2.0**-103 / UNIT
DIVIDE = 2.0**-102 / UNIT
EXP = 2.0**-86 / UNIT
EXPM1 = 2.0**-75 / UNIT
SQRT = 2.0**-100 / UNIT
#: absolute error of an operation whose partial products underflow, and below what size of the result they may
UNDERFLOW = 2.0**-1006
SMALL = 2.0**-960
#: exp below the range of doubles, exp(-746) < 2**-1076, and the rounding of subnormal results
VANISHED = 2.0**-1012
SUBNORMAL = 2.0**-1009

_STEPS = 1024  # exp is tabulated at multiples of log(2) / 1024
_SPLITTER = 2.0**27 + 1.0


def fast_two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the rounded sum and its exact error, for abs(a) >= abs(b) or a = 0 (Dekker)."""
    s = a + b
    return s, b - (s - a)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the rounded product and its exact error, unless something overflows or underflows (Dekker, Veltkamp)."""
    p = a * b
    c = _SPLITTER * a
    ah = c - (c - a)
    al = a - ah
    c = _SPLITTER * b
    bh = c - (c - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@cache
def _table() -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """Return 2**(j / 1024) as pairs, and log(2) / 1024 in parts of 32, 32 and 53 bits."""
    found = powers()[:: STEPS // _STEPS]
    heads = [p / ONE for p in found]
    tails = [(p - int(h * 2.0**53) * (ONE >> 53)) / ONE for p, h in zip(found, heads, strict=True)]
    unit = log2() // _STEPS
    first, second = unit >> BITS - 42, (unit >> BITS - 74) & (1 << 32) - 1
    third = unit & (1 << BITS - 74) - 1
    return np.array(heads), np.array(tails), (math.ldexp(first, -42), math.ldexp(second, -74), third / ONE)


class DoubleDouble(Namespace):
    """Arrays of (high, low, error); low and error may be None for zero."""

    def lift(self, values: np.ndarray) -> Array:
        return Array(self, (values, None, None))

    @property
    def pi(self) -> Array:
        return Array(self, (np.asarray(np.pi), np.asarray(1.2246467991473532e-16), np.asarray(2.0**-105 / UNIT)))

    def _parts(self, x: Operand) -> tuple[np.ndarray, Part, Part]:
        return self.asarray(x).parts

    def _result(self, high: Any, low: Any, error: Any, *operands: Any) -> Array:
        """Finish an operation: where it is not finite, low is 0 and the error says whether the operands were."""
        high, low = np.asarray(high), np.asarray(low)
        wrong = ~(np.isfinite(high) & np.isfinite(low))
        if wrong.any():
            sound = np.ones((), dtype=bool)
            for operand in operands:
                sound = sound & np.isfinite(operand)
            error = np.zeros(high.shape) if error is None else error
            low = np.where(wrong, 0.0, low)
            # A finite computation that overflows proves nothing; infinities that were there before are exact.
            error = np.where(wrong, np.where(sound | ~(error < np.inf), np.inf, 0.0), error)
        return Array(self, (high, low, None if error is None else np.broadcast_to(error, high.shape)))

    def add(self, a: Operand, b: Operand) -> Array:
        (ah, al, ae), (bh, bl, be) = self._parts(a), self._parts(b)
        s, e = two_sum(ah, bh)
        plain = s
        error = _plus(ae, be)
        if al is not None or bl is not None:
            if al is None or bl is None:
                s, e = fast_two_sum(s, e + (al if bl is None else bl))
            else:
                t, f = two_sum(al, bl)
                s, e = fast_two_sum(s, e + t)
                s, e = fast_two_sum(s, e + f)
            s, size = _infinite(plain, s)
            error = _plus(error, ADD * size)
        return self._result(s, e, error, ah, bh)

    def negative(self, x: Operand) -> Array:
        high, low, error = self._parts(x)
        return Array(self, (-high, None if low is None else -low, error))

    def multiply(self, a: Operand, b: Operand) -> Array:
        (ah, al, ae), (bh, bl, be) = self._parts(a), self._parts(b)
        p, e = two_product(ah, bh)
        plain, size = p, np.abs(p)
        error: Any = None
        if al is not None or bl is not None:
            if bl is not None:
                cross = ah * bl
                e = e + (cross if al is None else cross + al * bh)
            else:
                e = e + al * bh
            p, e = fast_two_sum(p, e)
            p, size = _infinite(plain, p)
            error = MULTIPLY * size
        small = size < SMALL
        if np.any(small):
            error = _plus(error, np.where(small & (ah != 0.0) & (bh != 0.0), UNDERFLOW, 0.0))
        if be is not None:
            error = _plus(error, scaled(np.abs(ah), be))
        if ae is not None:
            error = _plus(error, scaled(np.abs(bh) if be is None else np.abs(bh) + be * UNIT, ae))
        return self._result(p, e, error, ah, bh)

    def divide(self, a: Operand, b: Operand) -> Array:
        (ah, al, ae), (bh, bl, be) = self._parts(a), self._parts(b)
        q = ah / bh
        c, d = two_product(bh, q)
        if bl is not None:
            c, d = fast_two_sum(c, d + bl * q)
        rest = (ah - c) + (-d if al is None else al - d)
        high, low = fast_two_sum(q, rest / bh)
        size = np.abs(high)
        # Of an exact quotient nothing is left, which the remainder proves.
        error: Any = np.where((rest == 0.0) & (bl is None) & (al is None), 0.0, DIVIDE * size)
        small = (size < SMALL) | (np.abs(ah) < SMALL)
        if np.any(small):
            error = error + np.where(small & (ah != 0.0), UNDERFLOW * (1.0 + 1.0 / np.abs(bh)), 0.0)
        if be is not None:
            room = np.abs(bh) * (1.0 - 2.0**-50) - be * UNIT
            spread = size * be if ae is None else size * be + ae
            error = error + np.where(room > 0.0, spread / np.where(room > 0.0, room, 1.0), np.inf)
        elif ae is not None:
            error = error + ae / np.abs(bh)
        result = self._result(high, low, error, ah, bh)
        if np.any(np.isinf(bh)):
            # A finite number over an infinity is 0; the steps above make it nan.
            endless = np.isinf(bh) & np.isfinite(ah)
            return self.where(endless, 0.0, result)
        return result

    def _reduced(self, high: np.ndarray, low: Part) -> tuple[Any, ...]:
        """Return the table position, and exp(r) - 1 as a pair, for x = position * log(2) / 1024 + r."""
        first, second, third = _table()[2]
        k = np.rint(high * (1.0 / (first + second)))
        r, e = two_sum(high, -k * first)
        r, f = two_sum(r, -k * second)
        rest = (e + f) - k * third
        rh, rl = fast_two_sum(r, rest if low is None else rest + low)
        qh, ql = two_product(rh, rh)
        qh, ql = 0.5 * qh, 0.5 * ql
        tail = rh * qh * (1 / 3 + rh * (1 / 12 + rh * (1 / 60 + rh * (1 / 360 + rh * (1 / 2520)))))
        s, t = fast_two_sum(rh, qh)
        s, t = fast_two_sum(s, t + (tail + (rl + (ql + rl * (rh + qh)))))
        return k.astype(np.int64), s, t

    def exp(self, x: Operand) -> Array:
        high, low, error = self._parts(x)
        inside = (high > -746.0) & (high < 709.7)
        whole = bool(np.all(inside))
        safe = high if whole else np.where(inside, high, 0.0)
        if not whole and low is not None:
            low = np.where(inside, low, 0.0)
        k, ph, pl = self._reduced(safe, low)
        heads, tails, _ = _table()
        th, tl = heads[k & (_STEPS - 1)], tails[k & (_STEPS - 1)]
        m, ml = two_product(th, ph)
        s, e = fast_two_sum(th, m)
        s, e = fast_two_sum(s, e + (tl + (ml + (th * pl + tl * ph))))
        scale = k >> 10
        s, e = np.ldexp(s, scale), np.ldexp(e, scale)
        factor: Any = EXP
        if error is not None:
            factor = EXP + _grown(error) * 1.0001
        bound = s * factor
        if np.any(safe < -650.0):
            bound = bound + np.where(s < SMALL, SUBNORMAL, 0.0)
        if whole:
            return Array(self, (s, e, bound))
        under, endless = high <= -746.0, np.isinf(high)
        s = np.where(inside, s, np.where(under, 0.0, np.where(np.isnan(high), np.nan, np.inf)))
        e = np.where(inside, e, 0.0)
        # exp(-746) is below 2**-1076, a quarter of the smallest double, if the argument is good enough.
        doubtful = False if error is None else error * UNIT > 0.1
        outside = np.where(under & ~np.asarray(doubtful), np.where(endless, 0.0, VANISHED), np.inf)
        bound = np.where(inside, bound, np.where(endless & ~under, 0.0, outside))
        return Array(self, (s, e, bound))

    def expm1(self, x: Operand) -> Array:
        high, low, error = self._parts(x)
        near = np.abs(high) < 3.3e-4  # log(2) / 2048: the reduction leaves the argument as it is
        if not np.any(near):
            return self.add(self.exp(x), -1.0)
        _, s, t = self._reduced(np.where(near, high, 0.0), None if low is None else np.where(near, low, 0.0))
        bound = EXPM1 * np.abs(s)
        if error is not None:
            bound = bound + 1.001 * _grown(error)
        close = Array(self, (s, t, bound))
        return close if np.all(near) else self.where(near, close, self.add(self.exp(x), -1.0))

    def log(self, x: Operand) -> Array:
        x = self.asarray(x)
        high, low, error = x.parts
        one = (high == 1.0) & (True if low is None else low == 0.0) & (True if error is None else error == 0.0)
        if np.all(one):
            return self.lift(np.zeros(high.shape))
        start = self.lift(np.where(high > 0.0, np.log(np.where(high > 0.0, high, 1.0)), 0.0))
        result = self._corrected(start, self.add(self.multiply(x, self.exp(self.negative(start))), -1.0))
        return self._logarithm(result, high, error, one, 0.0)

    def log1p(self, x: Operand) -> Array:
        x = self.asarray(x)
        large = x.parts[0] > 0.5  # there 1 + x loses nothing, while the product below would cancel
        if not np.any(large):
            return self._log1p(x)
        return self.where(large, self.log(self.add(1.0, x)), self._log1p(self.where(large, 0.0, x)))

    def _log1p(self, x: Array) -> Array:
        high, _, error = x.parts
        start = self.lift(np.where(high > -1.0, np.log1p(np.where(high > -1.0, high, 0.0)), 0.0))
        back = self.expm1(self.negative(start))
        result = self._corrected(start, self.add(self.add(x, back), self.multiply(x, back)))
        zero = (high == 0.0) & (True if error is None else error == 0.0)
        return self._logarithm(result, high, error, zero, -1.0)

    def _corrected(self, start: Array, gap: Array) -> Array:
        """Return start + log(1 + gap) for a gap of some roundings: the cubic term is its error."""
        high, _, error = gap.parts
        half = self.multiply(self.multiply(gap, gap), 0.5)
        result = self.add(start, self.add(gap, self.negative(half)))
        size = np.abs(high) + (0.0 if error is None else error * UNIT)
        bound = np.where(size < 0.25, _plus(result.parts[2], (2.0 / UNIT) * size**3), np.inf)
        return Array(self, (result.parts[0], result.parts[1], bound))

    def _logarithm(self, result: Array, high: np.ndarray, error: Part, zero: Any, pole: float) -> Array:
        value, low, bound = result.parts
        bound = np.where(zero, 0.0, bound)
        special = ~(np.isfinite(high) & (high > pole))
        if np.any(special):
            exact = np.ones(high.shape, dtype=bool) if error is None else error == 0.0
            known = exact & ((high == pole) | np.isposinf(high))
            value = np.where(
                special, np.where(high == pole, -np.inf, np.where(np.isposinf(high), np.inf, np.nan)), value
            )
            low = np.where(special, 0.0, low)
            bound = np.where(special, np.where(known, 0.0, np.inf), bound)
        return Array(self, (np.where(zero, 0.0, value), np.where(zero, 0.0, low), bound))

    def sqrt(self, x: Operand) -> Array:
        x = self.asarray(x)
        high, _, error = x.parts
        root = np.sqrt(high)
        rest = self.add(x, self.negative(self.multiply(root, root)))
        correction = np.where(root == 0.0, 0.0, rest.parts[0] / (2.0 * root))
        s, e = fast_two_sum(root, correction)
        bound = SQRT * root + np.square(correction) / np.where(root == 0.0, 1.0, root) / UNIT
        if error is not None:
            bound = bound + error / np.where(root == 0.0, 0.0, root)
        return self._result(s, e, bound, high)

    def compare(self, a: Operand, b: Operand) -> np.ndarray:
        (ah, al, _), (bh, bl, _) = self._parts(a), self._parts(b)
        order = np.where(ah == bh, 0.0, np.sign(np.subtract(ah, bh)))
        if al is None and bl is None:
            return order
        tail = np.sign((0.0 if al is None else al) - (0.0 if bl is None else bl))
        return np.where(order == 0.0, tail, order)

    def _sum_last(self, x: Array) -> Array:
        n = x.shape[-1]
        if n == 0:
            return self.lift(np.zeros(x.shape[:-1]))
        while n > 1:
            half = n // 2
            joined = self.add(x[..., :half], x[..., half : 2 * half])
            x = self.concatenate([joined, x[..., 2 * half :]], axis=-1) if n % 2 else joined
            n = x.shape[-1]
        return x[..., 0]

    def _order(self, x: Array, axis: int) -> np.ndarray:
        high, low, _ = x.parts
        if low is None:
            return np.asarray(np.argmax(high, axis=axis, keepdims=True))
        top = np.max(high, axis=axis, keepdims=True)
        return np.asarray(np.argmax(np.where((high == top) | np.isnan(high), low, -np.inf), axis=axis, keepdims=True))


def _infinite(plain: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the result and its size for the bound: an infinity has no low part, which would make it nan."""
    size = np.abs(high)
    finite = np.isfinite(plain)
    if finite.all():
        return high, size
    return np.where(finite, high, plain), np.where(finite, size, 0.0)


def _grown(error: np.ndarray) -> np.ndarray:
    """Return exp(error) - 1, in the same units."""
    return np.asarray(np.expm1(np.minimum(error * UNIT, 700.0)) / UNIT)


def _plus(a: Part, b: Part) -> Part:
    if a is None or b is None:
        return b if a is None else a
    return a + b
