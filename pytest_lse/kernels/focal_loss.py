"""Focal loss of a logit against a target of 0 or 1, elementwise: -(1 - p_t)**gamma * log(p_t).

What it does
------------
`focal_loss(x, targets)` with exponent `gamma` and without alpha.

Why is this bad?
----------------
The logarithm of a saturated sigmoid is -inf, and (1 - p) is 0 where p rounds to 1: the product is nan.

References
----------
T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
"""

args = {"x": "logits", "targets": "targets"}
params = {"gamma": 2.0}


def naive(xp, x, targets, gamma):
    p = 1.0 / (1.0 + xp.exp(-x))
    right = targets * p + (1.0 - targets) * (1.0 - p)
    return -((1.0 - right) ** gamma) * xp.log(right)


def stable(xp, x, targets, gamma):
    z = xp.where(xp.greater(targets, 0.5), x, -x)
    return xp.exp(-gamma * xp.softplus(z)) * xp.softplus(-z)


def stable_power(xp, x, targets, gamma):
    z = xp.where(xp.greater(targets, 0.5), x, -x)
    return (1.0 - xp.sigmoid(z)) ** gamma * xp.softplus(-z)


def stable_library(xp, x, targets, gamma):
    # torchvision's, on PyTorch's binary cross-entropy, in which x and -x cancel for x far below 0.
    p = xp.sigmoid(x)
    right = p * targets + (1.0 - p) * (1.0 - targets)
    loss = (1.0 - targets) * x + (xp.log1p(xp.exp(-xp.abs(x))) + xp.maximum(-x, 0.0))
    return loss * (1.0 - right) ** gamma


def vjp(xp, g, x, targets, gamma):
    z = xp.where(xp.greater(targets, 0.5), x, -x)
    slope = -xp.exp(-gamma * xp.softplus(z)) * (gamma * xp.sigmoid(z) * xp.softplus(-z) + xp.sigmoid(-z))
    return (g * xp.where(xp.greater(targets, 0.5), slope, -slope),)


def vjp_textbook(xp, g, x, targets, gamma):
    # The derivative of a sigmoid from its rounded output, s (1 - s): near 1 that costs eps * the logarithm.
    z = xp.where(xp.greater(targets, 0.5), x, -x)
    small, right = xp.sigmoid(-z), xp.sigmoid(z)
    slope = -(gamma * small ** (gamma - 1.0) * (small * (1.0 - small)) * xp.softplus(-z)) - small**gamma * (1.0 - right)
    return (g * xp.where(xp.greater(targets, 0.5), slope, -slope),)
