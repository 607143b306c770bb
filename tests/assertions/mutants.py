# ruff: noqa: E501
"""Plausible bugs of every kernel, generated from tables: each of them has to be caught.

A bug of log-sum-exp, softmax or sigmoid is planted into every kernel that is made of it; what only one kernel can get
wrong is listed with it. `numpy_mutants()` and `torch_mutants()` give (kernel, bug, function, options of assert_stable).
"""

import math
from functools import partial

import numpy as np

LOG_2PI = math.log(2 * math.pi)

# Bugs of the row kernels: what is subtracted, what is done to the exponentials, what the sum is


def _shift(x, bug):
    if bug in ("no shift", "wide row"):
        return np.zeros_like(x[..., :1])
    if bug == "global shift":
        return np.max(x)
    if bug == "mean shift":
        return np.mean(np.where(np.isfinite(x), x, 0), -1, keepdims=True)
    if bug == "min shift":
        return np.min(np.where(np.isfinite(x), x, np.inf), -1, keepdims=True)
    if bug == "first shift":
        return np.where(np.isfinite(x[..., :1]), x[..., :1], 0)
    if bug == "absolute shift":
        return np.max(np.where(np.isfinite(x), np.abs(x), 0), -1, keepdims=True)
    if bug == "shift on the wrong axis" and x.ndim > 1:
        return np.max(x, 0, keepdims=True)
    top = np.max(x, -1, keepdims=True)
    return np.where(np.isfinite(top), top, 0).astype(x.dtype)


def _narrow(x, bug):
    if bug == "float16 internals":
        return x.astype(np.float16)
    if bug == "float32 internals":
        return x.astype(np.float32)
    return x


def _exp(z, bug):
    if bug == "clip":
        return np.exp(np.clip(z, -20, 20))
    if bug == "cheap exp":
        return (1 + z / 1024) ** 1024
    return np.exp(z)


def _sum(e, bug):
    if bug == "wrong axis" and e.ndim > 1:
        return np.sum(e, 0, keepdims=True)
    if bug == "sum over everything":
        return np.sum(e)
    if bug == "last term lost" and e.shape[-1] > 1:
        return np.sum(e[..., :-1], -1, keepdims=True)
    if bug == "eps in the denominator":
        return np.sum(e, -1, keepdims=True) + np.asarray(1e-4, e.dtype)
    if bug == "mean for sum":
        return np.mean(e, -1, keepdims=True)
    return np.sum(e, -1, keepdims=True)


ROW_BUGS = (
    "no shift", "global shift", "mean shift", "min shift", "first shift", "absolute shift", "shift on the wrong axis",
    "float16 internals", "clip", "cheap exp", "wrong axis", "sum over everything", "last term lost", "mean for sum",
    "eps in the denominator",
)  # fmt: skip
LOG_BUGS = ("eps in the log", "log of softmax", "clipped probabilities")


def lse(x, bug=None):
    dtype = x.dtype
    if bug == "shift not added back":
        return np.log(np.sum(np.exp(x - _shift(x, None)), -1))
    x = _narrow(x, bug)
    m = _shift(x, bug)
    total = _sum(_exp(x - m, bug), bug)
    if bug == "eps in the log":
        total = total + 1e-4
    y = np.log(total) + m
    return (
        np.broadcast_to(y, (*x.shape[:-1], 1))[..., 0].astype(dtype) if np.ndim(y) else np.full(x.shape[:-1], y, dtype)
    )


def softmax(x, bug=None):
    dtype = x.dtype
    x = _narrow(x, bug)
    e = _exp(x - _shift(x, bug), bug)
    if bug == "threshold":
        e = np.where(e < 1e-4, 0, e)
    return (e / _sum(e, bug)).astype(dtype)


def log_softmax(x, bug=None):
    dtype = x.dtype
    if bug == "log of softmax":
        return np.log(softmax(x))
    if bug == "eps in the log":
        return np.log(softmax(x) + np.asarray(1e-6, dtype))
    if bug == "clipped probabilities":
        return np.log(np.clip(softmax(x), 1e-6, 1))
    x = _narrow(x, bug)
    z = x - _shift(x, bug)
    return (z - np.log(_sum(_exp(z, bug), bug))).astype(dtype)


# Bugs of the elementwise kernels

SIGMOID_BUGS = {
    "ratio": lambda x: np.exp(x) / (1 + np.exp(x)),
    "clip": lambda x: 1 / (1 + np.exp(-np.clip(x, -15, 15))),
    "tanh": lambda x: 0.5 * (np.tanh(0.5 * x) + 1),
    "one minus": lambda x: 1 - 1 / (1 + np.exp(np.minimum(x, 80))),
    "float16 internals": lambda x: (1 / (1 + np.exp(-x.astype(np.float16)))).astype(x.dtype),
    "eps in the denominator": lambda x: 1 / (1 + np.exp(-x) + np.asarray(1e-4, x.dtype)),
    "where of nan": lambda x: np.where(x > 0, 1, 0) * (1 / (1 + np.exp(-x))) + np.where(x <= 0, 1, 0) * (
        np.exp(x) / (1 + np.exp(x))
    ),
    "hard": lambda x: np.clip(x / 6 + 0.5, 0, 1).astype(x.dtype),
    "wrong sign": lambda x: 1 / (1 + np.exp(np.clip(x, -80, 80))),
    "saturates": lambda x: np.where(x < -20, 0, 1 / (1 + np.exp(-np.maximum(x, -30)))).astype(x.dtype),
}  # fmt: skip
SOFTPLUS_BUGS = {
    "no shift": lambda x: np.log(1 + np.exp(x)),
    "log1p only": lambda x: np.log1p(np.exp(x)),
    "clip": lambda x: np.log1p(np.exp(np.clip(x, -20, 20))),
    "threshold": lambda x: np.where(x > 5, x, np.log1p(np.exp(np.minimum(x, 5)))),
    "float16 internals": lambda x: np.logaddexp(np.float16(0), x.astype(np.float16)).astype(x.dtype),
    "eps in the log": lambda x: np.maximum(x, 0) + np.log(1 + np.exp(-np.abs(x)) + 1e-4).astype(x.dtype),
    "relu": lambda x: np.maximum(x, 0),
    "wrong sign": lambda x: np.maximum(-x, 0) + np.log1p(np.exp(-np.abs(x))),
    "absolute value lost": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-x)),
    "minus log of complement": lambda x: -np.log(1 - 1 / (1 + np.exp(-x))),
}


