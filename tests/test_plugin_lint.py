"""`pytest --lse`: collected files are linted as test items."""

import json

import pytest

pytest_plugins = ["pytester"]

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


@pytest.fixture
def lint(pytester):
    """Write files and run pytest over them."""

    def run(*arguments, **files):
        for name, text in files.items():
            path = pytester.path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly", *arguments)

    return run


def test_each_file_is_an_item(lint):
    result = lint("--lse", "-v", losses_dot_py=NAIVE, test_a_dot_py="def test_a(): pass\n", sub__note_dot_txt="exp(x)")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "losses.py::lse FAILED*",
            "test_a.py::lse PASSED*",
            "test_a.py::test_a PASSED*",
            "*losses.py: numerical stability*",
            "LSE001 log(sum(exp(x))) is inf*",
            "*losses.py:5:12",
            "*return np.log(np.sum(np.exp(x), axis=1))",
            "*^^^^^^^^*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_without_the_option_there_are_none(lint):
    lint(losses_dot_py=NAIVE, test_a_dot_py="def test_a(): pass\n").assert_outcomes(passed=1)


def test_items_can_be_selected(lint):
    files = {"losses_dot_py": NAIVE, "test_a_dot_py": "def test_a(): pass\n"}
    lint("--lse", "-m", "lse", "--strict-markers", **files).assert_outcomes(passed=1, failed=1, deselected=1)
    lint("--lse", "losses.py::lse", **files).assert_outcomes(failed=1)


def test_configuration_and_comments_count(lint):
    config = '[tool.pytest-lse]\nignore = ["LSE001"]\n'
    lint("--lse", losses_dot_py=NAIVE, pyproject_dot_toml=config).assert_outcomes(passed=1)
    quiet = NAIVE.replace("axis=1))", "axis=1))  # noqa: LSE001")
    lint("--lse", losses_dot_py=quiet, pyproject_dot_toml="").assert_outcomes(passed=1)


def test_excluded_files_are_no_items_unless_they_are_named(lint):
    files = {
        "losses_dot_py": NAIVE,
        "made__losses_dot_py": NAIVE,
        "pyproject_dot_toml": '[tool.pytest-lse]\nextend-exclude = ["made"]\n',
    }
    lint("--lse", **files).assert_outcomes(failed=1)
    lint("--lse", "made/losses.py").assert_outcomes(failed=1)
    forced = '[tool.pytest-lse]\nextend-exclude = ["made"]\nforce-exclude = true\n'
    result = lint("--lse", "made/losses.py", pyproject_dot_toml=forced)
    assert result.ret != 0
    assert "LSE001" not in result.stdout.str()


def test_what_git_ignores_is_left_out(lint, pytester):
    (pytester.path / ".git").mkdir()
    result = lint("--lse", losses_dot_py=NAIVE, made__losses_dot_py=NAIVE, _dot_gitignore="made/\n")
    result.assert_outcomes(failed=1)


def test_a_file_that_does_not_parse_is_a_finding(lint):
    result = lint("--lse", broken_dot_py="def (\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["LSE000 *"])


def test_a_broken_configuration_is_a_usage_error(lint):
    result = lint("--lse", losses_dot_py=NAIVE, pyproject_dot_toml='[tool.pytest-lse]\nselect = "no list"\n')
    assert result.ret in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED)
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert "select" in result.stdout.str() + result.stderr.str()


def test_notebooks(lint):
    cell = {"cell_type": "code", "source": NAIVE, "metadata": {}, "outputs": [], "execution_count": None}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    result = lint("--lse", "--lse-report=r.html", book_dot_ipynb=json.dumps(book))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*book.ipynb*cell 1*5:12"])


def test_the_report_has_the_code_and_the_change(lint, pytester):
    lint("--lse", "--lse-report=r.html", losses_dot_py=NAIVE, broken_dot_py="x = '\n")
    broken, found = json.loads((pytester.path / "r.json").read_text())["findings"]
    assert (broken["code"], found["code"]) == ("LSE000", "LSE001")
    assert [4, "def f(x):"] in found["source"]
    assert (
        "-    return np.log(np.sum(np.exp(x), axis=1))\n+    return scipy.special.logsumexp(x, axis=1)" in found["diff"]
    )


def test_an_internal_error_fails_the_item(lint, pytester):
    pytester.makeconftest("""
        from pytest_lse.lint import pipeline, run

        def do_file(name, settings, job, **keywords):
            result = pipeline.FileResult(name)
            result.error = "internal error: made up"
            return result

        run.do_file = do_file
    """)
    result = lint("--lse", losses_dot_py=NAIVE)
    result.stdout.fnmatch_lines(["*RuntimeError: internal error: made up*"])
