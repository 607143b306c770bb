"""`-sum(p * log(p))` of a softmax is nan where a probability underflows.

What it does
------------
Finds the entropy of a softmax or sigmoid that is written out from the probabilities.

Why is this bad?
----------------
A probability below the smallest number of the dtype is 0, its logarithm -inf and their product nan: at a gap of 745 in
float64, 104 in float32, 17 in float16. An epsilon in the logarithm bends the result and kills the gradient.

Example
-------
    p = torch.softmax(x, dim=1)
    h = -(p * torch.log(p)).sum(dim=1)

Use instead
-----------
    log_p = torch.log_softmax(x, dim=1)
    h = -(log_p.exp() * log_p).sum(dim=1)

Fix safety
----------
Safe where the framework itself has log_softmax, for logits that are finite: for a masked class, 0 * -inf is nan in both
forms.

Special values
--------------
- ``entropy([0.0, -inf])`` is 0.0

References
----------
PyTorch documentation, `torch.distributions.Categorical.entropy`.
"""

code = "LSE020"
args = {"x": "logits"}
params = {"axis": -1}
honest = ("stable_textbook",)


def naive(xp, x, axis):
    return -xp.sum(xp.softmax(x, axis=axis) * xp.log(xp.softmax(x, axis=axis)), axis=axis)


def naive_sigmoid(xp, x):
    p = xp.sigmoid(x)
    return -(p * xp.log(p) + (1.0 - p) * xp.log(1.0 - p))


def naive_total(xp, x, axis, total):
    return -xp.sum(xp.softmax(x, axis=axis) * xp.log(xp.softmax(x, axis=axis)), axis=total)


def stable(xp, x, axis):
    log_p = xp.log_softmax(x, axis=axis)
    p = xp.exp(log_p)
    return -xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * log_p), axis=axis)


def stable_textbook(xp, x, axis):
    log_p = xp.log_softmax(x, axis=axis)
    return -xp.sum(xp.exp(log_p) * log_p, axis=axis)


def vjp(xp, g, x, axis):
    log_p = xp.log_softmax(x, axis=axis)
    p = xp.exp(log_p)
    safe = xp.where(xp.equal(p, 0.0), 0.0, log_p)
    return (-g * p * (safe - xp.sum(p * safe, axis=axis, keepdims=True)),)


message = "-sum(p * log(p)) of a softmax is nan where x lies {underflow} below the maximum"
replacement = {}
witness_sigmoid = {}
witness = {
    "float64": {"input": [0.0, -1000.0], "returns": "nan", "truth": 0.0},
    "float32": {"input": [0.0, -200.0], "returns": "nan", "truth": 0.0},
    "float16": {"input": [0.0, -20.0], "returns": "nan", "truth": 5.96e-08},
    "bfloat16": {"input": [0.0, -200.0], "returns": "nan", "truth": 0.0},
}
