"""`log(prod(p))` is -inf as soon as the product underflows.

What it does
------------
Finds the logarithm of a product where the sum of logarithms is meant.

Why is this bad?
----------------
The product of a few hundred probabilities is below the smallest number of the dtype, and its logarithm -inf. The sum
of the logarithms is an ordinary number.

Example
-------
    log_likelihood = np.log(np.prod(p))

Use instead
-----------
    log_likelihood = np.sum(np.log(p))

Fix safety
----------
Unsafe: with an even number of negative factors the product has a logarithm, its factors have none.

References
----------
Any textbook on likelihoods.
"""

code = "LSE018"
args = {"x": "probabilities"}
params = {"axis": None, "keepdims": False}
always = True
message = "log(prod(p)) is -inf as soon as the product underflows, which a few hundred factors do"


def naive(xp, x, axis, keepdims):
    return xp.log(xp.prod(x, axis=axis, keepdims=keepdims))


def applies(values):
    # The number of elements of a shape is a product that nobody takes the sum of logarithms for.
    x = values["x"]
    return not (isinstance(x, str) and any(word in x.lower() for word in ("shape", "size", "dim")))


replacement = {
    "numpy": "numpy.sum(numpy.log(x), axis=axis, keepdims=keepdims)",
    "torch": "torch.sum(torch.log(x), dim=axis, keepdim=keepdims)",
    "jax": "jax.numpy.sum(jax.numpy.log(x), axis=axis, keepdims=keepdims)",
    "tensorflow": "tensorflow.reduce_sum(tensorflow.math.log(x), axis=axis, keepdims=keepdims)",
}
unsafe = dict.fromkeys(("numpy", "torch", "jax", "tensorflow"), "the logarithm of a negative factor is nan")
