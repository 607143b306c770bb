"""Arrays and numbers as Python source, as short as they can be read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.strategies.casting import carrier

Array = npt.NDArray[Any]


def longest_run(flat: Array) -> tuple[int, int]:
    """Return where the longest run of one value begins and ends."""
    bits = flat.view(f"u{flat.dtype.itemsize}")
    edges = np.flatnonzero(np.r_[True, bits[1:] != bits[:-1], True])
    longest = int(np.argmax(np.diff(edges)))
    return int(edges[longest]), int(edges[longest + 1])


def period(flat: Array) -> int:
    """Return after how many values an array repeats itself; its length if it does not."""
    return next((p for p in range(1, flat.size) if np.array_equal(flat[p:], flat[:-p], equal_nan=True)), flat.size)


def numpy_dtype(value: Array) -> str:
    """Return the expression for an array's dtype."""
    name = value.dtype.name
    return "ml_dtypes.bfloat16" if name == "bfloat16" else f"np.{name}"


def nested(value: Array) -> str:
    """Return an array as nested lists; infinities as ``inf``, for brevity."""
    if value.ndim == 0:
        return spell_scalar(value[()])
    return "[" + ", ".join(nested(v) for v in value) + "]"


def spell_scalar(value: Any) -> str:
    """Return a NumPy scalar as Python source; infinities as ``inf``, for brevity."""
    return (
        str(value) if isinstance(value, (bool, np.bool_, np.integer)) else spell_number(float(value), value.dtype.name)
    )


def spell_number(value: float, dtype: str = "float64") -> str:
    """Return the shortest decimal that reads back as the same number of the dtype."""
    if dtype in ("float32", "float16", "bfloat16") and np.isfinite(value):
        kind = carrier(dtype).type
        with np.errstate(over="ignore"):
            for digits in range(1, 10):
                text = f"{value:.{digits}g}"
                if float(kind(float(text))) == value:
                    return repr(float(text))
    return repr(float(value))
