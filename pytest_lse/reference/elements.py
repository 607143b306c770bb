"""Elementwise kernels for the narrow formats: float64, with a bound that is known beforehand.

Every kernel returns lower and upper ends of its values. All take exp of a number that is at most 0, so that an argument
beyond the limit may be cut to it: its exponential is 0 in every narrow format. Bounds: docs/error-bounds.md, section
1.6.
"""

from __future__ import annotations

import numpy as np

from pytest_lse.reference.pairs import buffers, extent
from pytest_lse.reference.singles import LIMIT, LOG1P, exp, exp_error, log1p

Ends = tuple[np.ndarray, np.ndarray]

_U = 2.0**-53
#: the library's log and expm1 are trusted to 4 u; the ends are rounded, too
_LIBRARY = 4.0 * _U
#: more than is lost of an exponential below exp(-LIMIT)
_BEYOND = 2.0**-170
_LOG2 = 0.6931471805599453


def _tail(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return log1p(exp(-abs(x))), and its relative error up to the limit."""
    size = np.abs(x, out=buffers(x.shape)[4])
    largest = float(size.max())
    if not largest <= LIMIT:
        largest = LIMIT
        np.minimum(size, largest, out=size)
    return log1p(exp(size, -1.0)), exp_error(largest) + LOG1P


def _scaled(value: np.ndarray, error: float) -> Ends:
    """Return the ends of positive values with a relative error."""
    lower = np.multiply(value, 1.0 - error, out=value)
    return lower, np.multiply(lower, 1.0 + 2.001 * error, out=buffers(value.shape)[1])


def _around(value: np.ndarray, error: np.ndarray) -> Ends:
    """Return the ends of values that were rounded once more than the error says; both are overwritten."""
    size = np.abs(value, out=buffers(value.shape)[4])
    size *= 2.0 * _U
    error += size
    error *= 1.001
    error += _BEYOND
    lower = np.subtract(value, error, out=size)
    value += error
    return lower, value


def sigmoid(x: np.ndarray) -> Ends:
    """Return 1 / (1 + exp(-x))."""
    # exp(-x) overflows in no double up to the limit; beyond it the sigmoid is 0 or 1 in every narrow format.
    size = extent(x)
    if not size <= LIMIT:
        x, size = np.clip(x, -LIMIT, LIMIT), LIMIT
    total = exp(x, -1.0)
    total += 1.0
    return _scaled(np.divide(1.0, total, out=total), exp_error(size) + 5.0 * _U)


def softplus(x: np.ndarray) -> Ends:
    """Return max(x, 0) + log1p(exp(-abs(x)))."""
    # Both terms are positive: the relative errors do not grow.
    value, error = _tail(x)
    value += np.maximum(x, 0.0, out=buffers(x.shape)[4])
    return _scaled(value, error + 3.0 * _U)


def log_sigmoid(x: np.ndarray) -> Ends:
    """Return min(x, 0) - log1p(exp(-abs(x)))."""
    lower, upper = softplus(np.negative(x, out=buffers(x.shape)[5]))
    return np.negative(upper, out=upper), np.negative(lower, out=lower)


def logaddexp(a: np.ndarray, b: np.ndarray) -> Ends:
    """Return max(a, b) + log1p(exp(-abs(a - b)))."""
    larger, margin = buffers(a.shape)[5:7]
    value, error = _tail(np.subtract(a, b, out=larger, dtype=np.float64))
    # The difference was rounded, which moves its exponential by u size.
    np.multiply(value, error + _U * LIMIT, out=margin)
    value += np.maximum(a, b, out=larger)
    return _around(value, margin)


def bce_with_logits(x: np.ndarray, targets: np.ndarray) -> Ends:
    """Return log1p(exp(-abs(x))) + abs(x) (1 - targets, or targets where x < 0)."""
    value, error = _tail(x)
    size, rest, margin = buffers(x.shape)[4:7]
    np.multiply(value, error, out=margin)
    np.subtract(1.0, targets, out=rest, dtype=np.float64)
    np.copyto(rest, targets, where=x < 0.0)
    rest *= np.abs(x, out=size)
    value += rest
    np.abs(rest, out=rest)
    rest *= 2.01 * _U
    margin += rest
    return _around(value, margin)


def _log1m(d: np.ndarray) -> Ends:
    """Return log(1 - exp(d)) for d < 0, and its error."""
    value = exp(np.maximum(d, -LIMIT, out=buffers(d.shape)[4]))
    value = log1p(np.negative(value, out=value))
    error = np.abs(value, out=buffers(d.shape)[6])
    error *= 1.45 * exp_error(LIMIT) + LOG1P
    near = np.flatnonzero(~(d < -_LOG2))
    if len(near):
        value[near] = np.log(-np.expm1(d[near]))
        error[near] = _LIBRARY * (np.abs(value[near]) + 1.01)
    return value, error


def log1mexp(x: np.ndarray) -> Ends:
    """Return log(1 - exp(x)) for x < 0."""
    return _around(*_log1m(x.astype(np.float64, copy=False)))


def logsubexp(a: np.ndarray, b: np.ndarray) -> Ends:
    """Return a + log(1 - exp(b - a))."""
    value, error = _log1m(np.subtract(b, a, out=buffers(a.shape)[5], dtype=np.float64))
    value += a
    error += 1.01 * _U  # the difference was rounded, which moves the logarithm by u
    return _around(value, error)