def _negated(bug):
    return lambda x: -SOFTPLUS_BUGS[bug](-x)


LOG_SIGMOID_BUGS = {
    "log of sigmoid": lambda x: np.log(1 / (1 + np.exp(-x))),
    "eps in the log": lambda x: np.log(1 / (1 + np.exp(-x)) + np.asarray(1e-6, x.dtype)),
    "clipped probabilities": lambda x: np.log(np.clip(1 / (1 + np.exp(-x)), 1e-7, 1 - 1e-7)),
    "ratio": lambda x: x - np.log(1 + np.exp(x)),
    **{b: _negated(b) for b in SOFTPLUS_BUGS if b not in ("eps in the log", "minus log of complement")},
}
LOGADDEXP_BUGS = {
    "no shift": lambda a, b: np.log(np.exp(a) + np.exp(b)),
    "mean shift": lambda a, b: (a + b) / 2 + np.log(np.exp((a - b) / 2) + np.exp((b - a) / 2)),
    "shift by the first": lambda a, b: a + np.log1p(np.exp(b - a)),
    "shift by the minimum": lambda a, b: np.minimum(a, b) + np.log1p(np.exp(np.abs(a - b))),
    "global shift": lambda a, b: np.max(np.maximum(a, b)) + np.log(
        np.exp(a - np.max(np.maximum(a, b))) + np.exp(b - np.max(np.maximum(a, b)))
    ),
    "maximum": lambda a, b: np.maximum(a, b),
    "clip": lambda a, b: np.logaddexp(np.clip(a, -80, 80), np.clip(b, -80, 80)),
    "float16 internals": lambda a, b: np.logaddexp(a.astype(np.float16), b.astype(np.float16)).astype(a.dtype),
    "eps in the log": lambda a, b: np.maximum(a, b) + np.log(1 + np.exp(-np.abs(a - b)) + 1e-4).astype(a.dtype),
    "infinities": lambda a, b: np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - np.where(np.isinf(b), a, b)))),
    "absolute value lost": lambda a, b: np.maximum(a, b) + np.log1p(np.exp(b - a)),
}  # fmt: skip
LOGSUBEXP_BUGS = {
    "no shift": lambda a, b: np.log(np.exp(a) - np.exp(b)),
    "log1p only, eps": lambda a, b: a + np.log(1 - np.exp(b - a) + 1e-6).astype(a.dtype),
    "shift by the second": lambda a, b: b + np.log(np.expm1(a - b)),
    "float16 internals": lambda a, b: (a + np.log1p(-np.exp((b - a).astype(np.float16)))).astype(a.dtype),
    "clip": lambda a, b: a + np.log1p(-np.exp(np.minimum(b - a, -1e-3))).astype(a.dtype),
    "logaddexp": np.logaddexp,
    "difference": lambda a, b: a - b,
    "wrong sign": lambda a, b: a + np.log1p(-np.exp(np.minimum(a - b, 0))),
    "maximum": np.maximum,
}
LOG1MEXP_BUGS = {
    "no expm1": lambda x: np.log(1 - np.exp(x)),
    "log1p only": lambda x: np.log1p(-np.exp(x)),
    "eps in the log": lambda x: np.log(-np.expm1(x) + np.asarray(1e-6, x.dtype)),
    "float16 internals": lambda x: np.log1p(-np.exp(x.astype(np.float16))).astype(x.dtype),
    "clip": lambda x: np.log(-np.expm1(np.minimum(x, -1e-3))),
    "wrong sign": lambda x: np.log1p(np.exp(x)),
    "log1pexp": lambda x: -np.log1p(np.exp(-x)),
    "halves swapped": lambda x: np.where(x < -math.log(2), np.log(-np.expm1(x)), np.log(1 - np.exp(x))),
}
SIGMOID_GRAD_BUGS = {
    "product": lambda x: SIGMOID_BUGS["ratio"](x) * (1 - SIGMOID_BUGS["ratio"](x)),
    "unshifted": lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
    "clip": lambda x: np.exp(-np.clip(x, -15, 15)) / (1 + np.exp(-np.clip(x, -15, 15))) ** 2,
    "cancels": lambda x: (1 / (1 + np.exp(-np.abs(x)))) * (1 - 1 / (1 + np.exp(-np.abs(x)))),
    "square lost": lambda x: np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))),
    "sigmoid itself": lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))),
    "float16 internals": lambda x: (lambda e: e / (1 + e) ** 2)(np.exp(-np.abs(x.astype(np.float16)))).astype(x.dtype),
    "tanh": lambda x: 0.25 * (1 - np.tanh(x / 2) ** 2),
}


