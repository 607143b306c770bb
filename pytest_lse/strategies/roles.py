"""What the arrays of a kernel look like beside its logits: one function per role, a choice being a small number.

A role's function gets the logits as float64 rows [B, n] and a choice. The first ``count`` choices are the critical
ones (the label at the maximum, at the minimum, ...), which a catalogue goes through; any further number stands for some
arbitrary arrangement, for a search. Everything is deterministic, so that a draw of small integers shrinks well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.dtypes import Format

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Role:
    """How to make an argument.

    Parameters
    ----------
    make : callable
        (rows, choice, format) to the array, in float64, int64 or bool.
    count : int
        How many critical choices there are.
    scalar : bool
        Whether it is one number for all rows.
    """

    make: Callable[[Array, int, Format], Array]
    count: int
    scalar: bool = False


NONE_KEPT = 5
"""The choice of a mask that keeps nothing."""


def _bits(shape: tuple[int, ...], choice: int) -> Array:
    """Return arbitrary but fixed 0/1 values."""
    return (np.arange(int(np.prod(shape))).reshape(shape) * 2654435761 + choice * 40503 >> 7) & 1


def _order(rows: Array) -> Array:
    return np.argsort(np.where(np.isnan(rows), -np.inf, rows), axis=-1, kind="stable")


def labels(rows: Array, choice: int, fmt: Format) -> Array:
    """At the maximum, at the minimum (a masked class if there is one), in the middle."""
    del fmt
    order = _order(rows)
    n = rows.shape[-1]
    if choice < 3:
        return np.asarray(order[:, (n - 1, 0, n // 2)[choice]])
    return np.asarray((np.arange(len(rows)) * 7 + choice) % n)


def mask(rows: Array, choice: int, fmt: Format) -> Array:
    """Keep all, drop the maximum, keep only the minimum, drop the first, drop the last, none, none in the first row."""
    del fmt
    order, n = _order(rows), rows.shape[-1]
    keep = np.ones(rows.shape, bool)
    if choice == 1 and n > 1:
        np.put_along_axis(keep, order[:, -1:], False, -1)
    elif choice == 2:
        keep[:] = False
        np.put_along_axis(keep, order[:, :1], True, -1)
    elif choice == 3 and n > 1:
        keep[:, 0] = False
    elif choice == 4 and n > 1:
        keep[:, -1] = False
    elif choice == NONE_KEPT:
        keep[:] = False
    elif choice == 6:
        keep[0] = False
    elif choice > 6:
        keep = _bits(rows.shape, choice).astype(bool)
        np.put_along_axis(keep, order[:, :1], True, -1)
    return keep


def targets(rows: Array, choice: int, fmt: Format) -> Array:
    """Zero, one, soft, nearly zero, nearly one, alternating, per element."""
    index = np.arange(rows.size).reshape(rows.shape)
    if choice < 5:
        return np.full(rows.shape, (0.0, 1.0, 0.25, fmt.eps, 1 - fmt.eps)[choice])
    if choice == 5:
        return (index % 2).astype(float)
    return (index * 5 + choice) % 9 / 8.0


def hard_targets(rows: Array, choice: int, fmt: Format) -> Array:
    """Zero, one, alternating."""
    del fmt
    if choice < 2:
        return np.full(rows.shape, float(choice))
    return (np.arange(rows.size).reshape(rows.shape) + choice) % 2 * 1.0


def soft_labels(rows: Array, choice: int, fmt: Format) -> Array:
    """One-hot at the maximum, uniform over the finite logits, at the minimum, smoothed, soft, nearly one-hot."""
    order, n = _order(rows), rows.shape[-1]
    finite = np.isfinite(rows)
    finite = np.where(finite.any(-1, keepdims=True), finite, True)
    uniform = finite / finite.sum(-1, keepdims=True)
    hot = np.zeros(rows.shape)
    np.put_along_axis(hot, order[:, :1] if choice == 2 else order[:, -1:], 1.0, -1)
    if choice in (0, 2):
        return hot
    if choice == 1:
        return np.asarray(uniform)
    if choice == 3:
        return np.asarray(0.875 * hot + 0.125 * uniform)
    if choice == 5:
        # A small weight counts where its logit is far below the others.
        least = np.zeros(rows.shape)
        np.put_along_axis(least, order[:, :1], 1.0, -1)
        small = max(2.0**-12, fmt.eps)
        return np.asarray((1.0 - small) * hot + small * least)
    weight = finite * ((np.arange(n) * 3 + choice) % 4 + (np.arange(n) == 0))
    weight = np.where(weight.sum(-1, keepdims=True) > 0, weight, finite)
    return np.asarray(weight / weight.sum(-1, keepdims=True))


def other_logits(rows: Array, choice: int, fmt: Format) -> Array:
    """The same, the same shifted, reversed, a ramp, negated."""
    ramp = np.broadcast_to(np.arange(rows.shape[-1]) * 0.5, rows.shape)
    if choice == 0:
        return rows.copy()
    if choice == 1:
        return np.where(np.isinf(rows), rows, rows + np.where(np.abs(rows) < fmt.max / 64, 2.0, 0.0))
    if choice == 2:
        return rows[:, ::-1].copy()
    if choice == 3:
        return ramp.copy()
    if choice == 4:
        return np.where(np.isinf(rows), rows, -rows)
    return ramp[:, ::-1] * (choice % 7 - 3)


def uniform(rows: Array, choice: int, fmt: Format) -> Array:
    """One half, a ramp, near one, near zero."""
    # The same in every row, so that a row alone has the noise that it has among others.
    index = np.broadcast_to(np.arange(rows.shape[-1]), rows.shape)
    if choice == 0:
        return np.full(rows.shape, 0.5)
    if choice == 2:
        return np.where(index % 2 == 0, 1 - fmt.eps / 2, 0.25)
    if choice == 3:
        return np.where(index % 2 == 0, fmt.tiny, 0.75)
    return (index * 5 + choice) % 15 / 16 + 1 / 32


TEMPERATURES = (1.0, 0.5, 2.0, 0.0078125, 100.0, 0.1)


def temperature(rows: Array, choice: int, fmt: Format) -> Array:
    """One, then sharper and softer ones to the extremes."""
    del rows, fmt
    return np.array(TEMPERATURES[choice] if choice < len(TEMPERATURES) else 0.25 * (choice % 16 + 1))


def probabilities(rows: Array, choice: int = 0, fmt: Format | None = None) -> Array:
    """Turn rows of logits into the distributions that they stand for; a row of nothing is uniform.

    Nothing is subnormal in a format whose subnormal input may be flushed to zero, where the logarithm is another.
    """
    del choice
    top = np.max(rows, axis=-1, keepdims=True, initial=-np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = np.where(np.isneginf(top), 0.0, rows - np.where(np.isfinite(top), top, 0.0))
        weight = np.exp(shifted)
        values = np.asarray(weight / weight.sum(-1, keepdims=True))
    if fmt is None or fmt.name == "float16":
        return values
    return np.where(values < fmt.tiny, 0.0, values)


def log_probabilities(rows: Array, choice: int = 0, fmt: Format | None = None) -> Array:
    """Normalise rows of logits; a row of -inf stays one."""
    del choice, fmt
    top = np.max(rows, axis=-1, keepdims=True, initial=-np.inf)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        shifted = rows - np.where(np.isfinite(top), top, 0.0)
        return shifted - np.where(np.isneginf(top), 0.0, np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def other_probabilities(rows: Array, choice: int, fmt: Format) -> Array:
    """Distributions made from `other_logits`."""
    return probabilities(other_logits(rows, choice, fmt), 0, fmt)


ROLES: dict[str, Role] = {
    "labels": Role(labels, 3),
    "mask": Role(mask, 7),
    "targets": Role(targets, 6),
    "hard_targets": Role(hard_targets, 3),
    "soft_labels": Role(soft_labels, 6),
    "logits": Role(other_logits, 5),
    "probabilities": Role(other_probabilities, 5),
    "uniform": Role(uniform, 4),
    "temperature": Role(temperature, 6, scalar=True),
}
