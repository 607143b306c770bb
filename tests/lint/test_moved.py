"""Fixes that take statements above them along: the text of the logits stands there alone."""

from __future__ import annotations

import textwrap

import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes

HEAD = "import numpy as np\nimport scipy.special\nimport torch\n"


def fixed(body):
    text = HEAD + textwrap.dedent(body)
    outcome = apply_fixes(text, analyse(text, "a.py"), unsafe=True)
    assert not outcome.withheld
    return outcome.text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the name of the logits is taken for their exponential
        (
            "x = np.exp(x)\nx = x / np.sum(x)\nreturn x",
            "x = scipy.special.softmax(x)\nreturn x",
        ),
        (
            "x = np.exp(x)\nt = x.sum(axis=1)\nx = x / t[:, None]\nreturn x",
            "x = scipy.special.softmax(x, axis=1)\nreturn x",
        ),
        (
            "x = x - 1\nx = np.exp(x * y)\nn = y * 2\nreturn x / x.sum(), n",
            "x = x - 1\nn = y * 2\nreturn scipy.special.softmax(x * y), n",
        ),
        # an index whose text is no expression
        (
            "x = np.exp(x[:, ::2])\nx = x / x.sum(axis=-1, keepdims=True)\nreturn x",
            "x = scipy.special.softmax(x[:, ::2], axis=-1)\nreturn x",
        ),
        # a call is made once, as before
        ("e = np.exp(f(x))\nreturn e / (1 + e)", "return scipy.special.expit(f(x))"),
        ("e = np.exp(-f(x))\nreturn 1 / (1 + e)", "return scipy.special.expit(f(x))"),
        ("e = np.exp(f(x) @ y)\ns = e.sum()\nreturn e / s", "return scipy.special.softmax(f(x) @ y)"),
        (
            "e = np.exp(\n    f(x)\n    + 1,\n)\nreturn e / (1 + e)",
            "return scipy.special.expit(f(x) + 1)",
        ),
        (
            "p = torch.sigmoid(x.f(y))\nloss = -torch.log(p + 1e-9).mean()\nreturn loss",
            "loss = -torch.nn.functional.logsigmoid(x.f(y)).mean()\nreturn loss",
        ),
        # in place
        ("p = np.exp(x)\np /= p.sum()\nreturn p", "p = scipy.special.softmax(x)\nreturn p"),
        ("x = np.exp(x)\nx /= x.sum()\nreturn x", "x = scipy.special.softmax(x)\nreturn x"),
        (
            "p = np.exp(f(x))\ns = p.sum(0, keepdims=True)\np /= s\nreturn p",
            "p = scipy.special.softmax(f(x), axis=0)\nreturn p",
        ),
        ("x.p = np.exp(y)\nx.p /= x.p.sum()", "x.p = scipy.special.softmax(y)"),
        ("p = np.exp(x); p /= p.sum(); return p", "p = scipy.special.softmax(x); return p"),
        ("# why\np = np.exp(x)\n\np /= p.sum()\nreturn p", "# why\np = scipy.special.softmax(x)\n\nreturn p"),
        # only what may be seen stays
        (
            "for i in y:\n    x = np.exp(x)\n    x = x / x.sum()\nreturn x",
            "for i in y:\n    x = scipy.special.softmax(x)\nreturn x",
        ),
        ("p = torch.softmax(x, 1)\np = p + 1e-10\nreturn torch.log(p)", "return torch.log_softmax(x, dim=1)"),
        ("e = None\ne = np.exp(x)\nreturn e / e.sum()", "e = None\nreturn scipy.special.softmax(x)"),
        ("e = np.exp(x)\ns = e.sum(axis=1)\nreturn e / s[:, None]", "return scipy.special.softmax(x, axis=1)"),
        (
            "e = np.exp(x)\np = e / e.sum()\nif y:\n    p = p + 1\ne = p\nreturn e",
            "p = scipy.special.softmax(x)\nif y:\n    p = p + 1\ne = p\nreturn e",
        ),
    ],
)
def test_moved(before, after):
    def function(body):
        return "\n\ndef f(x, y, f):\n" + textwrap.indent(body, "    ") + "\n"

    assert fixed(function(before)) == function(after)