def ce(logits, labels, bug=None, own=None):
    logs = log_softmax(logits, bug)
    if own == "label axis":
        return -np.mean(logs[labels % len(logits), np.arange(len(labels)) % logits.shape[1]])
    if own == "sum for mean":
        return -np.sum(logs[np.arange(len(labels)), labels])
    if own == "mean over classes":
        return -np.sum(logs[np.arange(len(labels)), labels]) / logits.size
    if own == "one-hot times log":
        return -np.mean(np.sum(np.eye(logits.shape[1], dtype=logits.dtype)[labels] * logs, -1))
    if own == "unshifted difference":
        return np.mean(lse(logits) - logits[np.arange(len(labels)), labels])
    if own == "in place":
        logits -= logits.max(1, keepdims=True)
    return -np.mean(logs[np.arange(len(labels)), labels])


def soft_ce(logits, targets, bug=None, own=None):
    logs = log_softmax(logits, bug)
    if own == "0 * -inf":
        return -np.mean(np.sum(targets * logs, -1))
    if own == "sum for mean":
        return -np.sum(np.where(targets > 0, targets * logs, 0))
    return -np.mean(np.sum(np.where(targets > 0, targets * logs, 0), -1))


def bce(x, targets, bug):
    p = np.clip(1 / (1 + np.exp(-x)), 0, 1)
    match bug:
        case "of a sigmoid":
            return -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
        case "eps in the log":
            return -np.mean(targets * np.log(p + 1e-8) + (1 - targets) * np.log(1 - p + 1e-8)).astype(x.dtype)
        case "clipped probabilities":
            p = np.clip(p, 1e-7, 1 - 1e-7)
            return -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
        case "clipped logits":
            z = np.clip(x, -30, 30)
            return np.mean(np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z))))
        case "absolute value lost":
            return np.mean(np.maximum(x, 0) - x * targets + np.log1p(np.exp(-x)))
        case "unshifted softplus":
            return np.mean(np.log1p(np.exp(x)) - x * targets)
        case "wrong sign":
            return np.mean(np.maximum(x, 0) + x * targets + np.log1p(np.exp(-np.abs(x))))
        case "sum for mean":
            return np.sum(np.maximum(x, 0) - x * targets + np.log1p(np.exp(-np.abs(x))))
        case "float16 internals":
            h = x.astype(np.float16)
            return np.mean(np.maximum(h, 0) - h * targets + np.log1p(np.exp(-np.abs(h)))).astype(x.dtype)
        case "log1p lost":
            return np.mean(np.maximum(x, 0) - x * targets)
        case "targets swapped":
            return np.mean(np.maximum(x, 0) - x * (1 - targets) + np.log1p(np.exp(-np.abs(x))))
    raise AssertionError(bug)


BCE_BUGS = (
    "of a sigmoid", "eps in the log", "clipped probabilities", "clipped logits", "absolute value lost",
    "unshifted softplus", "wrong sign", "sum for mean", "float16 internals", "log1p lost", "targets swapped",
)  # fmt: skip


def masked(x, mask, bug=None, own=None):
    if own == "multiplied":
        return softmax(x * mask)
    if own == "zeroed":
        return softmax(np.where(mask, x, 0))
    if own == "small number":
        return np.where(mask.any(-1, keepdims=True), softmax(np.where(mask, x, -1e4).astype(x.dtype)), 0)
    if own == "not renormalised":
        return softmax(x) * mask
    if own == "renormalised":
        p = softmax(x) * mask
        return p / np.where(p.sum(-1, keepdims=True) == 0, 1, p.sum(-1, keepdims=True))
    if own == "nan rows":
        return softmax_unguarded(np.where(mask, x, -np.inf))
    if own == "uniform rows":
        return softmax(np.where(mask, x, np.finfo(x.dtype).min))
    if own == "mask inverted":
        return masked(x, ~mask)
    z = np.where(mask, x, -np.inf)
    p = softmax(np.where(mask.any(-1, keepdims=True), z, 0), bug)
    return np.where(mask.any(-1, keepdims=True), p, 0)


def softmax_unguarded(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def entropy(x, bug=None, own=None):
    logs = log_softmax(x, bug)
    p = np.exp(logs)
    if own == "0 * -inf":
        return -np.sum(p * logs, -1)
    if own == "eps in the log":
        p = softmax(x)
        return -np.sum(p * np.log(p + 1e-4), -1).astype(x.dtype)
    return -np.sum(np.where(p > 0, p * logs, 0), -1)


ENTROPY_FROM_PROBS_BUGS = {
    "0 * log 0": lambda p: -np.sum(p * np.log(p), -1),
    "eps in the log": lambda p: -np.sum(p * np.log(p + 1e-4), -1).astype(p.dtype),
    "clip": lambda p: -np.sum(np.clip(p, 1e-3, 1) * np.log(np.clip(p, 1e-3, 1)), -1),
    "log2": lambda p: -np.sum(np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0), -1),
    "wrong sign": lambda p: np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), -1),
    "wrong axis": lambda p: -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), 0),
    "mean for sum": lambda p: -np.mean(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), -1),
    "float16 internals": lambda p: (
        -np.sum((lambda h: np.where(h > 0, h * np.log(np.where(h > 0, h, 1)), 0))(p.astype(np.float16)), -1).astype(
            p.dtype
        )
    ),
    "everything": lambda p: -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)),
}


