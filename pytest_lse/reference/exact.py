"""Arbitrary precision with enclosures: python-flint's balls when installed, else mpmath's intervals.

Every number is a ball that contains the true value, so that a result which rounds to one number of the output format
at both ends is proved to be correctly rounded. `refine` raises the precision until that holds.
"""

from __future__ import annotations

import importlib.util
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.reference.arrays import Array, Operand
from pytest_lse.reference.namespace import Namespace

_flint_lock = threading.RLock()
PRECISIONS = (160, 400, 1200, 3600)


class Exact(Namespace):
    """Balls of a given precision, as elements of object arrays."""

    def __init__(self, backend: Any, blur: float = 0.0) -> None:
        self.backend = backend
        self._make = np.frompyfunc(backend.make, 1, 1)
        self._lifted = self._make if not blur else np.frompyfunc(lambda v: backend.blurred(v, blur), 1, 1)
        self._functions = {
            n: np.frompyfunc(getattr(backend, n), 1, 1) for n in ("exp", "expm1", "log", "log1p", "sqrt")
        }
        self._divide = np.frompyfunc(backend.divide, 2, 1)
        self._multiply = np.frompyfunc(backend.multiply, 2, 1)
        self._compare = np.frompyfunc(backend.compare, 2, 1)

    def lift(self, values: np.ndarray) -> Array:
        return Array(self, (objects(self._lifted(values)),))

    def asarray(self, x: Operand, dtype: object = None) -> Array:
        # A constant of the formula is what it is: only the arguments are blurred.
        return x if isinstance(x, Array) else self._constant(np.asarray(x, dtype=np.float64))

    def _constant(self, values: np.ndarray) -> Array:
        return Array(self, (objects(self._make(values)),))

    @property
    def pi(self) -> Array:
        return Array(self, (objects(self.backend.pi()),))

    def _value(self, x: Operand) -> np.ndarray:
        return self.asarray(x).parts[0]  # type: ignore[no-any-return]

    def add(self, a: Operand, b: Operand) -> Array:
        return Array(self, (objects(self._value(a) + self._value(b)),))

    def subtract(self, a: Operand, b: Operand) -> Array:
        return Array(self, (objects(self._value(a) - self._value(b)),))

    def multiply(self, a: Operand, b: Operand) -> Array:
        return Array(self, (objects(self._multiply(self._value(a), self._value(b))),))

    def divide(self, a: Operand, b: Operand) -> Array:
        return Array(self, (objects(self._divide(self._value(a), self._value(b))),))

    def negative(self, x: Operand) -> Array:
        return Array(self, (objects(-self._value(x)),))

    def exp(self, x: Operand) -> Array:
        return self._apply("exp", x)

    def expm1(self, x: Operand) -> Array:
        return self._apply("expm1", x)

    def log(self, x: Operand) -> Array:
        return self._apply("log", x)

    def log1p(self, x: Operand) -> Array:
        return self._apply("log1p", x)

    def sqrt(self, x: Operand) -> Array:
        return self._apply("sqrt", x)

    def _apply(self, name: str, x: Operand) -> Array:
        return Array(self, (objects(self._functions[name](self._value(x))),))

    def compare(self, a: Operand, b: Operand) -> np.ndarray:
        return np.asarray(self._compare(self._value(a), self._value(b)), dtype=np.float64)

    def _sum_last(self, x: Array) -> Array:
        if x.shape[-1] == 0:
            return self.lift(np.zeros(x.shape[:-1]))
        return Array(self, (objects(np.add.reduce(x.parts[0], axis=-1)),))

    def _order(self, x: Array, axis: int) -> np.ndarray:
        middle = np.asarray(np.frompyfunc(self.backend.key, 1, 1)(x.parts[0]))
        return np.expand_dims(np.argmax(middle, axis=axis), axis)

    def radii(self, x: Array) -> np.ndarray:
        """Return half the width of every ball, inf where it is not bounded."""
        return np.asarray(np.frompyfunc(_radius, 1, 1)(self.bounds(x)), dtype=np.float64)

    def bounds(self, x: Array) -> np.ndarray:
        """Return both ends of every ball as dyadic numbers, an object array of (low, high)."""
        return objects(np.frompyfunc(self.backend.ends, 1, 1)(x.parts[0]))


def _radius(ends: tuple[Any, Any]) -> float:
    low, high = ends
    if isinstance(low, float) or isinstance(high, float):
        return 0.0 if low == high else math.inf
    (a, i), (b, j) = low, high
    k = min(i, j)
    if max(i, j) - k > 40000:
        return max(abs(round_dyadic(end, FORMATS["float64"])) for end in ends)
    return round_dyadic(((b << (j - k)) - (a << (i - k)), k - 1), FORMATS["float64"])


def objects(values: Any) -> np.ndarray:
    """Return an array of objects, of no dimension if there is one object only."""
    if isinstance(values, np.ndarray):
        return values
    result = np.empty((), dtype=object)
    result[()] = values
    return result


