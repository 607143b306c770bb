"""Binary cross-entropy of a sigmoid is inf or nan once the sigmoid saturates.

What it does
------------
Finds `-(y * log(p) + (1 - y) * log(1 - p))` where p came from a sigmoid, and binary cross-entropy functions and modules
that are fed by one.

Why is this bad?
----------------
p rounds to 1 above a logit of 37 (float64), 17 (float32), 8 (float16): a confident wrong answer costs inf instead of
its logit, and 0 * -inf is nan for a confident right one. Clipped versions saturate: the gradient is dead where it
matters most.

Example
-------
    p = torch.sigmoid(x)
    loss = F.binary_cross_entropy(p, y)

Use instead
-----------
    loss = F.binary_cross_entropy_with_logits(x, y)

Fix safety
----------
Safe where the framework itself has the function, except that PyTorch's `binary_cross_entropy` clamps its logarithms at
-100, so that the fixed value is the right one beyond that.

Special values
--------------
- ``bce_with_logits([inf, -inf], [1.0, 0.0])`` is 0.0

References
----------
TensorFlow documentation, `tf.nn.sigmoid_cross_entropy_with_logits`.
"""

code = "LSE009"
title = "bce-with-logits"
args = {"x": "logits", "targets": "targets"}
params = {"pos_weight": 1.0}
honest = ("stable_textbook", "stable_weighted")
reduction = "mean"


def naive(xp, x, targets, pos_weight=1.0):
    p = xp.sigmoid(x)
    return -(pos_weight * targets * xp.log(p) + (1.0 - targets) * xp.log(1.0 - p))


def naive_split(xp, x, targets, pos_weight=1.0):
    p = xp.sigmoid(x)
    return -(pos_weight * targets) * xp.log(p) - (1.0 - targets) * xp.log(1.0 - p)


def naive_library(xp, x, targets, reduction):
    return xp.bce(xp.sigmoid(x), targets, reduction)


def naive_likelihood(xp, x, targets):
    p = xp.sigmoid(x)
    return targets * xp.log(p) + (1.0 - targets) * xp.log(1.0 - p)


def naive_sums(xp, x, targets):
    p = xp.sigmoid(x)
    return xp.sum(targets * xp.log(p)) + xp.sum((1.0 - targets) * xp.log(1.0 - p))


def naive_sums_negated(xp, x, targets):
    p = xp.sigmoid(x)
    return xp.sum(-targets * xp.log(p)) - xp.sum((1.0 - targets) * xp.log(1.0 - p))


def naive_epsilon(xp, x, targets, eps):
    p = xp.sigmoid(x)
    return targets * xp.log(p + eps) + (1.0 - targets) * xp.log(1.0 - p + eps)


def naive_maximum(xp, x, targets, eps):
    p = xp.sigmoid(x)
    return targets * xp.log(xp.maximum(p, eps)) + (1.0 - targets) * xp.log(xp.maximum(1.0 - p, eps))


def naive_clip(xp, x, targets, eps, upper):
    p = xp.clip(xp.sigmoid(x), eps, upper)
    return targets * xp.log(p) + (1.0 - targets) * xp.log(1.0 - p)


def naive_weighted(xp, x, targets, weight, reduction):
    return xp.bce_weighted(xp.sigmoid(x), targets, weight, reduction)


def stable(xp, x, targets, pos_weight):
    # Both softplus terms are non-negative, so that nothing cancels for soft targets.
    tail = xp.log1p(xp.exp(-xp.abs(x)))
    return pos_weight * targets * (xp.maximum(-x, 0.0) + tail) + (1.0 - targets) * (xp.maximum(x, 0.0) + tail)


def stable_textbook(xp, x, targets, pos_weight=1.0):
    return xp.maximum(x, 0.0) - targets * x + xp.log1p(xp.exp(-xp.abs(x)))


def stable_weighted(xp, x, targets, pos_weight):
    # PyTorch's: for x far below 0 and soft targets the two terms cancel.
    weight = 1.0 + (pos_weight - 1.0) * targets
    return (1.0 - targets) * x + weight * (xp.log1p(xp.exp(-xp.abs(x))) + xp.maximum(-x, 0.0))


def vjp(xp, g, x, targets, pos_weight):
    # sigmoid and softplus of x and of -x, from one exponential.
    small, right = xp.exp(-xp.abs(x)), xp.greater(x, 0.0)
    high, low, tail = 1.0 / (1.0 + small), small / (1.0 + small), xp.log1p(small)
    gradient = (1.0 - targets) * xp.where(right, high, low) - pos_weight * targets * xp.where(right, low, high)
    return g * gradient, g * (pos_weight * (xp.maximum(-x, 0.0) + tail) - (xp.maximum(x, 0.0) + tail))


def vjp_textbook(xp, g, x, targets, pos_weight):
    weight = 1.0 + (pos_weight - 1.0) * targets
    return (g * (weight * xp.sigmoid(x) - pos_weight * targets),)


message = {
    "naive": "binary cross-entropy of a sigmoid is inf or nan from logits of {saturation} on",
    "naive_epsilon": "binary cross-entropy of a sigmoid stops at -log(eps), with a dead gradient",
    "naive_maximum": "binary cross-entropy of a sigmoid stops at -log(eps), with a dead gradient",
    "naive_clip": "binary cross-entropy of a clipped sigmoid stops at the clip, with a dead gradient",
}
severity = dict.fromkeys(("naive_epsilon", "naive_maximum", "naive_clip"), "warning")

always = ("naive_library", "naive_weighted", "naive_epsilon", "naive_maximum", "naive_clip")
replacement_sums: dict[str, str] = {}
replacement_epsilon: dict[str, str] = {}
replacement_maximum: dict[str, str] = {}
replacement_clip: dict[str, str] = {}
replacement_weighted: dict[str, str] = {}
replacement_library = {
    "torch": "torch.nn.functional.binary_cross_entropy_with_logits(x, targets, reduction=reduction)",
}
replacement = {
    "numpy": "targets * numpy.logaddexp(0, -x) + (1 - targets) * numpy.logaddexp(0, x)",
    "torch": "torch.nn.functional.binary_cross_entropy_with_logits(x, targets, reduction='none')",
    "jax": "targets * jax.nn.softplus(-x) + (1 - targets) * jax.nn.softplus(x)",
    "tensorflow": "tensorflow.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=x)",
    "cupy": "targets * cupy.logaddexp(0, -x) + (1 - targets) * cupy.logaddexp(0, x)",
    "autograd": "targets * autograd.numpy.logaddexp(0, -x) + (1 - targets) * autograd.numpy.logaddexp(0, x)",
    "mlx": "mlx.nn.losses.binary_cross_entropy(x, targets, reduction='none')",
    "paddle": "paddle.nn.functional.binary_cross_entropy_with_logits(x, targets, reduction='none')",
}
replacement_likelihood = {f: f"-({r})" if " + " in r else f"-{r}" for f, r in replacement.items()}
witness_library = {}
witness_likelihood = {}
witness_sums = {}
witness_epsilon = {}
witness_maximum = {}
witness_clip = {}
witness_weighted = {}
witness = {
    "float64": {"input": [1000.0, 0.0], "returns": "inf", "truth": 1000.0},
    "float32": {"input": [200.0, 0.0], "returns": "inf", "truth": 200.0},
    "float16": {"input": [20.0, 0.0], "returns": "inf", "truth": 20.0},
    "bfloat16": {"input": [200.0, 0.0], "returns": "inf", "truth": 200.0},
}
