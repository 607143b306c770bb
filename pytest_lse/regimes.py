"""Where floating point goes wrong: one row per input regime, in units of the dtype's own limits.

A regime says twice what its rows look like: as a few minimal rows, which are always tried first, and as a placement
of arbitrary shape numbers, from which a search builds and shrinks further rows. Adding a regime is adding a row of
`REGIMES`. Everything is plain floats: arrays and frameworks come later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_lse.dtypes import Format

INF = math.inf
NAN = math.nan

DOMAINS = ("finite", "masked", "log_space", "extended")
"""What a function promises about its logits, each value including the ones before it."""

CLAIMS = ("int", "empty", "nan")
"""What is tested only when it is promised."""


@dataclass(frozen=True)
class Long:
    """A row too long to write out: a few values, the same value over and over, a few values at the end."""

    head: tuple[float, ...]
    fill: float
    length: int
    tail: tuple[float, ...] = ()


Row = Sequence[float]
Rows = Iterable[Row]


@dataclass(frozen=True)
class Regime:
    """One kind of row.

    Parameters
    ----------
    name, about : str
        What it is called, and what it is, in the words of the failure message.
    rows : callable
        A format to minimal rows, the simplest first.
    place : callable
        (format, t, z) to a row of ``len(z)`` values, where t in [-1, 1] says where in the regime and z, values in
        [-4, 4], the shape of the row. ``t = 0`` and ``z = 0`` give its simplest row, so that a search shrinks there.
    domain, claim : str
        What a function has to promise before the regime is tried.
    """

    name: str
    about: str
    rows: Callable[[Format], Rows]
    place: Callable[[Format, float, Row], Row]
    domain: str = "finite"
    claim: str | None = None


def gaps(fmt: Format) -> list[float]:
    """Distances from the maximum at which a term changes its nature: below eps, subnormal, zero."""
    return [-fmt.log_eps, fmt.log_max, -fmt.log_tiny, -fmt.log_smallest_subnormal]


def offsets(fmt: Format) -> list[float]:
    """Common offsets that still leave a dtype some digits: 1e4 to 1e15 in float64."""
    top = 0.25 / fmt.eps
    return [10.0**k for k in range(2, 16) if 10.0**k <= top] or [top]


def _pick(values: Sequence[float], t: float) -> float:
    return values[min(int(abs(t) * len(values)), len(values) - 1)]


def _signed(value: float, t: float) -> float:
    return math.copysign(value, t) if t else value


def _shift(offset: float, z: Row, scale: float = 1.0) -> Row:
    return [offset + scale * v for v in z]


def _far(fmt: Format, t: float) -> float:
    """From just above log(max) to max / 4, evenly in the logarithm."""
    return float(1.5 * fmt.log_max * (fmt.max / (8 * fmt.log_max)) ** abs(t))


def _edge_rows(fmt: Format) -> Rows:
    top = fmt.log_max
    near = top * (1 - 4 * fmt.eps)
    for value in (top + 1, near, top - 0.25):
        yield from ([value, value], [value, 0.0], [-value, 0.0], [-value, -value - 1], [value - 2, value, value - 1])
    # Each exponential fits, their sum does not.
    yield [top - 1] * 4


def _far_overflow_rows(fmt: Format) -> Rows:
    yield from ([1000.0, 1000.0], [1000.0, 1001.0, 1002.0], [2 * fmt.log_max, 0.0], [1000.0, 5.0, 10.0, 0.001])
    yield from ([10 * fmt.log_max, 9 * fmt.log_max], [fmt.max / 32, fmt.max / 64], [fmt.max / 5, 0.0])
    yield from ([fmt.max, 0.0], [fmt.max, fmt.max], [0.5 * fmt.max, fmt.max], [0.75 * fmt.max, 0.0])


def _far_below_rows(fmt: Format) -> Rows:
    yield from ([-1000.0, -1000.0], [-1000.0, -1001.0, -1002.0], [-2 * fmt.log_max] * 2, [-1000.0, -1000.5])
    yield from ([-10 * fmt.log_max, -9 * fmt.log_max], [-fmt.max / 32, -fmt.max / 64], [-fmt.max / 5, -fmt.max / 5])
    yield from ([-fmt.max, -fmt.max], [-fmt.max, -0.5 * fmt.max], [-0.75 * fmt.max, -0.75 * fmt.max])


def _underflow_rows(fmt: Format) -> Rows:
    for value in (
        fmt.log_tiny,
        fmt.log_smallest_subnormal,
        0.5 * (fmt.log_tiny + fmt.log_smallest_subnormal),
        0.5 * fmt.log_tiny,
    ):
        yield from ([value, value], [value - 2, value + 2], [value, value - 1, value + 1])


def _offset_rows(fmt: Format) -> Rows:
    for offset in offsets(fmt):
        yield from ([offset, offset], [offset, offset + 1, offset + 2], [-offset, 1 - offset], [offset + 3, offset])
    if offsets(fmt)[-1] < 1e4:
        yield from ([1e4, 1e4], [-1e4, -1e4])


def _spread_rows(fmt: Format) -> Rows:
    yield from ([-1000.0, 1000.0], [-1000.0, 1000.0, -1000.0, 5.0, 10.0, 0.001], [0.0, 1000.0], [0.0, -1000.0])
    yield from ([1000.0, 1000.0, -1000.0], [-1000.0, 1000.0, 999.0])
    yield from ([fmt.log_max, -fmt.log_max], [0.5 * fmt.log_tiny, 0.5 * fmt.log_max, 1.0], [-30.0, 30.0, 0.0])
    # An ordinary number whose digits a far one takes away.
    yield from ([0.3, -0.1 / fmt.eps], [0.3, -fmt.max / 32])
    yield from ([fmt.max / 32, -fmt.max / 32], [fmt.max / 5, -fmt.max / 5], [fmt.max, -fmt.max], [0.0, -fmt.max])


def _tie_rows(fmt: Format) -> Rows:
    for value in (0.0, 1.0, -3.0, 0.5 * fmt.log_max, 1.5 * fmt.log_max, -1.5 * fmt.log_max):
        yield from ([value, value], [value] * 3, [value, value - 1, value], [value - 1, value, value])
    yield [0.0] * 16


def _steps(fmt: Format) -> list[float]:
    """Differences from ordinary ones down to the last digit, one for each power of ten."""
    return [0.3 * 10.0**-k for k in range(1, 16) if 10.0**-k >= fmt.eps]


def _dominant_rows(fmt: Format) -> Rows:
    for gap in (2.0, 8.0, 11.0, 17.0, 21.0, 26.0, 37.0, 88.0, 104.0, 709.0, 745.0, *gaps(fmt)):
        yield from ([0.0, -gap], [-gap, 0.0], [gap, 0.0], [0.0, gap], [0.0, 0.7 - gap, 0.3 - gap])
    near = 0.8 * fmt.log_eps
    yield [0.0, *([near] * 15)]


def _near_zero_rows(fmt: Format) -> Rows:
    del fmt
    half = math.log(0.5)
    yield from ([half, half], [math.log(0.25), math.log(0.75)], [math.log(1e-3), math.log1p(-1e-3)])
    yield from ([math.log(1 / 3)] * 3, [math.log(0.2), math.log(0.3), half], [-1e-3, -7.0], [1e-3, -7.0])


def _log_probability(z: Row) -> Row:
    top = max(z)
    total = top + math.log(math.fsum(math.exp(v - top) for v in z))
    return [v - total for v in z]


def _mask_rows(fmt: Format) -> Rows:
    yield from ([-INF, 0.0], [0.0, -INF], [1.0, -INF, 2.0], [-INF, -INF, 1.0], [3.0, -INF, -INF], [-INF, 1.0, 2.0])
    yield from ([-INF, 1000.0, 1001.0], [-1000.0, -INF], [-INF, -1000.0, -1001.0], [2 * fmt.log_max, -INF, 0.0])
    yield from ([-2.0, -1.0, -INF, -INF], [0.0, -INF, fmt.log_smallest_subnormal - 1])
    # Far below any number that stands in for -inf.
    yield from ([-INF, -fmt.max / 32], [-fmt.max / 64, -INF, -fmt.max / 32], [-INF, -fmt.max])


def _mask(fmt: Format, t: float, z: Row) -> Row:
    """Negative shape numbers beyond the first become masks, in whatever place they stand."""
    row = [-INF if i and v < -1 else v for i, v in enumerate(z)]
    turn = int(abs(t) * len(row))
    row = row[turn:] + row[:turn]
    return _shift(2 * fmt.log_max if t > 0.5 else -2 * fmt.log_max if t < -0.5 else 0.0, row)


def _tails(fmt: Format, t: float, z: Row) -> Row:
    depth = fmt.log_tiny + abs(t) * (fmt.log_smallest_subnormal - fmt.log_tiny)
    row = [*_shift(depth, z[1:]), z[0]]
    turn = int(abs(t) * 7) % len(row)
    return row[turn:] + row[:turn]


def _dominant(fmt: Format, t: float, z: Row) -> Row:
    gap = _pick([2.0, 8.0, 11.0, 17.0, 21.0, 26.0, 37.0, *gaps(fmt)], t)
    row = [0.0, *(0.25 * v - gap for v in z[1:])]
    turn = len(row) // 2 if t < 0 else 0
    return row[turn:] + row[:turn]


REGIMES: tuple[Regime, ...] = (
    Regime(
        "benign",
        "ordinary values",
        lambda fmt: (
            [0.0, 1.0],
            [1.0, 2.0, 3.0],
            [0.5, -1.25],
            [3.0, -2.0, 0.0, 1.5],
            [0.1, 0.2, 0.3, 0.4, 0.5],
            [i * 7 % 37 / 16 - 1 for i in range(37)],
        ),
        lambda fmt, t, z: _shift(0.0, z, 1 + abs(t)),
    ),
    Regime(
        "single",
        "one element",
        lambda fmt: ([0.0], [1.0], [-3.0], [1000.0], [-1000.0], [1.5 * fmt.log_max], [-1.5 * fmt.log_max]),
        lambda fmt, t, z: [z[0] + 2 * fmt.log_max * t],
    ),
    Regime(
        "overflow_edge",
        "values just below and above log(max), where exp overflows",
        _edge_rows,
        lambda fmt, t, z: _shift(_signed(fmt.log_max - 1 + abs(t), t), z, 0.5),
    ),
    Regime(
        "far_overflow",
        "values far above log(max)",
        _far_overflow_rows,
        lambda fmt, t, z: _shift(_far(fmt, t), z, max(1.0, _far(fmt, t) * fmt.eps)),
    ),
    Regime(
        "underflow_edge",
        "values around log(tiny), where exp becomes subnormal and then zero",
        _underflow_rows,
        lambda fmt, t, z: _shift(fmt.log_tiny + abs(t) * (fmt.log_smallest_subnormal - fmt.log_tiny), z),
    ),
    Regime(
        "far_below",
        "every value far below zero, so that every exp underflows",
        _far_below_rows,
        lambda fmt, t, z: _shift(-_far(fmt, t), z, max(1.0, _far(fmt, t) * fmt.eps)),
    ),
    Regime(
        "common_offset",
        "a large common offset",
        _offset_rows,
        lambda fmt, t, z: _shift(_signed(_pick(offsets(fmt), t), t), z),
    ),
    Regime(
        "huge_spread",
        "very large and very small values side by side",
        _spread_rows,
        lambda fmt, t, z: _shift(0.0, z, _far(fmt, t) / 4),
    ),
    Regime(
        "ties",
        "several equal maxima",
        _tie_rows,
        lambda fmt, t, z: _shift(1.5 * fmt.log_max * t, [min(round(v), 0) for v in z]),
    ),
    Regime(
        "near_ties",
        "values that almost agree, or that are almost zero",
        lambda fmt: ([d, -d] for d in _steps(fmt)),
        lambda fmt, t, z: _shift(2 * t, z, fmt.eps ** abs(t)),
    ),
    Regime("dominant", "one value dominates, the others sit a critical gap below it", _dominant_rows, _dominant),
    Regime(
        "near_zero",
        "logarithms of probabilities that sum to one, so that the result cancels to almost zero",
        _near_zero_rows,
        lambda fmt, t, z: _log_probability(z),
    ),
    Regime(
        "tails",
        "terms whose exp is subnormal next to an ordinary one",
        lambda fmt: (
            [0.0, fmt.log_tiny - 1],
            [0.0, fmt.log_smallest_subnormal + 2],
            [1.0, fmt.log_tiny, fmt.log_tiny - 3],
        ),
        _tails,
    ),
    Regime(
        "tiny_values",
        "subnormal values and signed zeros",
        lambda fmt: (
            [-0.0, 0.0],
            [-0.0, -0.0],
            [fmt.smallest_subnormal, -fmt.smallest_subnormal],
            [fmt.tiny, 0.0],
            [fmt.eps, -fmt.eps],
        ),
        lambda fmt, t, z: [v * fmt.tiny for v in z],
    ),
    Regime("masked", "-inf as a mask, never all of a row", _mask_rows, _mask, domain="masked"),
    Regime(
        "masked_row",
        "a row of -inf alone",
        lambda fmt: ([-INF], [-INF, -INF], [-INF, -INF, -INF]),
        lambda fmt, t, z: [-INF] * len(z),
        domain="log_space",
    ),
    Regime(
        "plus_inf",
        "+inf once in a row",
        lambda fmt: ([INF], [INF, 0.0], [0.0, INF], [INF, -INF], [1.0, INF, 2.0]),
        lambda fmt, t, z: [*z[1:], INF],
        domain="extended",
    ),
    Regime(
        "nan",
        "a NaN in the row",
        lambda fmt: ([NAN], [NAN, 0.0], [0.0, NAN, 1.0], [1.0, 2.0, NAN], [NAN, -INF]),
        lambda fmt, t, z: [*z[1:], NAN],
        claim="nan",
    ),
    Regime("empty", "an empty axis", lambda fmt: ([],), lambda fmt, t, z: [], claim="empty"),
)

BY_NAME = {r.name: r for r in REGIMES}
EXTRA = {
    "long": "a long row",
    "very_long": "a row of a million terms, or so many that the sum of their exponentials overflows in the dtype",
}
"""Regimes that are a length rather than a kind of row. `very_long` is tried only by name or with ``strict=True``: it
takes its time, and 65,520 terms and more in float16 are beyond textbook code and several libraries."""


def names() -> tuple[str, ...]:
    """Return the names of all regimes."""
    return (*BY_NAME, *EXTRA)


def allowed(domain: str, claims: Sequence[str] = ()) -> tuple[Regime, ...]:
    """Return the regimes that a function of that domain, with those claims, has to survive."""
    level = DOMAINS.index(domain)
    return tuple(r for r in REGIMES if DOMAINS.index(r.domain) <= level and (r.claim is None or r.claim in claims))


def long_rows(fmt: Format) -> Iterable[Long]:
    """Rows long enough for a narrow running sum to stop growing.

    In float16 and bfloat16 a sum of 4,093 equal terms does so when it runs in the dtype itself. The lengths are prime,
    so that code which goes through a row in blocks has a remainder to lose; once the remainder is all that counts.
    Nothing is longer, as correct code may need memory for every pair of elements.
    """
    yield Long((), 0.0, 1021)
    yield Long((), 0.0, 1021, (1.5 * fmt.log_max,))
    yield Long((1.0,), 0.0, 4093)


def very_long_rows(fmt: Format) -> Iterable[Long]:
    """Rows of a million, where the dtype can sum them; else rows whose sum is beyond the dtype."""
    if fmt.max > 1e6:
        yield Long((1.0,), 0.5, 1_000_000)
    else:
        yield Long((), 0.0, 65_536)
        yield Long((0.0,), 0.0, 70_000)


def about(name: str) -> str:
    """Return what a regime is, in words; nothing for a mixture of several."""
    return BY_NAME[name].about if name in BY_NAME else EXTRA.get(name, "")
