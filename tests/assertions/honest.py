"""Correct implementations of every kernel, of libraries and by hand: none of them may be accused.

`numpy_functions()` and its siblings give (kernel, name, function, options of assert_stable).
"""

import math
from functools import partial

import numpy as np

OWN = {"domain": "masked"}


# The textbook, in NumPy


def shift(x, axis=-1):
    top = np.max(x, axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, np.zeros_like(top))


def lse(x, axis=-1, keepdims=False):
    top = shift(x, axis)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


def lse_plain(x):
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]


def lse_log1p(x):
    top = np.max(x, axis=-1, keepdims=True)
    at = np.argmax(x, axis=-1)[..., None]
    rest = np.exp(x - top)
    np.put_along_axis(rest, at, 0.0, axis=-1)
    return top[..., 0] + np.log1p(rest.sum(axis=-1))


def lse_tree(x):
    pieces = [x[..., i] for i in range(x.shape[-1])]
    while len(pieces) > 1:
        pieces = [
            np.logaddexp(pieces[i], pieces[i + 1]) if i + 1 < len(pieces) else pieces[i]
            for i in range(0, len(pieces), 2)
        ]
    return pieces[0]


def lse_wide(x):
    return lse(x.astype(np.float64)).astype(x.dtype)


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def softmax_reciprocal(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e * (1 / e.sum(-1, keepdims=True))


def softmax_logs(x):
    return np.exp(log_softmax(x))


def softmax_wide(x):
    return softmax(x.astype(np.float64)).astype(x.dtype)


def log_softmax(x, axis=-1):
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def log_softmax_wide(x):
    return log_softmax(x.astype(np.float64)).astype(x.dtype)


def logmeanexp(x):
    return lse(x) - math.log(x.shape[-1])


def logmeanexp_mean(x):
    top = shift(x)
    return (top + np.log(np.mean(np.exp(x - top), axis=-1, keepdims=True)))[..., 0]


def logcumsumexp_accumulate(x):
    return np.logaddexp.accumulate(x, axis=-1)


def logcumsumexp_loop(x):
    return np.stack([lse(x[..., : i + 1]) for i in range(x.shape[-1])], axis=-1)


def masked_softmax(x, mask):
    z = np.where(mask, x, -np.inf)
    top = np.max(z, axis=-1, keepdims=True)
    e = np.exp(z - np.where(np.isneginf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def masked_softmax_after(x, mask):
    z = np.where(mask, x, np.finfo(np.asarray(x).dtype).min)
    e = np.exp(z - z.max(-1, keepdims=True)) * mask
    total = e.sum(-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(np.minimum(x, 0))))


def sigmoid_abs(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def sigmoid_split(x):
    out = np.empty_like(x)
    low = x < 0
    out[~low] = 1 / (1 + np.exp(-x[~low]))
    e = np.exp(x[low])
    out[low] = e / (1 + e)
    return out


def sigmoid_softplus(x):
    return np.exp(-softplus(-x))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softplus_where(x):
    return np.where(x > 0, x + np.log1p(np.exp(-x)), np.log1p(np.exp(np.minimum(x, 0))))


def log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def log_sigmoid_log(x):
    return np.minimum(x, 0) - np.log(1 + np.exp(-np.abs(x)))


def logaddexp(a, b):
    top = np.maximum(a, b)
    return np.where(np.isneginf(top), top, top + np.log1p(np.exp(-np.abs(a - b))))


def logsubexp(a, b):
    return a + np.where(a - b > math.log(2), np.log1p(-np.exp(b - a)), np.log(-np.expm1(b - a)))


def log1mexp(x):
    return np.where(x > -math.log(2), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def entropy(x):
    logs = log_softmax(x)
    p = np.exp(logs)
    return -np.sum(np.where(p > 0, p * logs, 0), axis=-1)


def entropy_lse(x):
    z = x - x.max(-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(-1, keepdims=True)
    return (np.log(total) - np.where(e > 0, e * z, 0).sum(-1, keepdims=True) / total)[..., 0]


def entropy_from_probs(p):
    return -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), axis=-1)


def cross_entropy(logits, labels):
    return -np.mean(log_softmax(logits)[np.arange(len(labels)), labels])


def cross_entropy_shifted(logits, labels):
    z = logits - logits.max(1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(labels)), labels])


def soft_cross_entropy(logits, targets):
    logs = log_softmax(logits)
    return -np.mean(np.sum(np.where(targets > 0, targets * logs, 0), axis=-1))


def bce(x, targets):
    return np.mean(np.maximum(x, 0) - x * targets + np.log1p(np.exp(-np.abs(x))))


def bce_softplus(x, targets):
    return np.mean(targets * softplus(-x) + (1 - targets) * softplus(x))


def kl_divergence(p_logits, q_logits):
    p, q = log_softmax(p_logits), log_softmax(q_logits)
    return np.sum(np.where(np.isneginf(p), 0, np.exp(p) * (p - q)), axis=-1)


def kl_divergence_from_probs(p, q):
    return np.sum(np.where(p > 0, p * (np.log(np.where(p > 0, p, 1)) - np.log(q)), 0), axis=-1)


def kl_div(log_q, targets):
    return np.sum(np.where(targets > 0, targets * (np.log(np.where(targets > 0, targets, 1)) - log_q), 0), axis=-1)


def focal_loss(x, targets):
    signed = np.where(targets == 1, x, -x)
    return (1 - sigmoid_abs(signed)) ** 2 * -log_sigmoid(signed)


def focal_loss_other(x, targets):
    signed = np.where(targets == 1, x, -x)
    return sigmoid_abs(-signed) ** 2 * softplus(-signed)


def info_nce(similarity):
    return -np.mean(np.diagonal(log_softmax(similarity)))


def attention(q, k, v, mask):
    scores = q @ k.T / math.sqrt(q.shape[-1])
    return masked_softmax(scores, mask) @ v


def attention_late(q, k, v, mask):
    scores = np.where(mask, (q / math.sqrt(q.shape[-1])) @ k.T, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isneginf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return (e @ v) / np.where(total == 0, 1, total)


def merge_attention(o1, lse1, o2, lse2):
    total = np.logaddexp(lse1, lse2)
    base = np.where(np.isneginf(total), 0, total)
    return np.exp(lse1 - base)[:, None] * o1 + np.exp(lse2 - base)[:, None] * o2, total


def merge_attention_max(o1, lse1, o2, lse2):
    top = np.maximum(lse1, lse2)
    base = np.where(np.isneginf(top), 0, top)
    w1, w2 = np.exp(lse1 - base), np.exp(lse2 - base)
    total = w1 + w2
    safe = np.where(total == 0, 1, total)
    return (w1[:, None] * o1 + w2[:, None] * o2) / safe[:, None], base + np.log(total)


def gumbel_softmax(logits, u):
    return softmax(logits - np.log(-np.log(u)))


def softmax_with_temperature(x, t):
    return softmax(x / t)


def softmax_with_temperature_after(x, t):
    e = np.exp((x - x.max(-1, keepdims=True)) / t)
    return e / e.sum(-1, keepdims=True)


def mixture_log_prob(x, w_logits, mu, log_sigma):
    z = (x[:, None] - mu) * np.exp(-log_sigma)
    return lse(log_softmax(w_logits) - 0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi))


def sigmoid_grad(x):
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


def sigmoid_grad_product(x):
    return sigmoid_abs(x) * sigmoid_abs(-x)


def hmm(log_init, log_trans, log_emit):
    alpha = log_init + log_emit[0]
    for emit in log_emit[1:]:
        alpha = lse(alpha[:, None] + log_trans, axis=0) + emit
    return lse(alpha)


def ctc(log_probs, labels):
    blank, dtype = 0, log_probs.dtype
    extended = [blank]
    for label in labels:
        extended += [int(label), blank]
    s = len(extended)
    alpha = np.full(s, -np.inf, dtype)
    alpha[0] = log_probs[0, blank]
    if s > 1:
        alpha[1] = log_probs[0, extended[1]]
    for step in log_probs[1:]:
        new = np.full(s, -np.inf, dtype)
        for i in range(s):
            terms = [alpha[i]] + ([alpha[i - 1]] if i else [])
            if i > 1 and extended[i] != blank and extended[i] != extended[i - 2]:
                terms.append(alpha[i - 2])
            new[i] = lse(np.array(terms, dtype)) + step[extended[i]]
        alpha = new
    return -(np.logaddexp(alpha[-1], alpha[-2]) if s > 1 else alpha[-1])


def numpy_functions():
    for kernel, functions in {
        "logsumexp": (lse, lse_plain, lse_log1p, lse_tree, lse_wide),
        "softmax": (softmax, softmax_reciprocal, softmax_logs, softmax_wide),
        "log_softmax": (log_softmax, log_softmax_wide),
        "logmeanexp": (logmeanexp, logmeanexp_mean),
        "logcumsumexp": (logcumsumexp_accumulate, logcumsumexp_loop),
        "masked_softmax": (masked_softmax, masked_softmax_after),
        "sigmoid": (sigmoid, sigmoid_abs, sigmoid_split, sigmoid_softplus),
        "softplus": (softplus, softplus_where),
        "log_sigmoid": (log_sigmoid, log_sigmoid_log),
        "logaddexp": (logaddexp, np.logaddexp),
        "logsubexp": (logsubexp,),
        "log1mexp": (log1mexp,),
        "entropy": (entropy, entropy_lse),
        "entropy_from_probs": (entropy_from_probs,),
        "cross_entropy": (cross_entropy, cross_entropy_shifted),
        "soft_cross_entropy": (soft_cross_entropy,),
        "bce_with_logits": (bce, bce_softplus),
        "kl_divergence": (kl_divergence,),
        "kl_divergence_from_probs": (kl_divergence_from_probs,),
        "kl_div": (kl_div,),
        "focal_loss": (focal_loss, focal_loss_other),
        "info_nce": (info_nce,),
        "attention": (attention, attention_late),
        "merge_attention": (merge_attention, merge_attention_max),
        "gumbel_softmax": (gumbel_softmax,),
        "softmax_with_temperature": (softmax_with_temperature, softmax_with_temperature_after),
        "mixture_log_prob": (mixture_log_prob,),
        "sigmoid_grad": (sigmoid_grad, sigmoid_grad_product),
        "softplus_grad": (sigmoid_abs,),
        "hmm_log_likelihood": (hmm,),
        "ctc_loss": (ctc,),
    }.items():
        for fn in functions:
            yield kernel, fn.__name__, fn, {}


def scipy_functions():
    import scipy.special as sp

    yield "logsumexp", "scipy", sp.logsumexp, {}
    yield "softmax", "scipy", sp.softmax, {}
    yield "log_softmax", "scipy", sp.log_softmax, {}
    yield "sigmoid", "scipy.expit", sp.expit, {}
    yield "log_sigmoid", "scipy.log_expit", sp.log_expit, {}
    yield "softplus", "numpy", partial(np.logaddexp, 0), {}
    yield "softplus_grad", "scipy.expit", sp.expit, {}
    yield "entropy_from_probs", "scipy.entr", lambda p: sp.entr(p).sum(-1), {}
    yield "kl_divergence_from_probs", "scipy.rel_entr", lambda p, q: sp.rel_entr(p, q).sum(-1), {}
    yield (
        "soft_cross_entropy",
        "scipy",
        lambda x, t: -np.mean(np.sum(np.where(t > 0, t * sp.log_softmax(x, axis=-1), 0), -1)),
        {},
    )
    yield "logmeanexp", "scipy", lambda x: sp.logsumexp(x, axis=-1, b=1 / x.shape[-1]).astype(x.dtype), {}
    yield "masked_softmax", "scipy", lambda x, m: np.nan_to_num(sp.softmax(np.where(m, x, -np.inf), axis=-1)), {}
    yield "bce_with_logits", "scipy", lambda x, t: -np.mean(t * sp.log_expit(x) + (1 - t) * sp.log_expit(-x)), {}


def torch_functions():
    import torch
    import torch.nn.functional as F  # noqa: N812

    yield "logsumexp", "torch", torch.logsumexp, {}
    yield "softmax", "torch", torch.softmax, {}
    yield "softmax", "F", F.softmax, {}
    yield "softmax", "nn", torch.nn.Softmax(dim=-1), {}
    yield "log_softmax", "torch", torch.log_softmax, {}
    yield "log_softmax", "nn", torch.nn.LogSoftmax(dim=-1), {}
    yield "logmeanexp", "torch", lambda x: torch.logsumexp(x, -1) - math.log(x.shape[-1]), {}
    yield "logcumsumexp", "torch", torch.logcumsumexp, {"domain": "finite"}
    yield "sigmoid", "torch", torch.sigmoid, {}
    yield "log_sigmoid", "F", F.logsigmoid, {}
    yield "softplus", "F", F.softplus, {"dtypes": "float32"}
    yield "softplus", "torch.logaddexp", lambda x: torch.logaddexp(x, torch.zeros_like(x)), {}
    yield "logaddexp", "torch", torch.logaddexp, {}
    yield "cross_entropy", "F", F.cross_entropy, {}
    yield "cross_entropy", "nn", torch.nn.CrossEntropyLoss(), {}
    yield "cross_entropy", "smoothed", partial(F.cross_entropy, label_smoothing=0.1), {
        "params": {"label_smoothing": 0.1}, "domain": "finite",
    }  # fmt: skip
    yield "cross_entropy", "ignoring", partial(F.cross_entropy, ignore_index=-1), {"params": {"ignore_index": -1}}
    yield "cross_entropy", "nll", lambda x, y: F.nll_loss(F.log_softmax(x, 1), y), {}
    yield "soft_cross_entropy", "F", F.cross_entropy, {"domain": "finite"}
    yield "bce_with_logits", "F", F.binary_cross_entropy_with_logits, {}
    yield (
        "bce_with_logits",
        "weighted",
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0, dtype=x.dtype)),
        {"params": {"pos_weight": 3.0}},
    )
    yield (
        "kl_divergence",
        "F",
        lambda p, q: F.kl_div(F.log_softmax(q, -1), F.log_softmax(p, -1), reduction="none", log_target=True).sum(-1),
        {"domain": "finite"},
    )
    yield "kl_div", "F", lambda log_q, t: F.kl_div(log_q, t, reduction="none").sum(-1), {"domain": "finite"}
    yield (
        "attention",
        "F",
        lambda q, k, v, m: torch.nan_to_num(
            F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=m[None])[0]
        ),
        {},
    )
    yield "info_nce", "F", lambda s: F.cross_entropy(s, torch.arange(len(s))), {}
    yield "entropy", "torch", lambda x: torch.special.entr(torch.softmax(x, -1)).sum(-1), {"gradients": False}
    yield "entropy", "logs", lambda x: -(torch.softmax(x, -1) * torch.log_softmax(x, -1)).sum(-1), {"domain": "finite"}
    yield "softmax_with_temperature", "torch", lambda x, t: torch.softmax(x / t, -1), {}
    yield "gumbel_softmax", "torch", lambda x, u: torch.softmax(x - torch.log(-torch.log(u)), -1), {}
    yield "masked_softmax", "torch", lambda x, m: torch.nan_to_num(torch.softmax(x.masked_fill(~m, -torch.inf), -1)), {}
    yield (
        "ctc_loss",
        "F",
        lambda lp, y: F.ctc_loss(
            lp[:, None], y[None], torch.tensor([len(lp)]), torch.tensor([len(y)]), reduction="sum"
        ),
        {"gradients": False},
    )
    yield (
        "focal_loss",
        "torch",
        lambda x, t: torch.sigmoid(torch.where(t == 1, -x, x)) ** 2 * F.softplus(torch.where(t == 1, -x, x)),
        {"dtypes": "float32"},
    )
    yield (
        "mixture_log_prob",
        "torch",
        lambda x, w, mu, ls: torch.logsumexp(
            torch.log_softmax(w, -1)
            - 0.5 * ((x[:, None] - mu) * torch.exp(-ls)) ** 2
            - ls
            - 0.5 * math.log(2 * math.pi),
            -1,
        ),
        {},
    )
    yield "sigmoid_grad", "torch", lambda x: torch.sigmoid(x) * torch.sigmoid(-x), {}
    yield "softplus_grad", "torch", torch.sigmoid, {}


