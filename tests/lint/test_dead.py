from __future__ import annotations

import textwrap

import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes


def fixed(body):
    text = "import numpy as np\nimport scipy.special\n" + textwrap.dedent(body)
    outcome = apply_fixes(text, analyse(text, "a.py"), unsafe=True)
    assert outcome.applied
    assert not outcome.withheld
    return outcome.text.partition("special\n")[2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            """
            def f(x):
                e = np.exp(x)
                return e / e.sum()
            """,
            """
            def f(x):
                return scipy.special.softmax(x)
            """,
        ),
        (
            """
            def f(x):
                e = np.exp(x)
                # the sum
                total = e.sum()
                return np.log(total)
            """,
            """
            def f(x):
                # the sum
                return scipy.special.logsumexp(x)
            """,
        ),
        (
            # a comment that would be left alone keeps what it speaks of
            """
            def f(x):
                e = np.exp(x)
                # the sum
                total = e.sum()

                # the result
                return np.log(total)
            """,
            """
            def f(x):
                e = np.exp(x)
                # the sum
                total = e.sum()

                # the result
                return scipy.special.logsumexp(x)
            """,
        ),
        (
            # a form feed is no empty line
            """
            def f(x):
                e = np.exp(x)

            \f
                return np.log(e.sum())
            """,
            """
            def f(x):
            \f
                return scipy.special.logsumexp(x)
            """,
        ),
        (
            """
            def f(x):
                'Doc.'

                e = np.exp(x)

                # why

                return e / e.sum()


            def g(x):

                e = np.exp(x)


                return e / e.sum()
            """,
            """
            def f(x):
                'Doc.'

                # why

                return scipy.special.softmax(x)


            def g(x):

                return scipy.special.softmax(x)
            """,
        ),
        (
            """
            def f(x):
                p = scipy.special.softmax(x)
                b = 1
                p = np.log(p)
                return p, b
            """,
            """
            def f(x):
                b = 1
                p = scipy.special.log_softmax(x)
                return p, b
            """,
        ),
        (
            """
            def f(x):
                a = 1; e = np.exp(x); return a, e / e.sum()
            """,
            """
            def f(x):
                a = 1; return a, scipy.special.softmax(x)
            """,
        ),
        (
            """
            async def f(x):
                e = np.exp(
                    x
                )
                if x is not None:
                    return e / e.sum()
            """,
            """
            async def f(x):
                if x is not None:
                    return scipy.special.softmax(x)
            """,
        ),
    ],
)
def test_removed(before, after):
    assert fixed(before) == textwrap.dedent(after)


@pytest.mark.parametrize(
    "kept",
    [
        "def f(x):\n    e = np.exp(x)\n    return e / e.sum(), e\n",
        "def f(x):\n    e = np.exp(x)\n    y = e / e.sum()\n    def g(): return e\n    return y, g\n",
        "def f(x):\n    e = np.exp(x)  # why\n    return e / e.sum()\n",
        "def f(x):\n    e = np.exp(  # why\n        x)\n    return e / e.sum()\n",
        "def f(x):\n    e = t = np.exp(x)\n    return e / e.sum(), t\n",
        "def f(x):\n    e = np.exp(x)\n    y = e / e.sum()\n    del e\n    return y\n",
        "def f(x):\n    e = np.exp(x)\n    y = e / e.sum()\n    return y, locals()\n",
        "def f(x):\n    global e\n    e = np.exp(x)\n    return e / e.sum()\n",
        "def f(x):\n    e = np.exp(x)\n    print(e)\n    e = e / e.sum()\n    return e\n",
        "def f(x):\n    e = np.exp(x)\n    e = e / e.sum() + e\n    return e\n",
        "def f(x):\n    if x is not None:\n        e = np.exp(x)\n    e = e / e.sum()\n    return e\n",
        "def f(x):\n    def g(): return e\n    e = np.exp(x)\n    e = e / e.sum() * g()\n    return e\n",
        "def f(x):\n    if True: e = np.exp(x)\n    return e / e.sum()\n",
        "def f(x):\n    a = 1; e = np.exp(x)\n    return a, e / e.sum()\n",
        "x = load()\nclass C:\n    e = np.exp(x)\n    y = e / e.sum()\n",
        "x = load()\ne = np.exp(x)\ny = e / e.sum()\n",
    ],
)
def test_kept(kept):
    assert fixed(kept) == kept.replace("e / e.sum()", "scipy.special.softmax(x)")


def test_an_assignment_that_goes_is_not_fixed_first():
    before = """
        def f(x):
            p = 1 / (1 + np.exp(-x))
            return np.log(p)
    """
    text = "import numpy as np\n" + textwrap.dedent(before)
    outcome = apply_fixes(text, analyse(text, "a.py"), unsafe=True)
    assert outcome.text == "import numpy as np\n\ndef f(x):\n    return -np.logaddexp(0, -x)\n"
