"""What is tried: drafts of inputs, the arrays they stand for, and the catalogue that is tried before any search.

A `Draft` is a few rows of numbers and a choice for everything beside them; a `Case` is the arrays made of it. The
catalogue, the search and the minimiser all speak in drafts, so that each of them works for every kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse import regimes
from pytest_lse.assertions.layouts import Layout
from pytest_lse.dtypes import Format
from pytest_lse.regimes import Long, Row
from pytest_lse.strategies.casting import carrier, cast

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Draft:
    """Rows of equal length, the regime of each, and what is chosen for the other arguments."""

    rows: tuple[Row | Long, ...]
    regimes: tuple[str, ...]
    choice: int = 0
    ndim: int = 2
    axis: int = -1

    @property
    def regime(self) -> str:
        """The regime of the rows, if it is one."""
        names = list(dict.fromkeys(self.regimes))
        return names[0] if len(names) == 1 else "mixed" if names else ""

    @property
    def width(self) -> int:
        """Length of a row."""
        return _length(self.rows[0]) if self.rows else 0

    @property
    def long(self) -> bool:
        """Whether its arrays are large."""
        return any(isinstance(row, Long) for row in self.rows)

    def only(self, index: int) -> Draft:
        """Return the draft of one row alone."""
        return replace(self, rows=(self.rows[index],), regimes=(self.regimes[index],))


@dataclass(frozen=True, eq=False)
class Case:
    """Concrete arguments, as NumPy arrays of the dtype under test."""

    arguments: tuple[Array, ...]
    draft: Draft
    dtype: str
    axis: int = -1
    plain: bool = False
    """Whether the function is called without naming the axis, even if it takes one."""


def _length(row: Row | Long) -> int:
    return row.length if isinstance(row, Long) else len(row)


def matrix(rows: Sequence[Row | Long]) -> Array:
    """Return the rows as a float64 array [B, n]."""
    result = np.empty((len(rows), _length(rows[0]) if rows else 0))
    for i, row in enumerate(rows):
        if isinstance(row, Long):
            result[i] = row.fill
            result[i, : len(row.head)] = row.head
            result[i, row.length - len(row.tail) :] = row.tail
        else:
            result[i] = row
    return result


def build(layout: Layout, draft: Draft, fmt: Format, dtype: str | None = None, ignore: int | None = None) -> Case:
    """Return the arrays of a draft.

    Parameters
    ----------
    dtype : str, optional
        The dtype of the logits where it is not that of the format: an integer dtype, when integers are claimed.
    ignore : int, optional
        The label that is ignored, where the kernel's parameters name one: further choices use it.
    """
    kind = dtype or fmt.name
    rows = matrix(draft.rows) if draft.rows else np.zeros((0, 3))
    if layout.width and rows.shape[1]:
        rows = rows[:, np.arange(layout.width) % rows.shape[1]]
    arrays = layout.arrays(rows, draft.choice, fmt, ignore)
    shaped = [_shape(layout, a, draft) for a in arrays] if layout.kind in ("rows", "elements") else arrays
    axis = draft.axis if layout.kind == "rows" else -1
    integral = carrier(kind).kind in "iu"
    arguments = tuple(
        cast(a, fmt.name if integral and role != "logits" else kind)
        for a, role in zip(shaped, layout.roles, strict=True)
    )
    return Case(arguments, draft, kind, axis)


def _shape(layout: Layout, value: Array, draft: Draft) -> Array:
    if value.ndim < 2:
        return value
    if layout.kind == "elements":
        value = value.reshape(-1)
        if draft.ndim == 1:
            return value
        return value.reshape((1,) * (draft.ndim - 2) + ((2, -1) if value.size and value.size % 2 == 0 else (1, -1)))
    if draft.ndim == 1:
        return np.asarray(value[0])
    value = value.reshape((1,) * (draft.ndim - 2) + value.shape)
    return np.ascontiguousarray(np.moveaxis(value, -1, draft.axis))


def usable(layout: Layout, row: Row | Long, fmt: Format, domain: str, choice: int = 0) -> bool:
    """Whether a row keeps what the kernel and the domain promise."""
    if isinstance(row, Long):
        return True
    row = layout.fitted(row)
    if not layout.fits(row, choice, fmt):
        return False
    if domain in ("log_space", "extended") or -math.inf not in row:
        return True
    if layout.alone:
        return False
    size = 2 if layout.group == 2 else len(row)
    return all(any(v != -math.inf for v in row[i : i + size]) for i in range(0, len(row), size))


def catalogue(
    layout: Layout, fmt: Format, wanted: Sequence[str], domain: str, ndim: Sequence[int], *, few_shapes: bool = False
) -> Iterator[Draft]:
    """Yield the minimal cases of every wanted regime, the simplest first.

    Rows of one length share a batch where rows do not depend on each other: that is faster, and finds what leaks
    from row to row. With ``few_shapes``, batches are filled up to one size by repetition.
    """
    # A matrix of states by states, or worse, gains nothing from a wide row.
    widest = math.inf if layout.kind != "whole" or layout.batched else 16
    rows = [
        (name, tuple(row))
        for name in wanted
        if name in regimes.BY_NAME
        for row in regimes.BY_NAME[name].rows(fmt)
        if usable(layout, row, fmt, domain) and layout.least <= len(row) <= widest
    ]
    if layout.kind == "elements":
        drafts = _element_drafts(layout, rows, ndim, fmt)
    elif layout.kind == "rows":
        drafts = _row_drafts(layout, rows, ndim, fmt)
    else:
        drafts = _whole_drafts(layout, rows, fmt)
    for draft in drafts:
        yield from _filled(layout, draft) if few_shapes else (draft,)
    for draft in _long_drafts(layout, fmt, wanted, ndim):
        if not few_shapes or draft.width not in _MEDIUM:
            yield draft


_MEDIUM = range(2000, 10_000)
_FEW_WIDTHS = (0, 1, 2, 3)


def _filled(layout: Layout, draft: Draft) -> Iterator[Draft]:
    """Cut a draft into pieces of one shape, the last one filled up with its own values."""
    if layout.kind == "elements" and draft.width:
        values = matrix(draft.rows)[0].tolist()
        size = (6 if layout.mean else 24) * layout.group
        for start in range(0, len(values), size):
            part = tuple(values[start : start + size])
            part = (part * size)[:size]
            yield replace(draft, rows=(part,))
    elif draft.width not in _FEW_WIDTHS:
        return  # a compilation for very little that is new
    elif layout.batched or (layout.kind == "rows" and draft.ndim > 1):
        size = 24 if layout.kind == "rows" and draft.width < 4 else 4
        for start in range(0, len(draft.rows), size):
            rows, names = draft.rows[start : start + size], draft.regimes[start : start + size]
            yield replace(draft, rows=(rows * size)[:size], regimes=(names * size)[:size])
    else:
        yield draft


Named = tuple[str, tuple[float, ...]]


def _row_drafts(layout: Layout, rows: list[Named], ndim: Sequence[int], fmt: Format) -> Iterator[Draft]:
    lengths: dict[int, list[Named]] = {}
    for name, row in rows:
        lengths.setdefault(len(row), []).append((name, row))
    batch = max(ndim)
    if batch > 1:
        for same in lengths.values():
            for choice in range(layout.choices):
                fits = [(n, r) for n, r in same if layout.fits(r, choice, fmt)]
                if fits:
                    yield Draft(tuple(r for _, r in fits), tuple(n for n, _ in fits), choice, batch)
        # Square and leading: a wrong axis cannot hide behind the shape.
        yield Draft(((0.0, 1.0, 3.0), (2.0, -1.0, 0.5), (4.0, 4.0, -2.0)), ("benign",) * 3, 0, batch)
    if 1 in ndim:
        seen: dict[str, int] = {}
        for name, row in rows:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] <= 4:
                choice = seen[name] % layout.choices
                if layout.fits(row, choice, fmt):
                    yield Draft((row,), (name,), choice, 1)


def _element_drafts(layout: Layout, rows: list[Named], ndim: Sequence[int], fmt: Format) -> Iterator[Draft]:
    for name in dict.fromkeys(n for n, _ in rows):
        keyed = {_key(p): p for n, row in rows if n == name for p in layout.points(row)}
        points = list(keyed.values())
        large = [p for p in points if layout.mean and not _moderate(p, fmt)]
        together = [p for p in points if p not in large] if large else points
        size = 6 if layout.mean else max(len(together), 1)
        groups = [together[start : start + size] for start in range(0, len(together), size)]
        for group in (*groups, *([p] for p in large)):
            part = tuple(v for point in group for v in point)
            for choice in range(layout.choices):
                yield Draft((part,), (name,), choice, min(ndim))
        if name == "benign":
            yield Draft((tuple(v for point in points for v in point),), (name,), 0, max(ndim))
        if not points:
            yield Draft(((),), (name,), 0, min(ndim))


def _moderate(row: Row, fmt: Format) -> bool:
    """Whether several such rows have a sum far from overflow."""
    return all(not math.isfinite(v) or abs(v) <= fmt.max / 256 for v in row)


def _key(point: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Tell signed zeros apart, and let NaN equal itself."""
    return tuple((0.0 if v != v else v, 2.0 if v != v else math.copysign(1.0, v)) for v in point)


