"""What honest code may lose on the way through a formula that is itself written naively.

The formula is evaluated in arbitrary precision and with an unbounded exponent, so that it neither overflows nor
cancels, and every result is widened by what a rounding of that operation costs. Where a difference cancels, its
operands' roundings are scaled down with it: honest code has avoided the cancellation. Derivation:
docs/error-bounds.md, section 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand, Part
from pytest_lse.reference.exact import Exact, objects
from pytest_lse.reference.running import Model


class Honest(Exact):
    """Balls that grow by the rounding of every operation, and flags of what is a logarithm.

    The flags (second part; None for none) say which numbers descend from a logarithm: their errors are absolute.
    """

    def __init__(self, backend: Any, model: Model, steps: float) -> None:
        super().__init__(backend)
        self.model = model
        self.steps = steps
        self._spread = np.frompyfunc(backend.spread, 3, 1)
        self._magnitude = np.frompyfunc(backend.magnitude, 1, 1)
        self._join = np.frompyfunc(backend.joined, 4, 1)

    def lift(self, values: np.ndarray) -> Array:
        return Array(self, (super().lift(values).parts[0], None))

    def _constant(self, values: np.ndarray) -> Array:
        return self.lift(values)

    @property
    def pi(self) -> Array:
        return Array(self, (super().pi.parts[0], None))

    def _rounded(self, values: Any, flags: Part, units: float = 1.0) -> Array:
        values = objects(self._spread(values, self._magnitude(values), units * self.model.u))
        return Array(self, (values, None if flags is None else np.broadcast_to(flags, values.shape)))

    def _flags(self, *operands: Operand) -> Part:
        found = [f for o in operands if (f := self.asarray(o).parts[1]) is not None]
        return np.maximum.reduce(np.broadcast_arrays(*found)) if found else None

    def add(self, a: Operand, b: Operand) -> Array:
        return self._joined(a, b)

    def subtract(self, a: Operand, b: Operand) -> Array:
        return self._joined(a, self.negative(b))

    def _joined(self, a: Operand, b: Operand) -> Array:
        flags = self._flags(a, b)
        # A logarithm is known absolutely, to some units of roundoff, whatever has cancelled.
        least = self.steps * self.model.u
        absolute = 0.0 if flags is None else least * flags
        return self._rounded(self._join(self._value(a), self._value(b), least, absolute), flags)

    def negative(self, x: Operand) -> Array:
        return Array(self, (super().negative(x).parts[0], self.asarray(x).parts[1]))

    def multiply(self, a: Operand, b: Operand) -> Array:
        return self._rounded(super().multiply(a, b).parts[0], self._flags(a, b))

    def divide(self, a: Operand, b: Operand) -> Array:
        return self._rounded(super().divide(a, b).parts[0], self._flags(a, b))

    def _apply(self, name: str, x: Operand) -> Array:
        values = super()._apply(name, x).parts[0]
        flags = np.ones(values.shape) if name in ("log", "log1p") else None
        return self._rounded(values, flags, 1.0 if name == "sqrt" else self.model.c)

    def _sum_last(self, x: Array) -> Array:
        flags = None if x.parts[1] is None else x.parts[1].max(axis=-1, initial=0.0)
        total = super()._sum_last(x).parts[0]
        if x.shape[-1] < 2:
            return Array(self, (total, flags))
        sizes = objects(np.add.reduce(self._magnitude(x.parts[0]), axis=-1))
        rounding = self.model.summation(x.shape[-1]) * self.model.u
        return Array(self, (objects(self._spread(total, sizes, rounding)), flags))
