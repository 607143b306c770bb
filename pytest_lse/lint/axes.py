"""Which axes the function of a replacement takes: what the naive form reduces over may be more than it can."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.graph import REDUCTIONS, Graph, Node

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


def of_lists(graph: Graph, node: Node) -> Node:
    """Return a value of plain Python, where what is added up are numbers: they have one axis."""
    sums = [n for n in node.walk() if n.op == "sum" and n.args[1] is graph.zero]
    return graph.substitute(node, {n: graph.make("sum", n.args[0], graph.none, n.args[2]) for n in sums})


def without_kept_axes(graph: Graph, node: Node) -> Iterator[Node]:
    """Yield the parts of a value, and those that become one by an axis that is inserted."""
    for n in node.walk():
        yield n
        if n.op in REDUCTIONS and n.args[2] is graph.true:
            yield graph.make(n.op, n.args[0], n.args[1], graph.false)
