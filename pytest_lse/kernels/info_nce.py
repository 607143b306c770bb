"""InfoNCE: cross-entropy of a similarity matrix whose diagonal holds the right answers, the mean over the rows.

What it does
------------
`info_nce(similarity)` at temperature `temperature`.

Why is this bad?
----------------
Similarities are divided by a temperature of 0.07 or less before the exponential, which then overflows.

References
----------
A. van den Oord, Y. Li, O. Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018.
"""

args = {"similarity": "logits"}
params = {"temperature": 1.0}
layout = "whole"


def check(similarity, **params):
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1]:
        raise ValueError(f"similarity has shape {similarity.shape}: expected a square matrix [N, N]")


def naive(xp, similarity, temperature):
    e = xp.exp(similarity / temperature)
    right = xp.arange(similarity.shape[0])
    return -xp.mean(xp.log(e[right, right] / xp.sum(e, axis=-1)))


def stable(xp, similarity, temperature):
    right = xp.arange(similarity.shape[0])
    top = xp.max(similarity, axis=-1, keepdims=True)
    ties = xp.sum(xp.where(xp.equal(similarity, top), 1.0, 0.0), axis=-1)
    scaled = (similarity - top) / temperature
    rest = xp.sum(xp.where(xp.equal(similarity, top), 0.0, xp.exp(scaled)), axis=-1)
    return xp.mean(xp.log(ties) + xp.log1p(rest / ties) - scaled[right, right])


def stable_textbook(xp, similarity, temperature):
    right = xp.arange(similarity.shape[0])
    return -xp.mean(xp.log_softmax(similarity / temperature, axis=-1)[right, right])


def vjp(xp, g, similarity, temperature):
    rows = similarity.shape[0]
    right = xp.arange(rows)
    scaled = (similarity - xp.max(similarity, axis=-1, keepdims=True)) / temperature
    p = xp.softmax(scaled, axis=-1)
    on = xp.equal(right[:, None] - right[None, :], 0)
    return (g * xp.where(on, p - 1.0, p) / temperature / float(rows),)
