"""The checks beside the values: memory layouts, results that are overwritten, state kept between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_lse.assertions.cases import Case, Draft
from pytest_lse.assertions.layouts import Layout
from pytest_lse.assertions.trial import Failure, Trial

_SQUARE = ((0.0, 1.0, 3.0), (2.0, -1.0, 0.5), (4.0, 4.0, -2.0))


def drafts(layout: Layout, ndim: Sequence[int]) -> tuple[Draft, Draft]:
    """Return two ordinary drafts of the same shapes."""
    if layout.kind == "elements":
        first: Draft = Draft(((0.5, -1.0, 2.0, -3.0, 1.5, 0.25),), ("benign",), 0, max(ndim))
        second = Draft(((3.0, 2.0, -1.0, 1.0, -2.0, 0.75),), ("benign",), 0, max(ndim))
    elif layout.kind == "rows" or layout.batched:
        first = Draft(_SQUARE, ("benign",) * 3, 0, max(ndim))
        second = Draft(tuple(tuple(2 - v for v in row) for row in _SQUARE), ("benign",) * 3, 0, max(ndim))
    else:
        first = Draft((_SQUARE[0],), ("benign",))
        second = Draft((_SQUARE[1],), ("benign",))
    return first, second


def check(trial: Trial, layout: Layout, ndim: Sequence[int], build: Callable[[Draft], Case]) -> Failure | None:
    """Return the first failure of all checks beside the values."""
    first, second = (build(d) for d in drafts(layout, ndim))
    for examine in (_calls, _arrangements, _broadcast):
        failure = examine(trial, first, second)
        if failure is not None:
            return failure
    return None


def _run(trial: Trial, case: Case, arguments: Sequence[Any], check: str, said: str = "") -> tuple[Any, Failure | None]:
    try:
        result = trial.call(arguments, trial.keywords(case))
        actual = trial.values(result)
    except Exception as error:
        failure = trial.raised(case, check, error)
        return None, failure and replace(failure, said=f"{failure.said} (input: {said})" if said else failure.said)
    failure = trial.settled(lambda share: trial.compare(case, actual, trial.judge(case, actual, share=share)))
    return result, failure and replace(failure, check=check, said=said or failure.said)


def _calls(trial: Trial, first: Case, second: Case) -> Failure | None:
    array = trial.framework.array
    result, failure = _run(trial, first, [array(a) for a in first.arguments], "repeat")
    if failure is not None or result is None:
        return failure
    before = [v.copy() for v in trial.values(result)]
    _, failure = _run(trial, second, [array(a) for a in second.arguments], "repeat")
    if failure is not None:
        return failure
    for i, (old, now) in enumerate(zip(before, trial.values(result), strict=True)):
        if not np.array_equal(old.astype(np.float64), now.astype(np.float64), equal_nan=True):
            said = "a later call with another input changed the result of this one"
            return Failure("overwrites", first, said, output=i, outputs=len(before))
    _, failure = _run(trial, first, [array(a) for a in first.arguments], "repeat")
    return failure


def _arrangements(trial: Trial, first: Case, second: Case) -> Failure | None:
    del second
    for name in trial.framework.layouts():
        kind = "readonly" if "read-only" in name else "layout"
        arguments = [trial.framework.arranged(a, name) for a in first.arguments]
        _, failure = _run(trial, first, arguments, kind, name)
        if failure is not None:
            return failure
    return None


def _broadcast(trial: Trial, first: Case, second: Case) -> Failure | None:
    """Pass arrays whose leading axis is one row repeated with stride 0."""
    del second
    if not trial.framework.layouts() or any(a.ndim < 1 for a in first.arguments[:1]):
        return None
    arguments, values = [], []
    for a in first.arguments:
        if a.ndim == 0 or a.shape[0] != first.arguments[0].shape[0]:
            return None
        arguments.append(trial.framework.broadcast(a[0], a.shape[0]))
        values.append(np.ascontiguousarray(np.broadcast_to(a[0], a.shape)))
    case = replace(first, arguments=tuple(values))
    _, failure = _run(trial, case, arguments, "layout", "a broadcast array")
    return failure


def axes(layout: Layout, ndim: Sequence[int], axis: int) -> Iterator[Draft]:
    """Yield drafts for every axis of every rank."""
    masked = ((0.0, 1000.0, -1000.0), (2.0, -1.0, 0.5), (-1000.0, -1001.0, -999.0))
    for rank in ndim:
        for other in range(-rank, rank):
            if other % rank == axis % rank and other == axis:
                continue
            for rows in (_SQUARE, masked) if other < 0 else (_SQUARE[:2],):
                count = 1 if rank == 1 else len(rows)
                yield Draft(rows[:count], ("benign" if rows is not masked else "huge_spread",) * count, 0, rank, other)
