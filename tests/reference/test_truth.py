"""The truth: independent formulas agree to the last bit, in every arithmetic and format."""

from functools import partial

import mpmath
import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import evaluation, exact, judge
from pytest_lse.reference.layout import pose
from pytest_lse.reference.rounding import narrow
from pytest_lse.reference.specs import names

KERNELS = names()
WIDE = FORMATS["float64"]


def climb(call, problem):
    with np.errstate(all="ignore"):
        return evaluation._climb(call, evaluation.inputs_of(problem), evaluation._levels(WIDE), False)[0].rounded


@pytest.mark.parametrize("name", KERNELS)
def test_every_spelling_is_the_same_function(name, sample):
    """The naive form equals the stable one in exact arithmetic: that is what the kernel's file claims."""
    problem = pose(name, sample(name), None, -1)
    expected = climb(evaluation.call_of(problem, "stable"), problem)
    for spelling in problem.spec.stable:
        assert np.array_equal(climb(evaluation.call_of(problem, spelling), problem), expected)
    naive = getattr(problem.spec.module, "naive", None)
    if naive is None:
        return
    formula = partial(naive, **problem.spec.bind(naive, problem.params))

    def call(xp, arrays):
        result = formula(xp, *[evaluation.lift(xp, a) for a in arrays])
        return (xp.mean(result) if problem.spec.mean else result,)

    assert np.array_equal(climb(call, problem), expected)


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", KERNELS)
def test_closed_form_gradients_are_the_derivatives(name, sample):
    """Every vjp, for every argument, against differentiation of the formula."""
    problem = pose(name, sample(name), None, -1)
    value = evaluation.values(problem, WIDE)[0]
    weights = problem.cotangent(np.random.default_rng(1).normal(size=value.high.shape), value.high)
    for wrt, array in enumerate(problem.arrays):
        if array.dtype != np.float64 or (name == "focal_loss" and wrt):
            continue  # a focal target is 0 or 1, not a variable
        traced = climb(evaluation.gradient_call(problem, weights, False, "stable", wrt), problem)
        for spelling in problem.spec.vjp:
            assert np.array_equal(
                climb(evaluation.gradient_call(problem, weights, False, spelling, wrt), problem), traced
            ), (spelling, wrt)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_levels_and_backends_agree(name, dtype, sample, monkeypatch):
    """Double-double, flint and mpmath round alike, values and gradients."""
    target = FORMATS[dtype]
    arguments = [narrow(a, target) if a.dtype == float else a for a in sample(name, 2)]
    if name == "gumbel_softmax":
        arguments[1] = np.clip(arguments[1], 0.01, 0.99)
    found = []
    levels = evaluation._levels
    for start, backend in ((0, None), (len(list(levels(target))) - len(exact.PRECISIONS), "mpmath")):
        if backend:
            monkeypatch.setattr(exact, "_default_backend", lambda: "mpmath")
            monkeypatch.setattr(evaluation, "shortcut", lambda *args, **kwargs: None)
            precise = list(levels(target))[start:]
            monkeypatch.setattr(evaluation, "_levels", lambda *args, precise=precise, **options: precise)
        judgement = judge(name, tuple(arguments), dtype=dtype, gradients=True)
        found.append([o.expected.astype(float) for o in (*judgement.outputs, judgement.gradient)])
    for first, second in zip(*found, strict=True):
        assert np.array_equal(first, second, equal_nan=True)


HARD = {
    "logsumexp": [[-np.log(2.0)] * 2, [0.0, -40.0], [0.0, -740.0], [1e15, 1e15 + 2], [1e308, -1e308], [5e-324, 0.0]],
    "softmax": [[0.0, -708.5], [0.0, -744.0], [1e15, 1e15 + 2], [-1e308, 1e308], [3.0, 3.0]],
    "log_softmax": [[0.0, -37.5], [0.0, -745.0], [1e15, 1e15 + 2], [-8e307, 8e307], [-np.log(2.0)] * 2],
    "logmeanexp": [[1.0, 1.0], [1e-300, 0.0], [0.0, -1e-17], [700.0, 720.0]],
    "sigmoid": [[-745.0, -709.0], [36.8, 37.0], [5e-324, -1e-17]],
    "log_sigmoid": [[-745.0, 745.0], [36.8, 37.0], [700.0, 1e-300]],
    "softplus": [[-745.0, 745.0], [-36.8, 37.0], [20.5, 33.3]],
    "logcumsumexp": [[-1e4, 0.0], [0.0, -40.0], [1e15, 1e15 + 2]],
}


