"""MXNet: `mx.nd`, `mx.sym`, and `mx.np`; Gluon passes one of the first two as a parameter called F."""

framework = "mxnet"
modules = ("mxnet.nd", "mxnet.F", "mxnet.ndarray", "mxnet.sym", "mxnet.symbol")
roots = ("mxnet", "gluonnlp", "gluoncv")

_UNARY = "exp log log1p expm1 abs sqrt square tanh sin cos sinh cosh floor sign reciprocal erf log2 log10".split()
_METHODS = frozenset(
    "exp log log1p expm1 abs sqrt square tanh sin cos sinh cosh floor sign reciprocal log2 log10".split()
)
_REDUCE = "data=x, axis, keepdims, exclude!, *, out!, name~"
_METHOD = "axis, keepdims, *, exclude!"


def _binary(*names: str) -> str:
    return " | ".join(f"@.{name}(lhs=x, rhs=y, *, out!, name~)" for name in names)


def _reduction(name: str) -> str:
    return f"@.{name}({_REDUCE}) | .{name}({_METHOD})"


calls = {
    **{op: f"@.{op}(data=x, *, out!, name~)" + (f" | .{op}()" if op in _METHODS else "") for op in _UNARY},
    **{op: _reduction(op) for op in ("sum", "mean", "prod", "max", "min")},
    "add": _binary("broadcast_add", "broadcast_plus", "elemwise_add", "add"),
    "sub": _binary("broadcast_sub", "broadcast_minus", "elemwise_sub", "subtract"),
    "mul": _binary("broadcast_mul", "elemwise_mul", "multiply"),
    "div": _binary("broadcast_div", "elemwise_div", "divide"),
    "pow": _binary("broadcast_power", "power"),
    "maximum": _binary("maximum", "broadcast_maximum"),
    "minimum": _binary("minimum", "broadcast_minimum"),
    "less": _binary("broadcast_lesser", "broadcast_lesser_equal", "lesser", "lesser_equal"),
    "greater": _binary("broadcast_greater", "broadcast_greater_equal", "greater", "greater_equal"),
    "equal": _binary("broadcast_equal", "equal"),
    "neg": "@.negative(data=x)",
    "isfinite": "@.contrib.isfinite(data=x) | @.contrib.isnan(data=x) | @.contrib.isinf(data=x)",
    "sum": _reduction("sum") + f" | @.nansum({_REDUCE}) | @.sum_axis({_REDUCE})",
    "max": _reduction("max") + f" | @.max_axis({_REDUCE})",
    "min": _reduction("min") + f" | @.min_axis({_REDUCE})",
    "cumsum": "@.cumsum(a=x, axis, dtype!)",
    "where": "@.where(condition, x, y)",
    "clip": "@.clip(data=x, a_min=min, a_max=max) | .clip(a_min=min, a_max=max)",
    "expand": "@.expand_dims(data=x, axis) | .expand_dims(axis)",
    "reshape": "@.reshape(data=x, shape) | .reshape(shape, a~, b~, c~)",
    "transpose": "@.transpose(data=x, axes!) | .transpose()",
    "squeeze": "@.squeeze(data=x, axis~) | .squeeze(axis~) | @.pick(data=x, index~, axis~, keepdims~) | @.take(a=x, indices~, axis~)"
    " | @.slice_axis(data=x, axis~, begin~, end~) | .slice_axis(axis~, begin~, end~) | @.flatten(data=x) | .flatten()",
    "tile": "@.tile(data=x, reps~) | @.repeat(data=x, repeats~, axis~) | @.broadcast_to(data=x, shape~) | @.broadcast_axis(data=x, axis~, size~)"
    " | @.broadcast_like(lhs=x, rhs~) | .broadcast_like(other~)",
    "contract": "@.dot(lhs=x, rhs=y, transpose_a~, transpose_b~) | @.batch_dot(lhs=x, rhs=y, transpose_a~, transpose_b~)",
    "cast": "@.array(source_array=x, ctx~, dtype~) | @.cast(data=x, dtype~) | .astype(dtype~) | .asnumpy() | .asscalar() | .copy() | .as_in_context(ctx~)",
    "concat": "@.concat(x, y~, *, dim~) | @.stack(x, y~, *, axis~)",
    "detach": "@.BlockGrad(data=x) | @.stop_gradient(data=x) | .detach()",
    "norm": "@.norm(data=x, ord~, axis, *, keepdims)",
    "nonnegative": "@.arange(x)",
    "bounded": "@.arctan(data=x) | @.arcsin(data=x) | @.random.uniform(low=x) | @.L2Normalization(data=x, mode~)",
    "relu": "@.relu(data=x) | .relu()",
    "sigmoid": "@.sigmoid(data=x, *, name~) | .sigmoid()",
    "softmax": "@.softmax(data=x, axis:-1, *, length!, temperature!, use_length!, dtype!, name~) | .softmax(axis:-1) | @.SoftmaxActivation(data=x, mode!)",
    "log_softmax": "@.log_softmax(data=x, axis:-1, *, temperature!, dtype!, name~) | .log_softmax(axis:-1)",
}
