"""The tolerance accuses no honest code and lets no bug through (a fast subset of benchmarks/reference.py)."""

import numpy as np
import pytest

from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import judge, tolerance
from pytest_lse.reference.rounding import narrow, storage

NAMES = ["logsumexp", "softmax", "log_softmax", "softplus", "sigmoid"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_bugs_are_outside_and_textbook_code_inside(bench, name, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("numpy", "2.0", reason="before, no number combines with a bfloat16")
    inside = dict.fromkeys(bench.textbook()[name], True)
    for _, batch in bench.grid.rows(dtype, longest=100):
        truth = judge(name, (batch,), dtype=dtype).outputs[0]
        for who, function in bench.textbook()[name].items():
            with np.errstate(all="ignore"):
                got = function(batch.astype(storage(dtype)))
            ok = truth.compare(got).ok.all()
            assert ok or who.startswith("BUG"), (who, batch)
            inside[who] = inside[who] and ok
    assert not [who for who, value in inside.items() if value and who.startswith("BUG")]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax", "sigmoid", "log_sigmoid", "softplus"])
def test_torch_is_inside_with_gradients(bench, name, dtype):
    torch = pytest.importorskip("torch")
    functions = {
        "log_sigmoid": torch.nn.functional.logsigmoid,
        "softplus": torch.nn.functional.softplus,
        "sigmoid": torch.sigmoid,
    }
    function = functions.get(name) or (lambda x: getattr(torch, name)(x, -1))
    for category, batch in bench.grid.rows(dtype, longest=100):
        if name == "softplus" and dtype == "float64" and (abs(batch - 27) < 10).any():
            continue  # torch returns x itself above its threshold of 20, which is off by 2e-9
        x = torch.tensor(batch.astype(dtype), requires_grad=True)
        value = function(x)
        value.sum().backward()
        judgement = judge(name, (batch,), dtype=dtype, gradients=True)
        assert judgement.outputs[0].compare(value.detach().numpy()).ok.all(), category
        assert judgement.gradient.compare(x.grad.numpy()).ok.all(), category


def test_softplus_of_torch_is_off_above_its_threshold():
    functional = pytest.importorskip("torch.nn.functional")
    torch = pytest.importorskip("torch")
    x = np.array([21.0])
    assert (
        not judge("softplus", (x,), dtype="float64").outputs[0].compare(functional.softplus(torch.tensor(x))).ok.any()
    )


TRAPS = {
    # Correct code that simpler tolerances accuse.
    "log_sigmoid": lambda x: np.minimum(x, 0) - np.log(1 + np.exp(-abs(x))),
    "logmeanexp": lambda x: (
        np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1)) + x.max(-1) - x.dtype.type(np.log(x.shape[-1]))
    ),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
}


def tree(x):
    """Add pairs of neighbours until one is left: a rounding of the answer at every level."""
    while x.shape[-1] > 1:
        if x.shape[-1] % 2:
            x = np.concatenate([np.logaddexp(x[..., :1], x[..., 1:2]), x[..., 2:]], axis=-1)
        else:
            x = np.logaddexp(x[..., ::2], x[..., 1::2])
    return x[..., 0]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("name", [*TRAPS, "logsumexp"])
def test_traps(bench, name, dtype):
    function = TRAPS.get(name, tree)
    for category, batch in bench.grid.rows(dtype, longest=100):
        with np.errstate(all="ignore"):
            got = function(batch.astype(dtype))
        assert judge(name, (batch,), dtype=dtype).outputs[0].compare(got).ok.all(), category