def test_outside_of_functions_only_what_is_assigned_anew_goes():
    assert fixed("x = load()\nx = np.exp(x)\nx = x / x.sum()\n") == "x = load()\nx = scipy.special.softmax(x)\n"


@pytest.mark.parametrize(
    "body",
    [
        # something else reads what would go
        "x = np.exp(x)\nreturn x / x.sum(), x",
        "p = np.exp(x)\nq = p\np /= p.sum()\nreturn p, q",
        "e = np.exp(f(x))\ng = lambda: e\nreturn e / (1 + e), g",
        "try:\n    x = np.exp(x)\n    x = x / x.sum()\nexcept ValueError:\n    print(x)\nreturn x",
        "while y:\n    x = np.exp(x)\n    if y: break\n    x = x / x.sum()\nreturn x",
        # a call would change its place among others, or run more or less often
        "e = np.exp(f(x))\nreturn f(2) + e / (1 + e)",
        "e = np.exp(f(x))\ns = f(y)\nreturn s, e / (1 + e)",
        "e = np.exp(f(x))\nreturn [e / (1 + e) for i in y]",
        "e = np.exp(f(x))\nreturn y and e / (1 + e)",
        "e = np.exp(f(x))\nwhile e / (1 + e):\n    pass",
        "e = d = np.exp(f(x))\nreturn e / (1 + e), d",
        # what was read there is not what would be read here
        "y = np.exp(y)\nx = np.exp(x * y)\ny = 2\nreturn x / x.sum()",
        "x = np.exp(x)\nx = x * np.exp(x)\nreturn x / x.sum()",
        # nothing says that the array is new
        "p = x.e\np /= p.sum()\nreturn p",
        "p = np.asarray(np.exp(x))\np /= p.sum()\nreturn p",
        "if y:\n    p = np.exp(x)\np /= p.sum()\nreturn p",
        "p = np.exp(x)\np[0] = 1\np /= p.sum()\nreturn p",
        # a comment would lose what it speaks of
        "p = np.exp(x)\n# normalise\np /= p.sum()\nreturn p",
        "p = np.exp(x)  # why\nx = np.exp(x)  # why\nx = x / x.sum()\nreturn x",
        "p = np.exp(\n    x  # why\n)\np /= p.sum()\nreturn p",
        "e = np.exp(\n    f(x)  # why\n)\nreturn e / (1 + e)",
    ],
)
def test_not_moved(body):
    text = "\n\ndef f(x, y, f):\n" + textwrap.indent(body, "    ") + "\n"
    assert fixed(text) == text


def test_a_comment_that_speaks_of_an_assignment_keeps_it():
    kept = """
        def f(x):
            # the weights
            w = torch.softmax(x, 1)

            # their logarithms
            return torch.log(w)
    """
    assert fixed(kept) == textwrap.dedent(kept).replace("torch.log(w)", "torch.log_softmax(x, dim=1)")
    both = """
        def f(x):
            # the softmax
            e = np.exp(x)
            s = e.sum()
            return e / s
    """
    assert fixed(both) == "\ndef f(x):\n    # the softmax\n    return scipy.special.softmax(x)\n"


@pytest.mark.parametrize(
    "argument", ["f(x)", "x.f(y)[0]", "f(\n        x,\n        y,\n    )", "f(f(x) +\n        'a' 'b')"]
)
def test_the_argument_may_be_a_call(argument):
    text = f"\n\ndef f(x, y, f):\n    return np.log(np.sum(np.exp(\n    {argument}\n    ), axis=1))\n"
    assert "scipy.special.logsumexp(" in fixed(text)


