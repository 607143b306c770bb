"""Kernels of rows for float64: pairs of doubles, with a bound that is known beforehand.

Every kernel takes rows, and returns its values as pairs, a margin around them, and what is not to be decided by that.
It does in about fifty passes over a block what `doubledouble` does in several hundred. Bounds: docs/error-bounds.md,
section 1.6.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.reference.decided import Enclosure
from pytest_lse.reference.pairs import (
    LIMIT,
    LOG,
    QUOTIENT,
    TOP,
    Pair,
    buffers,
    exp_error,
    exp_pair,
    largest,
    log_pair,
    prefix_error,
    prefix_sums,
    reciprocal,
    row_sums,
    sum_error,
)
from pytest_lse.reference.rounding import two_sum

#: roundings where numbers are added to a pair, relative to their sum
_SUM = 2.0**-103
#: the largest logarithm of a length
_LENGTH = 11.1


class Block:
    """Some rows, shifted by their maxima where exp could not take them otherwise.

    Attributes
    ----------
    x, rest : ndarray
        The differences to the maxima as pairs; the rows themselves where no shift is needed (rest, top, far: None).
    top : ndarray of shape [B, 1]
        The maxima.
    far : ndarray of bool
        Elements that count as 0 in the sum: masked ones, and those below exp(-LIMIT).
    odd : ndarray of bool, of shape [B, 1]
        Rows that hold nan or +inf, or nothing but -inf.
    size : float
        No argument of exp is larger.
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.rest: np.ndarray | None = None
        self.top: np.ndarray | None = None
        self.size = largest(x)
        if self.size <= LIMIT:
            return
        self.size = LIMIT
        top = x.max(axis=1, keepdims=True)
        self.odd = ~np.isfinite(top)
        self.top = np.where(self.odd, 0.0, top)
        self.x, rest = two_sum(x, -self.top)
        self.rest = np.where(np.isfinite(self.x), rest, 0.0)
        self.far = ~(self.x >= -LIMIT)

    def exp(self) -> Pair:
        """Return the exponentials, in buffers of this thread."""
        if self.rest is None:
            return exp_pair(self.x)
        high, low = exp_pair(np.where(self.far, -LIMIT, self.x), np.where(self.far, 0.0, self.rest))
        high[self.far] = 0.0
        low[self.far] = 0.0
        return high, low

    def log_total(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the logarithms of the sums of the exponentials as pairs, nan for odd rows, and their error."""
        heads, tails = row_sums(*self.exp())
        if self.top is not None:
            heads[self.odd[:, 0]] = np.nan
        # The logarithm takes exp of an argument that is larger by log(n) at most.
        error = 2.0 * exp_error(self.size + _LENGTH) + sum_error(self.x.shape[1]) + LOG
        return *log_pair(heads, tails), error


def logsumexp(x: np.ndarray) -> Enclosure:
    """Return the logarithms of the sums of the exponentials of rows."""
    block = Block(x)
    high, low, error = block.log_total()
    if block.top is not None:
        high, rest = two_sum(block.top[:, 0], high)
        low += rest
    return Enclosure(high, low, error + _SUM * np.abs(high))


@cache
def _log(n: int) -> tuple[float, float]:
    from mpmath.libmp import from_int, from_man_exp, mpf_log, mpf_sub, to_float

    exact = mpf_log(from_int(n), 160)
    high = to_float(exact)
    return high, to_float(mpf_sub(exact, from_man_exp(int(high * 2**60), -60)))


def logmeanexp(x: np.ndarray) -> Enclosure:
    """Return the logarithms of the means of the exponentials of rows."""
    high, low, margin = logsumexp(x)[:3]
    length, rest = _log(x.shape[1])
    high, error = two_sum(high, -length)
    low += error - rest
    return Enclosure(high, low, margin + _SUM * (np.abs(high) + length))


def log_softmax(x: np.ndarray) -> Enclosure:
    """Return the differences of rows to their log-sum-exp."""
    block = Block(x)
    high, low, error = block.log_total()
    margin: Any = error
    masked = None
    x = block.x
    if block.top is not None:
        margin = error + _SUM * np.abs(x)
        masked = (x == -np.inf) & ~block.odd
    s, e, a, b = buffers(x.shape)[1:5]
    high, low = high[:, None], low[:, None]
    np.subtract(x, high, out=s)
    np.subtract(s, x, out=a)
    np.subtract(s, a, out=b)
    np.subtract(x, b, out=e)
    a += high
    e -= a
    e -= low
    if block.rest is not None:
        e += block.rest
    return Enclosure(s, e, margin, masked, -np.inf)


def cross_entropy(x: np.ndarray, labels: np.ndarray) -> Enclosure:
    """Return the log-sum-exp of rows less the logits at their labels; not decided where the label is none."""
    block = Block(x)
    high, low, error = block.log_total()
    known = (labels >= 0) & (labels < x.shape[1])
    place = np.arange(len(x)), np.where(known, labels, 0)
    logit = block.x[place]
    high, rest = two_sum(high, -logit)
    low += rest
    if block.rest is not None:
        low -= block.rest[place]
    return Enclosure(high, low, error + _SUM * (np.abs(logit) + np.abs(high)), far=~known)


def softmax(x: np.ndarray) -> Enclosure:
    """Return the exponentials of rows over their sums."""
    block = Block(x)
    high, low = block.exp()
    whole, first, second = (r[:, None] for r in reciprocal(*row_sums(high, low)))
    e, a, b = buffers(high.shape)[4:7]
    np.bitwise_and(high.view(np.int64), TOP, out=e.view(np.int64))
    np.subtract(high, e, out=a)
    a += low
    a *= whole
    np.multiply(e, second, out=b)
    a += b
    e *= first
    error = 2.0 * exp_error(block.size) + sum_error(x.shape[1]) + QUOTIENT + 2.0**-76
    np.multiply(e, error, out=b)
    if block.top is None:
        return Enclosure(e, a, b)
    return Enclosure(e, a, b, (block.x == -np.inf) & ~block.odd, 0.0, block.far | block.odd)


def logcumsumexp(x: np.ndarray) -> Enclosure:
    """Return the logarithms of the running sums of the exponentials of rows."""
    block = Block(x)
    turned = buffers(x.shape[::-1])[8:10]
    for into, part in zip(turned, block.exp(), strict=True):
        np.copyto(into, part.T)
    heads, tails = buffers(x.shape)[10:12]
    for into, part in zip((heads, tails), prefix_sums(*turned), strict=True):
        np.copyto(into, part.T)
    # What counts as 0 is nothing beside a sum that is far above it.
    small = heads < math.exp(-LIMIT / 2)
    high, low = log_pair(heads, tails)
    high[:, 0], low[:, 0] = block.x[:, 0], 0.0
    margin = np.full(x.shape, 2.0 * exp_error(block.size + _LENGTH) + prefix_error(x.shape[1]) + LOG)
    margin[:, 0] = 0.0
    if block.top is None or block.rest is None:
        return Enclosure(high, low, margin)
    low[:, 0] = block.rest[:, 0]
    high, rest = two_sum(block.top, high)
    low += rest
    margin += _SUM * (np.abs(high) + np.abs(block.top))
    small[:, 0] = False
    masked = np.logical_and.accumulate(x == -np.inf, axis=1) & ~block.odd
    return Enclosure(high, low, margin, masked, -np.inf, small | block.odd)
