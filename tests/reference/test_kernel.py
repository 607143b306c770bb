"""Kernels of one's own: any formula has a truth, a gradient and a tolerance."""

import numpy as np
import pytest

import pytest_lse.reference as reference
from pytest_lse.reference import Kernel, evaluate, judge, vjp


def logsumexp_kernel():
    return Kernel(lambda xp, x, t: xp.log(xp.sum(xp.exp(x / t))), args=("x", "t"))


@pytest.mark.parametrize("x", [[1000.0, 1000.0, 999.0], [-1e6, -1e6 - 1], [0.0, -80.0], [-np.log(2.0)] * 2])
def test_a_naive_formula_is_its_own_truth(x, backend):
    x = np.array(x)
    assert evaluate(logsumexp_kernel(), (x, 1.0)) == reference.logsumexp(x)
    assert vjp(logsumexp_kernel(), (x, 1.0)).tolist() == reference.softmax(x).tolist()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_tolerance_separates_honest_code_from_naive_code(dtype, backend):
    kind = np.dtype(dtype).type
    edge = float(np.log(np.finfo(dtype).max)) * 1.5
    for row in ([0.5, -1.0, 2.0], [edge, edge - 1], [-3 * edge, -3 * edge - 1]):
        x = np.array(row, dtype=dtype)
        shifted = kind(x.max() + np.log(np.exp(x - x.max()).sum()))
        with np.errstate(all="ignore"):
            naive = kind(np.log(np.exp(x).sum()))
        truth = judge(logsumexp_kernel(), (x, kind(1)), dtype=dtype, gradients=True)
        assert truth.outputs[0].compare(shifted).ok
        assert truth.outputs[0].compare(naive).ok == (abs(row[0]) < 1)
        softmax = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
        assert truth.gradient.compare(softmax).ok.all()
        assert not truth.gradient.compare(softmax * kind(1.3)).ok.all()


def test_everything_a_formula_may_use(backend):
    def formula(xp, x, labels):
        y = xp.maximum(x, 0.0) + xp.minimum(x, 1.0) - xp.clip(x, -1.0, 1.0) + abs(-x) + xp.sign(x)
        y = y + xp.tanh(x) * xp.sqrt(xp.square(x) + 1.0) - xp.log1p(x**2) / (1 + xp.expm1(xp.abs(x)))
        y = xp.where(x > 0, y, -y) + xp.cumsum(x, axis=-1) + xp.sigmoid(x).sum(-1, keepdims=True)
        y = y + xp.logsumexp(x, axis=-1, keepdims=True) + xp.softplus(x) + xp.log_sigmoid(x) + xp.logaddexp(x, 1.0)
        y = y @ x.T + xp.mean(x, dim=1, keepdim=True) + xp.stack([x[0, 0], x[1, 1]]) + 2.0 ** x[:, :1]
        picked = xp.log_softmax(y, axis=-1)[np.arange(2), labels] + xp.softmax(y)[:, 0] ** 0.5
        parts = xp.concatenate([picked, x.reshape(-1)]) * xp.min(x) / xp.max(x, axis=(0, 1)) - xp.expand_dims(
            x[0, 0], 0
        )
        return xp.sum(parts + xp.squeeze(x[:1, :1], 0) * xp.pi + xp.ones_like(parts) - 1 + xp.zeros_like(parts) + xp.e)

    def numpy_formula(x, labels):
        def logsumexp(z):
            return np.log(np.exp(z).sum(-1, keepdims=True))

        y = np.maximum(x, 0) + np.minimum(x, 1) - np.clip(x, -1, 1) + abs(x) + np.sign(x)
        y = y + np.tanh(x) * np.sqrt(x**2 + 1) - np.log1p(x**2) / np.exp(abs(x))
        y = np.where(x > 0, y, -y) + np.cumsum(x, -1) + (1 / (1 + np.exp(-x))).sum(-1, keepdims=True)
        y = y + logsumexp(x) + np.log1p(np.exp(x)) - np.log1p(np.exp(-x)) + np.logaddexp(x, 1)
        y = y @ x.T + x.mean(1, keepdims=True) + np.stack([x[0, 0], x[1, 1]]) + 2.0 ** x[:, :1]
        picked = (y - logsumexp(y))[np.arange(2), labels] + (np.exp(y - logsumexp(y)))[:, 0] ** 0.5
        parts = np.concatenate([picked, x.reshape(-1)]) * x.min() / x.max() - x[0, 0]
        return (parts + x[0, 0] * np.pi + np.e).sum()

    x = np.array([[0.3, -1.2, 0.7], [0.9, 0.4, -0.6]])
    kernel = Kernel(formula, args=("x", "labels"))
    labels = np.array([0, 1])
    assert evaluate(kernel, (x, labels)) == pytest.approx(numpy_formula(x, labels), rel=1e-13)
    gradient = vjp(kernel, (x, labels))
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        numeric = (numpy_formula(x + step, labels) - numpy_formula(x - step, labels)) / 2e-6
        assert gradient[index] == pytest.approx(numeric, rel=1e-6)


def test_ties_share_the_gradient_and_repeated_indices_add_up():
    kernel = Kernel(lambda xp, x: xp.sum(xp.maximum(x, 1.0) + xp.minimum(x, 1.0)), args=("x",))
    assert vjp(kernel, (np.array([1.0, 2.0]),)).tolist() == [1.0, 1.0]
    kernel = Kernel(lambda xp, x: xp.sum(x[np.array([0, 0, 2])]), args=("x",))
    assert vjp(kernel, (np.array([1.0, 2.0, 3.0]),)).tolist() == [2.0, 0.0, 1.0]
    kernel = Kernel(lambda xp, x: xp.sum(xp.ones_like(x)), args=("x",))
    assert vjp(kernel, (np.array([1.0]),)).tolist() == [0.0]


def test_scale_and_parameters():
    kernel = Kernel(lambda xp, x, k: xp.exp(x * k), args=("x",), params={"k": 2.0}, scale="probability", name="power")
    assert repr(kernel) == "Kernel(power)"
    assert evaluate(kernel, (np.array(-20.0),), {"k": 1.0}) == pytest.approx(np.exp(-20.0))
    loose = judge(kernel, (np.array(-20.0),), dtype="float32").outputs[0]
    strict = judge(kernel, (np.array(-20.0),), dtype="float32", strict=True).outputs[0]
    assert strict.tolerance <= loose.tolerance < 1e-4 * loose.expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"formula": 3, "args": ("x",)}, TypeError, "formula is 3"),
        ({"formula": abs, "args": "x"}, TypeError, "args is 'x'"),
        ({"formula": abs, "args": ("x",), "scale": "loss"}, ValueError, "scale is 'loss'"),
    ],
)
def test_wrong_kernels_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        Kernel(**arguments)
