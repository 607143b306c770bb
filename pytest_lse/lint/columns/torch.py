"""PyTorch: functions, methods, in-place methods (their trailing underscore is read elsewhere), losses."""

framework = "torch"
modules = ("torch",)
roots = ("torch", "torchvision", "pytorch_lightning", "lightning", "torch_geometric", "transformers")

_UNARY = "exp exp2 log log1p expm1 abs sqrt square sigmoid tanh sin cos sinh cosh floor sign relu neg reciprocal log2 log10 erf"
_NAMED = "input=x, dim=axis, keepdim=keepdims, *, dtype!, out!"
_LOSS = "input=x, target=targets, weight!, size_average!, reduce!, reduction"


def _reduction(name: str) -> str:
    return (
        f"torch.{name}({_NAMED}) | .{name}(dim=axis, keepdim=keepdims, *, dtype!) | .{name}(axis, keepdims, *, dtype!)"
    )


calls = {
    **{op: f"torch.{op}(input=x, *, out!) | .{op}()" for op in _UNARY.split()},
    "abs": "torch.abs(input=x, *, out!) | torch.absolute(input=x) | .abs() | .absolute()",
    "neg": "torch.neg(input=x) | torch.negative(input=x) | .neg() | .negative()",
    "expm1": "torch.expm1(input=x) | torch.special.expm1(input=x) | .expm1()",
    "log1p": "torch.log1p(input=x) | torch.special.log1p(input=x) | .log1p()",
    "isfinite": "torch.isfinite(x) | torch.isinf(x) | torch.isnan(x) | torch.isneginf(x)",
    "add": "torch.add(input=x, other=y, *, alpha!, out!) | .add(other=y, *, alpha!)",
    "sub": "torch.sub(input=x, other=y, *, alpha!, out!) | .sub(other=y, *, alpha!) | torch.subtract(input=x, other=y)",
    "mul": "torch.mul(input=x, other=y, *, out!) | .mul(other=y) | torch.multiply(input=x, other=y)",
    "div": "torch.div(input=x, other=y, *, rounding_mode!, out!) | .div(other=y, *, rounding_mode!) | torch.divide(input=x, other=y)"
    " | torch.true_divide(input=x, other=y)",
    "pow": "torch.pow(input=x, exponent=y) | .pow(exponent=y)",
    "maximum": "torch.maximum(input=x, other=y) | torch.max(input=x, other=y) | torch.fmax(input=x, other=y) | .maximum(other=y)",
    "minimum": "torch.minimum(input=x, other=y) | torch.min(input=x, other=y) | torch.fmin(input=x, other=y) | .minimum(other=y)",
    "less": "torch.lt(x, y) | torch.le(x, y) | .lt(y) | .le(y)",
    "greater": "torch.gt(x, y) | torch.ge(x, y) | .gt(y) | .ge(y)",
    "logaddexp": "torch.logaddexp(input=x, other=y) | .logaddexp(other=y)",
    "sum": _reduction("sum") + " | torch.nansum(input=x, dim=axis, keepdim=keepdims)",
    "mean": _reduction("mean"),
    "prod": _reduction("prod"),
    "max": "torch.amax(input=x, dim=axis, keepdim=keepdims) | .amax(dim=axis, keepdim=keepdims) | torch.max(input=x) | .max()",
    "min": "torch.amin(input=x, dim=axis, keepdim=keepdims) | .amin(dim=axis, keepdim=keepdims) | torch.min(input=x) | .min()",
    "maxpair": "torch.max(input=x, dim=axis, keepdim=keepdims) | .max(dim=axis, keepdim=keepdims) | .max(axis, keepdim=keepdims)"
    " | torch.topk(input=x, k~, dim=axis) | .topk(k~, dim=axis) | torch.cummax(input=x, dim=axis) | .cummax(dim=axis)",
    "minpair": "torch.min(input=x, dim=axis, keepdim=keepdims) | .min(dim=axis, keepdim=keepdims)",
    "maxlike": "torch_scatter.scatter_max(x, index~, dim~, out~, dim_size~) | torch_geometric.utils.scatter(x, index~, dim~, dim_size~, reduce~)",
    "segment_sum": "torch_scatter.scatter_add(x, ids, dim~, out~, dim_size~)",
    "cumsum": "torch.cumsum(input=x, dim=axis, *, dtype!) | .cumsum(dim=axis, *, dtype!)",
    "logcumsumexp": "torch.logcumsumexp(input=x, dim=axis) | .logcumsumexp(dim=axis)",
    "where": "torch.where(condition, input=x, other=y) | .where(condition, other=y)",
    "masked_fill": ".masked_fill(mask, value) | torch.masked_fill(input=x, mask, value)",
    "filled": "torch.full(size~, fill_value=value, *, dtype~, device~) | torch.full_like(input~, fill_value=value, *, dtype~, device~)"
    " | .new_full(size~, fill_value=value)",
    "clip": "torch.clamp(input=x, min, max) | torch.clip(input=x, min, max) | .clamp(min, max) | .clip(min, max) | .clamp_min(min)"
    " | .clamp_max(max) | torch.clamp_min(input=x, min) | torch.clamp_max(input=x, max)",
    "expand": "torch.unsqueeze(input=x, dim=axis) | .unsqueeze(dim=axis)",
    "reshape": "torch.reshape(input=x, shape) | .view(shape, a~, b~, c~, d~) | .reshape(shape, a~, b~, c~, d~)",
    "transpose": ".t() | torch.t(input=x) | .transpose(a~, b~) | torch.transpose(input=x, dim0~, dim1~) | .permute(a~, b~, c~, d~)",
    "squeeze": "torch.squeeze(input=x, dim~) | .squeeze(dim~) | torch.flatten(input=x, start_dim~, end_dim~) | .flatten(start_dim~, end_dim~)"
    " | .narrow(a~, b~, c~) | .gather(dim~, index~) | torch.gather(input=x, dim~, index~) | .index_select(dim~, index~) | .masked_select(mask~)"
    " | .select(dim~, index~) | .view_as(other~) | torch.diag(input=x, diagonal~) | .diag(diagonal~) | torch.diagonal(input=x, offset~, dim1~, dim2~)"
    " | .diagonal(offset~, dim1~, dim2~) | torch.take(input=x, index~) | torch.take_along_dim(input=x, indices~, dim~)",
    "tile": ".flip(a~, b~, c~, dims~) | torch.flip(input=x, dims~) | .flipud() | .fliplr() | .repeat(a~, b~, c~, d~) | .expand(a~, b~, c~, d~) | .expand_as(other~) | torch.broadcast_to(x, shape~)"
    " | .repeat_interleave(a~, dim~) | .tile(a~, b~)",
    "contract": "torch.matmul(input=x, other=y) | torch.mm(input=x, mat2=y) | torch.bmm(input=x, mat2=y) | .matmul(y) | .mm(y) | .bmm(y)"
    " | torch.dot(x, y) | .dot(y) | .mv(y) | torch.mv(x, y)",
    "einsum": "torch.einsum(subscripts, x, y)",
    "cast": ".float() | .double() | .half() | .bfloat16() | .to(a~, b~, *, dtype~, device~) | .type(a~) | .type_as(a~) | .cpu() | .cuda(a~, *, non_blocking~)"
    " | .numpy() | .contiguous() | .clone() | torch.tensor(data=x, dtype~, device~, requires_grad~) | torch.as_tensor(data=x, dtype~, device~)"
    " | torch.Tensor(x) | torch.FloatTensor(x) | torch.DoubleTensor(x)"
    " | torch.from_numpy(x) | .item() | .tolist() | torch.clone(input=x)",
    "detach": ".detach()",
    "concat": "torch.cat(tensors=x, dim~) | torch.stack(tensors=x, dim~) | torch.concat(tensors=x, dim~) | torch.hstack(x) | torch.vstack(x)",
    "between": "torch.linspace(start=x, end=y, steps~, *, dtype~, device~)",
    "norm": "torch.norm(input=x, p=ord, dim=axis, keepdim=keepdims) | .norm(p=ord, dim=axis, keepdim=keepdims)"
    " | torch.linalg.norm(A=x, ord, dim=axis, keepdim=keepdims) | torch.linalg.vector_norm(x, ord, dim=axis, keepdim=keepdims)",
    "nonnegative": "torch.cdist(x1=x, x2~, p~) | torch.var(x, a~, b~) | torch.std(x, a~, b~) | .std(a~, b~) | .var(a~, b~)"
    " | torch.nn.functional.pairwise_distance(x1=x, x2~, p~) | torch.arange(x)",
    "bounded": "torch.rand(x) | torch.randn(x) | torch.randn_like(x) | torch.rand_like(x)",
    "unit": "torch.atan(x) | torch.nn.functional.cosine_similarity(x1=x, x2~, dim~, eps~)",
    "lp_normalized": "torch.nn.functional.normalize(input=x, p, dim~, eps~)",
    "nonzero": "torch.nonzero(input=x, as_tuple~)",
    "relu": "torch.relu(input=x) | .relu() | torch.nn.functional.relu(input=x, inplace~)",
    "sigmoid": "torch.sigmoid(input=x, *, out!) | torch.special.expit(input=x) | torch.nn.functional.sigmoid(input=x) | .sigmoid()",
    "log_sigmoid": "torch.nn.functional.logsigmoid(input=x)",
    "softplus": "torch.nn.functional.softplus(input=x, beta!, threshold!)",
    "softmin": "torch.nn.functional.softmin(input=x, dim=axis, _stacklevel~, dtype!)",
    "softmax": "torch.softmax(input=x, dim=axis, dtype!) | torch.nn.functional.softmax(input=x, dim=axis:'implicit', _stacklevel~, dtype!)"
    " | torch.special.softmax(input=x, dim=axis, dtype!) | .softmax(dim=axis, dtype!)",
    "log_softmax": "torch.log_softmax(input=x, dim=axis, dtype!) | torch.nn.functional.log_softmax(input=x, dim=axis:'implicit', _stacklevel~, dtype!)"
    " | torch.special.log_softmax(input=x, dim=axis, dtype!) | .log_softmax(dim=axis, dtype!)",
    "logsumexp": "torch.logsumexp(input=x, dim=axis, keepdim=keepdims) | torch.special.logsumexp(input=x, dim=axis, keepdim=keepdims)"
    " | .logsumexp(dim=axis, keepdim=keepdims)",
    "bce": f"torch.nn.functional.binary_cross_entropy({_LOSS})",
    "bce_weighted": "torch.nn.functional.binary_cross_entropy(input=x, target=targets, weight, size_average!, reduce!, reduction)",
    "bce_with_logits": f"torch.nn.functional.binary_cross_entropy_with_logits({_LOSS}, pos_weight!)",
    "cross_entropy": "torch.nn.functional.cross_entropy(input=x, target=targets, weight~, size_average~, ignore_index~, reduce~, reduction, label_smoothing~)",
    "nll": "torch.nn.functional.nll_loss(input=x, target=targets, weight~, size_average~, ignore_index~, reduce~, reduction)",
    "kl_div": "torch.nn.functional.kl_div(input=x, target=targets, size_average~, reduce~, reduction, log_target~)",
    "distribution_logits": " | ".join(
        f"{path}.{name}({before}probs!, logits=x, *, validate_args~)"
        for path in (
            "torch.distributions",
            "torch.distributions.categorical",
            "torch.distributions.bernoulli",
            "pyro.distributions",
        )
        for name, before in (("Categorical", ""), ("Bernoulli", ""), ("OneHotCategorical", ""))
    ),
    "distribution_probs": "torch.distributions.Categorical(probs=x, *, validate_args~) | torch.distributions.Bernoulli(probs=x, *, validate_args~)"
    " | torch.distributions.categorical.Categorical(probs=x) | torch.distributions.bernoulli.Bernoulli(probs=x)"
    " | pyro.distributions.Categorical(probs=x, *, validate_args~) | pyro.distributions.Bernoulli(probs=x, *, validate_args~)"
    " | torch.distributions.RelaxedBernoulli(temperature~, probs=x, *, validate_args~)"
    " | torch.distributions.RelaxedOneHotCategorical(temperature~, probs=x, *, validate_args~)"
    " | torch.distributions.ContinuousBernoulli(probs=x) | torch.distributions.Geometric(probs=x)"
    " | torch.distributions.OneHotCategorical(probs=x) | torch.distributions.Multinomial(n~, probs=x)",
}

