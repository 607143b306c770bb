"""Special values, as the design's section 2 and the module's docstring have them."""

import numpy as np
import pytest

from pytest_lse.reference import judge

inf, nan = np.inf, np.nan


def output(name, *arguments, dtype="float64", **params):
    return judge(name, tuple(np.asarray(a) for a in arguments), params, dtype=dtype).outputs[0]


def gradient(name, *arguments, dtype="float64", **params):
    return judge(name, tuple(np.asarray(a) for a in arguments), params, dtype=dtype, gradients=True).gradient


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("logsumexp", [[-inf, -inf], [-inf, 0.0], [inf, 0.0], [inf, -inf], [nan, inf], [nan, -inf]],
         [-inf, 0.0, inf, inf, nan, nan]),
        ("logmeanexp", [[-inf, -inf], [inf, 0.0], [nan, 0.0]], [-inf, inf, nan]),
        ("softmax", [[0.0, -inf], [nan, 0.0]], [[1.0, 0.0], [nan, nan]]),
        ("log_softmax", [[0.0, -inf], [nan, 0.0]], [[0.0, -inf], [nan, nan]]),
        ("logcumsumexp", [[-inf, -inf, 0.0, inf, 1.0], [-inf, nan, 0.0, inf, 1.0]],
         [[-inf, -inf, 0.0, inf, inf], [-inf, nan, nan, nan, nan]]),
        ("entropy", [[0.0, -inf], [nan, 0.0]], [0.0, nan]),
        ("sigmoid", [-inf, inf, nan], [0.0, 1.0, nan]),
        ("log_sigmoid", [-inf, inf, nan], [-inf, 0.0, nan]),
        ("softplus", [-inf, inf, nan], [0.0, inf, nan]),
        ("sigmoid_grad", [-inf, inf, nan], [0.0, 0.0, nan]),
        ("log1mexp", [-inf, 0.0, nan], [0.0, -inf, nan]),
        ("entropy_from_probs", [[1.0, 0.0], [0.0, 0.0]], [0.0, 0.0]),
    ],
)  # fmt: skip
def test_required(name, x, expected, dtype):
    found = output(name, x, dtype=dtype)
    assert np.array_equal(found.expected.astype(float), expected, equal_nan=True)
    assert found.required.all()
    assert not np.signbit(found.expected.astype(float)[found.expected == 0]).any()
    assert found.compare(np.array(expected)).ok.all()


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [
        ("logaddexp", [-inf, inf, inf, -inf, nan], [-inf, inf, -inf, 0.0, inf], [-inf, inf, inf, 0.0, nan]),
        ("logsubexp", [0.0, 1.0, -inf], [-inf, 1.0, -inf], [0.0, -inf, -inf]),
    ],
)
def test_pairs(name, a, b, expected):
    found = output(name, a, b)
    assert np.array_equal(found.expected, expected, equal_nan=True)
    assert found.required.all()


def test_outside_the_domain_is_not_judged():
    assert not output("logsubexp", [0.0], [1.0]).required.any()
    assert not output("log1mexp", [1.0]).required.any()
    assert not output("softmax", [[-inf, -inf]]).required.any()
    assert not output("log_softmax", [[-inf, -inf]]).required.any()
    assert not output("entropy", [[inf, 0.0]]).required.any()
    assert not output("logmeanexp", np.zeros((2, 0))).required.any()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_plus_infinity_may_be_nan_or_the_limit(name):
    found = output(name, [[inf, 0.0, -inf]])
    limit = [1.0, 0.0, 0.0] if name == "softmax" else [0.0, -inf, -inf]
    for right in (limit, [nan] * 3, [nan, *limit[1:]]):
        assert found.compare(np.array([right])).ok.all()
    assert not found.compare(np.array([[0.5, limit[1], limit[2]]])).ok.all()


def test_masked_softmax():
    found = output("masked_softmax", [[5.0, 1.0], [5.0, nan], [1.0, 2.0], [-inf, 0.0]],
                   np.array([[False, False], [True, False], [True, True], [True, False]]))  # fmt: skip
    assert found.expected[0].tolist() == [0.0, 0.0]
    assert found.required.tolist() == [[True, True], [False, False], [True, True], [False, False]]
    assert not found.compare(np.full((4, 2), nan)).ok[0].any()


def test_attention_without_keys_is_zero():
    q, mask = np.ones((2, 3)), np.array([[False, False], [True, False]])
    judgement = judge("attention", (q, q, np.ones((2, 2)), mask), dtype="float32", gradients=True)
    assert judgement.outputs[0].expected.tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert judgement.gradient.expected[0].tolist() == [0.0, 0.0, 0.0]
    assert judgement.outputs[0].required.all()


def test_merging_two_empty_parts():
    judgement = judge("merge_attention", (np.ones((1, 2)), np.array([-inf]), np.ones((1, 2)), np.array([-inf])),
                      dtype="float64")  # fmt: skip
    assert judgement.outputs[0].expected.tolist() == [[0.0, 0.0]]
    assert judgement.outputs[1].expected.tolist() == [-inf]


