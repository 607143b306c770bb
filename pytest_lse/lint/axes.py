"""Which axes the function of a replacement takes: what the naive form reduces over may be more than it can."""

from __future__ import annotations

from pytest_lse.lint.graph import Node

#: functions that do not take None for all axes: PyTorch's need a dim, TensorFlow's read it as the last axis
_WITH_AXIS = (
    "torch.",
    "tensorflow.nn.",
    "paddle.nn.",
    "mxnet.nd.",
    "chainer.functions.softmax",
    "chainer.functions.log_softmax",
)
#: functions that take one axis, where a sum takes several
_ONE_AXIS = ("torch.softmax(", "torch.log_softmax(", "torch.logcumsumexp(", *_WITH_AXIS[1:])


def objection_to_axis(template: str, framework: str, axis: Node, *, required: bool) -> str | None:
    """Return why a replacement cannot be given an axis, None if it can.

    Parameters
    ----------
    template, framework
        The replacement.
    axis
        The axis of the naive form; its value is None for all.
    required
        Whether the kernel has no meaning over all axes in this framework.
    """
    name = "dim" if framework == "torch" else "axis"
    known = axis.op == "const"
    one = known and isinstance(axis.value, float)
    several = axis.op == "tuple" or (known and isinstance(axis.value, tuple))
    if known and not one and not several and (required or template.startswith(_WITH_AXIS)):
        return f"{framework} needs a known {name}"
    if several and any(function in template for function in _ONE_AXIS):
        return f"{framework}'s function takes a single {name}"
    if not one and "shape[axis]" in template:
        return "the replacement needs the number of a single axis"
    if several and "numpy.size(" in template:
        return "the replacement needs a single axis"
    if "jax.lax.cum" in template and not (one and axis.value >= 0.0):
        return "jax.lax takes no axis that is counted from the end"
    return None