#: `torch.nn` modules: constructing one gives a callable that applies the operation; keyword -> canonical parameter
constructors = {
    "torch.nn.Sigmoid": "sigmoid()",
    "torch.nn.Softmax2d": "softmax()",
    "torch.nn.Softmin": "softmin(dim=axis)",
    "torch.nn.Softmax": "softmax(dim=axis)",
    "torch.nn.LogSoftmax": "log_softmax(dim=axis)",
    "torch.nn.LogSigmoid": "log_sigmoid()",
    "torch.nn.Softplus": "softplus(beta!, threshold!)",
    "torch.nn.ReLU": "relu(inplace~)",
    "torch.nn.Tanh": "tanh()",
    "torch.nn.BCELoss": "bce(weight!, size_average!, reduce!, reduction)",
    "torch.nn.BCEWithLogitsLoss": "bce_with_logits(weight!, size_average!, reduce!, reduction, pos_weight!)",
    "torch.nn.CrossEntropyLoss": "cross_entropy(weight~, size_average~, ignore_index~, reduce~, reduction, label_smoothing~)",
    "torch.nn.NLLLoss": "nll(weight~, size_average~, ignore_index~, reduce~, reduction)",
    "torch.nn.KLDivLoss": "kl_div(size_average~, reduce~, reduction, log_target~)",
}
