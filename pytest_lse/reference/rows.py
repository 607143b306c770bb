"""Kernels of rows for the narrow formats: float64, with a bound that is known beforehand.

Every kernel takes rows, and returns lower and upper ends of its values. Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pytest_lse.reference.pairs import buffers
from pytest_lse.reference.singles import LIMIT, Block, exp_error

Ends = tuple[np.ndarray, np.ndarray]

_U = 2.0**-53
#: the largest logarithm of a length
_LENGTH = 11.1


def _log_total(block: Block) -> tuple[np.ndarray, float]:
    """Return the logarithms of the sums of the exponentials of rows, and their error."""
    total = np.einsum("ij->i", block.exp())
    return np.log(total), _log_error(block)


def _log_error(block: Block) -> float:
    # The logarithm of the library is trusted to 4 u; log(1 + e) <= 1.001 e.
    n: int = block.x.shape[1]
    return 1.001 * (exp_error(block.size) + n * _U + 4.0 * _U * (block.size + _LENGTH))


def _around(value: np.ndarray, error: Any) -> Ends:
    """Return the ends of values that were rounded once more than the error says."""
    margin = 1.001 * (error + 2.0 * _U * np.abs(value))
    return value - margin, value + margin


def logsumexp(x: np.ndarray) -> Ends:
    """Return the logarithms of the sums of the exponentials of rows."""
    block = Block(x)
    value, error = _log_total(block)
    return _around(value if block.top is None else block.top[:, 0] + value, error)


def logmeanexp(x: np.ndarray) -> Ends:
    """Return the logarithms of the means of the exponentials of rows."""
    block = Block(x)
    value, error = _log_total(block)
    length = math.log(x.shape[1])
    value -= length
    error += _U * (block.size + 3.0 * _LENGTH)
    return _around(value if block.top is None else block.top[:, 0] + value, error)


def cross_entropy(x: np.ndarray, labels: np.ndarray) -> Ends:
    """Return the log-sum-exp of rows less the logits at their labels; nan where the label is none."""
    block = Block(x)
    value, error = _log_total(block)
    known = (labels >= 0) & (labels < x.shape[1])
    logit = block.x[np.arange(len(x)), np.where(known, labels, 0)].astype(np.float64)
    logit[~known] = np.nan
    value -= logit
    return _around(value, error + _U * np.abs(logit))


def log_softmax(x: np.ndarray) -> Ends:
    """Return the differences of rows to their log-sum-exp."""
    block = Block(x)
    lower, *_, value = buffers(x.shape)[:5]
    np.copyto(value, block.x)
    block.x = value  # converted once
    log, error = _log_total(block)
    if block.top is None:
        # The sum with the margin is rounded, and so are both ends.
        margin = 1.001 * (error + 3.0 * _U * (LIMIT + _LENGTH))
        np.copyto(lower, (log + margin)[:, None])
        np.subtract(value, lower, out=lower)
        return lower, np.add(lower, 2.001 * margin, out=value)
    below = value.copy()
    value -= log[:, None]
    # Two roundings; a masked element is exactly -inf.
    margins = 1.001 * (error + _U * np.abs(below) + 2.0 * _U * np.abs(value))
    margins[np.isinf(below)] = 0.0
    np.subtract(value, margins, out=lower)
    value += margins
    return lower, value


def softmax(x: np.ndarray) -> Ends:
    """Return the exponentials of rows over their sums."""
    block = Block(x)
    error = 1.001 * (2.0 * exp_error(block.size) + (x.shape[1] + 8.0) * _U)
    small = block.exp()
    inverse = (1.0 - error) / np.einsum("ij->i", small)
    lower = np.multiply(small, inverse[:, None], out=small)
    upper = buffers(x.shape)[1]
    return lower, np.multiply(lower, 1.0 + 2.001 * error, out=upper)


def logcumsumexp(x: np.ndarray) -> Ends:
    """Return the logarithms of the running sums of the exponentials of rows."""
    block = Block(x)
    total = np.cumsum(block.exp(), axis=1)
    value = np.log(total)
    if block.top is None:
        return _around(value, _log_error(block))
    # What counts as 0 is nothing beside a sum that is far above it.
    value[(total < math.exp(-LIMIT / 2)) & ~np.logical_and.accumulate(x == -np.inf, axis=1)] = np.nan
    value += block.top
    lower, upper = _around(value, _log_error(block) + _U * np.abs(block.top))
    masked = value == -np.inf
    lower[masked] = upper[masked] = -np.inf
    return lower, upper
