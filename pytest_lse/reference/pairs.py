"""Pairs of doubles with bounds that are known beforehand: exp, log1p, log, sums and reciprocals in few passes.

`doubledouble` carries its bound through every operation; here it is a constant, proved in docs/error-bounds.md, section
1.6, and checked in tests/reference/test_pairs.py. All functions work in buffers of this thread, since a fresh array
costs as much as several passes over one that is in the cache: a result is good until the next call.
"""

from __future__ import annotations

import math
import threading
from functools import cache

import numpy as np

from pytest_lse.reference.doubledouble import fast_two_sum
from pytest_lse.reference.powers import ONE, STEPS, log2, powers

#: arguments of exp
LIMIT = 320.0
#: relative error of exp: a part for any argument, and one that grows with it
EXP = 1.3 * 2.0**-76
EXP_SLOPE = 4.0 / 331.0 * 2.0**-76
#: relative error of the reciprocal, of its product with an exponential; absolute error of the logarithm
QUOTIENT = 2.0**-74
LOG = 2.0**-75
#: relative error of log1p
LOG1P = 2.0**-75
MAGIC = 1.5 * 2.0**52  # x + MAGIC - MAGIC rounds to an integer, whose bits are the last of the sum
_GRID = 1.5 * 2.0**14  # likewise to a multiple of 2**-38
TOP = np.int64(-(2**27))  # all but the last 27 bits of a double: 26 significant ones
_MOST = np.int64(-(2**16))  # 37 significant bits, whose products with 14 bits are exact
CELLS = 1.5 * 2.0**40  # rounds to a multiple of 2**-12
#: 1/6, with the term of fifth degree spread over the cubic one
_CUBE = 1 / 6 + 0.87 * (np.log(2.0) / (2 * STEPS)) ** 2 / 120
_workspace = threading.local()

Pair = tuple[np.ndarray, np.ndarray]


def exp_error(size: float) -> float:
    """Return the relative error of exp for arguments up to a size of 331: LIMIT and the logarithm of a length."""
    return EXP + EXP_SLOPE * size


def sum_error(n: int) -> float:
    """Return the relative error of a sum of n pairs."""
    return 0.6 * n * 2.0**-80 + n * n * 2.0**-102


def head_bits(heads: np.ndarray) -> np.ndarray:
    """Return the bits of a table for exp, less what the last bits of i will add in the exponent of 2**(i / length)."""
    steps = len(heads)
    bits: np.ndarray = heads.view(np.int64) - (np.arange(steps) << 53 - steps.bit_length())
    return bits


