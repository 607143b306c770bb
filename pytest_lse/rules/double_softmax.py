"""A softmax or sigmoid that is fed to a loss that applies its own squashes the logits twice.

What it does
------------
Finds a softmax (or sigmoid) whose result goes into a cross-entropy that expects logits.

Why is this bad?
----------------
The second softmax sees inputs in [0, 1] and cannot give a probability above e / (e + n - 1): the loss has a floor far
above 0 and the gradients are small. Training works, badly, and nothing fails.

Example
-------
    p = torch.softmax(x, dim=1)
    loss = F.cross_entropy(p, y)

Use instead
-----------
    loss = F.cross_entropy(x, y)

Fix safety
----------
There is no fix: it would change the values that the code computes. Which of the two was meant is for the author to say.

References
----------
PyTorch documentation, `torch.nn.CrossEntropyLoss`.
"""

code = "LSE011"
args = {"x": "logits", "targets": "targets"}
params = {"axis": -1, "reduction": "mean"}
always = True
#: a network that gives probabilities when it is asked to gives logits to the loss
unconditional = True
severity = {"naive_log": "info"}
message = {
    "naive": "a softmax is fed to a loss that applies its own: the loss never gets near 0, and the gradient is damped",
    "naive_log": "a log-softmax is fed to a loss that applies its own: the second one is work for nothing",
    "naive_distribution": "probabilities are given as logits: the distribution applies a softmax to them again",
    "naive_sigmoid": "a sigmoid is fed to a loss that applies its own: the loss never gets near 0, and the gradient is damped",
}


def naive(xp, x, targets, axis, reduction):
    return xp.cross_entropy(xp.softmax(x, axis=axis), targets, reduction)


def naive_sigmoid(xp, x, targets, reduction):
    return xp.bce_with_logits(xp.sigmoid(x), targets, reduction)


def naive_log(xp, x, targets, axis, reduction):
    return xp.cross_entropy(xp.log_softmax(x, axis=axis), targets, reduction)


def naive_distribution(xp, x, axis):
    return xp.distribution_logits(xp.softmax(x, axis=axis))


def naive_distribution_sigmoid(xp, x):
    return xp.distribution_logits(xp.sigmoid(x))


replacement: dict[str, str] = {}
