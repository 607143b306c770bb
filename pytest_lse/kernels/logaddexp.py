"""`log(exp(a) + exp(b))` is inf once a or b exceeds log(max), and -inf once both underflow.

What it does
------------
Finds the logarithm of a sum of two exponentials.

Why is this bad?
----------------
`exp` overflows at 709.8 in float64, 88.7 in float32 and 11.1 in float16, although the result is about max(a, b). When
both are below -745 (float64) the sum is 0 and the result is -inf.

Example
-------
    np.log(np.exp(a) + np.exp(b))

Use instead
-----------
    np.logaddexp(a, b)

Fix safety
----------
Safe where the framework itself has the function; unsafe for TensorFlow, whose function takes no bfloat16.

Special values
--------------
- ``logaddexp([-inf], [-inf])`` is [-inf]
- ``logaddexp([inf], [-inf])`` is [inf]
- ``logaddexp([-inf], [0.0])`` is [0.0]

References
----------
NumPy documentation, `numpy.logaddexp`.
"""

code = "LSE004"
args = {"a": "logits", "b": "logits"}
params = {}
honest = ("stable_textbook",)


def naive(xp, a, b):
    return xp.log(xp.exp(a) + xp.exp(b))


def naive_scaled(xp, a, b, scale):
    return xp.log(scale * (xp.exp(a) + xp.exp(b)))


def naive_weighted(xp, a, b, weight):
    return xp.log(xp.exp(a) + weight * xp.exp(b))


def naive_mixture(xp, a, b, weight, other):
    return xp.log(weight * xp.exp(a) + other * xp.exp(b))


def naive_weighted_epsilon(xp, a, b, weight, eps):
    return xp.log(xp.exp(a) + weight * xp.exp(b) + eps)


def naive_mixture_epsilon(xp, a, b, weight, other, eps):
    return xp.log(weight * xp.exp(a) + other * xp.exp(b) + eps)


def naive_plus(xp, a, b, other):
    return xp.log(xp.exp(a) + xp.exp(b) + other)


def stable(xp, a, b):
    # Equal infinities have no difference: it is taken as 0.
    gap = xp.where(xp.equal(a, b), 0.0, xp.abs(a - b))
    return xp.maximum(a, b) + xp.log1p(xp.exp(-gap))


def stable_textbook(xp, a, b):
    return xp.maximum(a, b) + xp.log1p(xp.exp(-xp.abs(a - b)))


def vjp(xp, g, a, b):
    gap = xp.where(xp.equal(a, b), 0.0, a - b)
    return g * xp.sigmoid(gap), g * xp.sigmoid(-gap)


def vjp_output(xp, g, a, b):
    y = stable(xp, a, b)
    return g * xp.exp(a - y), g * xp.exp(b - y)


shift_invariant = True
message = "log(exp(a) + exp(b)) is inf from {overflow} on, and -inf where both are below -{underflow}"
replacement_plus: dict[str, str] = {}
replacement = {
    "numpy": "numpy.logaddexp(a, b)",
    "torch": "torch.logaddexp(a, b)",
    "jax": "jax.numpy.logaddexp(a, b)",
    "tensorflow": "tensorflow.experimental.numpy.logaddexp(a, b)",
    "cupy": "cupy.logaddexp(a, b)",
    "autograd": "autograd.numpy.logaddexp(a, b)",
    "mlx": "mlx.core.logaddexp(a, b)",
    "paddle": "paddle.logaddexp(a, b)",
}
witness_plus = {}
unsafe = {"tensorflow": "it takes tensors alone, and no bfloat16"}
witness = {
    "float64": {"input": [1000.0, 1000.0], "returns": "inf", "truth": 1000.6931471805599},
    "float32": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.69315},
    "float16": {"input": [12.0, 12.0], "returns": "inf", "truth": 12.69},
    "bfloat16": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.5},
}
