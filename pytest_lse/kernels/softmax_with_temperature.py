"""`softmax(x / T)` for a temperature T > 0: the shift has to come before the division, or after it, but has to come.

What it does
------------
`softmax_with_temperature(x, T)`, with T a scalar or broadcast along the axis.

Why is this bad?
----------------
A small T multiplies the logits: what was harmless without temperature overflows with it.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

args = {"x": "logits", "T": "temperature"}
params = {"axis": -1}
bound = "probability"


def naive(xp, x, T, axis):
    return xp.exp(x / T) / xp.sum(xp.exp(x / T), axis=axis, keepdims=True)


def stable(xp, x, T, axis):
    small = xp.exp((x - xp.max(x, axis=axis, keepdims=True)) / T)
    return small / xp.sum(small, axis=axis, keepdims=True)


def stable_divided_first(xp, x, T, axis):
    return xp.softmax(x / T, axis=axis)


def stable_reciprocal(xp, x, T, axis):
    return xp.softmax(x * (1.0 / T), axis=axis)


def vjp(xp, g, x, T, axis):
    p = stable(xp, x, T, axis)
    g = g - g[..., :1]
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)) / T,)


def vjp_textbook(xp, g, x, T, axis):
    p = stable_divided_first(xp, x, T, axis)
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)) / T,)


replacement = {
    "numpy": "scipy.special.softmax(x / T, axis=axis)",
    "torch": "torch.softmax(x / T, dim=axis)",
    "jax": "jax.nn.softmax(x / T, axis=axis)",
}
