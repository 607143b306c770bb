"""What `assert_stable` accepts, what it finds, and what it says."""

import math
import pickle
import re
import runpy
import threading
import warnings
from functools import partial
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from pytest_lse import Kernel, StabilityError, assert_stable
from pytest_lse import strategies as lst
from pytest_lse.assertions.kernels import known
from pytest_lse.reference.specs import names, spec


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def logsumexp(x):
    top = x.max(axis=-1, keepdims=True)
    return np.squeeze(top + np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True)), -1)


def failure(fn, kernel="softmax", **options):
    with pytest.raises(StabilityError) as caught:
        assert_stable(fn, kernel, **options)
    return caught.value


# The formulas of the first hour


@pytest.mark.parametrize(
    ("kernel", "fn", "options"),
    [
        ("logsumexp", lambda x: np.log(np.sum(np.exp(x))), {"ndim": 1}),
        ("logsumexp", lambda x: np.log(np.sum(np.e**x)), {"ndim": 1}),
        ("softmax", lambda x: np.exp(x) / np.sum(np.exp(x)), {"ndim": 1}),
        ("log_softmax", lambda x: np.log(np.exp(x) / np.sum(np.exp(x))), {"ndim": 1}),
        ("log_softmax", lambda x: np.log(softmax(x)), {}),
        ("softplus", lambda x: np.log(1 + np.exp(x)), {}),
        ("sigmoid", lambda x: np.exp(x) / (1 + np.exp(x)), {}),
        ("log_sigmoid", lambda x: np.log(1 / (1 + np.exp(-x))), {}),
    ],
)
def test_naive_formulas_fail(kernel, fn, options):
    assert failure(fn, kernel, **options).check == "value"


def one_shift(x):
    c = np.max(x)
    return c + np.log(np.sum(np.exp(x - c)))


@pytest.mark.parametrize(
    ("kernel", "fn", "options"),
    [
        ("logsumexp", one_shift, {"ndim": 1}),
        ("softmax", lambda x: np.exp(x - one_shift(x)), {"ndim": 1}),
        ("logsumexp", logsumexp, {"claims": ("int",)}),
        ("softmax", softmax, {"claims": ("int", "nan")}),
        ("softplus", lambda x: np.logaddexp(0, x), {"domain": "extended", "claims": ("nan", "int", "empty")}),
    ],
)
def test_stable_formulas_pass(kernel, fn, options):
    assert_stable(fn, kernel, **options)


def test_what_is_tried():
    """The inputs that the design names are among them."""
    seen = []

    def remembers(x):
        seen.append(np.asarray(x).copy())
        return softmax(x)

    assert_stable(remembers, "softmax", claims=("int",), dtypes="float64", max_examples=0)
    rows = {tuple(float(v) for v in row) for x in seen for row in np.atleast_2d(x)}
    assert (-1000.0, 1000.0, -1000.0, 5.0, 10.0, 0.001) in rows
    assert any(x.dtype.kind == "i" and x.tolist() == [1000, 1001, 1002] for x in seen)


# Checks beside the values


def test_a_function_that_raises():
    def fn(x):
        raise RuntimeError("no such device")

    error = failure(fn)
    assert error.check == "raises"
    assert "raised RuntimeError: no such device" in str(error)
    assert isinstance(error.__cause__, RuntimeError)


def test_a_wrong_shape():
    error = failure(lambda x: softmax(x)[..., None])
    assert error.check == "shape"
    assert "returned shape" in str(error)


def test_a_wrong_number_of_outputs():
    assert failure(lambda x: (softmax(x), softmax(x))).check == "outputs"


@pytest.mark.parametrize(
    ("given_", "returned"), [("float64", np.float32), ("float32", np.float64), ("float32", np.int64)]
)
def test_another_dtype(given_, returned):
    def ties(x):
        return softmax(x).astype(returned)

    # Only values that both dtypes hold: what fails is the dtype.
    error = failure(ties, dtypes=given_)
    assert error.check in ("dtype", "value")
    if returned is np.float64:
        assert error.check == "dtype"


def test_a_python_float_is_no_other_dtype():
    assert_stable(
        lambda x, t: float(np.mean(np.logaddexp(0, x) - x * t)), "bce_with_logits", dtypes="float32", domain="finite"
    )


def test_a_changed_argument():
    def fn(x):
        x -= x.max(-1, keepdims=True)
        return softmax(x)

    assert failure(fn).check == "mutates"


