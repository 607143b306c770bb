"""Scaled dot-product attention with a mask: softmax(q k^T * scale) v; 0 for a query that may see nothing.

Why is this bad?
----------------
exp of an unshifted score overflows; a query that may see nothing is 0 / 0 = nan where 0 is wanted; a large negative
number in place of -inf loses to scores that are lower still.
"""

from __future__ import annotations

from typing import Any

import numpy as np

args = {"q": "values", "k": "values", "v": "values", "mask": "mask"}
params = {"scale": None}
layout = "whole"
bound = "log"

replacement = {"torch": "torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)"}


def check(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray, **params: Any) -> None:
    """Check that the shapes are [L, d], [S, d], [S, e] and [L, S]."""
    for name, array in (("q", q), ("k", k), ("v", v)):
        if array.ndim != 2:
            raise ValueError(f"{name} has shape {array.shape}: expected two axes")
    if q.shape[1] != k.shape[1]:
        raise ValueError(f"k has shape {k.shape}: expected [S, {q.shape[1]}], as q has {q.shape}")
    if v.shape[0] != k.shape[0]:
        raise ValueError(f"v has shape {v.shape}: expected [{k.shape[0]}, e], as k has {k.shape}")
    if mask.shape != (len(q), len(k)):
        raise ValueError(f"mask has shape {mask.shape}: expected ({len(q)}, {len(k)})")


def _weights(xp: Any, q: Any, k: Any, mask: Any, scale: float | None) -> Any:
    scores = _scaled(xp, xp.matmul(q, k.T), q.shape[1], scale)
    # A row of which nothing is kept has a softmax all the same, of which nothing is kept.
    kept = xp.where(mask | ~mask.any(axis=-1, keepdims=True), scores, -xp.inf)
    return xp.where(mask, xp.softmax(kept, axis=-1), 0.0)


def _scaled(xp: Any, x: Any, width: int, scale: float | None) -> Any:
    return x * scale if scale is not None else x / xp.sqrt(xp.asarray(float(max(width, 1))))


def stable(xp: Any, q: Any, k: Any, v: Any, mask: Any, scale: float | None) -> Any:
    """Weigh the rows of v."""
    return xp.matmul(_weights(xp, q, k, mask, scale), v)


def stable_scaled_query(xp: Any, q: Any, k: Any, v: Any, mask: Any, scale: float | None) -> Any:
    """Scale q instead of the scores, as fused kernels do."""
    return xp.matmul(_weights(xp, _scaled(xp, q, q.shape[1], scale), k, mask, 1.0), v)


def vjp(xp: Any, g: Any, q: Any, k: Any, v: Any, mask: Any, scale: float | None) -> Any:
    """Return the gradients with respect to q, k and v."""
    p = _weights(xp, q, k, mask, scale)
    toward = xp.matmul(g, v.T)
    scores = _scaled(xp, p * (toward - xp.sum(toward * p, axis=-1, keepdims=True)), q.shape[1], scale)
    return xp.matmul(scores, k), xp.matmul(scores.T, q), xp.matmul(p.T, g)
