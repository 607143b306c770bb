"""What the running error bound knows of whole operations, and of roundings that do not happen."""

import numpy as np
import pytest

from pytest_lse.dtypes import FORMATS
from pytest_lse.reference.arrays import Array
from pytest_lse.reference.exact import arithmetic
from pytest_lse.reference.quick import Quick
from pytest_lse.reference.running import Running
from pytest_lse.reference.tape import Tape
from pytest_lse.reference.tolerance import model

SINGLE = FORMATS["float32"]


def running(strict=False):
    return Running(model(SINGLE, strict), sharp=strict)


def textbook(x):
    """Return logsumexp and softmax along the last axis, in the dtype of the argument."""
    top = x.max(axis=-1, keepdims=True)
    small = np.exp(x - top)
    total = small.sum(axis=-1, keepdims=True)
    return (top + np.log(total))[..., 0], small / total


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("error", [0.0, 1e-6, 1e-3, 0.3, 5.0])
def test_the_textbook_keeps_to_the_bound(scale, error):
    """Roundings in float32, and inputs that are off by what is said of them."""
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(300, 4)) * scale).astype(np.float32).astype(np.float64)
    errors = rng.random(rows.shape) * error
    moved = rows + errors * rng.choice([-1.0, 1.0], rows.shape)
    xp = running()
    x = Array(xp, (rows, errors if error else None))
    log_sum, share = textbook(rows)
    if error:
        found = textbook(moved)
    else:
        found = textbook(rows.astype(np.float32))
    for exact, got, result in zip((log_sum, share), found, (xp.logsumexp(x, -1), xp.softmax(x)), strict=True):
        np.testing.assert_allclose(result.parts[0], exact, rtol=1e-12)
        assert np.all(np.abs(got - exact) <= result.parts[1] * (1.0 + 1e-9) + 1e-15)
    assert np.all(xp.softmax(x).parts[1] <= 1.001)


def test_an_error_of_all_elements_is_counted_once():
    """Twenty logsumexps one after another do not triple it each time."""
    xp = running()
    x = Array(xp, (np.array([0.0, 1.0]), np.array([1e-4, 1e-4])))
    for _ in range(20):
        x = xp.logsumexp(xp.stack([x, x - 1.0], axis=-1), axis=-1)
    assert x.parts[1].max() < 2e-4


@pytest.mark.parametrize("strict", [False, True])
def test_rows_without_a_difference(strict):
    """Of -inf alone, of one infinity, of one element; another axis, kept axes, nothing."""
    xp = running(strict)
    rows = np.array([[-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 2.0]])
    with np.errstate(all="ignore"):
        result = xp.logsumexp(rows, axis=-1, keepdims=True)
    assert result.parts[0].tolist() == [[-np.inf], [np.inf], [2.0]]
    assert result.parts[1].tolist() == [[0.0], [0.0], [pytest.approx(0.0, abs=1e-6)]]
    other = xp.logsumexp(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    np.testing.assert_allclose(other.parts[0], np.logaddexp([1.0, 2.0], [3.0, 4.0]))
    with np.errstate(all="ignore"):
        assert xp.logsumexp(np.zeros((2, 0)), axis=1).parts[0].tolist() == [-np.inf, -np.inf]
    assert xp.softmax(np.array([[1.0, 2.0], [1.0, 3.0]]), axis=0).parts[0][0, 0] == 0.5
    assert xp.softmax(np.zeros((2, 0))).shape == (2, 0)


def test_a_maximum_without_a_rival_is_known():
    """Whatever the error of the score: its difference from itself is 0."""
    xp = running()
    alone = xp.softmax(Array(xp, (np.array([[1e30, -1e30]]), np.array([[1e23, 1e23]]))))
    assert alone.parts[1].max() < 1e-5
    rivals = xp.softmax(Array(xp, (np.array([[1e30, 1e30]]), np.array([[1e23, 1e23]]))))
    assert rivals.parts[1].min() > 0.4


@pytest.mark.parametrize("make", [running, Quick])
def test_a_sum_is_off_by_no_more_than_its_smaller_term(make):
    xp = make()
    # Twice that where other spellings of honest code are allowed for.
    times = 2.0 if xp.trusted else 1.0
    assert xp.add(np.array([1e30]), np.array([0.5])).parts[1][0] == 0.5 * times
    blurred = Array(xp, (np.array([0.5]), np.array([0.25])))
    assert xp.add(np.array([1e30]), blurred).parts[1][0] == 0.25 + 0.75 * times
    assert xp.add(blurred, np.array([1e30])).parts[1][0] == 0.25 + 0.75 * times


def test_nothing_is_rounded_by_0_and_1():
    xp = running()
    assert xp.multiply(np.array([3.3, 3.3, 3.3]), np.array([1.0, 0.0, -1.0])).parts[1].tolist() == [0.0, 0.0, 0.0]
    assert xp.multiply(np.array([3.3]), np.array([2.5])).parts[1][0] > 0.0
    blurred = Array(xp, (np.array([1.0]), np.array([1e-9])))
    assert xp.multiply(np.array([3.3]), blurred).parts[1][0] > 1e-9


def test_an_infinity_times_what_is_not_zero_is_itself():
    """Which an error of the other factor does not change, as long as its sign is certain."""
    xp = Quick()
    with np.errstate(all="ignore"):
        infinite = xp.lift(np.array([-np.inf, -np.inf]))
        factor = Array(xp, (np.array([0.25, 0.25]), np.array([1e-9, 0.5])))
        for product in (xp.multiply(infinite, factor), xp.multiply(factor, infinite)):
            assert product.parts[0].tolist() == [-np.inf, -np.inf]
            assert product.parts[1].tolist() == [0.0, np.inf]


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_the_gradient_of_a_logsumexp_is_a_softmax(axis, keepdims):
    rows = np.array([[0.0, 1.0, 3.0], [-2.0, 0.5, 0.25]])
    with arithmetic(200) as base:
        tape = Tape(base)
        x = tape.variable(base.lift(rows))
        output = tape.logsumexp(x, axis=axis, keepdims=keepdims)
        found = tape.gradient(output, base.lift(np.ones(output.shape)), x)
        middle = [float(low[0]) * 2.0 ** float(low[1]) for low, _ in base.bounds(found).flat]
    small = np.exp(rows)
    np.testing.assert_allclose(np.reshape(middle, rows.shape), small / small.sum(axis=axis, keepdims=True))


def test_nothing_has_no_weight():
    tape = Tape(running())
    with np.errstate(all="ignore"):
        x = tape.variable(tape.base.lift(np.array([[-np.inf, -np.inf], [0.0, -np.inf]])))
        output = tape.logsumexp(x, dim=-1)
        found = tape.gradient(output, tape.base.lift(np.ones(2)), x)
    assert found.parts[0].tolist() == [[0.0, 0.0], [1.0, 0.0]]
