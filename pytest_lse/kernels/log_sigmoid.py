"""`log(sigmoid(x))` is -inf where the sigmoid underflows, and `log(1 - sigmoid(x))` where it rounds to 1.

What it does
------------
Finds the logarithm of a sigmoid or of its complement, whether the sigmoid is a library's or written out.

Why is this bad?
----------------
`sigmoid(x)` is 0 below x = -745 (float64), -104 (float32), -17 (float16), and rounds to 1 above 37, 17 and 8: then the
logarithm is -inf for an ordinary number, and the gradient 0 or nan.

Example
-------
    torch.log(1 - torch.sigmoid(x))

Use instead
-----------
    torch.nn.functional.logsigmoid(-x)

Fix safety
----------
Safe where the framework itself has the function; NumPy gets `-numpy.logaddexp(0, -x)`, which needs nothing new. Where
the probability is used elsewhere it is left as it is.

Special values
--------------
- ``log_sigmoid([-inf, inf, nan])`` is [-inf, 0.0, nan]

References
----------
M. Maechler, "Accurately computing log(1 - exp(-|a|))", vignette of the R package Rmpfr, 2012.
"""

code = "LSE007"
args = {"x": "logits"}
params = {}


def naive(xp, x):
    return xp.log(xp.sigmoid(x))


def naive_complement(xp, x):
    return xp.log(1.0 - xp.sigmoid(-x))


def naive_complement_log1p(xp, x):
    return xp.log1p(-xp.sigmoid(-x))


def naive_epsilon(xp, x, eps):
    return xp.log(xp.sigmoid(x) + eps)


def naive_epsilon_complement(xp, x, eps):
    return xp.log(1.0 - xp.sigmoid(-x) + eps)


def naive_clip(xp, x, eps, upper):
    return xp.log(xp.clip(xp.sigmoid(x), eps, upper))


def naive_clip_complement(xp, x, eps, upper):
    return xp.log(1.0 - xp.clip(xp.sigmoid(-x), eps, upper))


def naive_scaled(xp, x, scale):
    return xp.log(scale * xp.sigmoid(x))


def naive_softplus(xp, x):
    return -xp.log(1.0 + xp.exp(-x))


def naive_epsilon_capped(xp, x, eps, upper):
    return xp.log(xp.minimum(xp.sigmoid(x) + eps, upper))


def naive_clip_maximum(xp, x, eps):
    return xp.log(xp.maximum(xp.sigmoid(x), eps))


def stable(xp, x):
    return xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x)))


def vjp(xp, g, x):
    return (g * xp.sigmoid(-x),)


def vjp_output(xp, g, x):
    # From the rounded output of softplus(-x), as JAX does it: that costs eps * abs(output).
    return (g * xp.exp(-x + stable(xp, x)),)


def vjp_complement(xp, g, x):
    return (g * (1.0 - xp.sigmoid(x)),)


message = {
    "naive": "log(sigmoid(x)) is -inf from x = -{underflow} down",
    "naive_complement": "log(1 - sigmoid(x)) is -inf from x = {saturation} on",
    "naive_complement_log1p": "log1p(-sigmoid(x)) is -inf from x = {saturation} on",
    "naive_softplus": "-log(1 + exp(-x)) is -inf from x = -{overflow} down",
    "naive_epsilon": "log(sigmoid(x) + eps) stops at log(eps), with a dead gradient",
    "naive_clip": "log(clip(sigmoid(x), eps)) stops at log(eps), with a dead gradient",
}


def applies(values):
    # An epsilon of a known size is LSE016; here its size is unknown, or too small to change anything.
    eps = values.get("eps", 0.0)
    if isinstance(eps, float):
        return eps < 1e-13
    # Whatever is the lower end of a range that ends at 1 less it is an epsilon.
    upper = str(values.get("upper")).split()
    named = any(word in str(eps).lower() for word in ("eps", "tiny", "small", "min", "delta"))
    return isinstance(eps, str) and (named or (eps in upper and "1.0" in upper))


#: variables that the replacement is meant to lose
dropped = ("eps", "upper")
always = (
    "naive_epsilon",
    "naive_epsilon_capped",
    "naive_clip_maximum",
    "naive_epsilon_complement",
    "naive_clip",
    "naive_clip_complement",
)
unsafe_spellings = dict.fromkeys(always, "the epsilon is removed, which changes values near it")
replacement_scaled: dict[str, str] = {}
replacement = {
    "numpy": "-numpy.logaddexp(0, -x)",
    "math": "min(x, 0.0) - math.log1p(math.exp(-abs(x)))",
    "torch": "torch.nn.functional.logsigmoid(x)",
    "jax": "jax.nn.log_sigmoid(x)",
    "tensorflow": "tensorflow.math.log_sigmoid(x)",
    "cupy": "cupyx.scipy.special.log_expit(x)",
    "autograd": "-autograd.numpy.logaddexp(0, -x)",
    "mlx": "mlx.nn.log_sigmoid(x)",
    "paddle": "paddle.nn.functional.log_sigmoid(x)",
    "mxnet": "-mxnet.nd.relu(-x) - mxnet.nd.log1p(mxnet.nd.exp(-mxnet.nd.abs(x)))",
    "chainer": "-chainer.functions.softplus(-x)",
}
witness_scaled = {}
witness_epsilon = {}
witness_clip = {}
witness = {
    "float64": {"input": -1000.0, "returns": "-inf", "truth": -1000.0},
    "float32": {"input": -200.0, "returns": "-inf", "truth": -200.0},
    "float16": {"input": -20.0, "returns": "-inf", "truth": -20.0},
    "bfloat16": {"input": -200.0, "returns": "-inf", "truth": -200.0},
}
