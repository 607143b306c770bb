"""Many calls of one formula at once: every number is a stack, one for each call, and the formula need not know.

Small inputs cost Python's overhead rather than arithmetic, and a catalogue has hundreds of them in a few shapes. The
stack is a last axis that formulas do not see: elementwise operations broadcast over it as they are, what works along an
axis is done by the arithmetic itself with the stack in front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_lse.reference import evaluation
from pytest_lse.reference.arrays import Array, Operand
from pytest_lse.reference.evaluation import Bounded
from pytest_lse.reference.layout import Problem
from pytest_lse.reference.quick import Quick
from pytest_lse.reference.running import Running


class _Flags(np.ndarray):
    """The result of a comparison, which has the stack already."""


class Stacked(Running):
    """The arithmetic of another namespace on stacks of arrays."""

    def __init__(self, base: Running) -> None:
        super().__init__(base.model, base.sharp, base.trusted)
        self.base = base

    def stack_of(self, arrays: Sequence[np.ndarray]) -> Array:
        """Make one array of several of the same shape."""
        return Array(self, (np.stack(arrays, axis=-1), None))

    @staticmethod
    def taken_apart(x: Array, count: int) -> list[Bounded]:
        """Return the values and errors of each call."""
        value, error = (np.broadcast_to(0.0 if p is None else p, (*x.shape, count)) for p in x.parts)
        return [(np.array(value[..., i]), np.array(error[..., i])) for i in range(count)]

    def visible(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[:-1]

    def lift(self, values: np.ndarray) -> Array:
        return Array(self, (np.asarray(values)[..., None], None))

    @property
    def pi(self) -> Array:
        value, error = self.base.pi.parts
        return Array(self, (value[..., None], error[..., None]))

    def less(self, a: Operand, b: Operand) -> np.ndarray:
        return super().less(a, b).view(_Flags)

    def greater(self, a: Operand, b: Operand) -> np.ndarray:
        return super().greater(a, b).view(_Flags)

    def equal(self, a: Operand, b: Operand) -> np.ndarray:
        return super().equal(a, b).view(_Flags)

    def sign(self, x: Operand) -> Array:
        return Array(self, (self.compare(x, 0.0), None))

    def where(self, condition: Any, a: Operand, b: Operand) -> Array:
        a, b = self.asarray(a), self.asarray(b)
        if not isinstance(condition, _Flags):
            condition = np.asarray(condition)[..., None]
        condition = np.asarray(condition)
        parts = tuple(
            None if p is None and q is None else np.where(condition, 0.0 if p is None else p, 0.0 if q is None else q)
            for p, q in zip(a.parts, b.parts, strict=True)
        )
        return self._shaped(parts, np.broadcast_shapes(condition.shape, a.parts[0].shape, b.parts[0].shape))

    def getitem(self, x: Array, key: Any) -> Array:
        keys = key if isinstance(key, tuple) else (key,)
        return super().getitem(x, (*keys, slice(None)) if any(k is Ellipsis for k in keys) else keys)

    def reshape(self, x: Operand, shape: Any) -> Array:
        shape = shape if isinstance(shape, tuple) else (shape,)
        return self._moved(x, lambda p: p.reshape((*shape, p.shape[-1])))

    def transpose(self, x: Operand, axes: Sequence[int] | None = None) -> Array:
        x = self.asarray(x)
        order = tuple(reversed(range(x.ndim))) if axes is None else tuple(a % x.ndim for a in axes)
        return self._moved(x, lambda p: p.transpose((*order, x.ndim)))

    def broadcast_to(self, x: Operand, shape: Sequence[int]) -> Array:
        return self._moved(x, lambda p: np.broadcast_to(p, (*shape, p.shape[-1])))

    def concatenate(self, arrays: Sequence[Operand], axis: int = 0) -> Array:
        pieces = [self.asarray(a) for a in arrays]
        count = max(p.parts[0].shape[-1] for p in pieces)
        whole = [self._moved(p, lambda part: np.broadcast_to(part, (*part.shape[:-1], count))) for p in pieces]
        result = self.base.concatenate([Array(self.base, p.parts) for p in whole], axis - 1 if axis < 0 else axis)
        return Array(self, result.parts)

    def _along(self, function: Callable[..., Array], x: Operand, axis: Any, *arguments: Any) -> Array:
        """Apply what works along axes, with the stack in front and the axes counted from the end."""
        x = self.asarray(x)
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        places: Any = tuple(a % x.ndim - x.ndim for a in axes)
        front = Array(self.base, tuple(None if p is None else np.moveaxis(p, -1, 0) for p in x.parts))
        result = function(front, places[0] if isinstance(axis, int) else places, *arguments)
        return Array(self, tuple(None if p is None else np.moveaxis(p, 0, -1) for p in result.parts))

    def sum(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        return self._along(self.base.sum, x, axis if dim is None else dim, keepdims or keepdim)

    def max(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        return self._along(self.base.max, x, axis if dim is None else dim, keepdims or keepdim)

    amax = max  # noqa: A003

    def logsumexp(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        return self._along(self.base.logsumexp, x, axis if dim is None else dim, keepdims or keepdim)

    def softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        return self._along(self.base.softmax, x, axis if dim is None else dim)

    def log_softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        return self._along(self.base.log_softmax, x, axis if dim is None else dim)


class Group:
    """Calls of one kernel with the same parameters and shapes, whose labels and masks are the same."""

    def __init__(self, problems: Sequence[Problem], inputs: Sequence[tuple[np.ndarray, ...]]) -> None:
        self.problem = problems[0]
        self.places = {id(p): i for i, p in enumerate(problems)}
        self.columns = list(zip(*inputs, strict=True))
        self.done: dict[Any, list[list[Bounded]]] = {}

    def outputs(self, problem: Problem, base: Running, name: str) -> list[Bounded]:
        """Return the values of a spelling for one of the problems, and their errors: worked out for all, once."""
        key = type(base), base.model.u, base.sharp, name
        if key not in self.done:
            xp = Stacked(base)
            arrays = tuple(xp.stack_of(c) if c[0].dtype == np.float64 else c[0] for c in self.columns)
            results = evaluation.call_of(self.problem, name)(xp, arrays)
            self.done[key] = [xp.taken_apart(r, len(self.places)) for r in results]
        return [apart[self.places[id(problem)]] for apart in self.done[key]]


def evaluate(problems: Sequence[Problem]) -> None:
    """Do the first level of many calls of one kernel with the same parameters; each problem keeps what is its own."""
    groups: dict[Any, list[tuple[Problem, tuple[np.ndarray, ...]]]] = {}
    for problem in problems:
        inputs = evaluation.inputs_of(problem)
        key = tuple((a.shape, None if a.dtype == np.float64 else a.tobytes()) for a in inputs)
        if 0 < inputs[0].size <= evaluation.BLOCK:
            groups.setdefault(key, []).append((problem, inputs))
    base = Quick()
    for members in groups.values():
        group = Group(*zip(*members, strict=True))
        for problem, _ in members:
            problem.cache["group"] = group
            problem.cache["quick"] = group.outputs(problem, base, "stable")
