"""Fused rows in the narrow formats: float64 with a bound that is known beforehand.

A relative error of 2**-43 is plenty for a float32 result; what it leaves open goes down the ladder.
For float64 itself there is `fused`. Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import fused
from pytest_lse.reference.fused import LONGEST, MAGIC, STEPS, Decided, buffers, starts
from pytest_lse.reference.rounding import narrow, storage

#: arguments of exp; below it is 0 in every narrow format
LIMIT = 120.0
#: relative error of exp
EXP = 2.0**-44
_U = 2.0**-53


@cache
def _table() -> np.ndarray:
    """Return the bits of 2**(j / 4096), less what the exponent of 2**(i / 4096) will add for the last 12 bits of i."""
    import mpmath

    context = mpmath.MPContext()
    powers = np.array([float(context.mpf(2) ** (context.mpf(j) / STEPS)) for j in range(STEPS)])
    bits: np.ndarray = powers.view(np.int64) - (np.arange(STEPS) << 40)
    return bits


def exp(x: np.ndarray) -> np.ndarray:
    """Return exp(x) for abs(x) <= LIMIT, in a buffer of this thread, with a relative error below `EXP`."""
    r, t, q, head, index = (b.reshape(x.shape) for b in buffers(x.size)[:5])
    np.multiply(x, STEPS / np.log(2.0), out=r)
    np.add(r, MAGIC, out=t)
    np.subtract(t, MAGIC, out=q)
    r -= q
    i, place = t.view(np.int64), index.view(np.int64)
    np.bitwise_and(i, STEPS - 1, out=place)
    np.take(_table(), place, out=head.view(np.int64), mode="wrap")
    i <<= 40
    whole = head.view(np.int64)
    whole += i
    # exp(r log(2) / 4096) - 1 for abs(r) <= 1/2, with the cubic term spread over the linear one
    step = np.log(2.0) / STEPS
    np.multiply(r, step**2 / 2, out=q)
    q += step + step**3 / 32
    q *= r
    q *= head
    q += head
    return q


def total_error(n: int) -> float:
    """Return the relative error of the sum of n exponentials."""
    return EXP + n * _U


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
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.top: np.ndarray | None = None
        if np.einsum("ij,ij->i", x, x).max() <= LIMIT**2 or (x.min() >= -LIMIT and x.max() <= LIMIT):
            return
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


class Narrow(Decided):
    """Results in a narrow format."""

    def __init__(self, shape: tuple[int, ...], pairs: bool, target: Format) -> None:
        super().__init__(shape, pairs, storage(target.name))
        self.target = target

    def between(self, start: int, lower: np.ndarray, upper: np.ndarray) -> None:
        """Round both ends of what the error bound leaves."""
        place = slice(start, start + len(lower))
        into = self.rounded[place]
        if self.target.name == "bfloat16":
            lower, upper = narrow(lower, self.target), narrow(upper, self.target)
        np.copyto(into, lower, casting="same_kind")
        other = buffers(lower.size)[8].view(into.dtype)[: lower.size].reshape(lower.shape)
        np.copyto(other, upper, casting="same_kind")
        self.leave_open(start, np.equal(into, other))


def logsumexp(x: np.ndarray, target: Format, pairs: bool) -> Narrow:
    """Return the logarithms of the sums of the exponentials of rows."""
    result = Narrow(x.shape[:1], pairs, target)
    top, log = _log_totals(x)
    value = top + log
    margin = _log_error(x.shape[1], log) + _U * np.abs(value)
    result.between(0, value - 1.001 * margin, value + 1.001 * margin)
    result.rounded += 0.0  # no negative zeros
    if pairs:
        result.high[...] = value
    return result


def _log_error(n: int, log: np.ndarray) -> np.ndarray:
    # The logarithm of the library is trusted to 4 u; log(1 + e) <= 1.001 e.
    return np.asarray(1.001 * total_error(n) + 4.0 * _U * np.abs(log))


def _log_totals(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shift of each row, and the log-sum-exp of what is left."""
    total, top, step = np.empty(len(x)), np.zeros(len(x)), starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        block = Block(x[place])
        np.einsum("ij->i", block.exp(), out=total[place])
        if block.top is not None:
            top[place] = block.top[:, 0]
    return top, np.log(total)


def log_softmax(x: np.ndarray, target: Format, pairs: bool) -> Narrow:
    """Return the differences of rows to their log-sum-exp."""
    result = Narrow(x.shape, pairs, target)
    top, log = _log_totals(x)
    error = 1.001 * float(np.max(_log_error(x.shape[1], log), initial=0.0, where=np.isfinite(log))) + 2.0**-105
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        block, t = x[place], top[place, None]
        value, lower, upper = (b.reshape(block.shape) for b in buffers(block.size)[:3])
        margin: Any = error + 700.0 * _U
        if t.any():
            block = block - t
            # Two roundings; a masked element is exactly -inf.
            margin = np.where(np.isinf(block), 0.0, 1.001 * _U * np.abs(block))
        np.subtract(block, log[place, None], out=value)
        if t.any():
            margin = np.where(np.isinf(block), 0.0, error + margin + 1.001 * _U * np.abs(value))
        np.subtract(value, margin, out=lower)
        np.add(value, margin, out=upper)
        result.between(start, lower, upper)
        if pairs:
            result.high[place] = value
    result.rounded += 0.0  # no negative zeros
    return result


def softmax(x: np.ndarray, target: Format, pairs: bool) -> Narrow:
    """Return the exponentials of rows over their sums."""
    result = Narrow(x.shape, pairs, target)
    error = 1.001 * (EXP + total_error(x.shape[1]) + 8.0 * _U)
    step = starts(x).step
    for start in starts(x):
        small = Block(x[start : start + step]).exp()
        inverse = 1.0 / np.einsum("ij->i", small)
        if pairs:
            np.multiply(small, inverse[:, None], out=result.high[start : start + step])
        lower, upper = (b.reshape(small.shape) for b in buffers(small.size)[3:5])
        np.multiply(small, (inverse * (1.0 - error))[:, None], out=lower)
        np.multiply(lower, 1.0 + 2.001 * error, out=upper)
        result.between(start, lower, upper)
    return result


Shortcut = Callable[[np.ndarray, Format, bool], Decided]
NARROW: dict[str, Shortcut] = {"logsumexp": logsumexp, "softmax": softmax, "log_softmax": log_softmax}
WIDE: dict[str, Callable[[np.ndarray, bool], Decided]] = {
    "logsumexp": fused.logsumexp,
    "softmax": fused.softmax,
    "log_softmax": fused.log_softmax,
}


def first(name: str, x: np.ndarray, target: Format, pairs: bool) -> Decided | None:
    """Return what can be decided quickly, or None if the kernel has no shortcut or its rows are not fit for it.

    Parameters
    ----------
    pairs : bool
        Whether the values before rounding are wanted too.
    """
    if name not in WIDE or not len(x) or not 2 <= x.shape[1] <= LONGEST:
        return None
    return WIDE[name](x, pairs) if target.precision == 53 else NARROW[name](x, target, pairs)
