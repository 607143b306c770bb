"""Chainer: `chainer.functions`, usually imported as F."""

framework = "chainer"
modules = ("chainer.functions",)
roots = ("chainer", "chainerrl", "pfrl")

_UNARY = "exp log log1p expm1 sqrt square tanh sin cos sinh cosh floor sign erf log2 log10".split()
_REDUCE = "x, axis, keepdims"
_METHOD = "axis, keepdims"

calls = {
    **{op: f"@.{op}(x)" for op in _UNARY},
    "abs": "@.absolute(self=x)",
    "sum": f"@.sum({_REDUCE}) | .sum({_METHOD})",
    "mean": f"@.mean({_REDUCE}) | @.average(x, axis, weights!, keepdims) | .mean({_METHOD})",
    "prod": f"@.prod({_REDUCE})",
    "max": f"@.max({_REDUCE}) | .max({_METHOD})",
    "min": f"@.min({_REDUCE}) | .min({_METHOD})",
    "logsumexp": "@.logsumexp(x, axis)",
    "maximum": "@.maximum(x1=x, x2=y)",
    "minimum": "@.minimum(x1=x, x2=y)",
    "add": "@.add(x, y)",
    "cumsum": "@.cumsum(x, axis)",
    "where": "@.where(condition, x, y)",
    "clip": "@.clip(x, x_min=min, x_max=max)",
    "expand": "@.expand_dims(x, axis)",
    "reshape": "@.reshape(x, shape) | .reshape(shape, a~, b~, c~)",
    "transpose": "@.transpose(x, axes!) | .transpose()",
    "squeeze": "@.squeeze(x, axis~) | @.select_item(x, t~) | @.flatten(x) | @.get_item(x, slices~)",
    "tile": "@.tile(x, reps~) | @.repeat(x, repeats~, axis~) | @.broadcast_to(x, shape~)",
    "contract": "@.matmul(a=x, b=y, transa~, transb~) | @.batch_matmul(a=x, b=y)",
    "einsum": "@.einsum(subscripts, x, y)",
    "cast": "@.cast(x, typ~) | chainer.Variable(data=x) | chainer.as_variable(obj=x) | @.identity(x) | @.copy(x, dst~)",
    "concat": "@.concat(xs=x, axis~) | @.stack(xs=x, axis~)",
    "nonnegative": "@.batch_l2_norm_squared(x)",
    "bounded": "@.arctan(x) | @.normalize(x, eps~, axis~)",
    "relu": "@.relu(x)",
    "sigmoid": "@.sigmoid(x)",
    "softplus": "@.softplus(x, beta!)",
    "softmax": "@.softmax(x, axis:1)",
    "log_softmax": "@.log_softmax(x, axis:1)",
    "bce_with_logits": "@.sigmoid_cross_entropy(x, t=targets, normalize~, reduce~)",
    "cross_entropy": "@.softmax_cross_entropy(x, t=targets, normalize~, cache_score~, class_weight~, ignore_label~, reduce~, enable_double_backprop~)",
}
