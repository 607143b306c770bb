"""What a failing assertion raises, and what it says."""

from __future__ import annotations

from typing import Any


class StabilityError(AssertionError):
    """A function is not a stable implementation of its kernel.

    Attributes
    ----------
    kernel : str
        The kernel's name.
    regime : str
        Where the input lies, see `pytest_lse.regimes`.
    dtype : str
        The dtype of the input.
    arguments : tuple of ndarray
        The minimal input, as NumPy arrays.
    index : tuple of int
        The worst element of the output; empty for a scalar, and for checks that are not about an element.
    returned, expected, error_ulps : float or None
        That element, what it should be, and the distance in units of the last place.
    check : str
        What failed: "value", "gradient", "jvp", "raises", "outputs", "shape", "dtype", "mutates", "alone", "repeat",
        "overwrites", "layout" or "readonly".
    """

    def __init__(
        self,
        message: str,
        *,
        kernel: str = "",
        regime: str = "",
        dtype: str = "",
        arguments: tuple[Any, ...] = (),
        index: tuple[int, ...] = (),
        returned: float | None = None,
        expected: float | None = None,
        error_ulps: float | None = None,
        check: str = "value",
    ) -> None:
        super().__init__(message)
        self.kernel = kernel
        self.regime = regime
        self.dtype = dtype
        self.arguments = arguments
        self.index = index
        self.returned = returned
        self.expected = expected
        self.error_ulps = error_ulps
        self.check = check

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception that takes keywords would not survive the way from an xdist worker otherwise.
        return _rebuild, (str(self), self.__dict__)


def _rebuild(message: str, fields: dict[str, Any]) -> StabilityError:
    error = StabilityError(message)
    error.__dict__.update(fields)
    return error
