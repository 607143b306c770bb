"""`-sum(p * log(p))` of given probabilities, where 0 log 0 = 0.

What it does
------------
`entropy_from_probs(p)`, per row.

Why is this bad?
----------------
0 * log(0) is nan, and `log(p + eps)` bends the result.

Special values
--------------
- ``entropy_from_probs([1.0, 0.0])`` is 0.0

References
----------
SciPy documentation, `scipy.special.entr`.
"""

args = {"p": "probabilities"}
params = {"axis": -1}


def naive(xp, p, axis):
    return -xp.sum(p * xp.log(p), axis=axis)


def stable(xp, p, axis):
    safe = xp.where(xp.equal(p, 0.0), 1.0, p)
    return -xp.sum(p * xp.log(safe), axis=axis)


def vjp(xp, g, p, axis):
    return (-g * (xp.log(p) + 1.0),)


replacement = {
    "numpy": "scipy.special.entr(p).sum(axis=axis)",
    "torch": "torch.special.entr(p).sum(dim=axis)",
    "jax": "jax.scipy.special.entr(p).sum(axis=axis)",
}
