"""NumPy arrays in the dtypes under test."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.dtypes import FORMATS

Array = npt.NDArray[Any]


def carrier(dtype: str) -> np.dtype[Any]:
    """Return the NumPy dtype that holds values of a dtype given by name.

    Raises
    ------
    ImportError
        bfloat16 without ml_dtypes, which is where NumPy's bfloat16 lives.
    """
    if dtype != "bfloat16":
        return np.dtype(dtype)
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError("bfloat16 needs the package ml_dtypes: pip install ml_dtypes") from None
    found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return found


def cast(values: Array, dtype: str) -> Array:
    """Round floating-point values to a dtype; finite ones beyond its range become its largest number."""
    if values.dtype.kind != "f":
        return values
    target = carrier(dtype)
    if target.kind in "iu":
        return values.astype(target)
    top, wide = FORMATS[dtype].max, values.astype(np.float64)
    if np.abs(wide).max(initial=0.0) <= top:
        return wide.astype(target)
    return np.asarray(np.where(np.isfinite(wide), np.clip(wide, -top, top), wide).astype(target))
