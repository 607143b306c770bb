"""`1 / (1 + exp(-x))` overflows inside for large negative x, and `exp(x) / (1 + exp(x))` is nan for large positive x.

What it does
------------
Finds a logistic sigmoid that is written out.

Why is this bad?
----------------
`exp(x) / (1 + exp(x))` is inf / inf = nan from x = 709.8 (float64), 88.7 (float32), 11.1 (float16). `1 / (1 + exp(-x))`
gets the right 0 there, with an overflow warning in NumPy, an OverflowError from `math.exp`, and a nan gradient in the
frameworks that differentiate it.

Example
-------
    1 / (1 + np.exp(-x))

Use instead
-----------
    scipy.special.expit(x)

Fix safety
----------
Safe where the framework itself has the function. Unsafe where it adds SciPy to a project.

Special values
--------------
- ``sigmoid([-inf, inf, nan])`` is [0.0, 1.0, nan]

References
----------
SciPy documentation, `scipy.special.expit`.
"""

code = "LSE006"
args = {"x": "logits"}
params = {}
bound = "probability"


def naive(xp, x):
    return 1.0 / (1.0 + xp.exp(-x))


def naive_ratio(xp, x):
    return xp.exp(x) / (1.0 + xp.exp(x))


def naive_scaled(xp, x, scale):
    return xp.exp(x) / (scale + xp.exp(x))


def naive_derivative(xp, x):
    return xp.exp(x) / (1.0 + xp.exp(x)) ** 2


def naive_tanh(xp, x):
    return (xp.exp(x) - xp.exp(-x)) / (xp.exp(x) + xp.exp(-x))


def naive_tanh_half(xp, x):
    return (1.0 - xp.exp(-2.0 * x)) / (1.0 + xp.exp(-2.0 * x))


def naive_tanh_ratio(xp, x):
    return (xp.exp(2.0 * x) - 1.0) / (xp.exp(2.0 * x) + 1.0)


def stable(xp, x):
    small = xp.exp(-xp.abs(x))
    return xp.where(xp.less(x, 0.0), small / (1.0 + small), 1.0 / (1.0 + small))


def vjp(xp, g, x):
    small = xp.exp(-xp.abs(x))
    return (g * small / ((1.0 + small) * (1.0 + small)),)


def vjp_output(xp, g, x):
    s = stable(xp, x)
    return (g * s * (1.0 - s),)


severity = {"naive": "info"}
message = {
    "naive": "1 / (1 + exp(-x)) overflows inside from x = -{overflow} down",
    "naive_derivative": "exp(x) / (1 + exp(x))**2 is nan from x = {overflow} / 2 on",
    "naive_ratio": "exp(x) / (1 + exp(x)) is nan from x = {overflow} on",
}


def applies(values):
    scale = values.get("scale")
    return not isinstance(scale, float) or scale > 0.0


replacement_scaled = {}
replacement_derivative: dict[str, str] = {}
replacement_tanh = {
    "numpy": "numpy.tanh(x)",
    "math": "math.tanh(x)",
    "torch": "torch.tanh(x)",
    "jax": "jax.numpy.tanh(x)",
    "tensorflow": "tensorflow.tanh(x)",
}
replacement = {
    "numpy": "scipy.special.expit(x)",
    "math": "scipy.special.expit(x)",
    "torch": "torch.sigmoid(x)",
    "jax": "jax.nn.sigmoid(x)",
    "tensorflow": "tensorflow.sigmoid(x)",
    "cupy": "cupyx.scipy.special.expit(x)",
    "autograd": "autograd.scipy.special.expit(x)",
    "mlx": "mlx.core.sigmoid(x)",
    "paddle": "paddle.nn.functional.sigmoid(x)",
    "mxnet": "mxnet.nd.sigmoid(x)",
    "chainer": "chainer.functions.sigmoid(x)",
}
without_scipy = dict.fromkeys(("naive", "naive_ratio"), "numpy.exp(-numpy.logaddexp(0, -x))")
witness_tanh_half = {}
witness_tanh_ratio = {}
witness_tanh = {}
witness_scaled = {}
witness_derivative = {}
witness = {
    "float64": {"spelling": "naive_ratio", "input": 1000.0, "returns": "nan", "truth": 1.0},
    "float32": {"spelling": "naive_ratio", "input": 100.0, "returns": "nan", "truth": 1.0},
    "float16": {"spelling": "naive_ratio", "input": 12.0, "returns": "nan", "truth": 1.0},
    "bfloat16": {"spelling": "naive_ratio", "input": 100.0, "returns": "nan", "truth": 1.0},
}
