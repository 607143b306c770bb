"""What formulas call: the functions of an array namespace, for every arithmetic.

What only moves elements, and what follows from the arithmetic, is written here once; the arithmetic itself (add,
multiply, divide, exp, log, ...) is the subclasses'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand, Part


class Namespace:
    """What every arithmetic offers to formulas; subclasses supply the arithmetic itself."""

    inf = float("inf")
    nan = float("nan")
    # Whether the composite functions avoid cancellation (the truth) or are spelled as in a textbook (the tolerance).
    sharp = True

    @property
    def pi(self) -> Array:
        raise NotImplementedError

    @property
    def e(self) -> Array:
        return self.exp(1.0)

    # Arithmetic, of the subclasses

    def lift(self, values: np.ndarray) -> Array:
        """Make exact elements of float64 values."""
        raise NotImplementedError

    def add(self, a: Operand, b: Operand) -> Array:
        raise NotImplementedError

    def multiply(self, a: Operand, b: Operand) -> Array:
        raise NotImplementedError

    def divide(self, a: Operand, b: Operand) -> Array:
        raise NotImplementedError

    def negative(self, x: Operand) -> Array:
        raise NotImplementedError

    def exp(self, x: Operand) -> Array:
        raise NotImplementedError

    def expm1(self, x: Operand) -> Array:
        raise NotImplementedError

    def log(self, x: Operand) -> Array:
        raise NotImplementedError

    def log1p(self, x: Operand) -> Array:
        raise NotImplementedError

    def sqrt(self, x: Operand) -> Array:
        raise NotImplementedError

    def compare(self, a: Operand, b: Operand) -> np.ndarray:
        """Return -1, 0 or 1 per element (nan where there is no order)."""
        raise NotImplementedError

    def _sum_last(self, x: Array) -> Array:
        """Sum over the last axis."""
        raise NotImplementedError

    def _order(self, x: Array, axis: int) -> np.ndarray:
        """Index of the maximum along an axis, that axis kept."""
        raise NotImplementedError

    # Elements moved about

    def visible(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return what formulas see of the shape of a part."""
        return shape

    def asarray(self, x: Operand, dtype: object = None) -> Array:
        if isinstance(x, Array):
            return x
        return self.lift(np.asarray(x, dtype=np.float64))

    array = asarray

    def _moved(self, x: Operand, move: Callable[[np.ndarray], np.ndarray]) -> Array:
        x = self.asarray(x)
        return Array(self, tuple(None if p is None else move(p) for p in x.parts))

    def getitem(self, x: Array, key: Any) -> Array:
        return self._moved(x, lambda p: np.asarray(p[key], dtype=p.dtype))

    def reshape(self, x: Operand, shape: Any) -> Array:
        return self._moved(x, lambda p: p.reshape(shape))

    def transpose(self, x: Operand, axes: Sequence[int] | None = None) -> Array:
        return self._moved(x, lambda p: p.transpose(axes))

    def broadcast_to(self, x: Operand, shape: Sequence[int]) -> Array:
        return self._moved(x, lambda p: np.broadcast_to(p, tuple(shape)))

    def take_along_axis(self, x: Operand, indices: np.ndarray, axis: int = -1) -> Array:
        return self._moved(x, lambda p: np.take_along_axis(p, np.asarray(indices), axis))

    def concatenate(self, arrays: Sequence[Operand], axis: int = 0) -> Array:
        pieces = [self.asarray(a) for a in arrays]
        parts: list[Part] = []
        for column in zip(*(p.parts for p in pieces), strict=True):
            if all(c is None for c in column):
                parts.append(None)
            else:
                filled = [np.zeros(p.shape) if c is None else c for c, p in zip(column, pieces, strict=True)]
                parts.append(np.concatenate(filled, axis=axis))
        return Array(self, tuple(parts))

    def where(self, condition: Any, a: Operand, b: Operand) -> Array:
        a, b = self.asarray(a), self.asarray(b)
        parts = tuple(
            None if p is None and q is None else np.where(condition, 0.0 if p is None else p, 0.0 if q is None else q)
            for p, q in zip(a.parts, b.parts, strict=True)
        )
        return self._shaped(parts, np.broadcast_shapes(np.shape(condition), a.shape, b.shape))

    def _shaped(self, parts: tuple[Part, ...], shape: tuple[int, ...]) -> Array:
        return Array(self, tuple(p if p is None or p.shape == shape else np.broadcast_to(p, shape) for p in parts))

    # Derived from the above

    def subtract(self, a: Operand, b: Operand) -> Array:
        return self.add(a, self.negative(b))

    def expand_dims(self, x: Operand, axis: int) -> Array:
        x = self.asarray(x)
        shape = list(x.shape)
        shape.insert(axis if axis >= 0 else axis + len(shape) + 1, 1)
        return self.reshape(x, tuple(shape))

    def squeeze(self, x: Operand, axis: int) -> Array:
        x = self.asarray(x)
        shape = list(x.shape)
        del shape[axis]
        return self.reshape(x, tuple(shape))

    def stack(self, arrays: Sequence[Operand], axis: int = 0) -> Array:
        return self.concatenate([self.expand_dims(a, axis) for a in arrays], axis)

    def zeros_like(self, x: Operand) -> Array:
        return self.lift(np.zeros(self.asarray(x).shape))

    def ones_like(self, x: Operand) -> Array:
        return self.lift(np.ones(self.asarray(x).shape))

    def arange(self, *args: Any) -> np.ndarray:
        return np.arange(*args)

    def less(self, a: Operand, b: Operand) -> np.ndarray:
        return self.compare(a, b) < 0

    def greater(self, a: Operand, b: Operand) -> np.ndarray:
        return self.compare(a, b) > 0

    def equal(self, a: Operand, b: Operand) -> np.ndarray:
        return np.asarray(self.compare(a, b) == 0)

    def less_equal(self, a: Operand, b: Operand) -> np.ndarray:
        return self.compare(a, b) <= 0

    def greater_equal(self, a: Operand, b: Operand) -> np.ndarray:
        return self.compare(a, b) >= 0

    def abs(self, x: Operand) -> Array:
        x = self.asarray(x)
        return self.where(self.less(x, 0.0), self.negative(x), x)

    def sign(self, x: Operand) -> Array:
        return self.lift(np.asarray(self.compare(x, 0.0), dtype=np.float64))

    def maximum(self, a: Operand, b: Operand) -> Array:
        return self.where(self.greater(a, b), a, b)

    def minimum(self, a: Operand, b: Operand) -> Array:
        return self.where(self.less(a, b), a, b)

    def clip(self, x: Operand, low: Operand = None, high: Operand = None) -> Array:
        x = self.asarray(x)
        x = x if low is None else self.maximum(x, low)
        return x if high is None else self.minimum(x, high)

    def square(self, x: Operand) -> Array:
        return self.multiply(x, x)

    def power(self, x: Operand, exponent: Operand) -> Array:
        if isinstance(exponent, (int, float)) and float(exponent).is_integer() and 0 <= exponent <= 64:
            result = self.ones_like(x) if exponent == 0 else self.asarray(x)
            for bit in bin(int(exponent))[3:]:
                result = self.multiply(result, result)
                result = self.multiply(result, x) if bit == "1" else result
            return result
        return self.exp(self.multiply(exponent, self.log(x)))

    pow = power

    def _last(self, x: Array, axis: int | Sequence[int] | None) -> tuple[Array, tuple[int, ...]]:
        """Bring the reduced axes to the end as one axis; also say which they were."""
        if axis is None:
            axes = tuple(range(x.ndim))
        else:
            axes = tuple(a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis))
        if axes == (x.ndim - 1,):
            return x, axes
        kept = tuple(a for a in range(x.ndim) if a not in axes)
        moved = self.transpose(x, kept + axes)
        length = int(np.prod([x.shape[a] for a in axes]))
        return self.reshape(moved, (*(x.shape[a] for a in kept), length)), axes

    def sum(
        self, x: Operand, axis: int | Sequence[int] | None = None, keepdims: bool = False, dim: Any = None,
        keepdim: bool = False,
    ) -> Array:  # fmt: skip
        x = self.asarray(x)
        axis = axis if dim is None else dim
        moved, axes = self._last(x, axis)
        total = self._sum_last(moved)
        if keepdims or keepdim:
            return self.reshape(total, tuple(1 if a in axes else s for a, s in enumerate(x.shape)))
        return total

    def mean(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        x = self.asarray(x)
        axis = axis if dim is None else dim
        total = self.sum(x, axis, keepdims or keepdim)
        return self.divide(total, float(x.size // max(total.size, 1)))

    def max(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        x = self.asarray(x)
        axis = axis if dim is None else dim
        moved, axes = self._last(x, axis)
        top = self.take_along_axis(moved, self._order(moved, -1), -1)
        if keepdims or keepdim:
            return self.reshape(top, tuple(1 if a in axes else s for a, s in enumerate(x.shape)))
        return self.squeeze(top, -1)

    def min(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        return self.negative(self.max(self.negative(x), axis, keepdims, dim, keepdim))

    amax = max  # noqa: A003
    amin = min  # noqa: A003

    def cumsum(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        result: Array = self.scan(self.asarray(x), self.add, axis if dim is None else dim)
        return result

    def scan(self, x: Any, combine: Callable[[Any, Any], Any], axis: int) -> Any:
        """Inclusive prefix combination in log2(n) sweeps; x is an Array or a tuple of Arrays."""
        items = x if isinstance(x, tuple) else (x,)
        n, step = items[0].shape[axis], 1
        axis %= items[0].ndim

        def cut(item: Array, start: int | None, stop: int | None) -> Array:
            return item[(slice(None),) * axis + (slice(start, stop),)]

        while step < n:
            left = tuple(cut(i, None, n - step) for i in items)
            right = tuple(cut(i, step, None) for i in items)
            both = combine(left, right) if isinstance(x, tuple) else (combine(left[0], right[0]),)
            items = tuple(self.concatenate([cut(i, None, step), b], axis) for i, b in zip(items, both, strict=True))
            step *= 2
        return items if isinstance(x, tuple) else items[0]

    def matmul(self, a: Operand, b: Operand) -> Array:
        a, b = self.asarray(a), self.asarray(b)
        if b.ndim == 1:
            return self.sum(self.multiply(a, b), axis=-1)
        columns = self.transpose(b, (*range(b.ndim - 2), b.ndim - 1, b.ndim - 2))
        if a.ndim == 1:
            return self.sum(self.multiply(a, columns), axis=-1)
        return self.sum(self.multiply(self.expand_dims(a, -2), self.expand_dims(columns, -3)), axis=-1)

    dot = matmul

    def sigmoid(self, x: Operand) -> Array:
        small = self.exp(self.negative(self.abs(x)))
        bottom = self.add(1.0, small)
        return self.where(self.less(x, 0.0), self.divide(small, bottom), self.divide(1.0, bottom))

    expit = sigmoid

    def tanh(self, x: Operand) -> Array:
        small = self.expm1(self.multiply(-2.0, self.abs(x)))
        result = self.divide(self.negative(small), self.add(2.0, small))
        return self.where(self.less(x, 0.0), self.negative(result), result)

    def softplus(self, x: Operand) -> Array:
        return self.add(self.maximum(x, 0.0), self.log1p(self.exp(self.negative(self.abs(x)))))

    def log_sigmoid(self, x: Operand) -> Array:
        return self.negative(self.softplus(self.negative(x)))

    def logaddexp(self, a: Operand, b: Operand) -> Array:
        tail = self.log1p(self.exp(self.negative(self.abs(self.subtract(a, b)))))
        return self.add(self.maximum(a, b), tail)

    def logsumexp(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        axis = axis if dim is None else dim
        keepdims = keepdims or keepdim
        top = self.max(x, axis, keepdims=True)
        log_total = self._log_total(self._below(x, top), axis, keepdims)
        return self.add(top if keepdims else self.max(x, axis), log_total)

    def _below(self, x: Operand, top: Array) -> Array:
        # A row of -inf, or the elements that equal an infinite maximum, have no difference: it is taken as 0.
        return self.where(self.equal(x, top), 0.0, self.subtract(x, top))

    def _log_total(self, shifted: Array, axis: Any, keepdims: bool) -> Array:
        """Return log(sum(exp(shifted))) for a maximum of 0."""
        small = self.exp(shifted)
        if not self.sharp:
            return self.log(self.sum(small, axis, keepdims=keepdims))
        # The maximum is kept out of the sum and log1p takes the rest: log(1 + e) would lose e below eps.
        at_top = self.equal(shifted, 0.0)
        ties = self.sum(np.where(at_top, 1.0, 0.0), axis, keepdims=keepdims)
        rest = self.sum(self.where(at_top, 0.0, small), axis, keepdims=keepdims)
        return self.add(self.log(ties), self.log1p(self.divide(rest, ties)))

    def softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        axis = axis if dim is None else dim
        small = self.exp(self.subtract(x, self.max(x, axis, keepdims=True)))
        return self.divide(small, self.sum(small, axis, keepdims=True))

    def log_softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        axis = axis if dim is None else dim
        shifted = self.subtract(x, self.max(x, axis, keepdims=True))
        return self.subtract(shifted, self._log_total(shifted, axis, True))
