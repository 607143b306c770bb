"""Wrong results that say what is wrong with them."""

import math

import numpy as np
import pytest
import scipy.special

from pytest_lse import StabilityError, assert_stable
from pytest_lse.assertions.cases import Case, Draft
from pytest_lse.assertions.recognised import recognised


def made(shape, dtype="float32"):
    return Case((np.zeros(shape, dtype),), Draft((), ()), dtype)


def message(fn, kernel, **options):
    with pytest.raises(StabilityError) as caught:
        assert_stable(fn, kernel, **options)
    return " ".join(str(caught.value).split())


@pytest.mark.parametrize(
    ("shape", "got", "expected", "said"),
    [
        ((3,), 3.0, 1.0, "3 times what it should be, as if a sum of 3 numbers"),
        ((3,), 0.5, 1.5, "1/3 times what it should be, as if a mean of 3 numbers"),
        ((2, 5), 2.0, 0.4, "5 times what it should be, as if a sum of 5 numbers"),
        ((3,), -0.7, 0.7, "-1 times what it should be, as if its sign were lost"),
        ((3,), 0.5 / math.log(2), 0.5, "1.44 times what it should be, as if the logarithm were to base 2"),
        ((3,), 2.0 + math.log(3), 2.0, "log(3) too large, as if a sum and a mean of 3 numbers were confused"),
        ((3,), 2.0 - math.log(3), 2.0, "log(3) too small"),
        ((3,), -2.0 - 0.5 * math.log(2 * math.pi), -2.0, "log(2 pi) / 2 too small"),
    ],
)
def test_factors_and_terms(shape, got, expected, said):
    assert said in recognised(made(shape), got, expected, mean=False)


def test_what_is_not_certain_is_not_said():
    """Neither what fits roughly, nor what two explanations fit, nor a factor of nothing."""
    assert not recognised(made((3,)), 3.01, 1.0, mean=False)
    assert not recognised(made((3,)), 0.0, 0.0, mean=False)
    assert not recognised(made(()), 3.0, 1.0, mean=False)
    # Twice log(2) is both a sum for a mean and a missing log(2), but not for a mean over everything.
    assert not recognised(made((2,)), 2 * math.log(2), math.log(2), mean=False)
    assert "as if a sum of 2" in recognised(made((2,)), 2 * math.log(2), math.log(2), mean=True)


def test_in_messages():
    def bits(x):
        return scipy.special.entr(scipy.special.softmax(x, axis=-1)).sum(-1) / np.asarray(math.log(2), x.dtype)

    def summed(x, t):
        return np.sum(np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))))

    assert "as if the logarithm were to base 2" in message(bits, "entropy")
    assert "as if a sum of 2 numbers were taken for their mean" in message(summed, "bce_with_logits", domain="finite")


def test_a_lost_axis_is_explained():
    def lost(x):
        top = x.max(-1)
        return top + np.log(np.exp(x - top).sum(-1))

    text = message(lost, "logsumexp", ndim=2)
    assert "keepdims=True" in text
    assert "regime benign (ordinary values)" in text


def test_integers_that_cannot_hold_the_result():
    def truncated(x):
        result = np.zeros_like(x)
        result[...] = scipy.special.softmax(x.astype(np.result_type(x, np.float32)), axis=-1)
        return result if x.dtype.kind == "f" else result / 1.0

    assert "An integer array cannot hold the result" in message(truncated, "softmax", claims=("int",))


def test_the_regime_of_probabilities_is_that_of_their_logits():
    def clipped(p):
        p = np.clip(p, 1e-9, 1.0)
        return -(p * np.log(p)).sum(-1)

    assert "(of their logits: " in message(clipped, "entropy_from_probs")


def test_arguments_beside_the_first_make_the_regime():
    def linear(log_init, log_trans, log_emit):
        alpha = np.exp(log_init + log_emit[0])
        for emitted in log_emit[1:]:
            alpha = alpha @ np.exp(log_trans) * np.exp(emitted)
        return np.log(alpha.sum())

    assert "regime huge_spread" in message(linear, "hmm_log_likelihood", domain="finite", regimes="benign")


def test_a_fix_knows_the_parameters_or_is_not_offered():
    def naive(logits, labels):
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).mean()

    assert "fix -scipy.special.log_softmax(logits, axis=-1)" in message(naive, "cross_entropy", domain="finite")
    assert " fix " not in message(naive, "cross_entropy", domain="finite", params={"label_smoothing": 0.1})
