"""Matching: any order, any spelling of a kernel, and no more than that."""

from __future__ import annotations

import pytest

from pytest_lse.lint.graph import Graph
from pytest_lse.lint.match import Matcher
from pytest_lse.lint.ops import PARAMS
from pytest_lse.lint.patterns import RANK, patterns
from pytest_lse.lint.symbolic import Namespace, Symbol


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def xp(graph):
    return Namespace(graph)


@pytest.fixture
def matcher(graph):
    return Matcher(graph, patterns())


@pytest.fixture
def x(graph):
    return Symbol(graph, graph.opaque("x"))


@pytest.fixture
def y(graph):
    return Symbol(graph, graph.opaque("y"))


def pattern(kernel, spelling="naive"):
    every = (p for ps in patterns().all.values() for p in ps)
    return next(p for p in every if p.kernel.name == kernel and p.spelling == spelling)


def test_the_variables_are_bound(matcher, xp, x):
    found = matcher.exact(pattern("logsumexp"), xp.log(xp.sum(xp.exp(x), 1, True)).node)
    assert found["x"] is x.node
    assert found["axis"].value == 1.0
    assert found["keepdims"].value is True


def test_another_function_does_not_match(matcher, xp, x):
    assert matcher.exact(pattern("logsumexp"), xp.log(xp.mean(xp.exp(x), 1)).node) is None
    assert matcher.exact(pattern("logsumexp"), xp.log1p(xp.sum(xp.exp(x), 1)).node) is None


def test_a_variable_has_one_value(matcher, xp, x, y):
    softmax = pattern("softmax")
    assert matcher.exact(softmax, (xp.exp(x) / xp.sum(xp.exp(x), 1, True)).node)["x"] is x.node
    assert matcher.exact(softmax, (xp.exp(x) / xp.sum(xp.exp(y), 1, True)).node) is None
    assert matcher.exact(softmax, (xp.exp(x) / xp.sum(xp.exp(x), 1, False)).node) is None


def test_any_order(matcher, xp, x, y):
    naive = pattern("bce_with_logits")
    p = xp.sigmoid(x)
    one, other = y * xp.log(p), (1 - y) * xp.log(1 - p)
    for total in (-(one + other), -(other + one), -one - other, -other - one):
        found = matcher.exact(naive, total.node)
        assert (found["x"], found["targets"]) == (x.node, y.node)


def test_a_kernel_by_any_of_its_spellings(matcher, xp, x):
    small = xp.exp(-xp.abs(x))
    spellings = (
        xp.sigmoid(x),
        1.0 / (1.0 + xp.exp(-x)),
        xp.exp(x) / (1.0 + xp.exp(x)),
        xp.where(xp.less(x, 0.0), small / (1.0 + small), 1.0 / (1.0 + small)),
    )
    for value in spellings:
        assert matcher.exact(pattern("log_sigmoid"), xp.log(value).node)["x"] is x.node


def test_a_stable_spelling_means_its_argument(matcher, xp, x):
    e = xp.exp(x - xp.max(x, 1, True))
    meant, bindings = matcher.meaning((e / xp.sum(e, 1, True)).node, loose=False)
    assert meant.kernel.name == "softmax"
    assert bindings["x"] is x.node


def test_what_has_no_meaning(matcher, xp, x):
    assert matcher.meaning(xp.tanh(x).node, loose=False) is None


def test_scaled_arguments(matcher, graph, xp, x):
    found = matcher.exact(pattern("log_sigmoid", "naive_complement"), xp.log(1.0 - xp.sigmoid(x)).node)
    assert found["x"] is graph.neg(x.node)


def test_loosely_what_is_left_over_does_not_matter(matcher, graph, xp, x, y):
    softmax = pattern("softmax")
    weighted = (y * xp.exp(x) / xp.sum(xp.exp(x), 1, True)).node
    assert matcher.exact(softmax, weighted) is None
    assert matcher.loose(softmax, graph.shapeless(weighted))["x"] is x.node


def test_loosely_a_constant_may_be_off_a_little(matcher, graph, xp, x):
    softplus = pattern("softplus")
    assert matcher.loose(softplus, xp.log(1.00001 + xp.exp(x)).node) is not None
    assert matcher.exact(softplus, xp.log(1.00001 + xp.exp(x)).node) is None
    assert matcher.loose(softplus, xp.log(1.1 + xp.exp(x)).node) is None


def test_loosely_one_of_several_values(matcher, graph, xp, x, y):
    either = graph.make("phi", xp.exp(x).node, y.node)
    node = graph.make("log", graph.make("sum", either, graph.none, graph.false))
    assert matcher.loose(pattern("logsumexp"), node)["x"] is x.node
    assert matcher.exact(pattern("logsumexp"), node) is None


def test_the_widest_pattern_comes_first():
    for table in (patterns().naive, patterns().all):
        for found in table.values():
            ranks = [p.rank for p in found if p.naive]
            assert ranks == sorted(ranks)


def test_every_rank_is_a_code_of_some_file():
    assert set(RANK) == {p.kernel.code for ps in patterns().naive.values() for p in ps}


def test_defaults_are_fixed():
    assert pattern("softmax", "naive_whole").fixed == {"axis": None}
    assert pattern("softmax").fixed == {}
    assert pattern("softmax").whole
    assert not pattern("softmax", "naive_element").whole


def test_a_namespace_is_strict(xp, x):
    with pytest.raises(AttributeError, match="no operation 'frobnicate'"):
        xp.frobnicate(x)
    with pytest.raises(TypeError, match="takes x, axis"):
        xp.softmax(x)
    with pytest.raises(TypeError, match="takes x"):
        xp.exp(x, base=2)
    for attempt in (bool, len, iter, lambda s: s < 1, lambda s: s >= 1):
        with pytest.raises(TypeError, match="branch-free"):
            attempt(x)


def test_operators_build_nodes(graph, xp, x, y):
    assert (x + y).node is graph.add(x.node, y.node)
    assert (1 + x).node is (x + 1).node
    assert (1 - x).node is graph.sub(graph.one, x.node)
    assert (x - 1).node is graph.sub(x.node, graph.one)
    assert (2 * x).node is (x * 2).node
    assert (1 / x).node is graph.div(graph.one, x.node)
    assert (x**2).node is (x * x).node
    assert x["key"].node.op == "index"


def test_every_operation_can_be_named(xp):
    assert all(callable(getattr(xp, op)) for op in PARAMS)