def _kl(p, q, own):
    safe_p, safe_q = np.where(p > 0, p, 1), np.where(q > 0, q, 1)
    match own:
        case "0 * log 0":
            return np.sum(p * (np.log(p) - np.log(q)), -1)
        case "eps in the log":
            return np.sum(p * np.log((p + 1e-4) / (q + 1e-4)), -1).astype(p.dtype)
        case "support ignored":
            return np.sum(np.where((p > 0) & (q > 0), p * (np.log(safe_p) - np.log(safe_q)), 0), -1)
        case "reversed":
            return np.sum(np.where(q > 0, q * (np.log(safe_q) - np.log(p)), 0), -1)
        case "clip":
            return np.sum(np.where(p > 0, p * (np.log(safe_p) - np.log(np.clip(q, 1e-7, 1))), 0), -1)
        case "mean for sum":
            return np.mean(np.where(p > 0, p * (np.log(safe_p) - np.log(q)), 0), -1)
        case "entropy lost":
            return np.sum(np.where(p > 0, -p * np.log(q), 0), -1)
        case "wrong sign":
            return -np.sum(np.where(p > 0, p * (np.log(safe_p) - np.log(q)), 0), -1)
        case "float16 internals":
            return _kl(p.astype(np.float16), q.astype(np.float16), "right").astype(p.dtype)
    return np.sum(np.where(p > 0, p * (np.log(safe_p) - np.log(q)), 0), -1)


KL_BUGS = (
    "0 * log 0", "eps in the log", "support ignored", "reversed", "clip", "mean for sum", "entropy lost", "wrong sign",
    "float16 internals",
)  # fmt: skip


def kl_logits(p_logits, q_logits, bug=None, own=None):
    p, q = log_softmax(p_logits, bug), log_softmax(q_logits, bug)
    if own == "0 * -inf":
        return np.sum(np.exp(p) * (p - q), -1)
    if own == "from probabilities":
        return _kl(softmax(p_logits), softmax(q_logits), "right")
    if own == "reversed":
        return kl_logits(q_logits, p_logits)
    if own == "normaliser of p lost":
        return np.sum(np.where(np.isneginf(p), 0, np.exp(p) * (p_logits - q)), -1)
    return np.sum(np.where(np.isneginf(p), 0, np.exp(p) * (p - q)), -1)


def kl_div(log_q, targets, own):
    safe = np.where(targets > 0, targets, 1)
    match own:
        case "0 * log 0":
            return np.sum(targets * (np.log(targets) - log_q), -1)
        case "0 * inf":
            return np.sum(np.where(targets > 0, targets * np.log(safe), 0) - targets * log_q, -1)
        case "eps in the log":
            return np.sum(np.where(targets > 0, targets * (np.log(targets + 1e-4) - log_q), 0), -1).astype(log_q.dtype)
        case "entropy lost":
            return np.sum(np.where(targets > 0, -targets * log_q, 0), -1)
        case "through probabilities":
            return _kl(targets, np.exp(log_q), "right")
        case "mean for sum":
            return np.mean(np.where(targets > 0, targets * (np.log(safe) - log_q), 0), -1)
        case "wrong sign":
            return np.sum(np.where(targets > 0, targets * (log_q - np.log(safe)), 0), -1)
        case "clip":
            return np.sum(np.where(targets > 0, targets * (np.log(safe) - np.maximum(log_q, -20)), 0), -1)
        case "float16 internals":
            h = log_q.astype(np.float16)
            return np.sum(np.where(targets > 0, targets * (np.log(safe) - h), 0), -1).astype(log_q.dtype)
    raise AssertionError(own)


KL_DIV_BUGS = (
    "0 * log 0", "0 * inf", "eps in the log", "entropy lost", "through probabilities", "mean for sum", "wrong sign",
    "clip", "float16 internals",
)  # fmt: skip


def focal(x, targets, own):
    p = 1 / (1 + np.exp(-x))
    signed = np.where(targets == 1, x, -x)
    e = np.exp(-np.abs(signed))
    p_t, minus = np.where(signed < 0, e, 1) / (1 + e), np.maximum(-signed, 0) + np.log1p(e)
    match own:
        case "of a sigmoid":
            q = np.where(targets == 1, p, 1 - p)
            return -((1 - q) ** 2) * np.log(q)
        case "eps in the log":
            q = np.where(targets == 1, p, 1 - p)
            return (-((1 - q) ** 2) * np.log(q + 1e-6)).astype(x.dtype)
        case "clip":
            q = np.clip(np.where(targets == 1, p, 1 - p), 1e-7, 1 - 1e-7)
            return -((1 - q) ** 2) * np.log(q)
        case "gamma 1":
            return (1 - p_t) * minus
        case "gamma lost":
            return minus
        case "p for 1 - p":
            return p_t**2 * minus
        case "targets swapped":
            return focal(x, 1 - targets, "right")
        case "mean":
            return np.mean((1 - p_t) ** 2 * minus)
        case "float16 internals":
            return focal(x.astype(np.float16), targets, "right").astype(x.dtype)
        case "one side":
            return -targets * (1 - p) ** 2 * np.log(p)
    return (1 - p_t) ** 2 * minus


FOCAL_BUGS = (
    "of a sigmoid", "eps in the log", "clip", "gamma 1", "gamma lost", "p for 1 - p", "targets swapped", "mean",
    "float16 internals", "one side",
)  # fmt: skip


