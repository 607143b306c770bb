"""Accuracy, speed and tolerance of the reference kernels: `python benchmarks/reference.py [--accuracy] [--speed] ...`.

--accuracy N   misrounded results of N random values and all hard ones per kernel and dtype, against plain arb at 320
               bits and more, mpmath as a second opinion (needs python-flint; `accuracy.py`); --kernel and --dtype
               restrict it, --state FILE notes what has been done, to go on from there
--speed        time on 1000 x 100 arrays against SciPy and mpmath
--memory       peak memory on 1000 x 1000 values, and on a row of a million
--tolerance    largest error / tolerance of SciPy, PyTorch, textbook code and bugs over the hard grid
"""

from __future__ import annotations

import argparse
import pathlib
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import grid
import numpy as np

import pytest_lse.reference as reference
from pytest_lse.reference import judge
from pytest_lse.reference.rounding import storage

DTYPES = ("float64", "float32", "float16", "bfloat16")


def fastest(functions: Sequence[Callable[[], Any]], seconds: float = 1.5) -> list[float]:
    """Return the shortest of many CPU times of each function, in milliseconds, taken in turns: a loaded machine is
    loaded for all of them."""
    best, end = [np.inf] * len(functions), time.perf_counter() + seconds * len(functions)
    while time.perf_counter() < end:
        for i, function in enumerate(functions):
            start = time.thread_time()
            function()
            best[i] = min(best[i], time.thread_time() - start)
    return [b * 1e3 for b in best]


Call = Callable[..., Any]


def _theirs() -> dict[str, tuple[str, Call]]:
    """Return each kernel's arguments and SciPy's function, or a composition of NumPy's where there is none."""
    from scipy import special

    def log1mexp(x: np.ndarray) -> np.ndarray:
        return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))

    def loss(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return -np.take_along_axis(special.log_softmax(x, axis=-1), labels[:, None], -1)[:, 0]

    return {
        "logsumexp": ("x", lambda x: special.logsumexp(x, axis=-1)),
        "softmax": ("x", lambda x: special.softmax(x, axis=-1)),
        "log_softmax": ("x", lambda x: special.log_softmax(x, axis=-1)),
        "logmeanexp": ("x", lambda x: special.logsumexp(x, axis=-1) - x.dtype.type(np.log(x.shape[-1]))),
        "cross_entropy": ("x, labels", loss),
        "sigmoid": ("x", special.expit),
        "log_sigmoid": ("x", special.log_expit),
        "softplus *": ("x", lambda x: np.logaddexp(x.dtype.type(0), x)),
        "logaddexp *": ("x, y", np.logaddexp),
        "logcumsumexp *": ("x", lambda x: np.logaddexp.accumulate(x, axis=-1)),
        "log1mexp *": ("negative", log1mexp),
        "logsubexp *": ("ordered", lambda a, b: a + log1mexp(b - a)),
        "bce_with_logits *": ("x, targets", lambda x, t: t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)),
    }


def speed(kernels: Sequence[str] = (), dtypes: Sequence[str] = DTYPES) -> None:
    import mpmath

    print("CPU milliseconds on 1000 x 100 values, N(0, 5): ours, SciPy's (* a composition of NumPy's), their ratio;")
    print("mpmath's ratio (one row at 128 bits, scaled); bfloat16 is compared with SciPy in float32")
    context = mpmath.MPContext()
    context.prec = 128
    for dtype in dtypes:
        rng = np.random.default_rng(2)
        x, y = ((rng.normal(size=(1000, 100)) * 5).astype(storage(dtype)) for _ in range(2))
        targets, labels = rng.random((1000, 100)).astype(storage(dtype)), rng.integers(0, 100, 1000)
        data = {"x": (x,), "x, y": (x, y), "x, labels": (x, labels), "x, targets": (x, targets)}
        step = storage(dtype).type(0.125)
        data |= {"negative": (-np.abs(x) - step,), "ordered": (np.maximum(x, y) + step, np.minimum(x, y))}
        row = [context.mpf(float(v)) for v in x[0]]
        for label, (arguments, function) in _theirs().items():
            name = label.split()[0]
            if kernels and name not in kernels:
                continue
            options = {"reduction": "none"} if name in ("cross_entropy", "bce_with_logits") else {}
            given = data[arguments]
            same = tuple(g.astype(np.float32) if g.dtype.name == "bfloat16" else g for g in given)
            kernel = getattr(reference, name)
            mine, scipys = fastest([partial(kernel, *given, **options), partial(function, *same)])
            line = f"  {dtype:9} {label:18} {mine:8.2f} {scipys:8.2f}  {mine / scipys:6.2f} x"
            if name in _BY_HAND:
                (slow,) = fastest([partial(_BY_HAND[name], context, row)], 0.3)
                line += f", mpmath {slow * 1000 / mine:6.0f} x"
            print(line, flush=True)
    x = np.log(np.random.default_rng(0).dirichlet(np.ones(100), size=100))
    (mine,) = fastest([lambda: reference.logsumexp(x)])
    print(f"  float64   logsumexp of 100 x 100 logarithms of probabilities, all of which cancel: {mine:.1f}")


