"""exp in plain float64 with a bound that is known beforehand, and rows that are shifted for it.

Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from pytest_lse.reference.pairs import MAGIC, STEPS, buffers, head_bits, integers, largest, powers

#: arguments of exp; below it is 0 in every narrow format
LIMIT = 120.0
#: relative error of exp: a part for any argument, and one that grows with it
EXP = 1.03 * 2.0**-45.17
EXP_SLOPE = 2.0**-52
#: exp(r log(2) / STEPS) - 1 for abs(r) <= 1/2 is _SQUARE ((r + _SHIFT)**2 + _REST) - 1
_STEP = math.log(2.0) / STEPS
_SQUARE = _STEP**2 / 2
_SHIFT = (_STEP + _STEP**3 / 32) / (2 * _SQUARE)  # with the cubic term spread over the linear one
_REST = 1.0 / _SQUARE - _SHIFT**2


@cache
def _table() -> np.ndarray:
    """Return the table of exp, multiplied by what stands before the parabola."""
    return head_bits(np.array([p / (1 << 250) for p in powers()]) * _SQUARE)


def exp(x: np.ndarray, sign: float = 1.0) -> np.ndarray:
    """Return exp(sign x) for abs(x) <= LIMIT, in a buffer of this thread, with an error below `exp_error`."""
    r, t, q = buffers(x.shape)[:3]
    _, i, head, place = integers(x.shape)[:4]
    np.multiply(x, sign / _STEP, out=r, dtype=np.float64)
    np.add(r, MAGIC, out=t)
    np.subtract(t, MAGIC, out=q)
    r -= q
    np.bitwise_and(i, STEPS - 1, out=place)
    np.take(_table(), place, out=head, mode="wrap")
    i <<= 40
    head += i
    r += _SHIFT
    r *= r
    r += _REST
    r *= q
    return r


def exp_error(size: float) -> float:
    """Return the relative error of exp for arguments up to a size."""
    return EXP + EXP_SLOPE * size


class Block:
    """Some rows, shifted by their maxima where exp could not take them otherwise.

    Attributes
    ----------
    x : ndarray
        The rows, or their differences to the maxima.
    top : ndarray of shape [B, 1]
        The maxima; None where there is no shift.
    far : ndarray of bool
        Elements that count as 0 in the sum.
    size : float
        No argument of exp is larger.
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.top: np.ndarray | None = None
        self.size = largest(x)
        if self.size <= LIMIT:
            return
        self.size = LIMIT
        x = x.astype(np.float64, copy=False)
        self.top = x.max(axis=1, keepdims=True)
        self.x = x - self.top
        self.far = ~(self.x >= -LIMIT)

    def exp(self) -> np.ndarray:
        """Return the exponentials, in a buffer of this thread; rows with nan, +inf or nothing but -inf are nan."""
        if self.top is None:
            return exp(self.x)
        result = exp(np.where(self.far, -LIMIT, self.x))
        result[self.far] = 0.0
        result[~np.isfinite(self.top[:, 0])] = np.nan
        return result
