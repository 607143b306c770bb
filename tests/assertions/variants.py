"""More correct implementations, as they are spelled in the wild: none of them may be accused.

`numpy_functions()` and its siblings give (kernel, name, function, options of assert_stable), as in ``honest.py``.
"""

import math

import numpy as np

FINITE = {"domain": "finite"}


# NumPy


def lse_streaming(x):
    m, s = np.full(x.shape[:-1], -np.inf, x.dtype), np.zeros(x.shape[:-1], x.dtype)
    for i in range(x.shape[-1]):
        v = x[..., i]
        new = np.maximum(m, v)
        base = np.where(np.isneginf(new), 0, new).astype(x.dtype)
        s = s * np.exp(m - base) + np.exp(v - base)
        m = new
    return m + np.log(s)


def lse_blocks(x):
    parts = [np.logaddexp.reduce(b, axis=-1) for b in np.array_split(x, max(1, x.shape[-1] // 2), axis=-1)]
    return np.logaddexp.reduce(np.stack(parts, -1), axis=-1)


def lse_sorted(x):
    x = np.sort(x, axis=-1)
    return x[..., -1] + np.log1p(np.exp(x[..., :-1] - x[..., -1:]).sum(-1))


def lse_dot(x):
    m = x.max(-1, keepdims=True)
    return m[..., 0] + np.log(np.exp(x - m) @ np.ones(x.shape[-1], x.dtype))


def softmax_lse(x):
    return np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))


def softmax_online(x):
    return softmax_rows(x) if x.ndim > 1 else softmax_rows(x[None])[0]


def softmax_rows(x):
    out = np.empty_like(x)
    flat, to = x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1])
    for row, target in zip(flat, to, strict=True):
        np.exp(row - row.max(), out=target)
        target /= target.sum()
    return out


def softmax_transposed(x):
    t = np.moveaxis(x, -1, 0)
    e = np.exp(t - t.max(0))
    return np.moveaxis(e / e.sum(0), 0, -1)


def log_softmax_two_steps(x):
    z = x - x.max(-1, keepdims=True)
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


def logmeanexp_weights(x):
    m = x.max(-1, keepdims=True)
    return m[..., 0] + np.log(np.exp(x - m).sum(-1) / x.shape[-1])


def logcumsumexp_running(x):
    out = np.empty_like(x)
    acc = np.full(x.shape[:-1], -np.inf, x.dtype)
    for i in range(x.shape[-1]):
        acc = np.logaddexp(acc, x[..., i])
        out[..., i] = acc
    return out


def logcumsumexp_cummax(x):
    m = np.maximum.accumulate(x, axis=-1)
    out = np.empty_like(x)
    s = np.zeros(x.shape[:-1], x.dtype)
    last = np.full(x.shape[:-1], -np.inf, x.dtype)
    for i in range(x.shape[-1]):
        top = np.where(np.isneginf(m[..., i]), 0, m[..., i])
        s = s * np.exp(last - top) + np.exp(x[..., i] - top)
        last = m[..., i]
        out[..., i] = top + np.log(s)
    return out


def masked_softmax_ma(x, mask):
    z = np.ma.masked_array(x, ~mask)
    top = np.asarray(z.max(-1, keepdims=True).filled(0))
    e = np.where(mask, np.exp(np.where(mask, x - top, 0)), 0)
    total = e.sum(-1, keepdims=True)
    return np.where(total > 0, e / np.maximum(total, np.finfo(x.dtype).tiny), 0).astype(x.dtype)


