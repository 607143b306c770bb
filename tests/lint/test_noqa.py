import itertools

import pytest

from pytest_lse.lint.config import Settings
from pytest_lse.lint.edits import apply_edits
from pytest_lse.lint.finding import Finding, Location
from pytest_lse.lint.noqa import add, directives, suppress
from pytest_lse.lint.pipeline import find
from pytest_lse.lint.select import Selection

NAIVE = "np.log(np.sum(np.exp(x), axis=1))"
HEAD = "import numpy as np\n\n\ndef f(x):\n    return "


def codes(text: str, **settings) -> list[str]:
    findings, _ = find(text.encode(), "a.py", Settings(root="/", **settings))
    return [f.code for f in findings]


def fixed(text: str) -> str:
    findings, _ = find(text.encode(), "a.py", Settings(root="/"))
    assert {f.code for f in findings} == {"LSE100"}
    return apply_edits(text, [edit for f in findings for edit in f.fix.edits])


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NOQA",
        "# noqa:LSE001",
        "# noqa: LSE001",
        "# noqa : LSE001",
        "# noqa: E501, LSE001",
        "# noqa: E501 LSE001 because",
        "# noqa: lse001",
        "# noqa: LSE",
        "# why # noqa: LSE001",
        "# lse: ignore",
        "# lse:ignore[LSE001]",
        "# LSE: ignore[LSE002, LSE001]",
        "# type: ignore # lse: ignore[LSE001]",
    ],
)
def test_a_comment_on_the_line_suppresses(comment):
    assert "LSE001" not in codes(f"{HEAD}{NAIVE}  {comment}\n")
    assert "LSE001" in codes(f"{HEAD}{NAIVE}  {comment}\n", respect_noqa=False)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: LSE002",
        "# noqa: E501",
        "# noqax",
        "# noqa-x",
        "# lse: ignore[LSE002]",
        "# lse: ignore[]",
        "# lse: ignored",
        "noqa" and "# no qa",
        "",
    ],
)
def test_other_comments_do_not(comment):
    assert "LSE001" in codes(f"{HEAD}{NAIVE}  {comment}\n")


@pytest.mark.parametrize(
    "comment",
    [
        "# flake8: noqa",
        "# ruff: noqa",
        "# flake8: noqa: LSE001",
        "# ruff: noqa: LSE001, E501",
        "# lse: ignore-file",
        "# lse: ignore-file[LSE001]",
    ],
)
def test_a_comment_for_the_whole_file(comment):
    assert codes(f"{HEAD}{NAIVE}\n\n\n{comment}\n") == []
    assert codes(f"{HEAD}{NAIVE}\n\n\n{comment.replace('LSE001', 'LSE002')}\n") != [] or "LSE001" not in comment


LONG = ["np.log(", "    np.sum(", "        np.exp(x),", "        axis=1))"]


@pytest.mark.parametrize("row", range(4))
def test_any_line_of_the_finding_counts(row):
    lines = [line + ("  # noqa: LSE001" if row == i else "") for i, line in enumerate(LONG)]
    assert codes(f"{HEAD}(1 + " + "\n    ".join(lines) + "\n    + 2)\n") == []


def test_the_last_line_of_the_statement_counts():
    assert codes(f"{HEAD}(\n        {NAIVE} +\n        1\n    )  # noqa: LSE001\n") == []
    assert "LSE001" in codes(f"{HEAD}(\n        {NAIVE} +\n        1  # noqa: LSE001\n    )\n")


def test_a_string_is_no_comment():
    assert codes(f"{HEAD}{NAIVE}, '# noqa: LSE001'\n") == ["LSE001"]
    assert codes('"""Write `# noqa: LSE001` there."""\n') == []


def test_text_that_does_not_tokenize_has_the_comments_before_the_error():
    assert [d.codes for d in directives("x  # noqa: LSE001\n  y\n z  # noqa\n'''")] == [("LSE001",)]
    assert directives("x  # nothing\n") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y = 1  # noqa: LSE001\n", "y = 1\n"),
        ("y = 1  # noqa: LSE001, LSE002", "y = 1"),
        ("y = 1  # noqa: E501, LSE001\r\n", "y = 1  # noqa: E501\r\n"),
        ("y = 1  # noqa: LSE001,E501 why\n", "y = 1  # noqa: E501 why\n"),
        ("y = 1  # noqa: LSE001 because\n", "y = 1  # because\n"),
        ("y = 1  # noqa: LSE001  # type: ignore\n", "y = 1  # type: ignore\n"),
        ("y = 1  # why # noqa: LSE001\n", "y = 1  # why\n"),
        ("y = 1  # lse: ignore[LSE001]\n", "y = 1\n"),
        ("y = 1  # lse: ignore\n", "y = 1\n"),
        ("y = 1  # lse: ignore[LSE001, E501]\n", "y = 1  # lse: ignore[E501]\n"),
        ("# lse: ignore-file\n", "\n"),
        ("# ruff: noqa: LSE001\n", "\n"),
        ("# flake8: noqa: LSE001, E501\n", "# flake8: noqa: E501\n"),
        ("    # noqa: LSE001\n", "\n"),
        (f"{HEAD}{NAIVE}  # noqa: LSE001, LSE002\n", f"{HEAD}{NAIVE}  # noqa: LSE001\n"),
    ],
)
def test_what_is_unused_is_reported_and_removed(before, after):
    assert fixed(before) == after


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: E501",
        "# flake8: noqa",
        "# noqa: LSE013",
        "# lse: ignore[E501]",
        "# noqa: XLSE001",
    ],
)
def test_what_others_may_need_is_left_alone(comment):
    assert codes(f"y = 1  {comment}\n") == []