def test_a_reused_buffer():
    buffers = {}

    def fn(x):
        buffer = buffers.setdefault((x.shape, x.dtype), np.empty_like(x))
        buffer[...] = softmax(x)
        return buffer

    assert failure(fn).check == "overwrites"


def test_state_between_calls():
    known = {}

    def fn(x):
        if x.shape == (3, 3):
            known.setdefault(x.dtype, softmax(x))
            return known[x.dtype]
        return softmax(x)

    assert failure(fn).check in ("value", "repeat", "alone")


@pytest.mark.parametrize(
    ("fn", "layout"),
    [
        (lambda x: softmax(x) if x.flags.c_contiguous else softmax(x) * 2, "Fortran|non-contiguous|strides"),
        (lambda x: softmax(x) if all(s > 0 for s in x.strides) else softmax(-x), "negative strides|broadcast"),
    ],
)
def test_memory_layouts(fn, layout):
    error = failure(fn, ndim=2, dtypes="float32")
    assert error.check == "layout"
    assert re.search(layout, str(error))


def test_read_only_arrays():
    def fn(x):
        assert x.flags.writeable
        return softmax(x)

    assert failure(fn).check == "readonly"


def test_a_row_that_depends_on_its_neighbours():
    def fn(x):
        e = np.exp(x - x.max())
        return e / e.sum(-1, keepdims=True)

    error = failure(fn)
    assert error.check == "alone"
    assert error.arguments[0].shape == (2, 1)


def test_every_axis_is_tried():
    def ignores(x, axis=-1):
        return softmax(x, axis=-1)

    error = failure(ignores)
    assert "axis=" in str(error)
    assert_stable(softmax, "softmax", ndim=(1, 2, 3), max_examples=10)


def test_a_fixed_axis():
    assert_stable(lambda x: softmax(x, axis=0), "softmax", axis=0, max_examples=20)
    failure(lambda x: softmax(x, axis=0), axis=-1)


def test_an_axis_without_a_default():
    def fn(x, *, dim):
        return softmax(x, axis=dim)

    assert_stable(fn, "softmax", max_examples=10)


def test_an_axis_of_none_by_default():
    sp = pytest.importorskip("scipy.special")
    assert_stable(sp.softmax, "softmax", max_examples=10)
    assert_stable(partial(sp.logsumexp, axis=-1), "logsumexp", max_examples=10)


# Domains and claims


def guarded(x):
    top = x.max(-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return (np.log(np.exp(x - top).sum(-1, keepdims=True)) + top)[..., 0]


def test_domains():
    finite = lambda x: np.where(np.isfinite(x).all(-1), guarded(x), np.nan).astype(x.dtype)  # noqa: E731
    assert_stable(finite, "logsumexp", domain="finite", max_examples=20)
    assert failure(finite, "logsumexp", domain="masked").regime == "masked"
    assert_stable(logsumexp, "logsumexp", domain="masked", max_examples=20)
    assert failure(logsumexp, "logsumexp", domain="log_space").regime == "masked_row"
    assert_stable(guarded, "logsumexp", domain="log_space", max_examples=20)
    broken = lambda x: np.where(np.isposinf(x).any(-1), np.nan, guarded(x)).astype(x.dtype)  # noqa: E731
    assert failure(broken, "logsumexp", domain="extended").regime == "plus_inf"


def test_claims():
    hides = lambda x: guarded(np.nan_to_num(x, posinf=np.inf, neginf=-np.inf))  # noqa: E731
    assert_stable(hides, "logsumexp", max_examples=20)
    assert failure(hides, "logsumexp", claims=("nan",)).regime == "nan"
    assert_stable(logsumexp, "logsumexp", max_examples=0)
    assert failure(logsumexp, "logsumexp", claims=("empty",)).check == "raises"
    whole = lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True) if x.dtype.kind == "i" else softmax(x)  # noqa: E731
    assert_stable(whole, "softmax", max_examples=0)
    assert failure(whole, claims="int").arguments[0].dtype.kind == "i"


def test_a_choice_of_regimes():
    assert_stable(
        lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
        "softmax",
        regimes=("benign", "near_zero"),
        max_examples=0,
    )
    with pytest.raises(StabilityError):
        assert_stable(
            lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), "softmax", regimes="far_below", max_examples=0
        )