def attention(q, k, v, mask, bug=None, own=None):
    scores = (q @ k.T / math.sqrt(q.shape[-1])).astype(q.dtype)
    if own == "scale lost":
        scores = q @ k.T
    if own == "scaled by d":
        scores = q @ k.T / q.shape[-1]
    if own in ("multiplied", "small number", "not renormalised", "nan rows", "uniform rows", "mask inverted"):
        return masked(scores, mask, None, own) @ v
    return masked(scores, mask, bug) @ v


def merge(o1, lse1, o2, lse2, own):
    total = np.logaddexp(lse1, lse2)
    base = np.where(np.isneginf(total), 0, total)
    w1, w2 = np.exp(lse1 - base)[:, None], np.exp(lse2 - base)[:, None]
    match own:
        case "no shift":
            a, b = np.exp(lse1), np.exp(lse2)
            return (a[:, None] * o1 + b[:, None] * o2) / (a + b)[:, None], np.log(a + b)
        case "unguarded":
            return np.exp(lse1 - total)[:, None] * o1 + np.exp(lse2 - total)[:, None] * o2, total
        case "average":
            return (o1 + o2) / 2, total
        case "weights swapped":
            return w2 * o1 + w1 * o2, total
        case "maximum":
            return w1 * o1 + w2 * o2, np.maximum(lse1, lse2)
        case "not normalised":
            top = np.maximum(lse1, lse2)
            safe = np.where(np.isneginf(top), 0, top)
            return np.exp(lse1 - safe)[:, None] * o1 + np.exp(lse2 - safe)[:, None] * o2, total
        case "global shift":
            m = np.max(np.maximum(lse1, lse2))
            a, b = np.exp(lse1 - m), np.exp(lse2 - m)
            return (a[:, None] * o1 + b[:, None] * o2) / (a + b)[:, None], np.log(a + b) + m
        case "float16 internals":
            half = [z.astype(np.float16) for z in (o1, lse1, o2, lse2)]
            return tuple(z.astype(o1.dtype) for z in merge(*half, "right"))
        case "one output":
            return w1 * o1 + w2 * o2
        case "eps in the denominator":
            top = np.maximum(lse1, lse2)
            safe = np.where(np.isneginf(top), 0, top)
            a, b = np.exp(lse1 - safe), np.exp(lse2 - safe)
            return (a[:, None] * o1 + b[:, None] * o2) / (a + b + 1e-4).astype(o1.dtype)[:, None], total
    return w1 * o1 + w2 * o2, total


MERGE_BUGS = (
    "no shift", "unguarded", "average", "weights swapped", "maximum", "not normalised", "global shift",
    "float16 internals", "one output", "eps in the denominator",
)  # fmt: skip


def gumbel(logits, u, bug=None, own=None):
    noise = -np.log(-np.log(u))
    if own == "eps in the noise":
        noise = -np.log(-np.log(u + np.asarray(1e-3, u.dtype)) + np.asarray(1e-3, u.dtype))
    if own == "wrong sign":
        noise = -noise
    if own == "one log":
        noise = -np.log(u)
    return softmax(logits + noise, bug)


def temperature(x, t, bug=None, own=None):
    if own == "multiplied":
        return softmax(x * t)
    if own == "lost":
        return softmax(x)
    if own == "after the shift only":
        return softmax_unguarded(x - x.max(-1, keepdims=True) / t)
    if own == "clipped":
        return softmax(x / np.maximum(t, np.asarray(0.1, t.dtype)))
    return softmax(x / t, bug)


def mixture(x, w_logits, mu, log_sigma, bug=None, own=None):
    z = (x[:, None] - mu) * np.exp(-log_sigma)
    logs = -0.5 * z**2 - log_sigma - np.asarray(0.5 * LOG_2PI, x.dtype)
    weights = log_softmax(w_logits)
    match own:
        case "densities":
            return np.log(np.sum(softmax(w_logits) * np.exp(logs), -1))
        case "eps in the log":
            return np.log(np.sum(softmax(w_logits) * np.exp(logs), -1) + 1e-6).astype(x.dtype)
        case "weights not normalised":
            weights = w_logits
        case "sigma lost":
            logs = logs + log_sigma
        case "constant lost":
            logs = logs + np.asarray(0.5 * LOG_2PI, x.dtype)
        case "log of weights":
            weights = np.log(softmax(w_logits))
        case "sigma for log sigma":
            logs = -0.5 * ((x[:, None] - mu) / log_sigma) ** 2 - log_sigma - np.asarray(0.5 * LOG_2PI, x.dtype)
        case "half lost":
            logs = logs - 0.5 * z**2
    return lse(weights + logs, bug)


def hmm(log_init, log_trans, log_emit, bug=None, own=None):
    if own == "probabilities":
        a = np.exp(log_init + log_emit[0])
        for emit in log_emit[1:]:
            a = (a @ np.exp(log_trans)) * np.exp(emit)
        return np.log(np.sum(a))
    alpha = log_init + log_emit[0]
    for t in range(1, len(log_emit)):
        if own == "viterbi":
            alpha = np.max(alpha[:, None] + log_trans, 0) + log_emit[t]
            continue
        step = alpha[None, :] + log_trans if own == "transposed" else (alpha[:, None] + log_trans).T
        alpha = lse(step, bug) + log_emit[t - 1 if own == "off by one" else t]
    if own == "last step lost" and len(log_emit) > 1:
        return hmm(log_init, log_trans, log_emit[:-1])
    if own == "start lost":
        return hmm(np.full_like(log_init, -np.log(len(log_init))), log_trans, log_emit)
    return np.max(alpha) if own == "maximum at the end" else lse(alpha, bug)


