"""`log(exp(x))` is a round trip through the linear domain: inf or -inf for an ordinary x.

What it does
------------
Finds the logarithm of an exponential, also through a variable, times a factor or next to another term.

Why is this bad?
----------------
`exp(x)` overflows at 709.8 (float64), 88.7 (float32), 11.1 (float16) and underflows at -745, -104 and -17, and the
logarithm of that is inf or -inf. The value was at hand before it was exponentiated.

Example
-------
    std = torch.exp(log_std)
    entropy = torch.log(std).sum()

Use instead
-----------
    entropy = log_std.sum()

Fix safety
----------
Unsafe: an integer or a list stays what it is, and the result is the argument itself, not a copy. There is no fix where
the logarithm is of more than one exponential, or the argument is no longer available, or would be computed a second
time.

References
----------
skorch-dev/skorch#481.
"""

code = "LSE021"
args = {"x": "logits"}
params = {}
shift_invariant = True
#: `rate = exp(log_rate) if rate is None else rate` and its inverse are a choice of parameters, not a round trip
unconditional = True
#: a name takes the place of the logarithm, or the computation moves there
computed_once = True
message = "log(exp(x)) is x, but inf from x = {overflow} on and -inf from x = -{underflow} down: a round trip through the linear domain"


def naive(xp, x):
    return xp.log(xp.exp(x))


def naive_reciprocal(xp, x):
    return xp.log(1.0 / xp.exp(x))


def naive_scaled(xp, x, scale):
    return xp.log(scale * xp.exp(x))


def naive_plus(xp, x, other):
    return xp.log(other + xp.exp(x))


def naive_plus_weighted(xp, x, other, weight):
    return xp.log(other + weight * xp.exp(x))


def applies(values):
    # log(a + exp(b)) is fine for a > 0 unless b is the logarithm of a probability: then both may vanish together.
    return "other" not in values or (not isinstance(values["other"], float) and "log_prob" in str(values["x"]))


_ALL = (
    "numpy",
    "math",
    "torch",
    "jax",
    "tensorflow",
    "cupy",
    "autograd",
    "mlx",
    "paddle",
    "mxnet",
    "chainer",
    "theano",
)
replacement = dict.fromkeys(_ALL, "x")
unsafe = dict.fromkeys(_ALL, "an integer stays one, and the result is the argument itself")
replacement_reciprocal = dict.fromkeys(_ALL, "-x")
replacement_scaled: dict[str, str] = {}
replacement_plus_weighted: dict[str, str] = {}
#: the densities of a mixture vanish together
always = ("naive_plus_weighted",)
replacement_plus: dict[str, str] = {}