class _Flint:
    def __init__(self) -> None:
        import flint

        self.arb = flint.arb
        self.zero, self.infinity, self.undefined = flint.arb(0), flint.arb("inf"), flint.arb("nan")

    def make(self, value: float) -> Any:
        return self.arb(float(value))

    def blurred(self, value: float, relative: float) -> Any:
        value = float(value)
        return self.arb(value, abs(value) * relative) if math.isfinite(value) else self.arb(value)

    def pi(self) -> Any:
        return self.arb.pi()

    def exp(self, x: Any) -> Any:
        return x.exp()

    def expm1(self, x: Any) -> Any:
        return x.expm1()

    def log(self, x: Any) -> Any:
        return -self.infinity if x == 0 else x.log()

    def log1p(self, x: Any) -> Any:
        return -self.infinity if x == -1 else x.log1p()

    def sqrt(self, x: Any) -> Any:
        return x.sqrt()

    def multiply(self, a: Any, b: Any) -> Any:
        return a * b

    def divide(self, a: Any, b: Any) -> Any:
        if b == 0 and not a.contains(0):
            return self.infinity if a > 0 else -self.infinity
        return a / b if b.is_finite() or not a.is_finite() else self.zero

    def compare(self, a: Any, b: Any) -> float:
        if a < b:
            return -1.0
        if a > b:
            return 1.0
        if a.is_nan() or b.is_nan():
            return math.nan
        if a.is_finite() and b.is_finite():
            gap = (a - b).mid()
            return 0.0 if gap == 0 else (1.0 if gap > 0 else -1.0)
        return 0.0

    def key(self, x: Any) -> Any:
        return x.mid()

    def spread(self, x: Any, size: Any, relative: float) -> Any:
        return x + size * self.arb(0, relative) if x.is_finite() and size.is_finite() else x

    def magnitude(self, x: Any) -> Any:
        return abs(x.mid())

    def joined(self, a: Any, b: Any, relative: float, absolute: float) -> Any:
        total = a + b
        middle, radius, size = total.mid(), total.rad(), abs(a.mid()) + abs(b.mid())
        if not total.is_finite() or size == 0:
            return total
        limit = max(radius * abs(middle) / size, abs(middle) * relative + absolute, key=lambda v: v.mid())
        return self.arb(middle, limit.mid()) if radius > limit else total

    def ends(self, x: Any) -> tuple[Any, Any]:
        if x.is_finite():
            man, exp = x.mid().man_exp()
            radius, scale = x.rad().man_exp()
            return _ends(int(man), int(exp), int(radius), int(scale))
        middle = x.mid()  # -inf plus a ball is -inf; a ball of infinite radius is anything
        if x.is_nan() or middle.is_finite():
            return math.nan, math.nan
        return (math.inf, math.inf) if middle > 0 else (-math.inf, -math.inf)


def _ends(man: int, exp: int, radius: int, scale: int) -> tuple[Any, Any]:
    if radius == 0:
        return (man, exp), (man, exp)
    if man == 0:
        return (-radius, scale), (radius, scale)
    low = min(exp, scale)
    if max(exp, scale) - low > 20000:  # one of the two is negligible by thousands of bits
        if exp > scale:
            man, exp, radius, scale = man << 4000, exp - 4000, 1, exp - 4000
            low = exp
        else:
            return (-radius - 1, scale), (radius + 1, scale)
    man, radius = man << (exp - low), radius << (scale - low)
    return (man - radius, low), (man + radius, low)


class _Mpmath:
    def __init__(self, precision: int) -> None:
        from mpmath.ctx_iv import MPIntervalContext

        self.context = MPIntervalContext()
        self.context.prec = precision
        self.one, self.zero = self.context.mpf(1), self.context.mpf(0)

    def make(self, value: float) -> Any:
        return self.context.mpf(float(value))

    def blurred(self, value: float, relative: float) -> Any:
        return self.context.mpf(float(value)) * self.context.mpf([1.0 - relative, 1.0 + relative])

    def pi(self) -> Any:
        return +self.context.pi

    def exp(self, x: Any) -> Any:
        return self.context.exp(x)

    def expm1(self, x: Any) -> Any:
        return self._widened(x, lambda y: self.context.exp(y) - self.one)

    def log(self, x: Any) -> Any:
        return self.context.log(x) if x.a >= 0 else self.context.mpf(["-inf", "inf"])

    def log1p(self, x: Any) -> Any:
        return self._widened(x, lambda y: self.log(self.one + y))

    def _widened(self, x: Any, function: Callable[[Any], Any]) -> Any:
        """Evaluate with as many more bits as the number 1 swallows of x."""
        finite = math.isfinite(float(x.mid)) if x.mid == x.mid else False
        extra = 0
        if finite and x.mid != 0:
            _, _, exp, bits = x._mpi_[0] if x.a != 0 else x._mpi_[1]
            extra = min(max(0, -(exp + bits)), 8000)
        self.context.prec += extra
        try:
            return function(x)
        finally:
            self.context.prec -= extra

    def sqrt(self, x: Any) -> Any:
        return self.context.sqrt(x)

    def multiply(self, a: Any, b: Any) -> Any:
        return a * b

    def divide(self, a: Any, b: Any) -> Any:
        return a / b

    def compare(self, a: Any, b: Any) -> float:
        if a.b < b.a:
            return -1.0
        if a.a > b.b:
            return 1.0
        first, second = self.key(a), self.key(b)
        return float((first > second) - (first < second))

    def key(self, x: Any) -> Any:
        # An infinite interval has no middle; the two that occur are -inf and inf themselves.
        return x.a if x.mid is None else x.mid

    def _finite(self, x: Any) -> bool:
        return x.mid is not None and bool(x.delta < self.context.inf)

    def spread(self, x: Any, size: Any, relative: float) -> Any:
        return x + size * self.context.mpf([-relative, relative]) if self._finite(x) and self._finite(size) else x

    def magnitude(self, x: Any) -> Any:
        return abs(self.key(x))

    def joined(self, a: Any, b: Any, relative: float, absolute: float) -> Any:
        total = a + b
        if not (self._finite(a) and self._finite(b)):
            return total
        middle, radius, size = total.mid, total.delta / 2, abs(a.mid) + abs(b.mid)
        if size == 0:
            return total
        limit = max(radius * abs(middle) / size, abs(middle) * relative + absolute, key=lambda v: v.mid)
        return middle + limit * self.context.mpf([-1, 1]) if radius > limit else total

    def ends(self, x: Any) -> tuple[Any, Any]:
        return tuple(_dyadic(end) for end in x._mpi_)