def ctc(log_probs, labels, own=None, add=np.logaddexp):
    dtype = log_probs.dtype
    ext = [0]
    for label in labels:
        ext += [int(label), 0]
    if own == "blanks lost":
        ext = [int(label) for label in labels] or [0]
    s = len(ext)
    alpha = np.full(s, -np.inf, dtype)
    alpha[0] = log_probs[0, ext[0]]
    if s > 1 and own != "starts with a blank":
        alpha[1] = log_probs[0, ext[1]]
    for step in log_probs[1:]:
        new = np.full(s, -np.inf, dtype)
        for i in range(s):
            total = alpha[i]
            if i:
                total = add(total, alpha[i - 1])
            if i > 1 and ext[i] != 0 and (ext[i] != ext[i - 2] or own == "repeats skipped") and own != "no skips":
                total = add(total, alpha[i - 2])
            new[i] = total + step[ext[i]]
        alpha = new
    if own == "ends with a blank" or s == 1:
        return -alpha[-1]
    return -add(alpha[-1], alpha[-2])


def _unshifted(a, b):
    return np.log(np.exp(a) + np.exp(b))


CTC_BUGS = {
    "probabilities": partial(ctc, add=_unshifted),
    "maximum": partial(ctc, add=np.maximum),
    "shift by the first": partial(ctc, add=lambda a, b: a + np.log1p(np.exp(b - a))),
    "repeats skipped": partial(ctc, own="repeats skipped"),
    "no skips": partial(ctc, own="no skips"),
    "ends with a blank": partial(ctc, own="ends with a blank"),
    "starts with a blank": partial(ctc, own="starts with a blank"),
    "eps in the log": partial(ctc, add=lambda a, b: np.log(np.exp(a) + np.exp(b) + 1e-4)),
    "wrong sign": lambda p, y: -ctc(p, y),
}


def info_nce(s, bug=None, own=None):
    if own == "columns":
        return -np.mean(np.diagonal(log_softmax(s.T)))
    if own == "positives left out":
        return -np.mean(np.diagonal(s) - lse(np.where(np.eye(len(s), dtype=bool), -np.inf, s)))
    if own == "sum for mean":
        return -np.sum(np.diagonal(log_softmax(s)))
    if own == "first column":
        return -np.mean(log_softmax(s)[:, 0])
    return -np.mean(np.diagonal(log_softmax(s, bug)))


def logcumsumexp(x, own):
    if own == "no shift":
        return np.log(np.cumsum(np.exp(x), -1))
    if own == "shift of the whole row":
        m = _shift(x, None)
        return m + np.log(np.cumsum(np.exp(x - m), -1))
    if own == "global shift":
        return np.max(x) + np.log(np.cumsum(np.exp(x - np.max(x)), -1))
    if own == "wrong axis":
        return np.logaddexp.accumulate(x, axis=0)
    if own == "reversed":
        return np.logaddexp.accumulate(x[..., ::-1], axis=-1)[..., ::-1]
    if own == "exclusive":
        y = np.logaddexp.accumulate(x, axis=-1)
        return np.concatenate([np.full_like(x[..., :1], -np.inf), y[..., :-1]], -1)
    if own == "maximum":
        return np.maximum.accumulate(x, axis=-1)
    if own == "float16 internals":
        return np.logaddexp.accumulate(x.astype(np.float16), axis=-1).astype(x.dtype)
    return x + np.log(np.arange(1, x.shape[-1] + 1)).astype(x.dtype)


CUM_BUGS = (
    "no shift", "shift of the whole row", "global shift", "wrong axis", "reversed", "exclusive", "maximum",
    "float16 internals", "counts",
)  # fmt: skip


def _in_place(fn):
    def changed(x, *rest):
        x -= np.max(x, -1, keepdims=True) if x.ndim else 0
        return fn(x, *rest)

    return changed


