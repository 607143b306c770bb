"""Fused elementwise kernels: sigmoid, its logarithm, softplus and logaddexp, with a bound that is known beforehand.

As `fast` for the narrow formats and, for the sigmoid, as `fused` for float64; what is left open goes down the ladder.
All of them take exp of a number that is at most 0, so that an argument beyond the limit may be cut to it where its
exponential is 0 in the format. Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import fast, fused
from pytest_lse.reference.fast import Narrow
from pytest_lse.reference.fused import Decided
from pytest_lse.reference.rounding import two_sum

#: elements of a block
BLOCK = 2**14
_U = 2.0**-53
#: relative error of log1p(exp(x)) besides that of exp: the library's logarithm is trusted to 4 u
_LOG1P = 4.0 * _U


def _cut(x: np.ndarray, limit: float) -> tuple[np.ndarray, float]:
    """Return -abs(x), but not below the limit, and an upper bound of its size."""
    size = np.abs(x)
    largest = float(size.max())
    if not largest <= limit:
        size = np.minimum(size, limit)
        largest = limit
    return np.negative(size, out=size), largest


def _sigmoid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # exp(-x) overflows in no double up to the limit; beyond it the sigmoid is 0 or 1 in every narrow format.
    size = fused.largest(x[None])
    if not size <= fast.LIMIT:
        x, size = np.clip(x, -fast.LIMIT, fast.LIMIT), fast.LIMIT
    value = fast.exp(-x)
    value += 1.0
    np.divide(1.0, value, out=value)
    return value, (fast.exp_error(size) + 4.0 * _U) * value


def _log_sigmoid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value, error = _softplus(-x)
    return -value, error


def _softplus(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Both terms are positive: the relative errors do not grow.
    gap, size = _cut(x, fast.LIMIT)
    value = np.log1p(fast.exp(gap))
    value += np.maximum(x, 0.0)
    return value, (fast.exp_error(size) + _LOG1P + 2.0 * _U) * value


def _logaddexp(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gap, size = _cut(a - b, fast.LIMIT)
    tail = np.log1p(fast.exp(gap))
    value = np.maximum(a, b) + tail
    # The difference was rounded, which moves its exponential by u size; what is beyond the limit is below exp(-LIMIT).
    error = (fast.exp_error(size) + _U * size + _LOG1P) * tail + (2.0 * _U) * np.abs(value)
    return value, error + 2.0**-170


Element = Callable[..., tuple[np.ndarray, np.ndarray]]
NARROW: dict[str, Element] = {
    "sigmoid": _sigmoid,
    "log_sigmoid": _log_sigmoid,
    "softplus": _softplus,
    "logaddexp": _logaddexp,
}


def narrow(name: str, arrays: tuple[np.ndarray, ...], target: Format, pairs: bool) -> Narrow:
    """Return an elementwise kernel in a narrow format."""
    result = Narrow(arrays[0].shape, pairs, target)
    for start in range(0, len(arrays[0]), BLOCK):
        place = slice(start, start + BLOCK)
        value, margin = NARROW[name](*(a[place] for a in arrays))
        margin *= 1.001
        result.between(start, value - margin, value + margin)
        if pairs:
            result.high[place] = value
    result.rounded += 0.0  # no negative zeros
    return result


def sigmoid(x: np.ndarray, target: Format, pairs: bool) -> Decided:
    """Return the sigmoid in float64: 1 / (1 + exp(-x)) in pairs."""
    result = Decided(x.shape, pairs, target)
    for start in range(0, len(x), BLOCK):
        block = x[start : start + BLOCK]
        size, far = fused.largest(block[None]), None
        if not size <= fused.LIMIT:
            far = block < -fused.LIMIT  # above it the exponential is too small to matter
            block, size = np.clip(block, -fused.LIMIT, fused.LIMIT), fused.LIMIT
        high, low = fused.exp_pair(-block)
        total, rest = two_sum(1.0, high)
        rest += low
        _, first, second = fused.reciprocal(total, rest)
        result.settle(start, first, second, (fused.exp_error(size) + fused.QUOTIENT) * first, far=far)
    return result


def first(name: str, arrays: tuple[np.ndarray, ...], target: Format, pairs: bool) -> Decided | None:
    """Return what can be decided quickly, or None if the kernel has no shortcut in the format."""
    if name not in NARROW or not len(arrays[0]):
        return None
    if target.precision < 53:
        return narrow(name, arrays, target, pairs)
    return sigmoid(arrays[0], target, pairs) if name == "sigmoid" else None
