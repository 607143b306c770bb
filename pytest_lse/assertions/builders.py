"""The arguments of kernels whose arrays constrain each other, made from rows [B, n] and a critical choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.dtypes import Format
from pytest_lse.strategies import roles as roles_
from pytest_lse.strategies.roles import ROLES

Array = npt.NDArray[Any]
Builder = Callable[[Array, int, Format], tuple[Array, ...]]


def _pairs(rows: Array) -> tuple[Array, Array]:
    flat = rows.reshape(1, -1)
    return flat[:, 0::2], flat[:, 1::2]


def ordered_pairs(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Return pairs, the larger number first."""
    del choice, fmt
    a, b = _pairs(rows)
    return np.where(a >= b, a, b) + 0.0, np.where(a >= b, b, a) + 0.0


def any_pairs(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Return pairs in either order."""
    del fmt
    a, b = _pairs(rows)
    return (b, a) if choice == 1 else (a, b)


def negative(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Return the numbers below 0."""
    del choice
    # Subnormal input may be flushed to zero, where the answer is another.
    return (-np.maximum(np.abs(rows), fmt.tiny),)


def _values(count: int, width: int) -> Array:
    steps = np.arange(count)[:, None] % 7
    values = steps * np.array([1.0, -0.5, 0.25])[:width] + np.array([1.0, 0.0, -2.0])[:width]
    return np.asarray(values * 0.5)


def attention(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Scores q k^T that are the row: one query, or three that scale it; what is -inf there is masked out."""
    row = rows[0]
    d = 4 if choice % 2 else 1
    keys = np.where(np.isneginf(row), 0.0, row)
    k = np.zeros((row.size, d))
    k[:, 0] = keys * math.sqrt(d)
    factors = (1.0,) if choice < 3 else (1.0, 0.5, -1.0)
    q = np.zeros((len(factors), d))
    q[:, 0] = factors
    keep = np.broadcast_to(~np.isneginf(row), (len(factors), row.size)).copy()
    if choice > 1:
        picked = ROLES["mask"].make(np.broadcast_to(keys, keep.shape), choice, fmt)
        if choice == roles_.NONE_KEPT:
            picked[1:] = True
        keep &= picked
    v = _values(row.size, 2)
    return q, k, v * (100.0 if choice == 4 else 1.0), keep


def merge_attention(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Two blocks whose log-sum-exps are the first two values of each row; a block of nothing has output 0."""
    del fmt
    first, second = rows[:, 0], rows[:, min(1, rows.shape[1] - 1)]
    if choice % 2:
        first, second = second, first
    o1, o2 = _values(len(rows), 3), -2.0 * _values(len(rows), 3) + 1
    if choice == 2:
        o2 = o1.copy()
    return (
        np.where(np.isneginf(first)[:, None], 0.0, o1), first.copy(),
        np.where(np.isneginf(second)[:, None], 0.0, o2), second.copy(),
    )  # fmt: skip


def mixture(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Weights, distances in the tail, and widths in turn take the row's values."""
    row = rows[0]
    n = row.size
    ramp = np.arange(n) * 0.5 - 0.5
    if choice == 0:
        return np.array([0.0, 1.0]), row, ramp, np.zeros(n)
    far = np.sqrt(2 * np.minimum(np.abs(np.where(np.isfinite(row), row, 1.0)), fmt.max / 64))
    if choice == 1:
        return far * np.where(row < 0, -1.0, 1.0), np.zeros(2), np.array([-0.5, 0.5]), np.zeros(2)
    width = np.clip(np.where(np.isfinite(row), row, 0.0), -3.0, 3.0)
    if choice == 2:
        return np.array([0.25, -3.0]), np.zeros(n), ramp, width
    if choice == 3:
        # The lighter a component, the nearer: all of them count, however small the weights.
        above = np.clip(
            np.where(np.isfinite(row), row - np.min(row, where=np.isfinite(row), initial=np.inf), 0), 0, 2e4
        )
        return np.array([0.0]), np.where(np.isfinite(row), above, row), np.sqrt(2 * above), np.zeros(n)
    if choice == 4:
        # Far from the origin and near each other: x - mu is small where x**2 and mu**2 are not.
        apart = min(1e4, 0.01 / fmt.eps)
        return np.array([apart + 0.25, apart - 2.0]), np.zeros(n), apart + ramp, width / 2
    if choice == 5:
        # At the means of narrow and wide components. Narrower ones would ask more than libraries promise: their
        # sigma**2 is flushed to zero where a clumsy 1 / sigma**2 overflows.
        widths = np.where(np.arange(n) % 2 == n % 2, -fmt.log_max / 4, fmt.log_max / 4)
        return np.array([0.5]), np.where(np.isfinite(row), 0.0, row), np.full(n, 0.5), widths
    return far[:1] + 0.5, np.where(np.isfinite(row), 0.0, row), ramp * (choice % 5), width / 2


def info_nce(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """A square matrix of similarities, each row a rotation of the first, or one that lies far below it."""
    row = rows[0]
    start = (int(np.argmax(row)), int(np.argmin(row)), 0)[choice] if choice < 3 else choice
    index = (np.arange(row.size)[None, :] - np.arange(row.size)[:, None] + start) % row.size
    apart = 2 * fmt.log_max if choice % 3 == 2 and np.max(np.abs(row), where=np.isfinite(row), initial=0) < 1e3 else 0
    return (row[index] - apart * np.arange(row.size)[:, None],)


def hmm(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """Emissions are the row; transitions and start are ordinary, sticky, partly or all but impossible."""
    row = rows[0]
    states = row.size
    start = roles_.log_probabilities(np.arange(states)[None, :] * 0.5)[0]
    if choice == 1:
        start = np.where(np.arange(states) == 0, 0.0, -np.inf)
    scores = np.abs(np.subtract.outer(np.arange(states), np.arange(states))) * -(5.0 if choice == 2 else 0.5)
    if choice == 1:
        scores = np.where(np.triu(np.ones((states, states))) > 0, scores, -np.inf)
    times = (3, 2, 1, 4, 3)[choice] if choice < 5 else choice % 5 + 1
    if choice == 3:
        times = 24 if np.all(np.abs(row[np.isfinite(row)]) < 100) and states < 4 else 3
    emit = np.stack([np.roll(row, t) for t in range(times)])
    if choice == 4:
        # Each emission allows one state, and no transition between those is likely.
        far = 2 * fmt.log_max
        scores = np.where(np.eye(states) > 0, 0.0, -far)
        emit = emit - 4 * far * (np.arange(times)[:, None] % states != np.arange(states)[None, :])
    return start, roles_.log_probabilities(scores), emit


def ctc(rows: Array, choice: int, fmt: Format, blank: int = 0) -> tuple[Array, ...]:
    """Each step's distribution is the row or a rotation of it; labels fit, repeat, or cannot fit."""
    del fmt
    row = rows[0] if rows.shape[1] > 1 else np.array([0.0, rows[0, 0]])
    row = row[np.arange(max(row.size, blank + 1)) % row.size]
    classes = row.size
    times = (3, 5, 2, 4)[choice] if choice < 4 else choice % 6 + 1
    labels = {
        0: [1], 1: [1, 1], 2: [1, 1, 1], 3: [classes - 1, 1],
    }.get(choice, [1 + (i * choice) % (classes - 1) for i in range(choice % 3)])  # fmt: skip
    if choice == 3 and np.all(np.isfinite(row)) and np.ptp(row) < 20:
        times, labels = 24, [1 + i % (classes - 1) for i in range(5)]
    steps = roles_.log_probabilities(np.stack([np.roll(row, t) for t in range(times)]))
    # Labels are made for a blank of 0, which changes places with the actual one.
    return steps, np.array([0 if label == blank else label for label in labels], dtype=np.int64)
