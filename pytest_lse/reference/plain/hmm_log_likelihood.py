"""Log likelihood of a hidden Markov model: the forward algorithm in the log domain.

Why is this bad?
----------------
Probabilities of long or unlikely sequences underflow; where a state cannot be reached, -inf - (-inf) is nan. Every
step needs a logsumexp over the states before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

args = {"log_init": "log_probabilities", "log_trans": "log_probabilities", "log_emit": "log_probabilities"}
params: dict[str, Any] = {}
layout = "whole"
bound = "log"


def check(log_init: np.ndarray, log_trans: np.ndarray, log_emit: np.ndarray) -> None:
    """Check that the shapes are [S], [S, S] and [T, S]."""
    if log_init.ndim != 1:
        raise ValueError(f"log_init has shape {log_init.shape}: expected [S]")
    states = len(log_init)
    if log_trans.shape != (states, states):
        raise ValueError(f"log_trans has shape {log_trans.shape}: expected ({states}, {states})")
    if log_emit.ndim != 2 or log_emit.shape[1] != states or not len(log_emit):
        raise ValueError(f"log_emit has shape {log_emit.shape}: expected [T, {states}] with T >= 1")


def stable(xp: Any, log_init: Any, log_trans: Any, log_emit: Any) -> Any:
    """Sum over all paths, forwards."""
    alpha = log_init + log_emit[0]
    for t in range(1, log_emit.shape[0]):
        alpha = xp.logsumexp(alpha[:, None] + log_trans, axis=0) + log_emit[t]
    return xp.logsumexp(alpha, axis=0)


def vjp(xp: Any, g: Any, log_init: Any, log_trans: Any, log_emit: Any) -> Any:
    """Return the gradient with respect to log_init: the posterior of the first state."""
    beta = xp.zeros_like(log_init)
    for t in range(log_emit.shape[0] - 1, 0, -1):
        beta = xp.logsumexp(log_trans + (log_emit[t] + beta)[None, :], axis=-1)
    return (g * xp.softmax(log_init + log_emit[0] + beta, axis=-1),)
