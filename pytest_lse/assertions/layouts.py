"""How the arrays of a kernel hang together: from the roles in its file to shapes, caps and critical choices.

A kernel is one of these kinds:

``rows``      of free rank, working along an axis; further arrays have the shape of the first, or are one number
``elements``  elementwise, of free rank; the mean of the elements for some losses
``whole``     of fixed rank: [N, C] with labels, attention, sequences

Most kernels follow from the roles of their arguments. Those whose arrays constrain each other have one of `builders`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.assertions import builders
from pytest_lse.dtypes import Format
from pytest_lse.regimes import Row
from pytest_lse.strategies import roles as roles_
from pytest_lse.strategies.roles import ROLES

Array = npt.NDArray[Any]


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
    builder: builders.Builder | None = None

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


_COMPOUND, _LOSS = 1 / 4, 1 / 16
_STEPS = 1 / 64  # where several of the kernel's own steps add up
_LONGEST = 1_000_000

_SPECIAL: dict[str, Layout] = {
    "logaddexp": Layout(
        ("logits",) * 2, "elements", _COMPOUND, 2, group=2, least=2, long=0, builder=builders.any_pairs
    ),
    "logsubexp": Layout(
        ("logits",) * 2, "elements", _COMPOUND, 1, group=2, least=2, long=0, builder=builders.ordered_pairs
    ),
    "log1mexp": Layout(("logits",), "elements", 1.0, 1, alone=True, long=0, builder=builders.negative),
    "attention": Layout(
        ("logits", "keys", "values", "mask"), "whole", _COMPOUND / 8, 6, long=4093, least=1, builder=builders.attention
    ),
    "merge_attention": Layout(
        ("values", "logits", "values", "logits"),
        "whole",
        _COMPOUND,
        3,
        batched=True,
        long=0,
        least=1,
        builder=builders.merge_attention,
    ),
    "mixture_log_prob": Layout(
        ("values", "logits", "values", "values"), "whole", _LOSS, 6, long=0, least=1, builder=builders.mixture
    ),
    "info_nce": Layout(("logits",), "whole", _STEPS, 3, mean=True, long=0, least=1, builder=builders.info_nce),
    "hmm_log_likelihood": Layout(
        ("log_probabilities", "log_probabilities", "logits"), "whole", _STEPS, 5, long=0, least=1, builder=builders.hmm
    ),
    "ctc_loss": Layout(("log_probabilities", "labels"), "whole", _STEPS, 4, long=0, least=1, builder=builders.ctc),
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
        found = replace(found, builder=partial(builders.ctc, blank=params["blank"]))
    weight = params.get("weight")
    # A weight for each class fixes their number.
    return found if weight is None else replace(found, width=np.size(weight), long=0)
