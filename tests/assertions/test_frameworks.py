"""The frameworks, real ones: values, gradients, compiled functions, and what the adapters do."""

import importlib
import math
import subprocess
import sys

import numpy as np
import pytest

from pytest_lse import StabilityError, assert_matches, assert_stable
from pytest_lse.assertions.adapters import Jax, framework
from pytest_lse.assertions.spelling import spell_number


def failure(fn, kernel, **options):
    with pytest.raises(StabilityError) as caught:
        assert_stable(fn, kernel, **options)
    return caught.value


# PyTorch


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_torch_functions(torch):
    functional = torch.nn.functional
    for fn, kernel in (
        (torch.softmax, "softmax"),
        (torch.log_softmax, "log_softmax"),
        (torch.logsumexp, "logsumexp"),
        (torch.nn.LogSoftmax(dim=-1), "log_softmax"),
        (functional.logsigmoid, "log_sigmoid"),
        (functional.cross_entropy, "cross_entropy"),
        (functional.binary_cross_entropy_with_logits, "bce_with_logits"),
    ):
        assert_stable(fn, kernel, xp=torch, dtypes="float32", max_examples=5)


def test_torch_bfloat16_and_float16(torch):
    for fn, kernel in ((torch.softmax, "softmax"), (torch.nn.functional.cross_entropy, "cross_entropy")):
        assert_stable(fn, kernel, xp=torch, dtypes=("bfloat16", "float16"), max_examples=3)
    error = failure(lambda x: x.exp() / x.exp().sum(-1, keepdim=True), "softmax", xp=torch, dtypes="bfloat16")
    assert error.dtype == "bfloat16"
    assert "torch.bfloat16" in str(error)


def test_torch_gradients(torch):
    """A where that hides a nan from the value does not hide it from the gradient."""

    def sigmoid(x):
        return torch.where(x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x)))

    error = failure(sigmoid, "sigmoid", xp=torch)
    assert error.check == "gradient"
    assert math.isnan(error.returned)
    assert "wrong gradient" in str(error)
    assert_stable(sigmoid, "sigmoid", xp=torch, gradients=False, max_examples=10)


def test_torch_textbook_code_with_corners(torch):
    def tail(x):
        return torch.log1p(torch.exp(-torch.abs(x)))

    def bce(x, targets):
        return (torch.clamp(x, min=0) - x * targets + tail(x)).mean()

    textbook = {
        "softplus": lambda x: torch.relu(x) + tail(x),
        "log_sigmoid": lambda x: torch.clamp(x, max=0) - tail(x),
        "sigmoid": lambda x: torch.where(x >= 0, 1.0, torch.exp(-torch.abs(x))) / (1 + torch.exp(-torch.abs(x))),
        "bce_with_logits": bce,
    }
    for kernel, fn in textbook.items():
        assert_stable(fn, kernel, xp=torch, dtypes="float32", gradients=True, max_examples=4)
        assert failure(fn, kernel, xp=torch, dtypes="float32", strict=True, max_examples=4).check == "gradient"
    for wrong in (lambda x: torch.relu(x) + tail(x.detach()), lambda x: torch.relu(x) + tail(x) + torch.sqrt(x * 0)):
        assert failure(wrong, "softplus", xp=torch, dtypes="float32", max_examples=4).check == "gradient"


def test_torch_without_gradients(torch):
    def detached(x):
        return torch.softmax(x.detach(), -1)

    assert_stable(detached, "softmax", xp=torch, max_examples=10)
    assert failure(detached, "softmax", xp=torch, gradients=True).check == "gradient"


def test_torch_raising_in_the_backward_pass(torch):
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.softmax(x, -1)

        @staticmethod
        def backward(ctx, grad):
            raise RuntimeError("not today")

    error = failure(Broken.apply, "softmax", xp=torch)
    assert error.check == "gradient"
    assert "not today" in str(error)


def test_torch_leaving_the_framework(torch):
    def through_numpy(x):
        return torch.from_numpy(torch.softmax(torch.from_numpy(x.numpy()), -1).numpy())

    assert_stable(through_numpy, "softmax", xp=torch, max_examples=5)


def test_torch_losing_one_gradient(torch):
    functional = torch.nn.functional

    def kl(p, q):
        p, q = functional.log_softmax(p, -1).detach(), functional.log_softmax(q, -1)
        return (p.exp() * (p - q)).sum(-1)

    error = failure(kl, "kl_divergence", xp=torch, domain="finite")
    assert error.check == "gradient"
    assert "look for a clamp, a detach" in " ".join(str(error).split())


def test_torch_gradients_of_rows_without_kept_entries(torch):
    def biased(x, mask):
        bias = torch.zeros_like(x).masked_fill(~mask, -torch.inf)
        return torch.nan_to_num(torch.softmax(x + bias, -1))

    error = failure(biased, "masked_softmax", xp=torch)
    assert error.check == "gradient"
    assert "with a second where" in " ".join(str(error).split())


def test_torch_in_place(torch):
    def fn(x):
        with torch.no_grad():
            x -= x.amax(-1, keepdim=True)
        return torch.softmax(x, -1)

    assert failure(fn, "softmax", xp=torch, gradients=False).check == "mutates"