def masked_softmax_initial(x, mask):
    top = np.max(x, axis=-1, keepdims=True, where=mask, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    e = np.exp(np.where(mask, x - top, -np.inf))
    return np.nan_to_num(e / e.sum(-1, keepdims=True))


def sigmoid_tanh_half(x):
    return np.exp(-np.logaddexp(0, -x)).astype(x.dtype)


def sigmoid_piecewise(x):
    return np.piecewise(x, [x >= 0], [lambda v: 1 / (1 + np.exp(-v)), lambda v: np.exp(v) / (1 + np.exp(v))])


def softplus_max(x):
    return np.where(x > 0, x, 0).astype(x.dtype) + np.log1p(np.exp(-abs(x)))


def softplus_logaddexp(x):
    return np.logaddexp(x, np.zeros_like(x))


def softplus_threshold(x):
    top = np.asarray(-math.log(np.finfo(x.dtype).eps) + 2, x.dtype)
    return np.where(x > top, x, np.log1p(np.exp(np.minimum(x, top))))


def log_sigmoid_logaddexp(x):
    return -np.logaddexp(0, -x).astype(x.dtype)


def log_sigmoid_where(x):
    return np.where(x > 0, -np.log1p(np.exp(-np.abs(x))), x - np.log1p(np.exp(-np.abs(x))))


def logaddexp_stack(a, b):
    z = np.stack([a, b], -1)
    m = z.max(-1, keepdims=True)
    return (m + np.log(np.exp(z - m).sum(-1, keepdims=True)))[..., 0]


def logaddexp_swap(a, b):
    hi, lo = np.where(a > b, a, b), np.where(a > b, b, a)
    return hi + np.log1p(np.exp(lo - hi))


def logsubexp_expm1(a, b):
    d = b - a
    return a + np.where(d < -0.6931, np.log1p(-np.exp(d)), np.log(-np.expm1(d)))


def log1mexp_where(x):
    near = x > -0.6931
    with np.errstate(all="ignore"):
        return np.where(near, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def log1mexp_masked(x):
    out = np.empty_like(x)
    near = x > -1.0
    out[near] = np.log(-np.expm1(x[near]))
    out[~near] = np.log1p(-np.exp(x[~near]))
    return out


def entropy_loops(x):
    m = x.max(-1, keepdims=True)
    e = np.exp(x - m)
    s = e.sum(-1)
    z = np.where(np.isfinite(x), x - m, 0)
    return np.log(s) - (e * z).sum(-1) / s


def entropy_probs_guarded(p):
    logs = np.log(p, where=p > 0, out=np.zeros_like(p))
    return -(p * logs).sum(-1)


def ce_take(x, y):
    logz = np.logaddexp.reduce(x - x.max(1, keepdims=True), axis=1)
    picked = np.take_along_axis(x - x.max(1, keepdims=True), y[:, None], 1)[:, 0]
    return (logz - picked).mean()


def ce_loop(x, y):
    total = x.dtype.type(0)
    for row, label in zip(x, y, strict=True):
        z = row - row.max()
        total += np.log(np.exp(z).sum()) - z[label]
    return total / len(y)


def ce_smooth(x, y, eps=0.1):
    z = x - x.max(1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    n, c = x.shape
    t = np.full((n, c), eps / c, x.dtype)
    t[np.arange(n), y] += 1 - eps
    return -(t * logs).sum(1).mean()


def ce_ignore(x, y):
    keep = y != -1
    if not keep.any():
        return x.dtype.type(0)
    return ce_take(x[keep], y[keep])


def soft_ce_max(x, t):
    z = x - x.max(-1, keepdims=True)
    logz = np.log(np.exp(z).sum(-1, keepdims=True))
    return np.where(t == 0, 0, t * (logz - z)).sum(-1).mean()


def soft_ce_split(x, t):
    z = x - x.max(-1, keepdims=True)
    return (t.sum(-1) * np.log(np.exp(z).sum(-1)) - np.where(t == 0, 0, t * z).sum(-1)).mean()


def bce_logaddexp(x, t):
    return (np.logaddexp(0, x) - x * t).mean().astype(x.dtype)


def bce_where(x, t):
    return np.mean(np.where(x > 0, x * (1 - t), -x * t) + np.log1p(np.exp(-np.abs(x))))


def bce_logsigmoid(x, t):
    ls = lambda v: np.minimum(v, 0) - np.log1p(np.exp(-np.abs(v)))  # noqa: E731
    return -np.mean(t * ls(x) + (1 - t) * ls(-x))


def bce_minus(x, t):
    ls = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
    return np.mean((1 - t) * x - ls)


def kl_xlogy(p_logits, q_logits):
    p, q = log_softmax_two_steps(p_logits), log_softmax_two_steps(q_logits)
    w = np.exp(p)
    d = np.subtract(p, q, out=np.zeros_like(p), where=w > 0)
    return (w * d).sum(-1)


def kl_cross_minus_entropy(p_logits, q_logits):
    p, q = log_softmax_two_steps(p_logits), log_softmax_two_steps(q_logits)
    w = np.exp(p)
    with np.errstate(all="ignore"):
        return np.where(w > 0, w * p, 0).sum(-1) - np.where(w > 0, w * q, 0).sum(-1)


def kl_probs_logs(p, q):
    with np.errstate(all="ignore"):
        return np.where(p > 0, p * np.log(p), 0).sum(-1) - np.where(p > 0, p * np.log(q), 0).sum(-1)


def kl_div_xlogy(log_q, t):
    import scipy.special as sp

    return (sp.xlogy(t, t) - np.where(t == 0, 0, t * log_q)).sum(-1)


def kl_div_log(log_q, t):
    with np.errstate(all="ignore"):
        return np.where(t == 0, 0, t * (np.log(t) - log_q)).sum(-1)


def focal_bce(x, t):
    ce = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
    s = np.where(t == 1, -x, x)
    return np.exp(-2 * np.logaddexp(0, -s)).astype(x.dtype) * ce


def focal_exp_ce(x, t):
    log_pt = -np.logaddexp(0, np.where(t == 1, -x, x)).astype(x.dtype)
    return -(np.expm1(log_pt) ** 2) * log_pt


def info_nce_diag(s):
    return (np.logaddexp.reduce(s - s.max(1, keepdims=True), 1) - np.diag(s - s.max(1, keepdims=True))).mean()


def info_nce_temperature(s):
    z = s / s.dtype.type(0.07)
    z = z - z.max(1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(1)) - np.diag(z))


def attention_einsum(q, k, v, mask):
    s = np.einsum("ld,sd->ls", q, k) / np.sqrt(q.dtype.type(q.shape[-1]))
    return np.einsum("ls,se->le", masked_softmax_initial(s, mask), v)


def attention_online(q, k, v, mask):
    scale = q.dtype.type(1 / math.sqrt(q.shape[-1]))
    m = np.full(len(q), -np.inf, q.dtype)
    total = np.zeros(len(q), q.dtype)
    out = np.zeros((len(q), v.shape[-1]), q.dtype)
    for j in range(len(k)):
        s = np.where(mask[:, j], (q @ k[j]) * scale, -np.inf).astype(q.dtype)
        new = np.maximum(m, s)
        base = np.where(np.isneginf(new), 0, new)
        old, now = np.exp(m - base), np.exp(s - base)
        total = total * old + now
        out = out * old[:, None] + now[:, None] * v[j]
        m = new
    return out / np.where(total == 0, 1, total)[:, None]


def attention_both_scaled(q, k, v, mask):
    r = q.dtype.type(q.shape[-1] ** -0.25)
    s = np.where(mask, (q * r) @ (k * r).T, -np.inf)
    top = np.where(mask.any(1), s.max(1), 0)[:, None]
    e = np.exp(s - top)
    return (e / np.where(mask.any(1), e.sum(1), 1)[:, None]) @ v


def merge_sigmoid(o1, l1, o2, l2):
    with np.errstate(all="ignore"):
        d = np.where(np.isneginf(l1) & np.isneginf(l2), 0, l1 - l2)
        w = np.where(d >= 0, 1 / (1 + np.exp(-np.abs(d))), np.exp(-np.abs(d)) / (1 + np.exp(-np.abs(d))))
        w2 = np.where(d >= 0, np.exp(-np.abs(d)) / (1 + np.exp(-np.abs(d))), 1 / (1 + np.exp(-np.abs(d))))
        none = np.isneginf(l1) & np.isneginf(l2)
        w, w2 = np.where(none, 0, w), np.where(none, 0, w2)
        return w[:, None] * o1 + w2[:, None] * o2, np.logaddexp(l1, l2)


def merge_ratio(o1, l1, o2, l2):
    top = np.where(np.isneginf(np.maximum(l1, l2)), 0, np.maximum(l1, l2))
    a, b = np.exp(l1 - top), np.exp(l2 - top)
    s = a + b
    safe = np.where(s > 0, s, 1)
    return o1 * (a / safe)[:, None] + o2 * (b / safe)[:, None], np.where(s > 0, np.log(safe) + top, -np.inf)


def gumbel_sum(logits, u):
    z = logits + -np.log(-np.log(u))
    z = z - z.max(-1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(-1, keepdims=True)


def gumbel_exponential(logits, u):
    e = -np.log(u)
    z = logits - np.log(e)
    return np.exp(log_softmax_two_steps(z))


def temperature_inverse(x, t):
    z = x * (1 / t)
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def mixture_scaled(x, w, mu, ls):
    s = np.exp(ls)
    z = (x[:, None] - mu[None]) / s
    lp = log_softmax_two_steps(w)[None] - 0.5 * z * z - ls[None] - x.dtype.type(0.5 * np.log(2 * np.pi))
    return np.logaddexp.reduce(lp, axis=1)


def mixture_variance(x, w, mu, ls):
    var = np.exp(2 * ls)
    lp = -0.5 * ((x[:, None] - mu) ** 2 / var + 2 * ls + x.dtype.type(np.log(2 * np.pi)))
    z = log_softmax_two_steps(w) + lp
    m = z.max(-1, keepdims=True)
    return (m + np.log(np.exp(z - m).sum(-1, keepdims=True)))[:, 0]


def sigmoid_grad_log(x):
    ls = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
    return np.exp(ls + ls - x)


def sigmoid_grad_two_logs(x):
    return np.exp(-np.logaddexp(0, x) - np.logaddexp(0, -x)).astype(x.dtype)


def sigmoid_grad_ratio(x):
    e = np.exp(-np.abs(x))
    return e / ((1 + e) * (1 + e))


def softplus_grad_logs(x):
    return np.exp(np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))


def hmm_reduce(log_init, log_trans, log_emit):
    a = log_init + log_emit[0]
    for e in log_emit[1:]:
        a = np.logaddexp.reduce(a[:, None] + log_trans, axis=0) + e
    return np.logaddexp.reduce(a)


def hmm_backward(log_init, log_trans, log_emit):
    b = np.zeros_like(log_init)
    for e in log_emit[:0:-1]:
        b = np.logaddexp.reduce(log_trans + (e + b)[None], axis=1)
    return np.logaddexp.reduce(log_init + log_emit[0] + b)


def hmm_matrix(log_init, log_trans, log_emit):
    a, scale = log_init + log_emit[0], log_init.dtype.type(0)
    for e in log_emit[1:]:
        top = a.max()
        if np.isneginf(top):
            return top
        scale = scale + top
        z = (a - top)[:, None] + log_trans
        m = z.max(0)
        base = np.where(np.isneginf(m), 0, m)
        a = base + np.log(np.exp(z - base).sum(0)) + e
    return scale + np.logaddexp.reduce(a)


def ctc_vector(log_probs, labels):
    ext = np.zeros(2 * len(labels) + 1, np.int64)
    ext[1::2] = labels
    skip = np.zeros(len(ext), bool)
    skip[3::2] = ext[3::2] != ext[1:-2:2]
    a = np.full(len(ext), -np.inf, log_probs.dtype)
    a[:2] = log_probs[0, ext[:2]]
    for lp in log_probs[1:]:
        one = np.concatenate([[-np.inf], a[:-1]]).astype(a.dtype)
        two = np.where(skip, np.concatenate([[-np.inf, -np.inf], a])[: len(a)], -np.inf).astype(a.dtype)
        a = np.logaddexp(np.logaddexp(a, one), two) + lp[ext]
    return -np.logaddexp.reduce(a[-2:])


def numpy_functions():
    for kernel, functions in {
        "logsumexp": (lse_streaming, lse_blocks, lse_sorted, lse_dot),
        "softmax": (softmax_lse, softmax_online, softmax_transposed),
        "log_softmax": (log_softmax_two_steps,),
        "logmeanexp": (logmeanexp_weights,),
        "logcumsumexp": (logcumsumexp_running, logcumsumexp_cummax),
        "masked_softmax": (masked_softmax_ma, masked_softmax_initial),
        "sigmoid": (sigmoid_tanh_half, sigmoid_piecewise),
        "softplus": (softplus_max, softplus_logaddexp, softplus_threshold),
        "log_sigmoid": (log_sigmoid_logaddexp, log_sigmoid_where),
        "logaddexp": (logaddexp_stack, logaddexp_swap),
        "logsubexp": (logsubexp_expm1,),
        "log1mexp": (log1mexp_where, log1mexp_masked),
        "entropy": (entropy_loops,),
        "entropy_from_probs": (entropy_probs_guarded,),
        "cross_entropy": (ce_take, ce_loop),
        "soft_cross_entropy": (soft_ce_max, soft_ce_split),
        "bce_with_logits": (bce_logaddexp, bce_where, bce_logsigmoid, bce_minus),
        "kl_divergence": (kl_xlogy, kl_cross_minus_entropy),
        "kl_divergence_from_probs": (kl_probs_logs,),
        "kl_div": (kl_div_xlogy, kl_div_log),
        "focal_loss": (focal_bce, focal_exp_ce),
        "info_nce": (info_nce_diag,),
        "attention": (attention_einsum, attention_online, attention_both_scaled),
        "merge_attention": (merge_sigmoid, merge_ratio),
        "gumbel_softmax": (gumbel_sum, gumbel_exponential),
        "softmax_with_temperature": (temperature_inverse,),
        "mixture_log_prob": (mixture_scaled, mixture_variance),
        "sigmoid_grad": (sigmoid_grad_log, sigmoid_grad_two_logs, sigmoid_grad_ratio),
        "softplus_grad": (softplus_grad_logs,),
        "hmm_log_likelihood": (hmm_reduce, hmm_backward, hmm_matrix),
        "ctc_loss": (ctc_vector,),
    }.items():
        for fn in functions:
            yield kernel, fn.__name__, fn, {}
    yield "cross_entropy", "ce_smooth", ce_smooth, {"params": {"label_smoothing": 0.1}, **FINITE}
    yield "cross_entropy", "ce_ignore", ce_ignore, {"params": {"ignore_index": -1}}
    yield "info_nce", "info_nce_temperature", info_nce_temperature, {"params": {"temperature": 0.07}}


# PyTorch


def sigmoid_abs(x):
    import torch

    e = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + e), e / (1 + e))


