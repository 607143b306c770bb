"""A softmax over the kept elements of a row; 0 everywhere in a row that keeps none.

What it does
------------
`masked_softmax(x, mask)` with True = keep.

Why is this bad?
----------------
Filling with -1e9 leaks weight to masked elements in rows whose kept logits are low, and float16 has no -1e9. Filling
with -inf is right, but a row without kept elements is then 0 / 0 = nan.

Special values
--------------
- a row without kept elements is 0.0

References
----------
PyTorch issues 55056 and 106545 on fully masked rows.
"""

args = {"x": "logits", "mask": "mask"}
params = {"axis": -1}
bound = "probability"


def naive(xp, x, mask, axis):
    kept = xp.where(mask, xp.exp(x), 0.0)
    return kept / xp.sum(kept, axis=axis, keepdims=True)


def stable(xp, x, mask, axis):
    kept = xp.where(mask, x, -xp.inf)
    top = xp.max(kept, axis=axis, keepdims=True)
    # A row without kept elements is shifted by 0 and divided by 1.
    small = xp.where(mask, xp.exp(kept - xp.where(xp.equal(top, -xp.inf), 0.0, top)), 0.0)
    total = xp.sum(small, axis=axis, keepdims=True)
    return small / xp.where(xp.equal(total, 0.0), 1.0, total)


def vjp(xp, g, x, mask, axis):
    p = stable(xp, x, mask, axis)
    # Softmax is blind to a common part of g: without it, equal weights give an exact 0.
    g = xp.where(mask, g - g[..., :1], 0.0)
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)),)


def vjp_textbook(xp, g, x, mask, axis):
    p = stable(xp, x, mask, axis)
    return (p * (g - xp.sum(g * p, axis=axis, keepdims=True)),)


replacement = {
    "numpy": "numpy.where(mask, scipy.special.softmax(numpy.where(mask | ~mask.any(axis=axis, keepdims=True), x, "
    "-numpy.inf), axis=axis), 0)",
    "torch": "torch.where(mask, torch.softmax(x.masked_fill(~mask & mask.any(dim=axis, keepdim=True), -torch.inf),"
    " dim=axis), 0)",
    "jax": "jax.numpy.where(mask, jax.nn.softmax(jax.numpy.where(mask | ~mask.any(axis=axis, keepdims=True), x, "
    "-jax.numpy.inf), axis=axis), 0)",
}
