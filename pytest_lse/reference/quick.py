"""The first level of the truth: float64 with a running error bound, and one bound for the log-sum-exp of a row.

`Running` bounds a log-sum-exp operation by operation, some fifteen of them. Here it is one: with the differences d to
the maximum, their exponentials e and the sum s of those, its rounding error is at most

    u (sum(e |d|) / s + (c + n) rest / s + (c + 1) (log(ties) + log1p(rest / ties)) + |result|),

where ``ties`` counts the maxima and ``rest`` is the sum of the other exponentials; and since its derivatives are
weights, an error of the arguments moves it by no more than their weighted mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_lse.reference.arrays import Array, Operand, Part
from pytest_lse.reference.running import SMALL, SMALLEST, Running, share_ends


@dataclass(frozen=True)
class _Row:
    """A row, its differences to the maximum, and the logarithm of the sum of their exponentials."""

    top: np.ndarray
    below: np.ndarray
    small: np.ndarray
    total: np.ndarray
    log_total: np.ndarray
    relative: np.ndarray
    """Relative error of the total by rounding, without the unit."""
    rounding: np.ndarray
    """Error of the logarithm by rounding."""
    moved: Part
    """Error that the errors of the elements make."""
    error: Part


class Quick(Running):
    """Arrays of (value, absolute error bound) that prove what they say, or have an infinite bound."""

    def __init__(self) -> None:
        super().__init__(trusted=False)

    def _row(self, x: Array) -> _Row:
        """Work out rows along the last axis."""
        value, error = x.parts
        u, c, n = self.model.u, self.model.c, value.shape[-1]
        top = value.max(axis=-1, keepdims=True)
        first = value == top
        below = np.where(first, 0.0, value - top)
        small = np.exp(below)
        ties = first.sum(axis=-1, keepdims=True).astype(np.float64)
        rest = np.where(first, 0.0, small).sum(axis=-1, keepdims=True)
        total = ties + rest
        steps = np.where(small > 0.0, small * -below, 0.0).sum(axis=-1, keepdims=True) / total
        log_ties, log_rest = np.log(ties), np.log1p(rest / ties)
        relative = 1.02 * (steps + (c + n) * rest / total)
        rounding = u * (relative + (c + 2.0) * (log_ties + log_rest)) + n * SMALLEST
        moved = None
        if error is not None:
            most = error.max(axis=-1, keepdims=True)
            mean = 1.02 * (small * error).sum(axis=-1, keepdims=True) / total
            moved = np.where(most <= SMALL, mean, most)
        return _Row(top, below, small, total, log_ties + log_rest, relative, rounding, moved, error)

    def logsumexp(
        self, x: Operand, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False
    ) -> Array:
        x = self.asarray(x)
        moved, axes = self._last(x, axis if dim is None else dim)
        if not moved.shape[-1]:
            return super().logsumexp(x, axis, keepdims, dim, keepdim)
        row = self._row(moved)
        value = np.where(np.isinf(row.top), row.top, row.top + row.log_total)
        error = row.rounding + self._rounding(value)
        if row.moved is not None:
            error = error + row.moved
        result = self._result(value[..., 0], error[..., 0], row.top[..., 0])
        if keepdims or keepdim:
            return self.reshape(result, tuple(1 if a in axes else s for a, s in enumerate(x.shape)))
        return result

    def log_softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        x, axis = self.asarray(x), axis if dim is None else dim
        if axis % x.ndim != x.ndim - 1 or not x.shape[-1]:
            return super().log_softmax(x, axis)
        row = self._row(x)
        value = np.where(np.isfinite(row.top), row.below - row.log_total, np.nan)
        error = row.rounding + self._rounding(row.below) + self._rounding(value)
        if row.moved is not None and row.error is not None:
            error = error + row.moved + row.error
        return self._result(value, error, np.where(np.isneginf(row.below), np.inf, value))

    def softmax(self, x: Operand, axis: int = -1, dim: Any = None) -> Array:
        x, axis = self.asarray(x), axis if dim is None else dim
        if axis % x.ndim != x.ndim - 1 or not x.shape[-1]:
            return super().softmax(x, axis)
        row = self._row(x)
        value = np.where(np.isfinite(row.top), row.small / row.total, np.nan)
        u = self.model.u
        factor = u * (row.relative + self.model.c + 3.0 + np.where(value > 0.0, -row.below, 0.0))
        if row.moved is not None and row.error is not None:
            factor = factor + 1.01 * np.expm1(np.minimum(row.moved + row.error, 700.0))
        error = self._underflow(value, value * factor * 1.01, np.isneginf(row.below))
        if row.error is not None:
            # Large errors say little of their exponentials, and nothing against a maximum without a rival.
            error = np.fmin(error, self._apart(x.parts[0], row, value))
        return self._result(value, error, value)

    def _apart(self, x: np.ndarray, row: _Row, value: np.ndarray) -> np.ndarray:
        """Return the error of a softmax from both of its ends."""
        u, n = self.model.u, x.shape[-1]
        off = np.asarray(row.error) * (1.0 + 8.0 * u) + 4.0 * u * np.where(np.isfinite(x), np.abs(x), 0.0)
        most, least = share_ends(x, row.top, off, 4.0 * u * (np.abs(row.below) + off))
        rounding = 4.0 * u * (n + self.model.c + 1.0) * np.fmax(most, value) + n * SMALLEST
        return np.asarray(np.fmax(most - value, value - least) + rounding)
