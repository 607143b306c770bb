"""Cross-entropy of logits against integer labels, as `torch.nn.functional.cross_entropy` defines its parameters.

Why is this bad?
----------------
A probability that underflows has the logarithm -inf; 0 * -inf of an ignored or smoothed class is nan. From logits,
the loss is logsumexp(shifted) - shifted[label].
"""

from __future__ import annotations

from typing import Any

import numpy as np

args = {"logits": "logits", "labels": "labels"}
params = {"ignore_index": -100, "label_smoothing": 0.0, "weight": None, "reduction": "mean"}
layout = "whole"
bound = "log"

replacement = {
    "numpy": "-scipy.special.log_softmax(logits, axis=-1)[numpy.arange(len(labels)), labels].mean()",
    "torch": "torch.nn.functional.cross_entropy(logits, labels)",
    "jax": "-jax.numpy.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], -1).mean()",
}


def check(logits: np.ndarray, labels: np.ndarray, **params: Any) -> None:
    """Check shapes, the range of the labels and the parameters."""
    if logits.ndim != 2:
        raise ValueError(f"logits has shape {logits.shape}: expected [N, C]")
    rows, classes = logits.shape
    if labels.shape != (rows,):
        raise ValueError(f"labels has shape {labels.shape}: expected ({rows},), as logits has {rows} rows")
    used = labels[labels != params["ignore_index"]]
    if ((used < 0) | (used >= classes)).any():
        wrong = int(used[(used < 0) | (used >= classes)][0])
        raise ValueError(f"labels contains {wrong}: expected 0 to {classes - 1}, or ignore_index")
    weight = params["weight"]
    if weight is not None and np.shape(weight) != (classes,):
        raise ValueError(f"weight has shape {np.shape(weight)}: expected ({classes},)")
    if not 0.0 <= params["label_smoothing"] <= 1.0:
        raise ValueError(f"label_smoothing is {params['label_smoothing']}: expected 0 to 1")
    if params["reduction"] not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {params['reduction']!r}: expected mean, sum or none")


def _log_softmax(xp: Any, logits: Any) -> Any:
    return xp.log_softmax(logits, axis=-1)


def stable(
    xp: Any, logits: Any, labels: Any, ignore_index: int, label_smoothing: float, weight: Any, reduction: str
) -> Any:
    """Weigh the rows' losses and reduce them."""
    kept = labels != ignore_index
    log_p = _log_softmax(xp, logits)[kept]
    labels = labels[kept]
    rows = np.arange(len(labels))
    w = np.ones(logits.shape[1]) if weight is None else np.asarray(weight, dtype=np.float64)
    loss = -log_p[rows, labels] * w[labels]
    if label_smoothing:
        smooth = xp.sum(xp.where(w == 0.0, 0.0, -log_p * w), axis=-1) / float(logits.shape[1])
        loss = loss * (1.0 - xp.asarray(label_smoothing)) + smooth * label_smoothing
    if reduction == "none":
        places = np.where(kept, np.cumsum(kept) - 1, len(labels))
        return xp.concatenate([loss, np.zeros(1)])[places]
    return xp.sum(loss, axis=-1) / (xp.sum(w[labels]) if reduction == "mean" else 1.0)


def vjp(
    xp: Any, g: Any, logits: Any, labels: Any, ignore_index: int, label_smoothing: float, weight: Any, reduction: str
) -> Any:
    """Return the gradient with respect to the logits."""
    kept = labels != ignore_index
    rows, classes = logits.shape
    safe = np.where(kept, labels, 0)
    w = np.ones(classes) if weight is None else np.asarray(weight, dtype=np.float64)
    hot = np.zeros((rows, classes))
    hot[np.arange(rows), safe] = w[safe]
    target = xp.asarray(hot)
    if label_smoothing:
        target = target * (1.0 - xp.asarray(label_smoothing)) + xp.asarray(w) * label_smoothing / float(classes)
        total = xp.sum(target, axis=-1, keepdims=True)
    else:
        total = w[safe][:, None]
    gradient = xp.where(kept[:, None], xp.softmax(logits, axis=-1) * total - target, 0.0)
    scale = g if reduction != "none" else g[:, None]
    return (scale * gradient / (xp.sum(w[safe] * kept) if reduction == "mean" else 1.0),)