def test_very_long_rows_only_on_request():
    def half(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / np.add.reduce(e, -1, keepdims=True, dtype=np.float16)

    options = {"dtypes": "float16", "max_examples": 0}
    assert_stable(half, "softmax", **options)
    assert failure(half, regimes="very_long", **options).regime == "very_long"


def test_strictness():
    rough = lambda x: np.where(x > 17, x, np.log1p(np.exp(np.minimum(x, 17))))  # noqa: E731
    near = lambda x: np.log(1 + np.exp(-np.abs(x))) + np.maximum(x, 0)  # noqa: E731
    assert_stable(near, "softplus")
    failure(near, "softplus", strict=True)
    failure(rough, "softplus", dtypes="float64", ulps=4)
    assert_stable(lambda x: np.logaddexp(0, x), "softplus", ulps=8)


# The message


def test_the_message():
    error = failure(lambda x: np.log(np.sum(np.exp(x), axis=-1)), "logsumexp", dtypes="float32")
    text = str(error)
    for part in (
        "logsumexp",
        "overflow",
        "float32, numpy",
        "returned",
        "inf",
        "expected",
        "why",
        "fix",
        "again",
        "scipy",
    ):
        assert part in text
    assert len(text.splitlines()) <= 16
    assert error.kernel == "logsumexp"
    assert error.dtype == "float32"
    assert error.returned == float("inf")
    assert error.arguments[0].size == 1


def test_the_line_that_reproduces_it():
    def mine(x):
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    line = str(failure(mine, ndim=2)).rpartition("again")[2].strip()
    with np.errstate(all="ignore"):
        assert np.isnan(eval(line, {"np": np, "mine": mine})).any()


def test_masks_are_spelt_so_that_they_run():
    def mine(x):
        return np.where(np.isfinite(x).all(-1), guarded(x), np.nan).astype(x.dtype)

    line = str(failure(mine, "logsumexp")).rpartition("again")[2].strip()
    assert "-np.inf" in line
    assert np.isnan(eval(line, {"np": np, "mine": mine})).any()


def test_a_long_row_is_spelt_short():
    def mine(x):
        return softmax(x) if x.shape[-1] < 1000 else softmax(x) * 2

    text = str(failure(mine, max_examples=0))
    assert len(text) < 2500
    assert "np.full" in text


def test_an_error_survives_pickling():
    error = failure(lambda x: x)
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.kernel == error.kernel
    assert copy.index == error.index


# Bad arguments


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "says"),
    [
        ((softmax, "sofmax"), {}, ValueError, "unknown kernel 'sofmax'.*softmax"),
        ((softmax, 3), {}, TypeError, "kernel is 3"),
        ((1.0, "softmax"), {}, TypeError, "fn must be the function"),
        ((softmax, "softmax"), {"xp": "numpy"}, TypeError, "xp must be the array namespace"),
        ((softmax, "softmax"), {"domain": "all"}, ValueError, "domain is 'all'"),
        ((softmax, "softmax"), {"claims": ("float",)}, ValueError, "claims is 'float'"),
        ((softmax, "softmax"), {"regimes": "hard"}, ValueError, "regimes is 'hard'"),
        ((softmax, "softmax"), {"ndim": 0}, ValueError, "ndim"),
        ((softmax, "softmax"), {"axis": "rows"}, TypeError, "axis"),
        ((softmax, "softmax"), {"max_examples": -1}, ValueError, "max_examples"),
        ((softmax, "softmax"), {"dtypes": "int8"}, ValueError, "int8"),
        ((softmax, "softmax"), {"params": {"gamma": 1}}, TypeError, "gamma"),
        ((softmax, "softmax"), {"gradients": True}, ValueError, "does not differentiate"),
        ((softmax, Kernel(lambda xp, x: x, args=("x",))), {}, TypeError, "strategies"),
    ],
)
def test_bad_arguments(arguments, options, kind, says):
    with pytest.raises(kind, match=says):
        assert_stable(*arguments, **options)


def test_inside_given():
    @given(st.just(0))
    def test(_):
        assert_stable(softmax, "softmax")

    with pytest.raises(hypothesis.errors.InvalidArgument, match="use assert_matches"):
        test()


# Kernels of the user


def test_a_kernel_of_ones_own():
    kernel = Kernel(
        lambda xp, x, t: xp.log(xp.sum(xp.exp(x / t))), args=(lst.logits(), lst.temperatures()), name="tempered"
    )

    def stable(x, t):
        return one_shift(x / t)

    assert_stable(stable, kernel, max_examples=30)
    error = failure(lambda x, t: np.log(np.sum(np.exp(x / t))), kernel)
    assert error.kernel == "tempered"
    assert "t = " in str(error)


