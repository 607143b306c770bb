"""Special values: what is required, what is left open, and what is accepted either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pytest_lse.reference.layout import Problem


@dataclass(frozen=True)
class Note:
    """Which elements of an output are judged, and further answers that pass."""

    required: np.ndarray
    alternatives: tuple[np.ndarray, ...] = ()


def of_values(problem: Problem, values: Sequence[Any]) -> list[Note]:
    """Return the note of each output."""
    return [Note(np.ones(v.high.shape, dtype=bool)) for v in values]


def of_gradient(problem: Problem, value: Any) -> Note:
    """Return the note of the gradient."""
    return Note(np.ones(value.high.shape, dtype=bool))