def mp_truth(name, row, context):
    x = [context.mpf(float(v)) for v in row]
    exps = [context.exp(v) for v in x]
    total = context.fsum(exps)
    return {
        "logsumexp": lambda: [context.log(total)],
        "softmax": lambda: [e / total for e in exps],
        "log_softmax": lambda: [v - context.log(total) for v in x],
        "logmeanexp": lambda: [context.log(total / len(x))],
        "sigmoid": lambda: [1 / (1 + context.exp(-v)) for v in x],
        "log_sigmoid": lambda: [-context.log(1 + context.exp(-v)) for v in x],
        "softplus": lambda: [context.log(1 + context.exp(v)) for v in x],
        "logcumsumexp": lambda: [context.log(context.fsum(exps[: i + 1])) for i in range(len(x))],
    }[name]()


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_hard_rows_against_plain_mpmath(name, dtype, backend):
    """A second opinion without any of our formulas: the definition, at 6,000 bits, rounded by hand."""
    target = FORMATS[dtype]
    context = mpmath.MPContext()
    context.prec = 6000
    for row in HARD[name]:
        with np.errstate(over="ignore"):
            x = np.clip(narrow(np.array(row), target), -target.max, target.max)
        got = np.atleast_1d(getattr(reference, name)(x.astype(dtype))).astype(float)
        for value, truth in zip(got, mp_truth(name, x, context), strict=True):
            sign, man, exp, _ = truth._mpf_
            assert value == exact.round_dyadic(((-1) ** sign * int(man), int(exp)), target), (row, value)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_midpoints_missed_by_an_invisible_exponential(dtype, backend):
    """x_j - max is a midpoint, the logarithm a hair below it: rounding to even would be wrong half of the time."""
    target = FORMATS[dtype]
    for odd in (1, 3, 5):
        scale = 2.0 ** min(40, target.emax - 2 - target.precision)
        low = -(2.0**target.precision + 2 * (odd // 2)) * scale  # its unit in the last place is 2 scale
        row = np.array([0.0 if odd == 1 else scale * (odd % 4), low])
        gap = int(row.min() / scale) - int(row.max() / scale)
        got = reference.log_softmax(row, dtype=dtype).astype(float)[row.argmin()]
        below = exact.round_dyadic((gap * 2**4000 - 1, int(np.log2(scale)) - 4000), target)
        assert got == below
    loss = reference.cross_entropy(row[None], [int(row.argmin())], dtype=dtype)
    assert float(loss) == -below


@pytest.mark.parametrize("axis", [0, 1, -1, 2])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "logcumsumexp", "entropy"])
def test_axes(name, axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    function = getattr(reference, name)
    moved = np.moveaxis(x, axis, -1)
    expected = function(moved)
    got = function(x, axis=axis)
    assert np.array_equal(got, np.moveaxis(expected, -1, axis) if expected.ndim == 3 else expected)
    gradient = judge(name, (x,), dtype="float64", axis=axis, gradients=True).gradient.expected
    assert gradient.shape == x.shape
    along_last = judge(name, (moved,), dtype="float64", gradients=True).gradient.expected
    assert np.array_equal(np.moveaxis(gradient, axis, -1), along_last)


def test_keepdims_integers_and_empty_axes():
    assert reference.logsumexp([[1, 2], [3, 4]], keepdims=True).shape == (2, 1)
    assert reference.logsumexp([1, 2]).dtype == np.float64
    assert reference.logsumexp(np.zeros((2, 0))).tolist() == [-np.inf, -np.inf]
    assert reference.softmax(np.zeros((2, 0), dtype=np.float32)).shape == (2, 0)
    assert reference.entropy(np.zeros((0, 3))).shape == (0,)
    assert reference.logsumexp(np.float16([1, 2])).dtype == np.float16


def test_bfloat16_without_ml_dtypes(monkeypatch):
    from pytest_lse.reference import rounding

    x = np.array([1.0, 2.0, 3.0])
    with_it = reference.softmax(x, dtype="bfloat16")
    monkeypatch.setattr(rounding.importlib.util, "find_spec", lambda name: None)
    rounding.storage.cache_clear()
    try:
        without = reference.softmax(x, dtype="bfloat16")
    finally:
        rounding.storage.cache_clear()
    assert without.dtype == np.float32
    assert np.array_equal(without.astype(float), with_it.astype(float))


def test_rounding_happens_once():
    """Casts from float64 to bfloat16 go through float32 elsewhere and round twice."""
    assert narrow(np.array([1 + 2.0**-8 + 2.0**-30]), FORMATS["bfloat16"]).tolist() == [1.0078125]
    assert narrow(np.array([1 + 2.0**-11 + 2.0**-40]), FORMATS["float16"]).tolist() == [1.0009765625]
    for target in FORMATS.values():
        midpoint = np.array([1.0 + target.u])
        above = evaluation.round_sum(midpoint, np.array([2.0**-100]), target)
        below = evaluation.round_sum(midpoint, np.array([-(2.0**-100)]), target)
        assert (above.tolist(), below.tolist()) == ([1.0 + target.eps] if target.precision < 53 else [1.0], [1.0])


@pytest.mark.parametrize("kernel", ["logmeanexp", "logcumsumexp", "softplus"])
def test_blocks_do_not_change_anything(kernel, monkeypatch):
    x = np.random.default_rng(0).normal(size=(40, 7))
    whole = getattr(reference, kernel)(x)
    monkeypatch.setattr(evaluation, "BLOCK", 16)
    assert np.array_equal(getattr(reference, kernel)(x), whole)


def test_long_rows():
    x = np.concatenate([[0.0], np.full(99_999, -17.5)]).astype(np.float32)
    truth = np.log1p(99_999 * np.exp(-17.5))
    assert reference.logsumexp(x) == np.float32(truth)
    assert reference.logsumexp(np.zeros(70_000, dtype=np.float16)) == np.float16(np.log(70_000))


@pytest.mark.parametrize("name", KERNELS)
def test_gradients_are_slopes(name, sample):
    """Every argument that can be varied, against differences of correctly rounded values: nothing is differentiated."""
    arguments = [np.array(a) for a in sample(name, 5)]
    if name == "gumbel_softmax":
        arguments[1] = np.clip(arguments[1], 0.1, 0.9)
    first = reference.evaluate(name, tuple(arguments))
    first = first[0] if isinstance(first, tuple) else first
    weights = np.random.default_rng(2).normal(size=first.shape)

    def total(changed):
        found = reference.evaluate(name, tuple(changed))
        return float((weights * (found[0] if isinstance(found, tuple) else found)).sum())

    for wrt, array in enumerate(arguments):
        if array.dtype != np.float64 or (name == "focal_loss" and wrt):
            continue
        gradient = reference.vjp(name, tuple(arguments), weights, wrt=wrt)
        assert gradient.shape == array.shape
        for index in list(np.ndindex(array.shape))[:4]:
            step = np.zeros(array.shape)
            step[index] = size = 2.0**-13 * min(1.0, abs(array[index]))
            ahead, behind = (total([*arguments[:wrt], array + s, *arguments[wrt + 1 :]]) for s in (step, -step))
            assert abs((ahead - behind) / (2 * size) - gradient[index]) < 1e-5 * (np.abs(gradient).max() + 1.0)


def test_gradients_of_broadcast_arguments_are_added_up():
    rng = np.random.default_rng(0)
    x, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 1))
    full = np.broadcast_to(b, x.shape)
    each = reference.vjp("logaddexp", (x, full), wrt=1)
    np.testing.assert_allclose(reference.vjp("logaddexp", (x, b), wrt=1), each.sum((0, 2))[:, None], rtol=1e-14)
    np.testing.assert_allclose(reference.vjp("logaddexp", (x, 0.5), wrt=1).shape, ())
    assert np.array_equal(reference.vjp("logaddexp", (x, b)), reference.vjp("logaddexp", (x, full)))
    t = np.abs(b) + 1.0
    for axis in (0, 1, -1):
        weights = rng.normal(size=x.shape)
        tempered = reference.vjp("softmax_with_temperature", (x, t), weights, axis=axis, wrt=1)
        each = reference.vjp("softmax_with_temperature", (x, np.broadcast_to(t, x.shape)), weights, axis=axis, wrt=1)
        np.testing.assert_allclose(tempered, each.sum((0, 2))[:, None], rtol=1e-12)
