"""Evaluates values of the graph on numbers: in floating point as the libraries compute them, and exactly.

What has no entry in the table (`opaque`, attributes, views that two graphs share, ...) is a leaf: it gets its value
from the caller. No code of the user takes part.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np

from pytest_lse.lint.graph import Node, postorder

Array = Any
#: nodes that stand for no number: they are looked at by the operation above them
_STRUCTURE = frozenset({"const", "tuple", "slice", "literal"})
#: exponents in exact arithmetic: the bits of an exponential's exponent are as many as its argument is large, so that
#: there is no end in a tower of them
_ENDLESS = 2.0**64
#: digits of the exact arithmetic: enough for 1 + exp(-1000)
_DIGITS = 500


class UnknownError(Exception):
    """An operation cannot be evaluated on these shapes."""


class Floats:
    """NumPy, with the compound functions computed as a stable library does."""

    exp: Callable[[Array], Array] = np.exp
    log: Callable[[Array], Array] = np.log
    log1p: Callable[[Array], Array] = np.log1p
    expm1: Callable[[Array], Array] = np.expm1
    sqrt: Callable[[Array], Array] = np.sqrt
    tanh: Callable[[Array], Array] = np.tanh

    power: Callable[[Array, Array], Array] = operator.pow

    def logaddexp(self, x: Array, y: Array) -> Array:
        return np.logaddexp(x, y)

    def sigmoid(self, x: Array) -> Array:
        return np.exp(-np.logaddexp(0, -x))

    def softplus(self, x: Array) -> Array:
        return np.logaddexp(0, x)

    def logsumexp(self, x: Array, axis: Any, keepdims: bool) -> Array:
        top = np.max(x, axis=axis, keepdims=True)
        top = np.where(np.isfinite(top), top, 0)
        found = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
        return found if keepdims else np.squeeze(found, axis=axis)

    def logcumsumexp(self, x: Array, axis: Any) -> Array:
        return np.logaddexp.accumulate(np.ravel(x) if axis is None else np.atleast_1d(x), axis=axis or 0)

    def softmax(self, x: Array, axis: Any) -> Array:
        return np.exp(x - self.logsumexp(x, axis, True))

    def log_softmax(self, x: Array, axis: Any) -> Array:
        return x - self.logsumexp(x, axis, True)


class Exact(Floats):
    """The same in arbitrary precision, on arrays of objects, by the definitions."""

    def __init__(self) -> None:
        self.context = mpmath.mp.clone()
        self.context.dps = _DIGITS
        for name in ("log", "log1p", "sqrt", "tanh"):
            setattr(self, name, self._elementwise(getattr(self.context, name)))
        for name in ("exp", "expm1"):
            setattr(self, name, self._elementwise(getattr(self.context, name), most=_ENDLESS))
        self.power = self._elementwise(operator.pow, 2, _ENDLESS)

    def _elementwise(
        self, function: Callable[..., Any], count: int = 1, most: float = math.inf
    ) -> Callable[..., Array]:
        context = self.context

        def safe(*values: Any) -> Any:
            if abs(values[-1]) > most:
                return context.nan
            try:
                result = function(*values)
            except (ValueError, ZeroDivisionError, OverflowError):
                return context.nan
            return context.nan if isinstance(result, context.mpc) else result

        elementwise: Callable[..., Array] = np.frompyfunc(safe, count, 1)
        return elementwise

    def number(self, x: Array) -> Array:
        return np.frompyfunc(self.context.mpf, 1, 1)(x)

    def logaddexp(self, x: Array, y: Array) -> Array:
        return self.log(self.exp(x) + self.exp(y))

    def sigmoid(self, x: Array) -> Array:
        return 1 / (1 + self.exp(-x))

    def softplus(self, x: Array) -> Array:
        return self.log1p(self.exp(x))

    def logsumexp(self, x: Array, axis: Any, keepdims: bool) -> Array:
        return self.log(np.sum(self.exp(x), axis=axis, keepdims=keepdims))

    def logcumsumexp(self, x: Array, axis: Any) -> Array:
        return self.log(np.cumsum(self.exp(x), axis=axis))


def leaves(*roots: Node) -> list[Node]:
    """Return the nodes whose values the caller has to give, for several values that are compared."""
    shared = set.intersection(*(set(root.walk()) for root in roots))
    found: dict[Node, None] = {}
    for root in roots:
        todo = [root]
        while todo:
            node = todo.pop()
            if node.op in _STRUCTURE or _is_shape(node):
                todo.extend(node.args)
            elif names_epsilon(node) or (node.op not in _TABLE and (node.op not in _VIEWS or node in shared)):
                found[node] = None
            else:
                todo.extend(node.args)
    return sorted(found, key=lambda n: n.id)


def names_epsilon(node: Node) -> bool:
    """Say whether a leaf, or the key of an entry, is called epsilon."""
    name = node.args[1].value if node.op == "index" else node.value if node.op != "const" else None
    return re.search("(?i)eps", str(name)) is not None


def _is_shape(node: Node) -> bool:
    return node.op == "attr" and node.value == "shape"


def evaluate(root: Node, given: Mapping[Node, Array], arithmetic: Floats, *, alternative: int = 0) -> Array:
    """Return the value of a node.

    Parameters
    ----------
    root
        The node.
    given
        The values of its leaves.
    arithmetic
        `Floats` or `Exact`.
    alternative
        Which of several possible values is taken where paths have met.

    Raises
    ------
    UnknownError
        The shapes do not fit, or a leaf has no value.
    """
    done: dict[Node, Any] = dict(given)
    for node in postorder(root, done):
        if node in done:
            continue
        args = [done[a] for a in node.args]
        try:
            done[node] = _apply(node, args, arithmetic, alternative)
        except (ValueError, IndexError, TypeError, KeyError, AttributeError, ZeroDivisionError, OverflowError) as error:
            raise UnknownError(f"{node.op}: {error}") from None
    return done[root]


def _apply(node: Node, args: list[Any], arithmetic: Floats, alternative: int) -> Any:
    match node.op:
        case "const":
            return node.value
        case "literal":
            return ... if node.value == "Ellipsis" else None
        case "tuple":
            return tuple(args)
        case "slice":
            return slice(*(a if a is None else int(a) for a in args))
        case "phi":
            return args[alternative % len(args)]
        case "attr":
            return np.shape(args[0])
        case "index" if isinstance(args[0], tuple):
            # a number counts as one along any axis, as for NumPy's reductions
            return args[0][int(args[1])] if args[0] else 1
        case "index":
            return args[0][_key(args[1], args[0])]
        case op if op in _VIEWS:
            return _VIEWS[op](arithmetic, *args)
        case op:
            return _TABLE[op](arithmetic, *args)


def _key(key: Any, base: Array) -> Any:
    """Return an index as NumPy takes it; one whose value is not known stands for some valid position."""
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(p if isinstance(p, slice) or p is ... or p is None else _position(p, base.shape[0]) for p in parts)


def _position(value: Any, length: int) -> int:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return sum(value.encode()) % length
    return int(abs(np.ravel(value)[0]) * 1000) % length


def _axis(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(int(v) for v in value)
    return value if value is None else int(value)


def _mean(k: Floats, x: Array, axis: Any, keepdims: bool) -> Array:
    total = np.sum(x, axis=_axis(axis), keepdims=bool(keepdims))
    return total * np.size(total) / np.size(x)


def _reduced(losses: Array, reduction: Any) -> Array:
    return losses if reduction in ("none", None) else np.sum(losses) / (np.size(losses) if reduction == "mean" else 1)


def _labels(x: Array, targets: Array) -> Array:
    """Return class labels made of a leaf's numbers."""
    first = np.asarray(targets)[..., 0] if np.ndim(targets) == np.ndim(x) else np.asarray(targets)
    return np.frompyfunc(lambda v: int(abs(v) * 1000) % x.shape[-1], 1, 1)(first).astype(int)