def test_gradients_from_a_rounded_output():
    """torch at an offset of 2**23 in float32 returns [.37, 1.0, .14] for [.24, .67, .09]: its own rounding."""
    torch = pytest.importorskip("torch")
    batch = np.float32([2.0**23, 2.0**23 + 1, 2.0**23 - 1])
    x = torch.tensor(batch, requires_grad=True)
    torch.logsumexp(x, 0).backward()
    gradient = judge("logsumexp", (batch,), dtype="float32", gradients=True).gradient
    assert gradient.compare(x.grad.numpy()).ok.all()
    benign = judge("logsumexp", (batch - np.float32(2.0**23),), dtype="float32", gradients=True).gradient
    assert not benign.compare(x.grad.numpy()).ok.any()


def test_the_common_offset_counts_only_where_the_answer_carries_it():
    row = np.array([0.0, 1.0, 2.0])
    for name in ("log_softmax", "entropy", "softmax_with_temperature"):
        more = (np.ones(1),) if name == "softmax_with_temperature" else ()
        near = judge(name, (row, *more), dtype="float32", strict=True).outputs[0].tolerance
        far = judge(name, (row + 2.0**20, *more), dtype="float32", strict=True).outputs[0].tolerance
        # Near 0 some differences are exact, that is all.
        assert (far < 1.25 * near).all()
    near, far = (judge("logsumexp", (row + c,), dtype="float32").outputs[0].tolerance for c in (0.0, 2.0**20))
    assert far > 1e4 * near


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_running_sums_in_half_precision_are_outside(dtype):
    target = FORMATS[dtype]
    row = narrow(np.concatenate([[0.0], np.full(4095, -0.3)]), target)
    small = np.exp(row).astype(storage(dtype))
    total = small.dtype.type(0)
    for term in small:
        total = (total + term).astype(small.dtype)
    assert not judge("logsumexp", (row,), dtype=dtype).outputs[0].compare(np.log(total)).ok
    assert not judge("softmax", (row,), dtype=dtype).outputs[0].compare(small / total).ok.any()


def test_a_running_sum_of_two_million_is_outside_and_one_of_thousands_inside():
    for n, honest in ((2_000_000, False), (10_000, True)):
        row = np.full(n, -0.3, dtype=np.float32)
        row[0] = 0.0
        total = np.cumsum(np.exp(row), dtype=np.float32)[-1]
        got = np.exp(row[1]) / total
        ok = judge("softmax", (row,), dtype="float32").outputs[0].compare(np.full(n, got)).ok[1]
        assert ok == honest


def test_strict_wants_log1p():
    x = np.array([-40.0])
    with_log = np.maximum(x, 0) + np.log(1 + np.exp(-abs(x)))
    with_log1p = np.logaddexp(0, x)
    for strict, answers in ((False, (True, True)), (True, (False, True))):
        truth = judge("softplus", (x,), dtype="float64", strict=strict).outputs[0]
        assert (truth.compare(with_log).ok.all(), truth.compare(with_log1p).ok.all()) == answers


def test_strict_wants_a_softmax_that_does_not_round_the_logsumexp(bench):
    x = np.array([[1e4, 1e4 - 1.0]], dtype=np.float32)
    got = bench.textbook()["softmax"]["exp(x - lse)"](x)
    assert judge("softmax", (x,), dtype="float32").outputs[0].compare(got).ok.all()
    assert not judge("softmax", (x,), dtype="float32", strict=True).outputs[0].compare(got).ok.all()


def test_summation_constants():
    wide, narrow_ = (tolerance.summation(FORMATS[d], False) for d in ("float32", "float16"))
    assert [wide(n) for n in (0, 1, 2, 1000)] == [0.0, 0.0, 1.0, 999.0]
    assert wide(2**24) == 2**19
    assert [narrow_(n) for n in (1, 2, 1024)] == [0.0, 1.0, 12.0]


def test_flushing_to_zero_is_allowed_except_in_float16():
    for dtype, x, ok in (("float32", -90.0, True), ("bfloat16", -90.0, True), ("float16", -11.5, False)):
        truth = judge("sigmoid", (np.array([x]),), dtype=dtype).outputs[0]
        assert truth.compare(np.zeros(1)).ok.all() == ok