def torch_functions():
    import torch
    import torch.nn.functional as F  # noqa: N812

    inf = torch.inf
    no = {"gradients": False}

    def lse(x):
        m = x.amax(-1, keepdim=True)
        return (x - m).exp().sum(-1).log() + m.squeeze(-1)

    def lse_detached(x):
        m = x.max(-1, keepdim=True).values.detach()
        return torch.log(torch.exp(x - m).sum(-1)) + m.squeeze(-1)

    def softmax(x):
        e = torch.exp(x - x.max(-1, keepdim=True).values)
        return e / e.sum(-1, keepdim=True)

    def log_softmax(x):
        return (
            x - x.max(-1, keepdim=True).values - (x - x.max(-1, keepdim=True).values).exp().sum(-1, keepdim=True).log()
        )

    def masked(x, m):
        none = ~m.any(-1, keepdim=True)
        return torch.softmax(x.masked_fill(~m & ~none, -inf), -1).masked_fill(none | ~m, 0.0)

    def attention(q, k, v, m):
        s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        return masked(s, m) @ v

    def focal(x, t):
        ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        p = torch.sigmoid(x)
        pt = torch.where(t == 1, torch.sigmoid(-x), p)
        return pt**2 * ce

    def merge(o1, l1, o2, l2):
        lse = torch.logaddexp(l1, l2)
        safe = torch.where(lse == -inf, torch.zeros_like(lse), lse)
        return (l1 - safe).exp()[:, None] * o1 + (l2 - safe).exp()[:, None] * o2, lse

    def merge_stack(o1, l1, o2, l2):
        z = torch.stack([l1, l2])
        w = torch.nan_to_num(torch.softmax(z, 0))
        return w[0][:, None] * o1 + w[1][:, None] * o2, torch.logsumexp(z, 0)

    def hmm(a, t, e):
        alpha = a + e[0]
        for step in e[1:]:
            alpha = torch.logsumexp(alpha[:, None] + t, 0) + step
        return torch.logsumexp(alpha, 0)

    def mixture(x, w, mu, ls):
        comp = torch.distributions.Normal(mu, ls.exp(), validate_args=False).log_prob(x[:, None])
        return torch.logsumexp(F.log_softmax(w, -1) + comp, -1)

    def mixture_family(x, w, mu, ls):
        d = torch.distributions
        mix = d.Categorical(logits=w, validate_args=False)
        return d.MixtureSameFamily(mix, d.Normal(mu, ls.exp(), validate_args=False), validate_args=False).log_prob(x)

    yield "logsumexp", "amax", lse, {}
    yield "logsumexp", "detached maximum", lse_detached, {}
    yield "logsumexp", "tensor method", lambda x: x.logsumexp(-1), {}
    yield "softmax", "shifted", softmax, {}
    yield "softmax", "exp of log_softmax", lambda x: F.log_softmax(x, -1).exp(), {}
    yield "softmax", "float32", lambda x: F.softmax(x, -1, dtype=torch.float32).to(x.dtype), {"dtypes": "float32"}
    yield "softmax", "exp(x - lse)", lambda x: (x - x.logsumexp(-1, keepdim=True)).exp(), {}
    yield "log_softmax", "x - max - log sum", log_softmax, {}
    yield "logmeanexp", "log mean", lambda x: (x - x.amax(-1, keepdim=True)).exp().mean(-1).log() + x.amax(-1), {}
    yield (
        "logcumsumexp",
        "stack of logsumexp",
        lambda x: torch.stack([x[..., : i + 1].logsumexp(-1) for i in range(x.shape[-1])], -1),
        {"domain": "finite"},
    )
    yield "masked_softmax", "filled", masked, {}
    yield "masked_softmax", "times mask", lambda x, m: (
        torch.softmax(torch.where(m, x, torch.finfo(x.dtype).min), -1) * m
    ), no  # fmt: skip
    yield "sigmoid", "exp of -abs", sigmoid_abs, {}
    yield "sigmoid", "exp(logsigmoid)", lambda x: F.logsigmoid(x).exp(), {}
    yield "softplus", "clamp", lambda x: x.clamp(min=0) + torch.log1p(torch.exp(-x.abs())), {}
    yield "softplus", "-logsigmoid(-x)", lambda x: -F.logsigmoid(-x), {}
    yield "log_sigmoid", "-softplus(-x)", lambda x: -F.softplus(-x), {"dtypes": "float32"}
    yield "log_sigmoid", "minimum", lambda x: torch.minimum(x, torch.zeros_like(x)) - torch.log1p((-x.abs()).exp()), {}
    yield "logaddexp", "stack", lambda a, b: torch.stack([a, b]).logsumexp(0), {}
    yield "logsubexp", "where", lambda a, b: a + torch.where(
        a - b > 0.6931, torch.log1p(-torch.exp(b - a)), torch.log(-torch.expm1(b - a))
    ), no  # fmt: skip
    yield "log1mexp", "where", lambda x: torch.where(
        x > -0.6931, torch.log(-torch.expm1(x.clamp(min=-1))), torch.log1p(-torch.exp(x.clamp(max=-0.5)))
    ), {}  # fmt: skip
    yield "entropy", "lse - sum(p x)", lambda x: (
        (lambda z: torch.logsumexp(z, -1) - (torch.softmax(z, -1) * z).sum(-1))(x - x.amax(-1, keepdim=True))
    ), FINITE  # fmt: skip
    yield "entropy_from_probs", "entr", lambda p: torch.special.entr(p).sum(-1), {}
    yield "entropy_from_probs", "xlogy", lambda p: -torch.xlogy(p, p).sum(-1), {}
    yield "entropy_from_probs", "Categorical", lambda p: torch.distributions.Categorical(probs=p).entropy(), no
    yield "cross_entropy", "gather", lambda x, y: -F.log_softmax(x, -1).gather(1, y[:, None]).squeeze(1).mean(), {}
    yield "cross_entropy", "lse - picked", lambda x, y: (
        (lambda z: (z.logsumexp(1) - z[torch.arange(len(y)), y]).mean())(x - x.amax(1, keepdim=True))
    ), {}  # fmt: skip
    yield "cross_entropy", "one-hot", lambda x, y: -(
        F.one_hot(y, x.shape[1]) * F.log_softmax(x, 1)
    ).sum(1).mean(), FINITE  # fmt: skip
    yield "soft_cross_entropy", "sum", lambda x, t: -(t * F.log_softmax(x, -1)).sum(-1).mean(), FINITE
    yield "soft_cross_entropy", "where", lambda x, t: (
        -torch.where(t > 0, t * F.log_softmax(x, -1), 0).sum(-1).mean()
    ), FINITE  # fmt: skip
    yield "bce_with_logits", "softplus", lambda x, t: (F.softplus(x) - x * t).mean(), {"dtypes": "float32"}
    yield "bce_with_logits", "logsigmoid", lambda x, t: (
        -(t * F.logsigmoid(x) + (1 - t) * F.logsigmoid(-x)).mean()
    ), {}  # fmt: skip
    yield "bce_with_logits", "Bernoulli", lambda x, t: (
        -torch.distributions.Bernoulli(logits=x, validate_args=False).log_prob(t).mean()
    ), {}  # fmt: skip
    yield "kl_divergence", "kl_div", lambda p, q: F.kl_div(
        F.log_softmax(q, -1), F.softmax(p, -1), reduction="none"
    ).sum(-1), {**FINITE, **no}  # fmt: skip
    yield "kl_divergence", "softmax times difference", lambda p, q: (
        torch.softmax(p, -1) * (torch.log_softmax(p, -1) - torch.log_softmax(q, -1))
    ).sum(-1), FINITE  # fmt: skip
    yield "kl_divergence_from_probs", "xlogy", lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1), {}
    yield "kl_div", "xlogy", lambda lq, t: (torch.xlogy(t, t) - t * lq).sum(-1), FINITE

    def torchvision(x, t):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        return ce * (1 - (p * t + (1 - p) * (1 - t))) ** 2

    yield "focal_loss", "bce", focal, {}
    yield "focal_loss", "torchvision", torchvision, {}
    yield "focal_loss", "logsigmoid", lambda x, t: (
        (lambda z: -torch.sigmoid(-z) ** 2 * F.logsigmoid(z))(torch.where(t == 1, x, -x))
    ), {}  # fmt: skip
    yield "focal_loss", "2t - 1", lambda x, t: (
        (lambda z: (2 * F.logsigmoid(-z)).exp() * -F.logsigmoid(z))(x * (2 * t - 1))
    ), {}  # fmt: skip
    yield "attention", "masked", attention, {}
    yield "attention", "einsum", lambda q, k, v, m: torch.einsum(
        "ls,se->le", masked(torch.einsum("ld,sd->ls", q * q.shape[-1] ** -0.5, k), m), v
    ), {}  # fmt: skip
    yield "merge_attention", "logaddexp", merge, {}
    yield "merge_attention", "stack", merge_stack, {}
    yield "gumbel_softmax", "noise", lambda x, u: F.softmax(x + -torch.log(-torch.log(u)), dim=-1), {}
    yield "softmax_with_temperature", "F", lambda x, t: F.softmax(x / t, dim=-1), {}
    yield "softmax_with_temperature", "Categorical", lambda x, t: torch.softmax(
        (x - x.amax(-1, keepdim=True)) / t, -1
    ), {}  # fmt: skip
    yield "info_nce", "diagonal", lambda s: -F.log_softmax(s, 1).diagonal().mean(), {}
    yield "info_nce", "temperature", lambda s: F.cross_entropy(s / 0.1, torch.arange(len(s))), {
        "params": {"temperature": 0.1}
    }  # fmt: skip
    yield "hmm_log_likelihood", "logsumexp", hmm, no
    yield "hmm_log_likelihood", "logsumexp with gradients", hmm, FINITE
    yield "mixture_log_prob", "Normal", mixture, {}
    yield "mixture_log_prob", "MixtureSameFamily", mixture_family, {}
    yield "sigmoid_grad", "s (1 - s)", lambda x: torch.sigmoid(-x.abs()) * torch.sigmoid(x.abs()), no
    yield "softplus_grad", "exp(logsigmoid)", lambda x: torch.exp(F.logsigmoid(x)), {}


