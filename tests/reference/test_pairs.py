"""Every constant of the pairs and of plain exp (docs/error-bounds.md, section 1.6), against arbitrary precision."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from pytest_lse.reference import element_pairs, pairs, powers, row_pairs, singles
from pytest_lse.reference.rounding import storage

CONTEXT = mpmath.MPContext()
CONTEXT.prec = 400
rng = np.random.default_rng(0)


def exact(*parts):
    return [sum((CONTEXT.mpf(float(p[i])) for p in parts), CONTEXT.mpf(0)) for i in range(len(parts[0]))]


def worst(found, truth):
    return max(float(abs(f - t) / abs(t)) for f, t in zip(found, truth, strict=True))


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, pairs.LIMIT + 11])
def test_exp(size):
    x = np.concatenate([rng.uniform(-size, size, 1500), [0.0, size, -size, np.log(2.0) / 8192]])
    rest = rng.uniform(-1, 1, len(x)) * 2.0**-43
    for tail in (None, rest):
        high, low = (p.copy() for p in pairs.exp_pair(x, tail))
        truth = [CONTEXT.exp(v) for v in (exact(x) if tail is None else exact(x, tail))]
        assert 2.0**-79 < worst(exact(high, low), truth) < pairs.exp_error(size)
        assert (np.abs(low) < 2.0**-27 * high).all()
    if size < singles.LIMIT:
        assert 2.0**-47 < worst(exact(singles.exp(x)), [CONTEXT.exp(v) for v in exact(x)]) < singles.exp_error(size)


def test_exp_is_continuous_where_the_table_changes():
    """The worst arguments of the polynomial: half way between two entries."""
    x = (np.arange(-6000, 6000) + 0.5) * (np.log(2.0) / 8192)
    high, low = pairs.exp_pair(x)
    assert worst(exact(high, low), [CONTEXT.exp(v) for v in exact(x)]) < pairs.exp_error(1.0)
    assert worst(exact(singles.exp(x)), [CONTEXT.exp(v) for v in exact(x)]) < singles.exp_error(1.0)


def test_the_integers_of_the_tables():
    found = powers.powers()
    some = [0, 1, 2, 1000, 2048, 4095]
    assert all(abs(found[j] - CONTEXT.mpf(2) ** (CONTEXT.mpf(j) / 4096) * powers.ONE) < 20_000 for j in some)
    assert 0 <= CONTEXT.ln2 * powers.ONE - powers.log2() < 100


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_exp_of_every_number_of_16_bits(name):
    found = singles.every_exp(storage(name))
    x = np.arange(2**16, dtype=np.uint16).view(storage(name)).astype(np.float64)
    fit = np.abs(x) <= singles.LIMIT
    assert np.isnan(found[~fit]).all()
    assert (np.abs(found[fit] / np.exp(x[fit]) - 1.0) < singles.exp_error(singles.LIMIT)).all()


@pytest.mark.parametrize(("n", "spread"), [(2, 1.0), (100, 5.0), (1000, 30.0), (65536, 3.0)])
def test_sums(n, spread):
    high, low = (p.copy() for p in pairs.exp_pair(rng.normal(size=(3, n)) * spread))
    for i, (head, tail) in enumerate(zip(*pairs.row_sums(high, low), strict=True)):
        truth = sum(map(Fraction, high[i].tolist())) + sum(map(Fraction, low[i].tolist()))
        assert abs(Fraction(head) + Fraction(tail) - truth) < Fraction(pairs.sum_error(n)) * truth
        # The heads are a sum without roundings: a multiple of the grid that is at most a few units from the truth.
        assert abs(Fraction(head) - truth) < truth * Fraction(2.0**-27)


@np.errstate(all="ignore")
def test_reciprocals_and_logarithms():
    heads = np.exp(rng.uniform(-300, 300, 2000))
    tails = heads * rng.uniform(-1, 1, 2000) * 2.0**-28
    truth = exact(heads, tails)
    _, first, second = pairs.reciprocal(heads, tails)
    assert worst(exact(first, second), [1 / t for t in truth]) < 2.0**-75.8
    assert (first.view(np.int64) & (2**27 - 1) == 0).all()
    high, low = pairs.log_pair(heads, tails)
    errors = [abs(f - CONTEXT.log(t)) for f, t in zip(exact(high, low), truth, strict=True)]
    assert 2.0**-80 < float(max(errors)) < pairs.exp_error(320.0) + pairs.LOG
    assert np.isnan(pairs.log_pair(np.array([np.inf]), np.zeros(1))[1]).all()


@pytest.mark.parametrize("n", [2, 3, 100, 4096])
def test_running_sums(n):
    high, low = (p.copy() for p in pairs.exp_pair(rng.normal(size=(n, 2)) * 20))
    terms = [[Fraction(high[i, j]) + Fraction(low[i, j]) for i in range(n)] for j in (0, 1)]
    heads, tails = pairs.prefix_sums(high, low)
    for j in (0, 1):
        total = Fraction(0)
        for i in range(n):
            total += terms[j][i]
            assert abs(Fraction(heads[i, j]) + Fraction(tails[i, j]) - total) < Fraction(pairs.prefix_error(n)) * total


def test_log1p():
    k = np.arange(-2047, 4096)
    for high in (
        rng.uniform(-0.5, 1.0, 3000),
        10.0 ** rng.uniform(-130, -3, 1000) * rng.choice([-1, 1], 1000),
        10.0 ** rng.uniform(-5, -2, 3000) * rng.choice([-1, 1], 3000),
        (k + 0.5) / 4096,  # half way between two entries of the table
        (k + 0.4999999) / 4096,
        np.array([1.0, -0.5, 2.0**-462]),
    ):
        low = high * rng.uniform(-1, 1, len(high)) * 2.0**-27.01
        found = [p.copy() for p in pairs.log1p_pair(high.copy(), low.copy())]
        truth = [CONTEXT.log1p(v) for v in exact(high, low)]
        assert worst(exact(*found), truth) < pairs.LOG1P
        assert (np.abs(found[1]) < 2.0**-24 * np.abs(found[0])).all()
        assert worst(exact(singles.log1p(high.copy())), [CONTEXT.log1p(v) for v in exact(high)]) < singles.LOG1P
    assert singles.log1p(np.zeros(1)).tolist() == [0.0]
    assert [p.tolist() for p in pairs.log1p_pair(np.zeros(1), np.zeros(1))] == [[0.0], [0.0]]


def test_the_table_of_log1p():
    """What its proof uses: short reciprocals, arguments that are small beside the result, exact logarithms."""
    table, heads, tails = pairs.reciprocals()
    k = np.concatenate([np.arange(4097), np.arange(-2048, 0)])
    c, logs = table[k], heads[k]
    assert ((c * 4096) % 1.0 == 0.0).all()
    assert ((c >= 0.5) & (c <= 2.0)).all()
    some = rng.integers(0, len(k), 500)
    truth = [-CONTEXT.log(CONTEXT.mpf(v)) for v in c[some].tolist()]
    error = [abs(f - t) for f, t in zip(exact(logs[some], tails[k][some]), truth, strict=True)]
    assert max(error) < 2.0**-106
    for end in (-0.5, 0.5):
        y = np.clip((k + end) / 4096, -0.5, 1.0)
        r, log = np.abs((1.0 + y) * c - 1.0), np.abs(np.log1p(y))
        inside = (y != 0.0) & (k != 0)
        assert r.max() < 2.0**-11.6
        assert (r <= 1.001 * log)[inside].all()
        assert (r <= 0.51 * np.abs(logs))[inside].all()
        assert (r[inside] ** 2 / 3 * r[inside] / log[inside]).max() < 2.0**-27.4


def test_the_table_of_the_sigmoid():
    heads, tails = element_pairs._sigmoids()
    last = int(element_pairs.STEPS * element_pairs.END)
    k = rng.integers(-last, last, 300)
    truth = [1 / (1 + CONTEXT.exp(-CONTEXT.mpf(int(i)) / element_pairs.STEPS)) for i in k]
    assert worst(exact(heads[k], tails[k]), truth) < 2.0**-72
    x = np.concatenate([rng.uniform(-24, 24, 1500), (k + 0.5) / element_pairs.STEPS, [24.0, -24.0, 0.0]])
    high, low, margin = (v.copy() for v in element_pairs.interpolated_sigmoid(x)[:3])
    truth = [1 / (1 + CONTEXT.exp(-v)) for v in exact(x)]
    assert 2.0**-62 < worst(exact(high, low), truth) < element_pairs.SIGMOID * 0.99
    error = [abs(f - t) for f, t in zip(exact(high, low), truth, strict=True)]
    assert (np.array(error, dtype=float) < margin).all()
    assert (margin < high * (element_pairs.SIGMOID * (1.0 - high) * 1.001 + element_pairs.TABLE * 1.001)).all()
    assert np.isnan(element_pairs.interpolated_sigmoid(np.array([24.01, -1e300, np.nan]))[1]).all()


@np.errstate(all="ignore")
@pytest.mark.parametrize(
    "name", ["softplus", "log_sigmoid", "sigmoid", "logaddexp", "logsubexp", "log1mexp", "bce_with_logits"]
)
def test_margins_of_elements(name):
    """The value before rounding is within its margin, and the margin of ordinary ones is small."""
    context = mpmath.MPContext()
    context.prec = 600
    x = np.concatenate([rng.normal(size=400) * 5, rng.normal(size=200) * 200, 10.0 ** rng.uniform(-20, 2, 200)])
    y = np.where(rng.random(800) < 0.5, rng.normal(size=800) * 5, x * (1 + 10.0 ** rng.uniform(-15, -1, 800)))

    def softplus(v):
        return context.log1p(context.exp(-abs(v))) + max(v, 0)

    def log1mexp(v):
        return context.log(-context.expm1(v))

    definitions = {
        "softplus": softplus,
        "log_sigmoid": lambda v: -softplus(-v),
        "sigmoid": lambda v: 1 / (1 + context.exp(-v)),
        "logaddexp": lambda a, b: a + softplus(b - a),
        "logsubexp": lambda a, b: a + log1mexp(b - a),
        "log1mexp": log1mexp,
        "bce_with_logits": lambda v, t: t * softplus(-v) + (1 - t) * softplus(v),
    }
    arguments = {
        "logaddexp": (x, y),
        "logsubexp": (np.maximum(x, y), np.minimum(x, y)),
        "log1mexp": (-np.abs(x),),
        "bce_with_logits": (
            x,
            np.concatenate([rng.random(400), rng.integers(0, 2, 200), 10.0 ** rng.uniform(-9, 0, 200)]),
        ),
    }.get(name, (x,))
    high, low, margin = (np.array(v) for v in getattr(element_pairs, name)(*arguments)[:3])
    truth = [definitions[name](*map(context.mpf, row)) for row in zip(*(a.tolist() for a in arguments), strict=True)]
    small = 0
    for h, lo, m, t in zip(high.tolist(), low.tolist(), margin.tolist(), truth, strict=True):
        if np.isnan(h + lo):
            continue
        assert abs(context.mpf(h) + context.mpf(lo) - t) <= m
        small += m < 2.0**-60 * (abs(t) + 2.0**-60)
    assert small > 500


def test_logarithms_of_lengths():
    for n in (2, 3, 100, 65536):
        high, low = row_pairs._log(n)
        assert abs(CONTEXT.mpf(high) + CONTEXT.mpf(low) - CONTEXT.log(n)) < 2.0**-105 * high
