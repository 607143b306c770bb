"""The distance of two floating-point numbers in units of the last place, for every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_lse.dtypes import format_of
from pytest_lse.reference.rounding import narrow


def ulp_distance(a: Any, b: Any, *, dtype: object = None) -> np.ndarray:
    """Count the numbers of a format from a to b.

    Parameters
    ----------
    a, b : array_like
        Values of one dtype (float64, float32, float16 or ml_dtypes' bfloat16), broadcast against each other. Arrays of
        PyTorch, JAX and TensorFlow are accepted as far as `numpy.asarray` takes them.
    dtype : str or dtype, optional
        The format to count in; default: that of the arrays. For bfloat16 values held in float32, pass "bfloat16".

    Returns
    -------
    ndarray of float64
        0 for equal numbers, equal infinities, two nan, and 0.0 against -0.0; inf where one of the two is nan, or
        where one is infinite and the other is not the same. Exact up to 2**53 (further apart, rounded).

    Raises
    ------
    TypeError
        The dtypes differ, or are not floating.
    ValueError
        A value is not representable in `dtype`, or the shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> float(ulp_distance(np.float32(1.0), np.nextafter(np.float32(1.0), np.float32(2.0))))
    1.0
    """
    first, second = np.asarray(a), np.asarray(b)
    if dtype is None:
        if first.dtype != second.dtype:
            raise TypeError(f"a has dtype {first.dtype} and b has {second.dtype}: expected the same, or pass dtype=")
        if first.dtype.kind in "iubcOSU":
            raise TypeError(f"a and b have dtype {first.dtype}: expected a floating dtype, or pass dtype=")
    target = format_of(first.dtype if dtype is None else dtype)
    x, y = _wide("a", first, target), _wide("b", second, target)
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise ValueError(f"the shapes of a {x.shape} and b {y.shape} do not fit together") from None
    x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape)
    i, j = _rank(x, target), _rank(y, target)
    # Signed 64-bit ranks may differ by more than 2**63: the difference is taken in two halves.
    distance = np.abs((i >> 32) - (j >> 32)).astype(np.float64)
    near = distance < 2.0**20
    exact = np.abs(np.where(near, i, 0) - np.where(near, j, 0)).astype(np.float64)
    distance = np.where(near, exact, np.abs(i.astype(np.float64) - j.astype(np.float64)))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.where(same, 0.0, np.where(np.isfinite(x) & np.isfinite(y), distance, np.inf))


def _wide(name: str, values: np.ndarray, target: Any) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):  # ml_dtypes warns of nan
        wide = values.astype(np.float64)
        fits = (narrow(wide, target) == wide) | np.isnan(wide)
    if not fits.all():
        raise ValueError(f"{name} contains {float(wide[~fits].flat[0])!r}: not a {target.name} number")
    return wide


def _rank(values: np.ndarray, target: Any) -> np.ndarray:
    """Return the position of each value among the numbers of its format, 0 for zero."""
    size = np.where(np.isfinite(values), np.abs(values), 0.0)
    mantissa, exponent = np.frexp(size)
    # A binade holds 2**(p-1) numbers; below the normal range they continue with the same spacing.
    binade = np.maximum(exponent - target.emin - 1, 0).astype(np.int64)
    scaled = np.ldexp(mantissa, exponent - np.maximum(exponent, target.emin + 1) + target.precision).astype(np.int64)
    rank = np.where(size > 0.0, scaled + (binade << (target.precision - 1)), 0)  # frexp gives zero the exponent of 1
    return np.asarray(np.where(values < 0.0, -rank, rank))
