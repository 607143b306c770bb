"""The shortcuts: the same bits as the ladder that they cut short."""

import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import decided, evaluation, judge, pairs, row_pairs, shortcut, singles
from pytest_lse.reference.layout import pose
from pytest_lse.reference.rounding import storage

NAMES = ("logsumexp", "softmax", "log_softmax", "logmeanexp", "logcumsumexp")
rng = np.random.default_rng(0)


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
        for both in (False, True):
            found = shortcut.first(name, (x,), target, both)
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
    for shape in ((3, 1), (0, 3), (2, shortcut.LONGEST + 1)):
        assert shortcut.first("softmax", (np.zeros(shape),), FORMATS["float64"], False) is None
    assert shortcut.first("masked_softmax", (np.zeros((2, 3)),), FORMATS["float64"], False) is None


@pytest.mark.parametrize("name", NAMES)
def test_blocks_do_not_change_anything(name, monkeypatch):
    x = rng.normal(size=(40, 7))
    whole = [getattr(reference, name)(x, dtype=d) for d in FORMATS]
    monkeypatch.setattr(shortcut, "ROWS", 16)
    again = [getattr(reference, name)(x, dtype=d) for d in FORMATS]
    assert all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))


@np.errstate(all="ignore")
def test_a_wrong_bound_would_be_seen(monkeypatch):
    """With a bound that is too small something is decided wrongly: the comparison above can fail."""
    for constant in ("LOG", "QUOTIENT"):
        monkeypatch.setattr(row_pairs, constant, 0.0)
    for function in ("sum_error", "exp_error"):
        monkeypatch.setattr(row_pairs, function, lambda n: 0.0)
    x = np.array([[0.0, -36.7368005696771], [-np.log(2.0), -np.log(2.0)]])
    found = shortcut.first("logsumexp", (x,), FORMATS["float64"], False)
    assert not found.open
    assert not np.array_equal(found.rounded, ladder("logsumexp", x, FORMATS["float64"]).rounded)


def points(target):
    """Numbers of every size, near every edge of the format, and the special ones."""
    edges = (target.log_max, target.log_tiny, target.log_smallest_subnormal, target.log_eps, singles.LIMIT, pairs.LIMIT)
    near = np.concatenate([s * e + rng.normal(size=20) for e in edges for s in (-1, 1)])
    sizes = rng.choice([-1.0, 1.0], 300) * 10.0 ** rng.uniform(-20, np.log10(target.max), 300)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, target.max, -target.max, target.tiny, target.smallest_subnormal]
    return evaluation.narrow(np.concatenate([near, sizes, rng.normal(size=300) * 5, special]), target)


def arguments_of(name, target):
    """Complete the points to arguments in and out of the domain of an elementwise kernel."""
    x = points(target)
    if name == "log1mexp":
        return (np.concatenate([-np.abs(x), x]),)
    if name == "bce_with_logits":
        x = np.concatenate([x, x, x])
        kinds = np.stack([rng.random(len(x)), rng.integers(0, 2, len(x)), 10.0 ** rng.uniform(-9, 0, len(x))])
        return x, evaluation.narrow(kinds[rng.integers(3, size=len(x)), np.arange(len(x))], target)
    if name in ("logaddexp", "logsubexp"):
        y = [rng.permutation(x), evaluation.narrow(x + rng.normal(size=len(x)), target), x]
        y += [evaluation.narrow(x * (1.0 + target.eps), target), evaluation.narrow(np.log(-np.expm1(x)), target)]
        a, b = np.concatenate([x] * 5), np.concatenate(y)
        swap = (a < b) & (rng.random(len(a)) < 0.9) & (name == "logsubexp")
        return np.where(swap, b, a), np.where(swap, a, b)
    return (x,)


ELEMENTS = tuple(name for name, kernel in shortcut.KERNELS.items() if not kernel.rows)


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ELEMENTS)
def test_elements_have_the_same_bits(name, dtype, monkeypatch):
    target = FORMATS[dtype]
    arguments = arguments_of(name, target)
    options = {"reduction": "none"} if name == "bce_with_logits" else {}
    found = shortcut.first(name, arguments, target, False)
    judged = judge(name, arguments, options, dtype=dtype).outputs[0]
    quick = getattr(reference, name)(*arguments, dtype=dtype, **options).astype(float)
    monkeypatch.setattr(evaluation, "shortcut", lambda *args, **kwargs: None)
    expected = getattr(reference, name)(*arguments, dtype=dtype, **options).astype(float)
    assert np.array_equal(quick, expected, equal_nan=True)
    assert np.array_equal(judged.expected.astype(float), expected, equal_nan=True)
    closed = np.setdiff1d(np.arange(len(expected)), np.concatenate([*found.open, []]))
    assert np.array_equal(found.rounded[closed].astype(float), expected[closed])
    ordinary = np.flatnonzero(np.abs(arguments[0][closed]) < 20)
    assert len(ordinary) > 300
    assert not (np.signbit(quick) & (expected == 0.0)).any()
    # The values before rounding, which the comparison uses.
    gap = np.abs(judged.exact[0] + judged.exact[1] - expected) <= 2.0 * target.u * np.abs(expected) + target.tiny
    assert (gap | ~np.isfinite(expected)).all()


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_losses_of_rows_have_the_same_bits(bench, dtype, monkeypatch):
    cases = []
    for _, x in bench.grid.rows(dtype, longest=300):
        labels = rng.integers(0, x.shape[1], len(x))
        labels[rng.random(len(x)) < 0.1] = -100
        cases.append((x, labels))
    quick = [reference.cross_entropy(*case, reduction="none", dtype=dtype).astype(float) for case in cases]
    judged = [judge("cross_entropy", case, {"reduction": "none"}, dtype=dtype).outputs[0] for case in cases]
    monkeypatch.setattr(evaluation, "shortcut", lambda *args, **kwargs: None)
    for case, got, output in zip(cases, quick, judged, strict=True):
        expected = reference.cross_entropy(*case, reduction="none", dtype=dtype).astype(float)
        assert np.array_equal(got, expected)
        assert np.array_equal(output.expected.astype(float), expected)