def test_torch_memory_layouts(torch):
    def fn(x):
        return torch.softmax(x if x.is_contiguous() else 2 * x, -1)

    assert failure(fn, "softmax", xp=torch, ndim=2, dtypes="float32").check == "layout"


def test_torch_device_and_default_dtype(torch):
    before = torch.get_default_dtype()
    assert_stable(torch.softmax, "softmax", xp=torch, device="cpu", dtypes="float64", max_examples=5)
    assert torch.get_default_dtype() == before


def test_torch_results_match(torch):
    x = torch.tensor([[0.0, 1.0], [1000.0, 999.0]])
    assert_matches(torch.softmax(x, -1), "softmax", x)
    with pytest.raises(StabilityError, match="torch"):
        assert_matches(x.exp() / x.exp().sum(-1, keepdim=True), "softmax", x)


# JAX


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def test_jax_functions(jax):
    options = {"xp": jax.numpy, "max_examples": 5, "regimes": ("benign", "overflow_edge", "far_below", "masked")}
    assert_stable(jax.nn.softmax, "softmax", ndim=2, **options)
    assert_stable(jax.jit(jax.nn.softplus), "softplus", **options)
    assert_stable(jax.vmap(jax.nn.logsumexp), "logsumexp", ndim=2, **options)


def test_jax_gradients(jax):
    jnp = jax.numpy

    def fn(x):
        return jnp.where(x > 0, x + jnp.log1p(jnp.exp(-x)), jnp.log1p(jnp.exp(x)))

    error = failure(fn, "softplus", xp=jnp)
    assert error.check == "gradient"
    assert "jnp.array" in str(error)


def test_jax_forward_mode(jax, monkeypatch):
    jnp = jax.numpy
    options = {"xp": jnp, "ndim": 1, "max_examples": 0, "regimes": ("benign", "overflow_edge")}

    @jax.custom_jvp
    def lse(x):
        return jax.nn.logsumexp(x, axis=-1)

    @lse.defjvp
    def _(primals, tangents):
        weights = jnp.exp(primals[0])
        return lse(*primals), (weights * tangents[0]).sum(-1) / weights.sum(-1)

    # JAX derives the reverse mode from this rule: with a right one, forward mode alone is wrong.
    reverse = Jax.gradient
    monkeypatch.setattr(Jax, "gradient", lambda self, fn, *rest: reverse(self, jax.nn.logsumexp, *rest))
    caught = failure(lse, "logsumexp", **options)
    assert caught.check == "jvp"
    assert "wrong forward-mode derivative" in str(caught)
    assert "weighted derivative along a tangent of result" in str(caught)
    assert_stable(lambda x: jax.nn.logsumexp(x, axis=-1), "logsumexp", **options)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Jax, "directional", broken)
    assert failure(lambda x: jax.nn.logsumexp(x), "logsumexp", **options).check == "jvp"


def test_jax_is_compiled_faithfully(jax):
    """XLA turns the product of a one-hot into a choice, which hides 0 * -inf."""
    jnp = jax.numpy

    def loss(x, y):
        return -(jax.nn.one_hot(y, x.shape[-1]) * jax.nn.log_softmax(x)).sum(-1).mean()

    options = {"xp": jnp, "max_examples": 0, "regimes": ("masked",), "gradients": False}
    assert math.isnan(failure(loss, "cross_entropy", **options).returned)
    assert_stable(jax.jit(loss), "cross_entropy", **options)


def test_jax_that_cannot_be_traced(jax):
    def by_value(x):
        return jax.nn.softmax(x) if float(x.sum()) < 1e30 else jax.nn.softmax(x / 1)

    assert_stable(by_value, "softmax", xp=jax.numpy, ndim=1, max_examples=0, regimes=("benign",))
    through_numpy = lambda x: jax.numpy.asarray(np.asarray(jax.nn.softmax(x)))  # noqa: E731
    assert_stable(through_numpy, "softmax", xp=jax.numpy, ndim=1, max_examples=0, regimes=("benign",))


def test_jax_without_forward_mode(jax):
    @jax.custom_vjp
    def lse(x):
        return jax.nn.logsumexp(x, axis=-1)

    lse.defvjp(lambda x: (lse(x), x), lambda x, g: (g * jax.nn.softmax(x),))
    assert_stable(lse, "logsumexp", xp=jax.numpy, ndim=1, max_examples=0, regimes=("benign",))


X64 = """
import jax
jax.config.update("jax_enable_x64", True)
from pytest_lse import StabilityError, assert_stable
options = {"xp": jax.numpy, "max_examples": 4, "ndim": 2, "regimes": ("benign", "overflow_edge", "masked")}
assert_stable(jax.jit(jax.nn.softmax), "softmax", **options)
try:
    assert_stable(lambda x: jax.nn.softmax(x.astype("float32")).astype(x.dtype), "softmax", **options)
except StabilityError as error:
    print(error.dtype, error.check)
"""


