"""Fused rows: logsumexp, softmax and log_softmax in pairs of doubles, with a bound that is known beforehand.

The first level of the ladder for the kernels that are called most. It does in about fifty passes over blocks that stay
in the cache what `doubledouble`, which carries its bound through every operation, does in several hundred. Nothing is
decided here that the bound does not decide; what it leaves open goes down the ladder like everything else. Bounds:
docs/error-bounds.md, section 1.6; tests/reference/test_fused.py checks every constant.
"""

from __future__ import annotations

import math
import threading
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference.doubledouble import fast_two_sum, two_product
from pytest_lse.reference.rounding import round_sum, storage, two_sum

#: arguments of exp, and the longest row
LIMIT = 320.0
LONGEST = 2**16
#: relative error of exp: a part for any argument, and one that grows with it
EXP = 1.3 * 2.0**-76
EXP_SLOPE = 4.0 / 331.0 * 2.0**-76
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


def exp_error(size: float) -> float:
    """Return the relative error of exp for arguments up to a size of at most 331 (LIMIT and log(LONGEST))."""
    return EXP + EXP_SLOPE * size


def sum_error(n: int) -> float:
    """Return the relative error of a sum of n pairs."""
    return 0.6 * n * 2.0**-80 + n * n * 2.0**-102


@cache
def powers() -> np.ndarray:
    """Return 2**(j / 4096) for j = 0, ..., 4095 as integers, in units of 2**-250 and good to a few thousand of them."""
    root = 2 << 500
    for _ in range(12):  # square roots; STEPS is 2**12
        root = math.isqrt(root) << 250
    found = [1 << 250]
    for _ in range(STEPS - 1):
        found.append(found[-1] * (root >> 250) >> 250)
    return np.array(found, dtype=object)


def head_bits(heads: np.ndarray) -> np.ndarray:
    """Return the bits of a table for exp, less what the last 12 bits of i will add in the exponent of 2**(i / 4096)."""
    bits: np.ndarray = heads.view(np.int64) - (np.arange(STEPS) << 40)
    return bits


@cache
def table() -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return the tables of exp, and its step log(2) / 4096 in two parts.

    The first table holds numbers of 26 bits next to 2**(j / 4096), the second how far their logarithms are from
    j log(2) / 4096.
    """
    from mpmath.libmp import ln2_fixed

    heads = np.array([float(p + (1 << 224) >> 225) for p in powers()]) * 2.0**-25
    # log(1 + d), where d <= 2**-26 is the exact distance, rounded once
    d = np.array([((int(h * 2**25) << 225) - p) / p for h, p in zip(heads.tolist(), powers(), strict=True)])
    step = ln2_fixed(250) >> 12
    first = (step + (1 << 206) >> 207) << 207  # a multiple of 2**-43
    return head_bits(heads), d - d * d * (0.5 - d / 3), first / (1 << 250), (step - first) / (1 << 250)


def buffers(size: int) -> list[np.ndarray]:
    """Return work arrays of this thread."""
    held: np.ndarray | None = getattr(_workspace, "held", None)
    if held is None or held.shape[1] < size:
        held = _workspace.held = np.empty((9, max(size, BLOCK)))
    return [row[:size] for row in held]


def exp_pair(x: np.ndarray, rest: np.ndarray | None = None) -> Pair:
    """Return exp(x + rest) as a pair, for abs(x) <= 331 and abs(rest) < 2**-42: views of this thread's buffers.

    The relative error is below `exp_error`; abs(low) < 2**-27 abs(high).
    """
    bits, gaps, first, second = table()
    k, r, c, a, q, head, t = (b.reshape(x.shape) for b in buffers(x.size)[:7])
    index = buffers(x.size)[7].view(np.int64).reshape(x.shape)
    np.multiply(x, STEPS / np.log(2.0), out=t)
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
    first, part = cut(whole), cut(s)
    rest = ((1.0 - part * first) - (s - part) * first) - t * first
    return whole, first, rest * whole


def cut(x: np.ndarray) -> np.ndarray:
    """Return the 26 leading bits of numbers."""
    return np.bitwise_and(x.view(np.int64), _TOP).view(np.float64)


def largest(x: np.ndarray) -> float:
    """Return an upper bound of abs(x), nan if there is one in x: mostly the squares, in one pass, do."""
    root = float(np.sqrt(np.einsum("ij,ij->i", x, x).max())) * (1.0 + 2.0**-30)
    return root if root < 100.0 else float(max(x.max(), -x.min()))


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

    def __init__(self, shape: tuple[int, ...], pairs: bool, target: Format) -> None:
        self.pairs = pairs
        self.target = target
        self.rounded = np.empty(shape, storage(target.name))
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
        into = self.rounded[place]
        if self.pairs:
            self.high[place] = high
            self.low[place] = low
        if self.target.precision == 53:
            upper = buffers(high.size)[0].reshape(high.shape)
            np.subtract(low, margin, out=into)
            into += high
            low += margin
            np.add(high, low, out=upper)
            same = into == upper
        else:
            into[...] = round_sum(high, low - margin, self.target) + 0.0  # no negative zeros
            same = (into == round_sum(high, low + margin, self.target)) & np.isfinite(high)
        if far is not None:
            same &= ~far
        if masked is not None and masked.any():
            same |= masked
            into[masked] = value
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


def logsumexp(x: np.ndarray, target: Format, pairs: bool) -> Decided:
    """Return the logarithms of the sums of the exponentials of rows."""
    result = Decided(x.shape[:1], pairs, target)
    top, high, low, odd, error = _log_totals(x)
    first, rest = two_sum(top, high)
    rest += low
    rest[odd] = np.nan
    margin = error + 2.0**-103 * np.abs(first)
    result.settle(0, first, rest, margin)
    return result


def _log_totals(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the shift of each row, the log-sum-exp of what is left as a pair, which rows are odd, and the error."""
    size = 0.0
    heads, tails, top = np.empty(len(x)), np.empty(len(x)), np.zeros(len(x))
    odd = np.zeros(len(x), dtype=bool)
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        block = Block(x[place])
        size = max(size, block.size)
        heads[place], tails[place] = row_sums(*block.exp())
        if block.top is not None:
            top[place], odd[place] = block.top[:, 0], block.odd[:, 0]
    heads[odd] = 1.0
    # The logarithm takes exp of an argument that is larger by log(n) at most.
    error = 2.0 * exp_error(size + 11.1) + sum_error(x.shape[1]) + LOG
    return top, *log_pair(heads, tails), odd, error


def log_softmax(x: np.ndarray, target: Format, pairs: bool) -> Decided:
    """Return the differences of rows to their log-sum-exp."""
    result = Decided(x.shape, pairs, target)
    top, high, low, odd, margin = _log_totals(x)
    step = starts(x).step
    for start in starts(x):
        place = slice(start, start + step)
        lh, ll, masked = high[place, None], low[place, None], None
        block, t = x[place], top[place, None]
        bound: Any = margin
        rest = None
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


def softmax(x: np.ndarray, target: Format, pairs: bool) -> Decided:
    """Return the exponentials of rows over their sums."""
    result = Decided(x.shape, pairs, target)
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
        error = 2.0 * exp_error(block.size) + sum_error(x.shape[1]) + QUOTIENT + 2.0**-76
        np.multiply(e, error, out=b)
        if block.top is None:
            result.settle(start, e, a, b)
        else:
            masked = (block.x == -np.inf) & ~block.odd
            result.settle(start, e, a, b, masked, 0.0, block.far | block.odd)
    return result
