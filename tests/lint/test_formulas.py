"""The formulas that must work whatever else does, literally."""

from __future__ import annotations

import textwrap

import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes

IMPORTS = "import math\n\nimport numpy as np\nimport scipy.special\nimport tensorflow as tf\n\n\n"


def module(body):
    return IMPORTS + textwrap.dedent(body).strip("\n") + "\n"


def codes(text):
    return [f.code for f in analyse(text, "formulas.py")]


def fixed(text):
    return apply_fixes(text, analyse(text, "formulas.py"), unsafe=True).text.removeprefix(IMPORTS)


@pytest.mark.parametrize(
    ("formula", "code", "result"),
    [
        ("np.log(np.sum(np.exp(x)))", "LSE001", "scipy.special.logsumexp(x)"),
        ("np.exp(x) / np.sum(np.exp(x))", "LSE002", "scipy.special.softmax(x)"),
        ("np.log(np.sum(np.e ** x))", "LSE001", "scipy.special.logsumexp(x)"),
        ("np.log(np.exp(x[j]) / np.sum(np.exp(x)))", "LSE003", "scipy.special.log_softmax(x)[j]"),
        ("1 / (1 + tf.exp(-x))", "LSE006", "tf.sigmoid(x)"),
    ],
)
def test_a_formula_of_one_line(formula, code, result):
    text = module(f"def f(x, j):\n    return {formula}")
    assert codes(text) == [code]
    assert fixed(text) == f"def f(x, j):\n    return {result}\n"


def test_a_softmax_and_one_of_its_elements():
    text = module("""
        def f(x):
            exp_x = np.exp(x)
            one = np.exp(x[3]) / np.sum(exp_x)
            every = exp_x / np.sum(exp_x)
            return one, every
    """)
    assert codes(text) == ["LSE002", "LSE002"]
    after = fixed(text)
    # axis None whatever x's rank, never -1
    assert "one = scipy.special.softmax(x)[3]\n" in after
    assert "every = scipy.special.softmax(x)\n" in after


def test_a_comprehension_of_floats():
    text = module("""
        def f(values):
            return math.log(sum(math.e ** v for v in values))
    """)
    assert codes(text) == ["LSE001"]
    assert "return scipy.special.logsumexp(list(values))" in fixed(text)


def test_a_cross_entropy_of_a_sigmoid():
    text = module("""
        def f(x, z):
            y = 1 / (1 + tf.exp(-x))
            return -(z * tf.math.log(y) + (1 - z) * tf.math.log(1 - y))
    """)
    assert codes(text)[-1] == "LSE009"
    assert "return tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x)" in fixed(text)


@pytest.mark.parametrize(
    "body",
    [
        "c = np.max(x); return c + np.log(np.sum(np.exp(x - c)))",
        "return np.exp(x - logsumexp(x))",
        "c = np.max(x); return x[j] - np.log(np.sum(np.exp(x - c))) - c",
        "return tf.maximum(x, 0.) - z * x + tf.math.log1p(tf.exp(-tf.abs(x)))",
    ],
)
def test_stable_formulas_are_silent(body):
    text = module(f"""
        def logsumexp(x):
            c = np.max(x)
            return c + np.log(np.sum(np.exp(x - c)))


        def f(x, j, z):
            {body}
    """)
    assert codes(text) == []
    assert codes(text.replace("- c)", "+ c)").replace("tf.exp(-tf.abs(x))", "tf.exp(x)")) != []
