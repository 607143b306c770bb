"""Pointwise KL divergence summed per row, from log q and the target probabilities: sum(t * (log t - log q)).

What it does
------------
`kl_div(log_q, targets)`, as `torch.nn.functional.kl_div`, where 0 log 0 = 0.

Why is this bad?
----------------
`t * log(t)` is nan for a target of 0, and so is `0 * -inf` where log q is -inf.

Special values
--------------
- ``kl_div([-inf, 0.0], [0.0, 1.0])`` is 0.0

References
----------
PyTorch documentation, `torch.nn.functional.kl_div`.
"""

args = {"log_q": "log_probabilities", "targets": "probabilities"}
params = {"axis": -1}


def naive(xp, log_q, targets, axis):
    return xp.sum(targets * (xp.log(targets) - log_q), axis=axis)


def stable(xp, log_q, targets, axis):
    zero = xp.equal(targets, 0.0)
    return xp.sum(xp.where(zero, 0.0, targets * (xp.log(xp.where(zero, 1.0, targets)) - log_q)), axis=axis)


def stable_two_sums(xp, log_q, targets, axis):
    zero = xp.equal(targets, 0.0)
    first = xp.sum(targets * xp.log(xp.where(zero, 1.0, targets)), axis=axis)
    return first - xp.sum(xp.where(zero, 0.0, targets * log_q), axis=axis)


def vjp(xp, g, log_q, targets, axis):
    return -g * targets, g * (xp.log(targets) + 1.0 - log_q)


replacement = {
    "numpy": "(scipy.special.xlogy(targets, targets) - numpy.where(targets == 0, 0, targets * log_q)).sum(axis=axis)",
    "torch": "torch.nn.functional.kl_div(log_q, targets, reduction='none').sum(dim=axis)",
    "jax": "(jax.scipy.special.xlogy(targets, targets) - jax.numpy.where(targets == 0, 0, targets * log_q)).sum(axis=axis)",
}
