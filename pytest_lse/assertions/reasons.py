"""Why a function fails, and what to write instead: from what failed and where, then from the kernel's own file."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_lse.assertions.cases import Case
from pytest_lse.assertions.recognised import recognised
from pytest_lse.assertions.subject import Subject
from pytest_lse.assertions.trial import Failure, Tally, Trial
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference.specs import spec

HINTS = {
    "raises": "It has to return a value for every input that its domain promises.",
    "outputs": "The kernel's call is described in the table of kernels.",
    "shape": "A reduced axis disappears, every other axis stays.",
    "dtype": "The result has to have the dtype of its input: look for a constant or an accumulator of another dtype.",
    "mutates": "The caller still needs its array: work on a copy.",
    "overwrites": "Every call has to return memory of its own: look for a buffer that is reused.",
    "repeat": "The same input has to give the same result: look for state that is kept between calls.",
    "alone": "Rows do not depend on each other: look for a maximum or a sum over the whole array.",
    "layout": "The memory layout of an array must not change the result: look for views, strides and reshapes.",
    "readonly": "Arrays may be read-only: do not write into arguments.",
}

MEAN = (
    "The result is the mean over the rows that count: look for a sum in its place, a division by another number of "
    "rows, or a maximum over the whole array."
)
KEPT = "A result that meets the array again has to keep the reduced axis: keepdims=True, or [..., None] after it."
INTEGER = (
    "An integer array cannot hold the result: look for zeros_like, empty_like, astype and out= with the input's dtype, "
    "or convert the input first."
)
NAN = "A NaN makes its row NaN: nanmax, nansum and comparisons lose it."
INFINITE = (
    "inf - inf and 0 * inf are nan: replace a maximum that is not finite by 0 before it is subtracted, and a product "
    "with a weight of 0 by 0."
)
FORMULA = (
    "No number is near overflow or underflow here, so the formula differs: a missing or additional term, another base "
    "or axis, a sum for a mean, an epsilon, a clip, or a step in a narrower dtype."
)
EMPTY = (
    "A row of which nothing is kept has the result 0: its softmax is 0 / 0, and a large negative number in place of "
    "-inf makes it the mean of what is masked."
)
OFFSET = (
    "The inputs have a large common part that the answer has not: subtract their maximum before anything else, or its "
    "rounding is the error of the answer."
)
UNCONNECTED = "No gradient reaches the argument: look for detach, no_grad, stop_gradient, .data, item() or numpy()."
GRADIENT_NAN = (
    "A where hides the value of the branch that is not taken, not its gradient: 0 * inf is nan there. Make the input "
    "of that branch harmless before it, with a second where."
)
GRADIENT_ZERO = "The gradient is lost on the way: look for a clamp, a detach, or a function that has saturated."
GRADIENT = (
    "The value is right and its gradient is not: look for a detach, for a backward pass written by hand, or for steps "
    "that cancel in the value alone."
)


def nothing_kept(case: Case) -> bool:
    """Whether a mask keeps nothing of some row."""
    masks = [a for a in case.arguments if a.dtype.kind == "b" and a.ndim and a.shape[case.axis]]
    return any(not m.any(axis=case.axis).all() for m in masks)


def regime(failure: Failure) -> str:
    """Return the regime of what was passed: further arguments can take ordinary values to another one."""
    case = failure.case
    if case.draft.regime not in ("benign", "single", "mixed"):
        return case.draft.regime
    if nothing_kept(case):
        return "masked_row"
    fmt = FORMATS.get(case.dtype, FORMATS["float64"])
    floats = [np.asarray(a, np.float64) for a in case.arguments if a.dtype.kind not in "bi" and a.size]
    farthest = max(floats, key=_size, default=np.zeros(0))
    if _size(farthest) <= fmt.log_max:
        ordinary = all(bool(np.isfinite(a).all()) for a in floats)
        return "benign" if case.draft.regime == "mixed" and ordinary else case.draft.regime
    if farthest.size > 1:
        return "huge_spread"
    return "far_overflow" if farthest.reshape(-1)[0] > 0.0 else "far_below"


def _size(array: np.ndarray) -> float:
    return float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0))


def reason(trial: Trial, failure: Failure) -> str:
    """Return why the function fails, as far as the failure shows it; nothing for an unknown formula."""
    if failure.check == "alone" and trial.known.layout.mean:
        return MEAN
    if failure.check == "raises" and re.search(r"broadcast|must match the size|Incompatible shapes", failure.said):
        return KEPT
    if failure.check in HINTS:
        return HINTS[failure.check]
    if failure.check in ("gradient", "jvp"):
        return _of_gradient(failure)
    return _of_value(failure, mean=trial.known.layout.mean) or own(trial)


def own(trial: Trial) -> str:
    """Return the first sentences of the kernel's "Why is this bad?", or its first line."""
    kernel = trial.known.kernel
    doc = (spec(kernel).module.__doc__ or "") if isinstance(kernel, str) else ""
    text = doc.partition("Why is this bad?")[2].strip().lstrip("-").strip().partition("\n\n")[0]
    return " ".join((text or doc.partition("\n")[0]).split())