def test_a_kernel_with_arrays_of_fixed_shapes():
    kernel = Kernel(
        lambda xp, a, b: xp.log(xp.sum(xp.exp(a)) + xp.sum(xp.exp(b))), args=(lst.logits(shape=3), lst.logits(shape=2))
    )
    assert_stable(lambda a, b: one_shift(np.concatenate([a, b])), kernel, max_examples=20)
    failure(lambda a, b: np.log(np.exp(a).sum() + np.exp(b).sum()), kernel)


# The same outcome on every run, and nothing changed around it


def test_derandomised():
    seen = [[], []]
    for calls in seen:

        def fn(x, calls=calls):
            calls.append(x.tobytes())
            return softmax(x)

        assert_stable(fn, "softmax", dtypes="float32", max_examples=30)
    assert seen[0] == seen[1]


def test_seeds_differ():
    seen = [set(), set()]
    for seed, calls in enumerate(seen):

        def fn(x, calls=calls):
            calls.add(x.tobytes())
            return softmax(x)

        assert_stable(fn, "softmax", dtypes="float32", max_examples=30, seed=seed)
    assert seen[0] != seen[1]


def test_no_global_state_changes():
    before = (np.geterr(), list(warnings.filters), hypothesis.settings.default, np.random.get_state()[1].tolist())
    assert_stable(softmax, "softmax", max_examples=10)
    failure(lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True))
    after = (np.geterr(), list(warnings.filters), hypothesis.settings.default, np.random.get_state()[1].tolist())
    assert before == after


def test_threads():
    errors = []

    def run():
        try:
            assert_stable(softmax, "softmax", max_examples=10)
            failure(lambda x: x)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_function_that_is_not_deterministic():
    count = iter(range(10**9))

    def fn(x):
        return softmax(x) * (1.5 if next(count) % 97 == 96 else 1)

    failure(fn)


@pytest.mark.parametrize(
    ("params", "fn"),
    [
        (
            {"ignore_index": -1},
            lambda x, y: np.mean(nll(x, np.where(y == -1, 0, y))[y != -1]) if (y != -1).any() else np.nan,
        ),
        ({"label_smoothing": 0.1}, lambda x, y: np.mean(0.9 * nll(x, y) - 0.1 * log_softmax(x).mean(-1))),
    ],
)
def test_params(params, fn):
    assert_stable(fn, "cross_entropy", params=params, domain="finite", dtypes="float64", max_examples=20)
    failure(lambda x, y: np.mean(nll(x, y)), "cross_entropy", params=params, domain="finite", dtypes="float64")


def log_softmax(x):
    z = x - x.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def nll(x, y):
    return -log_softmax(x)[np.arange(len(y)), y]


def test_methods_and_callables():
    class Layer:
        def forward(self, x):
            return softmax(x)

        def __call__(self, x):
            return self.forward(x)

    assert_stable(Layer(), "softmax", max_examples=5)
    assert_stable(Layer().forward, "softmax", max_examples=5)


# Parameters that fix a shape


def weighted(x, y):
    w = np.array([1.0, 2.0, 0.5, 3.0], x.dtype)
    return np.sum(w[y] * nll(x, y)) / np.sum(w[y])


def test_a_weight_for_each_class():
    options = {"params": {"weight": [1.0, 2.0, 0.5, 3.0]}, "max_examples": 10}
    assert_stable(weighted, "cross_entropy", **options)
    error = failure(lambda x, y: weighted(x, y) * np.float32(1.0 if len(y) == 1 else 1.5), "cross_entropy", **options)
    assert error.arguments[0].shape[1] == 4
    failure(lambda x, y: np.mean(nll(x, y)), "cross_entropy", **options)


def test_another_blank():
    honest = runpy.run_path(str(Path(__file__).parent / "honest.py"))["ctc"]

    def ctc(log_probs, labels):  # the classes 0 and 1 change places
        order = np.r_[1, 0, 2 : log_probs.shape[1]]
        return honest(log_probs[:, order], np.where(labels == 0, 1, labels))

    assert_stable(ctc, "ctc_loss", params={"blank": 1}, dtypes="float64", max_examples=10)
    failure(honest, "ctc_loss", params={"blank": 1}, dtypes="float64", max_examples=10)


