import json
import os
import re
import subprocess
import sys

import pytest

from pytest_lse.cli import check, main

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
SAFE = "import jax.numpy as jnp\n\n\ndef f(x):\n    return jnp.log(jnp.sum(jnp.exp(x), axis=1))\n"
FIXED = "import jax.numpy as jnp\nimport jax\n"


def test_clean(lse, files):
    files(a_py="x = 1\n")
    done = lse("check")
    assert (done.status, done.out, done.err) == (0, "All checks passed!\n", "")
    assert lse("check", "-q").out == ""


def test_the_full_format_shows_the_place_an_input_and_the_fix(lse, files):
    files(a_py=NAIVE)
    done = lse("check", "a.py")
    assert done.status == 1
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0].startswith("LSE001 log(sum(exp(x)))")
    assert lines[1:7] == [
        " --> a.py:5:12",
        "  |",
        "4 | def f(x):",
        "5 |     return np.log(np.sum(np.exp(x), axis=1))",
        "  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  |",
    ]
    assert lines[7] == "example: in float64, [1000.0, 1000.0] gives inf, the true value is 1000.6931471805599"
    assert lines[8].startswith("unsafe fix: Replace with `scipy.special.logsumexp(x, axis=1)`")
    assert lines[9:] == [
        "",
        "Found 1 error.",
        "No fixes available (1 hidden fix can be enabled with the `--unsafe-fixes` option).",
    ]


def test_the_default_path_is_here(lse, files):
    files(a_py=NAIVE, sub__b_py=NAIVE)
    assert [f["filename"] for f in json.loads(lse("check", "--output-format", "json").out)] == ["a.py", "sub/b.py"]


def test_exit_status(lse, files):
    files(a_py=NAIVE)
    assert lse("check", "--exit-zero").status == 0
    assert lse("check", "--select", "LSE002").status == 0
    assert lse("check", "--ignore", "LSE001").status == 0
    assert lse("check", "--select", "LSE001,LSE002").status == 1
    assert lse("check", "--select", "LSE001", "--ignore", "LSE0").status == 1


