"""A stabiliser that cannot work: the maximum with the wrong sign, a mean for a maximum, a clip that flattens the argument.

What it does
------------
Finds softmaxes, log-sum-exps and logistic losses whose author has stabilised them in a way that does not: the maximum
added instead of subtracted, the mean or minimum subtracted, an epsilon in the denominator, a clip to an empty range.

Why is this bad?
----------------
The code looks safe and is not: exp overflows as before, only later, and inf / inf is nan whatever is added to it.
A clip of -abs(x) to [-1e-8, 0] makes log(1 + exp(.)) the constant log 2.

Example
-------
    e = np.exp(x)
    p = e / (e.sum(axis=1, keepdims=True) + 1e-8)

Use instead
-----------
    p = scipy.special.softmax(x, axis=1)

Fix safety
----------
Unsafe: what the stabiliser did to ordinary values is lost.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
IMA Journal of Numerical Analysis 41(4), 2021, section 4.
"""

code = "LSE017"
args = {"x": "logits"}
params = {"axis": -1}
#: the epsilon is dead only where nothing has been subtracted
shift_invariant = True
always = tuple(f"naive_{kind}{of}" for kind in ("sign", "mean", "min") for of in ("", "_logsumexp"))
always += ("naive_clip", "naive_clip_log1p")
message = {
    "naive": "the epsilon in the denominator cannot help: exp(x) / (sum(exp(x)) + eps) is nan from x = {overflow} on",
    "naive_sign": "the maximum is added, not subtracted: exp overflows from x = {overflow} / 2 on",
    "naive_mean": "the mean is subtracted where the maximum is needed: exp overflows {overflow} above the mean",
    "naive_min": "the minimum is subtracted where the maximum is needed: exp overflows {overflow} above the minimum",
    "naive_clip": "the clip flattens the argument: log(1 + exp(.)) is log 2 whatever x is",
}
for _spelling in ("sign", "mean", "min"):
    message[f"naive_{_spelling}_logsumexp"] = message[f"naive_{_spelling}"]
message["naive_clip_log1p"] = message["naive_clip"]


def naive(xp, x, axis, eps):
    return xp.exp(x) / (xp.sum(xp.exp(x), axis=axis, keepdims=True) + eps)


def naive_masked(xp, x, axis, weights, eps):
    return weights * xp.exp(x) / (xp.sum(weights * xp.exp(x), axis=axis, keepdims=True) + eps)


def naive_sign(xp, x, axis, other, keepdims):
    shifted = xp.exp(x + xp.max(x, axis=other, keepdims=keepdims))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def naive_mean(xp, x, axis, other, keepdims):
    shifted = xp.exp(x - xp.mean(x, axis=other, keepdims=keepdims))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def naive_min(xp, x, axis, other, keepdims):
    shifted = xp.exp(x - xp.min(x, axis=other, keepdims=keepdims))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def naive_sign_logsumexp(xp, x, axis, other, keepdims):
    return xp.log(xp.sum(xp.exp(x + xp.max(x, axis=other, keepdims=keepdims)), axis=axis))


def naive_mean_logsumexp(xp, x, axis, other, keepdims):
    return xp.log(xp.sum(xp.exp(x - xp.mean(x, axis=other, keepdims=keepdims)), axis=axis))


def naive_min_logsumexp(xp, x, axis, other, keepdims):
    return xp.log(xp.sum(xp.exp(x - xp.min(x, axis=other, keepdims=keepdims)), axis=axis))


def naive_axis(xp, x, axis, other, keepdims):
    shifted = xp.exp(x - xp.max(x, axis=other, keepdims=keepdims))
    return shifted / xp.sum(shifted, axis=axis, keepdims=True)


def naive_clip(xp, x, low, high):
    return xp.log(1.0 + xp.exp(xp.clip(x, low, high)))


def naive_clip_log1p(xp, x, low, high):
    return xp.log1p(xp.exp(xp.clip(x, low, high)))


def applies(values):
    if "low" in values:
        low, high = values["low"], values["high"]
        return isinstance(low, float) and isinstance(high, float) and 0.0 <= high - low <= 1e-3
    if "eps" in values:
        eps = values["eps"]
        named = isinstance(eps, str) and any(word in eps.lower() for word in ("eps", "tiny", "small", "delta"))
        return named or (isinstance(eps, float) and 0.0 < eps <= 1e-3)
    return True


replacement = {
    "numpy": "scipy.special.softmax(x, axis=axis)",
    "torch": "torch.softmax(x, dim=axis)",
    "jax": "jax.nn.softmax(x, axis=axis)",
    "tensorflow": "tensorflow.nn.softmax(x, axis=axis)",
}
replacement_masked: dict[str, str] = {}
replacement_sign_logsumexp: dict[str, str] = {}
replacement_mean_logsumexp: dict[str, str] = {}
replacement_min_logsumexp: dict[str, str] = {}
replacement_clip: dict[str, str] = {}
#: variables that the replacement is meant to lose
dropped = ("eps", "other", "keepdims")
unsafe = dict.fromkeys(
    ("numpy", "torch", "jax", "tensorflow"), "the stabiliser is replaced, which changes values near it"
)