def numpy_mutants():
    """Every bug in NumPy."""

    def made(kernel, fn, bugs, own=(), **options):
        for bug in bugs:
            yield kernel, bug, partial(fn, bug=bug), options
        for bug in own:
            yield kernel, f"own: {bug}", partial(fn, own=bug), options

    yield from made("logsumexp", lse, (*ROW_BUGS[:-1], "eps in the log", "shift not added back"))
    yield "logsumexp", "keepdims", lambda x: lse(x)[..., None], {}
    yield "logsumexp", "float64", lambda x: lse(x.astype(np.float64)), {"dtypes": "float32"}
    yield "logsumexp", "float32 internals", partial(lse, bug="float32 internals"), {"dtypes": "float64"}
    yield from made("softmax", softmax, (*(b for b in ROW_BUGS if b != "mean for sum"), "mean for sum", "threshold"))
    yield "softmax", "in place", _in_place(softmax), {}
    yield "softmax", "float32 internals", partial(softmax, bug="float32 internals"), {"dtypes": "float64"}
    yield from made("log_softmax", log_softmax, (*ROW_BUGS, *LOG_BUGS))
    yield "log_softmax", "x - lse", lambda x: x - lse(x)[..., None], {}
    yield from made("logmeanexp", lambda x, bug: lse(x, bug) - math.log(x.shape[-1]), ROW_BUGS[:-2])
    yield "logmeanexp", "size of everything", lambda x: lse(x) - math.log(x.size), {}
    yield "logmeanexp", "division lost", lse, {}
    yield from made("logcumsumexp", logcumsumexp, (), CUM_BUGS)
    yield from made("masked_softmax", masked, ROW_BUGS, (
        "multiplied", "zeroed", "small number", "not renormalised", "renormalised", "nan rows", "uniform rows", "mask inverted",
    ))  # fmt: skip
    for kernel, bugs in (
        ("sigmoid", SIGMOID_BUGS),
        ("softplus_grad", SIGMOID_BUGS),
        ("softplus", SOFTPLUS_BUGS),
        ("log_sigmoid", LOG_SIGMOID_BUGS),
        ("logaddexp", LOGADDEXP_BUGS),
        ("logsubexp", LOGSUBEXP_BUGS),
        ("log1mexp", LOG1MEXP_BUGS),
        ("sigmoid_grad", SIGMOID_GRAD_BUGS),
        ("entropy_from_probs", ENTROPY_FROM_PROBS_BUGS),
        ("ctc_loss", CTC_BUGS),
    ):
        for bug, fn in bugs.items():
            yield kernel, bug, fn, {}
    yield from made("entropy", entropy, (*ROW_BUGS, *LOG_BUGS[::2]), ("0 * -inf", "eps in the log"))
    yield from made("cross_entropy", ce, (*ROW_BUGS, *LOG_BUGS), (
        "label axis", "sum for mean", "mean over classes", "one-hot times log", "unshifted difference", "in place",
    ))  # fmt: skip
    smooth = {"params": {"label_smoothing": 0.1}, "domain": "finite"}
    yield "cross_entropy", "lost label smoothing", ce, smooth
    yield "cross_entropy", "half of label smoothing", lambda x, y: 0.9 * ce(x, y), smooth
    yield (
        "cross_entropy",
        "ignored counted",
        lambda x, y: -np.sum(np.where(y == -1, 0, log_softmax(x)[np.arange(len(y)), y])) / len(y),
        {"params": {"ignore_index": -1}},
    )
    yield "cross_entropy", "ignored used", ce, {"params": {"ignore_index": -1}}
    yield from made("soft_cross_entropy", soft_ce, (*ROW_BUGS, *LOG_BUGS), ("0 * -inf", "sum for mean"))
    for bug in BCE_BUGS:
        yield "bce_with_logits", bug, partial(bce, bug=bug), {}
    yield (
        "bce_with_logits",
        "pos_weight lost",
        lambda x, t: np.mean(np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))),
        {"params": {"pos_weight": 3.0}},
    )
    yield from made("kl_divergence", kl_logits, (*ROW_BUGS, *LOG_BUGS), (
        "0 * -inf", "from probabilities", "reversed", "normaliser of p lost",
    ))  # fmt: skip
    for bug in KL_BUGS:
        yield "kl_divergence_from_probs", bug, partial(_kl, own=bug), {}
    for bug in KL_DIV_BUGS:
        yield "kl_div", bug, partial(kl_div, own=bug), {}
    for bug in FOCAL_BUGS:
        yield "focal_loss", bug, partial(focal, own=bug), {}
    yield from made("attention", attention, ROW_BUGS, (
        "scale lost", "scaled by d", "multiplied", "small number", "not renormalised", "nan rows", "uniform rows",
        "mask inverted",
    ))  # fmt: skip
    for bug in MERGE_BUGS:
        yield "merge_attention", bug, partial(merge, own=bug), {}
    yield from made("gumbel_softmax", gumbel, ROW_BUGS, ("eps in the noise", "wrong sign", "one log"))
    yield from made("softmax_with_temperature", temperature, ROW_BUGS, (
        "multiplied", "lost", "after the shift only", "clipped",
    ))  # fmt: skip
    yield from made("mixture_log_prob", mixture, ROW_BUGS[:-1], (
        "densities", "eps in the log", "weights not normalised", "sigma lost", "constant lost", "log of weights",
        "sigma for log sigma", "half lost",
    ))  # fmt: skip
    yield from made("hmm_log_likelihood", hmm, ("no shift", "mean shift", "first shift", "clip", "float16 internals"), (
        "probabilities", "viterbi", "transposed", "off by one", "last step lost", "start lost", "maximum at the end",
    ))  # fmt: skip
    yield from made("info_nce", info_nce, (*ROW_BUGS, *LOG_BUGS), (
        "columns", "positives left out", "sum for mean", "first column",
    ))  # fmt: skip


