"""Cross-entropy that takes the logarithm of a softmax is inf or nan where a probability underflows.

What it does
------------
Finds cross-entropy and negative log-likelihood that are fed by probabilities: `-sum(y * log(softmax(x)))`, and
`nll_loss(log(softmax(x)), y)`.

Why is this bad?
----------------
The probability of a class 745 (float64), 104 (float32) or 17 (float16) below the maximum is 0: a confident wrong answer
costs inf instead of the gap, and 0 * -inf is nan for the classes that are not the label.

Example
-------
    loss = -(y * torch.log(torch.softmax(x, dim=1))).sum(dim=1)

Use instead
-----------
    loss = -(y * torch.log_softmax(x, dim=1)).sum(dim=1)

Fix safety
----------
Safe where the framework itself has log_softmax. Unsafe where it adds SciPy to a project.

References
----------
PyTorch documentation, `torch.nn.functional.cross_entropy`.
"""

code = "LSE010"
title = "cross-entropy"
args = {"x": "logits", "targets": "targets"}
params = {"axis": -1, "keepdims": False, "reduction": "mean"}
always = ("naive_nll", "naive_probabilities")
message = "cross-entropy of a softmax is inf or nan where x lies {underflow} below the maximum"


def naive(xp, x, targets, axis):
    return -xp.sum(targets * xp.log(xp.softmax(x, axis=axis)), axis=axis)


def naive_total(xp, x, targets, axis, total):
    return -xp.sum(targets * xp.log(xp.softmax(x, axis=axis)), axis=total)


def naive_mean(xp, x, targets, axis, total):
    return -xp.mean(targets * xp.log(xp.softmax(x, axis=axis)), axis=total)


def naive_batch(xp, x, targets, axis, total):
    return xp.mean(xp.sum(targets * xp.log(xp.softmax(x, axis=axis)), axis=axis), axis=total)


def naive_nll(xp, x, targets, axis, reduction):
    return xp.nll(xp.log(xp.softmax(x, axis=axis)), targets, reduction)


def naive_probabilities(xp, x, targets, axis, reduction):
    return xp.cross_entropy_of_probs(xp.softmax(x, axis=axis), targets, reduction)


replacement = {
    "numpy": "-numpy.sum(targets * scipy.special.log_softmax(x, axis=axis), axis=axis)",
    "torch": "-torch.sum(targets * torch.log_softmax(x, dim=axis), dim=axis)",
    "jax": "-jax.numpy.sum(targets * jax.nn.log_softmax(x, axis=axis), axis=axis)",
    "tensorflow": "-tensorflow.reduce_sum(targets * tensorflow.nn.log_softmax(x, axis=axis), axis=axis)",
}
replacement_total = {
    "numpy": "-numpy.sum(targets * scipy.special.log_softmax(x, axis=axis), axis=total)",
    "torch": "-torch.sum(targets * torch.log_softmax(x, dim=axis), dim=total)",
    "jax": "-jax.numpy.sum(targets * jax.nn.log_softmax(x, axis=axis), axis=total)",
    "tensorflow": "-tensorflow.reduce_sum(targets * tensorflow.nn.log_softmax(x, axis=axis), axis=total)",
}
replacement_mean = {
    "numpy": "-numpy.mean(targets * scipy.special.log_softmax(x, axis=axis), axis=total)",
    "torch": "-torch.mean(targets * torch.log_softmax(x, dim=axis), dim=total)",
    "jax": "-jax.numpy.mean(targets * jax.nn.log_softmax(x, axis=axis), axis=total)",
    "tensorflow": "-tensorflow.reduce_mean(targets * tensorflow.nn.log_softmax(x, axis=axis), axis=total)",
}
replacement_batch = {
    "numpy": "numpy.mean(numpy.sum(targets * scipy.special.log_softmax(x, axis=axis), axis=axis), axis=total)",
    "torch": "torch.mean(torch.sum(targets * torch.log_softmax(x, dim=axis), dim=axis), dim=total)",
    "jax": "jax.numpy.mean(jax.numpy.sum(targets * jax.nn.log_softmax(x, axis=axis), axis=axis), axis=total)",
    "tensorflow": "tensorflow.reduce_mean(tensorflow.reduce_sum(targets * tensorflow.nn.log_softmax(x, axis=axis), axis=axis), axis=total)",
}
replacement_nll = {
    "torch": "torch.nn.functional.nll_loss(torch.log_softmax(x, dim=axis), targets, reduction=reduction)"
}
replacement_probabilities: dict[str, str] = {}
