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
Unsafe: the arguments are validated as logits, and a softmax along another axis than the last, or what keeps the
probabilities from 0, has no place in the logits: no fix then.

References
----------
PyTorch documentation, `torch.distributions.Bernoulli`.
"""

code = "LSE022"
args = {"x": "logits"}
params = {"axis": -1}
severity = "warning"
always = True
#: a sample does not need the logarithm of a probability
harmless = ("sample", "sample_n", "mean", "shape", "batch_shape", "event_shape")
message = "probs= of a softmax or sigmoid saturates: its logarithm is clamped, its gradient dead; use logits="


def naive(xp, x, axis):
    return xp.distribution_probs(xp.softmax(x, axis=axis))


def naive_sigmoid(xp, x):
    return xp.distribution_probs(xp.sigmoid(x))


def naive_epsilon(xp, x, axis, eps):
    return xp.distribution_probs(xp.softmax(x, axis=axis) + eps)


def naive_sigmoid_epsilon(xp, x, eps):
    return xp.distribution_probs(xp.sigmoid(x) + eps)


def naive_clip(xp, x, axis, eps, upper):
    return xp.distribution_probs(xp.clip(xp.softmax(x, axis=axis), eps, upper))


def naive_sigmoid_clip(xp, x, eps, upper):
    return xp.distribution_probs(xp.clip(xp.sigmoid(x), eps, upper))


replacement: dict[str, str] = {}
#: distributions that make the same probabilities of the logits
families = {
    "naive": ("Categorical", "OneHotCategorical", "RelaxedOneHotCategorical", "Multinomial"),
    "naive_sigmoid": ("Bernoulli", "RelaxedBernoulli", "ContinuousBernoulli", "Geometric"),
}
departure = "its arguments are validated as logits"
