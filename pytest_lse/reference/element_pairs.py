"""Elementwise kernels for float64: pairs of doubles, with a bound that is known beforehand.

Every kernel returns its values as pairs and a margin around them. All take exp of a number that is at most 0, so that
an argument beyond the limit may be cut to it: that changes the exponential by less than BEYOND, which the margin gets.
Nothing is wrong with infinities and nan, since a margin or a low part is nan then. Bounds: docs/error-bounds.md,
section 1.6.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from pytest_lse.reference.decided import Enclosure
from pytest_lse.reference.doubledouble import two_product
from pytest_lse.reference.pairs import (
    LIMIT,
    LOG,
    LOG1P,
    QUOTIENT,
    buffers,
    exp_error,
    exp_pair,
    extent,
    integers,
    log1p_pair,
    log_pair,
    reciprocal,
)
from pytest_lse.reference.rounding import two_sum

#: roundings of a number or a product added to a pair: relative to the sum, and to the pair
SUM, TAIL = 2.0**-102, 2.0**-75
#: what is lost of an exponential below exp(-LIMIT)
BEYOND = 2.0**-460
#: the sigmoid's table: steps to 1, its end, the error of what is interpolated and of the table, in s (1 - s) and in s
STEPS, END, SIGMOID, TABLE = 512, 24.0, 2.0**-59.5, 2.0**-71
#: log1mexp by its series for arguments this near to 0, whose logarithms are no larger than LIMIT
NEAR, NEAREST = 2.0**-8, 2.0**-460
_LOG2 = 0.6931471805599453


def _tail(gap: np.ndarray, rest: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log(1 + exp(gap + rest)) for gap <= 0 as a pair, and its margin; the arguments may be overwritten."""
    size, beyond = -float(gap.min()), 0.0
    if not size <= LIMIT:
        if rest is not None:
            rest[~(gap >= -LIMIT)] = 0.0
        size, beyond = LIMIT, BEYOND
        np.maximum(gap, -LIMIT, out=gap)
    high, low = log1p_pair(*exp_pair(gap, rest))
    margin = np.multiply(high, exp_error(size) + LOG1P + TAIL, out=buffers(gap.shape)[4])
    if beyond:
        margin += beyond
    return high, low, margin


def _negative_size(x: np.ndarray) -> np.ndarray:
    gap = buffers(x.shape)[8]
    np.abs(x, out=gap)
    np.negative(gap, out=gap)
    return gap


def _plus(x: np.ndarray, high: np.ndarray, low: np.ndarray, margin: np.ndarray) -> Enclosure:
    """Return x and a pair with a margin, added up; both may be overwritten."""
    total, rest, t = buffers(x.shape)[:3]
    np.add(x, high, out=total)
    np.subtract(total, x, out=rest)
    high -= rest
    np.subtract(total, rest, out=rest)
    np.subtract(x, rest, out=rest)
    rest += high
    rest += low
    np.abs(total, out=t)
    t *= SUM
    margin += t
    return Enclosure(total, rest, margin)


def softplus(x: np.ndarray) -> Enclosure:
    """Return max(x, 0) + log1p(exp(-abs(x)))."""
    tail = _tail(_negative_size(x))
    return _plus(np.maximum(x, 0.0, out=buffers(x.shape)[9]), *tail)


def log_sigmoid(x: np.ndarray) -> Enclosure:
    """Return min(x, 0) - log1p(exp(-abs(x)))."""
    high, low, margin = softplus(np.negative(x))[:3]
    return Enclosure(np.negative(high, out=high), np.negative(low, out=low), margin)


def logaddexp(a: np.ndarray, b: np.ndarray) -> Enclosure:
    """Return max(a, b) + log1p(exp(-abs(a - b))), with the difference as a pair."""
    s, t, low, high = buffers(a.shape)[8:12]
    np.maximum(a, b, out=high)
    np.minimum(a, b, out=low)
    # two_sum(low, -high)
    np.subtract(low, high, out=s)
    np.subtract(s, low, out=t)
    rest = np.subtract(s, t, out=buffers(a.shape)[0])
    np.subtract(low, rest, out=rest)
    t += high
    np.subtract(rest, t, out=t)
    return _plus(high, *_tail(s, t))


def bce_with_logits(x: np.ndarray, targets: np.ndarray) -> Enclosure:
    """Return log1p(exp(-abs(x))) + abs(x) (1 - targets, or targets where x < 0)."""
    left = x < 0.0
    weight, rest = two_sum(1.0, -targets)
    np.copyto(weight, targets, where=left)
    rest[left] = 0.0
    size = np.abs(x)
    product, error = two_product(weight, size)
    rest *= size
    rest += error
    high, low, margin = _tail(_negative_size(x))
    low += rest
    np.abs(product, out=size)
    size *= SUM
    margin += size
    return _plus(product, high, low, margin)


def sigmoid(x: np.ndarray) -> Enclosure:
    """Return 1 / (1 + exp(-x))."""
    size, beyond = extent(x), 0.0
    if not size <= LIMIT:
        # Above the limit the exponential is too small to matter, below it the result is.
        x, size, beyond = np.clip(x, -LIMIT, LIMIT), LIMIT, BEYOND
    total, rest, t, margin = buffers(x.shape)[8:12]
    high, low = exp_pair(np.negative(x, out=t))
    np.add(high, 1.0, out=total)
    np.subtract(total, high, out=rest)
    np.subtract(total, rest, out=t)
    high -= t
    np.subtract(1.0, rest, out=rest)
    rest += high
    rest += low
    _, first, second = reciprocal(total, rest)
    np.multiply(first, exp_error(size) + QUOTIENT, out=margin)
    margin += beyond
    return Enclosure(first, second, margin)