def test_gradients_of_nothing_are_zero():
    assert gradient("logsumexp", [[-inf, -inf], [-inf, 0.0]]).expected.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert gradient("logaddexp", [-inf], [-inf]).expected.tolist() == [0.0]
    assert gradient("logcumsumexp", [[-inf, -inf, 0.0]]).expected.tolist() == [[0.0, 0.0, 1.0]]
    found = gradient("logsumexp", [[-inf, -inf]])
    assert found.required.all()
    assert not found.compare(np.full((1, 2), nan)).ok.any()
    assert not gradient("logsumexp", [[inf, 0.0]]).required.any()


def test_cross_entropy():
    masked = output("cross_entropy", [[0.0, -inf]], [1])
    assert (masked.expected, bool(masked.required)) == (inf, True)
    assert output("cross_entropy", [[0.0, -inf]], [0]).expected == 0.0
    assert not output("cross_entropy", [[-inf, -inf]], [0]).required
    for empty in (
        output("cross_entropy", [[0.0, 1.0]], [-100]),
        output("cross_entropy", np.zeros((0, 2)), np.zeros(0, int)),
    ):
        assert empty.compare(np.array(0.0)).ok
        assert empty.compare(np.array(nan)).ok
        assert not empty.compare(np.array(1.0)).ok
    assert np.isnan(output("cross_entropy", [[nan, 1.0]], [0]).expected)
    assert output("cross_entropy", [[nan, 1.0], [0.0, 0.0]], [-100, 0]).required.tolist() is False


def test_losses_of_saturated_logits():
    found = output("bce_with_logits", [-inf, 0.0], [0.0, 1.0])
    assert found.expected == pytest.approx(np.log(2) / 2)
    assert not found.compare(np.array(nan)).ok
    assert output("bce_with_logits", [inf, 0.0], [1.0, 1.0]).compare(np.array(nan)).ok
    assert output("soft_cross_entropy", [[0.0, -inf]], [[1.0, 0.0]]).expected == 0.0
    assert output("focal_loss", [-inf, inf], [0.0, 1.0]).expected.tolist() == [0.0, 0.0]


def test_divergences():
    assert output("kl_divergence_from_probs", [[0.5, 0.5]], [[0.0, 1.0]]).expected.tolist() == [inf]
    assert output("kl_div", [[-inf, 0.0]], [[0.0, 1.0]]).expected.tolist() == [0.0]
    assert output("kl_divergence", [[0.0, 0.0]], [[0.0, -inf]]).expected.tolist() == [inf]
    assert not gradient("kl_divergence", [[0.0, 0.0]], [[0.0, -inf]]).required.any()
    assert gradient("entropy_from_probs", [[0.0, 1.0]]).required.tolist() == [[False, True]]


def test_likelihoods():
    log_probs = np.log(np.full((2, 3), 1 / 3))
    infeasible = judge("ctc_loss", (log_probs, np.array([1, 1])), dtype="float64", gradients=True)
    assert infeasible.outputs[0].expected == inf
    assert not infeasible.gradient.required.any()
    fine = judge("ctc_loss", (log_probs, np.array([1])), dtype="float64", gradients=True).gradient
    assert fine.compare(fine.expected + np.exp(log_probs)).ok.all()  # PyTorch's convention
    states = np.log(np.eye(2) + 1e-300)
    assert (
        output(
            "hmm_log_likelihood", np.array([0.0, -inf]), np.where(states < -1, -inf, states), np.zeros((3, 2))
        ).expected
        == 0
    )


def test_infinities_within_tolerance_of_the_largest_number():
    found = output("logsumexp", [[65504.0, 65504.0]], dtype="float16")
    assert found.expected == 65504
    assert found.compare(np.array([inf])).ok.all()
    assert not found.compare(np.array([-inf])).ok.any()
    assert not output("logsumexp", [[60000.0, 1.0]], dtype="float16").compare(np.array([inf])).ok.any()


def test_compare_reports_errors():
    found = output("softplus", [1.0], dtype="float32")
    exact = found.exact[0][0]
    result = found.compare(np.float32([exact + 64 * 2.0**-23]))
    assert result.ulps[0] == pytest.approx(64, abs=0.6)
    assert result.ratio[0] > 1
    assert not result.ok[0]
    assert found.compare(found.expected).ulps[0] <= 0.5
    with pytest.raises(ValueError, match=r"actual has shape \(2,\): expected \(1,\)"):
        found.compare(np.zeros(2))


def test_losses_of_rows_do_not_notice_each_other():
    x = np.array([[1.0, 2, 3], [np.nan, 1, 2], [np.inf, 1, 2], [-np.inf] * 3, [1, -np.inf, 0], [np.nan, 1, 2]])
    found = judge("cross_entropy", (x, np.array([0, 0, 0, 0, 1, -100])), {"reduction": "none"}, dtype="float64")
    output = found.outputs[0]
    assert output.required.tolist() == [True, True, False, False, True, False]
    assert np.isnan(output.expected[1])
    assert output.expected[[0, 4]].tolist() == [2.40760596444438, np.inf]
