"""`exp(x) - 1` loses the digits of a small x, and is 0 below eps.

What it does
------------
Finds `exp(x) - 1` and `1 - exp(x)`. Off by default: it matters only where x is small.

Why is this bad?
----------------
exp(x) keeps of a small x only what lies above eps: at x = 1e-10 in float64 half of the digits are lost.

Example
-------
    np.exp(x) - 1

Use instead
-----------
    np.expm1(x)

Fix safety
----------
Safe: the same value, more accurate.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM, 2002, section 1.14.1.
"""

code = "LSE014"
args = {"x": "small"}
params = {}
severity = "warning"
always = True
message = "exp(x) - 1 loses the digits of a small x, and is 0 below eps"


def naive(xp, x):
    return xp.exp(x) - 1.0


def stable_below(xp, x, limit):
    # Whether a ratio is near 1 does not hang on its last digits.
    return xp.less(xp.abs(xp.exp(x) - 1.0), limit)


def stable_above(xp, x, limit):
    return xp.greater(xp.abs(xp.exp(x) - 1.0), limit)


def applies(values):
    return not isinstance(values["x"], float)


replacement = {
    "numpy": "numpy.expm1(x)",
    "math": "math.expm1(x)",
    "torch": "torch.expm1(x)",
    "jax": "jax.numpy.expm1(x)",
    "tensorflow": "tensorflow.math.expm1(x)",
    "cupy": "cupy.expm1(x)",
    "autograd": "autograd.numpy.expm1(x)",
    "mlx": "mlx.core.expm1(x)",
    "paddle": "paddle.expm1(x)",
    "mxnet": "mxnet.nd.expm1(x)",
    "chainer": "chainer.functions.expm1(x)",
}
witness = {
    "float64": {"input": 1e-20, "returns": 0.0, "truth": 1e-20},
    "float32": {"input": 1e-10, "returns": 0.0, "truth": 1e-10},
    "float16": {"input": 0.0001, "returns": 0.0, "truth": 0.0001},
    "bfloat16": {"input": 0.001, "returns": 0.0, "truth": 0.001},
}
