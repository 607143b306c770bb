"""Many calls at once are what they are one by one."""

import numpy as np
import pytest

from pytest_lse.dtypes import FORMATS
from pytest_lse.reference import evaluation, stacked
from pytest_lse.reference.layout import pose
from pytest_lse.reference.quick import Quick
from pytest_lse.reference.running import Running
from pytest_lse.reference.specs import names, spec
from pytest_lse.reference.stacked import Stacked
from pytest_lse.reference.tolerance import model
from pytest_lse.reference.truth import judge, prepare

FORMULAS = {
    "an ellipsis": lambda xp, x: x[..., -1] + x[..., 0],
    "new axes": lambda xp, x: x[:, None] - x[None, :],
    "a part": lambda xp, x: x[1:, ::-1],
    "labels": lambda xp, x: x[np.arange(2), np.array([1, 0])],
    "a transpose": lambda xp, x: x.T @ xp.transpose(x, (-2, -1)),
    "a raw mask": lambda xp, x: xp.where(np.array([True, False, True]), x, -xp.inf),
    "a comparison": lambda xp, x: xp.where(xp.greater(x, 0.0) & ~xp.equal(x, x[0]), x, xp.abs(x)),
    "signs": lambda xp, x: xp.sign(x) * xp.pi,
    "maxima": lambda xp, x: xp.amax(x, axis=0) - xp.max(x) + xp.min(x, axis=-1, keepdims=True),
    "a shape": lambda xp, x: xp.broadcast_to(x.reshape(x.shape[1], 1, 2), (3, 4, 2)),
    "constants": lambda xp, x: xp.concatenate([np.full((1, 3), -np.inf), x, np.ones((2, 3))], axis=-2),
    "a running sum": lambda xp, x: xp.cumsum(x, axis=0),
    "a mean of everything": lambda xp, x: xp.mean(x),
    "a norm": lambda xp, x: xp.log_softmax(x) + xp.softmax(x, axis=0) * xp.logsumexp(x, axis=(0, 1), keepdims=True),
    "a number": lambda xp, x: xp.logsumexp(x[0, 0] * xp.ones_like(x)),
}


def together(make, formula, arrays):
    xp = Stacked(make())
    result = formula(xp, xp.stack_of(arrays))
    return result.shape, xp.taken_apart(result, len(arrays))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("make", [Quick, lambda: Running(model(FORMATS["float32"], strict=False), sharp=False)])
def test_a_formula_need_not_know(name, make):
    """Values, errors and shapes."""
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(2, 3)) * 9 for _ in range(4)]
    shape, apart = together(make, FORMULAS[name], arrays)
    for array, (value, error) in zip(arrays, apart, strict=True):
        xp = make()
        alone = FORMULAS[name](xp, xp.lift(array))
        bound = np.zeros(alone.shape) if alone.parts[1] is None else alone.parts[1]
        assert alone.shape == shape == value.shape == error.shape
        np.testing.assert_allclose(value, alone.parts[0], rtol=1e-14)
        np.testing.assert_allclose(error, bound, rtol=1e-12)


@pytest.mark.parametrize("name", names())
def test_kernels(name, sample):
    """Every spelling, and what is judged by the first level done beforehand."""
    labels = [a for a in sample(name, 0) if np.asarray(a).dtype.kind in "bi"]
    calls = []
    for seed in range(3):
        given = iter(labels)
        calls.append((tuple(next(given) if np.asarray(a).dtype.kind in "bi" else a for a in sample(name, seed)), -1))
    problems = prepare(name, calls, {})
    assert len({id(p.cache["group"]) for p in problems}) == 1
    rough = Running(model(FORMATS["float32"], strict=False), sharp=False)
    with np.errstate(all="ignore"):
        for problem in problems:
            for base in (Quick(), rough):
                for spelling in spec(name).stable:
                    alone = evaluation.call_of(problem, spelling)(base, evaluation.inputs_of(problem))
                    stack = problem.cache["group"].outputs(problem, base, spelling)
                    for a, (value, error) in zip(alone, stack, strict=True):
                        np.testing.assert_allclose(value, a.parts[0], rtol=1e-12, atol=1e-14)
                        np.testing.assert_allclose(error, 0.0 if a.parts[1] is None else a.parts[1], rtol=1e-6)
    for problem, (arguments, _) in zip(problems, calls, strict=True):
        beforehand = judge(name, arguments, dtype="float64", share=0.75, problem=problem)
        alone = judge(name, arguments, dtype="float64", share=0.75)
        for a, b in zip(beforehand.outputs, alone.outputs, strict=True):
            gap = (a.exact[0] - b.exact[0]) + (a.exact[1] - b.exact[1])
            assert np.all(np.abs(gap) <= 1.5 * b.tolerance)
            np.testing.assert_allclose(a.tolerance, b.tolerance, rtol=1e-3)
            assert a.close(b.expected) is not None or a.compare(b.expected).ok.all()


def test_what_differs_in_shape_or_labels_is_apart():
    """Labels and masks direct a formula; nothing is done for arrays that are empty or large."""
    x = np.array([[1.0, 2.0]])
    labels = [np.array([0]), np.array([1]), np.array([1])]
    problems = [pose("cross_entropy", (x, y), {}, -1) for y in labels]
    wide = pose("cross_entropy", (np.zeros((1, 3)), labels[0]), {}, -1)
    empty, large = (pose("logsumexp", (np.zeros((2, n)),), {}, -1) for n in (0, evaluation.BLOCK))
    stacked.evaluate([*problems, wide])
    stacked.evaluate([empty, large])
    groups = [p.cache["group"] for p in (*problems, wide)]
    assert groups[1] is groups[2]
    assert len(set(groups)) == 3
    assert not empty.cache
    assert not large.cache


def test_masked_rows_take_the_ordinary_way():
    """Rows whose value is fixed beforehand are not taken from a stack."""
    rows = np.array([[-np.inf, -np.inf], [0.0, 1.0]])
    (problem,) = prepare("logsumexp", [((rows,), -1)], {})
    judged = judge("logsumexp", (rows,), dtype="float64", share=0.75, problem=problem)
    np.testing.assert_allclose(judged.outputs[0].expected, [-np.inf, np.log(1 + np.e)], rtol=1e-15)
