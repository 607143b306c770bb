"""KL divergence of two softmax distributions, from their logits, per row.

What it does
------------
`kl_divergence(p_logits, q_logits)` = sum(p * (log p - log q)).

Why is this bad?
----------------
From probabilities, log q is -inf where q underflows, and p log p is nan where p does.

References
----------
PyTorch documentation, `torch.nn.KLDivLoss`.
"""

args = {"p_logits": "logits", "q_logits": "logits"}
params = {"axis": -1}


def naive(xp, p_logits, q_logits, axis):
    p = xp.exp(p_logits) / xp.sum(xp.exp(p_logits), axis=axis, keepdims=True)
    q = xp.exp(q_logits) / xp.sum(xp.exp(q_logits), axis=axis, keepdims=True)
    return xp.sum(p * xp.log(p / q), axis=axis)


def stable(xp, p_logits, q_logits, axis):
    log_p, log_q = xp.log_softmax(p_logits, axis=axis), xp.log_softmax(q_logits, axis=axis)
    p = xp.exp(log_p)
    # A masked element of p adds nothing, whatever q is there.
    return xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * (log_p - log_q)), axis=axis)


def stable_two_sums(xp, p_logits, q_logits, axis):
    log_p, log_q = xp.log_softmax(p_logits, axis=axis), xp.log_softmax(q_logits, axis=axis)
    p = xp.exp(log_p)
    first = xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * log_p), axis=axis)
    return first - xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * log_q), axis=axis)


def vjp(xp, g, p_logits, q_logits, axis):
    log_p, log_q = xp.log_softmax(p_logits, axis=axis), xp.log_softmax(q_logits, axis=axis)
    p, q = xp.exp(log_p), xp.exp(log_q)
    gap = xp.where(xp.equal(p, 0.0), 0.0, log_p - log_q)
    total = xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * gap), axis=axis, keepdims=True)
    return xp.where(xp.equal(p, 0.0), 0.0, g * p * (gap - total)), g * (q - p)


replacement = {
    "numpy": "(scipy.special.softmax(p_logits, axis=axis) * (scipy.special.log_softmax(p_logits, axis=axis) - "
    "scipy.special.log_softmax(q_logits, axis=axis))).sum(axis=axis)",
    "torch": "torch.nn.functional.kl_div(torch.log_softmax(q_logits, dim=axis), torch.log_softmax(p_logits, "
    "dim=axis), reduction='none', log_target=True).sum(dim=axis)",
    "jax": "(jax.nn.softmax(p_logits, axis=axis) * (jax.nn.log_softmax(p_logits, axis=axis) - "
    "jax.nn.log_softmax(q_logits, axis=axis))).sum(axis=axis)",
}
