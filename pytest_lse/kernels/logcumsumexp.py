"""`log(cumsum(exp(x)))` is inf from the first x above log(max), and -inf until the first that does not underflow.

What it does
------------
Finds the logarithm of a running sum of exponentials.

Why is this bad?
----------------
`exp(x)` overflows at x = 709.8 in float64, 88.7 in float32 and 11.1 in float16. Subtracting the maximum of the whole
row is not enough: a prefix far below it underflows to -inf.

Example
-------
    torch.log(torch.cumsum(torch.exp(x), dim=1))

Use instead
-----------
    torch.logcumsumexp(x, dim=1)

Fix safety
----------
Safe where the framework itself has the function; NumPy gets `numpy.logaddexp.accumulate`, which needs nothing new.

Special values
--------------
- ``logcumsumexp([-inf, -inf, 0.0, inf, 1.0])`` is [-inf, -inf, 0.0, inf, inf]

References
----------
PyTorch documentation, `torch.logcumsumexp`.
"""

code = "LSE019"
args = {"x": "logits"}
params = {"axis": -1}


def naive(xp, x, axis):
    return xp.log(xp.cumsum(xp.exp(x), axis=axis))


def naive_epsilon(xp, x, axis, eps):
    return xp.log(xp.cumsum(xp.exp(x), axis=axis) + eps)


def applies(values):
    eps = values.get("eps", 0.0)
    named = isinstance(eps, str) and any(word in eps.lower() for word in ("eps", "tiny", "small", "min", "delta"))
    return named or (isinstance(eps, float) and eps <= 1e-3)


message = "log(cumsum(exp(x))) is inf from the first x above {overflow} on"
#: without an axis the cumulative sum flattens, which these do not do
needs_axis = ("numpy", "torch", "jax", "tensorflow", "mlx")
replacement_epsilon: dict[str, str] = {}
replacement = {
    "numpy": "numpy.logaddexp.accumulate(x, axis=axis)",
    "torch": "torch.logcumsumexp(x, dim=axis)",
    "jax": "jax.lax.cumlogsumexp(x, axis=axis)",
    "tensorflow": "tensorflow.math.cumulative_logsumexp(x, axis=axis)",
    "mlx": "mlx.core.logcumsumexp(x, axis=axis)",
    "paddle": "paddle.logcumsumexp(x, axis=axis)",
}
witness_epsilon = {}
witness = {
    "float64": {"input": [1000.0, 1000.0], "returns": ["inf", "inf"], "truth": [1000.0, 1000.6931471805599]},
    "float32": {"input": [100.0, 100.0], "returns": ["inf", "inf"], "truth": [100.0, 100.69315]},
    "float16": {"input": [12.0, 12.0], "returns": ["inf", "inf"], "truth": [12.0, 12.69]},
    "bfloat16": {"input": [100.0, 100.0], "returns": ["inf", "inf"], "truth": [100.0, 100.5]},
}
