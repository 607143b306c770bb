"""Intervals and shifts: what decides most verdicts."""

from __future__ import annotations

import math

import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.bounds import INF, UNKNOWN, Bounds, fact, meet
from pytest_lse.lint.graph import Graph
from pytest_lse.lint.symbolic import Namespace, Symbol


@pytest.fixture
def g():
    return Graph()


@pytest.fixture
def xp(g):
    return Namespace(g)


@pytest.fixture
def x(g):
    return Symbol(g, g.opaque("x"))


@pytest.fixture
def y(g):
    return Symbol(g, g.opaque("y"))


@pytest.fixture
def bounds(g):
    return Bounds(g, {})


def test_intervals(bounds, xp, x, g):
    unit = xp.sigmoid(x)
    expected = {
        xp.abs(x): (0.0, INF),
        -xp.abs(x): (-INF, 0.0),
        x * x: (0.0, INF),
        -0.5 * x**2: (-INF, 0.0),
        x**4: (0.0, INF),
        xp.tanh(x): (-1.0, 1.0),
        2.0 * xp.sin(x) + 1.0: (-1.0, 3.0),
        unit: (0.0, 1.0),
        1.0 - unit: (0.0, 1.0),
        xp.softmax(x, 1): (0.0, 1.0),
        xp.exp(x): (0.0, INF),
        xp.exp(-xp.abs(x)): (0.0, 1.0),
        xp.expm1(-xp.abs(x)): (-1.0, 0.0),
        xp.log_softmax(x, 1): (-INF, 0.0),
        xp.log(1.0 + xp.abs(x)): (0.0, INF),
        xp.log1p(xp.abs(x)): (0.0, INF),
        xp.relu(x): (0.0, INF),
        xp.sqrt(x): (0.0, INF),
        xp.maximum(x, 0.0): (0.0, INF),
        xp.minimum(x, 0.0): (-INF, 0.0),
        xp.clip(x, -2.0, 3.0): (-2.0, 3.0),
        xp.clip(x, None, 3.0): (-INF, 3.0),
        xp.where(xp.less(x, 0.0), 1.0, 5.0): (1.0, 5.0),
        xp.max(xp.tanh(x), 1): (-1.0, 1.0),
        xp.mean(xp.abs(x)): (0.0, INF),
        xp.sum(xp.abs(x)): (0.0, INF),
        xp.sum(xp.tanh(x)): (-INF, INF),
        1.0 / (1.0 + xp.abs(x)): (0.0, 1.0),
        x: UNKNOWN,
        xp.tanh(x) * xp.tanh(x): (0.0, 1.0),
    }
    for value, interval in expected.items():
        assert bounds.interval(value.node) == interval, value.node


def test_constants(bounds, g):
    assert bounds.interval(g.const(3)) == (3.0, 3.0)
    assert bounds.interval(g.const((1.0, -2.0))) == (-2.0, 1.0)
    assert bounds.interval(g.make("tuple", g.const(1), g.const(4))) == (1.0, 4.0)
    assert bounds.interval(g.const("text")) == UNKNOWN
    assert bounds.interval(g.true) == UNKNOWN


def test_large_exponents_are_infinite(bounds, xp, x):
    assert bounds.interval(xp.exp(xp.clip(x, 0.0, 1e6)).node) == (1.0, INF)
    assert bounds.interval(xp.exp(xp.clip(x, 0.0, 2.0)).node)[1] == pytest.approx(math.exp(2.0))