def test_only_codes_that_are_on_can_be_unused():
    text = "y = 1  # noqa: LSE001\n"
    assert codes(text) == ["LSE100"]
    assert codes(text, selection=Selection(["LSE002", "LSE100"])) == []
    assert codes(text, selection=Selection(["LSE001"])) == []
    assert codes(text, selection=Selection(["ALL"])) == ["LSE100"]


def test_a_finding_uses_each_comment_that_covers_it():
    assert codes(f"# ruff: noqa: LSE001\n{HEAD}{NAIVE}  # noqa: LSE001\n") == []


def test_many_findings_take_linear_time():
    def finding(row):
        return Finding("LSE001", "n", "m", "a.py", Location(row, 1), Location(row, 2), statement_end=row)

    text = "x  # noqa: LSE001\n" * 20_000
    found = directives(text)
    assert suppress(map(finding, range(1, 20_001)), found) == []
    assert all(d.used for d in found)


ADDED = [
    (f"{HEAD}{NAIVE}\n", f"{HEAD}{NAIVE}  # noqa: LSE001\n"),
    (f"{HEAD}{NAIVE}", f"{HEAD}{NAIVE}  # noqa: LSE001"),
    (f"{HEAD}{NAIVE}   \r\n", f"{HEAD}{NAIVE}  # noqa: LSE001\r\n"),
    (f"{HEAD}{NAIVE}  # why\n", f"{HEAD}{NAIVE}  # why  # noqa: LSE001\n"),
    (f"{HEAD}{NAIVE}  # noqa: E501\n", f"{HEAD}{NAIVE}  # noqa: E501, LSE001\n"),
    (f"{HEAD}{NAIVE}  # noqa: E501 why\n", f"{HEAD}{NAIVE}  # noqa: E501, LSE001 why\n"),
    (f"{HEAD}{NAIVE}, '''\n'''\n", f"{HEAD}{NAIVE}, '''\n'''  # noqa: LSE001\n"),
    (f"{HEAD}{NAIVE} + \\\n    1\n", f"{HEAD}{NAIVE} + \\\n    1  # noqa: LSE001\n"),
    (f"{HEAD}({NAIVE} +\n    1)\n", f"{HEAD}({NAIVE}  # noqa: LSE001\n    1)\n".replace("axis=1))", "axis=1)) +")),
]


@pytest.mark.parametrize(("before", "after"), ADDED)
def test_added_comments_suppress(before, after):
    findings, _ = find(before.encode(), "a.py", Settings(root="/"))
    assert [f.code for f in findings] == ["LSE001"]
    text, count = add(before, findings)
    assert (text, count) == (after, 1)
    assert codes(text) == []


def test_no_comment_fits_inside_a_string():
    text = f"{HEAD}{NAIVE}, '''\n'''\n"
    finding = Finding("LSE001", "n", "m", "a.py", Location(5, 5), Location(5, 9), statement_end=5)
    assert add(text, [finding]) == (text, 0)


def test_one_comment_for_all_findings_of_a_line():
    pairs = itertools.product(["LSE002", "LSE001"], [1, 5])
    found = [Finding(c, "n", "m", "a.py", Location(1, n), Location(1, n + 1), statement_end=1) for c, n in pairs]
    assert add("x, y\n", found) == ("x, y  # noqa: LSE001, LSE002\n", 1)


@pytest.mark.parametrize(
    ("comment", "matters"),
    [
        ("# noqa", False),
        ("# noqa: E501", False),
        ("# noqa: LSE001", True),
        ("# noqa: E501, lse001", True),
        ("# ruff: noqa: E501", True),
        ("# lse: ignore", True),
    ],
)
def test_comments_in_other_lines_are_looked_for_only_where_they_matter(comment, matters):
    text = f"x = 1\r\ny = 2  {comment}\n"
    assert len(directives(text, {1})) == matters
    assert len(directives(text, {2})) == 1