def torch_defects():
    """Return what is accused, and rightly.

    `Categorical` normalises by x - logsumexp(x), which costs eps * abs(x): [1000, 1000] has entropy .69317627 in
    float32. The gradient of abs(x) at 0 is 0, where that of a sigmoid is 1/4: that is judged when strict.
    """
    import torch

    yield "sigmoid", "where", sigmoid_abs, {"strict": True}
    yield "entropy", "Categorical", lambda x: torch.distributions.Categorical(logits=x).entropy(), FINITE
    yield "cross_entropy", "Categorical", lambda x, y: (
        -torch.distributions.Categorical(logits=x).log_prob(y).mean()
    ), {}  # fmt: skip
    yield "kl_divergence", "distributions", lambda p, q: torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=p), torch.distributions.Categorical(logits=q)
    ), FINITE  # fmt: skip


# JAX


def jax_functions():
    import jax
    import jax.numpy as jnp

    nn = jax.nn
    no = {"gradients": False}

    def lse(x):
        m = jnp.max(x, axis=-1, keepdims=True)
        m = jax.lax.stop_gradient(jnp.where(jnp.isfinite(m), m, 0))
        return jnp.log(jnp.exp(x - m).sum(-1)) + m[..., 0]

    def masked(x, m):
        return jnp.where(m.any(-1, keepdims=True), nn.softmax(x, where=m, axis=-1), 0.0)

    def attention(q, k, v, m):
        s = q @ k.T / jnp.sqrt(q.shape[-1]).astype(q.dtype)
        none = ~m.any(-1, keepdims=True)
        return jnp.where(none, 0, nn.softmax(jnp.where(m | none, s, -jnp.inf), axis=-1)) @ v

    def hmm(a, t, e):
        alpha = a + e[0]
        for step in e[1:]:
            alpha = nn.logsumexp(alpha[:, None] + t, axis=0) + step
        return nn.logsumexp(alpha)

    def mixture(x, w, mu, ls):
        z = (x[:, None] - mu) * jnp.exp(-ls)
        return nn.logsumexp(nn.log_softmax(w) - 0.5 * z**2 - ls - 0.5 * math.log(2 * math.pi), axis=-1)

    yield "logsumexp", "stop_gradient", lse, {}
    yield "logsumexp", "scipy", lambda x: jax.scipy.special.logsumexp(x, axis=-1), {}
    yield "softmax", "exp", lambda x: jnp.exp(nn.log_softmax(x, axis=-1)), {}
    yield "logmeanexp", "jax", lambda x: nn.logsumexp(x, axis=-1) - math.log(x.shape[-1]), {}
    yield "masked_softmax", "where", masked, no
    yield "softplus", "logaddexp", lambda x: jnp.logaddexp(x, 0.0), {}
    yield "log_sigmoid", "softplus", lambda x: -nn.softplus(-x), {}
    yield "entropy", "log_softmax", lambda x: -(nn.softmax(x) * nn.log_softmax(x)).sum(-1), FINITE
    yield "cross_entropy", "one-hot", lambda x, y: (
        -(nn.one_hot(y, x.shape[-1]) * nn.log_softmax(x)).sum(-1).mean()
    ), FINITE  # fmt: skip
    yield "soft_cross_entropy", "jax", lambda x, t: -(t * nn.log_softmax(x)).sum(-1).mean(), FINITE
    yield "bce_with_logits", "log_sigmoid", lambda x, t: (
        -(t * nn.log_sigmoid(x) + (1 - t) * nn.log_sigmoid(-x)).mean()
    ), {}  # fmt: skip
    yield "kl_divergence", "jax", lambda p, q: (
        nn.softmax(p) * (nn.log_softmax(p) - nn.log_softmax(q))
    ).sum(-1), FINITE  # fmt: skip
    yield "focal_loss", "jax", lambda x, t: (
        (lambda z: -(nn.sigmoid(-z) ** 2) * nn.log_sigmoid(z))(jnp.where(t == 1, x, -x))
    ), {}  # fmt: skip
    yield "info_nce", "jax", lambda s: -jnp.diagonal(nn.log_softmax(s, axis=1)).mean(), {}
    yield "attention", "jax", attention, no
    yield "hmm_log_likelihood", "jax", hmm, no
    yield "mixture_log_prob", "jax", mixture, {}
    yield "softmax_with_temperature", "jax", lambda x, t: nn.softmax(x / t, axis=-1), {}
    yield "gumbel_softmax", "jax", lambda x, u: nn.softmax(x - jnp.log(-jnp.log(u)), axis=-1), {}
    yield "sigmoid_grad", "jax", lambda x: nn.sigmoid(x) * nn.sigmoid(-x), {}
    yield "softplus_grad", "jax", nn.sigmoid, {}
