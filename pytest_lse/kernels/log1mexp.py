"""`log(1 - exp(x))` is -inf for x near 0 and 0 for large negative x, where the answer is neither.

What it does
------------
Finds `log(1 - exp(x))`, `log1p(-exp(x))` and `log(-expm1(x))`, the logarithm of a complementary probability.

Why is this bad?
----------------
For x near 0, `1 - exp(x)` cancels and its logarithm is -inf below |x| = eps; `log1p` does not help there. For x below
-37 (float64), `1 - exp(x)` is 1 and the result is 0; `expm1` does not help there. Each half needs its own form.

Example
-------
    np.log(1 - np.exp(x))

Use instead
-----------
    np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))

Fix safety
----------
Both forms are evaluated, and the one that is accurate is taken. Unsafe: for NumPy a scalar becomes an array of no axes,
and where objects of pandas or xarray may come, which would become arrays, there is no fix; elsewhere the gradient is nan
where `exp(x)` rounds to 1 and the original's is infinite. `x` has to be a name, since it is written several times.

Special values
--------------
- ``log1mexp([-inf])`` is [0.0]
- ``log1mexp([0.0])`` is [-inf]

References
----------
M. Maechler, "Accurately computing log(1 - exp(-|a|))", vignette of the R package Rmpfr, 2012.
"""

code = "LSE015"
args = {"x": "negative"}
params = {}


def naive(xp, x):
    return xp.log(1.0 - xp.exp(x))


def naive_log1p(xp, x):
    return xp.log1p(-xp.exp(x))


def naive_expm1(xp, x):
    return xp.log(-xp.expm1(x))


def naive_clip(xp, x, low, high):
    return xp.log(xp.clip(1.0 - xp.exp(x), low, high))


def naive_shifted(xp, x):
    return xp.log(xp.exp(x) - 1.0)


def naive_epsilon(xp, x, eps):
    return xp.log(1.0 - xp.exp(x) + eps)


def naive_shifted_epsilon(xp, x, eps):
    return xp.log(xp.exp(x) - 1.0 + eps)


def applies(values):
    eps = values.get("eps", 0.0)
    named = isinstance(eps, str) and any(word in eps.lower() for word in ("eps", "tiny", "small", "min", "delta"))
    return named or (isinstance(eps, float) and eps <= 1e-3)


def stable(xp, x):
    near = xp.less(-0.6931471805599453, x)
    return xp.where(near, xp.log(-xp.expm1(x)), xp.log1p(-xp.exp(x)))


def stable_beside(xp, x, y):
    # Not this kernel, but part of a sum, as in the inverse of softplus: what expm1 loses is nothing beside y.
    return y + xp.log(-xp.expm1(x))


def stable_beside_scaled(xp, x, y, scale):
    return y + scale * xp.log(-xp.expm1(x))


def vjp(xp, g, x):
    return (g * xp.exp(x) / xp.expm1(x),)


severity = {"naive_expm1": "warning"}
message = {
    "naive": "log(1 - exp(x)) is -inf for x near 0, and 0 from x = -{saturation} down",
    "naive_log1p": "log1p(-exp(x)) is -inf for x near 0",
    "naive_expm1": "log(-expm1(x)) is 0 from x = -{saturation} down",
    "naive_clip": "log(clip(1 - exp(x))) stops at the clip for x near 0",
    "naive_shifted": "log(exp(x) - 1) is inf from x = {overflow} on, and -inf for x near 0",
}
replacement = {
    "numpy": "numpy.where(x > -0.6931471805599453, numpy.log(-numpy.expm1(x)), numpy.log1p(-numpy.exp(x)))",
    "torch": "torch.where(x > -0.6931471805599453, torch.log(-torch.expm1(x)), torch.log1p(-torch.exp(x)))",
    "jax": "jax.numpy.where(x > -0.6931471805599453, jax.numpy.log(-jax.numpy.expm1(x)), jax.numpy.log1p(-jax.numpy.exp(x)))",
    "tensorflow": "tensorflow.where(x > -0.6931471805599453, tensorflow.math.log(-tensorflow.math.expm1(x)), tensorflow.math.log1p(-tensorflow.exp(x)))",
}
unsafe = {
    "numpy": "a scalar becomes an array",
    **dict.fromkeys(("torch", "jax", "tensorflow"), "its gradient is nan, not infinite, where exp(x) rounds to 1"),
}
replacement_clip = {}
replacement_epsilon: dict[str, str] = {}
replacement_shifted_epsilon: dict[str, str] = {}
replacement_shifted = {
    "numpy": "x + numpy.log(-numpy.expm1(-x))",
    "torch": "x + torch.log(-torch.expm1(-x))",
    "jax": "x + jax.numpy.log(-jax.numpy.expm1(-x))",
    "tensorflow": "x + tensorflow.math.log(-tensorflow.math.expm1(-x))",
}
witness_clip = {}
witness_epsilon = {}
witness_shifted_epsilon = {}
witness_expm1 = {}
witness_shifted = {}
witness = {
    "float64": {"input": -1e-17, "returns": "-inf", "truth": -39.14394658089878},
    "float32": {"input": -1e-9, "returns": "-inf", "truth": -20.723267},
    "float16": {"input": -1e-4, "returns": "-inf", "truth": -9.21},
    "bfloat16": {"input": -1e-3, "returns": "-inf", "truth": -6.90625},
}
