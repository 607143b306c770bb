"""Merging two partial attentions over different keys, from their outputs and logsumexps.

Why is this bad?
----------------
exp of an unshifted lse overflows; where neither part saw a key, -inf - (-inf) is nan where the output is 0 and the
lse -inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np

args = {"o1": "values", "lse1": "logits", "o2": "values", "lse2": "logits"}
params: dict[str, Any] = {}
layout = "whole"
bound = "log"
outputs = 2


def check(o1: np.ndarray, lse1: np.ndarray, o2: np.ndarray, lse2: np.ndarray) -> None:
    """Check that the shapes are [L, e], [L], [L, e] and [L] (further leading axes alike)."""
    if o1.ndim < 1 or o2.shape != o1.shape:
        raise ValueError(f"o2 has shape {o2.shape}: expected that of o1, {o1.shape}")
    for name, array in (("lse1", lse1), ("lse2", lse2)):
        if array.shape != o1.shape[:-1]:
            raise ValueError(f"{name} has shape {array.shape}: expected {o1.shape[:-1]}, as o1 has {o1.shape}")


def _shares(xp: Any, lse1: Any, lse2: Any) -> tuple[Any, Any, Any]:
    top = xp.maximum(lse1, lse2)
    empty = xp.equal(top, -xp.inf)
    shift = xp.where(empty, 0.0, top)
    first, second = xp.exp(lse1 - shift), xp.exp(lse2 - shift)
    total = xp.where(empty, 1.0, first + second)
    small = xp.minimum(first, second)
    lse = top + xp.where(empty, 0.0, xp.log1p(small))
    return first / total, second / total, lse


def stable(xp: Any, o1: Any, lse1: Any, o2: Any, lse2: Any) -> Any:
    """Return the merged output and logsumexp; 0 and -inf where neither part saw a key."""
    first, second, lse = _shares(xp, lse1, lse2)
    return xp.expand_dims(first, -1) * o1 + xp.expand_dims(second, -1) * o2, lse


def stable_output(xp: Any, o1: Any, lse1: Any, o2: Any, lse2: Any) -> Any:
    """Weigh by exp(lse_i - rounded lse), as most implementations do."""
    lse = _shares(xp, lse1, lse2)[2]
    shift = xp.where(xp.equal(lse, -xp.inf), 0.0, lse)
    first, second = xp.exp(lse1 - shift), xp.exp(lse2 - shift)
    return xp.expand_dims(first, -1) * o1 + xp.expand_dims(second, -1) * o2, lse


def vjp(xp: Any, g: Any, o1: Any, lse1: Any, o2: Any, lse2: Any) -> Any:
    """Return the gradient of the output with respect to o1."""
    first, _, _ = _shares(xp, lse1, lse2)
    return (g * xp.expand_dims(first, -1),)
