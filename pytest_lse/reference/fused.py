"""Fused rows: logsumexp, softmax and log_softmax in pairs of doubles, with a bound that is known beforehand.

The first level of the ladder for the kernels that are called most. It does in about fifty passes over blocks that stay
in the cache what `doubledouble`, which carries its bound through every operation, does in several hundred. Nothing is
decided here that the bound does not decide; what it leaves open goes down the ladder like everything else. Bounds:
docs/error-bounds.md, section 1.6; tests/reference/test_fused.py checks every constant.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.reference.doubledouble import fast_two_sum, two_product
from pytest_lse.reference.rounding import two_sum

#: arguments of exp, and the longest row
LIMIT = 320.0
LONGEST = 2**16
#: relative error of exp for arguments up to 331 (LIMIT and the logarithm of LONGEST)
EXP = 1.25 * 2.0**-74
#: relative error of the reciprocal, of its product with an exponential; absolute error of the logarithm
QUOTIENT = 2.0**-74
LOG = 2.0**-78
#: elements of a block: few enough for the cache, many enough for the cost of a call not to matter
BLOCK = 2**16

STEPS = 4096
MAGIC = 1.5 * 2.0**52  # x + MAGIC - MAGIC rounds to an integer, whose bits are the last of the sum
_GRID = 1.5 * 2.0**14  # likewise to a multiple of 2**-38
_TOP = np.int64(-(2**27))  # all but the last 27 bits of a double: 26 significant ones
#: 1/6, with the term of fifth degree spread over the cubic one
_CUBE = 1 / 6 + 0.87 * (np.log(2.0) / (2 * STEPS)) ** 2 / 120
_workspace = threading.local()

Pair = tuple[np.ndarray, np.ndarray]


def total_error(n: int) -> float:
    """Return the relative error of the sum of n exponentials."""
    return EXP + n * 2.0**-80 + n * n * 2.0**-102


@cache
def table() -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """Return the tables of exp, and the steps per unit and the step, log(2) / 4096, in two parts.

    The first table holds the bits of a number of 26 bits next to 2**(j / 4096), less what the exponent of 2**(i / 4096)
    will add for the last 12 bits of i; the second, how far its logarithm is from j log(2) / 4096.
    """
    import mpmath

    context = mpmath.MPContext()
    context.prec = 250
    step = context.ln2 / STEPS
    heads = np.array([float(context.exp(step * j)) for j in range(STEPS)])
    heads = np.ldexp(np.rint(np.ldexp(heads, 25)), -25)
    gaps = np.array([float(context.log(context.mpf(float(h))) - step * j) for j, h in enumerate(heads)])
    first = float(np.ldexp(np.rint(np.ldexp(float(step), 43)), -43))
    second = float(step - context.mpf(first))
    return heads.view(np.int64) - (np.arange(STEPS) << 40), gaps, float(1 / step), first, second


def buffers(size: int) -> list[np.ndarray]:
    """Return work arrays of this thread."""
    held: np.ndarray | None = getattr(_workspace, "held", None)
    if held is None or held.shape[1] < size:
        held = _workspace.held = np.empty((9, max(size, BLOCK)))
    return [row[:size] for row in held]


def exp_pair(x: np.ndarray, rest: np.ndarray | None = None) -> Pair:
    """Return exp(x + rest) as a pair, for abs(x) <= 331 and abs(rest) < 2**-42: views of this thread's buffers.

    The relative error is below `EXP`; abs(low) < 2**-27 abs(high).
    """
    bits, gaps, scale, first, second = table()
    k, r, c, a, q, head, t = (b.reshape(x.shape) for b in buffers(x.size)[:7])
    index = buffers(x.size)[7].view(np.int64).reshape(x.shape)
    np.multiply(x, scale, out=t)
    t += MAGIC
    np.subtract(t, MAGIC, out=k)
    i = t.view(np.int64)
    np.bitwise_and(i, STEPS - 1, out=index)
    np.take(bits, index, out=head.view(np.int64), mode="wrap")
    np.take(gaps, index, out=c, mode="wrap")
    i <<= 40
    bits_of_head = head.view(np.int64)
    bits_of_head += i
    # r = x - k log(2) / 4096 - gap: r1 exactly, less c
    np.multiply(k, first, out=r)
    np.subtract(x, r, out=r)
    k *= second
    c += k
    if rest is not None:
        c -= rest
    np.subtract(r, c, out=t)
    # 25 bits of it, so that their product with the head is exact, and what that leaves of r1 - c
    np.add(t, _GRID, out=a)
    a -= _GRID
    r -= a
    r -= c
    # exp(t) - 1 - t
    np.multiply(t, 1 / 24, out=q)
    q += _CUBE
    q *= t
    q += 0.5
    np.multiply(t, t, out=c)
    q *= c
    q += r
    a *= head
    q *= head
    high = np.add(head, a, out=k)
    np.subtract(high, head, out=r)
    a -= r
    a += q
    return high, a


def row_sums(high: np.ndarray, low: np.ndarray) -> Pair:
    """Return the sums of rows of positive pairs; `high` stays, `low` is overwritten.

    The heads are cut at a common bit of their row, so that their sum is exact in any order.
    """
    q = buffers(high.size)[8].reshape(high.shape)
    sums = np.einsum("ij->i", high)
    _, exponent = np.frexp(sums)
    anchor = np.ldexp(1.5, exponent + 2)[:, None]
    np.add(high, anchor, out=q)
    q -= anchor
    heads = np.einsum("ij->i", q)
    np.subtract(high, q, out=q)
    q += low
    return heads, np.einsum("ij->i", q)


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
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.rest: np.ndarray | None = None
        self.top: np.ndarray | None = None
        # Mostly the squares, in one pass, tell that the extremes are harmless.
        if np.einsum("ij,ij->i", x, x).max() <= LIMIT**2 or (x.min() >= -LIMIT and x.max() <= LIMIT):
            return
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


def log_pair(heads: np.ndarray, tails: np.ndarray) -> Pair:
    """Return the logarithms of positive pairs as pairs; nan where the library's logarithm is no good first guess."""
    s, t = fast_two_sum(heads, tails)
    guess = np.log(s)
    high, low = exp_pair(-guess)
    p, e = two_product(s, high)
    gap = (p - 1.0) + (e + (s * low + t * high))
    return guess, np.where(np.abs(gap) < 2.0**-40, gap, np.nan)


