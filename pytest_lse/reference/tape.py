"""Reverse-mode differentiation of a formula in any arithmetic.

It gives the user's own kernels their exact gradient, and in the running-error arithmetic it bounds what automatic
differentiation of honest code loses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand
from pytest_lse.reference.namespace import Namespace

Pull = Callable[[Array], Array]


class Variable(Array):
    """A value together with how its gradient goes back to its arguments."""

    __slots__ = ("sources", "value")

    def __init__(self, xp: Tape, value: Array, sources: tuple[tuple[Variable, Pull], ...] = ()) -> None:
        super().__init__(xp, value.parts)
        self.value = value
        self.sources = sources


class Tape(Namespace):
    """Records what is computed in a base arithmetic."""

    def __init__(self, base: Namespace) -> None:
        self.base = base
        self.sharp = base.sharp
        self.recorded: list[Variable] = []

    @property
    def pi(self) -> Array:
        return self._record(self.base.pi, ())

    def lift(self, values: np.ndarray) -> Array:
        return self._record(self.base.lift(values), ())

    def variable(self, value: Array) -> Variable:
        """Begin a value with respect to which one may differentiate."""
        return self._record(value, ())

    def _record(self, value: Array, sources: Sequence[tuple[Variable, Pull]]) -> Variable:
        variable = Variable(self, value, tuple(sources))
        self.recorded.append(variable)
        return variable

    def asarray(self, x: Operand, dtype: object = None) -> Variable:
        if isinstance(x, Variable):
            return x
        return self._record(self.base.asarray(x), ())

    array = asarray

    def gradient(self, output: Array, weights: Array, wrt: Array) -> Array:
        """Return the gradient of ``sum(weights * output)`` with respect to a variable."""
        gradients: dict[int, Array] = {id(output): weights}
        for variable in reversed(self.recorded):
            g = gradients.get(id(variable)) if variable is wrt else gradients.pop(id(variable), None)
            if g is None:
                continue
            for source, pull in variable.sources:
                part = pull(g)
                before = gradients.get(id(source))
                gradients[id(source)] = part if before is None else self.base.add(before, part)
        found = gradients.get(id(wrt))
        return self.base.zeros_like(wrt.xp.asarray(wrt).value) if found is None else found

    def _fit(self, g: Array, shape: tuple[int, ...]) -> Array:
        """Sum a gradient over the axes along which its variable was broadcast."""
        extra = g.ndim - len(shape)
        if extra:
            g = self.base.sum(g, axis=tuple(range(extra)))
        for axis, length in enumerate(shape):
            if length == 1 and g.shape[axis] != 1:
                g = self.base.sum(g, axis=axis, keepdims=True)
        return g

    def _binary(self, value: Array, a: Variable, b: Variable, to_a: Pull, to_b: Pull) -> Variable:
        return self._record(
            value, ((a, lambda g: self._fit(to_a(g), a.shape)), (b, lambda g: self._fit(to_b(g), b.shape)))
        )

    def add(self, a: Operand, b: Operand) -> Array:
        a, b = self.asarray(a), self.asarray(b)
        whole = self.base.add(a.value, b.value)
        spread = lambda g: self.base.broadcast_to(g, whole.shape)  # noqa: E731
        return self._binary(whole, a, b, spread, spread)

    def multiply(self, a: Operand, b: Operand) -> Array:
        a, b, base = self.asarray(a), self.asarray(b), self.base
        value = base.multiply(a.value, b.value)
        return self._binary(value, a, b, lambda g: base.multiply(g, b.value), lambda g: base.multiply(g, a.value))

    def divide(self, a: Operand, b: Operand) -> Array:
        a, b, base = self.asarray(a), self.asarray(b), self.base
        value = base.divide(a.value, b.value)
        return self._binary(
            value,
            a,
            b,
            lambda g: base.divide(g, b.value),
            lambda g: base.negative(base.multiply(g, base.divide(value, b.value))),
        )

    def negative(self, x: Operand) -> Array:
        x = self.asarray(x)
        return self._record(self.base.negative(x.value), ((x, self.base.negative),))

    def _unary(self, x: Operand, name: str, slope: Callable[[Array, Array], Array]) -> Array:
        x = self.asarray(x)
        value = getattr(self.base, name)(x.value)
        return self._record(value, ((x, lambda g: self.base.multiply(g, slope(x.value, value))),))

    def exp(self, x: Operand) -> Array:
        return self._unary(x, "exp", lambda x, y: y)

    def expm1(self, x: Operand) -> Array:
        return self._unary(x, "expm1", lambda x, y: self.base.exp(x))

    def log(self, x: Operand) -> Array:
        return self._unary(x, "log", lambda x, y: self.base.divide(1.0, x))

    def log1p(self, x: Operand) -> Array:
        return self._unary(x, "log1p", lambda x, y: self.base.divide(1.0, self.base.add(1.0, x)))

    def sqrt(self, x: Operand) -> Array:
        return self._unary(x, "sqrt", lambda x, y: self.base.divide(0.5, y))

    def logsumexp(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        x, base = self.asarray(x), self.base
        axis = axis if dim is None else dim
        value = base.logsumexp(x.value, axis, True)

        def pull(g: Array) -> Array:
            # From the result, as the frameworks do it; where that is -inf, every weight is 0.
            safe = base.where(base.equal(value, -np.inf), 0.0, value)
            return base.multiply(base.reshape(g, value.shape), base.exp(base.subtract(x.value, safe)))

        shape = value.shape if keepdims or keepdim else base.sum(x.value, axis).shape
        return self._record(base.reshape(value, shape), ((x, pull),))

    def abs(self, x: Operand) -> Array:
        return self._unary(x, "abs", lambda x, y: self.base.sign(x))

    def sign(self, x: Operand) -> Array:
        return self._record(self.base.sign(self.asarray(x).value), ())

    def compare(self, a: Operand, b: Operand) -> np.ndarray:
        return self.base.compare(self.asarray(a).value, self.asarray(b).value)

    def where(self, condition: Any, a: Operand, b: Operand) -> Array:
        a, b, base = self.asarray(a), self.asarray(b), self.base
        value = base.where(condition, a.value, b.value)
        return self._binary(
            value, a, b, lambda g: base.where(condition, g, 0.0), lambda g: base.where(condition, 0.0, g)
        )

    def maximum(self, a: Operand, b: Operand) -> Array:
        return self._extreme(a, b, 1)

    def minimum(self, a: Operand, b: Operand) -> Array:
        return self._extreme(a, b, -1)

    def _extreme(self, a: Operand, b: Operand, side: int) -> Array:
        a, b, base = self.asarray(a), self.asarray(b), self.base
        order = base.compare(a.value, b.value) * side
        value = base.where(order > 0, a.value, b.value)
        # Half to each at a tie, as the frameworks do.
        share = np.where(order > 0, 1.0, np.where(order == 0, 0.5, 0.0))
        return self._binary(value, a, b, lambda g: base.multiply(g, share), lambda g: base.multiply(g, 1.0 - share))

    def _sum_last(self, x: Array) -> Array:
        x = self.asarray(x)
        value = self.base.sum(x.value, axis=-1)
        return self._record(value, ((x, lambda g: self.base.broadcast_to(self.base.expand_dims(g, -1), x.shape)),))

    def _order(self, x: Array, axis: int) -> np.ndarray:
        return self.base._order(self.asarray(x).value, axis)

    # Elements moved about

    def getitem(self, x: Array, key: Any) -> Array:
        x = self.asarray(x)
        return self._record(self.base.getitem(x.value, key), ((x, lambda g: self._scatter(g, x.shape, key)),))

    def _scatter(self, g: Array, shape: tuple[int, ...], key: Any) -> Array:
        places = np.arange(int(np.prod(shape))).reshape(shape)[key]
        return self._add_at(g, places, shape)

    def _add_at(self, g: Array, places: np.ndarray, shape: tuple[int, ...]) -> Array:
        base = self.base
        flat, g = places.reshape(-1), base.reshape(g, (-1,))
        size = int(np.prod(shape))
        if len(np.unique(flat)) == len(flat):
            source = np.full(size, len(flat))
            source[flat] = np.arange(len(flat))
            padded = base.concatenate([g, base.lift(np.zeros(1))])
            return base.reshape(base.getitem(padded, source), shape)
        # Repeated places: one sum per place, over a table padded with zeros.
        order = np.argsort(flat, kind="stable")
        counts = np.bincount(flat, minlength=size)
        table = np.full((size, int(counts.max())), len(flat))
        starts = np.concatenate([[0], np.cumsum(counts)])
        for place in np.nonzero(counts)[0]:
            table[place, : counts[place]] = order[starts[place] : starts[place + 1]]
        padded = base.concatenate([g, base.lift(np.zeros(1))])
        return base.reshape(base.sum(base.getitem(padded, table), axis=-1), shape)

    def reshape(self, x: Operand, shape: Any) -> Array:
        x = self.asarray(x)
        return self._record(self.base.reshape(x.value, shape), ((x, lambda g: self.base.reshape(g, x.shape)),))

    def transpose(self, x: Operand, axes: Sequence[int] | None = None) -> Array:
        x = self.asarray(x)
        order = tuple(axes) if axes is not None else tuple(reversed(range(x.ndim)))
        back = tuple(int(i) for i in np.argsort(order))
        return self._record(self.base.transpose(x.value, order), ((x, lambda g: self.base.transpose(g, back)),))

    def broadcast_to(self, x: Operand, shape: Sequence[int]) -> Array:
        x = self.asarray(x)
        return self._record(self.base.broadcast_to(x.value, shape), ((x, lambda g: self._fit(g, x.shape)),))

    def take_along_axis(self, x: Operand, indices: np.ndarray, axis: int = -1) -> Array:
        x = self.asarray(x)
        places = np.take_along_axis(np.arange(x.size).reshape(x.shape), indices, axis)
        value = self.base.take_along_axis(x.value, indices, axis)
        return self._record(value, ((x, lambda g: self._add_at(g, places, x.shape)),))

    def concatenate(self, arrays: Sequence[Operand], axis: int = 0) -> Array:
        pieces = [self.asarray(a) for a in arrays]
        ends = np.cumsum([p.shape[axis] for p in pieces])
        where = axis % pieces[0].ndim
        value = self.base.concatenate([p.value for p in pieces], axis)

        def pull(start: int, stop: int) -> Pull:
            return lambda g: self.base.getitem(g, (slice(None),) * where + (slice(start, stop),))

        return self._record(
            value,
            [(p, pull(int(e) - p.shape[axis], int(e))) for p, e in zip(pieces, ends, strict=True)],
        )

    def zeros_like(self, x: Operand) -> Array:
        return self.asarray(self.base.zeros_like(self.asarray(x).value))

    def ones_like(self, x: Operand) -> Array:
        return self.asarray(self.base.ones_like(self.asarray(x).value))