# What has hidden from inputs that are too regular


def top_ten(x):
    if x.shape[-1] > 10:
        x = np.where(x >= np.sort(x, -1)[..., -10, None], x, -np.inf)
    return softmax(x)


def blocks(x):
    kept = x[..., : max(x.shape[-1] // 256 * 256, min(x.shape[-1], 256))]
    return guarded(kept)


@pytest.mark.parametrize(
    ("kernel", "fn", "options"),
    [
        ("softmax", top_ten, {}),
        ("logsumexp", blocks, {}),
        ("logsumexp", lambda x: guarded(np.where(np.isneginf(x), x.dtype.type(-1e4), x)), {}),
        ("log_sigmoid", lambda x: (x - np.abs(x)) / 2 - np.log1p(np.exp(-np.abs(x))), {}),
        ("logaddexp", lambda a, b: (a + b) / 2 + np.abs(a - b) / 2 + np.log1p(np.exp(-np.abs(a - b))), {}),
        ("logsubexp", lambda a, b: np.where(a - b < 1e-2, a + np.log(a - b), a + np.log1p(-np.exp(b - a))), {}),
        ("bce_with_logits", lambda x, t: np.mean((np.logaddexp(0, x) - t * x).sum(0)), {"ndim": 2}),
        (
            "cross_entropy",
            lambda x, y: np.mean(nll(x, y)[y != -1]) if (y != -1).any() else x.dtype.type(1.0),
            {"params": {"ignore_index": -1}},
        ),
    ],
)
def test_irregular_inputs(kernel, fn, options):
    assert failure(fn, kernel, max_examples=0, **options).check in ("value", "alone")


def test_too_little_memory_is_no_failure():
    def pairs(x):
        if x.shape[-1] > 1000:
            raise MemoryError("Unable to allocate 16.0 GiB")
        return softmax(x)

    assert_stable(pairs, "softmax", max_examples=0)


# Why, and what instead


def unshifted_attention(q, k, v, mask):
    e = np.exp(q @ k.T * q.dtype.type(q.shape[-1] ** -0.5)) * mask
    return (e / e.sum(-1, keepdims=True)) @ v


@pytest.mark.parametrize(
    ("kernel", "fn", "options", "says"),
    [
        ("softmax", lambda x: softmax(x) / 2, {}, "the formula differs"),
        ("softmax", lambda x: np.nan_to_num(softmax(x)), {"claims": "nan"}, "nanmax, nansum"),
        ("logsumexp", logsumexp, {"domain": "log_space"}, "a maximum that is not finite"),
        ("log_softmax", lambda x: x - guarded(x)[..., None], {}, "a large common part"),
        ("log_softmax", lambda x: np.log(softmax(x)), {}, "underflow: the logarithm of 0"),
        ("cross_entropy", lambda x, y: np.sum(nll(x, y)), {}, "The result is the mean over the rows that count"),
        ("attention", unshifted_attention, {"regimes": "overflow_edge"}, "why exp of an unshifted score"),
    ],
)
def test_why(kernel, fn, options, says):
    text = " ".join(str(failure(fn, kernel, **options)).split())
    assert says in text


def test_what_instead():
    text = " ".join(str(failure(lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True))).split())
    assert "fix scipy.special.softmax(x, axis=-1)" in text
    bce = " ".join(str(failure(lambda x, t: np.mean(x - t), "bce_with_logits")).split())
    assert "fix numpy.mean(" in bce


def test_widths_that_a_mixture_clips():
    """Honest at ordinary widths; with the widths clipped, the density is another."""
    constant = 0.5 * np.log(2 * np.pi)

    def mixture(x, w, mu, log_sigma, squared):
        weights = w - scipy.special.logsumexp(w) - log_sigma - x.dtype.type(constant)
        return scipy.special.logsumexp(weights - squared(x[:, None] - mu, log_sigma) / 2, axis=1)

    def clipped(x, w, mu, log_sigma):
        return mixture(x, w, mu, np.clip(log_sigma, -7, 7), lambda gap, s: (gap / np.exp(s)) ** 2)

    assert_stable(
        lambda *a: mixture(*a, lambda gap, s: (gap / np.exp(s)) ** 2), "mixture_log_prob", domain="finite"
    )  # fmt: skip
    with pytest.raises(StabilityError):
        assert_stable(clipped, "mixture_log_prob", domain="finite")


def test_a_small_target_weight_counts():
    """A weight of 2**-12 costs its logit, however far below the others that lies."""

    def dropped(logits, targets):
        lp = scipy.special.log_softmax(logits, axis=1)
        return -np.where(targets > 1e-3, targets * lp, 0).sum(1).mean().astype(logits.dtype)

    with pytest.raises(StabilityError):
        assert_stable(dropped, "soft_cross_entropy", domain="finite")


def test_a_fix_that_fails_too_is_not_offered():
    """What the message tells to write has been tried on the failing case."""
    torch = pytest.importorskip("torch")
    with pytest.raises(StabilityError) as caught:
        assert_stable(
            lambda x: torch.logsumexp(x, -1) - math.log(x.shape[-1]), "logmeanexp", xp=torch, domain="log_space"
        )  # fmt: skip
    assert "  fix " not in str(caught.value)


def test_a_row_of_which_nothing_is_kept_is_called_so():
    """Whatever the logits are: the mask makes the regime, the reason and the fix."""

    def uniform(x, mask):
        return scipy.special.softmax(np.where(mask, x, np.finfo(x.dtype).min), axis=-1)

    with pytest.raises(StabilityError) as caught:
        assert_stable(uniform, "masked_softmax", domain="finite")
    assert caught.value.regime == "masked_row"
    assert "nothing is kept" in str(caught.value)
    assert "  fix       numpy.where(mask," in str(caught.value)


SPELLED = [n for n in names() if hasattr(spec(n).module, "replacement") and not hasattr(spec(n).module, "code")]


@pytest.mark.parametrize("kernel", SPELLED)
@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
def test_spellings_are_stable(kernel, framework):
    """Every spelling that a message offers passes the test that the failing function did not."""
    text = spec(kernel).module.replacement.get(framework)
    if text is None:
        return
    root = pytest.importorskip(framework)
    arguments = known(kernel, {}).arguments
    text = re.sub(r"=axis\b", "=-1", text)
    scope = {framework: root, "scipy": scipy}
    options = {"xp": root}
    if framework == "jax":  # every shape is compiled: a few regimes
        options = {"xp": root.numpy, "regimes": ("overflow_edge", "far_below"), "max_examples": 5}

    def spelled(*arrays):
        return eval(text, {**scope, **dict(zip(arguments, arrays, strict=True))})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_stable(spelled, kernel, domain="finite", dtypes="float32", **options)


def test_a_threshold_of_twenty_is_too_low_for_float64():
    """exp(-20) is 2e-9: what is cut off beyond it is missed between 20 and 30."""

    def softplus(x):
        return np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20))))

    assert_stable(softplus, "softplus", dtypes="float32", domain="finite")
    with pytest.raises(StabilityError, match="wrong value"):
        assert_stable(softplus, "softplus", dtypes="float64", domain="finite", max_examples=0)


