"""Special values: what is required, what is left open, and what is accepted either way.

The conventions, on which the frameworks mostly agree:

- nan in, nan out, for the whole reduction;
- -inf is a mask: its weight is exactly 0, and 0 * log 0 = 0;
- the logsumexp of nothing is -inf, and the gradient there is 0;
- a softmax of nothing is 0 / 0, hence not judged; `masked_softmax` and its kin give 0;
- with +inf among the logits of a softmax, nan and the limit are both right;
- a mean over no rows is 0 or nan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pytest_lse.reference.layout import Problem

Mask = Any


@dataclass
class Ruling:
    """Overrides of the canonical first output (and of the gradient), as masks that broadcast against it.

    Attributes
    ----------
    fixed : list of (mask, value)
        What is required there, whatever the formula says.
    free : list of masks
        Anything passes.
    either : list of (mask, value)
        Also accepted.
    skip : ndarray of bool, optional
        Rows that need no evaluation, as all their elements are fixed or free.
    """

    fixed: list[tuple[Mask, Any]] = field(default_factory=list)
    free: list[Mask] = field(default_factory=list)
    either: list[tuple[Mask, Any]] = field(default_factory=list)
    skip: np.ndarray | None = None

    def apply(self, values: np.ndarray, *zeros: np.ndarray) -> None:
        """Put the fixed values in place, and nothing into their low parts and errors."""
        for mask, value in self.fixed:
            where = np.broadcast_to(mask, values.shape)
            values[where] = np.broadcast_to(value, values.shape)[where]
            for part in zeros:
                part[where] = 0.0

    def required(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return which elements are judged."""
        result = np.ones(shape, dtype=bool)
        for mask in self.free:
            result &= ~np.broadcast_to(mask, shape)
        return result

    def alternatives(self, values: np.ndarray) -> list[np.ndarray]:
        """Return further arrays that pass where they are met."""
        return [np.where(mask, value, values) for mask, value in self.either if np.any(mask)]


#: value of a reduction over an empty axis; kernels that keep the axis return it empty
EMPTY = {
    "logsumexp": -np.inf,
    "logmeanexp": np.nan,
    "entropy": 0.0,
    "entropy_from_probs": 0.0,
    "kl_divergence": 0.0,
    "kl_divergence_from_probs": 0.0,
    "kl_div": 0.0,
}

Rule = Callable[["Problem", bool], Ruling]


def rule(problem: Problem, gradient: bool = False) -> Ruling:
    """Return the overrides for a call; the common case, all arguments finite, costs one pass."""
    floats = [a for a in problem.arrays if a.dtype == np.float64]
    kind = _KINDS.get(problem.spec.name, _free_unless_finite)
    ordinary = problem.spec.name not in _ALWAYS and all(np.isfinite(a).all() for a in floats)
    if problem.spec.name in _MEANS:
        ordinary = problem.arrays[0].size > 0 and ordinary and not _partly(problem)
    if ordinary and (not gradient or np.isfinite(problem.cache["first"]).all()):
        return Ruling()
    return kind(problem, gradient)


def _partly(problem: Problem) -> bool:
    """Whether labels are ignored, or may weigh nothing."""
    if problem.spec.name != "cross_entropy":
        return False
    ignored = problem.arrays[1] == problem.params["ignore_index"]
    return problem.params["weight"] is not None or bool(ignored.any())


def _any(mask: np.ndarray, keep: bool = True) -> np.ndarray:
    return np.asarray(mask.any(axis=-1, keepdims=keep))


def _nan_rows(problem: Problem) -> np.ndarray:
    return np.any([np.isnan(a) for a in problem.arrays if a.dtype == np.float64], axis=0).any(axis=-1)  # type: ignore[no-any-return]


def _reduction(problem: Problem, gradient: bool) -> Ruling:
    x = problem.arrays[0]
    nan, high = _nan_rows(problem), (x == np.inf).any(axis=-1)
    none = (x == -np.inf).all(axis=-1)
    if gradient:
        return Ruling(
            fixed=[(none[:, None], 0.0), (nan[:, None], np.nan)],
            free=[(high | nan)[:, None]],
            skip=nan | high | none,
        )
    return Ruling(fixed=[(none, -np.inf), (high, np.inf), (nan, np.nan)], skip=nan | high | none)


def _softmax(problem: Problem, gradient: bool) -> Ruling:
    x = problem.arrays[0]
    if problem.spec.name == "masked_softmax":
        kept = problem.arrays[1]
        nan = np.isnan(x)
        hidden = _any(nan & ~kept)
        nan, x = _any(nan & kept), np.where(kept, x, -np.inf)
        none = (x == -np.inf).all(axis=-1, keepdims=True) & _any(kept)
    else:
        nan, hidden = _nan_rows(problem)[:, None], np.zeros((1, 1), dtype=bool)
        none = (x == -np.inf).all(axis=-1, keepdims=True)
    high = _any(x == np.inf)
    skip = (nan | none | high | hidden)[:, 0]
    if gradient:
        return Ruling(fixed=[(nan | none | high, np.nan)], free=[nan | none | high | hidden], skip=skip)
    zero = -np.inf if problem.spec.name == "log_softmax" else 0.0
    limit = np.where(x == np.inf, 0.0 if zero else 1.0, zero)
    return Ruling(
        fixed=[(high, limit), (none | nan | hidden, np.nan)],
        free=[none | hidden, (x == np.inf).sum(axis=-1, keepdims=True) > 1],
        either=[(high, np.nan)],
        skip=skip,
    )


