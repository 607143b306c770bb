"""`log(1 + x)` loses the digits of a small x, and is 0 below eps.

What it does
------------
Finds `log(1 + x)` and `log(1 - x)`. Off by default: it matters only where x is small.

Why is this bad?
----------------
1 + x keeps of a small x only what lies above eps: at x = 1e-10 in float64 half of the digits are lost.

Example
-------
    np.log(1 + x)

Use instead
-----------
    np.log1p(x)

Fix safety
----------
Safe: the same value, more accurate.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM, 2002, section 1.14.1.
"""

code = "LSE013"
args = {"x": "small"}
params = {}
severity = "warning"
always = True
message = "log(1 + x) loses the digits of a small x, and is 0 below eps"


def naive(xp, x):
    return xp.log(1.0 + x)


def stable_odds(xp, p):
    # A logit: whoever takes the logarithm of p beside it means neither end.
    return xp.log(p) - xp.log(1.0 - p)


def applies(values):
    # A rank or a count is no small number, and of a random one nobody needs the digits.
    names = str(values["x"]).lower().replace(".", " ").split()
    words = " ".join(names).replace("_", " ").split()
    large = ("rank", "ranks", "idx", "index", "indices", "position", "positions", "count", "counts", "arange")
    counted = any(name.startswith(("n_", "num_")) for name in names)
    return not counted and not any(w in large or w in ("rand", "random", "uniform", "u") for w in words)


replacement = {
    "numpy": "numpy.log1p(x)",
    "math": "math.log1p(x)",
    "torch": "torch.log1p(x)",
    "jax": "jax.numpy.log1p(x)",
    "tensorflow": "tensorflow.math.log1p(x)",
    "cupy": "cupy.log1p(x)",
    "autograd": "autograd.numpy.log1p(x)",
    "mlx": "mlx.core.log1p(x)",
    "paddle": "paddle.log1p(x)",
    "mxnet": "mxnet.nd.log1p(x)",
    "chainer": "chainer.functions.log1p(x)",
}
witness = {
    "float64": {"input": 1e-20, "returns": 0.0, "truth": 1e-20},
    "float32": {"input": 1e-10, "returns": 0.0, "truth": 1e-10},
    "float16": {"input": 0.0001, "returns": 0.0, "truth": 0.0001},
    "bfloat16": {"input": 0.001, "returns": 0.0, "truth": 0.001},
}
