"""Applies edits to a text: what `--fix` has to produce, without LibCST."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from pytest_lse.lint.finding import Edit
from pytest_lse.lint.positions import Positions


def spans(positions: Positions, edits: Iterable[Edit]) -> list[tuple[int, int, str]]:
    """Return the distinct edits as (start, end, content) in indices of the text, in the order of the text."""
    found = {(positions.offset(e.location), positions.offset(e.end_location), e.content) for e in edits}
    return sorted(found)


def overlap(ordered: list[tuple[int, int, str]]) -> bool:
    """Say whether two of the spans, in the order of the text, share a character or a place of insertion."""
    return any(b[0] < a[1] or a[:2] == b[:2] for a, b in pairwise(ordered))


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits applied; equal edits count once.

    Raises
    ------
    ValueError
        Two edits overlap.
    """
    ordered = spans(Positions(text), edits)
    if overlap(ordered):
        raise ValueError("edits overlap")
    parts, done = [], 0
    for start, end, content in ordered:
        parts += [text[done:start], content]
        done = end
    return "".join([*parts, text[done:]])
