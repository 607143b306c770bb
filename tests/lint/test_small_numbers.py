"""log1p and expm1 matter near 0: what is never near 0, or whose digits nobody needs, is left alone."""

import pytest

from pytest_lse.lint.analyse import analyse


def codes(text):
    return [f.code for f in analyse(f"import numpy as np\nimport torch\n{text}\n", "losses.py")]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("rank", []),
        ("sampled_margin_rank", []),
        ("pos_idx", []),
        ("np.random.rand()", []),
        ("rng.uniform()", []),
        ("rate", ["LSE013"]),
        ("ranking_loss", ["LSE013"]),
    ],
)
def test_ranks_counts_and_random_numbers(argument, expected):
    name = argument.partition(".")[0]
    assert codes(f"def f({name}_, {name if name != 'np' else 'x'}):\n    return np.log(1 + {argument})") == expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("torch.abs(ratio - 1.0) > clip", []),
        ("torch.lt((ratio - 1).abs(), clip)", []),
        ("(ratio - 1) > clip", ["LSE014"]),
    ],
)
def test_a_ratio_beside_a_limit(test, expected):
    assert codes(f"def f(logratio, clip):\n    ratio = torch.exp(logratio)\n    return {test}") == expected


def test_a_constant():
    assert codes("half = np.exp(-0.5) - 1") == []
