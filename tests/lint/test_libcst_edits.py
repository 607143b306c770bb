from __future__ import annotations

import ast
import sys

import pytest

from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.finding import Edit, Location
from pytest_lse.lint.imports import Imports
from pytest_lse.lint.libcst_edits import WithheldError, apply_with_libcst
from pytest_lse.lint.positions import Positions


def replace(text, old, new):
    """The edit that replaces the only occurrence of some text."""
    assert text.count(old) == 1, old
    positions = Positions(text)
    start = text.index(old)
    return Edit(new, positions.at(start), positions.at(start + len(old)))


def insert(text, before, new):
    place = replace(text, before, "").location
    return Edit(new, place, place)


EXPRESSIONS = {
    "plain": ("y = log(sum(exp(x)))\n", "log(sum(exp(x)))", "lse(x)"),
    "own parentheses": ("y = ( a / b ) ** 2\n", "a / b", "c(d)"),
    "own parentheses replaced too": ("y = ( a / b ) ** 2\n", "( a / b )", "c(d)"),
    "new parentheses": ("y = a / b * 2\n", "a / b", "(c - d)"),
    "return without a space": ("def f():\n    return(a/b)\n", "a/b", "c(d)"),
    "keyword behind": ("y = (a/b)if c else(d)\n", "a/b", "c(d)"),
    "argument": ("f(x, *a/b, k=1)\n", "a/b", "c"),
    "keyword argument": ("f(x, k=a/b)\n", "a/b", "c"),
    "default, decorator and annotation": ("@a/b\ndef f(x=1): pass\n", "a/b", "c.d"),
    "f-string": ("y = f'{a/b:.2f} {x!r}'\n", "a/b", "c(d)"),
    "comprehension": ("y = [a/b for a in b]\n", "a/b", "c(a)"),
    "lambda": ("y = lambda a: a/b\n", "a/b", "c(a)"),
    "several lines": ("y = f(\n    a\n    / b,  # why\n)\n", "a\n    / b", "c(d)"),
    "into several lines": ("y = (\n    a / b\n)\n", "a / b", "c(\n        d,\n    )"),
    "tabs": ("if 1:\n\tif 2:\n\t\ty\t=\ta / b\t# c\n", "a / b", "c(d)"),
    "non-ascii": ("ä = '€🎲'; y = ä / b  # é\n", "ä / b", "c(ä)"),
    "crlf": ("x = 1\r\ny = a / b\r\n", "a / b", "c(d)"),
    "mixed endings": ("x = 1\r\ny = a / b\nz = 1\r\n", "a / b", "c(d)"),
    "no final newline": ("x = 1\ny = a / b", "a / b", "c(d)"),
    "trailing whitespace": ("x = 1  \ny = a / b \t\n \t \n", "a / b", "c(d)"),
    "form feed between functions": ("x = 1\n\x0c\ny = a / b\n", "a / b", "c(d)"),
    "continuation": ("y = 1 + \\\n    a / b \\\n    + 2\n", "a / b", "c(d)"),
    "strings with odd separators": ("s = '\x0b\x1c\u2028'; y = a / b\n", "a / b", "c(d)"),
    "subscript": ("y = a / b[0]\n", "a / b[0]", "c(d)[0]"),
    "statement on its own": ("a / b\n", "a / b", "c"),
}


@pytest.mark.parametrize(("text", "old", "new"), EXPRESSIONS.values(), ids=list(EXPRESSIONS))
def test_expressions(text, old, new):
    assert apply_with_libcst(text, [replace(text, old, new)]) == text.replace(old, new)


STATEMENTS = {
    "first": "import a\ny = 1\n",
    "below a comment": "# c\n\n# d\nimport a\ny = 1\n",
    "after a docstring": '"""Doc."""\n\n\nimport a\n# e\ny = 1\n',
    "several": "import os\n\nimport a\n\ny = 1\n",
    "last": "y = 1\n# c\nimport a\n",
    "last, comments behind": "y = 1\n# c\nimport a\n# d\n\n",
    "last without an end": "y = 1\nimport a",
    "above a decorated function": "import os\n\nimport a\n\n\n# c\n@dec\ndef f(): pass\n",
    "below a function": "def f():\n    pass\n    # c\n\nimport a\ny = 1\n",
    "crlf": "import os\r\nimport a\r\ny = 1\r\n",
    "mixed": "import os\nimport a\r\ny = 1\r\n",
}


@pytest.mark.parametrize("after", STATEMENTS.values(), ids=list(STATEMENTS))
def test_inserted_lines(after):
    line = after[after.index("import a") :].partition("\n")[0] + "\n"  # with its carriage return
    if not after.endswith("\n"):
        text = after.removesuffix("\nimport a")
        end = Positions(text).at(len(text))
        edit = Edit("\nimport a", end, end)
    else:
        text = after.replace(line, "")
        place = Positions(text).at(after.index(line))
        edit = Edit(line, place, place)
    assert apply_with_libcst(text, [edit]) == after


@pytest.mark.parametrize("lines", ["\nimport a\n", "import a\n\n", "\nimport a\n\n\n"])
@pytest.mark.parametrize("row", range(1, 9))
def test_inserted_lines_with_empty_ones(lines, row):
    text = "# a\n\nx = 1\n\n# b\n\ny = 1\n"
    edit = Edit(lines, Location(row, 1), Location(row, 1))
    assert apply_with_libcst(text, [edit]) == apply_edits(text, [edit])