def _dyadic(number: Any) -> Any:
    sign, man, exp, _ = number
    if man == 0 and exp != 0:
        return {-456: math.inf, -789: -math.inf}.get(exp, math.nan)
    return (-int(man) if sign else int(man)), int(exp)


@cache
def _default_backend() -> str:
    return "flint" if importlib.util.find_spec("flint") else "mpmath"


@contextmanager
def arithmetic(
    precision: int, backend: str | None = None, blur: float = 0.0, make: Callable[[Any], Exact] | None = None
) -> Iterator[Exact]:
    """Give an exact namespace of that many bits.

    Parameters
    ----------
    precision : int
        Bits of the working precision.
    backend : {"flint", "mpmath"}, optional
        Default: flint when it is installed.
    blur : float
        Relative radius of the numbers that are lifted from float64.
    make : callable, optional
        Makes another namespace of the backend.
    """
    if (backend or _default_backend()) == "mpmath":
        mp = _Mpmath(precision)
        yield make(mp) if make else Exact(mp, blur)
        return
    import flint

    with _flint_lock:  # its precision is a global
        before, flint.ctx.prec = flint.ctx.prec, precision
        try:
            yield make(_Flint()) if make else Exact(_Flint(), blur)
        finally:
            flint.ctx.prec = before


def round_dyadic(number: Any, target: Format) -> float:
    """Round a dyadic number (mantissa, exponent) to nearest, ties to even, once."""
    if isinstance(number, float):
        return number
    man, exp = number
    if man == 0:
        return 0.0
    size = abs(man)
    top = size.bit_length() + exp
    if top > target.emax + 1:
        return math.inf if man > 0 else -math.inf
    unit = max(top - target.precision, target.emin - target.precision + 1)
    shift = unit - exp
    if shift <= 0:
        size <<= -shift
    elif shift > size.bit_length() + 1:
        size = 0
    else:
        quotient, rest = size >> shift, size & ((1 << shift) - 1)
        half = 1 << (shift - 1)
        size = quotient + (rest > half or (rest == half and quotient & 1 == 1))
    result = math.ldexp(size, unit)
    result = math.inf if result > target.max else result
    return result if man > 0 else -result


def _split(number: Any) -> tuple[float, float]:
    """Return the two leading doubles of a dyadic number."""
    wide = FORMATS["float64"]
    high = round_dyadic(number, wide)
    if isinstance(number, float) or math.isinf(high):
        return high, 0.0
    man, exp = number
    numerator, denominator = high.as_integer_ratio()
    scale = denominator.bit_length() - 1
    low = min(exp, -scale)
    rest = (man << (exp - low)) - (numerator << (-scale - low)) if exp - low < 20000 else 0
    return high, round_dyadic((rest, low), wide)


def settle(low: Any, high: Any, target: Format, last: bool, side: int = 0) -> tuple[float, float, float] | None:
    """Return (rounded, high part, low part) if both ends of a ball round alike, else None.

    At the last precision the middle decides: the value is then within 2**-1000 of a midpoint, hence on it, or on the
    known side of it (1 above, -1 below) by an exponential too small to see.
    """
    if isinstance(low, float) or isinstance(high, float):
        same = low == high or (low != low and high != high)
        return (low, low, 0.0) if same else ((math.nan, math.nan, 0.0) if last else None)
    first, second = round_dyadic(low, target), round_dyadic(high, target)
    (a, i), (b, j) = low, high
    k = min(i, j)
    if max(i, j) - k > 40000:
        middle = low if i > j else high
    else:
        middle = ((a << (i - k)) + (b << (j - k)), k - 1)
    if first != second:
        if not last:
            return None
        first = round_dyadic(((middle[0] << 4000) + side, middle[1] - 4000), target)
    return (first, *_split(middle))