def test_other_losses_have_no_shortcut():
    x, labels = rng.normal(size=(4, 3)), np.array([0, 1, 2, -100])
    plain = reference.cross_entropy(x, labels, reduction="none")
    shifted = reference.cross_entropy(x[:3], labels[:3], reduction="none", ignore_index=1)
    assert np.array_equal(shifted, [plain[0], 0.0, plain[2]])
    assert reference.cross_entropy(x, labels, reduction="sum") == pytest.approx(plain.sum(), rel=1e-15)
    assert reference.cross_entropy(x, labels, reduction="none", weight=np.full(3, 2.0)) == pytest.approx(2 * plain)
    assert not np.array_equal(reference.cross_entropy(x, labels, reduction="none", label_smoothing=0.5), plain)
    y, t = np.array([1.0, -2.0]), np.array([0.25, 0.5])
    weighted = reference.bce_with_logits(y, t, reduction="none", pos_weight=3.0)
    assert weighted == pytest.approx(t * 3 * np.logaddexp(0, -y) + (1 - t) * np.logaddexp(0, y), rel=1e-15)


def test_blocks_of_elements(monkeypatch):
    x = rng.normal(size=100) * 5
    before = [reference.sigmoid(x, dtype=d) for d in FORMATS]
    monkeypatch.setattr(shortcut, "ELEMENTS", 16)
    assert all(np.array_equal(reference.sigmoid(x, dtype=d), b) for d, b in zip(FORMATS, before, strict=True))
    assert shortcut.first("sigmoid", (np.zeros(0),), FORMATS["float32"], False) is None


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
    assert function(np.zeros((0, 3), np.float32)).shape == ((0,) if name in ("logsumexp", "logmeanexp") else (0, 3))
    row = np.float32([3e38, -3e38, 3e38])
    assert np.array_equal(function(row), function(row.tolist(), dtype="float32"))


@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus", "log1mexp"])
def test_large_arrays_of_float16_are_looked_up(name):
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).reshape(2, -1)
    function = getattr(reference, name)
    got, transposed = function(every), function(every.T)
    assert got.dtype == np.float16
    expected = np.concatenate([function(part, dtype="float16") for part in np.split(every, 8, axis=1)], axis=1)
    assert np.array_equal(got, expected, equal_nan=True)
    assert np.array_equal(transposed, expected.T, equal_nan=True)


@np.errstate(all="ignore")
@pytest.mark.parametrize("stored", ["bfloat16", "float32"])
def test_ends_become_bfloat16(stored, monkeypatch):
    """Midpoints, their neighbours, both kinds of zero, subnormal numbers and what overflows: rounded as by `narrow`."""
    target = FORMATS["bfloat16"]
    monkeypatch.setattr(decided, "storage", lambda name: storage(stored))
    top = evaluation.narrow(np.concatenate([rng.normal(size=300), 10.0 ** rng.uniform(-44, 38, 300), [0.0]]), target)
    midpoints = top + np.copysign(np.ldexp(0.5, np.frexp(top)[1] - target.precision), top)
    x = np.concatenate([[top, midpoints, midpoints * (1.0 + 2.0**-40), midpoints * (1.0 - 2.0**-40), -midpoints]])
    x = np.concatenate([x.reshape(-1), [target.max * (1.0 + 2.0**-9), 1e300, -np.inf, np.nan, -1e-60]])
    found = decided.Decided(x.shape, False, target)
    found.between(0, x.copy(), x.copy())
    found.without_negative_zeros()
    expected = evaluation.narrow(x, target) + 0.0
    assert np.array_equal(found.rounded.astype(float), expected, equal_nan=True)
    assert not np.signbit(found.rounded.astype(float)[expected == 0.0]).any()
    assert np.concatenate(found.open).tolist() == [len(x) - 2]  # nan
    wide = decided.Decided(x.shape, False, target)
    wide.between(0, x - 1e-9 * np.abs(x), x + 1e-9 * np.abs(x))
    assert len(np.concatenate(wide.open)) > 300  # midpoints are not decided
