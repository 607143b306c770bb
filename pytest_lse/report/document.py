"""The data of a report: what all processes have seen, as one document that JSON can hold."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

Record = dict[str, Any]

#: of the shape of the document
VERSION = 1


def document(
    records: Iterable[Record], findings: Iterable[Record], *, linted: int | None = None, created: str | None = None
) -> dict[str, Any]:
    """Return the document of a report.

    Parameters
    ----------
    records
        What the assertions measured, one for each function and dtype, with the ``test`` that did it.
    findings
        What the linter found, in the shape of ``--output-format json`` with ``source`` and ``diff`` added.
    linted
        How many files the linter has read, None if it did not run.
    created
        Date and time; now if None.

    Returns
    -------
    dict
        ``version``, ``tool``, ``created``, ``functions`` (failing ones first), ``findings``, ``linted``. The same for
        any distribution of the tests over processes.
    """
    from pytest_lse import __version__

    functions = [_function(list(group)) for _, group in groupby(sorted(records, key=_key), key=_key)]
    functions.sort(key=lambda f: (f["verdict"] != "failed", f["test"], f["function"]))
    ordered = sorted(
        findings,
        key=lambda f: (f["filename"], f["cell"] or 0, f["location"]["row"], f["location"]["column"], f["code"]),
    )
    return {
        "version": VERSION,
        "tool": f"pytest-lse {__version__}",
        "python": platform.python_version(),
        "created": created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "linted": linted,
        "functions": functions,
        "findings": ordered,
    }


def _key(record: Record) -> tuple[str, str, str, str, str]:
    return (record["test"], record["function"], record["identity"], record["kernel"], record["framework"])


def _function(records: Sequence[Record]) -> dict[str, Any]:
    first = records[0]
    verdicts = [r["verdict"] for r in records]
    shared = ("test", "function", "identity", "kernel", "framework")
    return {
        **{name: first[name] for name in shared},
        "verdict": "failed" if "failed" in verdicts else "passed",
        "dtypes": [{k: v for k, v in r.items() if k not in shared} for r in _once_each(records)],
    }


def _once_each(records: Sequence[Record]) -> list[Record]:
    """Return one record for each dtype: a test that calls the assertion twice has shown the worse of both."""
    kept: dict[str, Record] = {}
    for r in records:
        before = kept.get(r["dtype"])
        if before is None or _badness(r) > _badness(before):
            kept[r["dtype"]] = r
    return [kept[name] for name in sorted(kept, key=lambda n: (-int("".join(filter(str.isdigit, n)) or 0), n))]


def _badness(record: Record) -> tuple[bool, float]:
    return record["failure"] is not None, record["worst_ratio"] or 0.0