def jax_functions():
    import jax
    import jax.numpy as jnp

    yield "logsumexp", "jax.nn", jax.nn.logsumexp, {}
    yield "logsumexp", "jit", jax.jit(lambda x: jax.nn.logsumexp(x, axis=-1)), {}
    yield "softmax", "jax.nn", jax.nn.softmax, {}
    yield "softmax", "vmap", jax.vmap(jax.nn.softmax), {"ndim": 2}
    yield "log_softmax", "jax.nn", jax.nn.log_softmax, {}
    yield "logcumsumexp", "jax.lax", lambda x: jax.lax.cumlogsumexp(x, axis=x.ndim - 1), {"domain": "finite"}
    yield "sigmoid", "jax.nn", jax.nn.sigmoid, {}
    yield "log_sigmoid", "jax.nn", jax.nn.log_sigmoid, {}
    yield "softplus", "jax.nn", jax.nn.softplus, {}
    yield "logaddexp", "jnp", jnp.logaddexp, {}
    yield "log1mexp", "jax.nn", lambda x: jax.nn.log1mexp(-x), {}
    yield (
        "cross_entropy",
        "jax",
        lambda x, y: -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1)),
        {},
    )


def tensorflow_functions():
    import tensorflow as tf

    yield "logsumexp", "tf", tf.reduce_logsumexp, {}
    yield "softmax", "tf", tf.nn.softmax, {}
    yield "softmax", "tf.function", tf.function(lambda x: tf.nn.softmax(x)), {"ndim": 2}
    yield "log_softmax", "tf", tf.nn.log_softmax, {}
    yield "sigmoid", "tf", tf.sigmoid, {}
    yield "log_sigmoid", "tf", tf.math.log_sigmoid, {}
    yield "softplus", "tf", tf.math.softplus, {}
    yield (
        "cross_entropy",
        "tf",
        lambda x, y: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)),
        {},
    )
    yield (
        "soft_cross_entropy",
        "tf",
        lambda x, t: tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=t, logits=x)),
        {"domain": "finite"},
    )
    yield (
        "bce_with_logits",
        "tf",
        lambda x, t: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=x)),
        {},
    )
