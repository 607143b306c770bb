"""Bad input: every kernel, every argument and every parameter; the message names it, its value and what is allowed."""

import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.reference import Kernel, evaluate, judge, vjp
from pytest_lse.reference.specs import names, spec

KERNELS = names()
NO_ARRAYS = ("abc", None, np.array([object()] * 3), 1j, [[1.0, 2.0], [3.0]], np.array(["a", "b"]))


def refused(call, *words):
    """A ValueError or TypeError raised by us, not by NumPy on the way, that holds the words."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    raised_in = caught.traceback[-1].path.as_posix()
    assert "pytest_lse" in raised_in, (raised_in, caught.value)
    assert "raise" in str(caught.traceback[-1].statement), caught.value
    for word in words:
        assert word in str(caught.value), caught.value


@pytest.mark.parametrize("name", KERNELS)
def test_arrays(name, sample):
    arguments, function = list(sample(name)), getattr(reference, name)
    for i, key in enumerate(spec(name).args):
        for bad in NO_ARRAYS:
            refused(lambda i=i, bad=bad: function(*arguments[:i], bad, *arguments[i + 1 :]), f"{key} is")
        if len(arguments) > 1 and (name, key) not in (("mixture_log_prob", "x"), ("ctc_loss", "log_probs")):
            wrong = np.resize(arguments[i], (7,) * max(np.ndim(arguments[i]), 1))
            if (name, key) != ("ctc_loss", "labels"):  # any number of labels goes with any number of frames
                refused(lambda i=i, w=wrong: function(*arguments[:i], w, *arguments[i + 1 :]), "shape", "7")
    refused(lambda: function(*arguments[:-1]), name, "got")
    refused(lambda: function(*arguments, arguments[0]), name, "got")


@pytest.mark.parametrize("name", KERNELS)
def test_parameters(name, sample):
    arguments, function = sample(name), getattr(reference, name)
    for dtype in ("float8", np.int32, 3, "complex64"):
        refused(lambda d=dtype: function(*arguments, dtype=d), "dtype", "float64")
    refused(lambda: function(*arguments, foo=1), "foo", name)
    for key, default in spec(name).params.items():
        negative = () if key == "scale" else (-1e9,)
        for bad in ("x", object(), [1.0] * 9, float("nan"), *negative):
            refused(lambda k=key, b=bad: function(*arguments, **{k: b}), f"{key} ")
        if key == "axis":
            for bad in (5, -5, 1.5, None):
                refused(lambda b=bad: function(*arguments, axis=b), f"axis is {bad}", "expected")
        if isinstance(default, float) and key != "pos_weight":
            refused(lambda k=key: function(*arguments, **{k: None}), f"{key} is None")
    refused(lambda: vjp(name, arguments, wrt=9), "wrt is 9")
    refused(lambda: vjp(name, arguments, np.ones((9, 9))), "cotangent has shape (9, 9)")


def test_labels():
    logits = np.zeros((2, 3))
    refused(lambda: reference.cross_entropy(logits, [0, 3]), "labels contains 3", "0 to 2")
    refused(lambda: reference.cross_entropy(logits, [0, -1]), "labels contains -1")
    refused(lambda: reference.cross_entropy(logits, [0.0, 1.0]), "labels has dtype float64", "integer")
    refused(lambda: reference.cross_entropy(logits, [0]), "labels has shape (1,)")
    refused(lambda: reference.cross_entropy(logits, [0, 1], weight=[1.0, 2.0]), "weight has shape (2,)", "(3,)")
    refused(lambda: reference.cross_entropy(logits, [0, 1], weight=[1.0, -2.0, 1.0]), "weight is -2.0")
    refused(lambda: reference.cross_entropy(logits, [0, 1], label_smoothing=1.5), "label_smoothing is 1.5")
    refused(lambda: reference.cross_entropy(logits, [0, 1], reduction="avg"), "reduction is 'avg'")
    refused(lambda: reference.bce_with_logits(logits, logits, reduction="avg"), "reduction is 'avg'")
    refused(lambda: reference.ctc_loss(logits, [1, 5]), "labels contains 5")
    refused(lambda: reference.masked_softmax(logits, logits), "mask has dtype float64", "bool")
    refused(lambda: reference.logsumexp(3.0), "x is a scalar")
    refused(lambda: judge("nothing", (logits,), dtype="float64"), "unknown kernel 'nothing'", "logsumexp")


def test_what_is_right_is_taken():
    x = np.arange(6.0).reshape(2, 3)
    assert reference.bce_with_logits(x, x / 9, pos_weight=None) == reference.bce_with_logits(x, x / 9)
    assert reference.bce_with_logits(x, x / 9, pos_weight=np.float32(1.0)) == reference.bce_with_logits(x, x / 9)
    weighted = reference.bce_with_logits(x, x / 9, pos_weight=[1.0, 2.0, 3.0], reduction="none")
    assert weighted[0, 0] == reference.bce_with_logits(0.0, 0.0)
    assert reference.logsumexp(x, axis=np.int64(0)).shape == (3,)
    assert reference.logsumexp(x > 2, keepdims=np.True_).shape == (2, 1)
    kernel = Kernel(lambda xp, x, k: xp.sum(x * k), args=("x",), params={"k": 2.0})
    assert evaluate(kernel, (x[0],), {"k": np.array([1.0, 2.0, 3.0])}) == 8.0


def test_reductions():
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(3, 4)), rng.dirichlet(np.ones(4), size=3)
    for name in ("bce_with_logits", "soft_cross_entropy"):
        function = getattr(reference, name)
        each = function(x, targets, reduction="none")
        assert each.shape == ((3, 4) if name == "bce_with_logits" else (3,))
        assert function(x, targets, reduction="sum") == pytest.approx(each.sum(), rel=1e-15)
        assert function(x, targets) == pytest.approx(each.mean(), rel=1e-15)
        whole = vjp(name, (x, targets), params={"reduction": "sum"})
        np.testing.assert_array_equal(vjp(name, (x, targets), params={"reduction": "none"}), whole)
        np.testing.assert_allclose(vjp(name, (x, targets)), whole / each.size, rtol=1e-15)
        empty = function(x[:0], targets[:0], reduction="none")
        assert empty.shape == each[:0].shape
        assert function(x[:0], targets[:0], reduction="sum") == 0.0
        odd = np.where(np.arange(3)[:, None] == 1, np.nan, x)
        assert np.isnan(function(odd, targets, reduction="none")).any(axis=-1).sum() == 1


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax", "logcumsumexp", "sigmoid", "entropy"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_memory_layout_does_not_matter(name, dtype):
    function = getattr(reference, name)
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(dtype)
    before, expected = x.copy(), function(x)
    spaced = np.zeros((12, 24), dtype)[::2, ::3]
    spaced[...] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(x), spaced, x[::-1][::-1], read_only, x.astype(x.dtype.newbyteorder()), x.tolist()):
        got = function(same, dtype=dtype)
        assert np.array_equal(got, expected)
        assert got.flags.writeable
    assert np.array_equal(x, before)
