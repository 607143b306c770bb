"""Calls: signatures, cotangents, and the message for every wrong argument."""

import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.reference import evaluate, judge, vjp


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: reference.logsumexp(3.0), ValueError, "x is a scalar"),
        (lambda: reference.logsumexp([1.0, 2.0], axis=3), ValueError, "axis is 3: expected -1 to 0"),
        (lambda: reference.logsumexp([1.0], [2.0]), TypeError, r"logsumexp takes 1 arrays \(x\): got 2"),
        (lambda: reference.logsumexp(["a"]), TypeError, "x is an array of dtype <U1: expected real numbers"),
        (lambda: reference.logaddexp([1.0, 2.0], [1.0, 2.0, 3.0]), ValueError, r"a \(2,\), b \(3,\) do not fit"),
        (lambda: reference.cross_entropy(np.eye(3), [0, 1, 7]), ValueError, "labels contains 7: expected 0 to 2"),
        (lambda: reference.cross_entropy(np.eye(3), [0, 1]), ValueError, r"labels has shape \(2,\): expected \(3,\)"),
        (lambda: reference.cross_entropy(np.eye(3)[0], [0]), ValueError, r"logits has shape \(3,\)"),
        (lambda: reference.cross_entropy(np.eye(3), [0.0, 1.0, 2.0]), TypeError, "labels has dtype float64"),
        (lambda: reference.cross_entropy(np.eye(2), [0, 1], weight=[1.0]), ValueError, r"weight has shape \(1,\)"),
        (lambda: reference.cross_entropy(np.eye(2), [0, 1], label_smoothing=2), ValueError, "label_smoothing is 2"),
        (lambda: reference.cross_entropy(np.eye(2), [0, 1], reduction="x"), ValueError, "reduction is 'x'"),
        (lambda: reference.softmax([1.0], foo=1), TypeError, "softmax has no parameter 'foo': expected axis"),
        (lambda: reference.sigmoid([1.0], axis=0), TypeError, "sigmoid has no parameter 'axis': expected none"),
        (lambda: evaluate("bogus", ([1.0],)), ValueError, "unknown kernel 'bogus': expected one of attention"),
        (lambda: evaluate(3, ([1.0],)), TypeError, "kernel is 3"),
        (lambda: evaluate("softmax", ([1.0],), dtype="int32"), ValueError, "dtype 'int32' is not supported"),
        (lambda: reference.masked_softmax([1.0], [1]), TypeError, "mask has dtype int64: expected bool"),
        (
            lambda: reference.attention(np.eye(2), np.eye(3), np.eye(2), np.eye(2) > 0),
            ValueError,
            r"k has shape \(3, 3\)",
        ),
        (lambda: reference.attention(np.eye(2), np.eye(2), np.eye(3), np.eye(2) > 0), ValueError, "v has shape"),
        (lambda: reference.attention(np.eye(2), np.eye(2), np.eye(2), np.eye(3) > 0), ValueError, "mask has shape"),
        (lambda: reference.attention(np.ones(2), np.eye(2), np.eye(2), np.eye(3) > 0), ValueError, "q has shape"),
        (lambda: reference.merge_attention(np.eye(2), [0.0, 0.0], np.eye(3), [0.0, 0.0]), ValueError, "o2 has shape"),
        (lambda: reference.merge_attention(np.eye(2), [0.0], np.eye(2), [0.0, 0.0]), ValueError, "lse1 has shape"),
        (lambda: reference.mixture_log_prob([0.0], [0.0], [0.0, 1.0], [0.0]), ValueError, "mu has shape"),
        (lambda: reference.mixture_log_prob(0.0, [0.0], [0.0], [0.0]), ValueError, "x has shape"),
        (lambda: reference.info_nce(np.ones((2, 3))), ValueError, "similarity has shape"),
        (lambda: reference.hmm_log_likelihood([[0.0]], [[0.0]], [[0.0]]), ValueError, "log_init has shape"),
        (lambda: reference.hmm_log_likelihood([0.0], [0.0], [[0.0]]), ValueError, "log_trans has shape"),
        (lambda: reference.hmm_log_likelihood([0.0], [[0.0]], [0.0]), ValueError, "log_emit has shape"),
        (lambda: reference.ctc_loss([0.0], [1]), ValueError, "log_probs has shape"),
        (lambda: reference.ctc_loss([[0.0, 0.0]], [[1]]), ValueError, "labels has shape"),
        (lambda: reference.ctc_loss([[0.0, 0.0]], [0]), ValueError, "labels contains 0: .* other than blank = 0"),
        (lambda: reference.ctc_loss([[0.0, 0.0]], [1], blank=2), ValueError, "blank is 2: expected 0 to 1"),
        (lambda: vjp("cross_entropy", (np.eye(2), [0, 1]), wrt=1), ValueError, "wrt is 1"),
        (lambda: vjp("softmax", ([1.0, 2.0],), [1.0]), ValueError, r"cotangent has shape \(1,\): expected .* \(2,\)"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        reference.nope  # noqa: B018
    assert {"logsumexp", "attention", "judge"} <= set(dir(reference))
    assert reference.softmax is reference.softmax
    assert reference.softmax.__doc__.startswith("softmax(x, *, axis=-1, dtype=None), correctly rounded.")


def test_results_have_the_widest_dtype_of_the_arguments():
    assert reference.logaddexp(np.float32([1]), np.float64([1])).dtype == np.float64
    assert reference.logaddexp(np.float16([1]), np.float32([1])).dtype == np.float32


def test_parameters():
    logits, labels = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 5.0]]), np.array([0, 2])
    rows = -np.take_along_axis(logits - np.log(np.exp(logits).sum(1, keepdims=True)), labels[:, None], 1)[:, 0]
    assert reference.cross_entropy(logits, labels) == pytest.approx(rows.mean())
    assert reference.cross_entropy(logits, labels, reduction="none") == pytest.approx(rows)
    assert reference.cross_entropy(logits, labels, reduction="sum") == pytest.approx(rows.sum())
    assert reference.cross_entropy(logits, labels, ignore_index=2) == pytest.approx(rows[0])
    assert reference.cross_entropy(logits, labels, ignore_index=0, reduction="none") == pytest.approx([0.0, rows[1]])
    weight = np.array([1.0, 2.0, 3.0])
    assert reference.cross_entropy(logits, labels, weight=weight) == pytest.approx((rows * [1, 3]).sum() / 4)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert reference.cross_entropy(logits, labels, label_smoothing=0.1) == pytest.approx(
        (0.9 * rows - 0.1 * log_p.mean(1)).mean()
    )
    x, t = np.array([1.0, -2.0]), np.array([1.0, 0.0])
    weighted = reference.bce_with_logits(x, t, pos_weight=3.0)
    assert weighted == pytest.approx((3 * np.log1p(np.exp(-1.0)) + np.log1p(np.exp(-2.0))) / 2)
    assert reference.bce_with_logits(x, t, pos_weight=np.array([3.0, 1.0])) == weighted
    assert reference.focal_loss(x, t, gamma=0.0) == pytest.approx(np.log1p(np.exp([-1.0, -2.0])))
    assert reference.info_nce(np.eye(2), temperature=0.5) == pytest.approx(np.log(1 + np.exp(-2.0)))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5]])
