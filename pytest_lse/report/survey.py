"""Measures a function over the whole catalogue of inputs, also beyond its first failure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_lse.assertions import message
from pytest_lse.assertions.cases import Case, build
from pytest_lse.assertions.stable import _Run
from pytest_lse.assertions.trial import Failure, Tally, Trial
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference.truth import ulp
from pytest_lse.report.recorder import Record

#: the points of one regime in one part of a decade are one point, the worst
_PER_DECADE = 4


def record(trial: Trial, run: _Run, failure: Failure | None) -> Record:
    """Return what a run has shown, as plain data.

    Returns
    -------
    dict
        ``points`` holds, for each regime and magnitude of the logits, the worst case: ``magnitude``, ``ulps`` (None for
        a wrong infinity or NaN), ``allowed`` (the tolerance there, in ulps), ``regime``, ``ok``.
    """
    tally = trial.tally
    points = list(_worst(_measured(trial, run, Tally())))
    return {
        "function": trial.subject.name,
        "identity": trial.subject.identity,
        "kernel": trial.kernel_name,
        "framework": trial.framework.name,
        "dtype": trial.dtype,
        "verdict": "passed" if failure is None else "failed",
        "calls": tally.calls,
        "worst_ulps": _finite(failure.ulps if failure else tally.ulps),
        "worst_ratio": _finite(failure.ratio if failure else tally.ratio),
        "worst_regime": failure.case.draft.regime if failure else tally.regime,
        "failure": _failure(trial, failure) if failure else None,
        "points": points,
        "failing_regimes": _failing(points, failure),
    }


def beyond(trial: Trial, run: _Run, dtype: str) -> Record:
    """Return what a dtype shows that a run did not reach, because the function had failed in another one."""
    fresh = replace(trial, dtype=dtype, tally=Tally(), differentiable=True)
    points = list(_worst(_measured(fresh, run, fresh.tally)))
    worst = max(points, key=lambda p: math.inf if p["ulps"] is None else p["ulps"], default=None)
    return {
        **record_of_nothing(fresh),
        "verdict": "failed" if any(not p["ok"] for p in points) else "not judged",
        "calls": fresh.tally.calls,
        "worst_ulps": worst and worst["ulps"],
        "worst_regime": worst["regime"] if worst else "",
        "points": points,
        "failing_regimes": _failing(points, None),
    }


def record_of_nothing(trial: Trial) -> Record:
    """Return the record of a function that has not been called yet."""
    return {
        "function": trial.subject.name,
        "identity": trial.subject.identity,
        "kernel": trial.kernel_name,
        "framework": trial.framework.name,
        "dtype": trial.dtype,
        "verdict": "not judged",
        "calls": 0,
        "worst_ulps": None,
        "worst_ratio": None,
        "worst_regime": "",
        "failure": None,
        "points": [],
        "failing_regimes": [],
    }


def _measured(trial: Trial, run: _Run, tally: Tally) -> Iterator[dict[str, Any]]:
    fmt = FORMATS[trial.dtype]
    quiet = replace(trial, tally=tally, gradients=False)
    for draft in run.catalogue(quiet, fmt):
        case = build(run.known.layout, draft, fmt, ignore=run.known.ignore)
        magnitude = _magnitude(case)
        if magnitude is None:
            continue
        measured = _error(quiet, case)
        if measured is not None:
            ulps, allowed, ok = measured
            yield {
                "magnitude": magnitude,
                "ulps": _finite(ulps),
                "allowed": _finite(allowed),
                "regime": draft.regime,
                "ok": ok,
            }


def _error(trial: Trial, case: Case) -> tuple[float, float, bool] | None:
    """Return the worst error on a case and the tolerance there, in ulps; None where there is nothing to compare."""
    arguments = [trial.framework.array(a) for a in case.arguments]
    try:
        actual = trial.values(trial.call(arguments, trial.keywords(case)))
    except Exception:
        return math.inf, 0.0, False
    truth = trial.judge(case, actual)
    worst: tuple[float, float, float, bool] | None = None
    for got, output in zip(actual, truth.outputs, strict=False):
        if got.shape != output.expected.shape or got.dtype.name not in FORMATS or not got.size:
            continue
        compared = output.compare(got)
        with np.errstate(all="ignore"):
            allowed = output.tolerance / ulp(output.exact[0], output.dtype)
        if trial.ulps is not None:
            allowed = np.full(allowed.shape, trial.ulps)
        ratio = np.where(np.isnan(compared.ratio), np.inf, compared.ratio)
        at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        ok = bool(compared.ok[at]) if trial.ulps is None else bool(compared.ulps[at] <= trial.ulps)
        if worst is None or ratio[at] > worst[0]:
            worst = (float(ratio[at]), float(compared.ulps[at]), float(np.broadcast_to(allowed, ratio.shape)[at]), ok)
    return worst and worst[1:]


def _worst(points: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one point for each regime and part of a decade."""
    kept: dict[tuple[str, int, bool], tuple[float, dict[str, Any]]] = {}
    for point in points:
        decade = math.floor(_PER_DECADE * math.log10(max(point["magnitude"], 1e-30)))
        key = (point["regime"], decade, point["ok"])
        weight = math.inf if point["ulps"] is None else point["ulps"] / max(point["allowed"] or math.inf, 1e-300)
        if key not in kept or weight > kept[key][0]:
            kept[key] = (weight, point)
    for _, point in sorted(kept.values(), key=lambda entry: entry[1]["magnitude"]):
        yield point


def _magnitude(case: Case) -> float | None:
    with np.errstate(all="ignore"):
        size = np.abs(np.asarray(case.arguments[0]).astype(np.float64))
    finite = size[np.isfinite(size)]
    return float(finite.max()) if finite.size else None


def _failure(trial: Trial, failure: Failure) -> dict[str, Any]:
    return {
        "check": failure.check,
        "regime": failure.case.draft.regime,
        "message": str(message.error(trial, failure)),
        "index": [int(i) for i in failure.index],
        "returned": None if failure.returned is None else repr(float(failure.returned)),
        "expected": None if failure.expected is None else repr(float(failure.expected)),
        "error_ulps": _finite(failure.ulps),
    }


def _failing(points: list[dict[str, Any]], failure: Failure | None) -> list[str]:
    names = [p["regime"] for p in points if not p["ok"]]
    return list(dict.fromkeys([failure.case.draft.regime, *names] if failure else names))


def _finite(value: float | None) -> float | None:
    """Return a float that JSON can hold, None for the others."""
    return float(value) if value is not None and math.isfinite(value) else None