@pytest.mark.parametrize(
    ("text", "place", "new"),
    [
        ("from a import b, d\n", "d", "c, "),
        ("from a import b, d\n", "\n", ", e"),
        ("from a import (\n    b,  # why\n    d\n)\n", "d", "c,\n    "),
        ("if 1:\n    x = 2; from a import (b, d)\n", ")", ", e"),
        ("if 1:\n    from a import (\n        b,\n    )\n", ",\n", ",\n        c"),
    ],
)
def test_members(text, place, new):
    edit = insert(text, place, new)
    assert apply_with_libcst(text, [edit]) == apply_edits(text, [edit])


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("x = 1\ne = exp(x)\ny = 2\n", "e = exp(x)\n"),
        ("x = 1\n\n# c\n\ne = exp(x)\n# d\ny = 2\n", "e = exp(x)\n"),
        ("def f(x):  # a\n\t# b\n\te = exp(x)\n\t# c\n\ty = 2\n", "\te = exp(x)\n"),
        ("def f(x):\n    y = 2\n    e = exp(x)\n    # c\n\nz = 1\n", "    e = exp(x)\n"),
        ("def f(x):\n    e = exp(x)\n\n \n    # c\n\n    y = 2\n", "    e = exp(x)\n\n \n"),
        ("def f(x):\n    e = exp(x)\n\n    t = 1\n\n    y = 2\n", "    e = exp(x)\n\n"),
        ("e = exp(x); y = 2\n", "e = exp(x); "),
        ("a = 1; e = exp(x); y = 2  # c\n", "e = exp(x); "),
        ("a = 1; e = exp(\n x); y = 2  # c\n", "e = exp(\n x); "),
        ("a = 1; e = exp(x)\n", "; e = exp(x)"),
        ("a = 1\r\ne = (\r\n  exp(x))\r\ny = 2\r\n", "e = (\r\n  exp(x))\r\n"),
        ("# a\ne = exp(x)\ny = 2\n", "e = exp(x)\n"),
        ("y = 2\n# a\ne = exp(x)\n# b\n", "e = exp(x)\n"),
    ],
)
def test_removed_assignments(text, old):
    assert apply_with_libcst(text, [replace(text, old, "")]) == text.replace(old, "")


def test_all_at_once():
    text = "from a import b\nx = 1\n\n\ndef f(x):\n    # c\n    e = exp(x)\n    return e/e.sum(), f(e / 1)\n"
    edits = [
        Edit("import s\n", Location(2, 1), Location(2, 1)),
        replace(text, "    e = exp(x)\n", ""),
        replace(text, "e/e.sum()", "s.softmax(x)"),
        replace(text, "e / 1", "1"),
        insert(text, "\nx = 1", ", c"),
    ]
    assert apply_with_libcst(text, edits) == (
        "from a import b, c\nimport s\nx = 1\n\n\ndef f(x):\n    # c\n    return s.softmax(x), f(1)\n"
    )


def test_an_import_and_a_removed_line_of_the_module():
    text = "import os\n\ne = exp(x)\ny = e / e.sum()\n"
    edits = [
        Edit("\nimport s\n", Location(2, 1), Location(2, 1)),
        replace(text, "e = exp(x)\n", ""),
        replace(text, "e / e.sum()", "s(x)"),
    ]
    assert apply_with_libcst(text, edits) == "import os\n\nimport s\n\ny = s(x)\n"


@pytest.mark.parametrize("text", ["\x0cy = a / b\n", "x = 1\ry = a / b\r"])
def test_what_libcst_does_not_reproduce_is_left_alone(text):
    with pytest.raises(WithheldError, match="byte for byte"):
        apply_with_libcst(text, [replace(text, "a / b", "c(d)")])


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        ("y = a / b\n", "/ b", "c", "no expression"),
        ("y = a / b\n", "y = a", "", "no statement"),
        ("if 1:\n\ty = a\n        y = a / b\n", "a / b", "c", "cannot parse"),
        ("y = a / b\n", "a / b", "c(", "cannot parse"),
        ("y = x if(a)else b\n", "(a)", "a", "valid syntax|disagree"),
        ("if 1: e = 1; y = 2\n", "e = 1; y = 2\n", "", "disagree|valid syntax"),
    ],
)
def test_withheld(text, old, new, reason):
    with pytest.raises(WithheldError, match=reason):
        apply_with_libcst(text, [replace(text, old, new)])


def test_withheld_where_it_is_nested_too_deeply():
    text = "y = " + "+".join("a" * 2000) + " - (a / b)\n"
    limit = sys.getrecursionlimit()
    # An analysis in the same process may have raised it.
    sys.setrecursionlimit(1000)
    try:
        with pytest.raises(WithheldError, match="nested too deeply"):
            apply_with_libcst(text, [replace(text, "a / b", "c")])
    finally:
        sys.setrecursionlimit(limit)


def test_overlapping_edits():
    text = "y = a / b\n"
    with pytest.raises(ValueError, match="overlap"):
        apply_with_libcst(text, [replace(text, "a / b", "c"), replace(text, "b", "d")])


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_edits_of_the_imports_module(newline):
    text = '"""Doc."""\n\nimport numpy as np\n\n\ndef f(x):\n    return (np.exp(x))\n'.replace("\n", newline)
    tree = ast.parse(text)
    (call,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    spelling = Imports(tree, text, "a.py").spell("scipy.special.expit", call)
    edits = [*spelling.edits, Edit(f"{spelling.text}(x)", *Positions(text).span(call))]
    assert apply_with_libcst(text, edits) == apply_edits(text, edits)
