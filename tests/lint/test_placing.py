from __future__ import annotations

import ast

import pytest

from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.placing import place
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Scopes

CALL, MINUS, SUM = "f(x)", "-f(x)", "p - q"


def placed(text, new):
    tree = ast.parse(text)
    (site,) = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    changed = apply_edits(text, [place(Positions(text), Scopes(tree), site, new)])
    ast.parse(changed)
    return changed


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ("y = a / b\n", SUM, "y = p - q\n"),
        ("y = (a / b)\n", SUM, "y = p - q\n"),
        ("y = (a / b) ** 2\n", CALL, "y = f(x) ** 2\n"),
        ("y = (a / b) ** 2\n", MINUS, "y = (-f(x)) ** 2\n"),
        ("y = 2 * (a / b)\n", SUM, "y = 2 * (p - q)\n"),
        ("y = 2 + a / b\n", SUM, "y = 2 + (p - q)\n"),
        ("y = a / b + 2\n", SUM, "y = p - q + 2\n"),
        ("y = a / b * 2\n", SUM, "y = (p - q) * 2\n"),
        ("y = -(a / b)\n", CALL, "y = -f(x)\n"),
        ("y = -(a / b)\n", MINUS, "y = f(x)\n"),
        ("y = (-(a / b))[0]\n", MINUS, "y = f(x)[0]\n"),
        ("y = ( ( a / b ) )[0]\n", CALL, "y = f(x)[0]\n"),
        ("y = (a / b).sum()\n", SUM, "y = (p - q).sum()\n"),
        ("f((a / b))\n", SUM, "f(p - q)\n"),
        ("f(a / b)\n", SUM, "f(p - q)\n"),
        ("f(a, (a / b))\n", SUM, "f(a, p - q)\n"),
        ("f(k=(a / b))\n", SUM, "f(k=p - q)\n"),
        ("(a / b)(c)\n", CALL, "f(x)(c)\n"),
        ("def f():\n    return(a / b)\n", CALL, "def f():\n    return(f(x))\n"),
        ("y = (a / b)if c else d\n", CALL, "y = (f(x))if c else d\n"),
        ("y = lambda: (a / b)\n", SUM, "y = lambda: p - q\n"),
        ("y = [(a / b) for a in c]\n", SUM, "y = [p - q for a in c]\n"),
        ("y = [c for c in (a / b)]\n", SUM, "y = [c for c in p - q]\n"),
        ("y = (a  # why\n     / b)\n", CALL, "y = f(x)\n"),
        ("y = (  # why\n    a / b)\n", CALL, "y = (  # why\n    f(x))\n"),
        ("y = (\n    a / b\n)\n", "f(\n  x)", "y = f(x)\n"),
        ("y = (\n    a / b\n)\n", "p\n - q", "y = p - q\n"),
        ("y = (\n    a / b\n)\n", "p\n - '''a\n'''", "y = (\n    p\n - '''a\n'''\n)\n"),
        ("y = a / b\n", "p\n - q", "y = p - q\n"),
        ("y = a / b\n", "p\n - '''a\n'''", "y = (p\n - '''a\n''')\n"),
        ("y = (1 +\n     a / b)\n", "p\n * q", "y = (1 +\n     p * q)\n"),
        ("y = a / b\n", "f(\n  x,\n  (y,\n  ),\n )[\n z,\n ]", "y = f(x, (y,))[z,]\n"),
        ("y = a / b\n", "f(\r\n  'é' , {1:\r\n 2 ,\r\n }\r\n,)", "y = f('é' , {1: 2 ,} ,)\n"),
        ("y = f'{(a / b):.2f}'\n", CALL, "y = f'{f(x):.2f}'\n"),
        ("y = f'{a / b}'\n", SUM, "y = f'{(p - q)}'\n"),
    ],
)
def test_parentheses(text, new, expected):
    assert placed(text, new) == expected


LONG = "scipy.special.logsumexp(a_rather_long_argument_for_a_line * another_one, axis=-1, keepdims=True)"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["    ", "\t"])
def test_what_was_broken_is_broken_again(newline, indent):
    before = f"if 1:\n{indent}y = 2 * np.log(\n{indent}{indent}a / b\n{indent})\n".replace("\n", newline)
    tree = ast.parse(before)
    (site,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    step = "\t" if indent == "\t" else "    "
    inside = LONG.partition("(")[2][:-1]
    after = f"if 1:\n{indent}y = 2 * scipy.special.logsumexp(\n{indent}{step}{inside}\n{indent})\n"
    for new, expected in ((LONG, after), ("lse(x)", f"if 1:\n{indent}y = 2 * lse(x)\n")):
        edit = place(Positions(before), Scopes(tree), site, new)
        assert apply_edits(before, [edit]) == expected.replace("\n", newline)


def test_what_was_one_line_stays_one():
    assert placed("y = a / b\n", LONG) == f"y = {LONG}\n"
    assert placed("y = (a /\n  b)\n", f"-{LONG}") == f"y = -{LONG}\n"


def test_an_argument_of_several_lines_keeps_them_where_it_must():
    argument = (
        "a_rather_long_name.method(\n            another_name_of_some_length,\n"
        "            third_one_that_is_longer,\n        )\n        + more"
    )
    after = placed("y = a / b\n", f"scipy.special.expit({argument})")
    assert after == (
        "y = scipy.special.expit(\n    a_rather_long_name.method(\n        another_name_of_some_length,\n"
        "        third_one_that_is_longer,\n    )\n    + more\n)\n"
    )
