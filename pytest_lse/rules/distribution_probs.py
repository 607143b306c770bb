"""A distribution that is given the probabilities of a softmax or sigmoid saturates; it takes the logits as they are.

What it does
------------
Finds `Categorical(probs=softmax(x))`, `Bernoulli(probs=sigmoid(x))` and their relatives, where `logits=x` is meant.

Why is this bad?
----------------
The distribution takes the logarithm of the probabilities again, clamped to eps: log_prob stops at -15.9 in float32 and
its gradient is 0 beyond. From logits it is exact everywhere.

Example
-------
    dist = Bernoulli(probs=torch.sigmoid(x))

Use instead
-----------
    dist = Bernoulli(logits=x)

Fix safety
----------
There is no fix: `dist.probs` and the validation of its arguments may be relied on.

References
----------
PyTorch documentation, `torch.distributions.Bernoulli`.
"""

code = "LSE022"
args = {"x": "logits"}
params = {"axis": -1}
severity = "warning"
always = True
message = "probs= of a softmax or sigmoid saturates: its logarithm is clamped, its gradient dead; use logits="


def naive(xp, x, axis):
    return xp.distribution_probs(xp.softmax(x, axis=axis))


def naive_sigmoid(xp, x):
    return xp.distribution_probs(xp.sigmoid(x))


replacement: dict[str, str] = {}
