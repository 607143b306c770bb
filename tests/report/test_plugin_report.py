"""`--lse-report`, in real pytest runs, with and without xdist."""

import json
import xml.etree.ElementTree as ET

import pytest

pytest_plugins = ["pytester"]

TESTS = """
    import numpy as np
    from pytest_lse import assert_stable

    def naive(x):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    def stable(x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def check(fn, **options):
        assert_stable(fn, "softmax", max_examples=5, **options)

    def test_naive():
        check(naive)

    def test_stable():
        check(stable, dtypes="float32", ndim=1)

    def test_other():
        pass
"""


@pytest.fixture
def repository(pytester):
    pytester.makepyfile(test_losses=TESTS)
    return pytester


def run(pytester, *arguments):
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def data(pytester, name="report.json"):
    document = json.loads((pytester.path / name).read_text())
    document.pop("created")
    return document


def test_a_run_writes_the_page_and_its_data(repository):
    result = run(repository, "--lse-report=report.html")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*numerical stability report: *report.html*"])
    document = data(repository)
    assert document["linted"] is None
    naive, stable = document["functions"]
    assert (naive["function"], naive["kernel"], naive["framework"]) == ("naive", "softmax", "numpy")
    assert naive["test"] == "test_losses.py::test_naive"
    assert [(d["dtype"], d["verdict"]) for d in naive["dtypes"]] == [("float64", "failed"), ("float32", "failed")]
    assert "naive is not a stable softmax" in naive["dtypes"][1]["failure"]["message"]
    # The first failure ends the assertion; the report goes on to say where else the function fails.
    assert {"overflow_edge", "far_overflow", "far_below"} <= set(naive["dtypes"][0]["failing_regimes"])
    (only,) = stable["dtypes"]
    assert (only["dtype"], only["verdict"], only["failing_regimes"]) == ("float32", "passed", [])
    assert 0 < only["worst_ulps"] < 10
    assert only["calls"] > 50
    assert {p["regime"] for p in only["points"]} >= {"benign", "far_overflow", "masked"}
    assert all(p["ulps"] <= p["allowed"] for p in only["points"] if p["ok"])
    assert "<svg" in (repository.path / "report.html").read_text()


def test_xdist_merges_to_the_same_document(repository):
    pytest.importorskip("xdist")
    repository.makepyfile(losses="import numpy as np\ndef f(x): return np.log(np.sum(np.exp(x)))\n")
    run(repository, "--lse", "--lse-report=one.html")
    result = run(repository, "--lse", "--lse-report=two.html", "-n2")
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    one, two = data(repository, "one.json"), data(repository, "two.json")
    assert one == two
    assert one["linted"] == 2
    assert {f["filename"] for f in one["findings"]} == {"losses.py", "test_losses.py"}


def test_junit_properties_are_text_one_a_line(repository):
    run(repository, "--lse-report=report.html", "--junitxml=junit.xml", "-o", "junit_family=xunit1")
    (only,) = ET.parse(repository.path / "junit.xml").iter("property")
    assert only.get("name") == "lse"
    assert only.get("value").startswith("stable: softmax, numpy float32: ")


def test_the_summary_lists_what_passed(repository):
    result = run(repository, "-v", "-k", "stable or other")
    result.stdout.fnmatch_lines(
        ["*= stability =*", "test_losses.py::test_stable", "  stable: softmax, numpy float32: *"]
    )
    result.stdout.no_fnmatch_line("test_losses.py::test_other")
    run(repository, "-k", "stable").stdout.no_fnmatch_line("*= stability =*")


def test_without_the_option_nothing_is_measured(repository):
    repository.makeconftest("""
        import sys
        def pytest_unconfigure(config):
            print("survey", "pytest_lse.report.survey" in sys.modules)
    """)
    run(repository, "-s", "-k", "stable").stdout.fnmatch_lines(["survey False"])
    run(repository, "-s", "-k", "stable", "--lse-report=report.html").stdout.fnmatch_lines(["survey True"])


def test_no_function_and_no_lint(pytester):
    pytester.makepyfile("def test_a(): pass")
    run(pytester, "--lse-report=deep/er/report.html").assert_outcomes(passed=1)
    assert data(pytester, "deep/er/report.json")["functions"] == []
    assert "No function was checked" in (pytester.path / "deep/er/report.html").read_text()


def test_linting_nothing_is_said(pytester):
    result = run(pytester, "--lse", "--lse-report=report.html")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert data(pytester)["linted"] == 0


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("report.txt", "the report is a page: its name ends with .html"),
        ("file/report.html", "*file is not a directory"),
        ("directory.html", "directory.html is a directory"),
    ],
)
def test_an_unusable_path_is_one_line_and_exit_2(repository, target, reason):
    (repository.path / "file").touch()
    (repository.path / "directory.html").mkdir()
    result = run(repository, f"--lse-report={target}")
    assert result.ret == 2
    result.stderr.fnmatch_lines([f"Exit: --lse-report={target}: {reason}"])
    assert len(result.stderr.lines) == 1
    assert "passed" not in result.stdout.str()


def test_a_path_that_goes_bad_during_the_run(repository):
    repository.makepyfile(test_losses="from pathlib import Path\ndef test_a(): Path('out').touch()")
    result = run(repository, "--lse-report=out/report.html")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*--lse-report=*out/report.html: cannot be written: *"])


def test_the_switch_is_off_again_after_the_run(pytester):
    from pytest_lse.report import recorder

    pytester.makepyfile("def test_a(): pass")
    pytester.inline_run("--lse-report=report.html")
    assert not recorder.wanted


def test_recording_keeps_what_others_wait_for():
    from pytest_lse.report import recorder

    with recorder.recording() as outer:
        recorder._local.records = [{"outer": 1}]
        with recorder.recording() as inner:
            recorder._local.records = [{"inner": 1}]
        assert inner == [{"inner": 1}]
    assert outer == [{"outer": 1}]
    assert recorder.collect() == []
    assert not recorder.wanted
