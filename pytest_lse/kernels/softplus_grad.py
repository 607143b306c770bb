"""The derivative of softplus, which is the sigmoid, written by hand.

What it does
------------
`softplus_grad(x)`.

Why is this bad?
----------------
`exp(x) / (1 + exp(x))` is inf / inf = nan for large x.

References
----------
TensorFlow documentation, `tf.raw_ops.SoftplusGrad`.
"""

args = {"x": "logits"}
params = {}
bound = "probability"


def naive(xp, x):
    return xp.exp(x) / (1.0 + xp.exp(x))


def stable(xp, x):
    return xp.sigmoid(x)


def stable_softplus(xp, x):
    return xp.exp(-xp.softplus(-x))


def vjp(xp, g, x):
    small = xp.exp(-xp.abs(x))
    return (g * small / ((1.0 + small) * (1.0 + small)),)


def vjp_textbook(xp, g, x):
    s = xp.sigmoid(x)
    return (g * s * (1.0 - s),)


replacement = {
    "numpy": "scipy.special.expit(x)",
    "torch": "torch.sigmoid(x)",
    "jax": "jax.nn.sigmoid(x)",
}