def test_cross_entropy_against_torch(reduction, smoothing, weight):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 3)) * 3, np.array([0, 2, -100, 1, 1])
    params = {"reduction": reduction, "label_smoothing": smoothing}
    x = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(
        x, torch.tensor(labels), weight=None if weight is None else torch.tensor(weight, dtype=torch.float64), **params
    )
    loss.sum().backward()
    judgement = judge("cross_entropy", (logits, labels), {**params, "weight": weight}, dtype="float64", gradients=True)
    assert judgement.outputs[0].compare(loss.detach().numpy()).ok.all()
    assert judgement.gradient.compare(x.grad.numpy()).ok.all()


def test_losses_against_torch():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    rng = np.random.default_rng(0)
    log_probs = torch.log_softmax(torch.tensor(rng.normal(size=(7, 4)) * 2), -1).requires_grad_()
    labels = np.array([1, 2, 2, 3])
    loss = functional.ctc_loss(log_probs[:, None], torch.tensor(labels)[None], (7,), (4,), reduction="sum")
    loss.backward()
    judgement = judge("ctc_loss", (log_probs.detach().numpy(), labels), dtype="float64", gradients=True)
    assert judgement.outputs[0].compare(loss.detach().numpy()).ok.all()
    assert judgement.gradient.compare(log_probs.grad.numpy()).ok.all()

    q, k, v = (torch.tensor(rng.normal(size=s)) for s in ((3, 4), (5, 4), (5, 2)))
    mask = torch.tensor(rng.random((3, 5)) > 0.3)
    out = functional.scaled_dot_product_attention(q[None], k[None], v[None], mask[None])[0]
    arguments = tuple(a.numpy() for a in (q, k, v, mask))
    assert judge("attention", arguments, dtype="float64").outputs[0].compare(out.numpy()).ok.all()

    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=torch.tensor([0.5, -1.0])),
        torch.distributions.Normal(torch.tensor([0.0, 3.0]), torch.tensor([0.2, -0.3]).exp()),
    )
    x = np.float32([0.1, 2.0])
    arguments = (x, np.float32([0.5, -1.0]), np.float32([0.0, 3.0]), np.float32([0.2, -0.3]))
    got = mixture.log_prob(torch.tensor(x)).numpy()
    assert judge("mixture_log_prob", arguments, dtype="float32").outputs[0].compare(got).ok.all()


def test_a_hidden_markov_model_sums_over_all_paths():
    rng = np.random.default_rng(0)
    init, trans, emit = (np.log(rng.dirichlet(np.ones(2), size=s)) for s in (None, 2, 3))
    paths = [
        init[a] + emit[0, a] + trans[a, b] + emit[1, b] + trans[b, c] + emit[2, c]
        for a in range(2) for b in range(2) for c in range(2)
    ]  # fmt: skip
    assert reference.hmm_log_likelihood(init, trans, emit) == pytest.approx(np.log(np.exp(paths).sum()))


def test_cotangents():
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    for name, weights in (("softmax", x), ("logsumexp", np.array([2.0, -1.0])), ("sigmoid", x)):
        numeric = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[index] = 1e-6
            function = getattr(reference, name)
            numeric[index] = (weights * (function(x + step) - function(x - step))).sum() / 2e-6
        assert vjp(name, (x,), weights) == pytest.approx(numeric, abs=1e-8)
    kept = judge("logsumexp", (x,), {"keepdims": True}, dtype="float64", gradients=True, cotangent=np.ones((2, 1)))
    assert kept.outputs[0].expected.shape == (2, 1)
    assert kept.gradient.expected.shape == (2, 2)
    assert vjp("logsumexp", (np.zeros((2, 0)),)).shape == (2, 0)
    assert vjp("bce_with_logits", (x, x / 10), 2.0).shape == x.shape
