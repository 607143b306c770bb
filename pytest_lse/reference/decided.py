"""Results as they are decided: the rounding test of the shortcuts.

Where both ends of what an error bound leaves round to the same number, this number is the correctly rounded result.
Nothing is decided here that the bound does not decide; the rest goes down the ladder.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.reference.pairs import buffers
from pytest_lse.reference.rounding import narrow, round_sum, storage


class Enclosure(NamedTuple):
    """Values of some rows or elements, and how far they may be from the truth.

    Attributes
    ----------
    high, low : ndarray
        The values as pairs.
    margin : float or ndarray
        Of the error, and of the roundings when it is added to `low`.
    masked : ndarray of bool, optional
        What has exactly the value `value`.
    far : ndarray of bool, optional
        What is not to be decided.
    """

    high: np.ndarray
    low: np.ndarray
    margin: Any
    masked: Any = None
    value: float = 0.0
    far: Any = None


class Decided:
    """Results of rows, or of elements, as they are decided.

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
        """Round an `Enclosure`; `low` is overwritten."""
        place = slice(start, start + len(high))
        into = self.rounded[place]
        if self.pairs:
            self.high[place] = high
            self.low[place] = low
        if self.target.precision == 53:
            upper = buffers(high.shape)[11]
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

    def between(self, start: int, lower: np.ndarray, upper: np.ndarray) -> None:
        """Round both ends of what the error bound leaves to a narrow format."""
        place = slice(start, start + len(lower))
        into = self.rounded[place]
        if self.pairs:
            self.high[place] = 0.5 * (lower + upper)
        if self.target.name == "bfloat16":
            self.leave_open(start, _bfloat16(lower, upper, into))
            return
        np.copyto(into, lower, casting="same_kind")
        other = _spare(lower.shape, into.dtype)
        np.copyto(other, upper, casting="same_kind")
        self.leave_open(start, np.equal(into, other))

    def without_negative_zeros(self) -> None:
        """Make the zeros among the results positive."""
        if self.rounded.dtype.name == "bfloat16":
            bits = self.rounded.view(np.uint16)
            bits[bits == 0x8000] = 0
        else:
            self.rounded += 0.0

    def fix(self, rows: np.ndarray, value: float) -> None:
        """Give a value to some rows, and take them for decided."""
        self.rounded[rows] = value
        if self.pairs:
            self.high[rows], self.low[rows] = value, 0.0
        self.open = [o[~rows[o]] for o in self.open]

    def replace(self, rows: np.ndarray, again: Decided) -> None:
        """Take other results for some rows."""
        self.rounded[rows] = again.rounded
        if self.pairs:
            self.high[rows], self.low[rows] = again.high, again.low
        self.open = [rows[o] for o in again.open]

    def leave_open(self, start: int, same: np.ndarray) -> None:
        """Note rows that are not decided as a whole."""
        if not same.all():
            right = np.asarray(same if same.ndim == 1 else same.all(axis=1))
            self.open.append(start + np.logical_not(right).nonzero()[0])


def _spare(shape: tuple[int, ...], dtype: np.dtype[Any], index: int = 11) -> np.ndarray:
    """Return a work array of this thread."""
    size = math.prod(shape)
    return buffers((size,))[index].view(dtype)[:size].reshape(shape)


def _bfloat16(lower: np.ndarray, upper: np.ndarray, into: np.ndarray) -> np.ndarray:
    """Round two ends to bfloat16; return where both give the same number.

    Rounding to float32 is monotonic, and the midpoints of bfloat16 are numbers of float32: where both ends become the
    same number of float32 that is no midpoint, they lie between the same two midpoints. The few others are rounded from
    float64.
    """
    single, other, bits = (
        _spare(lower.shape, np.dtype(t), i) for t, i in ((np.float32, 9), (np.float32, 10), (np.uint32, 11))
    )
    np.copyto(single, lower, casting="same_kind")
    np.copyto(other, upper, casting="same_kind")
    same: np.ndarray = np.equal(single, other)
    np.add(single.view(np.uint32), 0x8000, out=bits)  # ties upwards
    rest = np.bitwise_and(bits, 0xFFFF, out=other.view(np.uint32))
    _store(bits, into)
    if not (same.all() and rest.min()):
        same &= rest != 0
        doubtful = np.flatnonzero(~same)
        ends = [narrow(end.reshape(-1)[doubtful], FORMATS["bfloat16"]) for end in (lower, upper)]
        into.reshape(-1)[doubtful] = ends[0]
        same.reshape(-1)[doubtful] = ends[0] == ends[1]
    return same


def _store(bits: np.ndarray, into: np.ndarray) -> None:
    """Store the upper halves of the bits of float32 numbers, which are those of bfloat16 numbers."""
    if into.dtype.itemsize == 2:
        bits >>= 16
        np.copyto(into.view(np.uint16), bits, casting="unsafe")
    else:
        np.bitwise_and(bits, 0xFFFF0000, out=into.view(np.uint32))
