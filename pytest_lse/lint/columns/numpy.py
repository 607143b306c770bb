"""NumPy and SciPy."""

framework = "numpy"
modules = ("numpy", "scipy", "pylab", "numpy.ma", "mxnet.np", "mxnet.numpy")
roots = ("numpy", "scipy", "pandas")

_UFUNC = "x, out!, where!, dtype!"
_UNARY = (
    "exp",
    "exp2",
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
_EXTREME = "a=x, axis, out!, keepdims, initial~, where~"

calls = {
    **{op: f"@.{op}({_UFUNC})" for op in _UNARY},
    "abs": f"@.abs({_UFUNC}) | @.absolute({_UFUNC}) | @.fabs({_UFUNC})",
    "log2": f"@.log2({_UFUNC})",
    "log10": f"@.log10({_UFUNC})",
    "neg": f"@.negative({_UFUNC})",
    "reciprocal": f"@.reciprocal({_UFUNC})",
    "isfinite": "@.isfinite(x) | @.isneginf(x) | @.isposinf(x) | @.isnan(x) | @.isinf(x)",
    "add": "@.add(x, y, out!, where!, dtype!)",
    "sub": "@.subtract(x, y, out!, where!, dtype!)",
    "mul": "@.multiply(x, y, out!, where!, dtype!)",
    "div": "@.divide(x, y, out!, where!, dtype!) | @.true_divide(x, y, out!, where!, dtype!)",
    "pow": "@.power(x, y, out!, where!, dtype!) | @.float_power(x, y, out!, where!, dtype!)",
    "maximum": "@.maximum(x, y, out!, where!, dtype!) | @.fmax(x, y, out!, where!, dtype!)",
    "minimum": "@.minimum(x, y, out!, where!, dtype!) | @.fmin(x, y, out!, where!, dtype!)",
    "greater": "@.greater(x, y) | @.greater_equal(x, y)",
    "less": "@.less(x, y) | @.less_equal(x, y)",
    "logaddexp": "@.logaddexp(x, y, out!, where!, dtype!)",
    "sum": f"@.sum({_REDUCE}) | @.nansum({_REDUCE}) | .sum({_METHOD}) | @.add.reduce(x, axis:0, dtype!, out!, keepdims)",
    "mean": "@.mean(a=x, axis, dtype!, out!, keepdims, *, where!) | @.nanmean(a=x, axis, dtype!, out!, keepdims, *, where!)"
    " | .mean(axis, dtype!, out!, keepdims, *, where!)",
    "average": "@.average(a=x, axis, weights, returned!, *, keepdims)",
    "filled": "@.full(shape~, fill_value=value, dtype~, order~) | @.full_like(a~, fill_value=value, dtype~)",
    "prod": f"@.prod({_REDUCE}) | .prod({_METHOD})",
    "max": f"@.max({_EXTREME}) | @.amax({_EXTREME}) | @.nanmax({_EXTREME})"
    " | .max(axis, out!, keepdims, initial~, where~) | @.maximum.reduce(x, axis:0, dtype!, out!, keepdims)",
    "min": f"@.min({_EXTREME}) | @.amin({_EXTREME}) | @.nanmin({_EXTREME}) | .min(axis, out!, keepdims, initial~, where~)",
    "maxlike": "@.maximum.reduceat(x, indices~, axis~) | @.maximum.accumulate(x, axis~)",
    "cumsum": "@.cumsum(a=x, axis, dtype!, out!) | .cumsum(axis, dtype!, out!)",
    "logcumsumexp": "@.logaddexp.accumulate(array=x, axis:0, dtype!, out!)",
    "where": "@.where(condition, x, y)",
    "size": "@.size(a=x, axis)",
    "nonzero": "@.flatnonzero(a=x) | @.nonzero(a=x) | @.where(condition=x)",
    "clip": "@.clip(a=x, a_min=min, a_max=max, out!) | .clip(min, max, out!)",
    "expand": "@.expand_dims(a=x, axis)",
    "reshape": "@.reshape(a=x, newshape=shape, order~) | .reshape(shape, a~, b~, c~, order~)",
    "transpose": "@.transpose(a=x, axes!) | .transpose()",
    "squeeze": "@.squeeze(a=x, axis~) | .squeeze(axis~) | .groupby(by~, axis~, level~, as_index~, sort~, group_keys~, observed~) | @.take(a=x, indices~, axis~) | .take(indices~, axis~)"
    " | @.take_along_axis(arr=x, indices~, axis~) | @.diag(v=x, k~) | @.diagonal(a=x, offset~) | .diagonal(offset~) | @.ravel(a=x, order~) | .ravel(order~) | .flatten(order~)"
    " | @.atleast_1d(x) | @.atleast_2d(x)",
    "tile": "@.flip(m=x, axis~) | @.flipud(m=x) | @.fliplr(m=x) | @.tile(A=x, reps~) | @.repeat(a=x, repeats~, axis~) | .repeat(repeats~, axis~)"
    " | @.broadcast_to(array=x, shape~, subok~)",
    "contract": "@.dot(a=x, b=y, out!) | @.matmul(x, y, out!) | .dot(y, out!) | @.inner(a=x, b=y) | @.vdot(a=x, b=y)"
    " | @.tensordot(a=x, b=y, axes~)",
    "einsum": "@.einsum(subscripts, x, y, optimize~)",
    "cast": "@.asarray(a=x, dtype~) | @.array(object=x, dtype~, copy~, ndmin~) | .astype(dtype~, copy~) | .copy() | @.copy(a=x)"
    " | @.float64(x) | @.float32(x) | @.asanyarray(a=x, dtype~) | @.nan_to_num(x, copy~, nan~, posinf~, neginf~)"
    " | @.ascontiguousarray(a=x, dtype~) | .item()",
    "kron": "@.kron(a=x, b=y) | @.outer(a=x, b=y)",
    "concat": "@.concatenate(x, axis~) | @.stack(arrays=x, axis~) | @.vstack(x) | @.hstack(x) | @.column_stack(x) | @.append(x, y~, axis~)",
    "between": "@.linspace(start=x, stop=y, num~, endpoint~, retstep!, dtype~, axis~)",
    "norm": "numpy.linalg.norm(x, ord, axis, keepdims)",
    "nonnegative": "@.std(x, axis~, dtype~, out!, ddof~, keepdims~) | @.var(x, axis~, dtype~, out!, ddof~, keepdims~)"
    " | scipy.spatial.distance.cdist(x, b~, metric~) | scipy.spatial.distance.pdist(x, metric~)"
    " | sklearn.metrics.log_loss(x, y~, *, labels~, normalize~, sample_weight~, eps~) | sklearn.metrics.mean_squared_error(x, y~)"
    " | sklearn.metrics.mean_absolute_error(x, y~) | sklearn.metrics.pairwise_distances(x, b~, metric~) | sklearn.metrics.pairwise.euclidean_distances(x, b~) | @.arange(x)",
    "bounded": "@.arctan(x) | @.arcsin(x) | numpy.random.rand(x) | numpy.random.random(x) | numpy.random.uniform(x) | numpy.random.randn(x, a~, b~)"
    " | numpy.random.normal(*, size=x) | numpy.random.standard_normal(size=x)"
    " | .standard_normal(size~, dtype~, out~) | .randn(a~, b~, c~) | .rand(a~, b~, c~)"
    " | numpy.random.multivariate_normal(mean=x, cov~, size~, check_valid~, tol~)",
    "sigmoid": "scipy.special.expit(x, out!) | mxnet.npx.sigmoid(data=x) | mxnet.numpy_extension.sigmoid(x)",
    "log_sigmoid": "scipy.special.log_expit(x, out!)",
    "softmax": "scipy.special.softmax(x, axis:None) | mxnet.npx.softmax(data=x, axis:-1)",
    "log_softmax": "scipy.special.log_softmax(x, axis:None) | mxnet.npx.log_softmax(data=x, axis:-1)",
    "logsumexp": "scipy.special.logsumexp(a=x, axis, b!, keepdims, return_sign!) | scipy.misc.logsumexp(a=x, axis, b!, keepdims, return_sign!)"
    " | @.logaddexp.reduce(x, axis:0, dtype!, out!, keepdims)",
    "xlogy": "scipy.special.xlogy(x, y)",
}


def shared(mine: dict[str, str]) -> dict[str, str]:
    """Return the calls of a framework that shares NumPy's own spellings and has some beside."""

    def both(op: str) -> str:
        same = [c for c in calls.get(op, "").split(" | ") if c.startswith(("@.", "."))]
        return " | ".join((*same, *filter(None, (mine.get(op, ""),))))

    return {op: cell for op in dict.fromkeys((*calls, *mine)) if (cell := both(op))}