def test_two_calls_that_look_alike_are_two_values():
    text = "\n\ndef f(g):\n    return np.exp(g()) / np.exp(g()).sum()\n"
    assert fixed(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "e = np.exp(x)\np = e / e.sum()\nreturn p, np.log(e.sum())",
            "p = scipy.special.softmax(x)\nreturn p, scipy.special.logsumexp(x)",
        ),
        (
            "e = np.exp(x)\n\ns = e.sum()\nreturn e / s, np.log(s)",
            "return scipy.special.softmax(x), scipy.special.logsumexp(x)",
        ),
        (
            "a = 1\n\ne = np.exp(x)\ns = e.sum()\n\nreturn a, e / s, np.log(s)",
            "a = 1\n\nreturn a, scipy.special.softmax(x), scipy.special.logsumexp(x)",
        ),
        (
            "e = np.exp(x)\ns = e.sum()\nreturn e / s, np.log(s), s",
            "e = np.exp(x)\ns = e.sum()\nreturn scipy.special.softmax(x), scipy.special.logsumexp(x), s",
        ),
        (
            "e = np.exp(-x)\ny = np.exp(y)\ny /= y.sum()\nreturn y, 1 / (1 + e), np.log(1 + e)",
            "y = scipy.special.softmax(y)\nreturn y, scipy.special.expit(x), np.logaddexp(0, -x)",
        ),
        (
            "# the weights\ne = np.exp(x)\n\nreturn e / e.sum(), np.log(e.sum())",
            "# the weights\ne = np.exp(x)\n\nreturn scipy.special.softmax(x), scipy.special.logsumexp(x)",
        ),
    ],
)
def test_what_several_fixes_leave_without_a_reader_goes_too(before, after):
    head = "\n\ndef f(x, y, f):\n"
    assert fixed(head + textwrap.indent(before, "    ") + "\n") == head + textwrap.indent(after, "    ") + "\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("np.exp(x) / sum(np.exp(x))", "scipy.special.softmax(x, axis=0)"),
        ("np.log(sum(np.exp(x)))", "scipy.special.logsumexp(x, axis=0)"),
        ("torch.exp(x) / sum(torch.exp(x))", "torch.softmax(x, dim=0)"),
    ],
)
def test_the_builtin_sum_goes_along_the_first_axis(before, after):
    head = "\n\ndef f(x):\n    return "
    assert fixed(head + before + "\n") == head + after + "\n"


def test_an_epsilon_that_a_table_holds():
    head = "\n\ndef f(x, c):\n    p = torch.sigmoid(x)\n    return p, "
    assert fixed(f"{head}torch.log(1 - p + c['EPS'])\n") == f"{head}torch.nn.functional.logsigmoid(-x)\n"


@pytest.mark.parametrize("eps", ["1e-15", "1e-8", "EPS"])
def test_a_one_to_which_an_epsilon_was_added(eps):
    head = "EPS = 1e-15\n\n\ndef f(x):\n    return "
    assert fixed(f"{head}torch.log(1 - torch.sigmoid(x) + {eps})\n") == f"{head}torch.nn.functional.logsigmoid(-x)\n"
    kept = f"{head}torch.log(1.1 - torch.sigmoid(x))\n"
    assert not analyse(HEAD + kept, "a.py")


LOG_OF_EXP = {
    "s = np.exp(-np.log1p(x))\nreturn np.log(s) * 2": "return -np.log1p(x) * 2",
    "s = np.exp(y[0].z)\nreturn np.log(s), s": "s = np.exp(y[0].z)\nreturn y[0].z, s",
    "return np.log(np.exp(x * 2))": "return x * 2",
    "s = np.exp(-np.log1p(x))\nreturn np.log(s), s": None,
    "s = np.exp(x * 2)\nreturn np.log(s), s": None,
}


@pytest.mark.parametrize(("before", "after"), LOG_OF_EXP.items())
def test_a_round_trip_is_not_replaced_by_a_second_computation(before, after):
    text = HEAD + "def f(x, y):\n" + textwrap.indent(before, "    ") + "\n"
    findings = analyse(text, "a.py")
    result = apply_fixes(text, findings, unsafe=True).text
    assert [f.code for f in findings] == ["LSE021"]
    if after is None:
        assert result == text
        assert "a second time" in findings[0].no_fix_reason
    else:
        assert result == HEAD + "def f(x, y):\n" + textwrap.indent(after, "    ") + "\n"
