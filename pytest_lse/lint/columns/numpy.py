"""NumPy and SciPy."""

framework = "numpy"
modules = ("numpy",)
roots = ("numpy", "scipy", "pandas")

_UFUNC = "x, out!, where!, dtype!"
_UNARY = (
    "exp",
    "log",
    "log1p",
    "expm1",
    "abs",
    "sqrt",
    "square",
    "tanh",
    "sin",
    "cos",
    "sinh",
    "cosh",
    "floor",
    "sign",
)
_REDUCE = "a=x, axis, dtype!, out!, keepdims, initial!, where!"
_METHOD = "axis, dtype!, out!, keepdims, initial!, where!"
_EXTREME = "a=x, axis, out!, keepdims, initial!, where!"

calls = {
    **{op: f"numpy.{op}({_UFUNC})" for op in _UNARY},
    "abs": f"numpy.abs({_UFUNC}) | numpy.absolute({_UFUNC}) | numpy.fabs({_UFUNC})",
    "log2": f"numpy.log2({_UFUNC})",
    "log10": f"numpy.log10({_UFUNC})",
    "neg": f"numpy.negative({_UFUNC})",
    "reciprocal": f"numpy.reciprocal({_UFUNC})",
    "isfinite": "numpy.isfinite(x) | numpy.isneginf(x) | numpy.isposinf(x) | numpy.isnan(x) | numpy.isinf(x)",
    "add": "numpy.add(x, y, out!, where!, dtype!)",
    "sub": "numpy.subtract(x, y, out!, where!, dtype!)",
    "mul": "numpy.multiply(x, y, out!, where!, dtype!)",
    "div": "numpy.divide(x, y, out!, where!, dtype!) | numpy.true_divide(x, y, out!, where!, dtype!)",
    "pow": "numpy.power(x, y, out!, where!, dtype!) | numpy.float_power(x, y, out!, where!, dtype!)",
    "maximum": "numpy.maximum(x, y, out!, where!, dtype!) | numpy.fmax(x, y, out!, where!, dtype!)",
    "minimum": "numpy.minimum(x, y, out!, where!, dtype!) | numpy.fmin(x, y, out!, where!, dtype!)",
    "greater": "numpy.greater(x, y) | numpy.greater_equal(x, y)",
    "less": "numpy.less(x, y) | numpy.less_equal(x, y)",
    "logaddexp": "numpy.logaddexp(x, y, out!, where!, dtype!)",
    "sum": f"numpy.sum({_REDUCE}) | numpy.nansum({_REDUCE}) | .sum({_METHOD}) | numpy.add.reduce(x, axis:0, dtype!, out!, keepdims)",
    "mean": "numpy.mean(a=x, axis, dtype!, out!, keepdims, *, where!) | numpy.nanmean(a=x, axis, dtype!, out!, keepdims, *, where!)"
    " | .mean(axis, dtype!, out!, keepdims, *, where!)",
    "prod": f"numpy.prod({_REDUCE}) | .prod({_METHOD})",
    "max": f"numpy.max({_EXTREME}) | numpy.amax({_EXTREME}) | numpy.nanmax({_EXTREME})"
    " | .max(axis, out!, keepdims, initial!, where!) | numpy.maximum.reduce(x, axis:0, dtype!, out!, keepdims)",
    "min": f"numpy.min({_EXTREME}) | numpy.amin({_EXTREME}) | numpy.nanmin({_EXTREME}) | .min(axis, out!, keepdims, initial!, where!)",
    "maxlike": "numpy.maximum.reduceat(x, indices~, axis~) | numpy.maximum.accumulate(x, axis~)",
    "cumsum": "numpy.cumsum(a=x, axis, dtype!, out!) | .cumsum(axis, dtype!, out!)",
    "where": "numpy.where(condition, x, y)",
    "clip": "numpy.clip(a=x, a_min=min, a_max=max, out!) | .clip(min, max, out!)",
    "expand": "numpy.expand_dims(a=x, axis)",
    "reshape": "numpy.reshape(a=x, newshape=shape, order~) | .reshape(shape, a~, b~, c~, order~)",
    "transpose": "numpy.transpose(a=x, axes!) | .transpose()",
    "squeeze": "numpy.squeeze(a=x, axis~) | .squeeze(axis~) | numpy.ravel(a=x, order~) | .ravel(order~) | .flatten(order~)"
    " | numpy.atleast_1d(x) | numpy.atleast_2d(x)",
    "tile": "numpy.tile(A=x, reps~) | numpy.repeat(a=x, repeats~, axis~) | .repeat(repeats~, axis~)"
    " | numpy.broadcast_to(array=x, shape~, subok~)",
    "contract": "numpy.dot(a=x, b=y, out!) | numpy.matmul(x, y, out!) | .dot(y, out!) | numpy.inner(a=x, b=y) | numpy.vdot(a=x, b=y)"
    " | numpy.tensordot(a=x, b=y, axes~)",
    "einsum": "numpy.einsum(subscripts, x, y, optimize~)",
    "cast": "numpy.asarray(a=x, dtype~) | numpy.array(object=x, dtype~, copy~, ndmin~) | .astype(dtype~, copy~) | .copy() | numpy.copy(a=x)"
    " | numpy.float64(x) | numpy.float32(x) | numpy.asanyarray(a=x, dtype~) | numpy.nan_to_num(x, copy~, nan~, posinf~, neginf~)"
    " | numpy.ascontiguousarray(a=x, dtype~) | .item()",
    "norm": "numpy.linalg.norm(x, ord~, axis, keepdims)",
    "nonnegative": "numpy.std(x, axis~, dtype~, out!, ddof~, keepdims~) | numpy.var(x, axis~, dtype~, out!, ddof~, keepdims~)"
    " | scipy.spatial.distance.cdist(x, b~, metric~) | scipy.spatial.distance.pdist(x, metric~)"
    " | sklearn.metrics.pairwise_distances(x, b~, metric~) | sklearn.metrics.pairwise.euclidean_distances(x, b~) | numpy.arange(x)",
    "bounded": "numpy.arctan(x) | numpy.arcsin(x) | numpy.random.rand(x) | numpy.random.random(x) | numpy.random.uniform(x)",
    "sigmoid": "scipy.special.expit(x, out!)",
    "log_sigmoid": "scipy.special.log_expit(x, out!)",
    "softmax": "scipy.special.softmax(x, axis:None)",
    "log_softmax": "scipy.special.log_softmax(x, axis:None)",
    "logsumexp": "scipy.special.logsumexp(a=x, axis, b!, keepdims, return_sign!) | scipy.misc.logsumexp(a=x, axis, b!, keepdims, return_sign!)"
    " | numpy.logaddexp.reduce(x, axis:0, dtype!, out!, keepdims)",
    "xlogy": "scipy.special.xlogy(x, y)",
}