def reciprocal(heads: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 1 / (heads + tails) rounded, and as a pair whose first part has 26 bits."""
    s, t = fast_two_sum(heads, tails)
    whole = 1.0 / s
    first, part = _cut(whole), _cut(s)
    rest = ((1.0 - part * first) - (s - part) * first) - t * first
    return whole, first, rest * whole


def _cut(x: np.ndarray) -> np.ndarray:
    return np.bitwise_and(x.view(np.int64), _TOP).view(np.float64)


class Decided:
    """Results of rows as they are decided.

    Attributes
    ----------
    pairs : bool
        Whether the results before rounding are kept as well.
    rounded, high, low : ndarray
        The correctly rounded results; what they were rounded from, as pairs, if asked for.
    open : list of ndarray of int
        Rows with an element that is not decided.
    """

    def __init__(self, shape: tuple[int, ...], pairs: bool, dtype: Any = np.float64) -> None:
        self.pairs = pairs
        self.rounded = np.empty(shape, dtype)
        self.high = np.empty(shape) if pairs else self.rounded
        self.low = np.zeros(shape) if pairs else self.rounded
        self.open: list[np.ndarray] = []

    def settle(
        self, start: int, high: np.ndarray, low: np.ndarray, margin: Any, masked: Any = None, value: float = 0.0,
        far: Any = None,
    ) -> None:  # fmt: skip
        """Round high + low within a margin that allows for the roundings here too; `low` is overwritten.

        What is masked has the value given; what is far is not decided.
        """
        place = slice(start, start + len(high))
        lower, upper = self.rounded[place], buffers(high.size)[0].reshape(high.shape)
        np.subtract(low, margin, out=lower)
        lower += high
        if self.pairs:
            self.high[place] = high
            self.low[place] = low
        low += margin
        np.add(high, low, out=upper)
        same = lower == upper
        if far is not None:
            same &= ~far
        if masked is not None and masked.any():
            same |= masked
            lower[masked] = value
            if self.pairs:
                self.high[place][masked] = value
                self.low[place][masked] = 0.0
        self.leave_open(start, same)

    def leave_open(self, start: int, same: np.ndarray) -> None:
        """Note rows that are not decided as a whole."""
        if not same.all():
            right = same if same.ndim == 1 else same.all(axis=1)
            self.open.append(start + np.flatnonzero(~right))


def starts(x: np.ndarray) -> range:
    return range(0, len(x), max(1, BLOCK // x.shape[1]))


def logsumexp(x: np.ndarray, pairs: bool) -> Decided:
    """Return the logarithms of the sums of the exponentials of rows."""
    result = Decided(x.shape[:1], pairs)
    top, high, low, odd = _log_totals(x)
    first, rest = two_sum(top, high)
    rest += low
    rest[odd] = np.nan
    margin = EXP + total_error(x.shape[1]) + LOG + 2.0**-103 * np.abs(first)
    result.settle(0, first, rest, margin)
    return result


def _log_totals(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the shift of each row, the log-sum-exp of what is left as a pair, and which rows are odd."""
    heads, tails, top = np.empty(len(x)), np.empty(len(x)), np.zeros(len(x))
    odd = np.zeros(len(x), dtype=bool)
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        block = Block(x[place])
        heads[place], tails[place] = row_sums(*block.exp())
        if block.top is not None:
            top[place], odd[place] = block.top[:, 0], block.odd[:, 0]
    heads[odd] = 1.0
    return top, *log_pair(heads, tails), odd


def log_softmax(x: np.ndarray, pairs: bool) -> Decided:
    """Return the differences of rows to their log-sum-exp."""
    result = Decided(x.shape, pairs)
    top, high, low, odd = _log_totals(x)
    margin: Any = EXP + total_error(x.shape[1]) + LOG
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        lh, ll, masked = high[place, None], low[place, None], None
        block, t = x[place], top[place, None]
        bound, rest = margin, None
        if t.any():
            block, rest = two_sum(block, -t)
            bound = margin + 2.0**-103 * np.abs(block)
            masked = (block == -np.inf) & ~odd[place, None]
        s, e, a, b = (w.reshape(block.shape) for w in buffers(block.size)[1:5])
        np.subtract(block, lh, out=s)
        np.subtract(s, block, out=a)
        np.subtract(s, a, out=b)
        np.subtract(block, b, out=e)
        a += lh
        e -= a
        e -= ll
        if rest is not None:
            e += rest
        result.settle(start, s, e, bound, masked, -np.inf)
    return result


def softmax(x: np.ndarray, pairs: bool) -> Decided:
    """Return the exponentials of rows over their sums."""
    result = Decided(x.shape, pairs)
    relative = EXP + total_error(x.shape[1]) + QUOTIENT + 2.0**-76
    step = starts(x).step
    for start in starts(x):
        block = Block(x[start : start + step])
        high, low = block.exp()
        whole, first, second = (r[:, None] for r in reciprocal(*row_sums(high, low)))
        e, a, b = (w.reshape(high.shape) for w in buffers(high.size)[4:7])
        np.bitwise_and(high.view(np.int64), _TOP, out=e.view(np.int64))
        np.subtract(high, e, out=a)
        a += low
        a *= whole
        np.multiply(e, second, out=b)
        a += b
        e *= first
        np.multiply(e, relative, out=b)
        if block.top is None:
            result.settle(start, e, a, b)
        else:
            masked = (block.x == -np.inf) & ~block.odd
            result.settle(start, e, a, b, masked, 0.0, block.far | block.odd)
    return result
