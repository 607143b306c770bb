"""A shift by the maximum of the whole batch, with a sum per row, leaves rows that underflow to 0 / 0.

What it does
------------
Finds a softmax or log-sum-exp whose shift is the maximum over everything although the sum is over one axis.

Why is this bad?
----------------
A row that lies 745 (float64), 104 (float32) or 17 (float16) below the largest element of another row underflows
entirely: its sum is 0, its softmax nan and its logarithm -inf.

Example
-------
    e = np.exp(x - np.max(x))
    p = e / e.sum(axis=1, keepdims=True)

Use instead
-----------
    p = scipy.special.softmax(x, axis=1)

Fix safety
----------
Safe where the framework itself has softmax. Unsafe where it adds SciPy to a project.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE012"
args = {"x": "logits"}
params = {"axis": -1}
exact = True
always = True
message = (
    "the shift is the maximum of the whole batch, the sum is per row: a row {underflow} below the maximum is 0 / 0"
)


def naive(xp, x, axis, everywhere=None):
    shifted = xp.exp(x - xp.max(x, axis=everywhere, keepdims=False))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def naive_logsumexp(xp, x, axis, keepdims, everywhere=None):
    top = xp.max(x, axis=everywhere, keepdims=False)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=keepdims))


def applies(values):
    # Only an axis beyond the first says that there is a batch: a vector has none.
    axis = values["axis"]
    return isinstance(axis, float) and axis not in (0.0, -1.0)


replacement = {
    "numpy": "scipy.special.softmax(x, axis=axis)",
    "torch": "torch.softmax(x, dim=axis)",
    "jax": "jax.nn.softmax(x, axis=axis)",
    "tensorflow": "tensorflow.nn.softmax(x, axis=axis)",
}
replacement_logsumexp: dict[str, str] = {}
