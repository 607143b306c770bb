"""Log density of a mixture of Gaussians with unnormalised weights.

What it does
------------
`mixture_log_prob(x, w_logits, mu, log_sigma)` per element of x:
logsumexp over k of log_softmax(w)_k + log N(x; mu_k, exp(log_sigma_k)).

Why is this bad?
----------------
Far from every component all densities underflow and their logarithm is -inf; near a narrow one they overflow.

References
----------
C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 9.2.
"""

args = {"x": "values", "w_logits": "logits", "mu": "values", "log_sigma": "values"}
params = {}
layout = "whole"


def check(x, w_logits, mu, log_sigma):
    for name, array in (("w_logits", w_logits), ("mu", mu), ("log_sigma", log_sigma)):
        if array.ndim != 1 or array.shape != w_logits.shape:
            raise ValueError(f"{name} has shape {array.shape}: expected [K], as w_logits with {w_logits.shape}")
    if x.ndim != 1:
        raise ValueError(f"x has shape {x.shape}: expected [N]")


def naive(xp, x, w_logits, mu, log_sigma):
    w = xp.exp(w_logits) / xp.sum(xp.exp(w_logits), axis=-1, keepdims=True)
    sigma = xp.exp(log_sigma)
    z = (x[:, None] - mu) / sigma
    return xp.log(xp.sum(w * xp.exp(-0.5 * z * z) / (sigma * xp.sqrt(2.0 * xp.pi)), axis=-1))


def _terms(xp, x, w_logits, mu, log_sigma):
    z = (x[:, None] - mu) / xp.exp(log_sigma)
    return xp.log_softmax(w_logits, axis=-1) - 0.5 * z * z - log_sigma - 0.5 * xp.log(2.0 * xp.pi)


def stable(xp, x, w_logits, mu, log_sigma):
    return xp.logsumexp(_terms(xp, x, w_logits, mu, log_sigma), axis=-1)


def stable_multiplied(xp, x, w_logits, mu, log_sigma):
    z = (x[:, None] - mu) * xp.exp(-log_sigma)
    terms = xp.log_softmax(w_logits, axis=-1) - 0.5 * z * z - log_sigma - 0.5 * xp.log(2.0 * xp.pi)
    return xp.logsumexp(terms, axis=-1)


def stable_variance(xp, x, w_logits, mu, log_sigma):
    gap = x[:, None] - mu
    square = gap * gap / (2.0 * xp.exp(2.0 * log_sigma))
    terms = (xp.log_softmax(w_logits, axis=-1) - square) - (log_sigma + 0.5 * xp.log(2.0 * xp.pi))
    return xp.logsumexp(terms, axis=-1)


def stable_difference(xp, x, w_logits, mu, log_sigma):
    # The normaliser of the weights comes last, so that a common offset of theirs is in both terms.
    z = (x[:, None] - mu) / xp.exp(log_sigma)
    terms = w_logits - 0.5 * z * z - log_sigma - 0.5 * xp.log(2.0 * xp.pi)
    return xp.logsumexp(terms, axis=-1) - xp.logsumexp(w_logits, axis=-1)


def vjp(xp, g, x, w_logits, mu, log_sigma):
    share = xp.softmax(_terms(xp, x, w_logits, mu, log_sigma), axis=-1)
    return (-g * xp.sum(share * (x[:, None] - mu) * xp.exp(-2.0 * log_sigma), axis=-1),)
