"""Keeps what the assertions did, if a report is wanted: plain data, so that it can travel between processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_lse.assertions.stable import _Run
    from pytest_lse.assertions.trial import Failure, Trial

Record = dict[str, Any]

#: whether a report is wanted; without one nothing is recorded, and nothing more is measured
wanted = False
_local = threading.local()
_MOST = 1000


def ran(trial: Trial, run: _Run, failure: Failure | None, rest: Sequence[str] = ()) -> None:
    """Record a function's run in one dtype and, where it failed, how the dtypes fare that were not reached.

    Parameters
    ----------
    trial, run
        What was run.
    failure
        How it ended.
    rest
        The dtypes that would have been next.
    """
    if not wanted:
        return
    from pytest_lse.report import survey

    records: list[Record] = _local.__dict__.setdefault("records", [])
    records.append(survey.record(trial, run, failure))
    records += [survey.beyond(trial, run, dtype) for dtype in rest if failure is not None]
    del records[:-_MOST]


def collect() -> list[Record]:
    """Return the records since the last time, of this thread."""
    records: list[Record] = _local.__dict__.pop("records", [])
    return records


@contextmanager
def recording() -> Iterator[list[Record]]:
    """Record what happens inside; the list is filled at the end."""
    global wanted
    before, wanted = wanted, True
    outside = collect()
    records: list[Record] = []
    try:
        yield records
    finally:
        records += collect()
        wanted = before
        _local.__dict__.setdefault("records", []).extend(outside)
