"""The shortcuts of rows: every constant of their bounds, and the same bits as the ladder that they cut short."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import elements, evaluation, fast, fused, judge
from pytest_lse.reference.layout import pose

CONTEXT = mpmath.MPContext()
CONTEXT.prec = 400
NAMES = ("logsumexp", "softmax", "log_softmax")
rng = np.random.default_rng(0)


def exact(*parts):
    return [sum((CONTEXT.mpf(float(p[i])) for p in parts), CONTEXT.mpf(0)) for i in range(len(parts[0]))]


def worst(found, truth):
    return max(float(abs(f - t) / abs(t)) for f, t in zip(found, truth, strict=True))


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, fused.LIMIT + 11])
def test_exp(size):
    x = np.concatenate([rng.uniform(-size, size, 1500), [0.0, size, -size, np.log(2.0) / 8192]])
    rest = rng.uniform(-1, 1, len(x)) * 2.0**-43
    for tail in (None, rest):
        high, low = (p.copy() for p in fused.exp_pair(x, tail))
        truth = [CONTEXT.exp(v) for v in (exact(x) if tail is None else exact(x, tail))]
        assert 2.0**-79 < worst(exact(high, low), truth) < fused.exp_error(size)
        assert (np.abs(low) < 2.0**-27 * high).all()
    if size < fast.LIMIT:
        assert 2.0**-46 < worst(exact(fast.exp(x)), [CONTEXT.exp(v) for v in exact(x)]) < fast.exp_error(size)


def test_exp_is_continuous_where_the_table_changes():
    """The worst arguments of the polynomial: half way between two entries."""
    x = (np.arange(-3000, 3000) + 0.5) * (np.log(2.0) / 4096)
    high, low = fused.exp_pair(x)
    assert worst(exact(high, low), [CONTEXT.exp(v) for v in exact(x)]) < fused.exp_error(1.0)
    assert worst(exact(fast.exp(x)), [CONTEXT.exp(v) for v in exact(x)]) < fast.exp_error(1.0)


@pytest.mark.parametrize(("n", "spread"), [(2, 1.0), (100, 5.0), (1000, 30.0), (65536, 3.0)])
def test_sums(n, spread):
    high, low = (p.copy() for p in fused.exp_pair(rng.normal(size=(3, n)) * spread))
    for i, (head, tail) in enumerate(zip(*fused.row_sums(high, low), strict=True)):
        truth = sum(map(Fraction, high[i].tolist())) + sum(map(Fraction, low[i].tolist()))
        assert abs(Fraction(head) + Fraction(tail) - truth) < Fraction(fused.sum_error(n)) * truth
        # The heads are a sum without roundings: a multiple of the grid that is at most a few units from the truth.
        assert abs(Fraction(head) - truth) < truth * Fraction(2.0**-27)


@np.errstate(all="ignore")
def test_reciprocals_and_logarithms():
    heads = np.exp(rng.uniform(-300, 300, 2000))
    tails = heads * rng.uniform(-1, 1, 2000) * 2.0**-28
    truth = exact(heads, tails)
    _, first, second = fused.reciprocal(heads, tails)
    assert worst(exact(first, second), [1 / t for t in truth]) < 2.0**-75.8
    assert (first.view(np.int64) & (2**27 - 1) == 0).all()
    high, low = fused.log_pair(heads, tails)
    errors = [abs(f - CONTEXT.log(t)) for f, t in zip(exact(high, low), truth, strict=True)]
    assert 2.0**-80 < float(max(errors)) < fused.exp_error(320.0) + fused.LOG
    assert np.isnan(fused.log_pair(np.array([np.inf]), np.zeros(1))[1]).all()


def ladder(name, x, target):
    problem = pose(name, (x,), None, -1)
    with np.errstate(all="ignore"):
        levels = evaluation._levels(target, evaluation.SIDE.get(name, 0))
        return evaluation._climb(evaluation.call_of(problem, "stable"), (x,), levels, True)[0]


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits_as_the_ladder(bench, name, dtype):
    """On hard rows and on random ones; and whatever the shortcut leaves open is few of the ordinary ones."""
    target = FORMATS[dtype]
    kinds = (("random", 30, 1), ("random", 30, 5), ("wide", 30, 70), ("wide", 2, 40))
    random = [(kind, evaluation.narrow(rng.normal(size=(40, n)) * scale, target)) for kind, n, scale in kinds]
    for category, x in (*bench.grid.rows(dtype, longest=300), *random):
        if x.shape[1] == 1:
            continue
        expected = ladder(name, x, target)
        for pairs in (False, True):
            found = fast.first(name, x, target, pairs)
            open_ = np.concatenate([*found.open, []]).astype(int)
            rows = np.setdiff1d(np.arange(len(x)), open_)
            assert np.array_equal(found.rounded[rows].astype(float), expected.rounded[rows]), category
            assert category != "random" or len(open_) < 0.1 * len(x) + 1
        if target.precision == 53:
            gap = np.abs((found.high - expected.high) + (found.low - expected.low))[rows]
            size = np.abs(expected.high[rows])
            close = gap <= 2.0**-70 * (size if name == "softmax" else 1.0 + size)
            assert (close | (found.high[rows] == expected.high[rows])).all(), category


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_odd_rows_among_ordinary_ones(name, dtype):
    """A row does not notice its neighbours, whatever they hold."""
    x = rng.normal(size=(8, 3))
    x[1, 0], x[2, 1], x[3], x[4, 2], x[5], x[6] = np.nan, np.inf, -np.inf, -np.inf, [3e4, 0, -3e4], [-400.0, 0, 300.0]
    x = evaluation.narrow(x, FORMATS[dtype])
    function = getattr(reference, name)
    whole = function(x, dtype=dtype).astype(float)
    alone = np.stack([function(row, dtype=dtype) for row in x]).astype(float)
    assert np.array_equal(whole, alone, equal_nan=True)


def test_rows_that_have_no_shortcut():
    for shape in ((3, 1), (0, 3), (2, fused.LONGEST + 1)):
        assert fast.first("softmax", np.zeros(shape), FORMATS["float64"], False) is None
    assert fast.first("sigmoid", np.zeros((2, 3)), FORMATS["float64"], False) is None


@pytest.mark.parametrize("name", NAMES)
def test_blocks_do_not_change_anything(name, monkeypatch):
    x = rng.normal(size=(40, 7))
    whole = [getattr(reference, name)(x, dtype=d) for d in FORMATS]
    monkeypatch.setattr(fused, "BLOCK", 16)
    again = [getattr(reference, name)(x, dtype=d) for d in FORMATS]
    assert all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))


@np.errstate(all="ignore")
def test_a_wrong_bound_would_be_seen(monkeypatch):
    """With a bound that is too small something is decided wrongly: the comparison above can fail."""
    for constant in ("EXP", "EXP_SLOPE", "LOG", "QUOTIENT"):
        monkeypatch.setattr(fused, constant, 0.0)
    monkeypatch.setattr(fused, "sum_error", lambda n: 0.0)
    x = np.array([[0.0, -36.7368005696771], [-np.log(2.0), -np.log(2.0)]])
    found = fast.first("logsumexp", x, FORMATS["float64"], False)
    assert not found.open
    assert not np.array_equal(found.rounded, ladder("logsumexp", x, FORMATS["float64"]).rounded)


def points(target):
    """Numbers of every size, near every edge of the format, and the special ones."""
    edges = (target.log_max, target.log_tiny, target.log_smallest_subnormal, target.log_eps, fast.LIMIT, fused.LIMIT)
    near = np.concatenate([s * e + rng.normal(size=20) for e in edges for s in (-1, 1)])
    sizes = rng.choice([-1.0, 1.0], 300) * 10.0 ** rng.uniform(-20, np.log10(target.max), 300)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, target.max, -target.max, target.tiny, target.smallest_subnormal]
    return evaluation.narrow(np.concatenate([near, sizes, rng.normal(size=300) * 5, special]), target)


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus", "logaddexp"])
def test_elements_have_the_same_bits(name, dtype, monkeypatch):
    target = FORMATS[dtype]
    x = points(target)
    arguments = (x, rng.permutation(x)) if name == "logaddexp" else (x,)
    if name == "logaddexp":
        close = evaluation.narrow(x + rng.normal(size=len(x)), target)
        arguments = (np.concatenate([x, x, x]), np.concatenate([arguments[1], close, x]))
    found = elements.first(name, arguments, target, False)
    if found is None:
        assert dtype == "float64"
        assert name != "sigmoid"
        return
    whole = [getattr(reference, name)(*arguments, dtype=dtype), judge(name, arguments, dtype=dtype).outputs[0]]
    monkeypatch.setattr(evaluation, "shortcut", lambda *args, **kwargs: None)
    expected = getattr(reference, name)(*arguments, dtype=dtype).astype(float)
    assert np.array_equal(whole[0].astype(float), expected, equal_nan=True)
    assert np.array_equal(whole[1].expected.astype(float), expected, equal_nan=True)
    closed = np.setdiff1d(np.arange(len(expected)), np.concatenate([*found.open, []]))
    assert np.array_equal(found.rounded[closed].astype(float), expected[closed])
    ordinary = np.flatnonzero(np.abs(arguments[0][closed]) < 20)
    assert len(ordinary) > 300
    assert not np.signbit(whole[0]).any() or name in ("log_sigmoid", "logaddexp", "softplus")
    # The values before rounding, which the comparison uses.
    with np.errstate(all="ignore"):
        gap = (
            np.abs(whole[1].exact[0] + whole[1].exact[1] - expected) <= 2.0 * target.u * np.abs(expected) + target.tiny
        )
    assert (gap | ~np.isfinite(expected)).all()


def test_blocks_of_elements(monkeypatch):
    x = rng.normal(size=100) * 5
    before = [reference.sigmoid(x, dtype=d) for d in FORMATS]
    monkeypatch.setattr(elements, "BLOCK", 16)
    assert all(np.array_equal(reference.sigmoid(x, dtype=d), b) for d, b in zip(FORMATS, before, strict=True))
    assert elements.first("sigmoid", (np.zeros(0),), FORMATS["float32"], False) is None


@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_are_canonical_already(name):
    """Contiguous float64 and float32 take the shortest way, and get the same bits as any other array."""
    function = getattr(reference, name)
    for dtype in ("float64", "float32"):
        for x in (
            rng.normal(size=(2, 3, 5)) * 5,
            rng.normal(size=7),
            rng.normal(size=(3, 4)) * 300 + 1e4,
            np.zeros((2, 1)),
        ):
            x = x.astype(dtype)
            got = function(x)
            assert got.dtype == x.dtype
            assert np.array_equal(got, function(np.asfortranarray(np.stack([x, x]))[::1], dtype=dtype)[0])
    assert function(np.zeros((0, 3), np.float32)).shape == ((0,) if name == "logsumexp" else (0, 3))
    row = np.float32([3e38, -3e38, 3e38])
    assert np.array_equal(function(row), function(row.tolist(), dtype="float32"))
