"""The proof of every kernel file, from the file alone.

Every naive spelling equals the stable one in 50-digit arithmetic on random points; every stable spelling stays within
the a-priori bound of the exact value in float64, float32 and float16; the naive form fails on the file's own witness
as tabulated, in every tabulated dtype.
"""

from __future__ import annotations

import numpy as np
import pytest

from pytest_lse import discovery
from pytest_lse.dtypes import FORMATS
from pytest_lse.lint.patterns import patterns
from pytest_lse.reference import exact, specs
from pytest_lse.reference.truth import judge

#: 50 digits, and some to lose
BITS = 260
DIGITS = 1e-50
RULES = [f for f in discovery.coded() if f.name not in discovery.kernel_names()]
KERNELS = [discovery.kernel(name) for name in discovery.kernel_names()]
#: spellings of a relative that the linter reports under the kernel's code, and not of the kernel itself
RELATIVES = {
    "bce_with_logits": "naive_weighted",
    "log_softmax": "naive_complement naive_complement_log1p naive_reciprocal naive_picked naive_rest naive_two "
    "naive_contrast naive_contrast_weighted naive_contrast_both naive_contrast_sums",
    "logaddexp": "naive_plus",
    "logmeanexp": "naive_divided",
    "logsumexp": "naive_without",
    "sigmoid": "naive_derivative",
    "softmax": "naive_average naive_average_weighted naive_cumulative naive_power naive_power_weighted naive_rest "
    "naive_rest_weighted naive_first_of_rest naive_two naive_three naive_contrast",
    "softplus": "naive_weighted_sum naive_product",
}
SPELLINGS = [(k, name) for k in KERNELS for name in k.naive if name not in RELATIVES.get(k.name, "").split()]
#: what a variable that the kernel does not have is, for the spelling to be the kernel itself
NEUTRAL = {"eps": 1e-200, "low": 1e-200, "upper": 1e200, "high": 1e200, "reduction": "none"}
NEUTRAL |= dict.fromkeys(("weights", "weight", "other", "scale"), 1.0)
KEY = (1, 2)


#: spellings that are not the kernel itself but something made of it
EQUALS = {
    ("entropy", "naive_sigmoid"): lambda xp, x: xp.sigmoid(x) * xp.softplus(-x) + xp.sigmoid(-x) * xp.softplus(x),
    ("entropy", "naive_sigmoid_total"): lambda xp, x, total: xp.sum(
        xp.sigmoid(x) * xp.softplus(-x) + xp.sigmoid(-x) * xp.softplus(x), axis=total
    ),
    ("log1mexp", "naive_shifted"): lambda xp, x: x + xp.log(-xp.expm1(-x)),
    ("log1mexp", "naive_shifted_epsilon"): lambda xp, x: x + xp.log(-xp.expm1(-x)),
    ("logsumexp", "naive_plus"): lambda xp, x, axis, keepdims, other: xp.logaddexp(
        xp.logsumexp(x, axis=axis, keepdims=keepdims), xp.log(other)
    ),
    ("logsumexp", "naive_three"): lambda xp, x, y, z: xp.logaddexp(xp.logaddexp(x, y), z),
    ("sigmoid", "naive_tanh"): lambda xp, x: 2.0 * xp.sigmoid(2.0 * x) - 1.0,
    ("sigmoid", "naive_tanh_half"): lambda xp, x: 2.0 * xp.sigmoid(2.0 * x) - 1.0,
    ("sigmoid", "naive_tanh_ratio"): lambda xp, x: 2.0 * xp.sigmoid(2.0 * x) - 1.0,
    ("softplus", "naive_sum"): lambda xp, x, axis, keepdims: xp.softplus(xp.logsumexp(x, axis=axis, keepdims=keepdims)),
}
for _likelihood in ("naive_likelihood", "naive_epsilon", "naive_maximum", "naive_clip"):
    EQUALS["bce_with_logits", _likelihood] = lambda xp, x, targets: (
        -(targets * xp.softplus(-x) + (1.0 - targets) * xp.softplus(x))
    )
EQUALS["bce_with_logits", "naive_sums_negated"] = lambda xp, x, targets: (
    xp.sum(targets * xp.softplus(-x)) + xp.sum((1.0 - targets) * xp.softplus(x))
)
EQUALS["bce_with_logits", "naive_sums"] = lambda xp, x, targets: (
    -EQUALS["bce_with_logits", "naive_sums_negated"](xp, x, targets)
)
EQUALS["softplus", "naive_sum_log1p"] = EQUALS["softplus", "naive_sum"]
EQUALS["softplus", "naive_weighted_log1p"] = lambda xp, x, weights, axis, keepdims: EQUALS["softplus", "naive_sum"](
    xp, x, axis, keepdims
)


