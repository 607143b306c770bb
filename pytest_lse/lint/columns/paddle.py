"""PaddlePaddle: functions, methods, `nn.functional`, `nn` layers."""

framework = "paddle"
modules = ("paddle",)
roots = ("paddle", "paddlenlp")

_UNARY = "exp log log1p expm1 abs sqrt square tanh sin cos sinh cosh floor sign reciprocal erf log2 log10".split()
_REDUCE = "axis, keepdim=keepdims, name~"
_SUM = "axis, dtype!, keepdim=keepdims, name~"
_F = "paddle.nn.functional"
_LOSS = "input=x, label=targets, weight!, reduction, name~"


def _reduction(name: str, parameters: str = _REDUCE) -> str:
    return f"@.{name}(x, {parameters}) | .{name}({parameters})"


calls = {
    **{op: f"@.{op}(x, name~) | .{op}(name~)" for op in _UNARY},
    "neg": "@.neg(x, name~) | .neg(name~)",
    "isfinite": "@.isfinite(x) | @.isinf(x) | @.isnan(x)",
    "add": "@.add(x, y, name~) | .add(y, name~)",
    "sub": "@.subtract(x, y, name~) | .subtract(y, name~)",
    "mul": "@.multiply(x, y, name~) | .multiply(y, name~)",
    "div": "@.divide(x, y, name~) | .divide(y, name~)",
    "pow": "@.pow(x, y, name~) | .pow(y, name~)",
    "maximum": "@.maximum(x, y, name~) | .maximum(y, name~) | @.fmax(x, y, name~)",
    "minimum": "@.minimum(x, y, name~) | .minimum(y, name~) | @.fmin(x, y, name~)",
    "less": "@.less_than(x, y, name~) | @.less_equal(x, y, name~)",
    "greater": "@.greater_than(x, y, name~) | @.greater_equal(x, y, name~)",
    "equal": "@.equal(x, y, name~)",
    "logaddexp": "@.logaddexp(x, y, name~)",
    "sum": _reduction("sum", _SUM) + f" | @.nansum(x, {_SUM})",
    "mean": _reduction("mean"),
    "max": _reduction("max") + f" | @.amax(x, {_REDUCE})",
    "min": _reduction("min") + f" | @.amin(x, {_REDUCE})",
    "prod": "@.prod(x, axis, keepdim=keepdims, dtype!, name~) | .prod(axis, keepdim=keepdims, dtype!, name~)",
    "logsumexp": _reduction("logsumexp"),
    "maxpair": "@.topk(x, k~, axis) | .topk(k~, axis) | @.cummax(x, axis)",
    "maxlike": "@.geometric.segment_max(data=x, segment_ids~, name~) | @.incubate.segment_max(data=x, segment_ids~, name~)",
    "segment_sum": "@.geometric.segment_sum(data=x, segment_ids=ids, name~) | @.incubate.segment_sum(data=x, segment_ids=ids, name~)",
    "cumsum": "@.cumsum(x, axis, dtype!, name~) | .cumsum(axis, dtype!, name~)",
    "logcumsumexp": "@.logcumsumexp(x, axis, dtype!, name~) | .logcumsumexp(axis, dtype!, name~)",
    "where": "@.where(condition, x, y, name~)",
    "clip": "@.clip(x, min, max, name~) | .clip(min, max, name~)",
    "expand": "@.unsqueeze(x, axis, name~) | .unsqueeze(axis, name~)",
    "reshape": "@.reshape(x, shape, name~) | .reshape(shape, name~)",
    "transpose": "@.t(input=x, name~) | .t() | @.transpose(x, perm~, name~) | .transpose(perm~)",
    "squeeze": "@.squeeze(x, axis~, name~) | .squeeze(axis~) | @.flatten(x, start_axis~, stop_axis~) | .flatten(a~, b~)"
    " | @.gather(x, index~, axis~) | @.index_select(x, index~, axis~) | @.take_along_axis(arr=x, indices~, axis~)",
    "tile": "@.tile(x, repeat_times~) | @.expand(x, shape~) | .expand(shape~) | .tile(repeat_times~) | @.broadcast_to(x, shape~)",
    "contract": "@.matmul(x, y, transpose_x~, transpose_y~, name~) | .matmul(y, transpose_x~, transpose_y~) | @.dot(x, y) | @.bmm(x, y) | @.mm(input=x, mat2=y)",
    "einsum": "@.einsum(equation=subscripts, x, y)",
    "cast": "@.cast(x, dtype~) | .cast(dtype~) | .astype(dtype~) | @.to_tensor(data=x, dtype~, place~, stop_gradient~) | .numpy() | .clone() | .item()"
    " | .cpu() | @.assign(x, output~)",
    "concat": "@.concat(x, axis~, name~) | @.stack(x, axis~, name~)",
    "detach": ".detach()",
    "norm": "@.norm(x, p=ord, axis, keepdim=keepdims) | @.linalg.norm(x, p=ord, axis, keepdim=keepdims) | .norm(p=ord, axis, keepdim=keepdims)",
    "nonnegative": "@.std(x, axis~, unbiased~, keepdim~) | @.var(x, axis~, unbiased~, keepdim~) | @.arange(start=x)",
    "bounded": f"@.rand(shape=x) | @.uniform(shape=x) | {_F}.cosine_similarity(x1=x, x2~, axis~) | {_F}.normalize(x, p~, axis~) | @.atan(x)",
    "relu": f"{_F}.relu(x, name~)",
    "elu": f"{_F}.elu(x, alpha!, name~)",
    "sigmoid": f"{_F}.sigmoid(x, name~) | @.sigmoid(x, name~) | .sigmoid()",
    "log_sigmoid": f"{_F}.log_sigmoid(x, name~)",
    "softplus": f"{_F}.softplus(x, beta!, threshold!, name~)",
    "softmax": f"{_F}.softmax(x, axis:-1, dtype!, name~)",
    "log_softmax": f"{_F}.log_softmax(x, axis:-1, dtype!, name~)",
    "bce": f"{_F}.binary_cross_entropy({_LOSS})",
    "bce_with_logits": f"{_F}.binary_cross_entropy_with_logits(logit=x, label=targets, weight!, reduction, pos_weight!, name~)",
    "nll": f"{_F}.nll_loss(input=x, label=targets, weight~, ignore_index~, reduction, name~)",
    "kl_div": f"{_F}.kl_div(input=x, label=targets, reduction, log_target~, name~)",
}

#: `paddle.nn` layers
constructors = {
    "paddle.nn.Sigmoid": "sigmoid(name~)",
    "paddle.nn.Softmax": "softmax(axis:-1, name~)",
    "paddle.nn.LogSoftmax": "log_softmax(axis:-1, name~)",
    "paddle.nn.LogSigmoid": "log_sigmoid(name~)",
    "paddle.nn.Softplus": "softplus(beta!, threshold!, name~)",
    "paddle.nn.ReLU": "relu(name~)",
    "paddle.nn.Tanh": "tanh(name~)",
    "paddle.nn.BCELoss": "bce(weight!, reduction, name~)",
    "paddle.nn.BCEWithLogitsLoss": "bce_with_logits(weight!, reduction, pos_weight!, name~)",
    "paddle.nn.NLLLoss": "nll(weight~, ignore_index~, reduction, name~)",
    "paddle.nn.KLDivLoss": "kl_div(reduction, log_target~)",
}
