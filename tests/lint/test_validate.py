from __future__ import annotations

import pickle
import re

import pytest

from pytest_lse.discovery import coded
from pytest_lse.lint.finding import Fix
from pytest_lse.lint.graph import Graph
from pytest_lse.lint.symbolic import Namespace, Symbol
from pytest_lse.lint.validate import objection

GRAPH = Graph()
XP = Namespace(GRAPH)
X, Y, AXIS = (Symbol(GRAPH, GRAPH.opaque(name)) for name in "xya")

EVERYTHING = GRAPH.make("slice", GRAPH.none, GRAPH.none, GRAPH.none)
COLUMN = Symbol(GRAPH, GRAPH.make("tuple", GRAPH.symbol("literal", "Ellipsis"), EVERYTHING, GRAPH.zero))


def judged(before, after, applicability="safe"):
    return objection(Fix(applicability, "", (), (before.node, after.node)))


def exp_ratio(x, **keywords):
    return XP.exp(x) / XP.sum(XP.exp(x), **keywords)


EQUAL = {
    "logsumexp": (XP.log(XP.sum(XP.exp(X), axis=1)), XP.logsumexp(X, axis=1)),
    "logsumexp over all": (XP.log(XP.sum(XP.exp(X))), XP.logsumexp(X)),
    "kept": (XP.log(XP.sum(XP.exp(X), axis=-1, keepdims=True)), XP.logsumexp(X, axis=-1, keepdims=True)),
    "two axes": (XP.log(XP.sum(XP.exp(X), axis=(0, 1))), XP.logsumexp(X, axis=(0, 1))),
    "unknown axis": (XP.log(XP.sum(XP.exp(X), axis=AXIS)), XP.logsumexp(X, axis=AXIS)),
    "softmax": (exp_ratio(X, axis=1, keepdims=True), XP.softmax(X, axis=1)),
    "an item of a softmax": (XP.exp(X[3]) / XP.sum(XP.exp(X)), XP.softmax(X, axis=None)[3]),
    "sigmoid": (1.0 / (1.0 + XP.exp(-X)), XP.sigmoid(X)),
    "scaled": (Y / (1.0 + XP.exp(-X)), Y * XP.sigmoid(X)),
    "softplus": (XP.log(1.0 + XP.exp(X * Y)), XP.softplus(X * Y)),
    "logaddexp": (XP.log(XP.exp(X) + XP.exp(Y)), XP.logaddexp(X, Y)),
    "log_softmax": (XP.log(XP.softmax(X, axis=-1)), XP.log_softmax(X, axis=-1)),
    "log_sigmoid": (XP.log(XP.sigmoid(X)), XP.log_sigmoid(X)),
    "bce": (XP.bce(XP.sigmoid(X), Y), XP.bce_with_logits(X, Y)),
    "cross entropy": (XP.nll(XP.log(XP.softmax(X, axis=-1)), Y), XP.cross_entropy(X, Y)),
    "logmeanexp": (XP.log(XP.mean(XP.exp(X), axis=0)), XP.logmeanexp(X, axis=0)),
    "logcumsumexp": (XP.log(XP.cumsum(XP.exp(X), axis=0)), XP.logcumsumexp(X, axis=0)),
    "logcumsumexp over all": (XP.log(XP.cumsum(XP.exp(X))), XP.logcumsumexp(X)),
    "clip and reductions": (
        XP.log(1.0 + XP.exp(XP.clip(X, -1.0, None) - XP.max(X, axis=0) + XP.min(Y) * XP.prod(Y, axis=0))),
        XP.softplus(XP.clip(X, -1.0, None) - XP.max(X, axis=0) + XP.min(Y) * XP.prod(Y, axis=0)),
    ),
    "powers and roots": (
        XP.log(1.0 + XP.exp(X**2.0 + XP.sqrt(XP.abs(Y)) + XP.tanh(X) + XP.relu(Y))),
        XP.softplus(X**2.0 + XP.sqrt(XP.abs(Y)) + XP.tanh(X) + XP.relu(Y)),
    ),
    "a tower of exponentials, exactly endless": (
        XP.log(1.0 + XP.exp(XP.exp(XP.exp(X)) - XP.exp(XP.exp(Y)) ** XP.exp(X))),
        XP.softplus(XP.exp(XP.exp(X)) - XP.exp(XP.exp(Y)) ** XP.exp(X)),
    ),
    "an axis inserted": (XP.log(XP.exp(X) + XP.expand(XP.exp(Y), 0)), XP.logaddexp(X, XP.expand(Y, 0))),
    "cross entropy of probabilities": (XP.cross_entropy_of_probs(XP.softmax(X, axis=-1), Y), XP.cross_entropy(X, Y)),
    "an unknown item": (XP.exp(X[Y]) / XP.sum(XP.exp(X)), XP.softmax(X, axis=None)[Y]),
    "a named item": (XP.exp(X["a"]) / XP.sum(XP.exp(X)), XP.softmax(X, axis=None)["a"]),
    "a column": (XP.exp(X[COLUMN]) / XP.sum(XP.exp(X)), XP.softmax(X, axis=None)[COLUMN]),
    "a contraction": (XP.contract(XP.sigmoid(X), X), XP.contract(1.0 / (1.0 + XP.exp(-X)), X)),
    "a transpose": (XP.transpose(1.0 / (1.0 + XP.exp(-X))), XP.transpose(XP.sigmoid(X))),
    "where": (XP.where(XP.less(X, 0.0), XP.log(1.0 + XP.exp(X)), Y), XP.where(XP.less(X, 0.0), XP.softplus(X), Y)),
}


