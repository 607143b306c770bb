"""`log(softmax(x))` is -inf where the probability underflows.

What it does
------------
Finds the logarithm of a softmax, whether the softmax is a library's or written out, and `x - log(sum(exp(x)))`.

Why is this bad?
----------------
A probability below the smallest number of the dtype is 0 and its logarithm -inf: at a gap of 745 in float64, 104 in
float32, 17 in float16. Well before that the gradient is 0 or nan. The logarithm itself is an ordinary number.

Example
-------
    torch.log(torch.softmax(x, dim=1))

Use instead
-----------
    torch.log_softmax(x, dim=1)

Fix safety
----------
Safe where the framework itself has the function. Unsafe where it adds SciPy to a project, or where objects of pandas
or xarray may come, as in LSE002. Where the probabilities are used elsewhere they are left as they are.

Special values
--------------
- ``log_softmax([0.0, -inf])`` is [0.0, -inf]
- ``log_softmax([nan, 0.0])`` is [nan, nan]

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE003"
args = {"x": "logits"}
params = {"axis": -1}


def naive(xp, x, axis):
    return xp.log(xp.softmax(x, axis=axis))


def naive_epsilon(xp, x, axis, eps):
    return xp.log(xp.softmax(x, axis=axis) + eps)


def naive_clip(xp, x, axis, eps, upper):
    return xp.log(xp.clip(xp.softmax(x, axis=axis), eps, upper))


def naive_element(xp, x, key, axis=None):
    return xp.log(xp.exp(x[key]) / xp.sum(xp.exp(x), axis=axis, keepdims=False))


def naive_element_difference(xp, x, key, axis=None):
    return x[key] - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=False))


def naive_difference(xp, x, axis):
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))


def naive_difference_whole(xp, x, axis=None):
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=False))


def naive_difference_leading(xp, x, axis=0):
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=False))


def naive_complement(xp, x, axis):
    return xp.log(1.0 - xp.softmax(x, axis=axis))


def naive_complement_log1p(xp, x, axis):
    return xp.log1p(-xp.softmax(x, axis=axis))


def naive_scaled(xp, x, axis, scale):
    return xp.log(scale * xp.softmax(x, axis=axis))


def naive_reciprocal(xp, x, axis, scale):
    return xp.log(scale / xp.softmax(x, axis=axis))


def naive_picked(xp, x, axis, pick, total):
    return xp.log(xp.sum(pick * xp.softmax(x, axis=axis), axis=total))


def naive_rest(xp, x, axis, keepdims):
    return xp.log(1.0 / (1.0 + xp.sum(xp.exp(x), axis=axis, keepdims=keepdims)))


def naive_two(xp, x, y):
    return xp.log(xp.exp(x) / (xp.exp(x) + xp.exp(y)))


def naive_contrast(xp, x, y, axis, keepdims):
    return xp.log(xp.exp(x) / xp.sum(xp.exp(y), axis=axis, keepdims=keepdims))


def naive_contrast_weighted(xp, x, y, axis, keepdims, weights):
    return xp.log(xp.exp(x) / xp.sum(weights * xp.exp(y), axis=axis, keepdims=keepdims))


def naive_contrast_both(xp, x, y, axis, keepdims):
    return xp.log(xp.exp(x) / (xp.exp(x) + xp.sum(xp.exp(y), axis=axis, keepdims=keepdims)))


def naive_contrast_sums(xp, x, y, axis, keepdims):
    positive = xp.sum(xp.exp(x), axis=axis, keepdims=keepdims)
    return xp.log(positive / (positive + xp.sum(xp.exp(y), axis=axis, keepdims=keepdims)))


def naive_epsilon_capped(xp, x, axis, eps, upper):
    return xp.log(xp.minimum(xp.softmax(x, axis=axis) + eps, upper))


def naive_clip_maximum(xp, x, axis, eps):
    return xp.log(xp.maximum(xp.softmax(x, axis=axis), eps))


def stable(xp, x, axis):
    # Shifted first: x - logsumexp(x) would lose eps * |max|, which is everything at a common offset of 1e8.
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def vjp(xp, g, x, axis):
    return (g - xp.softmax(x, axis=axis) * xp.sum(g, axis=axis, keepdims=True),)


def vjp_output(xp, g, x, axis):
    return (g - xp.exp(stable(xp, x, axis)) * xp.sum(g, axis=axis, keepdims=True),)


shift_invariant = True
message = {
    "naive": "log(softmax(x)) is -inf where x lies {underflow} below the maximum, an ordinary number",
    "naive_difference": "x - log(sum(exp(x))) is -inf from x = {overflow} on, and inf where every x is below -{underflow}",
    "naive_element_difference": "x[i] - log(sum(exp(x))) is -inf from x = {overflow} on, and inf where every x is below -{underflow}",
    "naive_complement": "log(1 - softmax(x)) is -inf where x lies {saturation} above all others",
    "naive_contrast": "log(exp(a) / sum(exp(b))) is inf or nan from {overflow} on, and where the exponentials underflow",
    "naive_epsilon": "log(softmax(x) + eps) stops at log(eps), with a dead gradient",
    "naive_clip": "log(clip(softmax(x), eps)) stops at log(eps), with a dead gradient",
}


def applies(values):
    if "pick" in values:
        # A sum with the weights of one class is that class; with others it is a mixture.
        pick = str(values["pick"]).lower()
        return any(word in pick for word in ("hot", "action", "label", "target", "onehot", "select", "y_true"))
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
always = ("naive_epsilon", "naive_clip", "naive_epsilon_capped", "naive_clip_maximum")
unsafe_spellings = dict.fromkeys(always, "the epsilon is removed, which changes values near it")
replacement_complement: dict[str, str] = {}
replacement_scaled: dict[str, str] = {}
replacement_reciprocal: dict[str, str] = {}
replacement_picked: dict[str, str] = {}
replacement_rest: dict[str, str] = {}
replacement_two: dict[str, str] = {}
replacement_contrast: dict[str, str] = {}
replacement_element = {
    "numpy": "scipy.special.log_softmax(x, axis=axis)[key]",
    "jax": "jax.nn.log_softmax(x, axis=axis)[key]",
    "cupy": "cupyx.scipy.special.log_softmax(x, axis=axis)[key]",
    "mlx": "mlx.nn.log_softmax(x, axis=axis)[key]",
}
replacement = {
    "numpy": "scipy.special.log_softmax(x, axis=axis)",
    "torch": "torch.log_softmax(x, dim=axis)",
    "jax": "jax.nn.log_softmax(x, axis=axis)",
    "tensorflow": "tensorflow.nn.log_softmax(x, axis=axis)",
    "cupy": "cupyx.scipy.special.log_softmax(x, axis=axis)",
    "mlx": "mlx.nn.log_softmax(x, axis=axis)",
    "paddle": "paddle.nn.functional.log_softmax(x, axis=axis)",
    "mxnet": "mxnet.nd.log_softmax(x, axis=axis)",
    "chainer": "chainer.functions.log_softmax(x, axis=axis)",
}
witness_complement = {}
witness_scaled = {}
witness_reciprocal = {}
witness_picked = {}
witness_rest = {}
witness_two = {}
witness_contrast = {}
witness_element = {}
witness_epsilon = {}
witness_clip = {}
witness_difference = {
    "float64": {
        "input": [1000.0, 999.0],
        "returns": ["-inf", "-inf"],
        "truth": [-0.31326168751822286, -1.3132616875182228],
    },
    "float32": {"input": [100.0, 99.0], "returns": ["-inf", "-inf"], "truth": [-0.3132617, -1.3132617]},
    "float16": {"input": [13.0, 12.0], "returns": ["-inf", "-inf"], "truth": [-0.3132, -1.313]},
    "bfloat16": {"input": [100.0, 99.0], "returns": ["-inf", "-inf"], "truth": [-0.3125, -1.3125]},
}
witness = {
    "float64": {"input": [0.0, -1000.0], "returns": [0.0, "-inf"], "truth": [0.0, -1000.0]},
    "float32": {"input": [0.0, -200.0], "returns": [0.0, "-inf"], "truth": [0.0, -200.0]},
    "float16": {"input": [0.0, -20.0], "returns": [0.0, "-inf"], "truth": [0.0, -20.0]},
    "bfloat16": {"input": [0.0, -200.0], "returns": [0.0, "-inf"], "truth": [0.0, -200.0]},
}
