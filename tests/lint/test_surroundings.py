from __future__ import annotations

import textwrap

import pytest

from pytest_lse.lint.analyse import analyse

SOFTMAX = "return np.exp(x) / np.exp(x).sum()"
HEAD = "import numpy as np\nimport scipy.special\n"


def finding(text):
    (found,) = analyse(HEAD + text, "a.py")
    return found


def function(body, decorator="", parameters="x", name="f"):
    return f"\n\n{decorator}\ndef {name}({parameters}):\n{textwrap.indent(body, '    ')}\n"


@pytest.mark.parametrize(
    ("head", "decorator"),
    [
        ("from numba import njit", "@njit"),
        ("import numba", "@numba.jit(nopython=True)"),
        ("import numba as nb", "@nb.vectorize(['float64(float64)'])"),
        ("from mine.compat import njit", "@njit(cache=True)"),
    ],
)
def test_numba_knows_no_scipy(head, decorator):
    found = finding(head + function(SOFTMAX, decorator))
    assert found.fix is None
    assert found.no_fix_reason == "Numba, which compiles the function, knows no function of SciPy"
    assert finding(head + function("return np.log(np.exp(x).sum())", decorator)).fix is None
    sigmoid = finding(head + function("return 1 / (1 + np.exp(-x))", decorator))
    assert sigmoid.fix.message == "Replace with `np.exp(-np.logaddexp(0, -x))`"
    softplus = finding(head + function("return np.log(1 + np.exp(x))", decorator))
    assert softplus.fix.message == "Replace with `np.logaddexp(0, x)`"


def test_a_function_that_is_compiled_further_down():
    assert finding("import numba" + function(SOFTMAX) + "\n\ng = numba.njit(f)\n").fix is None
    assert finding("import numba" + function(SOFTMAX) + "\n\ng = print(f)\n").fix is not None


def test_in_a_function_inside_a_compiled_one():
    inner = function(SOFTMAX, name="g").strip("\n")
    assert finding("import numba" + function(f"{inner}\nreturn g", "@numba.njit", "y")).fix is None


@pytest.mark.parametrize(
    ("head", "package"),
    [
        ("import pandas as pd", "pandas"),
        ("from pandas import DataFrame", "pandas"),
        ("import xarray", "xarray"),
        ("import dask.array as da", "dask"),
        ("import numpy.ma", "numpy.ma"),
        ("from numpy import ma", "numpy.ma"),
        ("masked = np.ma.masked_array", "numpy.ma"),
        ("def g(x):\n    import pandas", "pandas"),
        ("m = np.matrix([[1]])", "numpy.matrix"),
    ],
)
def test_where_objects_may_come_that_are_no_arrays_it_is_unsafe(head, package):
    found = finding(head + function(SOFTMAX))
    assert found.fix.applicability == "unsafe"
    assert found.fix.message.endswith(f"(an object of {package} would become an array)")
    for ufuncs in ("return 1 / (1 + np.exp(-x))", "return np.log(1 + np.exp(x))"):
        assert finding(head + function(ufuncs)).fix.applicability == "safe"


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (SOFTMAX, "x: np.ndarray"),
        (SOFTMAX, "x: float, y: int = 0"),
        (SOFTMAX, "*, x: NDArray[np.float64]"),
        (f"x = np.asarray(x)\n{SOFTMAX}", "x"),
        (f"x = x['a'].values\n{SOFTMAX}", "x"),
        ("a = -x.to_numpy()\nreturn np.exp(a) / np.exp(a).sum()", "x"),
        ("x = np.array(x)\nreturn np.exp(2 * x) / np.exp(2 * x).sum()", "x"),
    ],
)
def test_what_is_an_array_stays_one(body, parameters):
    assert finding("import pandas" + function(body, parameters=parameters)).fix.applicability == "safe"


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ("return np.exp(df['a']) / np.exp(df['a']).sum()", "df"),
        (SOFTMAX, "x: pd.Series"),
        (f"x = x.loc[3]\n{SOFTMAX}", "x"),
        ("p = np.exp(x) / np.exp(x).sum()\nreturn p.sort_values()", "x"),
        # np.where, too
        ("return np.log(1 - np.exp(x))", "x"),
    ],
)
def test_what_is_handled_as_another_object_is_left_alone(body, parameters):
    found = finding("import pandas as pd" + function(body, parameters=parameters))
    assert found.fix is None
    assert found.no_fix_reason == "an object of pandas would become an array"


