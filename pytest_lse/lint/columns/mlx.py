"""MLX: close to NumPy, with softmax and logsumexp in its core; its neural functions are in mlx.nn."""

framework = "mlx"
modules = ("mlx.core",)
roots = ("mlx", "mlx_lm")

_ANY = "stream~"
_REDUCE = f"a=x, axis, keepdims, *, {_ANY}"
_METHOD = f"axis, keepdims, *, {_ANY}"
_UNARY = (
    "exp log log1p expm1 abs sqrt square tanh sin cos sinh cosh floor sign sigmoid reciprocal erf log2 log10".split()
)
_METHODS = frozenset("exp log log1p abs sqrt square sin cos reciprocal log2 log10".split())
_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "pow": "power",
    "maximum": "maximum",
    "minimum": "minimum",
    "logaddexp": "logaddexp",
    "equal": "equal",
    "contract": "matmul",
}


def _unary(op: str) -> str:
    return f"@.{op}(a=x, *, {_ANY})" + (f" | .{op}(*, {_ANY})" if op in _METHODS else "")


def _reduction(name: str) -> str:
    return f"@.{name}({_REDUCE}) | .{name}({_METHOD})"


calls = {
    **{op: _unary(op) for op in _UNARY},
    **{op: f"@.{name}(a=x, b=y, *, {_ANY})" for op, name in _BINARY.items()},
    **{op: _reduction(op) for op in ("sum", "mean", "prod", "max", "min", "logsumexp")},
    "sigmoid": _unary("sigmoid") + " | mlx.nn.sigmoid(x)",
    "log_sigmoid": "mlx.nn.log_sigmoid(x)",
    "softplus": "mlx.nn.softplus(x)",
    "relu": "mlx.nn.relu(x)",
    "tanh": _unary("tanh") + " | mlx.nn.tanh(x)",
    "neg": f"@.negative(a=x, *, {_ANY})",
    "less": f"@.less(a=x, b=y, *, {_ANY}) | @.less_equal(a=x, b=y, *, {_ANY})",
    "greater": f"@.greater(a=x, b=y, *, {_ANY}) | @.greater_equal(a=x, b=y, *, {_ANY})",
    "isfinite": "@.isfinite(a=x) | @.isinf(a=x) | @.isnan(a=x) | @.isneginf(a=x) | @.isposinf(a=x)",
    "softmax": f"@.softmax(a=x, axis:None, *, precise~, {_ANY}) | mlx.nn.softmax(x, axis:-1)",
    "log_softmax": "mlx.nn.log_softmax(x, axis:-1)",
    "cumsum": f"@.cumsum(a=x, axis, *, reverse!, inclusive!, {_ANY}) | .cumsum(axis, *, reverse!, inclusive!, {_ANY})",
    "logcumsumexp": f"@.logcumsumexp(a=x, axis, *, reverse!, inclusive!, {_ANY})",
    "where": f"@.where(condition, x, y, *, {_ANY})",
    "clip": f"@.clip(a=x, a_min=min, a_max=max, *, {_ANY})",
    "expand": f"@.expand_dims(a=x, axis, *, {_ANY})",
    "reshape": f"@.reshape(a=x, shape, *, {_ANY}) | .reshape(shape, a~, b~, c~)",
    "transpose": f"@.transpose(a=x, axes!, *, {_ANY}) | .transpose()",
    "squeeze": f"@.squeeze(a=x, axis~, *, {_ANY}) | .squeeze(axis~) | @.flatten(a=x, start_axis~, end_axis~) | .flatten()"
    " | @.take_along_axis(a=x, indices~, axis~) | @.take(a=x, indices~, axis~)",
    "tile": "@.tile(a=x, reps~) | @.repeat(array=x, repeats~, axis~) | @.broadcast_to(a=x, shape~)",
    "einsum": "@.einsum(subscripts, x, y)",
    "cast": "@.array(val=x, dtype~) | .astype(dtype~) | .item() | @.contiguous(a=x)",
    "concat": "@.concatenate(x, axis~) | @.stack(x, axis~)",
    "detach": f"@.stop_gradient(a=x, *, {_ANY})",
    "norm": "@.linalg.norm(a=x, ord, axis, keepdims)",
    "nonnegative": "@.std(a=x, axis~, keepdims~, ddof~) | @.var(a=x, axis~, keepdims~, ddof~) | @.arange(x)",
    "bounded": "@.arctan(a=x) | @.arcsin(a=x) | @.random.uniform(low=x)",
    "bce_with_logits": "mlx.nn.losses.binary_cross_entropy(inputs=x, targets, weights!, with_logits!, reduction)",
    "cross_entropy": "mlx.nn.losses.cross_entropy(logits=x, targets, weights~, axis~, label_smoothing~, reduction:'none')",
    "nll": "mlx.nn.losses.nll_loss(inputs=x, targets, axis~, reduction:'none')",
}

#: `mlx.nn` modules
constructors = {
    "mlx.nn.Sigmoid": "sigmoid()",
    "mlx.nn.Softmax": "softmax(axis:-1)",
    "mlx.nn.LogSoftmax": "log_softmax(axis:-1)",
    "mlx.nn.LogSigmoid": "log_sigmoid()",
    "mlx.nn.Softplus": "softplus()",
    "mlx.nn.ReLU": "relu()",
    "mlx.nn.Tanh": "tanh()",
}
