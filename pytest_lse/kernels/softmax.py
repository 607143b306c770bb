"""`exp(x) / sum(exp(x))` is nan once any x exceeds log(max), and once all of them underflow.

What it does
------------
Finds a softmax that is written out: exponentials divided by their sum, whatever variables hold the two, however the
denominator is expanded again, and also where only some elements are taken (`exp(x[i]) / sum(exp(x))`).

Why is this bad?
----------------
`exp(x)` overflows at x = 709.8 in float64, 88.7 in float32 and 11.1 in float16, and inf / inf is nan. When every x of a
row is below -745 (float64) the row is 0 / 0, which is nan too.

Example
-------
    e = np.exp(x)
    p = e / e.sum(axis=1, keepdims=True)

Use instead
-----------
    p = scipy.special.softmax(x, axis=1)

Fix safety
----------
Safe where the framework itself has the function. Unsafe where it adds SciPy to a project, and in a module that imports
pandas, xarray, dask or another package whose objects pass through NumPy's functions, unless the value is evidently an
array: SciPy returns one. There is no fix where the value evidently is such an object, in a function that Numba
compiles, where the division is not that of a whole softmax, or where `x` is no longer available.

Special values
--------------
- ``softmax([0.0, -inf])`` is [1.0, 0.0]
- ``softmax([nan, 0.0])`` is [nan, nan]

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE002"
args = {"x": "logits"}
params = {"axis": -1}
bound = "probability"


def naive(xp, x, axis):
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True)


def naive_whole(xp, x, axis=None):
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=False)


def naive_leading(xp, x, axis=0):
    # Without keepdims the quotient still broadcasts as a softmax, because axis 0 is the one that broadcasting restores.
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=False)


def naive_element(xp, x, key, axis=None):
    return xp.exp(x[key]) / xp.sum(xp.exp(x), axis=axis, keepdims=False)


def naive_weighted(xp, x, weights, axis):
    return weights * xp.exp(x) / xp.sum(weights * xp.exp(x), axis=axis, keepdims=True)


def naive_masked(xp, x, weights, axis):
    return xp.exp(x) / xp.sum(weights * xp.exp(x), axis=axis, keepdims=True)


def naive_floor(xp, x, axis, eps):
    return xp.exp(x) / xp.maximum(xp.sum(xp.exp(x), axis=axis, keepdims=True), eps)


def naive_clip(xp, x, axis, eps, upper):
    return xp.exp(x) / xp.clip(xp.sum(xp.exp(x), axis=axis, keepdims=True), eps, upper)


def naive_average(xp, x, values, axis):
    return xp.sum(values * xp.exp(x), axis=axis) / xp.sum(xp.exp(x), axis=axis)


def naive_average_weighted(xp, x, values, weights, axis):
    return xp.sum(values * weights * xp.exp(x), axis=axis) / xp.sum(weights * xp.exp(x), axis=axis)


def naive_cumulative(xp, x, axis):
    return xp.cumsum(xp.exp(x), axis=axis) / xp.sum(xp.exp(x), axis=axis)


def naive_power(xp, x, power, axis):
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True) ** power


def naive_power_weighted(xp, x, weights, power, axis):
    return weights * xp.exp(x) / xp.sum(weights * xp.exp(x), axis=axis, keepdims=True) ** power


def naive_rest(xp, x, axis, keepdims):
    return 1.0 / (1.0 + xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_rest_weighted(xp, x, weights, axis, keepdims):
    return 1.0 / (1.0 + xp.sum(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def naive_first_of_rest(xp, x, axis, keepdims):
    return xp.exp(x) / (1.0 + xp.sum(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_two(xp, x, y):
    return xp.exp(x) / (xp.exp(x) + xp.exp(y))


def naive_three(xp, x, y, z):
    return xp.exp(x) / (xp.exp(x) + xp.exp(y) + xp.exp(z))


def naive_contrast(xp, x, y, axis):
    return xp.exp(x) / (xp.exp(x) + xp.sum(xp.exp(y), axis=axis))


def naive_difference(xp, x, axis):
    return xp.exp(x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True)))


def stable(xp, x, axis):
    shifted = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def stable_difference(xp, x, axis):
    # Stable, and less accurate: rounding the log-sum-exp costs a relative eps * |logsumexp(x)|.
    top = xp.max(x, axis=axis, keepdims=True)
    return xp.exp(x - (top + xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True))))


def vjp(xp, g, x, axis):
    p = stable(xp, x, axis)
    # Softmax is blind to a common part of g: without it, equal weights give an exact 0.
    g = g - g[..., :1]
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)),)


def vjp_textbook(xp, g, x, axis):
    p = stable(xp, x, axis)
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)),)


honest = ("stable_difference",)
shift_invariant = True
message = "exp(x) / sum(exp(x)) is nan from x = {overflow} on, and where every x is below -{underflow}"
replacement_rest: dict[str, str] = {}
replacement_first: dict[str, str] = {}
replacement_power: dict[str, str] = {}
replacement_masked: dict[str, str] = {}
replacement_average: dict[str, str] = {}
replacement_cumulative: dict[str, str] = {}
replacement_two: dict[str, str] = {}
replacement_three: dict[str, str] = {}
replacement_contrast: dict[str, str] = {}
replacement_element = {
    "numpy": "scipy.special.softmax(x, axis=axis)[key]",
    "jax": "jax.nn.softmax(x, axis=axis)[key]",
    "cupy": "cupyx.scipy.special.softmax(x, axis=axis)[key]",
    "mlx": "mlx.core.softmax(x, axis=axis)[key]",
}
replacement = {
    "numpy": "scipy.special.softmax(x, axis=axis)",
    "torch": "torch.softmax(x, dim=axis)",
    "jax": "jax.nn.softmax(x, axis=axis)",
    "tensorflow": "tensorflow.nn.softmax(x, axis=axis)",
    "cupy": "cupyx.scipy.special.softmax(x, axis=axis)",
    "mlx": "mlx.core.softmax(x, axis=axis)",
    "paddle": "paddle.nn.functional.softmax(x, axis=axis)",
    "mxnet": "mxnet.nd.softmax(x, axis=axis)",
    "chainer": "chainer.functions.softmax(x, axis=axis)",
}
replacement_floor: dict[str, str] = {}
replacement_clip: dict[str, str] = {}
witness_floor = {}
witness_clip = {}
witness_rest = {}
witness_first = {}
witness_power = {}
witness_masked = {}
witness_average = {}
witness_cumulative = {}
witness_two = {}
witness_three = {}
witness_contrast = {}
witness_element = {}
witness_weighted = {}
witness_difference = {
    "float64": {"input": [1000.0, 999.0], "returns": [0.0, 0.0], "truth": [0.7310585786300049, 0.2689414213699951]},
    "float32": {"input": [100.0, 99.0], "returns": [0.0, 0.0], "truth": [0.7310586, 0.26894143]},
    "float16": {"input": [13.0, 12.0], "returns": [0.0, 0.0], "truth": [0.731, 0.269]},
    "bfloat16": {"input": [100.0, 99.0], "returns": [0.0, 0.0], "truth": [0.73046875, 0.26953125]},
}
witness = {
    "float64": {"input": [1000.0, 999.0], "returns": ["nan", "nan"], "truth": [0.7310585786300049, 0.2689414213699951]},
    "float32": {"input": [100.0, 99.0], "returns": ["nan", "nan"], "truth": [0.7310586, 0.26894143]},
    "float16": {"input": [13.0, 12.0], "returns": ["nan", "nan"], "truth": [0.731, 0.269]},
    "bfloat16": {"input": [100.0, 99.0], "returns": ["nan", "nan"], "truth": [0.73046875, 0.26953125]},
}
