"""Misrounded results of the kernels that are correctly rounded, against their definitions in arb.

Run through `python benchmarks/reference.py --accuracy N [--kernel K] [--dtype D] [--state FILE]`. No formula of the
package is used: the definitions are written out below, at 320 bits, and at more where less than 140 bits are left. One
row of a thousand is worked out by mpmath as well. mpmath carries no bound, and 1 + exp(-1100) is 1 for it at 1500 bits,
while arb says how much of its logarithm is left: where the two differ, mpmath gets more bits before that counts.
"""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import flint
import grid
import mpmath
import numpy as np

import pytest_lse.reference as reference
from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.reference import exact
from pytest_lse.reference.rounding import narrow

Row = list[Any]
Case = tuple[np.ndarray, ...]
Definition = Callable[..., Row]
PRECISIONS = (320, 1500, 4500)
#: values that are worked out between two notes of the state
CHUNK = 50_000
SECOND_OPINION = 1000
CONTEXT = mpmath.MPContext()
OPINIONS = (400, 1500, 6000)


def _total(row: Row) -> Any:
    total = row[0].exp()
    for v in row[1:]:
        total = total + v.exp()
    return total


def _shifted(row: Row) -> tuple[Any, Row]:
    """Exponents beyond 2**64 are too much for a number of any kind: the maximum is taken out, which is exact."""
    top = max(row, key=float)
    return top, [v - top for v in row]


def _logsumexp(row: Row) -> Row:
    top, rest = _shifted(row)
    return [top + _total(rest).log()]


def _logmeanexp(row: Row) -> Row:
    top, rest = _shifted(row)
    return [top + (_total(rest) / len(row)).log()]


def _softmax(row: Row) -> Row:
    _, rest = _shifted(row)
    small = [v.exp() for v in rest]
    total = _total(rest)
    return [e / total for e in small]


def _log_softmax(row: Row) -> Row:
    _, rest = _shifted(row)
    log = _total(rest).log()
    return [v - log for v in rest]


def _logcumsumexp(row: Row) -> Row:
    top, rest = _shifted(row)
    found, total = [], None
    for v in rest:
        total = v.exp() if total is None else total + v.exp()
        found.append(top + total.log())
    return found


def _cross_entropy(row: Row, label: int) -> Row:
    return [-_log_softmax(row)[label]]


def _softplus(x: Any) -> Any:
    return x + (1 + (-x).exp()).log() if x > 0 else (1 + x.exp()).log()


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + (-x).exp()) if x > 0 else x.exp() / (1 + x.exp())


ROWS: dict[str, Definition] = {
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logmeanexp": _logmeanexp,
    "logcumsumexp": _logcumsumexp,
    "cross_entropy": _cross_entropy,
}
ELEMENTS: dict[str, Callable[..., Any]] = {
    "sigmoid": _sigmoid,
    "log_sigmoid": lambda x: -_softplus(-x),
    "softplus": _softplus,
    "log1mexp": lambda x: (1 - x.exp()).log(),
    "logaddexp": lambda a, b: _logsumexp([a, b])[0],
    "logsubexp": lambda a, b: a + (1 - (b - a).exp()).log(),
    "bce_with_logits": lambda x, t: t * _softplus(-x) + (1 - t) * _softplus(x),
}
KERNELS = (*ROWS, *ELEMENTS)


