"""Cross-entropy of logits against target probabilities, the mean over the rows.

What it does
------------
`soft_cross_entropy(logits, targets)` = mean(-sum(t * log_softmax(logits))), where 0 log 0 = 0.

Why is this bad?
----------------
The logarithm of a softmax is -inf where the probability underflows, and 0 * -inf is nan for a masked class.

Special values
--------------
- ``soft_cross_entropy([[0.0, -inf]], [[1.0, 0.0]])`` is 0.0

References
----------
Optax issue 896 on masked classes.
"""

args = {"logits": "logits", "targets": "targets"}
params = {"axis": -1}
reduction = "mean"


def naive(xp, logits, targets, axis):
    p = xp.exp(logits) / xp.sum(xp.exp(logits), axis=axis, keepdims=True)
    return -xp.sum(targets * xp.log(p), axis=axis)


def stable(xp, logits, targets, axis):
    # log1p with the maximum left out, so that the loss of a confident right answer keeps its digits.
    top = xp.max(logits, axis=axis, keepdims=True)
    ties = xp.sum(xp.where(xp.equal(logits, top), 1.0, 0.0), axis=axis, keepdims=True)
    rest = xp.sum(xp.where(xp.equal(logits, top), 0.0, xp.exp(logits - top)), axis=axis, keepdims=True)
    log_p = (logits - top) - (xp.log(ties) + xp.log1p(rest / ties))
    return -xp.sum(xp.where(xp.equal(targets, 0.0), 0.0, targets * log_p), axis=axis)


def stable_textbook(xp, logits, targets, axis):
    log_p = xp.log_softmax(logits, axis=axis)
    return -xp.sum(xp.where(xp.equal(targets, 0.0), 0.0, targets * log_p), axis=axis)


def vjp(xp, g, logits, targets, axis):
    p = xp.softmax(logits, axis=axis)
    total = xp.sum(targets, axis=axis, keepdims=True)
    return g * (p * total - targets), -g * xp.log_softmax(logits, axis=axis)


replacement = {
    "torch": "torch.nn.functional.cross_entropy(logits, targets)",
}
