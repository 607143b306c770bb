"""Why a function fails, and what to write instead: from what failed and where, then from the kernel's own file."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from pytest_lse.assertions.cases import Case
from pytest_lse.assertions.trial import Failure, Subject, Tally, Trial
from pytest_lse.dtypes import FORMATS

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

PLAIN = {
    "cross_entropy": "A probability that underflows has the logarithm -inf; 0 * -inf of an ignored or smoothed class "
    "is nan. From logits, the loss is logsumexp(shifted) - shifted[label].",
    "attention": "exp of an unshifted score overflows; a query that may see nothing is 0 / 0 = nan where 0 is wanted; "
    "a large negative number in place of -inf loses to scores that are lower still.",
    "merge_attention": "exp of an unshifted lse overflows; where neither part saw a key, -inf - (-inf) is nan where "
    "the output is 0 and the lse -inf.",
    "hmm_log_likelihood": "Probabilities of long or unlikely sequences underflow; where a state cannot be reached, "
    "-inf - (-inf) is nan. Every step needs a logsumexp over the states before.",
    "ctc_loss": "Probabilities of alignments underflow; -inf - (-inf) is nan where a state cannot be reached. A blank "
    "has to stand between equal labels, and labels that do not fit have a loss of inf.",
    "logcumsumexp": "A shift by the maximum of the whole row makes the prefixes before it 0, and their logarithm -inf.",
}


#: kernels that are not rewritten, so that their files name no replacement
SPELLINGS = {
    "masked_softmax": {
        "numpy": "numpy.where(mask, scipy.special.softmax(numpy.where(mask | ~mask.any(axis=axis, keepdims=True), x, "
        "-numpy.inf), axis=axis), 0)",
        "torch": "torch.where(mask, torch.softmax(x.masked_fill(~mask & mask.any(dim=axis, keepdim=True), -torch.inf), "
        "dim=axis), 0)",
        "jax": "jax.numpy.where(mask, jax.nn.softmax(jax.numpy.where(mask | ~mask.any(axis=axis, keepdims=True), x, "
        "-jax.numpy.inf), axis=axis), 0)",
    },
    "softmax_with_temperature": {
        "numpy": "scipy.special.softmax(x / T, axis=axis)",
        "torch": "torch.softmax(x / T, dim=axis)",
        "jax": "jax.nn.softmax(x / T, axis=axis)",
    },
    "entropy_from_probs": {
        "numpy": "scipy.special.entr(p).sum(axis=axis)",
        "torch": "torch.special.entr(p).sum(dim=axis)",
        "jax": "jax.scipy.special.entr(p).sum(axis=axis)",
    },
    "kl_divergence_from_probs": {
        "numpy": "scipy.special.rel_entr(p, q).sum(axis=axis)",
        "jax": "jax.scipy.special.rel_entr(p, q).sum(axis=axis)",
    },
    "kl_divergence": {
        "numpy": "(scipy.special.softmax(p_logits, axis=axis) * (scipy.special.log_softmax(p_logits, axis=axis) - "
        "scipy.special.log_softmax(q_logits, axis=axis))).sum(axis=axis)",
        "torch": "torch.nn.functional.kl_div(torch.log_softmax(q_logits, dim=axis), torch.log_softmax(p_logits, "
        "dim=axis), reduction='none', log_target=True).sum(dim=axis)",
        "jax": "(jax.nn.softmax(p_logits, axis=axis) * (jax.nn.log_softmax(p_logits, axis=axis) - "
        "jax.nn.log_softmax(q_logits, axis=axis))).sum(axis=axis)",
    },
    "soft_cross_entropy": {"torch": "torch.nn.functional.cross_entropy(logits, targets)"},
    "sigmoid_grad": {
        "numpy": "scipy.special.expit(x) * scipy.special.expit(-x)",
        "torch": "torch.sigmoid(x) * torch.sigmoid(-x)",
        "jax": "jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)",
    },
    "softplus_grad": {
        "numpy": "scipy.special.expit(x)",
        "torch": "torch.sigmoid(x)",
        "jax": "jax.nn.sigmoid(x)",
    },
}


def nothing_kept(case: Case) -> bool:
    """Whether a mask keeps nothing of some row."""
    masks = [a for a in case.arguments if a.dtype.kind == "b" and a.ndim and a.shape[case.axis]]
    return any(not m.any(axis=case.axis).all() for m in masks)


def regime(failure: Failure) -> str:
    """Return the regime of what was passed: further arguments can take ordinary values to another one."""
    case = failure.case
    if case.draft.regime not in ("benign", "single"):
        return case.draft.regime
    if nothing_kept(case):
        return "masked_row"
    fmt = FORMATS.get(case.dtype, FORMATS["float64"])
    first = np.asarray(case.arguments[0], np.float64) if case.arguments else np.zeros(0)
    largest = float(np.max(np.abs(first), where=np.isfinite(first), initial=0.0))
    if largest <= fmt.log_max:
        return case.draft.regime
    if first.size > 1:
        return "huge_spread"
    return "far_overflow" if first.reshape(-1)[0] > 0.0 else "far_below"


def reason(trial: Trial, failure: Failure) -> str:
    """Return why the function fails, as far as the failure shows it; nothing for an unknown formula."""
    if failure.check == "alone" and trial.known.layout.mean:
        return MEAN
    if failure.check in HINTS:
        return HINTS[failure.check]
    if failure.check in ("gradient", "jvp"):
        return _of_gradient(failure)
    return _of_value(failure) or own(trial)


def own(trial: Trial) -> str:
    """Return the first sentences of the kernel's "Why is this bad?", or its first line."""
    file = trial.known.file
    if file is None:
        return PLAIN.get(trial.kernel_name, "")
    text = file.doc.partition("Why is this bad?")[2].strip().lstrip("-").strip().partition("\n\n")[0]
    return " ".join((text or file.summary).split())


def _of_gradient(failure: Failure) -> str:
    got = failure.returned
    if got is None:
        return UNCONNECTED if "does not depend" in failure.said else ""
    if math.isnan(got):
        return GRADIENT_NAN
    return GRADIENT_ZERO if got == 0.0 else GRADIENT


def _of_value(failure: Failure) -> str:
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
    fmt = FORMATS.get(failure.case.dtype, FORMATS["float64"])
    finite = [np.abs(a[np.isfinite(a)]) for a in floats]
    largest = max((float(a.max(initial=0.0)) for a in finite), default=0.0)
    if not math.isfinite(got) or not math.isfinite(expected):
        return ""
    smallest = min((float(a[a > 0].min(initial=1.0)) for a in finite), default=1.0)
    if largest <= 0.1 * fmt.log_max and smallest >= fmt.eps**0.25:
        return FORMULA
    first = floats[0].reshape(-1)
    near = abs(got - expected) <= 8.0 * fmt.u * largest and abs(expected) < 0.1 * largest
    return OFFSET if near and first.size > 1 and np.ptp(first) < 0.1 * largest else ""


def fix(trial: Trial, failure: Failure) -> str:
    """Return the stable spelling in the user's framework, along the user's axis.

    Nothing if it is what was tested, or if it fails in the same place.
    """
    file = trial.known.file
    if failure.check not in ("value", "gradient", "jvp", "raises", "alone"):
        return ""
    known = SPELLINGS.get(trial.kernel_name) or (file.replacement if file else {})
    text = known.get(trial.framework.name, "")
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