def shifts(xp, x, y, g):
    top = xp.max(x, 1, True)
    one = Symbol(g, g.make("index", x.node, g.one))
    return {
        "maximum": x - top,
        "reordered": -top + x,
        "detached": x - xp.detach(xp.expand(xp.max(x, 1), 1)),
        "minimum of the negative": x + xp.min(-x, 1, True),
        "negative by the minimum": xp.min(x, 1, True) - x,
        "scaled": (x - top) / 0.07,
        "scaled by an unknown": (x - top) / y,
        "of an element": one - top,
        "maximum of two": x - xp.maximum(x, y),
        "plus a constant": x - top + 1.0,
        "maximum of the magnitude": x - xp.max(xp.abs(x), 1, True),
        "logsumexp": x - xp.logsumexp(x, 1, True),
        "one branch": Symbol(g, g.make("phi", (x - top).node, x.node)),
        "one of two maxima": x - Symbol(g, g.make("phi", top.node, xp.max(x, 0, True).node)),
        "of a sum": x + y - xp.max(x + y, 1, True),
        "replaced where infinite": x - xp.where(xp.isfinite(top), top, 0.0),
    }


def test_shifts(bounds, xp, x, y, g):
    for name, value in shifts(xp, x, y, g).items():
        assert bounds.shifted(value.node), name


def test_what_is_no_shift(bounds, xp, x, y):
    top = xp.max(x, 1, True)
    for value in (
        x,
        x + top,
        x - xp.mean(x, 1, True),
        x - xp.min(x, 1, True),
        top - x,
        x - 1.0,
        y - top,
        2.0 * x - top,
    ):
        assert not bounds.shifted(value.node), value.node


def test_a_shifted_exponent_is_not_positive(bounds, xp, x):
    assert bounds.interval((x - xp.max(x, 1, True)).node)[1] == 0.0


def test_unknown_shifts(bounds, xp, x, y):
    assert bounds.unknown_shift((x - y).node)
    assert bounds.unknown_shift(((x - y) / 3.0).node)
    for value in (x, -x, x + y, -x - y, x - 1.0, x - xp.mean(x, 1, True), x - xp.min(x, 1, True)):
        assert not bounds.unknown_shift(value.node), value.node


def test_facts(g, xp, x, y):
    less, greater = xp.less(x, 3.0).node, xp.greater(x, 3.0).node
    assert fact(g, less, True)[x.node] == (-INF, 3.0)
    assert fact(g, less, False)[x.node] == (3.0, INF)
    assert fact(g, greater, True)[x.node] == (3.0, INF)
    assert fact(g, less, True)[g.neg(x.node)] == (-3.0, INF)
    assert fact(g, g.make("not", less), True)[x.node] == (3.0, INF)
    assert fact(g, xp.less(xp.abs(x), 2.0).node, True)[x.node] == (-2.0, 2.0)
    both = g.make("and", less, xp.greater(x, 1.0).node)
    assert fact(g, both, True)[x.node] == (1.0, 3.0)
    assert fact(g, both, False) == {}
    either = g.make("or", less, xp.greater(x, 5.0).node)
    assert fact(g, either, True) == {}
    assert fact(g, either, False)[x.node] == (3.0, 5.0)
    assert fact(g, xp.less(x, y).node, True)[(x - y).node] == (-INF, 0.0)
    assert fact(g, xp.equal(x, 3.0).node, True) == {}


def test_facts_bound_values(g, xp, x):
    bounds = Bounds(g, {x.node: (-INF, 20.0)})
    assert bounds.interval(x.node) == (-INF, 20.0)
    assert bounds.interval((x + 1.0).node) == (-INF, 21.0)
    assert bounds.tested(x.node)
    assert not bounds.tested((x + 1.0).node)


def test_facts_together(x):
    assert meet({x.node: (0.0, 5.0)}, {x.node: (3.0, 9.0)}) == {x.node: (3.0, 5.0)}
    assert meet({}, {x.node: (3.0, 9.0)}) == {x.node: (3.0, 9.0)}
    # Contradictions are of code that is never reached.
    assert meet({x.node: (0.0, 1.0)}, {x.node: (3.0, 9.0)}) == {x.node: (0.0, 1.0)}


def test_a_matrix_of_products_of_rows_is_no_square():
    found = analyse("import numpy as np\n\ndef f(x):\n    return np.log(1 + np.exp(-(x @ x.T)))\n", "f.py")
    assert [f.code for f in found] == ["LSE005"]
