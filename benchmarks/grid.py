"""Rows of logits on which implementations fail, in units of a format's own limits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.reference.rounding import narrow


def rows(dtype: str, seed: int = 0, longest: int = 1000) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (category, batch of rows), exactly representable in the dtype, as float64."""
    target = FORMATS[dtype]
    rng = np.random.default_rng(seed)
    for category, batch in _raw(target, rng, longest):
        with np.errstate(all="ignore"):
            yield category, np.clip(narrow(np.asarray(batch, dtype=np.float64), target), -target.max, target.max)
    for category, batch in _masked(target, rng):
        yield category, batch


def _raw(target: Format, rng: np.random.Generator, longest: int) -> Iterator[tuple[str, np.ndarray]]:
    top, low, least = target.log_max, target.log_tiny, target.log_smallest_subnormal
    for n in (1, 2, 3, 10, 100):
        for scale in (0.1, 1.0, 5.0, 30.0):
            yield "generic", rng.normal(size=(12, n)) * scale
        yield "wide", rng.uniform(-1, 1, size=(6, n)) * 10.0 ** rng.uniform(1, np.log10(target.max) - 1, size=(6, 1))
        yield "overflow edge", top + rng.normal(size=(8, n)) * 0.5
        yield "far overflow", rng.uniform(2, 8, size=(6, n)) * top
        yield "underflow edge", low + rng.normal(size=(8, n)) * 0.5
        yield "far underflow", rng.uniform(2, 8, size=(6, n)) * least
        yield "ties", np.repeat(rng.normal(size=(6, 1)) * 10, n, axis=1)
        for shift in (1e2, 1e4, 1e8, 1e15):
            if shift * 8 < target.max:
                yield "shift", shift + rng.normal(size=(6, n)) * max(4.0, 8 * shift * target.eps)
        yield "near zero", np.log(rng.dirichlet(np.ones(n), size=6) + 1e-300)
        yield "subnormal inputs", rng.normal(size=(4, n)) * target.tiny * 0.5
        if n > 1:
            for gap in (5.0, 9.0, 17.0, 37.0, 88.0, 104.0, 709.0, 745.0):
                if gap < target.max:
                    batch = -gap + rng.normal(size=(4, n)) * 0.3
                    batch[:, 0] = 0.0
                    yield "dominant", batch
                    yield "dominant, shifted", batch + 3.0
            batch = np.linspace(0.0, least * 1.05, n)[None, :] + rng.normal(size=(4, n)) * 0.01
            yield "tail", batch
    yield "hard cancellation", np.full((1, 2), -np.log(2.0))
    yield "hard cancellation", np.full((1, 3), -np.log(3.0))
    for n in (longest,):
        yield "long", rng.normal(size=(2, n)) * 2
        yield "long", np.zeros((1, n))
        yield "long", np.concatenate([np.zeros((1, 1)), np.full((1, n - 1), -17.5)], axis=1)
        yield "long", np.log(rng.dirichlet(np.ones(n), size=1) + 1e-300)


def _masked(target: Format, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    with np.errstate(all="ignore"):
        for n in (2, 3, 10):
            batch = narrow(rng.normal(size=(8, n)) * 5, target)
            batch[rng.random(batch.shape) < 0.5] = -np.inf
            batch[:, rng.integers(n)] = 0.5
            yield "masked", batch
