"""How the arrays of a kernel hang together: from the roles in its file to shapes, caps and critical choices.

A kernel is one of these kinds:

``rows``      of free rank, working along an axis; further arrays have the shape of the first, or are one number
``elements``  elementwise, of free rank; the mean of the elements for some losses
``whole``     of fixed rank: [N, C] with labels, attention, sequences

Most kernels follow from the roles of their arguments. Those whose arrays constrain each other have a builder below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.dtypes import Format
from pytest_lse.regimes import Row
from pytest_lse.strategies import roles as roles_
from pytest_lse.strategies.roles import ROLES

Array = npt.NDArray[Any]
Builder = Callable[[Array, int, Format], tuple[Array, ...]]


@dataclass(frozen=True)
class Layout:
    """The shape of a kernel's calls.

    Attributes
    ----------
    roles : tuple of str
        The role of each argument.
    kind : {"rows", "elements", "whole"}
        See the module.
    cap : float
        The largest logit, as a share of the dtype's largest number.
    choices : int
        How many critical choices the arguments beside the first have.
    mean : bool
        Whether the result is a mean over everything, so that few elements should share a call.
    alone : bool
        Whether a single element is a row, so that its -inf is a row of -inf.
    batched : bool
        Whether several rows make sense in one call of a fixed-rank kernel.
    long : int
        The longest row that is tried; 0 for none.
    group : int
        How many rows of numbers one element takes: 2 for pairs.
    least : int
        The shortest row.
    width : int
        The length of every row, where a parameter fixes it; 0 for none.
    cumulative : bool
        Whether every prefix is a result.
    builder : callable, optional
        Makes all arguments, where roles alone do not.
    """

    roles: tuple[str, ...]
    kind: str
    cap: float
    choices: int
    mean: bool = False
    alone: bool = False
    batched: bool = False
    long: int = 1_000_000
    group: int = 1
    least: int = 0
    width: int = 0
    cumulative: bool = False
    builder: Builder | None = None

    def arrays(self, rows: Array, choice: int, fmt: Format, ignore: int | None = None) -> list[Array]:
        """Return the arguments of rows [B, n] under a choice, in float64, int64 or bool."""
        if self.builder is not None:
            return list(self.builder(rows, choice, fmt))
        first = _FIRST.get(self.roles[0], _same)(rows, choice, fmt)
        return [first, *(_companion(role, rows, choice, fmt, ignore) for role in self.roles[1:])]

    def points(self, row: Row) -> Sequence[Sequence[float]]:
        """Return what an elementwise kernel takes of a row: each value, or the first pair."""
        if self.group == 2:
            return (tuple(row[:2]),) if len(row) > 1 else ()
        return tuple((v,) for v in row)

    def limit(self, choice: int, fmt: Format) -> float:
        """Return the largest logit under a choice: x / T stays in range, and noise is not lost beside x."""
        top = self.cap * fmt.max
        if "temperature" in self.roles:
            top = min(top, fmt.max / 4 * float(roles_.temperature(np.zeros((1, 1)), choice, fmt)))
        if "uniform" in self.roles:
            top = min(top, 0.01 / fmt.eps)
        return top

    def fitted(self, row: Row) -> Row:
        """Return the row in the width that is fixed, if one is: cut, or begun anew."""
        return [row[i % len(row)] for i in range(self.width)] if self.width and len(row) else row

    def fits(self, row: Row, choice: int, fmt: Format) -> bool:
        """Whether a row keeps to the limit of a choice."""
        top = self.limit(choice, fmt)
        return all(not math.isfinite(v) or abs(v) <= top for v in row)


def _same(rows: Array, choice: int, fmt: Format) -> Array:
    del choice, fmt
    return rows


_FIRST: dict[str, Callable[[Array, int, Format], Array]] = {
    "probabilities": roles_.probabilities,
    "log_probabilities": roles_.log_probabilities,
}


def _companion(role: str, rows: Array, choice: int, fmt: Format, ignore: int | None) -> Array:
    if role == "labels" and ignore is not None:
        chosen = ROLES[role].make(rows, choice % 3, fmt)
        if choice == 3:
            return np.full_like(chosen, ignore)
        if choice > 3:
            return np.where((np.arange(len(chosen)) + choice) % 2 == 0, ignore, chosen)
        return chosen
    return ROLES[role].make(rows, choice, fmt)


def _pairs(rows: Array) -> tuple[Array, Array]:
    flat = rows.reshape(1, -1)
    return flat[:, 0::2], flat[:, 1::2]


def _ordered_pairs(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    del choice, fmt
    a, b = _pairs(rows)
    return np.where(a >= b, a, b) + 0.0, np.where(a >= b, b, a) + 0.0


def _any_pairs(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    del fmt
    a, b = _pairs(rows)
    return (b, a) if choice == 1 else (a, b)


def _negative(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    del choice
    # Subnormal input may be flushed to zero, where the answer is another.
    return (-np.maximum(np.abs(rows), fmt.tiny),)


def _values(count: int, width: int) -> Array:
    steps = np.arange(count)[:, None] % 7
    values = steps * np.array([1.0, -0.5, 0.25])[:width] + np.array([1.0, 0.0, -2.0])[:width]
    return np.asarray(values * 0.5)


def _attention(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
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


def _merge_attention(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
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


def _mixture(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
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


def _info_nce(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
    """A square matrix of similarities, each row a rotation of the first, or one that lies far below it."""
    row = rows[0]
    start = (int(np.argmax(row)), int(np.argmin(row)), 0)[choice] if choice < 3 else choice
    index = (np.arange(row.size)[None, :] - np.arange(row.size)[:, None] + start) % row.size
    apart = 2 * fmt.log_max if choice % 3 == 2 and np.max(np.abs(row), where=np.isfinite(row), initial=0) < 1e3 else 0
    return (row[index] - apart * np.arange(row.size)[:, None],)


def _hmm(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
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


def _ctc(rows: Array, choice: int, fmt: Format, blank: int = 0) -> tuple[Array, ...]:
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


_COMPOUND, _LOSS = 1 / 4, 1 / 16
_STEPS = 1 / 64  # where several of the kernel's own steps add up
_LONGEST = 1_000_000

_SPECIAL: dict[str, Layout] = {
    "logaddexp": Layout(("logits",) * 2, "elements", _COMPOUND, 2, group=2, least=2, long=0, builder=_any_pairs),
    "logsubexp": Layout(("logits",) * 2, "elements", _COMPOUND, 1, group=2, least=2, long=0, builder=_ordered_pairs),
    "log1mexp": Layout(("logits",), "elements", 1.0, 1, alone=True, long=0, builder=_negative),
    "attention": Layout(
        ("logits", "keys", "values", "mask"), "whole", _COMPOUND / 8, 6, long=4093, least=1, builder=_attention
    ),
    "merge_attention": Layout(
        ("values", "logits", "values", "logits"),
        "whole",
        _COMPOUND,
        3,
        batched=True,
        long=0,
        least=1,
        builder=_merge_attention,
    ),
    "mixture_log_prob": Layout(
        ("values", "logits", "values", "values"), "whole", _LOSS, 6, long=0, least=1, builder=_mixture
    ),
    "info_nce": Layout(("logits",), "whole", _STEPS, 3, mean=True, long=0, least=1, builder=_info_nce),
    "hmm_log_likelihood": Layout(
        ("log_probabilities", "log_probabilities", "logits"), "whole", _STEPS, 5, long=0, least=1, builder=_hmm
    ),
    "ctc_loss": Layout(("log_probabilities", "labels"), "whole", _STEPS, 4, long=0, least=1, builder=_ctc),
}

_LOSS_ROLES = {"labels", "targets", "hard_targets", "soft_labels"}


def from_roles(
    roles: Sequence[str],
    *,
    kind: str,
    mean: bool = False,
    entropy: bool = False,
    params: Mapping[str, Any] | None = None,
) -> Layout:
    """Return the layout that follows from the roles of the arguments.

    Raises
    ------
    ValueError
        A role that nobody knows.
    """
    for role in roles:
        if role not in ROLES and role not in _FIRST:
            raise ValueError(f"unknown role {role!r} of an argument: expected one of {', '.join(sorted(ROLES))}")
    rest = roles[1:]
    choices = max((ROLES[r].count for r in rest), default=1)
    if "labels" in roles:
        kind = "whole"
    if params and "ignore_index" in params and params["ignore_index"] is not None:
        choices += 2
    if not rest and not entropy:
        cap = 1.0
    elif entropy or _LOSS_ROLES & set(roles) or list(roles).count("logits") > 1:
        cap = _LOSS
    else:
        cap = _COMPOUND
    return Layout(
        tuple(roles),
        kind,
        cap,
        choices,
        mean=mean,
        alone=kind == "elements",
        batched=kind == "whole",
        long=_LONGEST if not rest and kind == "rows" and not entropy else 4093 if kind != "elements" else 0,
        least=1 if kind == "whole" else 0,
    )


def vectors(roles: Sequence[str]) -> Layout:
    """Return the layout of a user's formula: every array is a vector of one length, or one number."""
    made = from_roles(roles, kind="whole")

    def build(rows: Array, choice: int, fmt: Format) -> tuple[Array, ...]:
        return tuple(a[0] if a.ndim else a for a in replace(made, builder=None).arrays(rows, choice, fmt))

    # Nothing is known of the formula: leave its intermediate results the room that a loss has.
    return replace(made, cap=_LOSS, batched=False, long=0, builder=build)