_THOROUGH = ("benign", "overflow_edge", "far_below", "dominant", "masked", "masked_row")
"""Where every choice is tried for kernels that take one row a call; elsewhere the first and, in turn, the others."""


def _whole_drafts(layout: Layout, rows: list[Named], fmt: Format) -> Iterator[Draft]:
    by_regime: dict[str, list[tuple[float, ...]]] = {}
    for name, row in rows:
        by_regime.setdefault(name, []).append(row)
    for at, (name, same) in enumerate(by_regime.items()):
        every = layout.batched or name in _THOROUGH
        for choice in range(layout.choices) if every else (0, 1 + at % max(layout.choices - 1, 1)):
            if choice < layout.choices and layout.fits(same[0], choice, fmt):
                yield Draft((same[0],), (name,), choice)
        for i, row in enumerate(_spread(same[1:], 2 if layout.batched else 6)):
            if layout.fits(row, i % layout.choices, fmt):
                yield Draft((row,), (name,), i % layout.choices)
    if layout.batched:
        for name, same in by_regime.items():
            for width in dict.fromkeys(map(len, same)):
                group = [r for r in same if len(r) == width and _moderate(r, fmt)]
                for i, start in enumerate(range(0, len(group), 4)):
                    part = tuple(group[start : start + 4])
                    for choice in (0, 1, layout.choices + 1) if i == 0 else (i % 2,):
                        yield Draft(part, (name,) * len(part), choice)


def _spread(rows: list[tuple[float, ...]], count: int) -> list[tuple[float, ...]]:
    """Pick so many rows, evenly."""
    if len(rows) <= count:
        return rows
    return [rows[i * (len(rows) - 1) // (count - 1)] for i in range(count)]


def _long_drafts(layout: Layout, fmt: Format, wanted: Sequence[str], ndim: Sequence[int]) -> Iterator[Draft]:
    # A prefix sum in a narrow dtype has nowhere to keep the digits that a reduction keeps in a wider accumulator.
    if not layout.long or (layout.cumulative and fmt.precision < 24):
        return
    longs: list[tuple[str, Long]] = []
    if "long" in wanted:
        longs += [("long", row) for row in regimes.long_rows(fmt) if row.length <= layout.long]
    if "very_long" in wanted:
        longs += [("very_long", row) for row in regimes.very_long_rows(fmt) if row.length <= layout.long]
    for name, row in longs:
        yield Draft((row,), (name,), 0, max(ndim) if layout.kind == "rows" else 1)
