"""Corners of textbook code: which gradients are right at exactly 0, or at a tie."""

import numpy as np
import pytest

from pytest_lse.reference import judge


def gradient(name, *arguments, strict=False, cotangent=None, **params):
    arrays = tuple(np.asarray(a, np.float64) for a in arguments)
    return judge(name, arrays, params, dtype="float64", strict=strict, gradients=True, cotangent=cotangent).gradient


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("sigmoid", [0.0, 0.25]),
        ("softplus_grad", [0.0, 0.25]),
        ("log_sigmoid", [0.0, 0.5, 1.0]),
        ("softplus", [0.0, 0.5, 1.0]),
    ],
)
def test_a_subgradient_passes_at_zero_and_nowhere_else(name, answers):
    for x in (0.0, -0.0):
        for answer in answers:
            assert gradient(name, [x]).compare([answer]).ok.all()
        assert not gradient(name, [x]).compare([np.nan]).ok.any()
        assert not gradient(name, [x]).compare([-0.125]).ok.any()
    elsewhere = gradient(name, [0.0, 1e-3])
    for answer in answers:
        assert not elsewhere.compare([elsewhere.expected[0], answer]).ok.all()


@pytest.mark.parametrize("pos_weight", [1.0, 3.0])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_the_one_sided_limits_of_a_binary_cross_entropy_pass_at_zero(target, pos_weight):
    # (maximum(x, 0) - x t) has the slope -t below 0 and 1 - t above; the mean of two elements halves it.
    truth = gradient("bce_with_logits", [0.0, 2.0], [target, 1.0], cotangent=np.array(4.0), pos_weight=pos_weight)
    rest = truth.expected[1]
    for answer in (2.0 * (1.0 - target), -2.0 * pos_weight * target):
        assert truth.compare([answer, rest]).ok.all()
    assert not truth.compare([3.0, rest]).ok.all()
    assert not truth.compare([truth.expected[0], 2.0 * rest]).ok.all()


def test_a_tie_of_logaddexp_may_go_to_either_side():
    truth = gradient("logaddexp", [3.0, 3.0, 3.0], [3.0, 3.0, 3.5])
    rest = truth.expected[2]
    assert truth.compare([0.0, 1.0, rest]).ok.all()
    assert not truth.compare([0.25, 0.5, rest]).ok.all()
    assert not truth.compare([0.5, 0.5, 0.0]).ok.all()


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "log_sigmoid"])
def test_the_strict_level_asks_for_the_derivative(name):
    truth = gradient(name, [0.0], strict=True)
    assert truth.compare(truth.expected).ok.all()
    assert not truth.compare([0.0]).ok.any()


def test_a_kernel_without_corners_has_one_gradient():
    assert not gradient("softmax", [0.0, 0.0]).alternatives