def _of_gradient(failure: Failure) -> str:
    got = failure.returned
    if got is None:
        return UNCONNECTED if "does not depend" in failure.said else ""
    if math.isnan(got):
        return GRADIENT_NAN
    return GRADIENT_ZERO if got == 0.0 else GRADIENT


def _of_value(failure: Failure, *, mean: bool) -> str:
    got, expected = failure.returned, failure.expected
    if got is None or expected is None:
        return ""
    if expected == 0.0 and nothing_kept(failure.case):
        return EMPTY
    floats = [np.asarray(a, np.float64) for a in failure.case.arguments if a.dtype.kind != "b"]
    if any(np.isnan(a).any() for a in floats):
        return NAN
    if math.isnan(got) and any(np.isinf(a).any() for a in floats):
        return INFINITE
    if failure.case.dtype not in FORMATS and got.is_integer() and got != expected:
        return INTEGER
    fmt = FORMATS.get(failure.case.dtype, FORMATS["float64"])
    finite = [np.abs(a[np.isfinite(a)]) for a in floats]
    largest = max((float(a.max(initial=0.0)) for a in finite), default=0.0)
    if not math.isfinite(got) or not math.isfinite(expected):
        return ""
    smallest = min((float(a[a > 0].min(initial=1.0)) for a in finite), default=1.0)
    if largest <= 0.1 * fmt.log_max and smallest >= fmt.eps**0.25:
        return recognised(failure.case, got, expected, mean=mean) or FORMULA
    first = floats[0].reshape(-1)
    near = abs(got - expected) <= 8.0 * fmt.u * largest and abs(expected) < 0.1 * largest
    return OFFSET if near and first.size > 1 and np.ptp(first) < 0.1 * largest else ""


def fix(trial: Trial, failure: Failure) -> str:
    """Return the stable spelling in the user's framework, along the user's axis.

    Nothing if it is what was tested, or if it fails in the same place.
    """
    kernel = trial.known.kernel
    if failure.check not in ("value", "gradient", "jvp", "raises", "alone"):
        return ""
    table = getattr(spec(kernel).module, "replacement", {}) if isinstance(kernel, str) else {}
    text = table.get(trial.framework.name, "")
    if any(name not in text for name in trial.params):
        return ""
    module, _, name = text.partition("(")[0].rpartition(".")
    if not text or getattr(sys.modules.get(module), name, None) is trial.subject.fn:
        return ""
    text = re.sub(r"\b(axis|dim)=(axis|dim)\b", rf"\g<1>={failure.case.axis}", text)
    text = re.sub(r", keepdims?=keepdims?\b", "", text)
    text = re.sub(r"\baxis\b(?!=)", str(failure.case.axis), text)
    text = _mean(text, trial.framework.name) if trial.known.layout.mean else text
    return text if _holds(trial, failure, text) else ""


def _holds(trial: Trial, failure: Failure, text: str) -> bool:
    """Whether the spelling does better on the failing case, as far as what is imported can tell."""
    names: dict[str, Any] = {root: sys.modules[root] for root in ROOTS if root in sys.modules}

    def spelled(*arrays: Any) -> Any:
        return eval(text, {**names, **dict(zip(trial.known.arguments, arrays, strict=True))})

    other = replace(trial, subject=Subject(spelled, None), tally=Tally(), called=False, functions={})
    found = other.check(failure.case)
    return found is None or found.check == "raises"


ROOTS = ("numpy", "scipy", "torch", "jax", "tensorflow", "cupy", "math")
_MEANS = {"numpy": "numpy.mean", "jax": "jax.numpy.mean", "tensorflow": "tensorflow.reduce_mean"}


def _mean(text: str, framework: str) -> str:
    if "reduction='none'" in text:
        return text.replace("reduction='none'", "reduction='mean'")
    return f"{_MEANS[framework]}({text})" if framework in _MEANS and "mean" not in text else text


def distance(failure: Failure, allowed_ulps: float | None) -> str:
    """Return how far off the result is: in ulps, or as it is where the answer is small beside its tolerance."""
    if failure.ulps is None or not math.isfinite(failure.ulps):
        return ""
    if allowed_ulps is not None and failure.check == "value":
        return f"off by {short(failure.ulps)} ulps, {allowed_ulps:g} allowed"
    ratio = failure.ratio if failure.ratio and math.isfinite(failure.ratio) else None
    if failure.ulps / (ratio or 1.0) >= 1e6 and failure.returned is not None and failure.expected is not None:
        off = abs(failure.returned - failure.expected)
        return f"off by {off:.2g}" + (f", {off / ratio:.2g} allowed" if ratio else "")
    return f"off by {short(failure.ulps)} ulps" + (f", {short(failure.ulps / ratio)} allowed" if ratio else "")


def short(value: Any) -> str:
    """Return a number in a few characters."""
    if value >= 1e6:
        return f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
