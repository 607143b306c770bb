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
from pytest_lse.reference.rounding import narrow

#: arguments of exp; below it is 0 in every narrow format
LIMIT = 120.0
#: relative error of exp: a part for any argument, and one that grows with it
EXP = 1.01 * 2.0**-45.17
EXP_SLOPE = 2.0**-52
_U = 2.0**-53


@cache
def _table() -> np.ndarray:
    """Return the table of exp, rounded to doubles."""
    return fused.head_bits(np.array([p / (1 << 250) for p in fused.powers()]))


def exp(x: np.ndarray) -> np.ndarray:
    """Return exp(x) for abs(x) <= LIMIT, in a buffer of this thread, with a relative error below `exp_error`."""
    r, t, q, head, index = (b.reshape(x.shape) for b in buffers(x.size)[:5])
    np.multiply(x, STEPS / np.log(2.0), out=r, dtype=np.float64)
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
        self.size = fused.largest(x)
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


class Narrow(Decided):
    """Results in a narrow format."""

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
    top, log, error = _log_totals(x)
    value = top + log
    margin = 1.001 * (error + _U * np.abs(value))
    result.between(0, value - margin, value + margin)
    result.rounded += 0.0  # no negative zeros
    if pairs:
        result.high[...] = value
    return result


def _log_totals(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the shift of each row, the log-sum-exp of what is left, and its error."""
    total, top, step = np.empty(len(x)), np.zeros(len(x)), starts(x).step
    size = 0.0
    for start in starts(x):
        place = slice(start, start + step)
        block = Block(x[place])
        size = max(size, block.size)
        np.einsum("ij->i", block.exp(), out=total[place])
        if block.top is not None:
            top[place] = block.top[:, 0]
    # The logarithm of the library is trusted to 4 u; log(1 + e) <= 1.001 e.
    return top, np.log(total), 1.001 * (exp_error(size) + x.shape[1] * _U + 4.0 * _U * (size + 11.1))


def log_softmax(x: np.ndarray, target: Format, pairs: bool) -> Narrow:
    """Return the differences of rows to their log-sum-exp."""
    result = Narrow(x.shape, pairs, target)
    top, log, error = _log_totals(x)
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        block, t = x[place], top[place, None]
        value, lower, upper = (b.reshape(block.shape) for b in buffers(block.size)[:3])
        margin: Any = 1.001 * (error + 2.0 * _U * (LIMIT + 11.1))
        if t.any():
            block = block - t  # in float64, as t is
            margin = 1.001 * _U * np.abs(block)
        np.subtract(block, log[place, None], out=value)
        if t.any():
            # Two roundings; a masked element is exactly -inf.
            margin = np.where(np.isinf(block), 0.0, 1.001 * error + margin + 1.001 * _U * np.abs(value))
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
    step = starts(x).step
    for start in starts(x):
        block = Block(x[start : start + step])
        error = 1.001 * (2.0 * exp_error(block.size) + (x.shape[1] + 8.0) * _U)
        small = block.exp()
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
WIDE: dict[str, Shortcut] = {
    "logsumexp": fused.logsumexp,
    "softmax": fused.softmax,
    "log_softmax": fused.log_softmax,
}


def first(name: str, x: np.ndarray, target: Format, pairs: bool) -> Decided | None:
    """Return what can be decided quickly, or None if the kernel has no shortcut or its rows are not fit for it.

    Parameters
    ----------
    x : ndarray of shape [B, n]
        Float64; for a target of float32 also float32.
    pairs : bool
        Whether the values before rounding are wanted too.
    """
    if name not in WIDE or not len(x) or not 2 <= x.shape[1] <= LONGEST:
        return None
    if target.precision == 53:
        return WIDE[name](x, target, pairs)
    result = NARROW[name](x, target, pairs)
    if result.open:
        rows = np.concatenate(result.open)
        again = WIDE[name](x[rows].astype(np.float64, copy=False), target, pairs)
        result.rounded[rows] = again.rounded
        if pairs:
            result.high[rows], result.low[rows] = again.high, again.low
        result.open = [rows[o] for o in again.open]
    return result
