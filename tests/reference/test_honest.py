"""The tolerance of a formula of one's own: honest algorithms are inside, bugs outside, on inputs that are hard."""

import numpy as np
import pytest

from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import Kernel, exact, judge, tolerance
from pytest_lse.reference.honest import Honest


def log_sum_exp(z):
    top = z.max()
    return top + np.log(np.exp(z - top).sum())


def log_softmax(z):
    shifted = z - z.max()
    return shifted - np.log(np.exp(shifted).sum())


def tree(z):
    return z[0] if len(z) == 1 else np.logaddexp(tree(z[: len(z) // 2]), tree(z[len(z) // 2 :]))


def naive_kl(a, b, t, floor=0.0):
    p, q = np.exp(a / t) / np.exp(a / t).sum(), np.exp(b / t) / np.exp(b / t).sum()
    return t * t * (p * (np.log(p + floor) - np.log(q + floor))).sum()


def sure_kl(a, b, t):
    p = log_softmax(a / t)
    return t * t * (np.exp(p) * (p - log_softmax(b / t))).sum()


def kl_formula(xp, a, b, t):
    p, q = xp.exp(a / t) / xp.sum(xp.exp(a / t)), xp.exp(b / t) / xp.sum(xp.exp(b / t))
    return t * t * xp.sum(p * (xp.log(p) - xp.log(q)))


def rows(*more):
    """Return rows in several regimes, each with the further arguments."""
    rng = np.random.default_rng(0)
    found = [[700.0, 0.0], [0.0, 7.0], [9.0, 9.0, 9.0], [-40.0, 0.5, 30.0], [1000.0, 1001.0], [-2000.0, -2003.0]]
    return [(np.array(x), *more) for x in (*found, rng.normal(size=40), rng.normal(size=40) * 20)]


def soft_minimum(t):
    return [(x, np.array(t)) for (x,) in rows()]


CASES = {
    "soft minimum": (
        lambda xp, x, t: -t * xp.log(xp.sum(xp.exp(-x / t))),
        [lambda x, t: -t * log_sum_exp(-x / t), lambda x, t: -t * tree(-x / t), lambda x, t: -t * log_sum_exp(x / -t)],
        [
            lambda x, t: -t * np.log(np.exp(-x / t).sum()),
            lambda x, t: -t * np.log(np.exp(-np.clip(x / t, -50, 50)).sum()),
            lambda x, t: -t * log_sum_exp(-x / t) + t * x.dtype.type(1e-3),
        ],
        [*soft_minimum(100.0), *soft_minimum(0.01), *soft_minimum(1.0), (np.array([109.861]), np.array(100.0))],
    ),
    "distillation": (
        kl_formula,
        [sure_kl],
        [naive_kl, lambda a, b, t: naive_kl(a, b, t, a.dtype.type(1e-6))],
        [
            (x, np.roll(x, 1) * shrink, np.array(t))
            for (x,) in rows()
            for t in (1.0, 10.0)
            for shrink in (0.0, 0.25, 1.0)
        ],
    ),
    "variance": (
        lambda xp, x: xp.mean(x * x) - xp.mean(x) * xp.mean(x),
        [lambda x: np.square(x - x.mean()).mean(), lambda x: x.var()],
        [lambda x: np.square(x).mean() - x.mean() ** 2],
        [(np.array([0.0, 1.0, 3.0]) + c,) for c in (0.0, 10.0, 3000.0, 1e5)],
    ),
    "complement": (
        lambda xp, x: xp.log(1.0 - xp.exp(-x)),
        [lambda x: np.log(-np.expm1(-x)), lambda x: np.log1p(-np.exp(-x)) if x > 1 else np.log(-np.expm1(-x))],
        [lambda x: np.log(1 - np.exp(-x))],
        [(np.array(x),) for x in (2e-4, 1e-3, 0.1, 1.0, 9.0)],
    ),
    "log cosh": (
        lambda xp, x: xp.log((xp.exp(x) + xp.exp(-x)) / 2.0),
        [lambda x: abs(x) + np.log1p(np.exp(-2 * abs(x))) - x.dtype.type(np.log(2.0)), lambda x: _log_cosh(x)],
        [lambda x: np.log(np.cosh(x))],
        [(np.array(x),) for x in (0.0, 1e-3, 0.5, 9.0, -800.0)],
    ),
    "ranking": (
        lambda xp, x: xp.log(1.0 + xp.sum(xp.exp(x - x[0]))),
        [lambda x: np.logaddexp(x.dtype.type(0), log_sum_exp(x - x[0])), lambda x: log_sum_exp(np.append(x - x[0], 0))],
        [lambda x: np.log1p(np.exp(x - x[0]).sum())],
        [*rows(), (np.array([0.0, 800.0]),)],
    ),
}


def _log_cosh(x):
    small = np.sinh(x / 2)
    return (
        np.log1p(2 * small * small) if abs(x) < 1 else abs(x) + np.log1p(np.exp(-2 * abs(x))) - np.log(x.dtype.type(2))
    )


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_honest_code_is_inside_and_bugs_outside(name, dtype):
    formula, honest, bugs, inputs = CASES[name]
    if dtype == "float64" and name == "variance":
        inputs = [*inputs, (np.array([0.0, 1.0, 3.0]) + 1e9,)]
    if dtype == "float64" and name == "complement":
        inputs = [*inputs, (np.array(1e-12),)]
    kernel = Kernel(formula, args=("a", "b", "c"))
    kernel.spec.args.clear()
    caught = [False] * len(bugs)
    for values in inputs:
        arguments = tuple(v.astype(dtype) for v in values)
        kernel.spec.args.update(dict.fromkeys("abc"[: len(values)], "any"))
        truth = judge(kernel, arguments, dtype=dtype).outputs[0]
        for function in honest:
            got = truth.compare(np.dtype(dtype).type(function(*arguments)))
            assert got.ok, (arguments, float(got.ratio), float(got.ulps))
        for i, function in enumerate(bugs):
            caught[i] |= not truth.compare(np.dtype(dtype).type(function(*arguments))).ok
    assert all(caught), caught


def test_probabilities_stay_relative():
    kernel = Kernel(lambda xp, x: 1.0 - xp.exp(-x), args=("x",), scale="probability")
    truth = judge(kernel, (np.array(1e-9),), dtype="float64").outputs[0]
    assert truth.compare(-np.expm1(-1e-9)).ok
    assert not truth.compare(1 - np.exp(-1e-9)).ok


@pytest.mark.parametrize("strict", [False, True])
def test_gradients(strict):
    kernel = Kernel(lambda xp, x, t: -t * xp.log(xp.sum(xp.exp(-x / t))), args=("x", "t"))
    for x in ([700.0, 0.0], [1e6, 1e6 + 1], [3.0, 4.0, 5.0]):
        x, t = np.array(x, dtype=np.float32), np.float32(100.0)
        p = np.exp(log_softmax(-x / t))
        truth = judge(kernel, (x, t), dtype="float32", gradients=True, strict=strict).gradient
        assert truth.compare(p).ok.all()
        assert not truth.compare(p * np.float32(1.01)).ok.all()


@np.errstate(all="ignore")
def test_every_operation_is_rounded_and_cancellation_is_not_charged(backend):
    arithmetic = tolerance.model(FORMATS["float32"], False)
    u = arithmetic.u

    def radius(formula, *values):
        with exact.arithmetic(200, make=lambda b: Honest(b, arithmetic, 8.0)) as xp:
            return float(xp.radii(formula(xp, *(xp.lift(np.asarray(v)) for v in values))).max())

    near = {"rel": 1e-3}
    assert radius(lambda xp, x: x * x, 3.0) == pytest.approx(9 * u, **near)
    assert radius(lambda xp, x: x / 3.0, 6.0) == pytest.approx(2 * u, **near)
    assert radius(lambda xp, x: xp.sqrt(x), 4.0) == pytest.approx(2 * u, **near)
    assert radius(lambda xp, x: xp.exp(x), 1.0) == pytest.approx(8 * np.e * u, **near)
    assert radius(lambda xp, x: xp.exp(x * 1.0), 50.0) == pytest.approx(58 * u * np.exp(50.0), rel=0.05)
    assert radius(lambda xp, x: xp.sum(x), [1e6, -1e6, 1.0]) == pytest.approx(2 * (2e6 + 1) * u, **near)
    assert radius(lambda xp, x: xp.sum(x), [1e6]) == 0.0
    # (1 + x) - 1: the roundings of 1 + x go with it
    assert radius(lambda xp, x: (1.0 + x) - 1.0, 1e-6) < 12e-6 * u
    # but logarithms keep an absolute error of some roundings, of their own difference only
    assert radius(lambda xp, x: xp.log(x) - xp.log(x), 1e9) == pytest.approx(8 * u, **near)
    assert radius(lambda xp, x: xp.log(x) - 1.0, 1e30) > 500 * u
    assert radius(lambda xp, x: x - x, 0.0) == 0.0
    # infinities pass
    assert radius(lambda xp, x: xp.exp(x) + xp.log(xp.exp(x)) * 0.0 + 1.0, -np.inf) in (0.0, np.inf)
    assert radius(lambda xp, x: xp.pi * x, 0.0) == 0.0


def test_many_outputs_and_labels():
    """More outputs than derivatives are worked out for; and an argument that has no slope."""
    kernel = Kernel(lambda xp, x, labels: x - xp.log(xp.sum(xp.exp(x))) - xp.exp(x)[labels], args=("x", "labels"))
    labels = np.array([1])
    for n in (3, tolerance.DERIVED + 4):
        x = np.random.default_rng(0).normal(size=n)
        truth = judge(kernel, (x, labels), dtype="float64").outputs[0]
        honest = log_softmax(x) - np.exp(x[1])
        assert truth.compare(honest).ok.all()
        assert not truth.compare(honest * (1 + 1e-12)).ok.all()
