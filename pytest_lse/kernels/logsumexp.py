"""`log(sum(exp(x)))` is inf once any x exceeds log(max), and -inf once all of them underflow.

What it does
------------
Finds the logarithm of a sum of exponentials that is written out, in any spelling and through variables.

Why is this bad?
----------------
`exp(x)` overflows at x = 709.8 in float64, 88.7 in float32 and 11.1 in float16, although the result is about `max(x)`.
When every x is below -745 (float64) the sum is 0 and the result is -inf. Training then stops at a loss of inf or nan.

Example
-------
    np.log(np.sum(np.exp(x), axis=1))

Use instead
-----------
    scipy.special.logsumexp(x, axis=1)

Fix safety
----------
Safe where the framework itself has the function (PyTorch with a `dim`, JAX, TensorFlow, SciPy in a project that depends
on it). Unsafe where it adds SciPy to a project, and in a module that imports pandas, xarray, dask or another package
whose objects pass through NumPy's functions, unless the value is evidently an array: SciPy returns one. There is no fix
where the value evidently is such an object, in a function that Numba compiles, and for PyTorch without a `dim`, which
`torch.logsumexp` requires up to version 2.5.

Special values
--------------
- ``logsumexp([])`` is -inf
- ``logsumexp([-inf, -inf])`` is -inf
- ``logsumexp([-inf, 0.0])`` is 0.0
- ``logsumexp([inf, 0.0])`` is inf
- ``logsumexp([inf, -inf])`` is inf
- ``logsumexp([nan, inf])`` is nan

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE001"
args = {"x": "logits"}
params = {"axis": -1, "keepdims": False}
honest = ("stable_shifted",)


def naive(xp, x, axis, keepdims):
    return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_epsilon(xp, x, axis, keepdims, eps):
    return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims) + eps)


def naive_weighted(xp, x, axis, keepdims, weights):
    return xp.log(xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def naive_weighted_epsilon(xp, x, axis, keepdims, weights, eps):
    return xp.log(xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims) + eps)


def naive_inner_epsilon(xp, x, axis, keepdims, eps):
    return xp.log(xp.sum(xp.exp(x) + eps, axis=axis, keepdims=keepdims))


def naive_scaled(xp, x, axis, keepdims, scale):
    return xp.log(scale * xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_scaled_weighted(xp, x, axis, keepdims, scale, weights):
    return xp.log(scale * xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def naive_without(xp, x, axis, keepdims):
    # all but the diagonal
    return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims) - xp.exp(x))


def naive_plus(xp, x, axis, keepdims, scale, other):
    return xp.log(scale * xp.sum(xp.exp(x), axis=axis, keepdims=keepdims) + other)


def naive_three(xp, x, y, z):
    return xp.log(xp.exp(x) + xp.exp(y) + xp.exp(z))


def stable(xp, x, axis, keepdims):
    # The maximum is kept out of the sum and log1p takes the rest: log(1 + e) would lose e below eps.
    top = xp.max(x, axis=axis, keepdims=True)
    ties = xp.sum(xp.where(xp.equal(x, top), 1.0, 0.0), axis=axis, keepdims=keepdims)
    rest = xp.sum(xp.where(xp.equal(x, top), 0.0, xp.exp(x - top)), axis=axis, keepdims=keepdims)
    return xp.max(x, axis=axis, keepdims=keepdims) + (xp.log(ties) + xp.log1p(rest / ties))


def stable_shifted(xp, x, axis, keepdims):
    shifted = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return xp.max(x, axis=axis, keepdims=keepdims) + xp.log(xp.sum(shifted, axis=axis, keepdims=keepdims))


def vjp(xp, g, x, axis):
    return (g * xp.softmax(x, axis=axis),)


def vjp_output(xp, g, x, axis):
    # From the rounded output, as the frameworks do it: that costs p * eps * abs(output).
    return (g * xp.exp(x - xp.logsumexp(x, axis=axis, keepdims=True)),)


shift_invariant = True
message = "log(sum(exp(x))) is inf from x = {overflow} on, and -inf where every x is below -{underflow}"


def applies(values):
    if "other" in values and isinstance(values["other"], float):
        return False  # 1 makes it a softplus, and a small number is an epsilon
    eps = values.get("eps", 0.0)
    named = isinstance(eps, str) and any(word in eps.lower() for word in ("eps", "tiny", "small", "min", "delta"))
    return named or (isinstance(eps, float) and eps <= 1e-3)


replacement = {
    "numpy": "scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)",
    "math": "scipy.special.logsumexp(list(x))",
    "torch": "torch.logsumexp(x, dim=axis, keepdim=keepdims)",
    "jax": "jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)",
    "tensorflow": "tensorflow.reduce_logsumexp(x, axis=axis, keepdims=keepdims)",
    "cupy": "cupyx.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)",
    "autograd": "autograd.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)",
    "mlx": "mlx.core.logsumexp(x, axis=axis, keepdims=keepdims)",
    "paddle": "paddle.logsumexp(x, axis=axis, keepdim=keepdims)",
    "chainer": "chainer.functions.logsumexp(x, axis=axis)",
}
replacement_plus: dict[str, str] = {}
replacement_inner_epsilon: dict[str, str] = {}
replacement_scaled: dict[str, str] = {}
replacement_without: dict[str, str] = {}
replacement_weighted_epsilon: dict[str, str] = {}
replacement_weighted = {
    "numpy": "scipy.special.logsumexp(x, axis=axis, keepdims=keepdims, b=weights)",
    "jax": "jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims, b=weights)",
}
#: slower, and the error grows with the number of terms, but nothing overflows
without_scipy = {"naive": "numpy.logaddexp.reduce(x, axis=axis, keepdims=keepdims)"}
witness_plus = {}
witness_three = {}
witness_inner_epsilon = {}
witness_scaled = {}
witness_without = {}
witness_weighted_epsilon = {}
witness = {
    "float64": {"input": [1000.0, 1000.0], "returns": "inf", "truth": 1000.6931471805599},
    "float32": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.69315},
    "float16": {"input": [12.0, 12.0], "returns": "inf", "truth": 12.69},
    "bfloat16": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.5},
}
