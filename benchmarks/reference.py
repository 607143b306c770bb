"""Accuracy, speed and tolerance of the reference kernels: `python benchmarks/reference.py [--accuracy] [--speed] ...`.

--accuracy N   misrounded results of N random values and all hard ones per kernel and dtype, against plain arb at 320
               bits and more, mpmath as a second opinion (needs python-flint; `accuracy.py`); --kernel and --dtype
               restrict it, --state FILE notes what has been done, to go on from there
--speed        time on 1000 x 100 arrays against SciPy and mpmath
--tolerance    largest error / tolerance of SciPy, PyTorch, textbook code and bugs over the hard grid
"""

from __future__ import annotations

import argparse
import pathlib
import time
import warnings
from collections.abc import Callable, Sequence
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


def speed() -> None:
    import mpmath
    import scipy.special

    print(
        "CPU milliseconds on 1000 x 100 values, N(0, 5): ours, SciPy's, their ratio; mpmath's ratio (one row, scaled)"
    )
    context = mpmath.MPContext()
    context.prec = 128
    theirs = {"logsumexp": -1, "softmax": -1, "log_softmax": -1, "expit": None, "log_expit": None}
    names = {"expit": "sigmoid", "log_expit": "log_sigmoid"}
    for dtype in DTYPES[:3]:
        x = (np.random.default_rng(2).normal(size=(1000, 100)) * 5).astype(dtype)
        row = [context.mpf(float(v)) for v in x[0]]
        definitions = {
            "logsumexp": lambda r=row: context.log(context.fsum(map(context.exp, r))),
            "softmax": lambda r=row: [context.exp(v) / context.fsum(map(context.exp, r[:1])) for v in r],
            "log_softmax": lambda r=row: [v - context.log(context.fsum(map(context.exp, r))) for v in r[:1]],
            "expit": lambda r=row: [1 / (1 + context.exp(-v)) for v in r],
            "log_expit": lambda r=row: [-context.log1p(context.exp(-v)) for v in r],
        }
        for name, axis in theirs.items():
            ours = getattr(reference, names.get(name, name))
            options = {} if axis is None else {"axis": axis}
            function = getattr(scipy.special, name)
            mine, scipys = fastest([lambda f=ours, x=x: f(x), lambda f=function, o=options, x=x: f(x, **o)])
            (slow,) = fastest([definitions[name]], 0.3)
            ratios = f"{mine / scipys:6.2f} x SciPy, mpmath {slow * 1000 / mine:6.0f} x"
            print(f"  {dtype:9} {name:12} {mine:8.2f} {scipys:8.2f}  {ratios}", flush=True)
    x = np.log(np.random.default_rng(0).dirichlet(np.ones(100), size=100))
    (mine,) = fastest([lambda: reference.logsumexp(x)])
    print(f"  float64   logsumexp of 100 x 100 logarithms of probabilities, all of which cancel: {mine:.1f}")


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
    parser.add_argument("--kernel", action="append", help="with --accuracy: this kernel, may be repeated")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="with --accuracy: this dtype")
    parser.add_argument("--state", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--tolerance", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.tolerance:
        tolerance()
    if options.speed:
        speed()
    if options.accuracy:
        from accuracy import KERNELS, campaign

        campaign(options.accuracy, tuple(options.kernel or KERNELS), tuple(options.dtype or DTYPES), options.state)
    if not (options.tolerance or options.speed or options.accuracy):
        parser.print_help()


if __name__ == "__main__":
    main()