def test_jax_in_double_precision(jax):
    run = subprocess.run([sys.executable, "-c", X64], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["float64", "value"]


def test_jax_keeps_its_configuration(jax):
    before = jax.config.jax_enable_x64
    assert framework(jax.numpy).default_dtypes() == (("float32", "float64") if before else ("float32",))
    failure(lambda x: jax.numpy.exp(x), "softmax", xp=jax)
    assert jax.config.jax_enable_x64 == before


# TensorFlow


@pytest.fixture
def tf(monkeypatch):
    try:
        return importlib.import_module("tensorflow")
    except ImportError as error:  # also where it is there, and does not fit the other packages
        pytest.skip(str(error))


@pytest.mark.filterwarnings("ignore")
def test_tensorflow(tf):
    options = {"xp": tf, "max_examples": 5, "dtypes": "float32", "regimes": ("benign", "overflow_edge", "masked")}
    assert_stable(tf.nn.softmax, "softmax", ndim=2, **options)
    assert_stable(tf.math.softplus, "softplus", **options)
    error = failure(lambda x: 1 / (1 + tf.exp(-x)), "sigmoid", xp=tf)
    assert error.check == "gradient"
    assert "tf.constant" in str(error)


# Any other namespace of the array API


def test_array_api_strict():
    xp = pytest.importorskip("array_api_strict")

    def softmax(x):
        e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
        return e / xp.sum(e, axis=-1, keepdims=True)

    assert_stable(softmax, "softmax", xp=xp, max_examples=10)
    error = failure(lambda x: xp.exp(x) / xp.sum(xp.exp(x), axis=-1, keepdims=True), "softmax", xp=xp)
    assert "array_api_strict.asarray" in str(error)
    x = xp.asarray([0.0, 1.0])
    assert_matches(softmax(x), "softmax", x)


def test_compound_kernels_in_array_api_strict():
    xp = pytest.importorskip("array_api_strict")

    def masked_softmax(x, mask):
        z = xp.where(mask, x, xp.asarray(-xp.inf, dtype=x.dtype))
        top = xp.max(z, axis=-1, keepdims=True)
        e = xp.exp(z - xp.where(xp.isfinite(top), top, xp.zeros_like(top)))
        total = xp.sum(e, axis=-1, keepdims=True)
        return e / xp.where(total == 0, xp.ones_like(total), total)

    def attention(q, k, v, mask):
        return masked_softmax(q @ k.T * q.shape[-1] ** -0.5, mask) @ v

    def merge(o1, lse1, o2, lse2):
        lse = xp.logaddexp(lse1, lse2)
        base = xp.where(xp.isfinite(lse), lse, xp.zeros_like(lse))
        return xp.exp(lse1 - base)[:, None] * o1 + xp.exp(lse2 - base)[:, None] * o2, lse

    def bce(x, targets):
        return xp.mean(xp.maximum(x, xp.zeros_like(x)) - x * targets + xp.log1p(xp.exp(-xp.abs(x))))

    for kernel, fn in {
        "masked_softmax": masked_softmax, "attention": attention, "merge_attention": merge, "bce_with_logits": bce,
    }.items():  # fmt: skip
        assert_stable(fn, kernel, xp=xp, max_examples=6)
    assert failure(lambda x, m: masked_softmax(x, m | True), "masked_softmax", xp=xp).check in ("value", "alone")


def test_namespaces():
    assert framework(np).name == "numpy"
    compat = pytest.importorskip("array_api_compat.numpy")
    assert framework(compat).name == "numpy"


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.1, "float64", "0.1"),
        (float(np.float32(0.1)), "float32", "0.1"),
        (float(np.float16(0.1)), "float16", "0.1"),
        (float("inf"), "float32", "inf"),
        (3.4028234663852886e38, "float32", "3.4028235e+38"),
    ],
)
def test_numbers_are_spelt_short(value, dtype, text):
    assert spell_number(value, dtype) == text


# assert_matches


def test_matches():
    x = np.array([1000.0, 1001.0], np.float32)
    e = np.exp(x - x.max())
    assert_matches(e / e.sum(), "softmax", x)
    assert_matches(np.array([[0.0], [1.0]]) * 0 + 1, "softmax", np.array([[0.0], [1.0]]))
    assert_matches(np.float32(2.0), "logsumexp", np.array([2.0], np.float32))
    assert_matches(np.log(np.float64(3)), "logsumexp", [0, 0, 0])
    with pytest.raises(StabilityError, match="the result is not a stable softmax: NaN"):
        assert_matches(np.full(2, np.nan, np.float32), "softmax", x)
    with pytest.raises(StabilityError, match="returned shape"):
        assert_matches(np.ones(3, np.float32), "softmax", x)
    with pytest.raises(TypeError, match="takes 1 arrays"):
        assert_matches(x, "softmax", x, x)
    with pytest.raises(ValueError, match="unknown kernel"):
        assert_matches(x, "sofmax", x)


def test_matches_along_an_axis():
    x = np.array([[0.0, 5.0], [1.0, -3.0]])
    e = np.exp(x - x.max(0))
    assert_matches(e / e.sum(0), "softmax", x, axis=0)
    with pytest.raises(StabilityError):
        assert_matches(e / e.sum(0), "softmax", x)