def _nll(k: Floats, log_p: Array, targets: Array, reduction: Any) -> Array:
    labels = _labels(log_p, targets)
    return _reduced(-np.take_along_axis(log_p, labels[..., None], -1)[..., 0], reduction)


def _bce(k: Floats, p: Array, y: Array, reduction: Any) -> Array:
    return _reduced(-(y * k.log(p) + (1 - y) * k.log(1 - p)), reduction)


def _clip(k: Floats, x: Array, low: Any, high: Any) -> Array:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _product(*factors: Any) -> Any:
    result = factors[0]
    for f in factors[1:]:
        result = result * f
    return result


def _total(*terms: Any) -> Any:
    result = terms[0]
    for t in terms[1:]:
        result = result + t
    return result


_TABLE: dict[str, Callable[..., Any]] = {
    "add": lambda k, *terms: _total(*terms),
    "mul": lambda k, *factors: _product(*factors),
    "pow": lambda k, x, y: 1 / x if isinstance(y, float) and y == -1.0 else k.power(x, y),
    "exp": lambda k, x: k.exp(x),
    "log": lambda k, x: k.log(x),
    "log1p": lambda k, x: k.log1p(x),
    "expm1": lambda k, x: k.expm1(x),
    "sqrt": lambda k, x: k.sqrt(x),
    "tanh": lambda k, x: k.tanh(x),
    "abs": lambda k, x: np.abs(x),
    "relu": lambda k, x: np.maximum(x, 0),
    "maximum": lambda k, x, y: np.maximum(x, y),
    "minimum": lambda k, x, y: np.minimum(x, y),
    "less": lambda k, x, y: x < y,
    "greater": lambda k, x, y: x > y,
    "equal": lambda k, x, y: x == y,
    "where": lambda k, c, x, y: np.where(np.asarray(c, bool), x, y),
    "clip": _clip,
    "xlogy": lambda k, x, y: x * k.log(y),
    "sum": lambda k, x, a, d: np.sum(x, axis=_axis(a), keepdims=bool(d)),
    "prod": lambda k, x, a, d: np.prod(x, axis=_axis(a), keepdims=bool(d)),
    "max": lambda k, x, a, d: np.max(x, axis=_axis(a), keepdims=bool(d)),
    "min": lambda k, x, a, d: np.min(x, axis=_axis(a), keepdims=bool(d)),
    "mean": _mean,
    "size": lambda k, x, a: _count(x, _axis(a)),
    "cumsum": lambda k, x, a: np.cumsum(x, axis=_axis(a)),
    "sigmoid": lambda k, x: k.sigmoid(x),
    "softplus": lambda k, x: k.softplus(x),
    "log_sigmoid": lambda k, x: -k.softplus(-x),
    "logaddexp": lambda k, x, y: k.logaddexp(x, y),
    "logsumexp": lambda k, x, a, d: k.logsumexp(x, _axis(a), bool(d)),
    "logmeanexp": lambda k, x, a, d: k.logsumexp(x, _axis(a), bool(d)) - k.log(_count(x, _axis(a))),
    "logcumsumexp": lambda k, x, a: k.logcumsumexp(x, _axis(a)),
    "softmax": lambda k, x, a: k.softmax(x, _axis(a)),
    "log_softmax": lambda k, x, a: k.log_softmax(x, _axis(a)),
    "bce": _bce,
    "bce_with_logits": lambda k, x, y, r: _reduced(k.softplus(x) - x * y, r),
    "nll": _nll,
    "cross_entropy": lambda k, x, y, r: _nll(k, k.log_softmax(x, -1), y, r),
    "cross_entropy_of_probs": lambda k, p, y, r: _nll(k, k.log(p), y, r),
    "phi": lambda k, *args: args[0],
    "pair": lambda k, x: x,
    "detach": lambda k, x: x,
    "cast": lambda k, x: x,
    "contiguous": lambda k, x: x,
    "guarded": lambda k, x: x,
    "expand": lambda k, x, a: np.expand_dims(x, _axis(a)),
}
_VIEWS: dict[str, Callable[..., Any]] = {
    "index": lambda k, x, key: x,
    "transpose": lambda k, x: np.transpose(x),
    "loopsum": lambda k, x: np.sum(x),
    "contract": lambda k, x, y: np.matmul(x, y),
}


def _count(x: Array, axis: Any) -> Array:
    return np.asarray(float(np.size(x) // np.size(np.sum(x, axis=axis))))