def _logcumsumexp(problem: Problem, gradient: bool) -> Ruling:
    x = problem.arrays[0]
    nan = np.logical_or.accumulate(np.isnan(x), axis=-1)
    high = np.logical_or.accumulate(x == np.inf, axis=-1)
    none = np.logical_and.accumulate(x == -np.inf, axis=-1)
    skip: np.ndarray = np.asarray(_any(nan | high, keep=False) | none.all(axis=-1))
    if gradient:
        return Ruling(fixed=[(_any(nan), np.nan), (none, 0.0)], free=[_any(nan | high)], skip=skip)
    if not skip.any():
        return Ruling()
    # The prefixes before the first special value stay as the formula has them.
    return Ruling(fixed=[(none, -np.inf), (high, np.inf), (nan, np.nan)], skip=np.asarray(none.all(axis=-1)))


def _entropy(problem: Problem, gradient: bool) -> Ruling:
    nan = _nan_rows(problem)
    odd = nan.copy()
    for x in problem.arrays:
        odd |= (x == np.inf).any(axis=-1) | (x == -np.inf).all(axis=-1)
    if gradient:
        odd |= np.isinf(problem.cache["first"])
        return Ruling(free=[odd[:, None]], skip=odd)
    return Ruling(fixed=[(nan, np.nan)], free=[odd & ~nan], skip=odd)


def _probabilities(problem: Problem, gradient: bool) -> Ruling:
    nan = _nan_rows(problem)
    odd = nan | np.any([(x == np.inf).any(axis=-1) for x in problem.arrays], axis=0)
    if gradient:
        # The slope of p log p at 0 is infinite; log_q enters linearly.
        logs = problem.spec.name == "kl_div"
        zero = (
            np.zeros(problem.arrays[0].shape, dtype=bool) if logs else np.any([x == 0 for x in problem.arrays], axis=0)
        )
        return Ruling(free=[odd[:, None], zero], skip=odd)
    return Ruling(fixed=[(nan, np.nan)], free=[odd & ~nan], skip=odd)


def _element(problem: Problem, gradient: bool) -> Ruling:
    nan = np.any([np.isnan(a) for a in problem.arrays], axis=0)
    ruling = Ruling(fixed=[(nan, np.nan)], skip=nan)
    if gradient:
        x = problem.arrays[0]
        ruling.free = [nan | np.any([a == np.inf for a in problem.arrays], axis=0)]
        ruling.either = [(x == -np.inf, 0.0)]
    return ruling


def _pair(problem: Problem, gradient: bool) -> Ruling:
    ruling = _element(problem, gradient)
    a, b = problem.arrays
    both = (a == -np.inf) & (b == -np.inf)
    if problem.spec.name == "logsubexp":
        outside = ~(a >= b) | ((a == np.inf) & (b == np.inf))
        nan = np.isnan(a) | np.isnan(b)
        ruling.free.append((outside & ~nan) | ((a == b) if gradient else False))
        ruling.skip = outside | nan | ((a == b) if gradient else False)
    elif gradient:
        ruling.fixed.append((both, 0.0))
        ruling.skip = both | np.isnan(a) | np.isnan(b)
    return ruling


def _log1mexp(problem: Problem, gradient: bool) -> Ruling:
    ruling = _element(problem, gradient)
    x = problem.arrays[0]
    outside = (x > 0) | ((x == 0) if gradient else False)
    ruling.free.append(outside)
    ruling.skip = outside | np.isnan(x)
    return ruling


def _saturated(problem: Problem, gradient: bool) -> Ruling:
    """Losses of a single logit. -inf is log 0, and 0 * log 0 is 0; at +inf, nan is as good as the limit."""
    x = problem.arrays[0]
    nan = np.any([np.isnan(a) for a in problem.arrays], axis=0)
    endless = np.isinf(x)
    if problem.reduced:
        empty = np.asarray(x.size == 0 and problem.reduction == "mean")
        if gradient:
            return Ruling(free=[(nan | endless).any() | empty])
        high = (x == np.inf).any() & ~nan.any()
        return Ruling(fixed=[(nan.any() | empty, np.nan)], free=[high], either=[(empty, 0.0)])
    if gradient:
        return Ruling(free=[nan | endless], skip=nan)
    return Ruling(fixed=[(nan, np.nan)], free=[(x == np.inf) & ~nan], skip=nan)