@cache
def table() -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return the tables of exp, and its step log(2) / 4096 in two parts.

    The first table holds numbers of 26 bits next to 2**(j / 4096), the second how far their logarithms are from
    j log(2) / 4096.
    """
    heads = np.array([float(p + (1 << 224) >> 225) for p in powers()]) * 2.0**-25
    # log(1 + d), where d <= 2**-26 is the exact distance, rounded once
    d = np.array([((int(h * 2**25) << 225) - p) / p for h, p in zip(heads.tolist(), powers(), strict=True)])
    step = log2() >> 12
    first = (step + (1 << 206) >> 207) << 207  # a multiple of 2**-43
    return head_bits(heads), d - d * d * (0.5 - d / 3), first / ONE, (step - first) / ONE


@cache
def reciprocals() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return numbers R of 14 bits next to 1 / (1 + k / 4096), and -log(R) as pairs, for k = -2048, ..., 4096.

    Negative k are at the end of the tables, as the last 13 bits of an integer say.
    """
    # log(m / 4096) in units of 2**-140, by log((m + 1) / m) = 2 atanh(1 / d), d = 2 m + 1
    d = 2 * np.arange(2048, 8192) + 1
    exact, w = d.astype(object), 1.0 / d
    tail = np.ldexp(w**5 * (2 / 5 + w * w * (2 / 7 + w * w * (2 / 9))), 140).astype(object)
    logs = np.add.accumulate((2 << 140) // exact + (2 << 140) // (3 * exact**3) + np.frompyfunc(int, 1, 1)(tail))
    logs = np.concatenate([[0], logs]) - logs[2047]
    k = np.arange(8192)
    k[4097:] -= 8192
    k[np.abs(k - 1024) > 3072] = 0  # never met
    numerators = np.rint(4096.0 / (1.0 + k / 4096.0))
    heads = -logs / (1 << 140)
    tails = -logs - np.frompyfunc(int, 1, 1)(np.ldexp(heads.astype(float), 140))
    place = numerators.astype(int) - 2048
    return numerators / 4096.0, heads.astype(float)[place], (tails / (1 << 140)).astype(float)[place]


def buffers(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return work arrays of this thread."""
    return _held(shape)[0]


def integers(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return the work arrays of this thread as the integers that their bits are."""
    return _held(shape)[1]


def _held(shape: tuple[int, ...]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    # Making the views again and again takes as long as several passes over a small array.
    views: dict[tuple[int, ...], tuple[list[np.ndarray], list[np.ndarray]]] = getattr(_workspace, "views", {})
    found = views.get(shape)
    if found is None:
        size = math.prod(shape)
        held: np.ndarray | None = getattr(_workspace, "held", None)
        if held is None or held.shape[1] < size or len(views) > 50:
            views.clear()
            if held is None or held.shape[1] < size:
                held = _workspace.held = np.empty((12, max(size, 2**12)))
        floats = [row[:size].reshape(shape) for row in held]
        found = views[shape] = floats, [f.view(np.int64) for f in floats]
        _workspace.views = views
    return found


def exp_pair(x: np.ndarray, rest: np.ndarray | None = None) -> Pair:
    """Return exp(x + rest) as a pair, for abs(x) <= 331 and abs(rest) < 2**-42: views of this thread's buffers.

    The relative error is below `exp_error`; abs(low) < 2**-27 abs(high).
    """
    bits, gaps, first, second = table()
    k, r, c, a, q, head, t = buffers(x.shape)[:7]
    bits_of_head, i, index = integers(x.shape)[5:8]
    np.multiply(x, STEPS / np.log(2.0), out=t)
    t += MAGIC
    np.subtract(t, MAGIC, out=k)
    np.bitwise_and(i, STEPS - 1, out=index)
    np.take(bits, index, out=bits_of_head, mode="wrap")
    np.take(gaps, index, out=c, mode="wrap")
    i <<= 40
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
    q = buffers(high.shape)[8]
    sums = np.einsum("ij->i", high)
    _, exponent = np.frexp(sums)
    anchor = np.ldexp(1.5, exponent + 2)[:, None]
    np.add(high, anchor, out=q)
    q -= anchor
    heads = np.einsum("ij->i", q)
    np.subtract(high, q, out=q)
    q += low
    return heads, np.einsum("ij->i", q)


def prefix_sums(high: np.ndarray, low: np.ndarray) -> Pair:
    """Return the running sums along the first axis of positive pairs, which are overwritten.

    Every sum is made of sums of 1, 2, 4, ... elements, so that its error grows with the logarithm of their number.
    """
    held = buffers((high.size,))
    step = 1
    while step < len(high):
        a, b = high[step:], high[:-step]
        s, t, e = (v[: a.size].reshape(a.shape) for v in held[:3])
        np.add(a, b, out=s)
        np.subtract(s, a, out=t)
        np.subtract(s, t, out=e)
        np.subtract(a, e, out=e)
        np.subtract(b, t, out=t)
        e += t
        e += low[:-step]
        low[step:] += e
        a[...] = s
        step *= 2
    return high, low


def prefix_error(n: int) -> float:
    """Return the relative error of running sums of up to n pairs."""
    return 3.0 * math.ceil(math.log2(n)) * 2.0**-79


def log1p_pair(high: np.ndarray, low: np.ndarray) -> Pair:
    """Return log(1 + high + low) as a pair, for arguments of -1/2 to 1 that are 0 or at least 2**-462 in size.

    The arguments may be what `exp_pair` returns, and are overwritten then; the results are views of this thread's
    buffers. The relative error is below LOG1P, if abs(low) < 2**-27 abs(high); so is the low part of the result below
    2**-24 of the high one.
    """
    table, heads, tails = reciprocals()
    held = buffers(high.shape)
    r, c, h, t, a, b, p, q = (held[i] for i in (1, 2, 4, 5, 6, 8, 9, 10))  # 0 and 3 are what exp_pair returns
    index = integers(high.shape)[7]
    np.add(high, CELLS, out=t)
    np.bitwise_and(t.view(np.int64), 8191, out=index)
    np.take(table, index, out=c, mode="wrap")
    np.take(heads, index, out=h, mode="wrap")
    np.take(tails, index, out=t, mode="wrap")
    # 1 + r = (1 + high + low) c: a exactly, and b
    np.bitwise_and(high.view(np.int64), _MOST, out=a.view(np.int64))
    np.subtract(high, a, out=b)
    b += low
    b *= c
    a *= c
    c -= 1.0
    a += c
    np.add(a, b, out=r)
    # h + a - p**2 / 2, where p has the 26 leading bits of r, and what the two roundings leave
    np.bitwise_and(r.view(np.int64), TOP, out=p.view(np.int64))
    np.subtract(a, p, out=c)
    c += b
    np.add(h, a, out=q)
    np.subtract(q, h, out=h)
    a -= h
    a += t
    np.multiply(p, -0.5, out=h)
    h *= p
    result = np.add(q, h, out=t)
    q -= result
    h += q
    a += h
    # (p**2 - r**2) / 2 as -(p + r) (r - p) / 2
    p += r
    p *= -0.5
    p *= c
    # the terms from the third to the sixth degree
    np.multiply(r, -1 / 6, out=q)
    q += 1 / 5
    q *= r
    q -= 1 / 4
    q *= r
    q += 1 / 3
    np.multiply(r, r, out=h)
    h *= r
    q *= h
    q += a
    q += p
    q += b
    return result, q


def log_pair(heads: np.ndarray, tails: np.ndarray) -> Pair:
    """Return the logarithms of positive pairs as pairs; nan where the library's logarithm is no good first guess.

    The arguments are overwritten, and may be the last two buffers of this thread; the results are in two others.
    """
    held, bits = buffers(heads.shape), integers(heads.shape)
    s = np.add(heads, tails, out=held[8])
    np.subtract(s, heads, out=held[9])
    tails -= held[9]
    guess = np.log(s, out=held[9])
    high, low = exp_pair(np.negative(guess, out=held[10]))
    # s exp(-guess) - 1, from the exact product of the 26 leading bits of both
    a, b, gap = held[1], held[2], held[4]
    tails *= high
    low *= s
    low += tails
    np.bitwise_and(bits[8], TOP, out=bits[1])
    np.bitwise_and(bits[0], TOP, out=bits[2])
    np.multiply(a, b, out=gap)
    gap -= 1.0
    s -= a
    s *= high
    high -= b
    high *= a
    s += high
    s += low
    s += gap
    if not extent(s) < 2.0**-40:
        s[~(np.abs(s) < 2.0**-40)] = np.nan
    return guess, s


def reciprocal(heads: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 1 / (heads + tails) rounded, and as a pair whose first part has 26 bits."""
    s, t = fast_two_sum(heads, tails)
    whole = 1.0 / s
    first, part = cut(whole), cut(s)
    rest = ((1.0 - part * first) - (s - part) * first) - t * first
    return whole, first, rest * whole


def cut(x: np.ndarray) -> np.ndarray:
    """Return the 26 leading bits of numbers."""
    return np.bitwise_and(x.view(np.int64), TOP).view(np.float64)


def extent(x: np.ndarray) -> float:
    """Return the largest abs(x), nan if there is one in x."""
    return float(np.maximum(x.max(), -x.min()))


def largest(x: np.ndarray) -> float:
    """Return an upper bound of abs(x), nan if there is one in x: mostly the squares, in one pass, do."""
    root = float(np.sqrt(np.einsum("ij,ij->i", x, x).max())) * (1.0 + 2.0**-30)
    return root if root < 100.0 else float(max(x.max(), -x.min()))