def _softmax_by_hand(context: Any, row: list[Any]) -> list[Any]:
    small = list(map(context.exp, row))
    total = context.fsum(small)
    return [e / total for e in small]


def _log_softmax_by_hand(context: Any, row: list[Any]) -> list[Any]:
    total = context.log(context.fsum(map(context.exp, row)))
    return [v - total for v in row]


_BY_HAND: dict[str, Call] = {
    "logsumexp": lambda context, row: context.log(context.fsum(map(context.exp, row))),
    "softmax": _softmax_by_hand,
    "log_softmax": _log_softmax_by_hand,
    "sigmoid": lambda context, row: [1 / (1 + context.exp(-v)) for v in row],
    "log_sigmoid": lambda context, row: [-context.log1p(context.exp(-v)) for v in row],
}


def memory(kernels: Sequence[str] = (), dtypes: Sequence[str] = DTYPES) -> None:
    """Print the most memory that a call allocates, its result included, as a multiple of its first argument."""
    import tracemalloc

    print(
        "Peak of the memory that NumPy and Python allocate in a call, in sizes of the first argument (result included)"
    )
    rng = np.random.default_rng(3)
    for dtype in dtypes:
        for shape in ((1000, 1000), (1, 1_000_000)):
            x = (rng.normal(size=shape) * 5).astype(storage(dtype))
            y, labels = x[::-1, ::-1].copy(), rng.integers(0, shape[1], shape[0])
            targets = rng.random(shape).astype(storage(dtype))
            data = {"x": (x,), "x, y": (x, y), "x, labels": (x, labels), "x, targets": (x, targets)}
            data |= {"negative": (-np.abs(x),), "ordered": (np.maximum(x, y), np.minimum(x, y))}
            for label, (arguments, _) in _theirs().items():
                name = label.split()[0]
                if kernels and name not in kernels:
                    continue
                options = {"reduction": "none"} if name in ("cross_entropy", "bce_with_logits") else {}
                tracemalloc.start()
                getattr(reference, name)(*data[arguments], **options)
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                print(
                    f"  {dtype:9} {shape!s:16} {name:16} {peak / x.nbytes:7.1f} x {x.nbytes / 1e6:.0f} MB", flush=True
                )


def textbook() -> dict[str, dict[str, Callable[[np.ndarray], np.ndarray]]]:
    def top(x: np.ndarray) -> np.ndarray:
        return x.max(-1, keepdims=True)

    def log_sum(x: np.ndarray) -> np.ndarray:
        return np.log(np.exp(x - top(x)).sum(-1, keepdims=True))

    return {
        "logsumexp": {
            "textbook": lambda x: (top(x) + log_sum(x))[..., 0],
            "BUG no shift": lambda x: np.log(np.exp(x).sum(-1)),
            "BUG mean shift": lambda x: x.mean(-1) + np.log(np.exp(x - x.mean(-1, keepdims=True)).sum(-1)),
            "BUG clipped": lambda x: np.log(np.exp(np.clip(x, -50, 50)).sum(-1)),
            "BUG last term lost": lambda x: (top(x) + log_sum(np.where(np.arange(x.shape[-1]), x, -np.inf)))[..., 0],
        },
        "softmax": {
            "textbook": lambda x: np.exp(x - top(x)) / np.exp(x - top(x)).sum(-1, keepdims=True),
            "BUG no shift": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
            "exp(x - lse)": lambda x: np.exp(x - (top(x) + log_sum(x))),
            "BUG clipped": lambda x: np.exp(np.clip(x, -50, 50)) / np.exp(np.clip(x, -50, 50)).sum(-1, keepdims=True),
        },
        "log_softmax": {
            "textbook": lambda x: (x - top(x)) - log_sum(x),
            "BUG x - lse": lambda x: x - (top(x) + log_sum(x)),
            "BUG log(softmax)": lambda x: np.log(np.exp(x - top(x)) / np.exp(x - top(x)).sum(-1, keepdims=True)),
            "BUG log(softmax + 1e-12)": lambda x: np.log(
                np.exp(x - top(x)) / np.exp(x - top(x)).sum(-1, keepdims=True) + x.dtype.type(1e-12)
            ),
        },
        "softplus": {
            "textbook": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))),
            "without log1p": lambda x: np.maximum(x, 0) + np.log(1 + np.exp(-abs(x))),
            "BUG naive": lambda x: np.log1p(np.exp(x)),
        },
        "sigmoid": {
            "textbook": lambda x: np.where(x < 0, np.exp(-abs(x)), 1) / (1 + np.exp(-abs(x))),
            "exp(-softplus(-x))": lambda x: np.exp(-np.logaddexp(0, -x)),
            "BUG ratio": lambda x: np.exp(x) / (1 + np.exp(x)),
        },
    }


