"""Every constant of the error analysis (docs/error-bounds.md), against arbitrary precision."""

import mpmath
import numpy as np
import pytest

from pytest_lse.reference import doubledouble as dd
from pytest_lse.reference.arrays import Array

N = 400
CONTEXT = mpmath.MPContext()
CONTEXT.prec = 500
rng = np.random.default_rng(0)
xp = dd.DoubleDouble()


def pair(high, error=None):
    return Array(xp, (high, high * rng.uniform(-1, 1, high.shape) * 2.0**-54, error))


def value(array, i):
    high, low, _ = array.parts
    return CONTEXT.mpf(float(high[i])) + (0 if low is None else CONTEXT.mpf(float(low[i])))


def worst(result, truth):
    """Return the largest relative error, and the largest ratio of error to bound."""
    relative, ratio = 0.0, 0.0
    for i in range(len(result.parts[0])):
        exact = truth(i)
        error = abs(value(result, i) - exact)
        relative = max(relative, float(error / abs(exact)) if exact else 0.0)
        bound = 0.0 if result.parts[2] is None else result.parts[2][i] * dd.UNIT
        ratio = max(ratio, float(error / bound) if bound else (np.inf if error else 0.0))
    return relative, ratio


def spread(low, high):
    return rng.choice([-1.0, 1.0], N) * 10.0 ** rng.uniform(low, high, N) * rng.uniform(1, 10, N)


def test_two_sum_and_two_product_are_exact():
    a, b = spread(-10, 10), spread(-10, 10)
    for (s, e), exact in (
        (dd.two_sum(a, b), lambda i: CONTEXT.mpf(a[i]) + CONTEXT.mpf(b[i])),
        (dd.two_product(a, b), lambda i: CONTEXT.mpf(a[i]) * CONTEXT.mpf(b[i])),
    ):
        assert all(CONTEXT.mpf(s[i]) + CONTEXT.mpf(e[i]) == exact(i) for i in range(N))


@pytest.mark.parametrize(("name", "constant"), [("add", dd.ADD), ("multiply", dd.MULTIPLY), ("divide", dd.DIVIDE)])
def test_arithmetic(name, constant):
    a, b = pair(spread(-8, 8)), pair(spread(-8, 8))
    if name == "add":  # cancellation too: the bound is relative to the result
        b.parts[0][: N // 2] = -a.parts[0][: N // 2] * (1 + rng.uniform(-1, 1, N // 2) * 2.0**-40)
        b = Array(xp, (b.parts[0], b.parts[0] * rng.uniform(-1, 1, N) * 2.0**-54, None))
    operation = {"add": CONTEXT.fadd, "multiply": CONTEXT.fmul, "divide": CONTEXT.fdiv}[name]
    relative, ratio = worst(getattr(xp, name)(a, b), lambda i: operation(value(a, i), value(b, i)))
    assert 0 < relative <= constant * dd.UNIT
    assert ratio <= 1


def test_exact_operations_have_no_error():
    a = np.array([3.0, 1e300, 0.5])
    b = np.array([1.0, -1e-300, 2.0])
    assert xp.add(a, b).parts[2] is None
    assert xp.multiply(a, 2.0).parts[2] is None
    assert xp.divide(a, 2.0).parts[2].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "constant", "arguments"),
    [
        ("exp", dd.EXP, lambda: rng.uniform(-600, 700, N)),
        ("exp", dd.EXP, lambda: spread(-20, 0)),
        ("expm1", dd.EXPM1, lambda: spread(-300, -4)),
        ("expm1", 2.0**-73 / dd.UNIT, lambda: rng.uniform(-40, 700, N)),
        ("log", None, lambda: 10.0 ** rng.uniform(-250, 250, N)),
        ("log", None, lambda: 1 + spread(-15, -1)),
        ("log1p", 2.0**-73 / dd.UNIT, lambda: 10.0 ** rng.uniform(-290, 250, N)),
        ("log1p", 2.0**-73 / dd.UNIT, lambda: rng.uniform(-0.99, 3, N)),
        ("sqrt", dd.SQRT, lambda: 10.0 ** rng.uniform(-250, 250, N)),
    ],
)
@pytest.mark.parametrize("with_low", [False, True])
def test_functions(name, constant, arguments, with_low):
    high = arguments()
    x = pair(high) if with_low else xp.lift(high)
    context = mpmath.MPContext()
    context.prec = 1500
    with np.errstate(all="ignore"):
        result = getattr(xp, name)(x)
    relative, ratio = worst(result, lambda i: getattr(context, name)(context.mpf(value(x, i))))
    assert ratio <= 1
    assert constant is None or relative <= constant * dd.UNIT


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "exp", "expm1", "log", "log1p", "sqrt"])
def test_errors_of_the_arguments_are_carried(name):
    """A true value anywhere inside the arguments' bounds stays inside the result's."""
    high = rng.uniform(0.5, 3.0, N)
    size = high * 10.0 ** rng.uniform(-25, -3, N)
    other = xp.lift(rng.uniform(0.5, 3.0, N))
    x = Array(xp, (high, None, size / dd.UNIT))
    binary = name in ("add", "multiply", "divide")
    result = getattr(xp, name)(other, x) if binary else getattr(xp, name)(x)
    function = {"add": CONTEXT.fadd, "multiply": CONTEXT.fmul, "divide": CONTEXT.fdiv}.get(name)
    for side in (-1, 1):

        def truth(i, side=side):
            moved = CONTEXT.mpf(high[i]) + side * CONTEXT.mpf(size[i])
            return function(value(other, i), moved) if function else getattr(CONTEXT, name)(moved)

        assert worst(result, truth)[1] <= 1 + 1e-12  # the bound's own roundings: evaluation inflates it by more