class Numpy:
    """NumPy in one dtype, with the composite functions that formulas name, spelled stably."""

    inf = np.inf

    def __init__(self, dtype):
        self.dtype = dtype
        self.pi = dtype(np.pi)

    def __getattr__(self, name):
        return getattr(np, name)

    def where(self, condition, a, b):
        return np.where(condition, a, b).astype(self.dtype)

    def mean(self, x, axis=None, keepdims=False):
        total = np.sum(x, axis=axis, keepdims=keepdims)
        return (total / self.dtype(np.size(x) // np.size(total))).astype(self.dtype)

    def log(self, x):
        return np.log(np.asarray(x, self.dtype))

    def sqrt(self, x):
        return np.sqrt(np.asarray(x, self.dtype))

    def sigmoid(self, x):
        return discovery.kernel("sigmoid").stable["stable"](self, x)

    def softplus(self, x):
        return discovery.kernel("softplus").stable["stable"](self, x)

    def softmax(self, x, axis):
        return discovery.kernel("softmax").stable["stable"](self, x, axis)

    def log_softmax(self, x, axis):
        return discovery.kernel("log_softmax").stable["stable"](self, x, axis)

    def logsumexp(self, x, axis, keepdims=False):
        return discovery.kernel("logsumexp").stable["stable"](self, x, axis, keepdims)


class Narrow(np.ndarray):
    """An array of a foreign dtype that stays in it beside Python numbers, as NumPy's own do."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(i, self.dtype) if isinstance(i, int | float) else np.asarray(i) for i in inputs]
        result = np.asarray(getattr(ufunc, method)(*plain, **kwargs))
        return result.view(Narrow)


def bce(xp, p, targets):
    return -(targets * xp.log(p) + (1.0 - targets) * xp.log(1.0 - p))


def binary(xp):
    """Give a namespace the loss that the spelling with the library's name calls."""
    xp.bce = lambda p, targets, reduction: bce(xp, p, targets)
    return xp


def benign(role, rng, shape, ties):
    """Draw one argument of a role, where no form fails."""
    normal = np.round(rng.normal(size=shape)) if ties else rng.normal(size=shape)
    if role in ("logits", "values"):
        return normal
    if role in ("negative", "log_probabilities"):
        return -np.abs(normal) - 0.01
    if role == "probabilities":
        p = np.abs(normal) + 0.1
        return p / p.sum(axis=-1, keepdims=True)
    if role == "mask":
        return (normal > -1.0) | (np.arange(shape[-1]) == 0)
    if role == "targets":
        return rng.integers(0, 2, size=shape).astype(float)
    if role == "temperature":
        return rng.uniform(0.1, 0.9, size=(*shape[:-1], 1))
    if role in ("uniform", "small"):
        return rng.uniform(0.1, 0.9, size=shape)
    raise AssertionError(f"the test knows no role {role!r}")


def arguments(kernel, seed, ndim=2):
    rng = np.random.default_rng(seed)
    shapes = {"values": (5,), "logits": (5,)} if kernel.name == "mixture_log_prob" else {}
    square = (4, 4) if kernel.name == "info_nce" else (3, 4)
    drawn = {n: benign(role, rng, shapes.get(role, square), ties=seed == 2) for n, role in kernel.args.items()}
    if kernel.name == "logsubexp":
        drawn["b"] = drawn["a"] - np.abs(drawn["b"]) - 0.1
    return drawn


def variables(formula):
    code = formula.__code__
    names = code.co_varnames[1 : code.co_argcount]
    defaults = formula.__defaults__ or ()
    return names, dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))


def evaluate(formula, xp, kernel, drawn, axis=-1):
    """Return a formula's value; what the kernel does not know has its neutral value."""
    names, fixed = variables(formula)
    given = {**NEUTRAL, **kernel.params, "keepdims": False, "axis": axis, "total": axis, "key": KEY}
    given |= {"y": drawn.get("x"), "z": drawn.get("x")} | drawn | fixed
    return formula(xp, *(given[n] for n in names))


def exactly(array):
    """Return the middle of each ball, as 50-digit numbers."""
    flat = [x.mid for x in array.parts[0].flat]
    return np.array(flat, dtype=object).reshape(array.shape)


def lifted(xp, drawn):
    return {n: xp.lift(v) if v.dtype == float else v for n, v in drawn.items()}


@pytest.mark.parametrize(("kernel", "spelling"), SPELLINGS, ids=[f"{k.name}-{s}" for k, s in SPELLINGS])
@pytest.mark.parametrize("seed", range(3))
def test_naive_equals_stable_in_fifty_digits(kernel, spelling, seed):
    drawn = arguments(kernel, seed)
    if kernel.name == "log1mexp" and spelling.startswith("naive_shifted"):
        drawn["x"] = -drawn["x"]
    naive = kernel.naive[spelling]
    names, fixed = variables(naive)
    axis = fixed.get("axis", -1)
    with exact.arithmetic(BITS, "mpmath") as xp:
        drawn = lifted(binary(xp), drawn)
        value = evaluate(naive, xp, kernel, drawn, axis)
        if (kernel.name, spelling) in EQUALS:
            other = evaluate(EQUALS[kernel.name, spelling], xp, kernel, drawn, axis)
        else:
            (stable, *_) = (kernel.stable or specs.spec(kernel.name).stable).values()
            other = evaluate(stable, xp, kernel, drawn, axis)
            other = other[KEY] if "key" in names else other
        a, b = exactly(xp.asarray(value)), exactly(xp.asarray(other))
        assert a.shape == b.shape
        for p, q in zip(a.flat, b.flat, strict=True):
            assert abs(p - q) <= DIGITS * (1 + abs(q)), (spelling, p, q)


