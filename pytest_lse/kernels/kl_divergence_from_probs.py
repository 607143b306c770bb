"""KL divergence sum(p * log(p / q)) of given probabilities, per row, where 0 log 0 = 0.

What it does
------------
`kl_divergence_from_probs(p, q)`: inf where q is 0 and p is not.

Why is this bad?
----------------
0 * log(0) is nan, and an epsilon in the logarithm hides an infinite divergence.

Special values
--------------
- ``kl_divergence_from_probs([0.0, 1.0], [0.5, 0.5])`` is 0.6931471805599453
- ``kl_divergence_from_probs([0.5, 0.5], [0.0, 1.0])`` is inf

References
----------
SciPy documentation, `scipy.special.rel_entr`.
"""

args = {"p": "probabilities", "q": "probabilities"}
params = {"axis": -1}


def naive(xp, p, q, axis):
    return xp.sum(p * xp.log(p / q), axis=axis)


def naive_difference(xp, p, q, axis):
    return xp.sum(p * (xp.log(p) - xp.log(q)), axis=axis)


def stable(xp, p, q, axis):
    safe = xp.where(xp.equal(p, 0.0), 1.0, p)
    return xp.sum(xp.where(xp.equal(p, 0.0), 0.0, p * (xp.log(safe) - xp.log(q))), axis=axis)


def stable_two_sums(xp, p, q, axis):
    zero = xp.equal(p, 0.0)
    first = xp.sum(p * xp.log(xp.where(zero, 1.0, p)), axis=axis)
    return first - xp.sum(xp.where(zero, 0.0, p * xp.log(q)), axis=axis)


def vjp(xp, g, p, q, axis):
    return g * (xp.log(p) - xp.log(q) + 1.0), -g * p / q


replacement = {
    "numpy": "scipy.special.rel_entr(p, q).sum(axis=axis)",
    "jax": "jax.scipy.special.rel_entr(p, q).sum(axis=axis)",
}