def libraries() -> dict[str, dict[str, Callable[[np.ndarray, str], np.ndarray | None]]]:
    found: dict[str, dict[str, Any]] = {n: {} for n in textbook()}
    try:
        import scipy.special as special

        for name, function in (("logsumexp", "logsumexp"), ("softmax", "softmax"), ("log_softmax", "log_softmax")):
            found[name]["scipy"] = lambda x, d, f=function: None if d == "bfloat16" else getattr(special, f)(x, axis=-1)
        found["sigmoid"]["scipy"] = lambda x, d: None if d == "bfloat16" else special.expit(x)
    except ImportError:
        print("(SciPy is not installed)")
    try:
        import torch

        def tensor(x: np.ndarray, dtype: str) -> Any:
            return torch.tensor(x.astype(np.float64)).to(getattr(torch, dtype))

        for name in ("logsumexp", "softmax", "log_softmax"):
            found[name]["torch"] = lambda x, d, n=name: getattr(torch, n)(tensor(x, d), -1).double().numpy()
        found["sigmoid"]["torch"] = lambda x, d: torch.sigmoid(tensor(x, d)).double().numpy()
        found["softplus"]["torch"] = lambda x, d: torch.nn.functional.softplus(tensor(x, d)).double().numpy()
    except ImportError:
        print("(PyTorch is not installed)")
    return found


def tolerance() -> None:
    print("Largest error / tolerance over the hard grid, and the values outside it")
    written, foreign = textbook(), libraries()
    for dtype in DTYPES:
        worst: dict[tuple[str, str], tuple[float, str, int]] = {}
        for category, x in grid.rows(dtype):
            for name in written:
                truth_ = judge(name, (x,), dtype=dtype).outputs[0]
                own = {k: (lambda v, d, f=f: f(v)) for k, f in written[name].items()}
                for who, function in {**own, **foreign[name]}.items():
                    with np.errstate(all="ignore"):
                        got = function(x.astype(storage(dtype)), dtype)
                    if got is None:
                        continue
                    result = truth_.compare(np.asarray(got))
                    ratio, before = float(result.ratio.max(initial=0.0)), worst.get((name, who), (-1.0, "", 0))
                    count = before[2] + int((~result.ok).sum())
                    worst[name, who] = (ratio, category, count) if ratio > before[0] else (*before[:2], count)
        for (name, who), (ratio, category, count) in sorted(worst.items()):
            print(f"  {dtype:9} {name:12} {who:26} {ratio:10.3g}  {count:5} outside  ({category})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accuracy", type=int, metavar="N", nargs="?", const=1_000_000)
    parser.add_argument("--kernel", action="append", help="this kernel only (not with --tolerance), may be repeated")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="this dtype only, likewise")
    parser.add_argument("--state", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--tolerance", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.tolerance:
        tolerance()
    if options.speed:
        speed(options.kernel or (), options.dtype or DTYPES)
    if options.memory:
        memory(options.kernel or (), options.dtype or DTYPES)
    if options.accuracy:
        from accuracy import KERNELS, campaign

        campaign(options.accuracy, tuple(options.kernel or KERNELS), tuple(options.dtype or DTYPES), options.state)
    if not (options.tolerance or options.speed or options.memory or options.accuracy):
        parser.print_help()


if __name__ == "__main__":
    main()