def torch_mutants():
    """What only a gradient shows: the values of all of these are right."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    def lse_where(x):
        top = x.max(-1, keepdim=True).values.detach()
        return torch.where(x > -torch.inf, (x - top).exp(), 0.0).sum(-1).log() + top[..., 0]

    for kernel, bug, fn, options in (
        ("logsumexp", "shift detached twice", lambda x: torch.logsumexp(x - x.amax(-1, keepdim=True), -1)
            + x.amax(-1).detach(), {}),
        ("logsumexp", "straight-through maximum", lambda x: (torch.logsumexp(x, -1) - x.amax(-1)).detach() + x.amax(-1), {}),
        ("logsumexp", "detached", lambda x: torch.logsumexp(x, -1).detach() + 0 * torch.nan_to_num(x).sum(-1), {}),
        ("softmax", "detached denominator", lambda x: (lambda e: e / e.sum(-1, keepdim=True).detach())(
            (x - x.amax(-1, keepdim=True).detach()).exp()), {}),
        ("softmax", "straight-through", lambda x: torch.softmax(x, -1).detach() + x - x.detach(), {"domain": "finite"}),
        ("softmax", "gradient halved", lambda x: torch.softmax(0.5 * x + 0.5 * x.detach(), -1), {}),
        ("log_softmax", "detached normaliser", lambda x: (lambda z: z - torch.logsumexp(z, -1, keepdim=True).detach())(
            x - x.amax(-1, keepdim=True)), {}),
        ("log_softmax", "sign", lambda x: 2 * torch.log_softmax(x, -1).detach() - torch.log_softmax(x, -1), {"domain": "finite"}),
        ("sigmoid", "double where", lambda x: torch.where(x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x))), {}),
        ("sigmoid", "naive", lambda x: 1 / (1 + torch.exp(-x)), {}),
        ("softplus", "double where", lambda x: torch.where(x > 20, x, torch.log1p(torch.exp(x))), {"dtypes": "float32"}),
        ("softplus", "half the absolute value", lambda x: torch.clamp(x, min=0) + torch.log1p(torch.exp(-torch.abs(x)))
            + 0.5 * (torch.abs(x) - torch.abs(x).detach()), {}),
        ("softplus", "dead below", lambda x: F.softplus(torch.clamp(x, min=-5)) - (F.softplus(torch.clamp(x, min=-5))
            - F.softplus(x)).detach(), {}),
        ("log_sigmoid", "double where", lambda x: torch.where(x < -30, x, torch.log(torch.sigmoid(x))), {"dtypes": "float32"}),
        ("log_sigmoid", "detached tail", lambda x: torch.clamp(x, max=0) - torch.log1p(torch.exp(-x.abs())).detach(), {}),
        ("logaddexp", "maximum alone", lambda a, b: torch.maximum(a, b) + torch.log1p(torch.exp(-(a - b).abs())).detach(),
            {"domain": "finite"}),
        ("logaddexp", "unguarded infinities", lambda a, b: torch.where(
            torch.isinf(b), a, torch.maximum(a, b) + torch.log1p(torch.exp(-(a - b).abs()))), {"domain": "log_space"}),
        ("log1mexp", "double where", lambda x: torch.where(
            x > -math.log(2), torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x))) * 0.5
            + 0.5 * torch.where(x > -1e-3, torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x))), {}),
        ("cross_entropy", "detached normaliser", lambda x, y: -torch.gather(
            x - torch.logsumexp(x, 1, keepdim=True).detach(), 1, y[:, None]).mean(), {"domain": "finite"}),
        ("cross_entropy", "sum in the gradient", lambda x, y: F.cross_entropy(x, y).detach()
            + (lambda s: s - s.detach())(F.cross_entropy(x, y, reduction="sum")), {"domain": "finite"}),
        ("cross_entropy", "clamped", lambda x, y: (lambda loss: loss.detach() + (lambda s: s - s.detach())(
            -torch.log(torch.softmax(x, 1).gather(1, y[:, None]).clamp(min=1e-7)).mean()))(F.cross_entropy(x, y)), {"domain": "finite"}),
        ("bce_with_logits", "clamped", lambda x, t: (lambda p: F.binary_cross_entropy_with_logits(x, t).detach()
            + (lambda s: s - s.detach())(F.binary_cross_entropy(p, t)))(torch.sigmoid(x).clamp(1e-6, 1 - 1e-6)), {}),
        ("bce_with_logits", "absolute value", lambda x, t: (torch.clamp(x, min=0) - x * t
            + torch.log1p(torch.exp(-x.abs())).detach()).mean(), {}),
        ("entropy", "0 * -inf", lambda x: -torch.where(torch.softmax(x, -1) > 0, torch.softmax(x, -1)
            * torch.log(torch.softmax(x, -1)), 0.0).sum(-1), {}),
        ("entropy", "detached probabilities", lambda x: -(torch.softmax(x, -1).detach() * torch.log_softmax(x, -1)).sum(-1),
            {"domain": "finite"}),
        ("kl_divergence", "detached weights", lambda p, q: (torch.softmax(p, -1).detach()
            * (torch.log_softmax(p, -1) - torch.log_softmax(q, -1))).sum(-1), {"domain": "finite"}),
        ("focal_loss", "detached weight", lambda x, t: (torch.sigmoid(torch.where(t == 1, -x, x)).detach() ** 2
            * F.softplus(torch.where(t == 1, -x, x))), {"dtypes": "float32"}),
        ("softmax_with_temperature", "detached denominator", lambda x, t: (lambda e: e / e.sum(-1, keepdim=True).detach())(
            (x / t - (x / t).amax(-1, keepdim=True).detach()).exp()), {}),
        ("gumbel_softmax", "straight-through", lambda x, u: torch.softmax(x - torch.log(-torch.log(u)), -1).detach()
            + x - x.detach(), {"domain": "finite"}),
        ("masked_softmax", "detached", lambda x, m: torch.nan_to_num(torch.softmax(
            x.masked_fill(~m, -torch.inf), -1)).detach() + 0 * torch.nan_to_num(x, 0, 0, 0), {}),
        ("info_nce", "rows detached", lambda s: -(torch.diagonal(s).detach() - torch.logsumexp(s, 1)).mean(), {"domain": "finite"}),
        ("logsumexp", "where that hides nothing", lse_where, {"domain": "log_space"}),
    ):  # fmt: skip
        yield kernel, bug, fn, {"xp": torch, **options}
