"""Every fixture, replayed for every framework of the op table by substituting the spelling.

`fixtures/rules/<name>.py` marks the lines that must fire with `# LSE001`; nothing else may. `<name>.fixed.py` is what
all fixes, safe and unsafe, make of it. `fixtures/stable/` must stay silent. To write the fixed files anew, set
PYTEST_LSE_UPDATE_FIXTURES=1.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_lse.lint import ops
from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes

FIXTURES = Path(__file__).parents[2] / "fixtures"
RULES = sorted(p.stem for p in (FIXTURES / "rules").glob("*.py") if not p.name.endswith(".fixed.py"))
STABLE = sorted(p.stem for p in (FIXTURES / "stable").glob("*.py"))
#: those that rewrite the patterns themselves are left alone
SELF_STABILISING = {c.framework for c in ops.columns() if getattr(c, "stabilises", False)}
FRAMEWORKS = sorted({c.framework for c in ops.columns()} - {"math"} - SELF_STABILISING)
#: those on which the fixtures are run, where they are installed
COMPLETE = ("jax", "numpy", "tensorflow", "torch")
#: off by default
QUIET = frozenset({"LSE013", "LSE014"})
UPDATE = bool(os.environ.get("PYTEST_LSE_UPDATE_FIXTURES"))


@cache
def found(text):
    marked = {code for _, code in expected(text)}
    return [f for f in analyse(text, "fixture.py") if f.code not in QUIET - marked]


def expected(text):
    comments = ((row, line.partition("#")[2]) for row, line in enumerate(text.split("\n"), 1))
    return [(row, code) for row, comment in comments for code in re.findall(r"LSE\d{3}", comment)]


@cache
def fixed(text):
    """Apply all fixes until none is left, as the command does."""
    for _ in range(10):
        after = apply_fixes(text, found(text), unsafe=True).text
        if after == text:
            return text
        text = after
    raise AssertionError("the fixes of a fixture go round in circles")


def rule(name):
    return (FIXTURES / "rules" / f"{name}.py").read_text()


def stable(name):
    return (FIXTURES / "stable" / f"{name}.py").read_text()


def replays(names, read, frameworks=FRAMEWORKS):
    """Pair each fixture with the frameworks that it is replayed for: only one that is written for it alone."""
    pairs = []
    for name in names:
        text = read(name)
        only = re.search(r"^# only: (\w+)$", text, re.MULTILINE)
        general = "import numpy as np" in text and not only
        pairs += [(name, f) for f in (frameworks if general else [only[1] if only else "numpy"])]
    return pairs


@pytest.mark.parametrize(("name", "framework"), replays(RULES, rule))
def test_exactly_the_marked_lines_fire(name, framework, respell):
    text = respell(rule(name), framework)
    assert [(f.location.row, f.code) for f in found(text)] == expected(text)


@pytest.mark.parametrize(("name", "framework"), replays(RULES, rule))
def test_a_finding_has_a_fix_or_says_why_not(name, framework, respell):
    for f in found(respell(rule(name), framework)):
        assert (f.fix is None) != (f.no_fix_reason is None), f
        assert f.message, f
        assert "{" not in f.message, f


@pytest.mark.parametrize(("name", "framework"), replays(STABLE, stable))
def test_stable_code_is_silent(name, framework, respell):
    text = respell(stable(name), framework)
    assert [f"{f.location.row}: {f.code} {text.splitlines()[f.location.row - 1]}" for f in found(text)] == []


@pytest.mark.parametrize("name", RULES)
def test_the_fixed_file_is_what_the_fixes_make(name):
    path = FIXTURES / "rules" / f"{name}.fixed.py"
    result = fixed(rule(name))
    if UPDATE:
        path.write_text(result)
    assert result == path.read_text()


@pytest.mark.parametrize(("name", "framework"), replays(RULES, rule))
def test_the_fixed_file_parses_and_has_nothing_to_fix(name, framework, respell):
    text = respell(rule(name), framework)
    result = fixed(text)
    ast.parse(result)
    assert fixed(result) == result
    left = [f for f in found(result) if f.fix]
    assert left == []
    assert len(found(result)) <= len(found(text))


#: parameter name -> the benign value on which a fixture's functions are run before and after
BENIGN = {
    "x": [[0.5, -1.0, 2.0, 0.25], [1.5, 0.0, -0.75, 1.0], [0.1, 0.2, -0.3, 2.5], [-2.0, 1.0, 0.75, 0.6]],
    "y": [[1.0, 2.0, 0.5, 0.75], [0.3, 1.2, 0.8, 2.0], [1.0, 0.4, 0.6, 1.5], [0.9, 0.2, 1.1, 0.7]],
    "a": [[1.0, 2.0, 0.5, 0.75], [0.3, 1.2, 0.8, 2.0], [1.0, 0.4, 0.6, 1.5], [0.9, 0.2, 1.1, 0.7]],
    "b": [[0.5, -1.0, 0.25, 0.2], [0.1, 0.0, -0.75, 1.0], [0.1, 0.2, -0.3, 0.5], [-2.0, 0.1, 0.75, 0.6]],
    "t": [[1.0, 0.0, 0.25, 1.0], [0.0, 1.0, 0.5, 0.0], [0.75, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.125]],
    "p": [[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [0.5, 0.2, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1]],
    "q": [[0.1, 0.2, 0.3, 0.4], [0.25, 1.25, 0.25, 3.0], [0.5, 0.2, 0.2, 0.1], [0.7, 0.1, 2.0, 0.1]],
    "n": [[-0.1, -2.0, -0.3, -4.0], [-0.25, -0.5, -3.0, -1.0], [-0.5, -0.2, -0.2, -0.1], [-0.7, -1.0, -0.1, -9.0]],
    "mask": [[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0]],
    "labels": [0, 2, 1, 3],
    "values": [0.5, -1.0, 2.0],
    "s": 0.75,
    "slope": 2.0,
    "weights": 0.5,
    "flag": True,
}


def arrays(framework):
    """Return how a framework makes an array and gives it back."""
    module = importlib.import_module({"jax": "jax.numpy"}.get(framework, framework))
    if framework == "torch":
        return lambda v: module.tensor(v, dtype=module.long if _integers(v) else module.float64), np.asarray
    if framework == "tensorflow":
        return lambda v: module.constant(v, dtype="int32" if _integers(v) else "float64"), np.asarray
    return (lambda v: module.asarray(v, dtype=int if _integers(v) else float)), np.asarray


def _integers(value):
    return isinstance(value[0] if isinstance(value, list) else value, int)


def outcomes(text, framework):
    """Run every function and method of a module on benign inputs."""
    space = {}
    exec(compile(text, "fixture.py", "exec"), space)
    make, back = arrays(framework)

    def call(function):
        code = function.__code__
        names = [n for n in code.co_varnames[: code.co_argcount] if n != "self"]
        given = [make(BENIGN[n]) if isinstance(BENIGN[n], list) and n != "values" else BENIGN[n] for n in names]
        result = function(*given)
        return call(result) if callable(result) else result

    results = {}
    for name, value in list(space.items()):
        if isinstance(value, type) and value.__module__ == "builtins":
            code = value.__init__.__code__ if hasattr(value.__init__, "__code__") else SimpleNamespace(co_varnames=())
            instance = value(*(BENIGN[n] for n in code.co_varnames[1:]))
            for method in vars(value):
                if not method.startswith("__"):
                    results[f"{name}.{method}"] = call(getattr(instance, method).__func__.__get__(instance))
        elif callable(value) and getattr(value, "__module__", None) is None:
            results[name] = call(value)
    return {
        n: tuple(map(back, r)) if isinstance(r, tuple) else back(getattr(r, "probs", r)) for n, r in results.items()
    }


@pytest.mark.parametrize(("name", "framework"), replays(RULES, rule, sorted(COMPLETE)))
def test_a_fix_changes_no_benign_value(name, framework, respell):
    module = pytest.importorskip("jax.numpy" if framework == "jax" else framework)
    if framework == "numpy":
        pytest.importorskip("scipy")
    assert module
    text = respell(rule(name), framework)
    before, after = outcomes(text, framework), outcomes(fixed(text), framework)
    assert before
    assert before.keys() == after.keys()
    for function, value in before.items():
        np.testing.assert_allclose(after[function], value, rtol=2e-5, atol=1e-6, err_msg=function)
        assert np.shape(after[function]) == np.shape(value), function


@pytest.mark.parametrize("framework", sorted(SELF_STABILISING))
def test_a_framework_that_stabilises_itself_is_left_alone(framework, respell):
    assert found(respell(rule("log_softmax"), framework)) == []


def test_every_framework_of_the_issue_is_replayed():
    assert {"numpy", "torch", "jax", "tensorflow", "cupy", "mlx", "paddle", "mxnet", "chainer", "autograd"} <= set(
        FRAMEWORKS
    )


def test_a_marker_that_is_missing_is_noticed(respell):
    text = rule("logsumexp").replace("  # LSE001", "", 1)
    assert [(f.location.row, f.code) for f in found(text)] != expected(text)


def test_a_wrong_fix_is_noticed():
    right = "import numpy as np\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
    wrong = "import numpy as np\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=0))\n"
    assert not np.allclose(outcomes(right, "numpy")["f"], outcomes(wrong, "numpy")["f"])
