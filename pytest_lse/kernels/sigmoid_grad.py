"""The derivative of the sigmoid, s * (1 - s), written by hand.

What it does
------------
`sigmoid_grad(x)`.

Why is this bad?
----------------
`exp(-x) / (1 + exp(-x))**2` is inf / inf = nan for large negative x.

References
----------
TensorFlow documentation, `tf.raw_ops.SigmoidGrad`.
"""

args = {"x": "logits"}
params = {}
bound = "probability"


def naive(xp, x):
    return xp.exp(-x) / (1.0 + xp.exp(-x)) ** 2


def stable(xp, x):
    small = xp.exp(-xp.abs(x))
    return small / ((1.0 + small) * (1.0 + small))


def stable_product(xp, x):
    s = xp.sigmoid(x)
    return s * (1.0 - s)


def vjp(xp, g, x):
    return (-g * xp.tanh(0.5 * x) * stable(xp, x),)


replacement = {
    "numpy": "scipy.special.expit(x) * scipy.special.expit(-x)",
    "torch": "torch.sigmoid(x) * torch.sigmoid(-x)",
    "jax": "jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)",
}
