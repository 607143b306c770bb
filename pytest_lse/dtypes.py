"""Limits of the four floating-point formats, from the standard library alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Format:
    """A binary floating-point format with subnormals and infinities.

    Attributes
    ----------
    name : str
        Name of the dtype.
    precision : int
        Bits of the significand, the hidden one included.
    emin, emax : int
        Exponents of the smallest normal number and of the largest power of two.
    """

    name: str
    precision: int
    emin: int
    emax: int

    @property
    def bits(self) -> int:
        """Width of the format."""
        return self.precision + (self.emax + 1).bit_length()

    @cached_property
    def eps(self) -> float:
        """Distance from 1 to the next number."""
        return math.ldexp(1.0, 1 - self.precision)

    @cached_property
    def u(self) -> float:
        """Unit roundoff, half of `eps`."""
        return math.ldexp(1.0, -self.precision)

    @cached_property
    def tiny(self) -> float:
        """Smallest normal number."""
        return math.ldexp(1.0, self.emin)

    @cached_property
    def smallest_subnormal(self) -> float:
        """Smallest positive number."""
        return math.ldexp(1.0, self.emin - self.precision + 1)

    @cached_property
    def max(self) -> float:
        """Largest finite number."""
        return math.ldexp(2.0 - self.eps, self.emax)

    @cached_property
    def log_max(self) -> float:
        """Where `exp` overflows: 709.78 in float64, 88.72 in float32, 11.09 in float16."""
        return math.log(self.max)

    @cached_property
    def log_tiny(self) -> float:
        """Below it `exp` is subnormal: -708.4, -87.3, -9.70."""
        return math.log(self.tiny)

    @cached_property
    def log_smallest_subnormal(self) -> float:
        """Half a unit below it `exp` is 0: -744.4, -103.3, -16.6."""
        return math.log(self.smallest_subnormal)

    @cached_property
    def log_eps(self) -> float:
        """Where `1 + exp(x)` starts to be 1: -36.0, -15.9, -6.93."""
        return math.log(self.eps)


FORMATS = {
    f.name: f
    for f in (
        Format("float64", 53, -1022, 1023),
        Format("float32", 24, -126, 127),
        Format("float16", 11, -14, 15),
        Format("bfloat16", 8, -126, 127),
    )
}


def format_of(dtype: object) -> Format:
    """Return the format of a dtype, whatever library it is from.

    Parameters
    ----------
    dtype : str or object
        A name, or a dtype of NumPy, PyTorch, JAX or TensorFlow.

    Raises
    ------
    ValueError
        The dtype is not one of the four.
    """
    found = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype)
    name = str(found)
    try:
        return FORMATS[name.rpartition(".")[2]]
    except KeyError:
        raise ValueError(f"dtype {dtype!r} is not supported: expected one of {', '.join(FORMATS)}") from None