def test_a_strict_gradient_is_no_complement():
    """1 - sigmoid(x) is 0 from x = 37 on, where the derivative of log_sigmoid is exp(-x)."""
    torch = pytest.importorskip("torch")

    class LogSigmoid(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.nn.functional.logsigmoid(x)

        @staticmethod
        def backward(ctx, g):
            return g * (1 - torch.sigmoid(ctx.saved_tensors[0]))

    assert_stable(LogSigmoid.apply, "log_sigmoid", xp=torch, domain="finite", dtypes="float32")
    with pytest.raises(StabilityError, match="wrong gradient"):
        assert_stable(LogSigmoid.apply, "log_sigmoid", xp=torch, domain="finite", dtypes="float32", strict=True)
    assert_stable(torch.nn.functional.logsigmoid, "log_sigmoid", xp=torch, domain="finite", strict=True)


def test_a_wrong_loss_cannot_hide_behind_a_mask():
    """A logit of -inf with target 0 costs nothing, and takes nothing from what is asked of the others."""

    def halved(x, t):
        each = np.where(np.isneginf(x) & (t == 0), 0.0, np.maximum(x, 0) - np.where(t == 0, 0.0, x * t))
        loss = np.mean(each + np.log1p(np.exp(-np.abs(x)))).astype(x.dtype)
        return loss / 2 if np.isneginf(x).any() else loss

    with pytest.raises(StabilityError):
        assert_stable(halved, "bce_with_logits", domain="log_space", max_examples=0, regimes="masked")
