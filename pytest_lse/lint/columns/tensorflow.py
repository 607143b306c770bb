"""TensorFlow and Keras: `tf`, `tf.math`, `tf.nn`, the Keras backend and `keras.ops`."""

framework = "tensorflow"
modules = ("tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2")
roots = ("tensorflow", "keras", "tensorflow_probability")

_UNARY = "exp log log1p expm1 abs sqrt square sigmoid tanh sin cos floor sign reciprocal sinh cosh".split()
_REDUCE = "input_tensor=x, axis, keepdims, name~, *, reduction_indices=axis, keep_dims=keepdims"
_KERAS = "x, axis, keepdims"


def _reduce(name: str, keras: str = "") -> str:
    keras = keras or name
    return (
        f"@.reduce_{name}({_REDUCE}) | @.math.reduce_{name}({_REDUCE})"
        f" | keras.backend.{keras}({_KERAS}) | @.keras.backend.{keras}({_KERAS}) | keras.ops.{keras}({_KERAS})"
    )


def _each(op: str) -> str:
    return " | ".join(
        f"{p}.{op}(x, name~)" for p in ("@", "@.math", "keras.backend", "@.keras.backend", "keras.ops", "@.nn")
    )


calls = {
    **{op: _each(op) for op in _UNARY},
    "neg": "@.negative(x, name~) | @.math.negative(x, name~) | keras.ops.negative(x)",
    "add": "@.add(x, y, name~) | @.math.add(x, y, name~) | keras.ops.add(x1=x, x2=y)",
    "sub": "@.subtract(x, y, name~) | @.math.subtract(x, y, name~) | keras.ops.subtract(x1=x, x2=y)",
    "mul": "@.multiply(x, y, name~) | @.math.multiply(x, y, name~) | keras.ops.multiply(x1=x, x2=y)",
    "div": "@.divide(x, y, name~) | @.math.divide(x, y, name~) | @.truediv(x, y, name~) | @.div(x, y, name~) | @.math.divide_no_nan(x, y, name~)"
    " | keras.ops.divide(x1=x, x2=y)",
    "pow": "@.pow(x, y, name~) | @.math.pow(x, y, name~) | keras.backend.pow(x, a=y) | keras.ops.power(x1=x, x2=y)",
    "maximum": "@.maximum(x, y, name~) | @.math.maximum(x, y, name~) | keras.backend.maximum(x, y) | @.keras.backend.maximum(x, y)"
    " | keras.ops.maximum(x1=x, x2=y)",
    "minimum": "@.minimum(x, y, name~) | @.math.minimum(x, y, name~) | keras.backend.minimum(x, y) | @.keras.backend.minimum(x, y)"
    " | keras.ops.minimum(x1=x, x2=y)",
    "greater": "@.greater(x, y, name~) | @.greater_equal(x, y, name~) | @.math.greater(x, y, name~)",
    "less": "@.less(x, y, name~) | @.less_equal(x, y, name~) | @.math.less(x, y, name~)",
    "isfinite": "@.math.is_finite(x) | @.math.is_nan(x) | @.math.is_inf(x)",
    "sum": _reduce("sum"),
    "mean": _reduce("mean"),
    "prod": _reduce("prod"),
    "max": _reduce("max"),
    "min": _reduce("min"),
    "logsumexp": f"@.reduce_logsumexp({_REDUCE}) | @.math.reduce_logsumexp({_REDUCE}) | keras.backend.logsumexp({_KERAS})"
    f" | @.keras.backend.logsumexp({_KERAS}) | keras.ops.logsumexp({_KERAS})",
    "maxlike": "@.math.unsorted_segment_max(data=x, segment_ids~, num_segments~) | @.math.segment_max(data=x, segment_ids~)",
    "segment_sum": "@.math.unsorted_segment_sum(data=x, segment_ids=ids, num_segments~) | @.math.segment_sum(data=x, segment_ids=ids)",
    "cumsum": "@.cumsum(x, axis:0, exclusive!, reverse~, name~) | @.math.cumsum(x, axis:0, exclusive!, reverse~, name~)",
    "logcumsumexp": "@.math.cumulative_logsumexp(x, axis:0, exclusive!, reverse!, name~)",
    "logaddexp": "@.experimental.numpy.logaddexp(x1=x, x2=y) | keras.ops.logaddexp(x1=x, x2=y)",
    "where": "@.where(condition, x, y, name~) | keras.ops.where(condition, x1=x, x2=y)",
    "clip": "@.clip_by_value(t=x, clip_value_min=min, clip_value_max=max, name~) | keras.backend.clip(x, min_value=min, max_value=max)"
    " | @.keras.backend.clip(x, min_value=min, max_value=max) | keras.ops.clip(x, x_min=min, x_max=max)",
    "expand": "@.expand_dims(input=x, axis, name~, *, dim=axis) | keras.backend.expand_dims(x, axis:-1) | @.keras.backend.expand_dims(x, axis:-1)"
    " | keras.ops.expand_dims(x, axis)",
    "reshape": "@.reshape(tensor=x, shape, name~) | keras.ops.reshape(x, newshape=shape)",
    "transpose": "@.transpose(a=x, perm~, conjugate~, name~)",
    "squeeze": "@.squeeze(input=x, axis~, name~) | @.gather(params=x, indices~, axis~, name~) | @.boolean_mask(tensor=x, mask~)"
    " | @.slice(input_=x, begin~, size~)",
    "tile": "@.reverse(tensor=x, axis~, name~) | @.tile(input=x, multiples~, name~) | @.repeat(input=x, repeats~, axis~) | @.broadcast_to(input=x, shape~) | keras.backend.repeat(x, n~)"
    " | keras.backend.repeat_elements(x, rep~, axis~)",
    "contract": "@.matmul(a=x, b=y, transpose_a~, transpose_b~, name~) | @.linalg.matmul(a=x, b=y) | keras.backend.dot(x, y)"
    " | @.keras.backend.dot(x, y) | @.tensordot(a=x, b=y, axes~)",
    "einsum": "@.einsum(subscripts, x, y)",
    "cast": "@.cast(x, dtype~, name~) | @.convert_to_tensor(value=x, dtype~, name~) | keras.backend.cast(x, dtype~) | @.keras.backend.cast(x, dtype~)"
    " | @.identity(input=x, name~) | @.to_float(x) | keras.ops.cast(x, dtype~) | .numpy() | @.constant(value=x, dtype~)",
    "detach": "@.stop_gradient(input=x, name~) | keras.backend.stop_gradient(x)",
    "concat": "@.concat(values=x, axis~, name~) | @.stack(values=x, axis~, name~) | keras.ops.concatenate(x, axis~)",
    "between": "@.linspace(start=x, stop=y, num~)",
    "norm": "@.norm(tensor=x, ord, axis, keepdims) | @.linalg.norm(tensor=x, ord, axis, keepdims)",
    "nonnegative": "@.math.reduce_std(x, axis~, keepdims~) | @.math.reduce_variance(x, axis~, keepdims~)",
    "bounded": "@.random.uniform(x) | @.random_uniform(x) | @.math.atan(x)",
    "normalized": "@.nn.l2_normalize(x, axis~, epsilon~, name~) | @.math.l2_normalize(x, axis~, epsilon~, name~)"
    " | keras.backend.l2_normalize(x, axis~) | @.keras.backend.l2_normalize(x, axis~)",
    "relu": "@.nn.relu(features=x, name~) | keras.backend.relu(x) | keras.ops.relu(x)",
    "sigmoid": _each("sigmoid") + " | @.keras.activations.sigmoid(x) | keras.activations.sigmoid(x)",
    "log_sigmoid": "@.math.log_sigmoid(x, name~) | @.log_sigmoid(x, name~) | keras.ops.log_sigmoid(x)",
    "softplus": "@.nn.softplus(features=x, name~) | @.math.softplus(features=x, name~) | keras.backend.softplus(x)"
    " | @.keras.backend.softplus(x) | keras.ops.softplus(x)",
    "softmax": "@.nn.softmax(logits=x, axis:-1, name~, *, dim=axis:-1) | @.math.softmax(logits=x, axis:-1, name~) | keras.backend.softmax(x, axis:-1)"
    " | @.keras.backend.softmax(x, axis:-1) | keras.activations.softmax(x, axis:-1) | @.keras.activations.softmax(x, axis:-1)"
    " | keras.ops.softmax(x, axis:-1)",
    "log_softmax": "@.nn.log_softmax(logits=x, axis:-1, name~, *, dim=axis:-1) | @.math.log_softmax(logits=x, axis:-1, name~)"
    " | keras.ops.log_softmax(x, axis:-1)",
    "xlogy": "@.math.xlogy(x, y)",
    "bce": "@.keras.losses.binary_crossentropy(y_true=targets, y_pred=x, from_logits!, label_smoothing~, axis~)"
    " | keras.losses.binary_crossentropy(y_true=targets, y_pred=x, from_logits!, label_smoothing~, axis~)"
    " | keras.backend.binary_crossentropy(target=targets, output=x, from_logits!)"
    " | @.keras.backend.binary_crossentropy(target=targets, output=x, from_logits!)",
    "bce_with_logits": "@.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=x, name~, *, reduction:'none')",
    "cross_entropy": "@.nn.softmax_cross_entropy_with_logits(labels=targets, logits=x, axis~, name~, *, dim~, reduction:'none')"
    " | @.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=x, name~, *, reduction:'none')"
    " | @.nn.softmax_cross_entropy_with_logits_v2(labels=targets, logits=x, axis~, name~, *, dim~, reduction:'none')",
    "cross_entropy_of_probs": "@.keras.losses.categorical_crossentropy(y_true=targets, y_pred=x, from_logits!, label_smoothing~, axis~)"
    " | keras.losses.categorical_crossentropy(y_true=targets, y_pred=x, from_logits!, label_smoothing~, axis~)"
    " | @.keras.losses.sparse_categorical_crossentropy(y_true=targets, y_pred=x, from_logits!, axis~)",
    "distribution_logits": "tensorflow_probability.distributions.Categorical(logits=x, probs!, dtype~, *, validate_args~, name~)"
    " | tensorflow_probability.distributions.Bernoulli(logits=x, probs!, dtype~, *, validate_args~, name~)"
    " | @.random.categorical(logits=x, num_samples~, dtype~, seed~) | @.multinomial(logits=x, num_samples~)",
    "distribution_probs": " | ".join(
        f"@.{where}distributions.{name}(logits!, probs=x, dtype~, validate_args~, allow_nan_stats~, name~)"
        for where in ("", "contrib.")
        for name in ("Categorical", "Bernoulli", "OneHotCategorical")
    )
    + " | tensorflow_probability.distributions.Categorical(logits!, probs=x, dtype~, validate_args~, *, name~)"
    " | tensorflow_probability.distributions.Bernoulli(logits!, probs=x, dtype~, validate_args~, *, name~)"
    " | tensorflow_probability.distributions.OneHotCategorical(logits!, probs=x, dtype~, *, name~)",
}

#: losses and layers of Keras that are objects; a loss takes the labels first, which is seen to where it is called
constructors = {
    f"{prefix}.{kind}.{name}": text
    for prefix in ("tensorflow.keras", "keras")
    for kind, name, text in (
        ("losses", "BinaryCrossentropy", "bce(from_logits!, label_smoothing~, axis~, reduction~, name~)"),
        ("losses", "CategoricalCrossentropy", "cross_entropy_of_probs(from_logits!, label_smoothing~, axis~, name~)"),
        ("losses", "SparseCategoricalCrossentropy", "cross_entropy_of_probs(from_logits!, ignore_class~, name~)"),
        ("layers", "Softmax", "softmax(axis:-1)"),
    )
}