def batches(kernel: str, dtype: str, count: int) -> Iterator[tuple[str, Case]]:
    """Yield the hard arguments, then random ones with about `count` results."""
    target = FORMATS[dtype]
    rng = np.random.default_rng(1)
    if kernel in ROWS:
        for category, x in grid.rows(dtype):
            if np.isfinite(x).all():
                yield category, (x, rng.integers(0, x.shape[1], len(x))) if kernel == "cross_entropy" else (x,)
    else:
        yield from _hard_elements(kernel, target, rng)
    single = kernel in ("logsumexp", "logmeanexp", "cross_entropy")
    produced = 0
    while produced < count:
        scale = (1.0, 5.0, 30.0)[int(rng.integers(3))]
        if kernel in ROWS:
            n = int(rng.choice([2, 3, 10, 30]))
            x = narrow(rng.normal(size=(min(CHUNK, count) // (5 if single else n) + 1, n)) * scale, target)
            case: Case = (x, rng.integers(0, n, len(x))) if kernel == "cross_entropy" else (x,)
            produced += len(x) if single else x.size
        else:
            elements = narrow(rng.normal(size=min(CHUNK, count)) * scale, target)
            case = _elements(kernel, target, rng, elements)
            produced += len(case[0])
        yield "random", case


def _elements(kernel: str, target: Format, rng: np.random.Generator, x: np.ndarray) -> Case:
    """Complete the first argument of an elementwise kernel."""
    if kernel == "log1mexp":
        return (-np.abs(x[x != 0.0]),)
    if kernel == "bce_with_logits":
        kinds = np.stack([rng.random(len(x)), rng.integers(0, 2, len(x)), 10.0 ** rng.uniform(-9, 0, len(x))])
        return x, narrow(kinds[rng.integers(3, size=len(x)), np.arange(len(x))], target)
    if kernel in ("logaddexp", "logsubexp"):
        b = narrow(x + rng.normal(size=len(x)) * 10.0 ** rng.uniform(-3, 1.5, len(x)), target)
        keep = np.isfinite(b) & (b != x)
        return np.maximum(x, b)[keep], np.minimum(x, b)[keep]
    return (x,)


def _hard_elements(kernel: str, target: Format, rng: np.random.Generator) -> Iterator[tuple[str, Case]]:
    if target.precision < 24:  # every finite number
        every = np.arange(2**16, dtype=np.uint16)
        x = every.view(np.float16).astype(float) if target.name == "float16" else _bfloat16(every)
        yield "every number", _elements(kernel, target, rng, x[np.isfinite(x)])
    largest = np.log10(target.max)
    for low, high in ((-largest, -3.0), (-3.0, largest)):
        x = rng.choice([-1.0, 1.0], 3000) * 10.0 ** rng.uniform(low, high, 3000)
        yield "every size", _elements(kernel, target, rng, narrow(x, target))
    for edge in (target.log_max, target.log_tiny, target.log_smallest_subnormal, target.log_eps):
        for sign in (1.0, -1.0):
            near = narrow(sign * edge + rng.normal(size=1000) * 3, target)
            yield "edges", _elements(kernel, target, rng, near)
    if kernel in ("logaddexp", "logsubexp"):
        x = -(10.0 ** rng.uniform(-6, 1, 3000))
        a = narrow(x, target)
        with np.errstate(all="ignore"):
            b = narrow(np.log(-np.expm1(a)) if kernel == "logaddexp" else a * (1 + target.eps), target)
        keep = np.isfinite(b) & (a != b)
        yield "cancellation", (np.maximum(a, b)[keep], np.minimum(a, b)[keep])


def _bfloat16(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(float)


def got(kernel: str, case: Case, dtype: str) -> np.ndarray:
    """Return our results, one row of them for each row of arguments."""
    options = {"reduction": "none"} if kernel in ("cross_entropy", "bce_with_logits") else {}
    values = getattr(reference, kernel)(*case, dtype=dtype, **options)
    return np.asarray(values).astype(np.float64).reshape(len(case[0]), -1)


def balls(kernel: str, arguments: tuple[Any, ...], precision: int) -> Row:
    """Return the definition's values as balls."""
    with flint.ctx.workprec(precision):
        if kernel in ROWS:
            return ROWS[kernel]([flint.arb(v) for v in arguments[0].tolist()], *arguments[1:])
        return [ELEMENTS[kernel](*(flint.arb(float(a)) for a in arguments))]


def truth(kernel: str, arguments: tuple[Any, ...]) -> tuple[list[float], list[float], Row]:
    """Return the values as pairs of doubles and as balls of at least 140 bits, if they can be had."""
    for precision in PRECISIONS:
        found = balls(kernel, arguments, precision)
        if all(b.rel_accuracy_bits() >= 140 for b in found):
            break
    high = [float(b) for b in found]
    return high, [float(b - h) if math.isfinite(h) else 0.0 for b, h in zip(found, high, strict=True)], found


def unclear(values: np.ndarray, high: np.ndarray, low: np.ndarray, target: Format) -> np.ndarray:
    """Return where a result is not seen to be nearer to the truth than half of a step."""
    unit = np.ldexp(1.0, np.frexp(np.where(values == 0.0, target.tiny, values))[1] - target.precision)
    error = np.abs((values - high) - low)
    normal = np.isfinite(values) & (np.abs(values) > 2 * target.tiny) & (np.abs(values) < target.max)
    # Below a power of two the step is half as long.
    return np.asarray(~(normal & (error < np.where(np.frexp(values)[0] != 0.5, 0.4999999, 0.249) * unit)))


def _rounded(kernel: str, arguments: tuple[Any, ...], i: int, target: Format) -> float | None:
    for precision in PRECISIONS:
        ball = balls(kernel, arguments, precision)[i]
        if ball.is_finite():
            low, high = (exact.round_dyadic(end, target) for end in exact._Flint().ends(ball))
            if low == high:
                return float(low)
    return None  # a midpoint missed by less than 2**-4500: out of reach for this check


class Number:
    """An mpmath number that is spelled as arb's are."""

    def __init__(self, value: Any) -> None:
        self.value = CONTEXT.mpf(value)

    def exp(self) -> Number:
        return Number(CONTEXT.exp(self.value))

    def log(self) -> Number:
        return Number(CONTEXT.log(self.value))

    def __float__(self) -> float:
        return float(self.value)

    def __neg__(self) -> Number:
        return Number(-self.value)

    def __gt__(self, other: int) -> bool:
        return bool(self.value > other)


def _binary(operator: str) -> Callable[[Number, Any], Number]:
    return lambda a, b: Number(getattr(a.value, operator)(CONTEXT.mpf(b.value if isinstance(b, Number) else b)))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(Number, f"__{_name}__", _binary(f"__{_name}__"))


def second_opinion(kernel: str, arguments: tuple[Any, ...], true: Row) -> bool:
    """Return whether mpmath agrees with arb to 100 bits."""
    return any(_agrees(kernel, arguments, true, precision) for precision in OPINIONS)


def _agrees(kernel: str, arguments: tuple[Any, ...], true: Row, precision: int) -> bool:
    CONTEXT.prec = precision
    if kernel in ROWS:
        found = ROWS[kernel]([Number(v) for v in arguments[0].tolist()], *arguments[1:])
    else:
        found = [ELEMENTS[kernel](*(Number(float(a)) for a in arguments))]
    for ours, theirs in zip(true, found, strict=True):
        if ours.rel_accuracy_bits() < 140:
            continue
        man, exp = ours.mid().man_exp()
        middle = CONTEXT.ldexp(CONTEXT.mpf(int(man)), int(exp))
        if not abs(middle - theirs.value) <= abs(theirs.value) * CONTEXT.mpf(2) ** -100:
            return False
    return True


def campaign(count: int, kernels: tuple[str, ...], dtypes: tuple[str, ...], state: pathlib.Path | None) -> None:
    """Run what has not been run yet, and print the sums."""
    done: dict[str, list[int]] = {}
    if state is not None and state.exists():
        done = {e["key"]: e["counts"] for e in map(json.loads, state.read_text().splitlines())}
    print(f"Misrounded results ({count} random values and all hard ones), against arb; mpmath differs")
    for dtype in dtypes:
        for kernel in kernels:
            sums = np.zeros(3, dtype=int)
            for number, (category, case) in enumerate(batches(kernel, dtype, count)):
                key = f"{kernel} {dtype} {count} {number}"
                if key not in done:
                    done[key] = _batch(kernel, dtype, category, case)
                    if state is not None:
                        with state.open("a") as file:
                            file.write(json.dumps({"key": key, "counts": done[key]}) + "\n")
                sums += done[key]
            print(f"  {dtype:9} {kernel:16} {sums[0]} of {sums[1]}; {sums[2]}", flush=True)


def _batch(kernel: str, dtype: str, category: str, case: Case) -> list[int]:
    target = FORMATS[dtype]
    with np.errstate(all="ignore"):
        values = got(kernel, case, dtype)
        rows = list(zip(*case, strict=True))
        true = [truth(kernel, arguments) for arguments in rows]
        high, low = (np.array([t[i] for t in true]).reshape(values.shape) for i in (0, 1))
        wrong = 0
        for i, j in np.argwhere(unclear(values, high, low, target)).tolist():
            want = _rounded(kernel, rows[i], j, target)
            if want is not None and want != values[i, j]:
                wrong += 1
                print(f"    {category}: {kernel}{rows[i]!r} in {dtype} is {values[i, j]!r}, not {want!r}")
        differs = sum(not second_opinion(kernel, rows[i], true[i][2]) for i in range(0, len(rows), SECOND_OPINION))
    return [wrong, values.size, differs]
