"""What the strategies for users give, and what they refuse."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.errors import InvalidArgument

from pytest_lse import regimes
from pytest_lse import strategies as lst
from pytest_lse.dtypes import FORMATS

DTYPES = ("float64", "float32", "float16")


def smallest(strategy, condition=lambda value: True):
    return hypothesis.find(strategy, condition, settings=settings(max_examples=2000, database=None))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("domain", regimes.DOMAINS)
def test_logits_keep_their_dtype_and_domain(dtype, domain):
    @settings(max_examples=100, database=None)
    @given(lst.logits(dtype=dtype, domain=domain))
    def check(x):
        assert x.dtype == dtype
        assert x.ndim == 1
        assert 1 <= x.size <= 8
        assert not np.isnan(x).any()
        if domain == "finite":
            assert np.isfinite(x).all()
        if domain != "extended":
            assert not np.isposinf(x).any()
        if domain in ("finite", "masked"):
            assert not np.isneginf(x).all()

    check()


def test_logits_reach_every_regime():
    seen = set()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(lst.logits(dtype="float64"))
    def check(x):
        finite = x[np.isfinite(x)]
        seen.add("masked" if finite.size < x.size else "finite")
        if finite.max() > 710:
            seen.add("overflow")
        if finite.max() < -745:
            seen.add("underflow")
        if finite.max() > 1e100:
            seen.add("far")

    check()
    assert seen == {"masked", "finite", "overflow", "underflow", "far"}


def test_logits_shrink_to_one_benign_value():
    assert smallest(lst.logits()).tolist() == [0.0]


def test_a_failing_array_shrinks_to_two_values():
    def overflows(x):
        with np.errstate(over="ignore"):
            return x.size > 1 and np.isinf(np.exp(x)).any()

    assert smallest(lst.logits(), overflows).size == 2


def test_shapes():
    assert smallest(lst.logits(shape=(2, 3))).shape == (2, 3)
    assert smallest(lst.logits(shape=4)).shape == (4,)
    assert smallest(lst.logit_batches(shape=(3, 2))).shape == (3, 2)
    assert smallest(lst.logit_batches()).shape == (1, 1)
    assert smallest(lst.soft_labels(shape=(2, 3))).shape == (2, 3)
    assert smallest(lst.masks(shape=(2, 3))).shape == (2, 3)
    assert smallest(lst.labels(classes=3, size=5)).shape == (5,)


def test_a_bound_on_the_magnitude():
    @settings(max_examples=100, database=None)
    @given(lst.logits(dtype="float64", max_magnitude=50, domain="finite"))
    def check(x):
        assert np.abs(x).max() <= 50

    check()


def test_regimes_can_be_chosen():
    @settings(max_examples=50, database=None)
    @given(lst.logits(regimes=["far_below"]))
    def check(x):
        assert (x < -100).all()

    check()


def test_labels():
    @settings(max_examples=50, database=None)
    @given(lst.labels(classes=3, ignore_index=-100))
    def check(y):
        assert y.dtype == np.int64
        assert set(y.tolist()) <= {0, 1, 2, -100}

    check()
    assert smallest(lst.labels(classes=3)).tolist() == [0]
    assert smallest(lst.labels(classes=2, ignore_index=-1), lambda y: (y == -1).all()).tolist() == [-1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_distributions_sum_to_one(dtype):
    eps = FORMATS[dtype].eps

    @settings(max_examples=100, database=None)
    @given(
        lst.probabilities(dtype=dtype), lst.soft_labels(shape=(2, 4), dtype=dtype), lst.log_probabilities(dtype=dtype)
    )
    def check(p, soft, logs):
        assert p.dtype == soft.dtype == logs.dtype == dtype
        assert abs(math.fsum(p.astype(float)) - 1) <= 8 * eps
        assert (abs(soft.astype(float).sum(-1) - 1) <= 8 * eps).all()
        assert (soft >= 0).all()
        assert abs(np.exp(logs.astype(float)).sum() - 1) <= 8 * eps

    check()


def test_probabilities_without_zeros():
    @settings(max_examples=100, database=None)
    @given(lst.probabilities(zeros=False), lst.log_probabilities(zeros=False))
    def check(p, logs):
        assert (p > 0).all()
        assert np.isfinite(logs).all()

    check()


def test_masks_keep_something_unless_told_otherwise():
    @settings(max_examples=100, database=None)
    @given(lst.masks(shape=(2, 3)))
    def check(mask):
        assert mask.dtype == bool
        assert mask.any(-1).all()

    check()
    assert smallest(lst.masks(shape=(2, 3))).all()
    assert not smallest(lst.masks(shape=(2, 3), domain="log_space"), lambda m: not m.any(-1).all()).all()


def test_temperatures_are_positive():
    @settings(max_examples=100, database=None)
    @given(lst.temperatures(min_value=0.1, max_value=10))
    def check(t):
        assert t.shape == ()
        assert np.float32(0.1) <= t <= 10

    check()
    assert smallest(lst.temperatures()) == 1


def test_attention_inputs_fit_together():
    @settings(max_examples=100, database=None)
    @given(lst.attention_inputs(dtype="float32"))
    def check(arrays):
        q, k, v, mask = arrays
        assert q.shape[1] == k.shape[1]
        assert len(k) == len(v)
        assert mask.shape == (len(q), len(k))
        assert mask.any(-1).all()
        assert np.isfinite(q @ k.T).all()

    check()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: lst.logits(dtype="int32"), "dtype"),
        (lambda: lst.logits(domain="everything"), "domain"),
        (lambda: lst.logits(regimes=["nonsense"]), "nonsense"),
        (lambda: lst.logits(regimes=[]), "regimes is empty"),
        (lambda: lst.logits(min_size=0), "min_size"),
        (lambda: lst.logits(min_size=3, max_size=2), "min_size"),
        (lambda: lst.logits(shape=(0,)), "shape"),
        (lambda: lst.logits(max_magnitude=0), "max_magnitude"),
        (lambda: lst.logit_batches(shape=(2,)), "two sizes"),
        (lambda: lst.labels(classes=0), "classes"),
        (lambda: lst.masks(domain="finite"), "domain"),
        (lambda: lst.temperatures(min_value=0), "min_value"),
        (lambda: lst.attention_inputs(max_keys=0), "max_keys"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(InvalidArgument, match=says):
        make()
