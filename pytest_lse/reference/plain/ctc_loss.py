"""Connectionist temporal classification: minus the log probability of all alignments of a label sequence.

Why is this bad?
----------------
Probabilities of alignments underflow; -inf - (-inf) is nan where a state cannot be reached. A blank has to stand
between equal labels, and labels that do not fit have a loss of inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np

args = {"log_probs": "log_probabilities", "labels": "labels"}
params = {"blank": 0}
layout = "whole"
bound = "log"

replacement = {
    "torch": "torch.nn.functional.ctc_loss(log_probs[:, None], labels[None], [len(log_probs)], [len(labels)], "
    "reduction='sum')",
}


def check(log_probs: np.ndarray, labels: np.ndarray, blank: int) -> None:
    """Check that the shapes are [T, C] and [L] and that the labels are classes other than the blank."""
    if log_probs.ndim != 2 or not len(log_probs):
        raise ValueError(f"log_probs has shape {log_probs.shape}: expected [T, C] with T >= 1")
    if labels.ndim != 1:
        raise ValueError(f"labels has shape {labels.shape}: expected [L]")
    classes = log_probs.shape[1]
    if not 0 <= blank < classes:
        raise ValueError(f"blank is {blank}: expected 0 to {classes - 1}")
    wrong = labels[(labels < 0) | (labels >= classes) | (labels == blank)]
    if wrong.size:
        raise ValueError(f"labels contains {int(wrong[0])}: expected 0 to {classes - 1}, other than blank = {blank}")


def _states(labels: np.ndarray, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels with blanks between them, and where one may be entered past the blank before it."""
    extended = np.full(2 * len(labels) + 1, blank)
    extended[1::2] = labels
    skip = np.zeros(len(extended), dtype=bool)
    skip[3::2] = labels[1:] != labels[:-1]
    return extended, skip


def _step(xp: Any, alpha: Any, skip: np.ndarray) -> Any:
    none = np.full(2, -np.inf)
    before = xp.concatenate([none[:1], alpha])[: len(skip)]
    second = xp.where(skip, xp.concatenate([none, alpha])[: len(skip)], -xp.inf)
    return xp.logsumexp(xp.stack([alpha, before, second], axis=-1), axis=-1)


def _forward(xp: Any, emitted: Any, skip: np.ndarray) -> list[Any]:
    start = np.zeros(len(skip))
    start[2:] = -np.inf
    rows = [emitted[0] + start]
    for t in range(1, emitted.shape[0]):
        rows.append(_step(xp, rows[-1], skip) + emitted[t])
    return rows


def stable(xp: Any, log_probs: Any, labels: Any, blank: int) -> Any:
    """Sum over all alignments, forwards; inf if there is none."""
    extended, skip = _states(labels, blank)
    return -xp.logsumexp(_forward(xp, log_probs[:, extended], skip)[-1][-2:], axis=-1)


def vjp(xp: Any, g: Any, log_probs: Any, labels: Any, blank: int) -> Any:
    """Return minus the posterior of each class at each time."""
    extended, skip = _states(labels, blank)
    emitted = log_probs[:, extended]
    forward = _forward(xp, emitted, skip)
    # Backwards is the same recursion on the reversed sequence.
    reversed_skip = np.zeros(len(skip), dtype=bool)
    reversed_skip[2:] = skip[::-1][:-2]
    backward = _forward(xp, emitted[::-1, ::-1], reversed_skip)[::-1]
    total = xp.logsumexp(forward[-1][-2:], axis=-1)
    classes = log_probs.shape[1]
    member = extended[:, None] == np.arange(classes)[None, :]
    rows = []
    for t, (a, b) in enumerate(zip(forward, backward, strict=True)):
        # Both sides count the emission at t.
        joint = xp.where(xp.equal(emitted[t], -xp.inf), -xp.inf, a + b[::-1] - emitted[t])
        share = xp.exp(joint - total)
        rows.append(xp.sum(xp.where(member, xp.expand_dims(share, -1), 0.0), axis=0))
    return (-g * xp.stack(rows, axis=0),)
