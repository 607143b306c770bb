"""Theano and its successors Aesara and PyTensor: recognised, not rewritten."""

framework = "theano"
#: the graph compiler rewrites log(softmax), log(sum(exp)) and softplus itself
stabilises = True
modules = ("theano.tensor", "aesara.tensor", "pytensor.tensor")
roots = ("theano", "aesara", "pytensor", "pymc", "pymc3", "lasagne")

_UNARY = "exp log log1p expm1 sqrt tanh sin cos sinh cosh floor erf log2 log10".split()
_REDUCE = "axis, dtype!, keepdims, acc_dtype!"

calls = {
    **{op: f"@.{op}(x)" for op in _UNARY},
    **{op: f"@.{op}(input=x, {_REDUCE}) | .{op}({_REDUCE})" for op in ("sum", "mean", "prod")},
    "max": "@.max(x, axis, keepdims) | .max(axis, keepdims)",
    "min": "@.min(x, axis, keepdims) | .min(axis, keepdims)",
    "abs": "@.abs(x) | @.abs_(x)",
    "square": "@.sqr(x) | @.square(x)",
    "sign": "@.sgn(x) | @.sign(x)",
    "neg": "@.neg(x)",
    "reciprocal": "@.inv(x) | @.reciprocal(x)",
    "maximum": "@.maximum(x, y)",
    "minimum": "@.minimum(x, y)",
    "less": "@.lt(x, y) | @.le(x, y)",
    "greater": "@.gt(x, y) | @.ge(x, y)",
    "equal": "@.eq(x, y)",
    "add": "@.add(x, y)",
    "sub": "@.sub(x, y)",
    "mul": "@.mul(x, y)",
    "div": "@.true_div(x, y)",
    "pow": "@.pow(x, y)",
    "where": "@.switch(condition, x, y) | @.where(condition, x, y)",
    "clip": "@.clip(x, min, max)",
    "expand": "@.expand_dims(x, axis)",
    "reshape": "@.reshape(x, newshape=shape, ndim~) | .reshape(shape, ndim~)",
    "transpose": "@.transpose(x, axes!) | .dimshuffle(a~, b~, c~, d~)",
    "squeeze": "@.squeeze(x, axis~) | @.flatten(x, ndim~) | .flatten(ndim~)",
    "tile": "@.tile(x, reps~) | @.repeat(x, repeats~, axis~)",
    "contract": "@.dot(x, y) | @.matmul(x, y) | @.tensordot(a=x, b=y, axes~)",
    "cumsum": "@.cumsum(x, axis)",
    "cast": "@.cast(x, dtype~) | @.as_tensor_variable(x) | .astype(dtype~) | @.constant(x)",
    "detach": "theano.gradient.disconnected_grad(x)",
    "relu": "@.nnet.relu(x)",
    "sigmoid": "@.nnet.sigmoid(x) | @.sigmoid(x) | @.expit(x)",
    "softplus": "@.nnet.softplus(x) | @.softplus(x)",
    "softmax": "@.nnet.softmax(c=x, axis:-1) | @.softmax(c=x, axis:-1) | @.special.softmax(c=x, axis:-1)",
    "log_softmax": "@.nnet.logsoftmax(x, axis:-1) | @.special.log_softmax(c=x, axis:-1)",
    "logsumexp": "@.logsumexp(x, axis, keepdims)",
    "logaddexp": "@.logaddexp(x, y)",
}
