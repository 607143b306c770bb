import json

import pytest

from pytest_lse.lint import pipeline
from pytest_lse.lint.config import Resolver, Settings
from pytest_lse.lint.pipeline import excerpt, find

NAIVE = b"import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
HERE = Settings(root="/")


def notebook(*cells: str) -> bytes:
    code = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None} for c in cells]
    markdown = {"cell_type": "markdown", "source": "text", "metadata": {}}
    return json.dumps({"cells": [markdown, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def test_a_finding():
    findings, source = find(NAIVE, "a.py", HERE)
    assert [(f.code, *f.location) for f in findings] == [("LSE001", 5, 12)]
    lines = excerpt(findings, source)
    assert sorted(lines) == [(None, 3), (None, 4), (None, 5), (None, 6)]
    assert lines[None, 5] == "    return np.log(np.sum(np.exp(x), axis=1))"


@pytest.mark.parametrize(
    ("data", "reason", "row", "column"),
    [
        (b"def f(:\n", "invalid syntax", 1, 7),
        (b"x = 1\ny = 2 2\n", "invalid syntax", 2, 7),
        (b"from math import *\nexp(\n", "'(' was never closed", 2, 4),
        (b"np.log(np.exp(x)\n", "'(' was never closed", 1, 7),
        (b"'\xff' + exp(log(x))", "not valid UTF-8: byte 0xff", 1, 2),
        (b"exp(log(x))\0", "source code cannot contain null bytes", 1, 12),
    ],
)
def test_what_does_not_parse_is_a_finding(data, reason, row, column):
    findings, _ = find(data, "a.py", HERE)
    assert [(f.code, f.message, *f.location) for f in findings] == [("LSE000", reason, row, column)]
    assert findings[0].no_fix_reason


@pytest.mark.parametrize(
    "data", [b"exp(log(" + b"(" * 5000, b"exp(log(" + b"-" * 100_000 + b"x))", b"exp(log(x" + b".a" * 100_000 + b"))"]
)
def test_what_is_nested_too_deeply_is_a_finding_or_none(data):
    findings, _ = find(data, "a.py", HERE)
    assert [f.message for f in findings] in (["too many nested parentheses"], ["too deeply nested to be analysed"], [])


def test_a_large_file_that_can_hold_nothing_is_parsed_only_if_it_is_named():
    data = b"# " + b"x" * pipeline.ALWAYS_PARSED + b"\ndef f(:\n"
    assert find(data, "a.py", HERE) == ([], None)
    assert [f.code for f in find(data, "a.py", HERE, named=True)[0]] == ["LSE000"]


def test_a_file_without_findings_has_no_text():
    assert find(b"x = 1\n", "a.py", HERE) == ([], None)


def test_parse_errors_can_be_ignored_by_name_alone():
    root = Settings(
        root="/", per_file_ignores=Resolver({"per-file-ignores": {"*": ["LSE000"]}}).settings("/").per_file_ignores
    )
    assert find(b"def f(:\n", "a.py", root) == ([], None)


def test_cells_share_a_namespace_and_keep_their_numbers():
    data = notebook("%pylab\nimport numpy as np", "?", "x = np.load(name)\ns = np.sum(np.exp(x))", "np.log(s)")
    findings, source = find(data, "a.ipynb", HERE)
    assert [(f.code, f.cell, *f.location) for f in findings] == [("LSE001", 5, 1, 1)]
    assert excerpt(findings, source) == {(5, 1): "np.log(s)"}


def test_a_cell_that_does_not_parse_does_not_hide_the_others():
    data = notebook("import numpy as np", "x = (", "def f(x):\n    return np.log(np.sum(np.exp(x)))", "'\ud800'")
    findings, source = find(data, "a.ipynb", HERE)
    assert [(f.code, f.cell, *f.location) for f in findings] == [
        ("LSE000", 3, 1, 5),
        ("LSE001", 4, 2, 12),
        ("LSE000", 5, 1, 1),
    ]
    assert excerpt(findings, source)[3, 1] == "x = ("


def test_a_broken_notebook_is_a_finding():
    findings, _ = find(b"{", "a.ipynb", HERE)
    assert [f.code for f in findings] == ["LSE000"]


def test_comments_in_one_cell():
    naive = "def f(x):\n    return np.log(np.sum(np.exp(x)))"
    data = notebook("import numpy as np", f"{naive}  # noqa: LSE001", naive)
    assert [f.cell for f in find(data, "a.ipynb", HERE)[0]] == [4]
    data = notebook("# lse: ignore-file\nimport numpy as np", naive, naive)
    assert find(data, "a.ipynb", HERE)[0] == []


class TestScipy:
    def fix(self, tmp_path, dependencies="", data=NAIVE, **settings):
        from pytest_lse.lint import project

        project._by_directory.clear()
        (tmp_path / "requirements.txt").write_text(dependencies)
        findings, _ = find(data, str(tmp_path / "a.py"), Settings(root=str(tmp_path), **settings))
        assert len(findings) == 1
        return findings[0]

    def test_unsafe_where_the_project_does_without(self, tmp_path):
        fix = self.fix(tmp_path, "numpy\n").fix
        assert fix.applicability == "unsafe"
        assert fix.message.endswith("(SciPy is not among the project's dependencies)")

    def test_safe_where_it_is_a_dependency(self, tmp_path):
        assert self.fix(tmp_path, "scipy\n").fix.applicability == "safe"

    def test_safe_where_the_file_imports_it(self, tmp_path):
        assert self.fix(tmp_path, "", b"import scipy.stats\n" + NAIVE).fix.applicability == "safe"
        assert self.fix(tmp_path, "", b"from scipy.special import gammaln\n" + NAIVE).fix.applicability == "safe"
        assert self.fix(tmp_path, "", b"# import scipy\n" + NAIVE).fix.applicability == "unsafe"

    def test_the_configuration_decides_first(self, tmp_path):
        assert self.fix(tmp_path, "", prefer_scipy=True).fix.applicability == "safe"
        without = self.fix(tmp_path, "scipy\n", prefer_scipy=False).fix
        assert without.applicability == "safe"
        assert "np.logaddexp.reduce(" in without.edits[-1].content

    def test_without_scipy_some_have_no_fix(self, tmp_path):
        softmax = b"import numpy as np\n\ndef f(x):\n    return np.exp(x) / np.exp(x).sum()\n"
        never = self.fix(tmp_path, "scipy\n", softmax, prefer_scipy=False)
        assert never.fix is None
        assert never.no_fix_reason == "the fix needs SciPy, which prefer-scipy = false rules out"

    def test_jax_has_its_own(self, tmp_path):
        data = NAIVE.replace(b"numpy as np", b"jax.numpy as np")
        assert self.fix(tmp_path, "", data).fix.applicability == "safe"


def test_only_the_frameworks_that_are_meant():
    def codes(data, *frameworks):
        return [f.code for f in find(data, "a.py", Settings(root="/", frameworks=frozenset(frameworks)))[0]]

    assert codes(NAIVE, "numpy") == ["LSE001"]
    assert codes(NAIVE, "torch", "jax") == []
    unknown = b"def f(x):\n    return x.exp().sum(-1).log()\n"
    known = [f.framework for f in find(b"import torch\n" + unknown, "a.py", HERE)[0]]
    assert codes(b"import torch\n" + unknown, "numpy") == [] or known == [None]
