"""The first level of the truth proves what it says, and a truth that is only good enough is."""

import math

import mpmath
import numpy as np
import pytest

from pytest_lse import Kernel
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference.doubledouble import DoubleDouble
from pytest_lse.reference.quick import Quick
from pytest_lse.reference.rounding import narrow
from pytest_lse.reference.running import SMALLEST
from pytest_lse.reference.specs import names
from pytest_lse.reference.truth import judge
from pytest_lse.strategies import logits, temperatures

ROWS = [
    [0.0],
    [1.0, 1.0, 1.0],
    [0.0, -40.0],
    [0.0, -746.0],
    [1e8, 1e8 + 1.0, -math.inf],
    [-1e300, 1e300],
    [3.0, -2.0, 0.5, 1e-20],
    [-math.inf, 2.0],
    [1e-320, -1e-320],
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("blurred", [False, True])
@pytest.mark.parametrize("kernel", ["logsumexp", "softmax", "log_softmax"])
def test_rows_are_within_their_bound(row, blurred, kernel):
    """Against mpmath, for exact arguments and for those that carry an error."""
    xp = Quick()
    with np.errstate(all="ignore"), mpmath.workdps(500):
        x = xp.lift(np.array([row]))
        exact = [mpmath.mpf(v) for v in row]
        if blurred:
            x, exact = xp.multiply(x, xp.pi), [v * mpmath.pi for v in exact]
        total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in exact))
        expected = {
            "logsumexp": [total],
            "log_softmax": [v - total for v in exact],
            "softmax": [mpmath.exp(v - total) for v in exact],
        }[kernel]
        values, errors = (np.ravel(p) for p in getattr(xp, kernel)(x, axis=-1).parts)
        for value, error, want in zip(values, errors, expected, strict=True):
            if np.isinf(value):
                assert want == value
                assert error in (0.0, np.inf)
            elif np.isfinite(error):
                assert (
                    abs(mpmath.mpf(float(value)) - want) <= mpmath.mpf(float(error)) + abs(want) * mpmath.mpf(2) ** -400
                )


@pytest.mark.parametrize("kernel", ["logsumexp", "softmax", "log_softmax"])
def test_other_axes_and_rows_of_one_value(kernel):
    """Along any axis the answer is that along the last, and without a finite maximum nothing is proved wrongly."""
    x = np.array([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5]])
    xp = Quick()
    along = getattr(xp, kernel)(xp.lift(x), axis=0).parts[0]
    last = getattr(xp, kernel)(xp.lift(np.ascontiguousarray(x.T)), axis=-1).parts[0]
    np.testing.assert_allclose(along, last if last.ndim == 1 else last.T, rtol=1e-14)
    with np.errstate(all="ignore"):
        value, error = getattr(xp, kernel)(xp.lift(np.full((1, 2), -np.inf)), axis=-1, **_kept(kernel)).parts
    assert np.all(np.isnan(value) | ((value == -np.inf) & (error == 0.0)))


def _kept(kernel):
    return {"keepdims": True} if kernel == "logsumexp" else {}


def test_what_underflows_is_not_taken_for_exact():
    """exp(-800) is 0 in float64, and its logarithm is not -inf."""
    xp = Quick()
    with np.errstate(all="ignore"):
        small = xp.exp(xp.lift(np.array([-800.0, -np.inf])))
        assert small.parts[1].tolist() == [SMALLEST, 0.0]
        value, error = xp.log(small).parts
        assert np.isinf(error[0])
        assert (value[1], error[1]) == (-np.inf, 0.0)
        assert xp.multiply(xp.lift(np.array([1e-200])), 1e-200).parts[1][0] >= SMALLEST
        assert xp.divide(xp.lift(np.array([1e-200])), 1e200).parts[1][0] >= SMALLEST


@pytest.mark.parametrize("arithmetic", [Quick, DoubleDouble])
def test_an_infinity_that_was_there_before_is_exact(arithmetic):
    """A masked term stays -inf through sums, also where numbers have two parts."""
    xp = arithmetic()
    with np.errstate(all="ignore"):
        third = xp.divide(xp.lift(np.array([1.0, 1.0])), 3.0)
        masked = xp.add(third, xp.lift(np.array([0.0, -np.inf])))
        for result in (masked, xp.add(masked, third)):
            parts = result.parts
            assert np.isneginf(parts[0][1])
            assert parts[-1][1] == 0.0
            assert np.isfinite(parts[-1][0])
        huge = xp.multiply(xp.lift(np.array([1e300])), 1e300)
        assert np.isinf(huge.parts[0][0])
        assert np.isinf(huge.parts[-1][0])


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_share_of_the_tolerance(name, dtype, sample):
    """What is good enough is as close to the exact truth as the tolerance says, values and gradients."""
    target = FORMATS[dtype]
    arguments = [narrow(a, target) if a.dtype == float else a for a in sample(name, 2)]
    if name == "gumbel_softmax":
        arguments[1] = np.clip(arguments[1], 0.01, 0.99)
    exact = judge(name, tuple(arguments), dtype=dtype, gradients=True)
    close = judge(name, tuple(arguments), dtype=dtype, gradients=True, share=0.5)
    for a, b in zip((*exact.outputs, exact.gradient), (*close.outputs, close.gradient), strict=True):
        error = np.zeros(b.exact[0].shape) if b.error is None else b.error
        assert a.error is None
        assert np.all(np.abs((a.exact[0] - b.exact[0]) + (a.exact[1] - b.exact[1])) <= error)
        assert np.all(error <= 0.5 * a.tolerance * (1.0 + 1e-6))
        assert b.close(a.expected) is not None or b.compare(a.expected).ok.all()


def test_what_overflows_on_the_way_is_no_truth():
    formula = Kernel(
        lambda xp, x, t: xp.log(xp.sum(xp.exp(-x / t))),
        args=(logits(domain="finite"), temperatures()),
        name="log_partition",
    )
    judged = judge(formula, (np.array([-1000.0], np.float32), np.float32(0.0078125)), dtype="float32", share=0.75)
    assert judged.outputs[0].expected == 128000.0
    judged = judge(formula, (np.array([-1000.0, -999.0]), np.float64(0.0078125)), dtype="float64", share=0.75)
    assert judged.outputs[0].expected == 128000.0
