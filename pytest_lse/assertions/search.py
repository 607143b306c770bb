"""The search after the catalogue: Hypothesis draws small integers, everything else is built from them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from pytest_lse import regimes
from pytest_lse.assertions.cases import Draft, usable
from pytest_lse.assertions.layouts import Layout
from pytest_lse.assertions.trial import Failure
from pytest_lse.dtypes import Format

# Not rows of a given length, or the same for every length.
_FIXED = {"single", "empty", "masked_row"}


def drafts(
    layout: Layout, fmt: Format, wanted: Sequence[str], ndim: Sequence[int], domain: str, *, few_shapes: bool
) -> st.SearchStrategy[Draft]:
    """Return a strategy for drafts that shrinks to one short benign row.

    Parameters
    ----------
    few_shapes : bool
        Keep to a handful of shapes, for frameworks that compile for each.
    """
    names = [n for n in wanted if n in regimes.BY_NAME and n not in _FIXED]
    if layout.alone and domain in ("finite", "masked"):
        names = [n for n in names if n != "masked"]
    top = layout.cap * fmt.max / (4 if layout.mean or layout.batched else 1)
    width = st.just(3) if few_shapes else st.integers(max(layout.least, 1), 6)
    height = _heights(layout, ndim, few_shapes)
    regime = st.sampled_from(names)
    place = st.integers(-32, 32)
    choice = st.integers(0, 31 if layout.choices > 1 else 0)
    # One draw for a whole row: two bytes a value, all zero for the simplest row. A list of integers costs many times.
    shapes = {n: st.binary(min_size=2 * n, max_size=2 * n) for n in range(1, 13)}

    @st.composite
    def build(draw: st.DrawFn) -> Draft:
        n = draw(width) * (layout.group if layout.kind == "elements" else 1)
        count = draw(height)
        chosen = draw(choice)
        most = min(top, layout.limit(chosen, fmt))
        rows, kinds = [], []
        for _ in range(max(count, 1)):
            kind = regimes.BY_NAME[draw(regime)]
            z = [v / 8192 for v in struct.unpack(f"<{n}h", draw(shapes[n]))]
            row = kind.place(fmt, draw(place) / 32, z)
            row = tuple(max(-most, min(most, v)) if math.isfinite(v) else v for v in row)
            kept = usable(layout, row, fmt, domain)
            rows.append(row if kept else tuple(0.0 if v == -math.inf else v for v in row))
            kinds.append(kind.name)
        flat = count == 0 or (layout.kind == "elements")
        return Draft(tuple(rows), tuple(kinds), chosen, min(ndim) if flat else max(ndim))

    return build()


def _heights(layout: Layout, ndim: Sequence[int], few_shapes: bool) -> st.SearchStrategy[int]:
    """Return how many rows: 0 is one row as a vector."""
    if layout.kind == "rows":
        least, most = (0 if 1 in ndim else 1), (3 if max(ndim) > 1 else 0)
        return st.just(most) if few_shapes else st.integers(least, most)
    if few_shapes:
        return st.just(4 if layout.batched else 1)
    return st.sampled_from([1, 2]) if layout.batched else st.just(1)


def search(
    strategy: st.SearchStrategy[Any],
    check: Callable[[Any], tuple[Failure | None, float]],
    *,
    key: str,
    max_examples: int,
    seed: int | None,
) -> Failure | None:
    """Look for a failing draft, and return the failure of the smallest one found.

    Parameters
    ----------
    check : callable
        Draft to its failure, and its error: it grows with the error in units of the tolerance.
    key : str
        What tells this search from others, in Hypothesis's database and in the derandomised choice.
    """
    found: list[Failure] = []

    class Found(Exception):  # noqa: N818
        pass

    def examine(draft: Any) -> None:
        failure, ratio = check(draft)
        if failure is not None:
            found.append(failure)
            raise Found
        hypothesis.event(f"regime={getattr(draft, 'regime', 'drawn')}")
        hypothesis.target(min(ratio, 1e3), label="error in units of the tolerance")

    examine._hypothesis_internal_add_digest = key.encode()  # type: ignore[attr-defined]
    test: Any = given(strategy)(examine)
    options: dict[str, Any] = {"derandomize": True, "database": None} if seed is None else {"derandomize": False}
    test = settings(
        max_examples=max_examples,
        deadline=None,
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        **options,
    )(test)
    if seed is not None:
        test = hypothesis.seed(seed)(test)
    try:
        test()
    except Found:
        return found[-1]
    except hypothesis.errors.Flaky:
        return found[-1]
    return None
