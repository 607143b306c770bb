"""A relaxed sample of a categorical distribution: softmax of the logits plus Gumbel noise -log(-log(u)).

What it does
------------
`gumbel_softmax(logits, u)` for uniform u in (0, 1), at temperature `tau`.

Why is this bad?
----------------
Near u = 1 the naive noise loses its digits, `u + 1e-20` does nothing and `log(u + 1e-8)` bends the distribution.

References
----------
E. Jang, S. Gu, B. Poole, "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017.
"""

args = {"logits": "logits", "u": "uniform"}
params = {"tau": 1.0, "axis": -1}
bound = "probability"


def naive(xp, logits, u, tau, axis):
    e = xp.exp((logits - xp.log(-xp.log(u))) / tau)
    return e / xp.sum(e, axis=axis, keepdims=True)


def stable(xp, logits, u, tau, axis):
    noisy = (logits - xp.log(-xp.log(u))) / tau
    small = xp.exp(noisy - xp.max(noisy, axis=axis, keepdims=True))
    return small / xp.sum(small, axis=axis, keepdims=True)


def vjp(xp, g, logits, u, tau, axis):
    p = stable(xp, logits, u, tau, axis)
    g = g - g[..., :1]
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)) / tau,)


def vjp_textbook(xp, g, logits, u, tau, axis):
    p = stable(xp, logits, u, tau, axis)
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)) / tau,)


replacement = {
    "numpy": "scipy.special.softmax(logits - numpy.log(-numpy.log(u)), axis=axis)",
    "torch": "torch.softmax(logits - torch.log(-torch.log(u)), dim=axis)",
    "jax": "jax.nn.softmax(logits - jax.numpy.log(-jax.numpy.log(u)), axis=axis)",
}
