import pickle

import pytest

from pytest_lse.lint.globs import Globs


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("build", "/r/a/build", True),
        ("build", "/r/build2", False),
        ("build/", "/r/build", True),
        ("*.py", "/r/a/b.py", True),
        ("*.py", "/r/a/b.pyi", False),
        ("a/*.py", "/r/a/b.py", True),
        ("a/*.py", "/r/a/c/b.py", True),
        ("a/*.py", "/r/x/a/b.py", False),
        ("**/x.py", "/r/x.py", True),
        ("**/x.py", "/r/d/x.py", True),
        ("a/**/x.py", "/r/a/x.py", True),
        ("a/**/x.py", "/r/a/b/c/x.py", True),
        ("a/**", "/r/a/b", True),
        ("./a/b.py", "/r/a/b.py", True),
        ("/r/a", "/r/a", True),
        ("/s/a", "/r/s/a", False),
        ("t?st", "/r/test", True),
        ("t[ea]st", "/r/tast", True),
        ("t[!e]st", "/r/test", False),
        ("t[^e]st", "/r/tast", True),
        ("[]]", "/r/]", True),
        ("{a,b}.py", "/r/b.py", True),
        ("{a,b.py", "/r/{a,b.py", True),
        ("a}b", "/r/a}b", True),
        ("[a", "/r/[a", True),
        ("a.b", "/r/axb", False),
        ("[", "/r/[", True),
        ("new\nline*", "/r/new\nline.py", True),
    ],
)
def test_match(pattern, path, expected):
    assert Globs([pattern], "/r").match(path) is expected
    assert pickle.loads(pickle.dumps(Globs([pattern], "/r"))).match(path) is expected


def test_no_patterns_match_nothing():
    assert not Globs([], "/r").match("/r/a")


def test_parents_count_below_the_root():
    globs = Globs(["build", "r"], "/r")
    assert globs.match_any_parent("/r/build/lib/a.py")
    assert not globs.match_any_parent("/r/lib/a.py")
    assert Globs(["build"], "/elsewhere").match_any_parent("/r/build/a.py")


def test_an_invalid_pattern_is_named():
    with pytest.raises(ValueError, match=r"invalid glob pattern '\[z-a\]'"):
        Globs(["[z-a]"], "/r")
