"""Make a failing draft smaller while it keeps failing in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from pytest_lse.assertions.cases import Draft
from pytest_lse.assertions.trial import Failure
from pytest_lse.regimes import Long, Row

BUDGET = 300


def minimise(failure: Failure, check: Callable[[Draft], Failure | None], least: int, group: int = 1) -> Failure:
    """Return the failure of the smallest draft that fails the same check.

    Parameters
    ----------
    check : callable
        Draft to its failure.
    least, group : int
        The shortest row, and how many numbers belong together in one.
    """
    left = BUDGET
    whole = failure.case.draft
    for i in range(len(whole.rows) if len(whole.rows) > 1 else 0):
        alone = check(whole.only(i))
        if alone is not None and alone.check == failure.check:
            failure = alone
            break
    progress = True
    while progress and left > 0:
        progress = False
        for draft in _smaller(failure.case.draft, max(least, 1), group):
            left -= 1
            smaller = check(draft)
            if smaller is not None and smaller.check == failure.check:
                failure, progress = smaller, True
                break
            if left <= 0:
                break
    if len(failure.case.draft.rows) > 1 and failure.check == "value":
        return replace(failure, check="alone")
    return failure


def _smaller(draft: Draft, least: int, group: int) -> Iterator[Draft]:
    rows = draft.rows
    if len(rows) > 1:
        part = len(rows) // 2
        while part:
            for i in reversed(range(0, len(rows), part)):  # the rows before are the simpler ones
                kept, names = rows[:i] + rows[i + part :], draft.regimes[:i] + draft.regimes[i + part :]
                if kept:
                    yield replace(draft, rows=kept, regimes=names)
            part //= 2
    elif rows and draft.ndim == 2:
        yield replace(draft, ndim=1, axis=-1)
    first = rows[0] if rows else ()
    if isinstance(first, Long):
        if first.length > 2 * len(first.head) + 2 * len(first.tail) + 2:
            yield replace(draft, rows=(replace_length(first, first.length // 2), *rows[1:]))
        return
    yield from (replace(draft, rows=shorter) for shorter in _narrower(rows, least, group))
    if len(rows) <= 3 and draft.width <= 8:
        for i, row in enumerate(rows):
            for j, value in enumerate(row):  # type: ignore[arg-type]
                for simple in _simpler(value):
                    changed = (*row[:j], simple, *row[j + 1 :])  # type: ignore[index]
                    yield replace(draft, rows=(*rows[:i], changed, *rows[i + 1 :]))


def replace_length(row: Long, length: int) -> Long:
    """Return the row cut to a length."""
    return replace(row, length=length)


def _narrower(rows: tuple[Row | Long, ...], least: int, group: int) -> Iterator[tuple[Row | Long, ...]]:
    width = len(rows[0]) if rows else 0  # type: ignore[arg-type]
    if any(isinstance(r, Long) for r in rows):
        return
    step = max(width // 2 // group * group, 0)
    while step >= group:
        for start in range(0, width, step):
            kept = [tuple(v for k, v in enumerate(r) if not start <= k < start + step) for r in rows]  # type: ignore[arg-type]
            if len(kept[0]) >= max(least, group):
                yield tuple(kept)
        step = step // 2 // group * group
        if width > 64:
            break


def _simpler(value: float) -> Iterator[float]:
    if not math.isfinite(value) or value == 0:
        return
    yield 0.0
    for digits in (0, 1, 2, 3):
        scale = 10.0 ** (digits - math.floor(math.log10(abs(value))))
        if math.isfinite(scale) and scale:
            rounded = round(value * scale) / scale
            if rounded != value and math.isfinite(rounded):
                yield rounded
