"""Running logsumexp along an axis: a scan over pairs (maximum, scaled sum), exact for every prefix.

Why is this bad?
----------------
A shift by the maximum of the whole row makes the prefixes before it 0, and their logarithm -inf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

args = {"x": "logits"}
params = {"axis": -1}
bound = "log"


def _join(xp: Any, left: Any, right: Any) -> Any:
    (m, s), (n, t) = left, right
    top = xp.maximum(m, n)
    shift = xp.where(xp.equal(top, -xp.inf), 0.0, top)
    # At the maximum the factor is exactly 1, also where that is +inf.
    first = xp.where(xp.equal(m, top), s, s * xp.exp(m - shift))
    second = xp.where(xp.equal(n, top), t, t * xp.exp(n - shift))
    return top, first + second


def stable(xp: Any, x: Any, axis: int) -> Any:
    """Return the maxima plus the logarithms of the scaled sums."""
    top, total = xp.scan((x, xp.ones_like(x)), lambda a, b: _join(xp, a, b), axis)
    return top + xp.log(total)


def slack(y: np.ndarray, steps: Callable[[int], float]) -> np.ndarray:
    """Return what adding one element at a time costs, in units of u: a rounding of the answer at every step.

    This is how PyTorch, TensorFlow and `numpy.logaddexp.accumulate` work.
    """
    size = np.where(np.isfinite(y), np.abs(y), 0.0)
    return np.maximum.accumulate(size, axis=-1) * [steps(k + 1) for k in range(y.shape[-1])]


def vjp(xp: Any, g: Any, x: Any, axis: int) -> Any:
    """Sum g_k * exp(x_i - y_k) over k >= i."""
    y = stable(xp, x, axis)
    # [..., i, k]; a prefix of -inf has weight 0.
    safe = xp.where(xp.equal(y, -xp.inf), 0.0, y)
    weight = xp.exp(xp.expand_dims(x, -1) - xp.expand_dims(safe, -2))
    n = x.shape[-1]
    later = xp.arange(n)[None, :] >= xp.arange(n)[:, None]
    return (xp.sum(xp.where(later, weight * xp.expand_dims(g, -2), 0.0), axis=-1),)


def vjp_logarithms(xp: Any, g: Any, x: Any, axis: int) -> Any:
    """Sum in the log domain, as PyTorch does: weights of either sign apart."""
    y = stable(xp, x, axis)
    none = xp.equal(y, -xp.inf)
    sums = []
    for size in (g, -g):
        counts = xp.greater(size, 0.0)
        log_size = xp.where(counts, xp.log(xp.where(counts, size, 1.0)), -xp.inf)
        later = stable(xp, xp.where(none, -xp.inf, log_size - xp.where(none, 0.0, y))[..., ::-1], axis)[..., ::-1]
        sums.append(xp.exp(later + x))
    return (sums[0] - sums[1],)
