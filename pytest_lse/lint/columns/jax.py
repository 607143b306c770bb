"""JAX: jax.numpy shares NumPy's spellings; jax.nn, jax.scipy and jax.lax add theirs."""

from pytest_lse.lint.columns import numpy

framework = "jax"
modules = ("jax.numpy",)
roots = ("jax", "flax", "haiku", "optax", "numpyro")

_LAX = "exp log log1p expm1 abs sqrt square tanh sin cos floor sign neg reciprocal".split()
_MINE: dict[str, str] = {
    **{op: f"jax.lax.{op}(x)" for op in _LAX},
    "add": "jax.lax.add(x, y)",
    "sub": "jax.lax.sub(x, y)",
    "mul": "jax.lax.mul(x, y)",
    "div": "jax.lax.div(x, y)",
    "pow": "jax.lax.pow(x, y)",
    "maximum": "jax.lax.max(x, y)",
    "minimum": "jax.lax.min(x, y)",
    "max": "jax.lax.pmax(x, axis)",
    "where": "jax.lax.select(pred=condition, on_true=x, on_false=y)",
    "maxlike": "jax.ops.segment_max(data=x, segment_ids~, num_segments~) | jax.lax.cummax(x, axis~)",
    "segment_sum": "jax.ops.segment_sum(data=x, segment_ids=ids, num_segments~)",
    "detach": "jax.lax.stop_gradient(x)",
    "expand": "jax.lax.expand_dims(x, dimensions=axis)",
    "sigmoid": "jax.nn.sigmoid(x) | jax.scipy.special.expit(x) | jax.lax.logistic(x)",
    "log_sigmoid": "jax.nn.log_sigmoid(x)",
    "softplus": "jax.nn.softplus(x)",
    "relu": "jax.nn.relu(x)",
    "softmax": "jax.nn.softmax(x, axis:-1, where!, initial!) | jax.scipy.special.softmax(x, axis:None)",
    "log_softmax": "jax.nn.log_softmax(x, axis:-1, where!, initial!) | jax.scipy.special.log_softmax(x, axis:None)",
    "logsumexp": "jax.nn.logsumexp(a=x, axis, b!, keepdims, return_sign!) | jax.scipy.special.logsumexp(a=x, axis, b!, keepdims, return_sign!)",
    "norm": "jax.numpy.linalg.norm(x, ord, axis, keepdims)",
    "cast": "jax.numpy.asarray(a=x, dtype~) | jax.numpy.array(object=x, dtype~, copy~) | .astype(dtype~) | .block_until_ready() | .item()",
    "clip": "jax.numpy.clip(arr=x, min, max)",
    "logcumsumexp": "jax.lax.cumlogsumexp(operand=x, axis:0, reverse!)",
    "xlogy": "jax.scipy.special.xlogy(x, y)",
    "bce_with_logits": "optax.sigmoid_binary_cross_entropy(logits=x, labels=targets, *, reduction:'none') | optax.losses.sigmoid_binary_cross_entropy(logits=x, labels=targets, *, reduction:'none')",
    "cross_entropy": "optax.softmax_cross_entropy(logits=x, labels=targets, *, reduction:'none') | optax.softmax_cross_entropy_with_integer_labels(logits=x, labels=targets, *, reduction:'none')"
    " | optax.losses.softmax_cross_entropy(logits=x, labels=targets, *, reduction:'none')",
    "distribution_probs": "numpyro.distributions.Categorical(probs=x, *, validate_args~) | numpyro.distributions.Bernoulli(probs=x, *, validate_args~)"
    " | distrax.Categorical(logits!, probs=x, dtype~) | distrax.Bernoulli(logits!, probs=x, dtype~)",
}


def _shared(op: str) -> str:
    return " | ".join(c for c in numpy.calls.get(op, "").split(" | ") if c.startswith(("@.", ".")))


calls = {
    op: " | ".join(filter(None, (_shared(op), _MINE.get(op, ""))))
    for op in (*numpy.calls, *(op for op in _MINE if op not in numpy.calls))
}
