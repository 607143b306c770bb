"""Draws a function's error against the size of its logits: SVG by hand, no more than a few kilobytes a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from pytest_lse.lint.escape import printable

Record = Mapping[str, Any]

WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 34, 42
#: above this magnitude the axis is compressed once more: between 1e4 and 1e308 little happens
_KNEE = 4.0
_TICKS = (1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e10, 1e20, 1e38, 1e100, 1e308)
_LEAST_ULPS, _MOST_ULPS = 0.1, 1e18
#: dtype -> (class of its colour, shape of its marks)
_SERIES = {
    "float64": ("s0", "circle"),
    "float32": ("s1", "square"),
    "float16": ("s2", "up"),
    "bfloat16": ("s3", "down"),
}
_LABELS = 8

#: colours for light and dark; the page uses the same ones
STYLE = """
.lse { --paper: #ffffff; --ink: #1c1f24; --faint: #6b7280; --line: #d8dce2; --bad: #c62828;
  --s0: #0b63c4; --s1: #00796b; --s2: #8e44ad; --s3: #a86400; }
@media (prefers-color-scheme: dark) { .lse { --paper: #14171c; --ink: #e6e8eb; --faint: #9aa3ad; --line: #343a43;
  --bad: #ff7b72; --s0: #6cb2ff; --s1: #4cc9b0; --s2: #d2a8ff; --s3: #f0b35b; } }
.lse text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.lse .faint { fill: var(--faint); font-size: 11px; }
.lse .grid { stroke: var(--line); stroke-width: 1; }
.lse .frame { fill: none; stroke: var(--faint); stroke-width: 1; }
.lse .paper { fill: var(--paper); }
.lse .band { fill: var(--bad); opacity: 0.08; }
.lse .tolerance { fill: none; stroke-width: 1.5; stroke-dasharray: 6 4; opacity: 0.75; }
.lse .mark { stroke: var(--paper); stroke-width: 0.75; }
.lse .wrong { stroke: var(--bad); stroke-width: 2.2; fill: none; }
.lse .label { fill: var(--bad); font-size: 11px; }
.lse .s0 { fill: var(--s0); } .lse .s1 { fill: var(--s1); } .lse .s2 { fill: var(--s2); } .lse .s3 { fill: var(--s3); }
.lse .l0 { stroke: var(--s0); } .lse .l1 { stroke: var(--s1); } .lse .l2 { stroke: var(--s2); }
.lse .l3 { stroke: var(--s3); }
"""


def picture(records: Sequence[Record], *, standalone: bool = False) -> str:
    """Return the picture of one function: error in ulps against the magnitude of the logits, for each dtype.

    Parameters
    ----------
    records
        The function's records, one for each dtype, as `pytest_lse.report.survey.record` makes them.
    standalone
        Whether the picture is a file of its own, which brings its colours along.

    Returns
    -------
    str
        An SVG element. Circles and squares are the worst case of their regime and magnitude, the dashed line is the
        tolerance there, a cross is a case that fails. Every mark has a tooltip.
    """
    return _Drawing(records).svg(standalone)


class _Drawing:
    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        points = [p for r in records for p in r["points"]]
        reach = [_along(p["magnitude"]) for p in points] or [0.0, 2.0]
        self.low, self.high = min(-1.0, max(-2.0, min(reach))), max(2.0, *reach) + 0.05
        finite = [p["ulps"] for p in points if p["ulps"] is not None] + [1e3]
        self.most = 10.0 ** math.ceil(math.log10(min(_MOST_ULPS, 3 * max(finite))))

    def x(self, magnitude: float) -> float:
        share = (max(_along(magnitude), self.low) - self.low) / (self.high - self.low)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, ulps: float | None) -> float:
        if ulps is None:
            return _TOP + 9.0
        bottom, top = HEIGHT - _BOTTOM, _TOP + 24
        share = math.log10(min(max(ulps, _LEAST_ULPS), self.most) / _LEAST_ULPS) / math.log10(self.most / _LEAST_ULPS)
        return bottom - share * (bottom - top)

    def svg(self, standalone: bool) -> str:
        names = ", ".join(dict.fromkeys(f"{r['function']}: {r['kernel']}" for r in self.records))
        title = _text(f"{names}: error in ulps against the magnitude of the logits")
        size = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" class="lse" {size}'
        head += f' width="{WIDTH}" height="{HEIGHT}">\n<style>{STYLE}</style>' if standalone else ">"
        paper = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>' if standalone else ""
        body = [*self._axes(), *self._tolerances(), *self._marks(), *self._labels(), *self._legend()]
        return "\n".join([head, f"<title>{title}</title>", paper, *body, "</svg>\n"])

    def _axes(self) -> Iterator[str]:
        right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        if any(p["ulps"] is None for r in self.records for p in r["points"]):
            yield f'<rect class="band" x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="18"/>'
            yield f'<text class="faint" x="{_LEFT - 6}" y="{_TOP + 13}" text-anchor="end">inf, nan</text>'
        for tick in _TICKS:
            if self.low <= _along(tick) <= self.high:
                at = self.x(tick)
                yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP + 24}" y2="{bottom}"/>'
                yield f'<text class="faint" x="{at:.1f}" y="{bottom + 15}" text-anchor="middle">{_power(tick)}</text>'
        top = round(math.log10(self.most))
        for exponent in range(-1, top + 1):
            if exponent in (-1, 0, 1, top) or exponent % max(1, top // 5) == 0:
                at = self.y(10.0**exponent)
                name = "0" if exponent < 0 else _power(10.0**exponent)
                yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
                yield f'<text class="faint" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{name}</text>'
        yield f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}"/>'
        middle = (_LEFT + right) / 2
        centred = 'class="faint" text-anchor="middle"'
        yield f'<text {centred} x="{middle}" y="{bottom + 32}">largest |logit| of the input</text>'
        yield f'<text {centred} transform="translate(14 {(_TOP + bottom) / 2}) rotate(-90)">error in ulps</text>'

    def _tolerances(self) -> Iterator[str]:
        for r in self.records:
            # The tolerance depends on the case: the line goes through that of the case which is nearest to it.
            tightest: dict[int, Mapping[str, Any]] = {}
            for p in r["points"]:
                if p["ulps"] == 0.0:
                    continue  # an exact result says nothing of what is allowed around it
                place = round(self.x(p["magnitude"]) / 12)
                if place not in tightest or _closeness(p) > _closeness(tightest[place]):
                    tightest[place] = p
            path = [
                f"{self.x(p['magnitude']):.1f},{self.y(min(p['allowed'] or self.most, self.most)):.1f}"
                for p in sorted(tightest.values(), key=lambda p: float(p["magnitude"]))
                if p["allowed"] != 0.0
            ]
            if len(path) > 1:
                colour = _series(r["dtype"])[0].replace("s", "l")
                yield f'<polyline class="tolerance {colour}" points="{" ".join(path)}"/>'

    def _marks(self) -> Iterator[str]:
        for r in self.records:
            colour, shape = _series(r["dtype"])
            for p in r["points"]:
                x, y = self.x(p["magnitude"]), self.y(p["ulps"])
                said = "inf or nan" if p["ulps"] is None else f"{p['ulps']:.3g} ulps"
                allowed = f", {p['allowed']:.3g} allowed" if p["allowed"] is not None else ""
                tip = _text(f"{r['dtype']}, {p['regime']}: |logit| up to {p['magnitude']:.4g}, {said}{allowed}")
                drawn = _shape(shape, x, y, f"mark {colour}") if p["ok"] else _cross(x, y)
                yield f"<g><title>{tip}</title>{drawn}</g>"

    def _labels(self) -> Iterator[str]:
        """Name the failing regimes, each once, at its smallest failing case."""
        first: dict[str, tuple[float, float]] = {}
        for r in self.records:
            for p in r["points"]:
                if not p["ok"]:
                    at = (self.x(p["magnitude"]), self.y(p["ulps"]))
                    first[p["regime"]] = min(first.get(p["regime"], at), at)
        taken: list[tuple[float, float]] = []
        for regime, (x, y) in sorted(first.items(), key=lambda item: item[1])[:_LABELS]:
            width = 6.2 * len(regime)
            left = min(x + 7, WIDTH - _RIGHT - width - 2)
            row = y + 4 if y > _TOP + 30 else _TOP + 38
            while any(abs(row - other) < 13 and left < end for other, end in taken):
                row += 13
            taken.append((row, left + width + 6))
            yield f'<text class="label" x="{left:.1f}" y="{row:.1f}">{_text(regime)}</text>'

    def _legend(self) -> Iterator[str]:
        x = float(_LEFT)
        for r in self.records:
            colour, shape = _series(r["dtype"])
            yield _shape(shape, x + 5, 18, f"mark {colour}")
            yield f'<text x="{x + 14}" y="22">{_text(r["dtype"])}</text>'
            x += 30 + 7 * len(r["dtype"])
        yield f'<line class="tolerance l0" x1="{x}" x2="{x + 26}" y1="18" y2="18"/>'
        yield f'<text x="{x + 32}" y="22">tolerance</text>'
        if any(not p["ok"] for r in self.records for p in r["points"]):
            yield f'{_cross(x + 110, 18)}<text x="{x + 120}" y="22">fails</text>'


def _along(magnitude: float) -> float:
    exponent = math.log10(max(magnitude, 1e-2))
    return exponent if exponent <= _KNEE else _KNEE + 2 * math.log10(1 + (exponent - _KNEE) / _KNEE)


def _closeness(p: Mapping[str, Any]) -> float:
    if p["ulps"] is None or not p["allowed"]:
        return -1.0
    return float(max(p["ulps"], 1e-3) / p["allowed"])


def _series(dtype: str) -> tuple[str, str]:
    return _SERIES.get(dtype, ("s0", "circle"))


def _shape(shape: str, x: float, y: float, style: str) -> str:
    if shape == "circle":
        return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    if shape == "square":
        return f'<rect class="{style}" x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"/>'
    tip, base = (-4.6, 3.6) if shape == "up" else (4.6, -3.6)
    corners: Iterable[tuple[float, float]] = ((x, y + tip), (x - 4.4, y + base), (x + 4.4, y + base))
    return f'<polygon class="{style}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}"/>'


def _cross(x: float, y: float) -> str:
    return f'<path class="wrong" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8"/>'


def _power(value: float) -> str:
    exponent = round(math.log10(value))
    return f"{value:g}" if -3 < exponent < 4 else f"1e{exponent}"


def _text(text: str) -> str:
    return escape(printable(text))