@cache
def _sigmoids() -> tuple[np.ndarray, np.ndarray]:
    """Return the sigmoid at multiples of 1 / STEPS up to END as pairs; negative multiples are at the end."""
    last = int(STEPS * END)
    size = 1 << (2 * last).bit_length()
    k = np.arange(size)
    k[k > size // 2] -= size
    high, low = (v.copy() for v in sigmoid(np.clip(k, -last, last) / STEPS)[:2])
    rounded = high + low
    low -= rounded - high
    return rounded, low


def interpolated_sigmoid(x: np.ndarray) -> Enclosure:
    """Return the sigmoid from a table, good enough for 99 of 100 elements: nan beyond the end of the table.

    With s = sigmoid(k) and t = 2 tanh(r / 2), sigmoid(k + r) is s + s (1 - s) t / (1 + (s - 1/2) t).
    """
    heads, tails = _sigmoids()
    r, t, q, s, low, d = buffers(x.shape)[:6]
    index = integers(x.shape)[7]
    np.add(x, 1.5 * 2.0**52 / STEPS, out=r)
    np.bitwise_and(r.view(np.int64), len(heads) - 1, out=index)
    r -= 1.5 * 2.0**52 / STEPS
    np.subtract(x, r, out=r)
    np.take(heads, index, out=s, mode="wrap")
    np.take(tails, index, out=low, mode="wrap")
    np.multiply(r, r, out=q)
    np.multiply(q, 1 / 120, out=t)
    t -= 1 / 12
    t *= q
    t *= r
    t += r
    np.subtract(s, 0.5, out=q)
    np.subtract(0.5, q, out=d)
    d -= low  # 1 - s would lose what it is near 1
    margin = np.multiply(d, SIGMOID, out=r)
    margin += TABLE
    margin *= s
    d *= s
    d *= t
    q *= t
    q += 1.0
    d /= q
    low += d
    if not extent(x) <= END:
        low[~(np.abs(x) <= END)] = np.nan
    return Enclosure(s, low, margin)


def _log1mexp(d: np.ndarray, rest: np.ndarray) -> Enclosure:
    """Return log(1 - exp(d + rest)) with a margin, for d < 0; nan where d is too near to 0 for any of this."""
    close = ~(d <= -_LOG2)
    if not close.any():
        return _far(d, rest)
    whole = [v.copy() for v in _far(np.minimum(d, -_LOG2), rest)[:3]]
    near = close & (d > -NEAR)
    for function, select in ((_near, near), (_middle, close & ~near)):
        places = np.flatnonzero(select)
        if len(places):
            for all_of, some in zip(whole, function(d[places], rest[places])[:3], strict=True):
                all_of[places] = some
    return Enclosure(whole[0], whole[1], whole[2])


def _far(d: np.ndarray, rest: np.ndarray) -> Enclosure:
    # exp(d) <= 1/2, whose relative error grows by less than 1.45.
    size, beyond = float(-d.min()), 0.0
    if not size <= LIMIT:
        rest = np.where(d >= -LIMIT, rest, 0.0)
        d, size, beyond = np.maximum(d, -LIMIT), LIMIT, BEYOND
    high, low = exp_pair(d, rest)
    high, low = log1p_pair(np.negative(high, out=high), np.negative(low, out=low))
    margin = np.multiply(high, -(1.45 * exp_error(size) + LOG1P + TAIL))
    margin += beyond
    return Enclosure(high, low, margin)


def _middle(d: np.ndarray, rest: np.ndarray) -> Enclosure:
    high, low = exp_pair(d, rest)
    total, gap = two_sum(1.0, -high)
    gap -= low
    error = exp_error(1.0) / NEAR * 1.01 + exp_error(6.0) + LOG + 2.0**-72
    high, low = log_pair(total, gap)
    return Enclosure(high, low, np.full(len(d), error))


def _near(d: np.ndarray, rest: np.ndarray) -> Enclosure:
    # log((exp(d) - 1) / d) = d/2 + d**2/24 - d**4/2880 + d**6/181440 - ...
    high, low = log_pair(np.where(d < -NEAREST, -d, np.nan), -rest)
    total, gap = two_sum(high, 0.5 * d)
    square = d * d
    gap += square * (1 / 24 - square * (1 / 2880 - square * (1 / 181440)))
    gap += 0.5 * rest
    gap += low
    return Enclosure(total, gap, np.full(len(d), exp_error(LIMIT) + LOG + 2.0**-68))


def log1mexp(x: np.ndarray) -> Enclosure:
    """Return log(1 - exp(x)) for x < 0."""
    return _log1mexp(x, np.zeros(len(x)))


def logsubexp(a: np.ndarray, b: np.ndarray) -> Enclosure:
    """Return a + log(1 - exp(b - a)), with the difference as a pair."""
    high, low, margin = _log1mexp(*two_sum(b, -a))[:3]
    return _plus(a, high, low, margin)
