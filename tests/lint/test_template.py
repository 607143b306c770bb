"""Replacement templates filled in, and the texts that fill them."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes
from pytest_lse.lint.graph import Graph
from pytest_lse.lint.template import UnavailableError, fill, placeholders
from pytest_lse.lint.texts import atom, factor, literal, negate

HEAD = "import numpy as np\nimport scipy.special\nimport torch\n\n\n"


def filled(template, **texts):
    graph = Graph()
    values = {n: graph.const(v) if not isinstance(v, str) else graph.opaque(n) for n, v in texts.items()}
    spelled = {n: v if isinstance(v, str) else literal(v) for n, v in texts.items()}
    return fill(template, values, spelled.__getitem__, lambda dotted: dotted.replace("numpy.", "np."))


@pytest.mark.parametrize(
    ("template", "texts", "result"),
    [
        ("numpy.log1p(x)", {"x": "a + b"}, "np.log1p(a + b)"),
        ("numpy.logaddexp(0, -x)", {"x": "a + b"}, "np.logaddexp(0, -(a + b))"),
        ("numpy.logaddexp(0, -x)", {"x": "-a"}, "np.logaddexp(0, a)"),
        ("numpy.logaddexp(0, -x)", {"x": "-a * b"}, "np.logaddexp(0, a * b)"),
        ("-numpy.logaddexp(0, -x)", {"x": "f(a)"}, "-np.logaddexp(0, -f(a))"),
        ("t * numpy.exp(x)", {"t": "a + b", "x": "c"}, "(a + b) * np.exp(c)"),
        ("x[key]", {"x": "a + b", "key": "0"}, "(a + b)[0]"),
        (
            "numpy.sum(x, axis=axis, keepdims=keepdims)",
            {"x": "a", "axis": 1, "keepdims": True},
            "np.sum(a, axis=1, keepdims=True)",
        ),
        ("numpy.sum(x, axis=axis, keepdims=keepdims)", {"x": "a", "axis": None, "keepdims": False}, "np.sum(a)"),
        ("numpy.sum(x, axis=axis)", {"x": "a", "axis": (0, 1)}, "np.sum(a, axis=(0, 1))"),
        ("numpy.exp(x)", {"x": "yield_ if c else d"}, "np.exp(yield_ if c else d)"),
    ],
)
def test_filling(template, texts, result):
    assert filled(template, **texts) == result


def test_a_text_that_is_no_expression_cannot_be_moved():
    with pytest.raises(UnavailableError, match="cannot be moved"):
        filled("numpy.exp(x)", x="a b")


def test_placeholders():
    assert placeholders("numpy.log1p(x)") == {"x": 1}
    assert placeholders("t * numpy.exp(-x) + (1 - t) * numpy.exp(x)") == {"t": 2, "x": 2}
    assert placeholders("numpy.sum(x, axis=axis)") == {"x": 1, "axis": 1}
    assert placeholders("max(x, 0.0)") == {"x": 1}


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("a", "-a"),
        ("-a", "a"),
        ("a + b", "-(a + b)"),
        ("-a * b", "a * b"),
        ("a * b", "-a * b"),
        ("a ** 2", "-a ** 2"),
        ("f(x)", "-f(x)"),
    ],
)
def test_negation(text, negated):
    assert negate(text) == negated
    scope = {"a": 2.0, "b": 3.0, "x": 5.0, "f": lambda v: v + 1.0}
    assert eval(negated, scope) == -eval(text, scope)


def test_atoms_and_factors():
    assert atom("a") == "a"
    assert atom("f(x).y[0]") == "f(x).y[0]"
    assert atom("a + b") == "(a + b)"
    assert factor("a + b") == "(a + b)"
    assert factor("a * b") == "a * b"
    assert factor("a if b else c") == "(a if b else c)"
    assert factor("-a") == "-a"


def test_literals():
    assert [literal(v) for v in (1.0, 0.5, -2.0, 1e300, True, None, "s", (1.0,), (0.0, -1.0))] == [
        "1",
        "0.5",
        "-2",
        "1e+300",
        "True",
        "None",
        "'s'",
        "(1,)",
        "(0, -1)",
    ]


def found(body):
    (finding,) = [f for f in analyse(HEAD + body, "m.py") if f.code not in ("LSE013", "LSE014")]
    return finding


def fixed(body):
    return apply_fixes(HEAD + body, analyse(HEAD + body, "m.py"), unsafe=True).text.removeprefix(HEAD)


def test_a_name_that_still_holds_the_value():
    assert fixed("def f(a):\n    x = g(a)\n    e = np.exp(x)\n    return np.log(e.sum())\n") == (
        "def f(a):\n    x = g(a)\n    return scipy.special.logsumexp(x)\n"
    )


def test_a_value_that_is_gone():
    finding = found("def f(a):\n    x = g(a)\n    e = np.exp(x)\n    x = 0\n    return np.log(e.sum())\n")
    assert finding.fix is None
    assert "no longer available" in finding.no_fix_reason


def test_a_value_that_would_be_evaluated_twice():
    finding = found(
        "def f(a, t):\n    p = scipy.special.expit(g(a))\n    return -(t * np.log(p) + (1 - t) * np.log(1 - p))\n"
    )
    assert finding.fix is None


def test_an_argument_that_is_an_expression_of_unchanged_names():
    assert "scipy.special.logsumexp(2 * x + 1)" in fixed(
        "def f(x):\n    e = np.exp(2 * x + 1)\n    return np.log(e.sum())\n"
    )


def test_a_mutated_argument():
    finding = found("def f(x):\n    e = np.exp(x)\n    x[0] = 5\n    return np.log(e.sum())\n")
    assert finding.fix is None


def test_a_comment_inside():
    finding = found("def f(x):\n    return np.log(  # why\n        np.sum(np.exp(x))\n    )\n")
    assert finding.fix is None
    assert "comment" in finding.no_fix_reason


def test_torch_without_a_dim():
    finding = found("def f(x):\n    return torch.log(torch.sum(torch.exp(x)))\n")
    assert finding.fix is None
    assert "dim" in finding.no_fix_reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(np.exp(x) / np.exp(x).sum()) ** 2", "scipy.special.softmax(x) ** 2"),
        ("2 ** np.log(1 + np.exp(x))", "2 ** np.logaddexp(0, x)"),
        ("a - np.log(1 / (1 + np.exp(-x)))", "a - -np.logaddexp(0, -x)"),
        ("a / (1 + np.exp(-x))", "a * scipy.special.expit(x)"),
        ("-np.log(1 + np.exp(-x))", "-np.logaddexp(0, -x)"),
    ],
)
def test_in_an_expression_the_value_stays(before, after):
    result = fixed(f"def f(x, a):\n    return {before}\n")
    assert result == f"def f(x, a):\n    return {after}\n"
    scipy = pytest.importorskip("scipy")
    pytest.importorskip("scipy.special")
    scope = {"np": np, "scipy": scipy, "x": np.array([0.3, -1.0, 2.0]), "a": 0.7}
    np.testing.assert_allclose(eval(after, scope), eval(before, scope), rtol=1e-12)
