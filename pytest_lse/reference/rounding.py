"""Rounding to a dtype once: from an unevaluated sum of two doubles, without an intermediate rounding.

Casts from float64 to the 16-bit formats round twice in ml_dtypes, PyTorch and JAX (through float32). Here the sum is
first rounded to odd in float64, which keeps the information that any narrower rounding needs (Boldo and Melquiond,
"When double rounding is odd", 2005), then to the target, once.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format


@cache
def storage(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype that holds a format's values: float32 for bfloat16 without ml_dtypes."""
    if name != "bfloat16":
        return np.dtype(name)
    if importlib.util.find_spec("ml_dtypes") is None:
        return np.dtype(np.float32)
    import ml_dtypes

    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return dtype


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the rounded sum and its exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def round_sum(high: np.ndarray, low: np.ndarray, target: Format) -> np.ndarray:
    """Round high + low to the target format, to nearest, ties to even; returned as float64 values.

    Parameters
    ----------
    high, low : ndarray of float64
        Any shape. Infinities and nan in `high` stay.
    target : Format
        The output format.
    """
    s, e = two_sum(high, low)
    s = np.where(np.isfinite(high), s, high)
    if target.precision == 53:
        return np.asarray(s)
    finite = np.isfinite(s)
    e = np.where(finite, e, 0.0)
    # To odd: an inexact sum takes the neighbour whose last bit is 1, towards the discarded part.
    bits = np.ascontiguousarray(s).view(np.int64)
    away = np.where((e > 0.0) == (s > 0.0), 0, -1)
    odd = np.where((e != 0.0) & finite & (s != 0.0), (bits + away) | 1, bits)
    return narrow(odd.view(np.float64).reshape(s.shape), target)


def narrow(values: np.ndarray, target: Format) -> np.ndarray:
    """Round float64 values to the target format, to nearest, ties to even; returned as float64 values."""
    if target.precision == 53:
        return np.asarray(values)
    if target.name != "bfloat16":  # NumPy's casts from float64 round once
        with np.errstate(all="ignore"):
            return np.asarray(np.asarray(values).astype(target.name).astype(np.float64))
    size = np.abs(values)
    if size.size and float(size.min()) >= target.tiny and float(size.max()) <= target.max:
        # The common case: half of the last place is added to the bits, or just less if that is even.
        bits = np.array(values, dtype=np.float64).view(np.int64)
        cut = 53 - target.precision
        bits += (bits >> cut & 1) + ((1 << (cut - 1)) - 1)
        bits &= -(1 << cut)
        result = bits.view(np.float64)
        return np.where(np.abs(result) > target.max, np.copysign(np.inf, values), result)
    mantissa, exponent = np.frexp(values)
    # The unit in the last place that the target has there, subnormals included.
    unit = np.maximum(exponent - target.precision, target.emin - target.precision + 1)
    result = np.ldexp(np.rint(np.ldexp(mantissa, exponent - unit)), unit)
    result = np.where(np.abs(result) > target.max, np.copysign(np.inf, values), result)
    return np.asarray(np.where(np.isfinite(values), result, values))