def stand_in(problem: Problem, far: float = 1e300) -> tuple[np.ndarray, ...]:
    """Return the arrays with infinite logits replaced where their loss has a finite limit that 0 * inf hides.

    Parameters
    ----------
    far : float
        The size of what stands in for them.
    """
    if problem.spec.name != "bce_with_logits" or np.isfinite(problem.arrays[0]).all():
        return problem.arrays
    x, targets = problem.arrays
    limit = ((x == -np.inf) & (targets == 0.0)) | ((x == np.inf) & (targets == 1.0))
    return np.where(limit, np.copysign(far, x), x), targets


def _rows_of_loss(problem: Problem, gradient: bool) -> Ruling:
    x = problem.arrays[0]
    if problem.spec.mean and not problem.reduced:
        return _entropy(problem, gradient)  # every row by itself
    rows = np.ones(len(x), dtype=bool)
    open_ = False
    empty = x.size == 0 and problem.reduction == "mean"
    if problem.spec.name == "cross_entropy":
        labels, options = problem.arrays[1], problem.params
        rows = labels != options["ignore_index"]
        if options["reduction"] == "none" and not gradient:
            return _rows_by_themselves(problem, rows)
        # An ignored row may be anything but what has no logarithm of a softmax.
        ignored = x[~rows]
        open_ = bool((ignored == np.inf).any() or np.isnan(ignored).any() or (ignored == -np.inf).all(axis=-1).any())
        weight = options["weight"]
        empty = empty or not rows.any() or (weight is not None and not np.any(np.asarray(weight)[labels[rows]]))
        if options["reduction"] != "mean":
            empty = False
    nan = bool(np.any([np.isnan(a).any() for a in (x[rows], *problem.arrays[1:]) if a.dtype == np.float64]))
    open_ = open_ or bool((x[rows] == np.inf).any() or (x[rows] == -np.inf).all(axis=-1).any())
    if gradient:
        endless = bool(np.isinf(problem.cache["first"]).any())
        zero = [(True, 0.0), (True, np.nan)] if empty else []
        return Ruling(free=[open_ or nan or endless], either=zero)
    ruling = Ruling(free=[open_ and not nan])
    if nan or empty:
        ruling.fixed = [(True, np.nan)]
        ruling.either = [(True, 0.0)] if empty and not nan else []
    return ruling


def _rows_by_themselves(problem: Problem, rows: np.ndarray) -> Ruling:
    """Every row has a loss of its own; one that is ignored may be anything where it has no log_softmax."""
    x = problem.arrays[0]
    nan = _nan_rows(problem)
    odd = nan | (x == np.inf).any(axis=-1) | (x == -np.inf).all(axis=-1)
    return Ruling(fixed=[(nan & rows, np.nan)], free=[odd & ~(nan & rows)])


def _likelihood(problem: Problem, gradient: bool) -> Ruling:
    floats = [a for a in problem.arrays if a.dtype == np.float64]
    nan = any(np.isnan(a).any() for a in floats)
    high = any((a == np.inf).any() for a in floats)
    if gradient:
        return Ruling(free=[nan or high or bool(np.isinf(problem.cache["first"]).any())])
    return Ruling(fixed=[(True, np.nan)] if nan else [], free=[high and not nan])


def _free_unless_finite(problem: Problem, gradient: bool) -> Ruling:
    # -inf is a mask wherever it stands for a logit; elsewhere nothing is promised about it.
    odd = False
    for role, a in zip(problem.spec.args.values(), problem.arrays, strict=True):
        if a.dtype == np.float64:
            logs = role in ("logits", "log_probabilities")
            odd = odd or not (np.isfinite(a) | ((a == -np.inf) & logs)).all()
    return Ruling(free=[odd])


_KINDS: dict[str, Rule] = {
    "logsumexp": _reduction,
    "logmeanexp": _reduction,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "masked_softmax": _softmax,
    "softmax_with_temperature": _softmax,
    "gumbel_softmax": _softmax,
    "logcumsumexp": _logcumsumexp,
    "entropy": _entropy,
    "kl_divergence": _entropy,
    "entropy_from_probs": _probabilities,
    "kl_divergence_from_probs": _probabilities,
    "kl_div": _probabilities,
    "sigmoid": _element,
    "log_sigmoid": _element,
    "softplus": _element,
    "sigmoid_grad": _element,
    "softplus_grad": _element,
    "logaddexp": _pair,
    "logsubexp": _pair,
    "log1mexp": _log1mexp,
    "bce_with_logits": _saturated,
    "focal_loss": _saturated,
    "cross_entropy": _rows_of_loss,
    "soft_cross_entropy": _rows_of_loss,
    "info_nce": _rows_of_loss,
    "hmm_log_likelihood": _likelihood,
    "ctc_loss": _likelihood,
}
#: kernels whose rule also concerns finite arguments
_ALWAYS = {"entropy_from_probs", "kl_divergence_from_probs", "logsubexp", "log1mexp"}
#: kernels whose rule also concerns a mean over nothing
_MEANS = {"bce_with_logits", "cross_entropy", "soft_cross_entropy", "info_nce"}
