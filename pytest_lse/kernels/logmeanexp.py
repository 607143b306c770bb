"""`log(mean(exp(x)))` is inf once any x exceeds log(max), and -inf once all of them underflow.

What it does
------------
Finds the logarithm of a mean of exponentials, in any spelling.

Why is this bad?
----------------
`exp(x)` overflows at x = 709.8 in float64, 88.7 in float32 and 11.1 in float16, although the result lies between the
mean and the maximum of x.

Example
-------
    np.log(np.mean(np.exp(x), axis=0))

Use instead
-----------
    scipy.special.logsumexp(x, axis=0) - np.log(x.shape[0])

Fix safety
----------
Safe where the framework itself has logsumexp. Unsafe where it adds SciPy to a project, or where objects of
pandas or xarray may come, as in LSE002.

Special values
--------------
- ``logmeanexp([-inf, -inf])`` is -inf
- ``logmeanexp([inf, 0.0])`` is inf

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE008"
args = {"x": "logits"}
params = {"axis": -1, "keepdims": False}
honest = ("stable_shifted",)


def naive(xp, x, axis, keepdims):
    return xp.log(xp.mean(xp.exp(x), axis=axis, keepdims=keepdims))


def naive_divided(xp, x, axis, keepdims, count):
    return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdims) / count)


def naive_epsilon(xp, x, axis, keepdims, eps):
    return xp.log(xp.mean(xp.exp(x), axis=axis, keepdims=keepdims) + eps)


def naive_inner_epsilon(xp, x, axis, keepdims, eps):
    return xp.log(xp.mean(xp.exp(x) + eps, axis=axis, keepdims=keepdims))


def naive_weighted(xp, x, axis, keepdims, weights):
    return xp.log(xp.mean(weights * xp.exp(x), axis=axis, keepdims=keepdims))


def applies(values):
    if "count" in values:
        # A number of elements: divided by anything else, it is a log-sum-exp beside another logarithm.
        words = str(values["count"]).lower().replace(".", " ").replace("_", " ").split()
        counts = ("n", "m", "k", "s", "len", "size", "shape", "num", "count", "samples", "particles", "builtins")
        return isinstance(values["count"], float) or any(w in counts or w.startswith("num") for w in words)
    if "weights" in values:
        # An average of data times exponentials is another quantity.
        return any(word in str(values["weights"]).lower() for word in ("mask", "weight", "valid", "prob"))
    eps = values.get("eps", 0.0)
    named = isinstance(eps, str) and any(word in eps.lower() for word in ("eps", "tiny", "small", "min", "delta"))
    return named or (isinstance(eps, float) and eps <= 1e-3)


def stable(xp, x, axis, keepdims):
    # log1p of what the mean of exp(x - max) lacks to 1, a sum of non-negative terms: nothing cancels for equal x.
    top = xp.max(x, axis=axis, keepdims=True)
    gap = xp.where(xp.equal(x, top), 0.0, xp.expm1(x - top))
    return xp.max(x, axis=axis, keepdims=keepdims) + xp.log1p(xp.mean(gap, axis=axis, keepdims=keepdims))


def stable_shifted(xp, x, axis, keepdims):
    shifted = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return xp.max(x, axis=axis, keepdims=keepdims) + xp.log(xp.mean(shifted, axis=axis, keepdims=keepdims))


def vjp(xp, g, x, axis):
    return (g * xp.softmax(x, axis=axis),)


def vjp_output(xp, g, x, axis):
    return (g * xp.exp(x - xp.logsumexp(x, axis=axis, keepdims=True)),)


shift_invariant = True
message = "log(mean(exp(x))) is inf from x = {overflow} on, and -inf where every x is below -{underflow}"
replacement_divided: dict[str, str] = {}
replacement_inner_epsilon: dict[str, str] = {}
replacement_epsilon: dict[str, str] = {}
replacement_weighted: dict[str, str] = {}
replacement = {
    # NumPy's scalars are float64, and would make the result that; a float takes the dtype of the array.
    "numpy": "scipy.special.logsumexp(x, axis=axis, keepdims=keepdims) - float(numpy.log(numpy.size(x, axis=axis)))",
    "torch": "torch.logsumexp(x, dim=axis, keepdim=keepdims) - math.log(x.shape[axis])",
    "jax": "jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims) - jax.numpy.log(jax.numpy.size(x, axis=axis))",
}
witness_divided = {}
witness_inner_epsilon = {}
witness_epsilon = {}
witness_weighted = {}
witness = {
    "float64": {"input": [1000.0, 1000.0], "returns": "inf", "truth": 1000.0},
    "float32": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.0},
    "float16": {"input": [12.0, 12.0], "returns": "inf", "truth": 12.0},
    "bfloat16": {"input": [100.0, 100.0], "returns": "inf", "truth": 100.0},
}
