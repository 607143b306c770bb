"""`log(p + 1e-8)` of a softmax or sigmoid saturates at 18.4 with a dead gradient.

What it does
------------
Finds the logarithm of a probability to which an epsilon was added, or that was clipped, where the probability came from
a softmax, a sigmoid or a tanh. An entropy, `p * log(p + eps)`, is left alone: where p vanishes so does the product.

Why is this bad?
----------------
Below eps the result no longer depends on the logits: the loss of a confident wrong answer stops at -log(eps), 18.4 for
1e-8, and its gradient is 0 where it matters most. In float16, 1e-8 is 0 and does nothing at all.

Example
-------
    loss = -torch.log(torch.sigmoid(x) + 1e-8)

Use instead
-----------
    loss = -torch.nn.functional.logsigmoid(x)

Fix safety
----------
Unsafe: the epsilon is removed, so that values near and below it change.

References
----------
PyTorch documentation, `torch.nn.functional.logsigmoid`.
"""

code = "LSE016"
args = {"x": "logits"}
params = {"axis": -1}
severity = "warning"
always = True
#: what a stable spelling says of these is no finding either: they are the same with an epsilon of unknown size
excuses = ("LSE003", "LSE007", "LSE016")
message = "an epsilon in log(p + eps) saturates: the loss stops at -log(eps) and its gradient is dead there"


def naive(xp, x, eps):
    return xp.log(xp.sigmoid(x) + eps)


def naive_complement(xp, x, one):
    # `1 - p + 1e-8` is a constant less p.
    return xp.log(one - xp.sigmoid(-x))


def naive_softmax(xp, x, axis, eps):
    return xp.log(xp.softmax(x, axis=axis) + eps)


def naive_softmax_picked(xp, x, axis, pick, total, eps):
    return xp.log(xp.sum(pick * xp.softmax(x, axis=axis), axis=total) + eps)


def naive_softmax_complement(xp, x, axis, one):
    return xp.log(one - xp.softmax(x, axis=axis))


def naive_clip(xp, x, eps, upper):
    return xp.log(xp.clip(xp.sigmoid(x), eps, upper))


def naive_clip_complement(xp, x, eps, upper):
    return xp.log(1.0 - xp.clip(xp.sigmoid(-x), eps, upper))


def naive_softmax_clip(xp, x, axis, eps, upper):
    return xp.log(xp.clip(xp.softmax(x, axis=axis), eps, upper))


def naive_maximum(xp, x, eps):
    return xp.log(xp.maximum(xp.sigmoid(x), eps))


def naive_maximum_complement(xp, x, eps):
    return xp.log(xp.maximum(1.0 - xp.sigmoid(-x), eps))


def naive_softmax_maximum(xp, x, axis, eps):
    return xp.log(xp.maximum(xp.softmax(x, axis=axis), eps))


def naive_exp(xp, x, eps):
    return xp.log(xp.exp(x) + eps)


def naive_tanh(xp, x):
    return xp.log(1.0 - xp.tanh(x) ** 2)


def naive_tanh_epsilon(xp, x, small):
    return xp.log(1.0 - xp.tanh(x) ** 2 + small)


def stable_entropy(xp, x, eps):
    # p * log(p + eps) is 0 where p is, with or without the eps: as an entropy it has the right value.
    return xp.sigmoid(x) * xp.log(xp.sigmoid(x) + eps)


def stable_entropy_complement(xp, x, one):
    p = xp.sigmoid(-x)
    return (1.0 - p) * xp.log(one - p)


def stable_entropy_clip(xp, x, eps, upper):
    return xp.sigmoid(x) * xp.log(xp.clip(xp.sigmoid(x), eps, upper))


def stable_entropy_clipped(xp, x, eps, upper):
    p = xp.clip(xp.sigmoid(x), eps, upper)
    return p * xp.log(p)


def stable_entropy_maximum(xp, x, eps):
    return xp.sigmoid(x) * xp.log(xp.maximum(xp.sigmoid(x), eps))


def stable_entropy_softmax(xp, x, axis, eps):
    p = xp.softmax(x, axis=axis)
    return p * xp.log(p + eps)


def stable_entropy_softmax_clip(xp, x, axis, eps, upper):
    p = xp.softmax(x, axis=axis)
    return p * xp.log(xp.clip(p, eps, upper))


def stable_entropy_softmax_clipped(xp, x, axis, eps, upper):
    p = xp.clip(xp.softmax(x, axis=axis), eps, upper)
    return p * xp.log(p)


def stable_entropy_softmax_maximum(xp, x, axis, eps):
    p = xp.softmax(x, axis=axis)
    return p * xp.log(xp.maximum(p, eps))


def applies(values):
    small = values.get("small")
    if isinstance(small, str):
        return any(word in small.lower() for word in ("eps", "tiny", "small", "min", "delta", "noise", "stab"))
    if isinstance(small, float):
        return 0.0 < small <= 1e-3
    if "pick" in values:
        pick = str(values["pick"]).lower()
        if not any(word in pick for word in ("hot", "action", "label", "target", "onehot", "select", "y_true")):
            return False
    # More than that belongs to the model, as the floor of a scale or the share of a mixture. Less, or an unknown
    # size, changes nothing: LSE003 and LSE007 say what it is.
    eps = values.get("eps", 1e-8)
    if "one" in values:
        eps = values["one"] - 1.0 if isinstance(values["one"], float) else None
    return isinstance(eps, float) and 1e-13 <= eps < 1e-3


replacement = {
    "numpy": "-numpy.logaddexp(0, -x)",
    "torch": "torch.nn.functional.logsigmoid(x)",
    "jax": "jax.nn.log_sigmoid(x)",
    "tensorflow": "tensorflow.math.log_sigmoid(x)",
}
replacement_softmax = {
    "numpy": "scipy.special.log_softmax(x, axis=axis)",
    "torch": "torch.log_softmax(x, dim=axis)",
    "jax": "jax.nn.log_softmax(x, axis=axis)",
    "tensorflow": "tensorflow.nn.log_softmax(x, axis=axis)",
}
replacement_softmax_picked: dict[str, str] = {}
replacement_softmax_complement: dict[str, str] = {}
replacement_exp = dict.fromkeys(("numpy", "math", "torch", "jax", "tensorflow"), "x")
replacement_tanh: dict[str, str] = {}
#: variables that the replacement is meant to lose
dropped = ("eps", "one", "upper", "small")
unsafe = dict.fromkeys(("numpy", "torch", "jax", "tensorflow"), "the epsilon is removed, which changes values near it")
