"""The array type that formulas see: one class for every arithmetic, so that a formula is written once.

An `Array` holds a tuple of equally shaped NumPy arrays (``parts``), whose meaning belongs to its namespace: value and
error bound (`running`), two halves and error bound (`doubledouble`), balls (`exact`). A part that is None is zero
everywhere. What can be done with them is the namespace's (`namespace`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pytest_lse.reference.namespace import Namespace

Part = Any  # np.ndarray | None
Operand = Any


def scaled(size: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return size times error, where no error stays none and an unknown one unknown, whatever the other is."""
    product = size * error
    unclear = np.isnan(product)
    return np.where(unclear, np.where(error == 0.0, 0.0, np.inf), product) if unclear.any() else product


class Array:
    """Elements of some arithmetic; operators and the usual methods go to its namespace."""

    __slots__ = ("parts", "xp")
    __array_ufunc__ = None  # NumPy arrays and scalars give way to our reflected operators
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, xp: Namespace, parts: tuple[Part, ...]) -> None:
        self.xp = xp
        self.parts = parts

    @property
    def shape(self) -> tuple[int, ...]:
        return self.xp.visible(self.parts[0].shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def T(self) -> Array:  # noqa: N802
        return self.xp.transpose(self, tuple(reversed(range(self.ndim))))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        return self.xp.getitem(self, key)

    def __neg__(self) -> Array:
        return self.xp.negative(self)

    def __abs__(self) -> Array:
        return self.xp.abs(self)

    def __add__(self, other: Operand) -> Array:
        return self.xp.add(self, other)

    def __radd__(self, other: Operand) -> Array:
        return self.xp.add(other, self)

    def __sub__(self, other: Operand) -> Array:
        return self.xp.subtract(self, other)

    def __rsub__(self, other: Operand) -> Array:
        return self.xp.subtract(other, self)

    def __mul__(self, other: Operand) -> Array:
        return self.xp.multiply(self, other)

    def __rmul__(self, other: Operand) -> Array:
        return self.xp.multiply(other, self)

    def __truediv__(self, other: Operand) -> Array:
        return self.xp.divide(self, other)

    def __rtruediv__(self, other: Operand) -> Array:
        return self.xp.divide(other, self)

    def __pow__(self, other: Operand) -> Array:
        return self.xp.power(self, other)

    def __rpow__(self, other: Operand) -> Array:
        return self.xp.power(other, self)

    def __matmul__(self, other: Operand) -> Array:
        return self.xp.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Array:
        return self.xp.matmul(other, self)

    def __lt__(self, other: Operand) -> Any:
        return self.xp.less(self, other)

    def __gt__(self, other: Operand) -> Any:
        return self.xp.greater(self, other)

    def __le__(self, other: Operand) -> Any:
        return ~self.xp.greater(self, other)

    def __ge__(self, other: Operand) -> Any:
        return ~self.xp.less(self, other)

    def __eq__(self, other: object) -> Any:
        return self.xp.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return ~self.xp.equal(self, other)

    def reshape(self, *shape: Any) -> Array:
        return self.xp.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # x.sum(-1), x.exp(), x.log_softmax(axis=1): the function of that name with x as its first argument.
        if name.startswith("_") or not hasattr(type(self.xp), name):
            raise AttributeError(name)
        function = getattr(self.xp, name)
        return lambda *args, **kwargs: function(self, *args, **kwargs)
