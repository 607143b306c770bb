"""Shortcuts for rows in the narrow formats: float64 with a bound that is crude and costs nothing.

The first level of the ladder for the kernels that are called most. A bound of 2**-42 is plenty for a float32 result;
what it leaves open goes down the ladder like everything else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# Relative error of exp(x - max) where it is not 0: the difference is off by u * 746 at most, exp by 4 u. Smaller
# exponentials are below 2**-1074, which no sum with a term 1 notices at this accuracy.
_TERM = 760.0 * 2.0**-53
_U = 2.0**-53
#: absolute error where exponentials are subnormal in float64: such results are 0 in every narrow format
_VANISHED = 2.0**-1000

Rows = tuple[np.ndarray, np.ndarray]


def logsumexp(x: np.ndarray) -> Rows:
    """Return values and error bounds: the maximum plus log1p of the other terms."""
    top, rest, _ = _terms(x)
    tail = np.log1p(rest)
    value = top[:, 0] + tail
    error = _relative(x) * (rest / (1.0 + rest)) + 8.0 * _U * tail + _U * np.abs(value)
    return value, error + _VANISHED


def softmax(x: np.ndarray) -> Rows:
    """Return values and error bounds: every term over the sum."""
    _, rest, small = _terms(x)
    value = small / (1.0 + rest)[:, None]
    return value, 2.0 * _relative(x) * value + _VANISHED


def log_softmax(x: np.ndarray) -> Rows:
    """Return values and error bounds: the difference to the maximum minus log1p of the other terms."""
    top, rest, _ = _terms(x)
    gap, tail = x - top, np.log1p(rest)
    value = gap - tail[:, None]
    error = _relative(x) * (rest / (1.0 + rest)) + 8.0 * _U * tail + _VANISHED
    # A masked element is -inf exactly: finite numbers of a narrow format have a finite difference in float64.
    return value, np.where(np.isinf(gap), 0.0, error[:, None] + _U * (np.abs(gap) + np.abs(value)))


def _relative(x: np.ndarray) -> float:
    return float(_TERM + x.shape[-1] * _U)


def _terms(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the maxima, the sums of the exponentials other than one of them, and the exponentials."""
    place = np.argmax(x, axis=-1)[:, None]
    top = np.take_along_axis(x, place, axis=-1)
    small = np.exp(x - top)
    np.put_along_axis(small, place, 0.0, axis=-1)
    rest = small.sum(axis=-1)
    np.put_along_axis(small, place, 1.0, axis=-1)
    return top, rest, small


Shortcut = Callable[[np.ndarray], Rows]
SHORTCUTS: dict[str, Shortcut] = {
    "logsumexp": logsumexp,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