# Prefix sums carry every rounding on: they are no place for long rows.
_CUMULATIVE, _LONGEST_PREFIX = ("logcumsumexp",), 1021

_ALIASES = {"gaussian": "values", "dist": "probabilities"}


@cache
def _named(name: str, ignore: bool) -> Layout:
    from pytest_lse.reference.specs import spec

    found = spec(name)
    if name in _SPECIAL:
        return _SPECIAL[name]
    roles = [_ALIASES.get(r, r) for r in found.args.values()]
    if name == "focal_loss":
        roles = ["hard_targets" if r == "targets" else r for r in roles]
    if found.layout == "rows":
        roles = ["soft_labels" if r == "targets" else r for r in roles]
        entropy = name.startswith("entropy")
        made = from_roles(roles, kind="whole" if found.mean else "rows", mean=found.mean, entropy=entropy)
        return replace(made, cumulative=True, long=_LONGEST_PREFIX) if name in _CUMULATIVE else made
    if found.layout == "whole":
        roles = ["soft_labels" if r == "targets" else r for r in roles]
        return from_roles(roles, kind="whole", mean=True, params={"ignore_index": 0} if ignore else None)
    return from_roles(roles, kind="elements", mean=found.mean)


def layout(kernel: str, params: Mapping[str, Any] | None = None) -> Layout:
    """Return the layout of a kernel of the table.

    Raises
    ------
    ValueError
        There is no such kernel; the message lists them.
    """
    params = params or {}
    found = _named(kernel, params.get("ignore_index") is not None)
    if kernel == "ctc_loss" and params.get("blank"):
        found = replace(found, builder=partial(_ctc, blank=params["blank"]))
    weight = params.get("weight")
    # A weight for each class fixes their number.
    return found if weight is None else replace(found, width=np.size(weight), long=0)
