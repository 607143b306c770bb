"""exp and log1p in plain float64 with a bound that is known beforehand, and rows that are shifted for it.

Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.reference.pairs import CELLS, MAGIC, buffers, head_bits, integers, largest, reciprocals
from pytest_lse.reference.powers import ONE, powers

#: arguments of exp; below it is 0 in every narrow format
LIMIT = 120.0
#: relative error of exp: a part for any argument, and one that grows with it
EXP = 1.04 * 2.0**-45.5
EXP_SLOPE = 2.0**-52
#: relative error of log1p
LOG1P = 2.0**-48
#: exp(r log(2) / STEPS) - 1 for abs(r) <= 1/2 is _SQUARE ((r + _SHIFT)**2 + _REST) - 1, with an integer for _SHIFT that
#: costs nothing to add: the cubic term is spread over the linear one, what the square is off by over the constant
STEPS = 8192
_STEP = math.log(2.0) / STEPS
_SHIFT = 11819.0
_SQUARE = (_STEP + _STEP**3 / 32) / (2 * _SHIFT)
_REST = (1.0 - (_SQUARE - _STEP**2 / 2) / 8) / _SQUARE - _SHIFT**2


@cache
def _table() -> np.ndarray:
    """Return the table of exp, multiplied by what stands before the parabola."""
    return head_bits(np.array([p / ONE for p in powers(STEPS)]) * _SQUARE)


def exp(x: np.ndarray, sign: float = 1.0) -> np.ndarray:
    """Return exp(sign x) for abs(x) <= LIMIT, in a buffer of this thread, with an error below `exp_error`."""
    r, t, q = buffers(x.shape)[:3]
    _, i, head, place = integers(x.shape)[:4]
    np.multiply(x, sign / _STEP, r, dtype=np.float64)
    np.add(r, MAGIC, t)
    np.subtract(t, MAGIC + _SHIFT, q)
    r -= q
    np.bitwise_and(i, STEPS - 1, place)
    _table().take(place, out=head, mode="wrap")
    i <<= 39
    head += i
    r *= r
    r += _REST
    r *= q
    return r


def exp_error(size: float) -> float:
    """Return the relative error of exp for arguments up to a size."""
    return EXP + EXP_SLOPE * size


def log1p(y: np.ndarray) -> np.ndarray:
    """Return log(1 + y) for -1/2 <= y <= 1 with a relative error of LOG1P, in a buffer of this thread.

    `y` may be what `exp` has returned, and is overwritten then.
    """
    table, heads, _ = reciprocals()
    r, t, q, c = buffers(y.shape)[:4]
    _, i, index, _ = integers(y.shape)[:4]
    np.add(y, CELLS, t)
    np.bitwise_and(i, 8191, index)
    table.take(index, out=c, mode="wrap")
    heads.take(index, out=t, mode="wrap")
    np.multiply(y, c, r)
    c -= 1.0
    r += c
    np.multiply(r, -1 / 4, q)
    q += 1 / 3
    q *= r
    q -= 1 / 2
    q *= r
    q *= r
    r += q
    r += t
    return r


@cache
@np.errstate(all="ignore")
def every_exp(dtype: np.dtype[Any]) -> np.ndarray:
    """Return exp of all numbers of a 16-bit dtype in the order of their bits, nan where they are not up to LIMIT."""
    x = np.arange(2**16, dtype=np.uint16).view(dtype).astype(np.float64)
    fit = np.abs(x) <= LIMIT
    return np.where(fit, exp(np.where(fit, x, 0.0)), np.nan)


class Block:
    """Some rows, shifted by their maxima where exp could not take them otherwise.

    Attributes
    ----------
    x : ndarray
        The rows, or their differences to the maxima.
    top : ndarray of shape [B, 1]
        The maxima; None where there is no shift.
    found : ndarray
        The exponentials, where they have been read from a table: None else.
    far : ndarray of bool
        Elements that count as 0 in the sum.
    size : float
        No argument of exp is larger.
    """

    def __init__(self, x: np.ndarray) -> None:
        self.top: np.ndarray | None = None
        self.found: np.ndarray | None = None
        if x.dtype.itemsize == 2:
            found = every_exp(x.dtype).take(x.view(np.uint16), out=buffers(x.shape)[0], mode="clip")
            x = x.astype(np.float64)
            if not np.isnan(np.einsum("ij->", found)):
                self.x, self.size, self.found = x, LIMIT, found
                return
        self.size = largest(x)
        self.x = x
        if self.size <= LIMIT:
            return
        self.size = LIMIT
        x = x.astype(np.float64, copy=False)
        self.top = x.max(axis=1, keepdims=True)
        self.x = x - self.top
        self.far = ~(self.x >= -LIMIT)

    def exp(self) -> np.ndarray:
        """Return the exponentials, in a buffer of this thread; rows with nan, +inf or nothing but -inf are nan."""
        if self.found is not None:
            return self.found
        if self.top is None:
            return exp(self.x)
        result = exp(np.where(self.far, -LIMIT, self.x))
        result[self.far] = 0.0
        result[~np.isfinite(self.top[:, 0])] = np.nan
        return result