def test_selection_on_the_command_line(lse, files):
    files(a_py="import numpy as np\n\n\ndef f(x):\n    return np.log(1 + x)\n", b_py=NAIVE)
    assert "LSE013" not in lse("check", "--output-format", "concise").out
    assert "LSE013" in lse("check", "--extend-select", "LSE013", "--output-format", "concise").out
    assert lse("check", "--per-file-ignores", "b.py:LSE001").status == 0
    assert lse("check", "--per-file-ignores", "a.py:LSE").status == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.py"], "nope.py: no such file or directory"),
        (["a.py", "no\npe"], "no\\npe: no such file or directory"),
        (["--select", "LSE999"], "unknown code 'LSE999' in --select: did you mean"),
        (["--ignore", "LSE01,X"], "unknown code 'X' in --ignore"),
        (["--sel", "LSE001"], "unrecognized arguments: --sel: did you mean --select? (see pytest-lse check --help)"),
        (["--unsafe-fix"], "unrecognized arguments: --unsafe-fix: did you mean --unsafe-fixes? (see"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--jobs", "x"], "argument -j/--jobs: invalid int value: 'x'"),
        (["--output-format", "xml"], "argument --output-format: invalid choice: 'xml'"),
        (["--update-baseline"], "--update-baseline needs --baseline FILE"),
        (["--fix", "--add-noqa"], "--fix cannot be used with --add-noqa"),
        (["--diff", "--update-baseline", "--baseline", "b"], "--diff cannot be used with --update-baseline"),
        (["-", "a.py"], "- (standard input) cannot be used with other paths"),
        (["--per-file-ignores", "a"], "--per-file-ignores 'a': expected GLOB:CODES"),
        (["--config", "no.toml"], "no.toml: cannot read the configuration: No such file or directory"),
        (["--baseline", "no.json"], "no.json: there is no such baseline; --update-baseline writes it"),
        (["--output-file", "a.py/x"], "a.py/x: cannot write the findings: "),
        (["--output-file", "a.py"], "a.py: cannot write the findings: it is a source file"),
        (["--exclude", "[z-a]"], "the command line: invalid glob pattern '[z-a]'"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(lse, files, arguments, message):
    files(a_py=NAIVE)
    done = lse("check", *arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("pytest-lse: error: " + message), done.err
    assert done.err.count("\n") == 1


def test_a_broken_configuration_is_one_line_and_exit_2(lse, files):
    files(a_py=NAIVE)
    (files() / "pyproject.toml").write_text("[tool.pytest-lse]\nselekt = []\n")
    done = lse("check")
    assert done.status == 2
    assert re.fullmatch(r"pytest-lse: error: .*pyproject.toml: unknown key 'selekt'.*did you mean select\?\n", done.err)
    assert lse("check", "--isolated").status == 1


def test_nothing_to_check_is_a_warning(lse, files):
    files(a="text")
    done = lse("check")
    assert (done.status, done.err) == (0, "warning: no Python files found under the given paths\n")


BROKEN = {"a_py": "def f(:\n", "b_py": b"x = '\xff'\n", "c_py": b"x\0\n", "d_py": NAIVE, "e.ipynb": "{"}


def test_what_does_not_parse_is_a_finding_and_the_run_goes_on(lse, files):
    files(**BROKEN)
    done = lse("check", "--output-format", "concise", "-q")
    assert done.status == 1
    assert [line.split(": ")[:1] + line.split(" ")[1:2] for line in done.out.splitlines()] == [
        ["a.py:1:7", "LSE000"],
        ["b.py:1:6", "LSE000"],
        ["c.py:1:2", "LSE000"],
        ["d.py:5:12", "LSE001"],
        ["e.ipynb:1:2", "LSE000"],
    ]


def test_an_internal_error_is_one_line_exit_2_and_the_run_goes_on(lse, files, monkeypatch):
    from pytest_lse.lint import run

    files(a_py=NAIVE, b_py=NAIVE)
    find = run.find
    monkeypatch.setattr(run, "find", lambda data, name, *a, **k: 1 / 0 if name == "a.py" else find(data, name, *a, **k))
    done = lse("check", "--output-format", "concise")
    assert done.status == 2
    assert done.err == "error: a.py: internal error: ZeroDivisionError: division by zero\n"
    assert done.out.startswith("b.py:5:12: LSE001")
    monkeypatch.setattr(run, "find", lambda *a, **k: 1 / 0)
    assert "passed" not in lse("check").out


class TestFix:
    def test_safe_fixes_are_written(self, lse, files):
        root = files(a_py=SAFE, b_py=NAIVE)
        done = lse("check", "--fix")
        assert done.status == 1
        assert "Found 2 errors (1 fixed, 1 remaining)." in done.out
        assert "logsumexp(x, axis=1)" in (root / "a.py").read_text()
        assert (root / "b.py").read_text() == NAIVE
        assert lse("check", "a.py").status == 0

    def test_exit_status(self, lse, files):
        files(a_py=SAFE, b_py=SAFE)
        done = lse("check", "--fix", "a.py")
        assert (done.status, done.out) == (0, "Found 1 error (1 fixed, 0 remaining).\n")
        assert lse("check", "--fix", "--exit-non-zero-on-fix", "b.py").status == 1
        assert lse("check", "--fix", "--exit-non-zero-on-fix", "b.py").status == 0

    def test_unsafe_fixes_must_be_asked_for(self, lse, files):
        root = files(a_py=NAIVE)
        assert lse("check", "--fix", "--unsafe-fixes").status == 0
        assert "scipy.special.logsumexp(x, axis=1)" in (root / "a.py").read_text()

    def test_the_mark_says_what_fix_would_do(self, lse, files):
        files(a_py=SAFE, b_py=NAIVE)
        done = lse("check", "--output-format", "concise").out.splitlines()
        assert "LSE001 [*] " in done[0]
        assert "[*]" not in done[1]
        assert done[3] == (
            "[*] 1 fixable with the `--fix` option (1 hidden fix can be enabled with the `--unsafe-fixes` option)."
        )
        assert "2 fixable" in lse("check", "--unsafe-fixes", "--output-format", "concise").out

    def test_show_fixes(self, lse, files):
        files(a_py=SAFE + "\n\ndef g(x):\n    return jnp.log(jnp.sum(jnp.exp(x)))\n", b_py=SAFE, c_py="x = 1\n")
        out = lse("check", "--fix", "--show-fixes").out
        assert "\nFixed 3 errors:\n- a.py:\n    2 x LSE001 (logsumexp)\n- b.py:\n    1 x LSE001 (logsumexp)\n" in out
        assert "Fixed" not in lse("check", "--fix", "--show-fixes").out

    def test_diff_changes_nothing_and_applies_with_patch(self, lse, files):
        root = files(a_py=SAFE, b_py=NAIVE)
        done = lse("check", "--diff", "a.py", "b.py")
        assert done.status == 1
        assert done.err == "Would fix 1 error (1 more with --unsafe-fixes).\n"
        assert (root / "a.py").read_text() == SAFE
        (root / "x.patch").write_text(done.out)
        subprocess.run(["git", "apply", "x.patch"], cwd=root, check=True)
        assert lse("check", "a.py").status == 0
        done = lse("check", "--diff")
        assert (done.status, done.out) == (0, "")
        assert done.err == "No fixes available (1 more with --unsafe-fixes).\n"
        assert lse("check", "--diff", "--unsafe-fixes", "--exit-zero").status == 0

    def test_a_diff_of_a_file_in_another_encoding_applies(self, lse, files, monkeypatch, capsysbinary):
        text = "# coding: latin-1\n'\xe9'\n" + SAFE
        root = files(a_py=text.encode("latin-1"))
        assert main(["check", "--diff"]) == 1
        (root / "x.patch").write_bytes(capsysbinary.readouterr().out)
        subprocess.run(["git", "apply", "x.patch"], cwd=root, check=True)
        patched = (root / "a.py").read_bytes()
        (root / "a.py").write_bytes(text.encode("latin-1"))
        assert lse("check", "--fix").status == 0
        assert (root / "a.py").read_bytes() == patched

    def test_what_fix_leaves_is_reported_as_it_is_afterwards(self, lse, files):
        files(a_py=SAFE.replace("\n\n\n", "\nimport numpy as np\n\n\n") + NAIVE.split("\n\n\n")[1])
        [finding] = json.loads(lse("check", "--fix", "--output-format", "json").out)
        text = (files() / "a.py").read_text().splitlines()
        assert "np.log(np.sum" in text[finding["location"]["row"] - 1]

    def test_unused_comments_go_too(self, lse, files):
        root = files(a_py=SAFE + "x = 1  # noqa: LSE001\n")
        assert lse("check", "--fix").status == 0
        assert "noqa" not in (root / "a.py").read_text()
        assert "logsumexp" in (root / "a.py").read_text()

    def test_encodings_and_line_ends_stay(self, lse, files):
        text = "# coding: latin-1\n" + SAFE + "y = 'é'\n"
        data = text.replace("\n", "\r\n").encode("latin-1")
        mark = b"\xef\xbb\xbf" + SAFE.encode()
        root = files(a_py=data, b_py=mark)
        assert lse("check", "--fix").status == 0
        after = (root / "a.py").read_bytes()
        assert after.endswith(b"y = '\xe9'\r\n")
        assert b"\n" not in after.replace(b"\r\n", b"")
        assert (root / "b.py").read_bytes().startswith(b"\xef\xbb\xbfimport")

    def test_notebooks(self, lse, files):
        cells = [
            {"cell_type": "markdown", "source": ["hi"]},
            {"cell_type": "code", "source": ["%pwd\n", "import jax.numpy as jnp\n", "import jax\n"], "outputs": ["é"]},
            {"cell_type": "code", "source": ["def f(x):\n", "    return jnp.log(jnp.sum(jnp.exp(x)))"], "outputs": []},
        ]
        before = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=1, ensure_ascii=False)
        path = files() / "a.ipynb"
        path.write_text(before, encoding="utf-8")
        done = lse("check", "--output-format", "concise")
        assert done.out.startswith("a.ipynb:cell 3:2:12: LSE001")
        assert "[*]" in done.out
        assert lse("check", "--fix").status == 0
        after = json.loads(path.read_text("utf-8"))
        assert "logsumexp" in "".join(after["cells"][2]["source"])
        assert after["cells"][1]["source"][0] == "%pwd\n"

    def test_a_file_that_cannot_be_written_is_one_line(self, lse, files):
        root = files(a_py=SAFE, b_py=SAFE)
        (root / "a.py").chmod(0o444)
        done = lse("check", "--fix")
        assert done.status == 2
        assert done.err == "error: a.py: the file cannot be written: it is read-only\n"
        assert (root / "a.py").read_text() == SAFE
        assert "logsumexp" in (root / "b.py").read_text()


@pytest.mark.parametrize("arguments", [["-o", "a.py/x"], ["-o", "a.py"], ["--baseline", "no"], ["--baseline", "a.py"]])
def test_what_cannot_end_well_does_not_begin(lse, files, arguments):
    root = files(a_py=SAFE)
    assert lse("check", "--fix", *arguments).status == 2
    assert (root / "a.py").read_text() == SAFE
    assert sorted(path.name for path in root.iterdir()) == ["a.py"]


class TestStandardInput:
    def test_findings(self, lse):
        done = lse("check", "-", "--output-format", "concise", stdin=NAIVE.encode())
        assert done.status == 1
        assert done.out.startswith("-:5:12: LSE001")
        done = lse("check", "--stdin-filename", "sub/x.py", "--output-format", "concise", stdin=NAIVE.encode())
        assert done.out.startswith("sub/x.py:5:12: LSE001")
        assert lse("check", "-", stdin=b"x = 1\n").status == 0

    def test_fix_writes_to_standard_output(self, lse, files):
        root = files()
        data = SAFE.replace("\n", "\r\n").encode()
        done = lse("check", "--fix", "--stdin-filename", "x.py", stdin=data)
        assert done.status == 0
        assert "logsumexp(x, axis=1)\r\n" in done.out
        assert "Found 1 error (1 fixed, 0 remaining)." in done.err
        assert not (root / "x.py").exists()
        assert lse("check", "--fix", "-", stdin=b"x = 1\r\n").out == "x = 1\r\n"
        done = lse("check", "--fix", "-", stdin=NAIVE.encode())
        assert (done.status, done.out) == (1, NAIVE)
        assert "LSE001" in done.err

    def test_diff(self, lse):
        done = lse("check", "--diff", "--stdin-filename", "x.py", stdin=SAFE.encode())
        assert done.status == 1
        assert done.out.startswith("--- a/x.py\n+++ b/x.py\n")

    def test_the_name_decides_configuration_and_kind(self, lse, files):
        root = files(sub__pyproject="", x="")
        (root / "sub" / "pyproject.toml").write_text("[tool.pytest-lse]\nexclude = ['x.py']\nselect = ['LSE002']\n")
        assert lse("check", "--stdin-filename", "sub/y.py", stdin=NAIVE.encode()).status == 0
        done = lse("check", "--stdin-filename", "sub/x.py", "--select", "LSE", stdin=NAIVE.encode())
        assert done.status == 1
        forced = ["--stdin-filename", "sub/x.py", "--select", "LSE", "--force-exclude"]
        assert lse("check", *forced, stdin=NAIVE.encode()).status == 0
        assert lse("check", *forced, "--fix", stdin=NAIVE.encode()).out == NAIVE
        done = lse("check", "--stdin-filename", "a.ipynb", "--output-format", "concise", stdin=b"{")
        assert "not a notebook" in done.out

    def test_add_noqa(self, lse):
        done = lse("check", "--add-noqa", "-", stdin=NAIVE.encode())
        assert (done.status, done.out) == (0, NAIVE[:-1] + "  # noqa: LSE001\n")


class TestSuppression:
    def test_add_noqa(self, lse, files):
        root = files(a_py=NAIVE, b_py=NAIVE + NAIVE, c_py="def f(:\n", d_py="x = 1\n")
        done = lse("check", "--add-noqa")
        assert (done.status, done.err) == (0, "Added 3 noqa comments.\n")
        assert (root / "a.py").read_text() == NAIVE[:-1] + "  # noqa: LSE001\n"
        assert (root / "c.py").read_text() == "def f(:\n"
        assert lse("check", "a.py", "b.py").status == 0
        assert lse("check", "--ignore-noqa", "a.py").status == 1
        assert lse("check", "--add-noqa", "a.py").err == "Added 0 noqa comments.\n"

    def test_baseline(self, lse, files):
        root = files(a_py=NAIVE, sub__b_py=NAIVE)
        done = lse("check", "--baseline", "base.json", "--update-baseline")
        assert (done.status, done.err) == (0, "Wrote 2 findings to base.json.\n")
        assert lse("check", "--baseline", "base.json").status == 0
        moved = NAIVE.replace("\n\n\n", "\n\n\n# a new line\nz = 1\n\n\n")
        (root / "a.py").write_text(moved)
        assert lse("check", "--baseline", "base.json").status == 0
        (root / "a.py").write_text(moved + "\n\ndef g(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n")
        done = lse("check", "--baseline", "base.json", "--output-format", "concise")
        assert done.status == 1
        assert done.out.startswith("a.py:13:12: LSE001")
        assert "Found 1 error." in done.out

    def test_a_baseline_counts_from_where_it_is(self, lse, files, monkeypatch):
        root = files(sub__b_py=NAIVE)
        lse("check", "--baseline", root / "base.json", "--update-baseline")
        monkeypatch.chdir(root / "sub")
        assert lse("check", "--baseline", "../base.json").status == 0
        assert lse("check", "--baseline", "../base.json", root / "sub" / "b.py").status == 0

    @pytest.mark.parametrize(
        "content",
        ["", "{", "[]", '{"version": 2, "findings": {}}', '{"version": 1, "findings": {"a": {"b": {"c": "d"}}}}'],
    )
    def test_what_is_no_baseline_is_not_overwritten(self, lse, files, content):
        root = files(a_py=NAIVE, base=content or " ")
        for more in ([], ["--update-baseline"]):
            done = lse("check", "--baseline", "base", *more)
            assert done.status == 2
            assert done.err.startswith("pytest-lse: error: base: not a baseline")
            assert done.err.count("\n") == 1
        assert (root / "base").read_text() == (content or " ")

    def test_a_baseline_that_cannot_be_read_or_written(self, lse, files):
        root = files(a_py=NAIVE)
        (root / "d").mkdir()
        assert "cannot read the baseline: Is a directory" in lse("check", "--baseline", "d").err
        assert "cannot write the baseline: " in lse("check", "--baseline", "no/b", "--update-baseline").err


class TestOutput:
    def test_to_a_file(self, lse, files):
        root = files(a_py=NAIVE)
        done = lse("check", "--output-format", "json", "-o", "out/x.json")
        assert (done.status, done.out) == (1, "")
        assert len(json.loads((root / "out" / "x.json").read_text())) == 1

    def test_statistics_of_two_names_with_one_code(self, lse, files):
        files(a_py="import numpy as np\nf = lambda a, b: np.log(np.exp(a) - np.exp(b)), np.log(1 - np.exp(a))\n")
        rows = json.loads(lse("check", "--statistics", "--output-format", "json").out)
        assert [(r["code"], r["name"], r["count"]) for r in rows] == [
            ("LSE015", "log1mexp", 1),
            ("LSE015", "logsubexp", 1),
        ]

    def test_statistics(self, lse, files):
        files(a_py=NAIVE + SAFE.replace("f(x)", "g(x)"), b_py="def f(:\n", c_py="x = 1 # noqa: LSE002\n")
        done = lse("check", "--statistics")
        assert done.status == 1
        assert done.out.splitlines()[:3] == [
            "2\tLSE001\t[-] logsumexp",
            "1\tLSE000\t[ ] parse-error",
            "1\tLSE100\t[*] unused-noqa",
        ]
        rows = json.loads(lse("check", "--statistics", "--output-format", "json").out)
        assert rows[0] == {"code": "LSE001", "name": "logsumexp", "count": 2, "fixable_count": 1}
        files(a_py="", b_py="", c_py="")
        assert lse("check", "--statistics").out == "All checks passed!\n"
        assert lse("check", "--statistics", "--output-format", "json").out == "[]\n"

    @pytest.mark.parametrize(
        ("environment", "coloured"),
        [
            ({}, False),
            ({"FORCE_COLOR": "1"}, True),
            ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            ({"NO_COLOR": ""}, False),
        ],
    )
    @pytest.mark.parametrize("form", ["full", "concise"])
    def test_colour(self, lse, files, monkeypatch, environment, coloured, form):
        files(a_py=SAFE)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for arguments in (["--output-format", form], ["--diff"], ["--statistics"]):
            assert ("\x1b[" in lse("check", *arguments).out) is coloured

    def test_no_colour_in_formats_for_programs(self, lse, files, monkeypatch):
        files(a_py=NAIVE)
        monkeypatch.setenv("FORCE_COLOR", "1")
        for form in ("json", "json-lines", "github", "gitlab", "sarif", "junit"):
            assert "\x1b" not in lse("check", "--output-format", form).out

    def test_the_order_of_jobs_does_not_matter(self, lse, files, monkeypatch):
        from pytest_lse.lint import run

        files(**{f"m{i}_py": NAIVE if i % 3 else SAFE for i in range(12)})
        alone = lse("check", "--jobs", "1")
        monkeypatch.setattr(run, "POOL_AFTER", 0)
        assert lse("check", "--jobs", "3") == alone
        assert lse("check") == alone


@pytest.mark.parametrize("form", ["full", "concise", "json", "json-lines", "github", "gitlab", "sarif", "junit"])
def test_each_format_holds_on_an_empty_run(lse, files, form):
    files(a_py="x = 1\n")
    assert lse("check", "--output-format", form).status == 0


def pytest_lse(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **options.pop("env", {})}
    command = [sys.executable, "-m", "pytest_lse", *arguments]
    return subprocess.run(command, capture_output=True, env=environment, check=False, **options)


def test_as_a_module_with_any_encoding(tmp_path):
    (tmp_path / "é.py").write_text(NAIVE, encoding="utf-8")
    for encoding in ("ascii", "utf-8", "cp1252"):
        done = pytest_lse("check", "--output-format", "concise", cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
        assert done.returncode == 1
        assert b"LSE001" in done.stdout
        assert done.stderr == b""


def test_a_reader_that_goes_away(tmp_path):
    for i in range(300):
        (tmp_path / f"m{i}.py").write_text(NAIVE)
    command = f"{sys.executable} -m pytest_lse check --jobs 1 | head -n 1"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, shell=True, capture_output=True, cwd=tmp_path, env=environment, check=True)
    assert done.stdout.startswith(b"LSE001")
    assert done.stderr == b""


def test_an_interrupt_is_one_line(monkeypatch, capsys, tmp_path):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupt)
    assert main(["check"]) == 130
    assert capsys.readouterr().err == "pytest-lse: interrupted\n"
