"""A file for a later Python says which one it needs."""

from __future__ import annotations

import ast
import sys

import pytest

from pytest_lse.lint.newer_syntax import needed_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("type X = int\n", "3.12"),
        ("def f[T](x: T) -> T:\n    return x\n", "3.12"),
        ("class C[T]:\n    pass\n", "3.12"),
        ('x = f"{a["b"]}"\n', "3.12"),
        ('x = t"{a}"\n', "3.14"),
        ("try:\n    pass\nexcept A, B:\n    pass\n", "3.14"),
    ],
)
def test_the_version_that_is_needed(text: str, version: str) -> None:
    if sys.version_info >= tuple(map(int, version.split("."))):
        pytest.skip("this Python parses it")
    with pytest.raises(SyntaxError) as caught:
        ast.parse(text)
    assert needed_version(text, caught.value) == version


@pytest.mark.parametrize("text", ["print 'hello'\n", "x = = 1\n", "def f(:\n    pass\n", "type(x) = 1\n"])
def test_an_error_in_every_version_needs_none(text: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        ast.parse(text)
    assert needed_version(text, caught.value) is None
