"""`log(1 + exp(x))` is inf for large x, where the answer is x, and 0 for x below -37.

What it does
------------
Finds `log(1 + exp(x))` and `log1p(exp(x))`, in any spelling.

Why is this bad?
----------------
`exp(x)` overflows at x = 709.8 (float64), 88.7 (float32), 11.1 (float16), and `log1p` does not help. Without `log1p`
the result is 0 as soon as `exp(x)` is below eps.

Example
-------
    np.log(1 + np.exp(x))

Use instead
-----------
    np.logaddexp(0, x)

Fix safety
----------
Safe where the framework itself has the function. Unsafe for PyTorch and Paddle: their `softplus` returns x itself above
a threshold of 20, which differs by up to 2.1e-9, beyond rounding in float64.

Special values
--------------
- ``softplus([-inf, inf, nan])`` is [0.0, inf, nan]

References
----------
M. Maechler, "Accurately computing log(1 - exp(-|a|))", vignette of the R package Rmpfr, 2012, equation 10.
"""

code = "LSE005"
args = {"x": "logits"}
params = {}


def naive(xp, x):
    return xp.log(1.0 + xp.exp(x))


def naive_log1p(xp, x):
    return xp.log1p(xp.exp(x))


def naive_sum(xp, x, axis, keepdims):
    return xp.log(1.0 + xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_sum_log1p(xp, x, axis, keepdims):
    return xp.log1p(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_weighted_log1p(xp, x, weights, axis, keepdims):
    return xp.log1p(xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def naive_weighted(xp, x, weights):
    return xp.log(1.0 + weights * xp.exp(x))


def naive_weighted_sum(xp, x, weights, axis, keepdims):
    return xp.log(1.0 + xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def naive_product(xp, x, y, axis, keepdims):
    a, b = (xp.sum(xp.exp(z), axis=axis, keepdims=keepdims) for z in (x, y))
    return xp.log(1.0 + a * b)


def applies(values):
    # With a negative weight it is log1mexp, which has its own forms and its own tests.
    weights = values.get("weights")
    return not isinstance(weights, float) or weights > 0.0


def stable(xp, x):
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


def vjp(xp, g, x):
    return (g * xp.sigmoid(x),)


def vjp_output(xp, g, x):
    # From the rounded output, as JAX does it: that costs eps * abs(output).
    return (g * xp.exp(x - stable(xp, x)),)


def vjp_complement(xp, g, x):
    return (g * (1.0 - xp.sigmoid(-x)),)


message = "log(1 + exp(x)) is inf from x = {overflow} on"
replacement = {
    "numpy": "numpy.logaddexp(0, x)",
    "math": "max(x, 0.0) + math.log1p(math.exp(-abs(x)))",
    "torch": "torch.nn.functional.softplus(x)",
    "jax": "jax.nn.softplus(x)",
    "tensorflow": "tensorflow.math.softplus(x)",
    "cupy": "cupy.logaddexp(0, x)",
    "autograd": "autograd.numpy.logaddexp(0, x)",
    "mlx": "mlx.nn.softplus(x)",
    "paddle": "paddle.nn.functional.softplus(x)",
    "mxnet": "mxnet.nd.relu(x) + mxnet.nd.log1p(mxnet.nd.exp(-mxnet.nd.abs(x)))",
    "chainer": "chainer.functions.softplus(x)",
}
replacement_sum = {
    "numpy": "numpy.logaddexp(0, scipy.special.logsumexp(x, axis=axis, keepdims=keepdims))",
    "torch": "torch.nn.functional.softplus(torch.logsumexp(x, dim=axis, keepdim=keepdims))",
    "jax": "jax.nn.softplus(jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims))",
    "tensorflow": "tensorflow.math.softplus(tensorflow.reduce_logsumexp(x, axis=axis, keepdims=keepdims))",
}
replacement_product = {}
replacement_weighted = {}
without_scipy = dict.fromkeys(
    ("naive_sum", "naive_sum_log1p"), "numpy.logaddexp(0, numpy.logaddexp.reduce(x, axis=axis, keepdims=keepdims))"
)
unsafe = {
    "torch": "torch's softplus returns x itself above its threshold of 20",
    "paddle": "paddle's softplus returns x itself above its threshold of 20",
}
witness_weighted = {}
witness_product = {}
witness = {
    "float64": {"input": 1000.0, "returns": "inf", "truth": 1000.0},
    "float32": {"input": 100.0, "returns": "inf", "truth": 100.0},
    "float16": {"input": 12.0, "returns": "inf", "truth": 12.0},
    "bfloat16": {"input": 100.0, "returns": "inf", "truth": 100.0},
}