def test_other_frameworks_have_no_such_objects():
    text = "import pandas as pd\nimport torch\n\n\ndef f(x):\n    return torch.log(torch.exp(x).sum(1))\n"
    (found,) = analyse(text, "a.py")
    assert found.fix.applicability == "safe"


def test_a_module_without_any_function():
    assert finding("import pandas as pd\nx = pd.read_csv('a')\ny = np.exp(x) / np.exp(x).sum()\n").fix is not None
    assert finding("import pandas as pd\nx = load()\ny = pd.Series(np.exp(x) / np.exp(x).sum())\n").fix is None


@pytest.mark.parametrize(
    "masked",
    [
        "x[m] = float('-inf')",
        "x = x.masked_fill(m, -torch.inf)",
        "x = torch.where(m, x, -math.inf)",
        "x = x + np.NINF * m",
        "x = x.masked_fill(m, float('-Infinity'))",
    ],
)
def test_an_epsilon_beside_a_mask_of_infinities_stays(masked):
    head = "import math\nimport torch\n"
    (found,) = analyse(HEAD + head + function(f"{masked}\nreturn torch.log(torch.softmax(x, 1) + 1e-9)"), "a.py")
    assert found.fix is None
    assert found.no_fix_reason == "the epsilon keeps a logit of -inf finite, which is named in this function"
    (found,) = analyse(HEAD + head + function("info = 1\nreturn torch.log(torch.softmax(x, 1) + 1e-9)"), "a.py")
    assert found.fix.applicability == "unsafe"
    (found,) = analyse(HEAD + head + function(f"{masked}\nreturn torch.log(torch.softmax(x, 1))"), "a.py")
    assert found.fix.applicability == "safe"


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("x = x.astype(np.complex128)", "complex numbers"),
        ("x = x * 2j", "complex numbers"),
        ("x = x.astype('uint8')", "unsigned integers"),
        ("x = x.astype(np.float16)", "half precision"),
    ],
)
def test_numbers_that_the_replacement_treats_in_another_way(line, numbers):
    (found,) = analyse(HEAD + function(f"{line}\nreturn 1 / (1 + np.exp(-x))"), "a.py")
    assert found.fix.applicability == "unsafe"
    assert f"(this function names {numbers}, which the replacement treats in another way)" in found.fix.message
    (found,) = analyse(HEAD + function(f"{line}\nreturn np.log(1 + np.exp(x))"), "a.py")
    assert found.fix.applicability == ("safe" if numbers == "half precision" else "unsafe")
    (found,) = analyse(HEAD + function("x = x.astype(float)\nreturn 1 / (1 + np.exp(-x))"), "a.py")
    assert found.fix.applicability == "safe"
    # outside of any function it is the statement that says so
    (found,) = analyse(HEAD + f"x = a()\n{line}\ny = 1 / (1 + np.exp(-x))\n", "a.py")
    assert found.fix.applicability == "safe"


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        ("torch.arange(10)", True),
        ("torch.arange(0.0, 10)", False),
        ("torch.arange(n)", False),
        ("torch.tensor([1000, -2])", True),
        ("torch.tensor([1000.0, -2])", False),
        ("torch.tensor([1000, -2], dtype=torch.float32)", False),
        ("torch.full((3,), a, dtype=torch.int64)", True),
        ("torch.randint(0, 5, (3,))", True),
        ("a.long()", True),
        ("a.to(torch.long)", True),
        ("a.to('cpu')", False),
        ("long(a)", False),
        ("a > 0", True),
        ("a", False),
        ("a + b", False),
    ],
)
def test_integers_for_which_a_framework_has_no_function(value, integer):
    softmax = "return torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)"
    (found,) = analyse("import torch" + function(f"x = {value}\n{softmax}", parameters="a, b, n"), "a.py")
    reason = "the argument is of integers, for which torch has no such function"
    assert found.no_fix_reason == (reason if integer else None)
