"""What is no finding where it stands is none in a call of its function either."""

import textwrap

import pytest

from pytest_lse.lint.analyse import analyse


def codes(text):
    return [(f.code, f.location.row) for f in analyse("import numpy as np\n" + textwrap.dedent(text), "a.py")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the inverse of softplus as it is to be written
        (
            """
            def inverse(y):
                return np.log(-np.expm1(-y)) + y

            def use(y):
                return inverse(y)
            """,
            [],
        ),
        # a use of what was reported where it was computed
        (
            """
            def squash(x, beta):
                return 1 / (np.exp(-beta * x) + 1)

            def swish(x, beta):
                return x * squash(x, beta)

            def gradient(x, beta):
                return beta * swish(x, beta)
            """,
            [("LSE006", 4)],
        ),
    ],
)
def test_a_call_repeats_nothing(text, expected):
    assert codes(text) == expected


def test_what_only_the_argument_makes_a_finding_is_told_in_the_call():
    found = codes(
        """
        def score(p):
            return np.log(p)

        def use(x):
            e = np.exp(x)
            return score(e / e.sum())
        """
    )
    assert ("LSE003", 4) in found or ("LSE002", 8) in found