def test_products_that_underflow_say_so():
    a, b = spread(-170, -140), spread(-170, -140)
    result = xp.multiply(a, b)
    assert worst(result, lambda i: CONTEXT.mpf(a[i]) * CONTEXT.mpf(b[i]))[1] <= 1
    assert (
        xp.multiply(np.zeros(2), np.ones(2)).parts[2] is None or not xp.multiply(np.zeros(2), np.ones(2)).parts[2].any()
    )


@np.errstate(all="ignore")
def test_exp_at_the_ends_of_the_range():
    x = np.array([-np.inf, -1e4, -746.5, -745.0, -720.0, 709.0, 710.0, np.inf, np.nan])
    high, _, error = xp.exp(x).parts
    assert high[:3].tolist() == [0.0, 0.0, 0.0]
    assert error[0] == 0.0
    assert 0.0 < error[1] <= 2.0**-1012  # in units of 2**-64: below a quarter of the smallest double
    assert worst(xp.exp(x[3:6]), lambda i: CONTEXT.exp(x[3 + i]))[1] <= 1
    assert high[6] == np.inf
    assert error[6] == np.inf  # an overflow proves nothing
    assert (high[7], error[7]) == (np.inf, 0.0)
    assert np.isnan(high[8])


def test_infinities_are_exact_and_overflows_are_not():
    with np.errstate(all="ignore"):
        high, low, error = xp.add(np.array([np.inf, 1.7e308, -np.inf]), np.array([1.0, 1.7e308, 2.0])).parts
        assert (high.tolist(), low.tolist()) == ([np.inf, np.inf, -np.inf], [0.0, 0.0, 0.0])
        assert error.tolist() == [0.0, np.inf, 0.0]
        assert xp.divide(np.array([1.0]), np.array([np.inf])).parts[0].tolist() == [0.0]
        high, _, error = xp.log(np.array([0.0, np.inf, -1.0, 1.0])).parts
        assert high[[0, 1, 3]].tolist() == [-np.inf, np.inf, 0.0]
        assert error[[0, 1, 3]].tolist() == [0.0, 0.0, 0.0]
        assert error[2] == np.inf


def test_sums_of_any_length():
    for n in (0, 1, 2, 7, 100):
        x = rng.normal(size=(3, n))
        result = xp.sum(x, axis=-1)
        for i in range(3):
            exact = CONTEXT.fsum(CONTEXT.mpf(v) for v in x[i])
            bound = 0.0 if result.parts[2] is None else result.parts[2][i] * dd.UNIT
            assert abs(value(result, i) - exact) <= bound


def test_order_looks_at_the_low_parts():
    x = Array(xp, (np.array([1.0, 1.0, 0.0]), np.array([1e-20, 2e-20, 0.0]), None))
    assert xp._order(x, -1).tolist() == [1]
    assert xp.compare(x[0], x[1]).tolist() == -1.0
