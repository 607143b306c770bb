"""The value graph: equal values are one object."""

from __future__ import annotations

import math

import pytest

from pytest_lse.lint.graph import Graph, coefficient, factors, is_number, terms


@pytest.fixture
def g():
    return Graph()


@pytest.fixture
def x(g):
    return g.symbol("var", "x")


@pytest.fixture
def y(g):
    return g.symbol("var", "y")


def test_equal_nodes_are_one_object(g, x, y):
    assert g.make("exp", x) is g.make("exp", x)
    assert g.make("exp", x) is not g.make("exp", y)
    assert g.opaque("a") is not g.opaque("a")


def test_literals(g):
    assert g.const(1) is g.const(1.0)
    assert g.const(True) is not g.const(1)
    assert g.const(0.0) is not g.const(-0.0)
    assert g.const("1") is not g.const(1)
    assert g.const((1.0, 2.0)) is g.const((1.0, 2.0))
    assert g.const(2**60) is not g.const(float(2**60))
    assert g.const(None) is g.none


@pytest.mark.parametrize("method", ["__bool__", "__len__", "__iter__"])
def test_a_node_has_no_truth_value(g, x, method):
    with pytest.raises(TypeError, match="branch-free"):
        getattr(x, method)()


def test_sums(g, x, y):
    one = g.one
    assert g.add(x, y) is g.add(y, x)
    assert g.add(g.add(x, one), y) is g.add(x, g.add(one, y))
    assert g.sub(one, x) is g.add(g.neg(x), one)
    assert g.neg(g.sub(x, one)) is g.sub(one, x)
    assert g.add(x, g.zero) is x
    assert g.add(one, g.const(2)) is g.const(3)
    assert g.add(g.zero, g.zero).value == 0.0
    assert g.add(x, y) is not g.sub(x, y)


def test_products(g, x, y):
    two = g.const(2)
    assert g.mul(x, y) is g.mul(y, x)
    assert g.neg(g.neg(x)) is x
    assert g.mul(g.const(0.5), g.mul(two, x)) is x
    assert g.mul(x, x) is g.pow(x, two) is g.make("square", x)
    assert g.mul(two, g.const(3)) is g.const(6)
    assert g.div(x, y) is g.mul(x, g.pow(y, g.const(-1)))
    assert g.div(g.one, g.div(g.one, x)) is x
    assert g.div(x, g.mul(y, x)) is g.mul(x, g.pow(y, g.const(-1)), g.pow(x, g.const(-1)))
    assert math.isinf(g.mul(g.const(1e308), g.const(10)).value)


def test_powers(g, x):
    assert g.pow(g.const(math.e), x) is g.make("exp", x)
    assert g.pow(g.const(2.71828), x) is g.make("exp", x)
    assert g.pow(g.const(2.7), x).op == "pow"
    assert g.pow(x, g.one) is x
    assert g.pow(g.const(2), g.const(3)) is g.const(8)
    assert g.pow(g.zero, g.const(-1)).op == "pow"
    assert g.pow(g.const(10.0), g.const(400)).op == "pow"
    assert g.make("reciprocal", x) is g.pow(x, g.const(-1))


def test_indexing(g, x, y):
    first = g.const(0)
    pair = g.make("pair", x)
    both = g.make("tuple", x, y)
    assert g.make("index", pair, first) is x
    assert g.make("index", pair, g.one).op == "opaque"
    assert g.make("index", both, g.const(-1)) is y
    assert g.make("index", both, g.const(7)).op == "opaque"
    assert g.make("index", g.make("exp", x), first) is g.make("exp", g.make("index", x, first))
    assert g.make("iter", g.make("exp", x)) is g.make("exp", g.make("iter", x))


def test_views(g, x):
    assert g.make("transpose", g.make("transpose", x)) is x
    assert g.make("transpose", g.make("log", x)) is g.make("log", g.make("transpose", x))
    axis = g.one
    total = g.make("sum", x, axis, g.false)
    assert g.make("expand", total, axis) is g.make("sum", x, axis, g.true)
    assert g.make("expand", total, g.zero).op == "expand"
    assert g.make("expand", g.make("log", total), axis) is g.make("log", g.make("sum", x, axis, g.true))
    whole = g.make("sum", x, g.none, g.false)
    assert g.make("expand", whole, g.none).op == "expand"


def test_without_shapes(g, x, y):
    total = g.make("sum", x, g.one, g.true)
    assert g.shapeless(g.make("reshape", g.make("cast", total), g.opaque("shape"))) is g.make("sum", x, g.none, g.false)
    assert g.shapeless(g.make("contract", x, y)) is g.make("sum", g.mul(x, y), g.none, g.false)
    assert g.shapeless(g.make("softmax", x, g.one)) is g.make("softmax", x, g.none)
    assert g.shapeless(g.make("max", x, g.one, g.true)) is g.make("max", x, g.none, g.false)
    assert g.shapeless(x) is x


def test_substitution_makes_nodes_anew(g, x, y):
    node = g.add(g.make("exp", x), g.const(2))
    assert g.substitute(node, {x: y}) is g.add(g.make("exp", y), g.const(2))
    assert g.substitute(g.add(x, y), {x: g.neg(y)}) is g.add(g.neg(y), y)
    assert g.substitute(node, {}) is node


def test_choices(g, x, y):
    less = g.make("less", x, y)
    assert g.choose(less, x, x) is x
    assert g.choose(less, y, x) is g.make("maximum", x, y)
    assert g.choose(less, x, y) is g.make("minimum", x, y)
    assert g.choose(g.make("greater", x, y), x, y) is g.make("maximum", x, y)
    assert g.choose(g.make("equal", x, y), x, y).op == "phi"
    assert g.choose(less, x, g.one).op == "phi"


def test_walking_visits_each_once(g, x):
    node = g.add(g.make("exp", x), g.make("log", x))
    assert sorted(n.op for n in node.walk()) == ["add", "exp", "log", "var"]


def test_a_deep_graph_needs_no_recursion(g, x):
    node = x
    for _ in range(5000):
        node = g._intern("wrap", (node,))
    assert g.shapeless(node) is node
    assert g.substitute(node, {x: g.one}) is not node


def test_helpers(g, x, y):
    node = g.mul(g.const(3), x, y)
    assert coefficient(node) == 3.0
    assert coefficient(x) == 1.0
    assert set(factors(node)) == {x, y, g.const(3)}
    assert factors(x) == (x,)
    assert set(factors(g.mul(x, y))) == {x, y}
    assert set(terms(g.add(x, y))) == {x, y}
    assert terms(x) == (x,)
    assert is_number(g.one)
    assert not is_number(g.true)
    assert not is_number(x)


def test_nodes_can_be_read(g, x):
    assert repr(g.make("exp", x)) == "exp(var:x)"
    assert repr(g.const(2)) == "2.0"
    assert repr(g._intern("none", ())).startswith("none#")