STABLE = [(k, name) for k in KERNELS for name in k.stable if not name.startswith("stable_beside")]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(("kernel", "spelling"), STABLE, ids=[f"{k.name}-{s}" for k, s in STABLE])
def test_stable_stays_within_the_bound(kernel, spelling, dtype):
    number = np.dtype(dtype).type
    for seed in range(4):
        scale = (1.0, 10.0, 0.01, 3.0)[seed]
        drawn = arguments(kernel, seed)
        for name, role in kernel.args.items():
            if role in ("logits", "negative"):
                drawn[name] = drawn[name] * scale
        drawn = {n: v.astype(number) if v.dtype == float else v for n, v in drawn.items()}
        if kernel.name == "logsubexp":
            drawn["b"] = np.minimum(drawn["a"], drawn["b"])
        with np.errstate(all="ignore"):
            actual = evaluate(kernel.stable[spelling], Numpy(number), kernel, drawn)
            if kernel.reduction == "mean":
                actual = Numpy(number).mean(actual)
        comparison = judge(kernel.name, tuple(drawn.values()), dtype=dtype).outputs[0].compare(actual)
        assert np.all(comparison.ok), (seed, comparison.ratio.max(), actual)


def test_the_bound_can_be_missed():
    x = np.array([[0.0, 20.0, 700.0]])
    comparison = judge("logsumexp", (x,), dtype="float64").outputs[0].compare(np.array([700.0 + 1e-9]))
    assert not comparison.ok.any()


WITNESSES = [(f, s, dtype) for f in (*KERNELS, *RULES) for s in f.naive for dtype in f.witness_of(s)]
WITNESS_IDS = [f"{f.name}-{s}-{d}" for f, s, d in WITNESSES]


def scalar_type(dtype):
    if dtype == "bfloat16":
        return pytest.importorskip("ml_dtypes").bfloat16
    return np.dtype(dtype).type


def witness_arguments(file, row, number):
    values = row["input"] if len(file.args) > 1 else [row["input"]]
    # Arrays of one element where the table has a number: NumPy does not keep a foreign dtype for scalars.
    arrays = (np.atleast_1d(np.asarray(v, dtype=number)) for v in values)
    return {n: a if a.dtype.kind == "f" else a.view(Narrow) for n, a in zip(file.args, arrays, strict=True)}


def matches(value, tabulated, number):
    expected = np.asarray(tabulated, dtype=object)
    value = np.asarray(value, dtype=np.float64)
    value = value.reshape(expected.shape) if value.size == 1 else value
    expected = np.array([float(v) for v in expected.flat]).reshape(expected.shape)
    size = np.finfo(number).eps if number in (np.float64, np.float32, np.float16) else FORMATS["bfloat16"].eps
    assert value.shape == expected.shape
    with np.errstate(invalid="ignore"):
        near = np.isfinite(expected) & (np.abs(value - expected) <= 4.0 * float(size) * np.abs(expected))
    return bool(np.all(near | (value == expected) | (np.isnan(value) & np.isnan(expected))))


@pytest.mark.parametrize(("file", "spelling", "dtype"), WITNESSES, ids=WITNESS_IDS)
def test_naive_fails_on_its_witness_as_tabulated(file, spelling, dtype):
    row, number = file.witness_of(spelling)[dtype], scalar_type(dtype)
    naive = file.naive[spelling]
    given = witness_arguments(file, row, number)
    with np.errstate(all="ignore"):
        got = evaluate(naive, Numpy(number), file, given)
    assert np.asarray(got).dtype == number
    assert matches(got, row["returns"], number), (got, row["returns"])
    assert not matches(got, row["truth"], number)


@pytest.mark.parametrize(("file", "spelling", "dtype"), WITNESSES, ids=WITNESS_IDS)
def test_the_truth_of_a_witness_is_the_exact_value(file, spelling, dtype):
    row, number = file.witness_of(spelling)[dtype], scalar_type(dtype)
    given = {n: v.astype(float) for n, v in witness_arguments(file, row, number).items()}
    formula = file.stable.get("stable", file.naive[spelling])
    # In the format itself 4000 bits hold what the exponentials of a witness differ by.
    with exact.arithmetic(4000, "mpmath") as xp:
        value = xp.asarray(evaluate(formula, xp, file, {n: xp.lift(v) for n, v in given.items()}))
        rounded = np.array([float(x) for x in exactly(value).flat]).reshape(value.shape).astype(number)
    assert matches(rounded, row["truth"], number), (rounded, row["truth"])


def test_every_naive_spelling_is_traced():
    traced = {(p.kernel.name, p.spelling) for ps in patterns().naive.values() for p in ps}
    assert {(f.name, s) for f in discovery.coded() for s in f.naive} <= traced