@pytest.mark.parametrize(("before", "after"), EQUAL.values(), ids=list(EQUAL))
def test_right_fixes_pass(before, after):
    assert judged(before, after) is None


WRONG = {
    "another axis": (XP.log(XP.sum(XP.exp(X), axis=1)), XP.logsumexp(X, axis=0), "numbers|shape"),
    "axis instead of everything": (exp_ratio(X), XP.softmax(X, axis=-1), "numbers"),
    "keepdims that broadcasting hides": (exp_ratio(X, axis=1), XP.softmax(X, axis=1), "numbers"),
    "keepdims lost": (XP.log(XP.sum(XP.exp(X), axis=1, keepdims=True)), XP.logsumexp(X, axis=1), "shape"),
    "sign": (1.0 / (1.0 + XP.exp(X)), XP.sigmoid(X), "numbers"),
    "another argument": (XP.log(1.0 + XP.exp(X)), XP.softplus(Y), "numbers"),
    "a factor lost": (Y / (1.0 + XP.exp(-X)), XP.sigmoid(X), "numbers|shape"),
    "item of another softmax": (XP.exp(X[3]) / XP.sum(XP.exp(X)), XP.softmax(X, axis=None)[4], "numbers"),
    "still overflows": (XP.exp(X) * Y / (1.0 + XP.exp(X)), XP.exp(X) * Y * XP.sigmoid(-X), "is right"),
    "unknown replacement": (XP.log(1.0 + XP.exp(X)), Symbol(GRAPH, GRAPH.opaque("call")), "numbers"),
    "an axis too far": (XP.log(XP.sum(XP.exp(X), axis=0)), XP.logsumexp(X, axis=5), "cannot be evaluated"),
    "nothing to compare": (XP.logsumexp(X, axis=9), XP.logsumexp(X, axis=9), "could not be compared"),
}


@pytest.mark.parametrize(("before", "after", "reason"), WRONG.values(), ids=list(WRONG))
def test_wrong_fixes_do_not(before, after, reason):
    found = judged(before, after)
    assert found is not None
    assert re.search(reason, found)


def test_a_removed_epsilon_is_an_unsafe_difference():
    before, after = XP.log(XP.softmax(X, axis=-1) + 1e-6), XP.log_softmax(X, axis=-1)
    assert "numbers" in judged(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (XP.log(XP.sigmoid(X) + Symbol(GRAPH, GRAPH.opaque("EPS"))), XP.log_sigmoid(X)),
        (XP.log(XP.softmax(X, axis=-1) + 1e-6), XP.log_softmax(X, axis=-1)),
        (XP.log(XP.prod(X)), XP.sum(XP.log(X))),
        (
            XP.log(1.0 - XP.exp(X)),
            XP.where(XP.greater(X, -0.7), XP.log(-XP.expm1(X)), XP.log1p(-XP.exp(X))),
        ),
    ],
)
def test_a_fix_that_departs_says_so(before, after):
    assert objection(Fix("unsafe", "", (), (before.node, after.node), departs=True)) is None


def test_a_fix_that_departs_too_far():
    before, after = XP.log(XP.sigmoid(X) + 1e-2), XP.log_sigmoid(X)
    assert "numbers" in objection(Fix("unsafe", "", (), (before.node, after.node), departs=True))


def test_a_fix_without_proof_is_not_objected_to():
    assert objection(Fix("safe", "", ())) is None


def test_the_proof_stays_in_its_process():
    before, after = EQUAL["softmax"]
    fix = Fix("safe", "m", (), (before.node, after.node))
    copied = pickle.loads(pickle.dumps(fix))
    assert copied == fix
    assert copied.proof is None


@pytest.mark.parametrize("kernel", [k for k in coded() if "stable" in k.stable and k.args], ids=lambda k: k.name)
def test_the_spellings_of_a_kernel_agree(kernel):
    """The naive and the stable formula of a file are one function, by this evaluation too."""
    graph = Graph()
    xp = Namespace(graph)
    args = [Symbol(graph, graph.opaque(name)) for name in kernel.args]
    params = dict(kernel.params)
    before = kernel.naive["naive"](xp, *args, *params.values())
    after = kernel.stable["stable"](xp, *args, *params.values())
    found = objection(Fix("safe", "", (), (before.node, after.node)))
    assert found is None or "could not be compared" in found
