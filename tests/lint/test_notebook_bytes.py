"""What `--fix` leaves as it was in a notebook: every byte but the changed source lines."""

from __future__ import annotations

import json

import pytest

from pytest_lse.lint.config import Settings
from pytest_lse.lint.run import Job, do_file

LINES = ["# caf\u00e9 \\u00e9 / \ud83c\udfb2\n", "import numpy as np\n", "y = np.log(1 + np.exp(x))\n", "!ls 'a'"]
FIXED = "y = np.logaddexp(0, x)\\n"


def notebook(spell, indent, newline):
    code = {
        "cell_type": "code",
        "id": "b",
        "source": "CELL",
        "outputs": [{"text": ["\u00e9"]}],
        "metadata": {"z": 1, "a": 2},
    }
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# np.log(1 + np.exp(x))"]}, code]
    document = {"nbformat": 4, "cells": cells, "metadata": {}, "nbformat_minor": 5}
    text = json.dumps(document, indent=indent, ensure_ascii=False) + newline
    return text.replace('"CELL"', spell(indent))


def as_list(indent):
    gap = "\n" + " " * 3 * indent if indent else " "
    return "[" + ",".join(gap + json.dumps(line) for line in LINES) + ("\n" + " " * 2 * indent if indent else "") + "]"


def as_string(indent):
    return json.dumps("".join(LINES))


def with_odd_escapes(indent):
    return as_list(indent).replace("/", "\\/").replace("'a'", "\\u0027a\\u0027")


def literally(indent):
    return json.dumps(LINES, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize("spell", [as_list, as_string, with_odd_escapes, literally])
@pytest.mark.parametrize(("indent", "newline"), [(1, "\n"), (2, ""), (None, "\n")])
def test_only_the_changed_line_changes(spell, indent, newline):
    before = notebook(spell, indent, newline)
    result = do_file("a.ipynb", Settings(root="."), Job("fix", unsafe=True), data=before.encode())
    assert result.error is None
    assert result.output is not None
    assert result.output.decode() == before.replace("y = np.log(1 + np.exp(x))\\n", FIXED)


def fixed_cells(*cells):
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": c} for c in cells]
    document = json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    result = do_file("a.ipynb", Settings(root="/"), Job("fix", unsafe=True), data=document.encode())
    assert result.output is not None
    return [c["source"] for c in json.loads(result.output)["cells"]]


def test_an_import_is_added_once_in_the_first_cell_that_needs_it():
    cells = ["import numpy as np\n", "1 / (1 + np.exp(-x))", "def f(x):\n    return np.log(np.exp(x).sum())\n"]
    assert fixed_cells(*cells) == [
        cells[0],
        "import scipy.special\n\nscipy.special.expit(x)",
        "def f(x):\n    return scipy.special.logsumexp(x)\n",
    ]


def test_an_import_below_does_not_count():
    cells = ["import numpy as np\n1 / (1 + np.exp(-x))", "from scipy.special import expit\n", "1 / (1 + np.exp(-y))"]
    first, second, third = fixed_cells(*cells)
    assert first == "import numpy as np\nimport scipy.special\nscipy.special.expit(x)"
    assert second == cells[1]
    assert third == "expit(y)"


def test_more_cells_than_rounds():
    calls = [f"{np}.log(1 + {np}.exp(x))" for np in ("np", "jnp", "torch")] * 5
    head = "import numpy as np\nimport torch\nimport jax.numpy as jnp\n"
    assert not any("exp(x))" in c for c in fixed_cells(head, *calls))


def test_what_a_cell_assigns_anew_goes_what_others_may_read_stays():
    cells = [
        "import numpy as np\nimport scipy.special\n",
        "x = np.exp(x)\nx = x / x.sum()\n",
        "e = np.exp(y)\ne / e.sum()",
    ]
    assert fixed_cells(*cells) == [
        cells[0],
        "x = scipy.special.softmax(x)\n",
        "e = np.exp(y)\nscipy.special.softmax(y)",
    ]
