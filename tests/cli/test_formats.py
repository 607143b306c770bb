"""Every format read by its real consumer, and by a hostile one."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

from pytest_lse.cli import _terminal
from pytest_lse.discovery import coded
from pytest_lse.lint import escape
from pytest_lse.lint.finding import Edit, Finding, Fix, Location
from pytest_lse.lint.formats import FORMATS, Report, render
from pytest_lse.lint.pipeline import FileResult

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
SAFE = "import jax.numpy as jnp\n\n\ndef f(x):\n    return jnp.log(jnp.sum(jnp.exp(x), axis=1))\n"
SCHEMA = json.loads((Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json").read_text("utf-8"))


def notebook(*cells: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": c} for c in cells], "metadata": {}})


@pytest.fixture
def mixed(files):
    root = files(a_py=SAFE, sub__b_py=NAIVE + "y = 1  # noqa: LSE002\n", c_py="def f(:\n", ok_py="x = 1\n")
    (root / "n.ipynb").write_text(notebook("import numpy as np", "def f(x):\n    return np.log(np.sum(np.exp(x)))"))
    return root


def test_concise(lse, mixed):
    lines = lse("check", "-q", "--output-format", "concise").out.splitlines()
    assert [re.match(r"(\S+?: |\S+ \d+\S+ )(LSE\d+)", line).groups() for line in lines] == [
        ("a.py:5:12: ", "LSE001"),
        ("c.py:1:7: ", "LSE000"),
        ("n.ipynb:cell 2:2:12: ", "LSE001"),
        ("sub/b.py:5:12: ", "LSE001"),
        ("sub/b.py:6:8: ", "LSE100"),
    ]


def test_json_has_the_contracts_shape(lse, mixed):
    found = json.loads(lse("check", "--output-format", "json").out)
    keys = ["code", "name", "message", "filename", "location", "end_location", "severity", "cell", "witness"]
    for finding in found:
        assert list(finding) == [*keys, "fix", "no_fix_reason"]
        assert set(finding["location"]) == set(finding["end_location"]) == {"row", "column"}
        assert finding["severity"] in {"error", "warning", "info"}
        assert finding["fix"] is None or set(finding["fix"]) == {"applicability", "message", "edits"}
        assert (finding["fix"] is None) is (finding["no_fix_reason"] is not None)
    assert [(f["filename"], f["cell"], f["location"]["row"]) for f in found] == [
        ("a.py", None, 5),
        ("c.py", None, 1),
        ("n.ipynb", 2, 2),
        ("sub/b.py", None, 5),
        ("sub/b.py", None, 6),
    ]
    witness = found[0]["witness"]
    assert set(witness) == {"dtype", "input", "returns", "truth"}
    edit = found[0]["fix"]["edits"][-1]
    assert set(edit) == {"content", "location", "end_location"}


def test_json_lines_are_the_elements_of_json(lse, mixed):
    lines = lse("check", "--output-format", "json-lines").out.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(lse("check", "--output-format", "json").out)


def test_json_of_nothing(lse, files):
    files(a_py="")
    assert lse("check", "--output-format", "json").out == "[]\n"
    assert lse("check", "--output-format", "json-lines").out == ""


def validated(text: str):
    log = json.loads(text)
    validator = jsonschema.validators.validator_for(SCHEMA)
    validator(SCHEMA, format_checker=validator.FORMAT_CHECKER).validate(log)
    return log["runs"][0]


def test_sarif_is_valid(lse, mixed):
    run = validated(lse("check", "--output-format", "sarif").out)
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == ["LSE000", "LSE001", "LSE100"]
    assert all({"name", "shortDescription", "fullDescription", "help", "defaultConfiguration"} <= set(r) for r in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    first, _, in_notebook, second, _ = run["results"]
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "a.py", "uriBaseId": "%SRCROOT%"}
    assert location["region"] == {"startLine": 5, "startColumn": 12, "endLine": 5, "endColumn": 48}
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == mixed.as_uri() + "/"
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "sub/b.py"
    assert "region" not in in_notebook["locations"][0]["physicalLocation"]
    assert in_notebook["message"]["text"].startswith("cell 2, line 2: ")
    assert "fixes" not in in_notebook


def test_sarif_fixes_repair_the_file(lse, mixed):
    run = validated(lse("check", "--output-format", "sarif", "a.py").out)
    [change] = run["results"][0]["fixes"][0]["artifactChanges"]
    lines = SAFE.splitlines(keepends=True)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines) + 1)]
    text = SAFE
    for edit in reversed(change["replacements"]):
        region = edit["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        text = text[:start] + edit["insertedContent"]["text"] + text[end:]
    lse("check", "--fix", "a.py")
    assert text == (mixed / "a.py").read_text()


def test_sarif_of_nothing_and_of_files_elsewhere(lse, mixed, monkeypatch):
    assert validated(lse("check", "--output-format", "sarif", "ok.py").out)["results"] == []
    monkeypatch.chdir(mixed / "sub")
    [result] = validated(lse("check", "--output-format", "sarif", "../a.py").out)["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": (mixed / "a.py").as_uri()}


def test_sarif_describes_every_rule():
    at = Location(1, 1)
    result = FileResult("a.py")
    result.findings = [Finding(file.code, file.title, "m", "a.py", at, at, "info") for file in coded()]
    run = validated("".join(render("sarif", Report([result]))))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == sorted({file.code for file in coded()})
    assert rules["LSE006"]["defaultConfiguration"] == {"level": "error"}
    assert rules["LSE013"]["defaultConfiguration"] == {"level": "warning"}
    assert rules["LSE015"]["name"] == "log1mexp / logsubexp"
    assert "log(exp(a) - exp(b))" in rules["LSE015"]["help"]["markdown"]


def test_the_schema_can_refuse():
    with pytest.raises(jsonschema.ValidationError):
        validated('{"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}')


COMMAND = re.compile(r"^::(error|warning|notice) ([^\n]*?)::([^\n]*)$")


def unescaped(text: str) -> str:
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def annotations(text: str):
    """Read workflow commands as the runner does: one a line, properties split at commas."""
    for line in text.splitlines():
        kind, properties, message = COMMAND.match(line).groups()
        pairs = (pair.split("=", 1) for pair in properties.split(","))
        yield kind, {k: unescaped(v) for k, v in pairs}, unescaped(message)


def test_github(lse, mixed):
    found = list(annotations(lse("check", "--output-format", "github").out))
    assert [(kind, p["file"], p["line"]) for kind, p, _ in found] == [
        ("error", "a.py", "5"),
        ("error", "c.py", "1"),
        ("error", "n.ipynb", "1"),
        ("error", "sub/b.py", "5"),
        ("warning", "sub/b.py", "6"),
    ]
    _, properties, message = found[0]
    assert properties == {
        "title": "pytest-lse (LSE001)", "file": "a.py", "line": "5", "col": "12", "endLine": "5", "endColumn": "48",
    }  # fmt: skip
    assert message.startswith("a.py:5:12: LSE001 ")
    assert "\n  help: Replace with" in message


def test_gitlab(lse, mixed, monkeypatch):
    monkeypatch.chdir(mixed / "sub")
    monkeypatch.setenv("CI_PROJECT_DIR", str(mixed))
    issues = json.loads(lse("check", "--output-format", "gitlab", "..").out)
    assert [i["location"]["path"] for i in issues] == ["a.py", "c.py", "n.ipynb", "sub/b.py", "sub/b.py"]
    assert {i["severity"] for i in issues} == {"major", "minor"}
    assert issues[0]["location"]["positions"]["begin"] == {"line": 5, "column": 12}
    assert len({i["fingerprint"] for i in issues}) == 5


def test_gitlab_fingerprints_follow_the_line_not_its_number(lse, files):
    def prints():
        return [i["fingerprint"] for i in json.loads(lse("check", "--output-format", "gitlab").out)]

    twice = NAIVE + "\n\ndef g(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
    files(a_py=twice)
    before = prints()
    assert len(set(before)) == 2
    files(a_py="# moved\n" + twice)
    assert prints() == before


def test_junit(lse, mixed):
    junitparser = pytest.importorskip("junitparser")
    lse("check", "--output-format", "junit", "-o", "report.xml")
    suites = list(junitparser.JUnitXml.fromfile(str(mixed / "report.xml")))
    assert [(s.name, s.tests, s.failures) for s in suites] == [
        ("a.py", 1, 1), ("c.py", 1, 1), ("n.ipynb", 1, 1), ("sub/b.py", 2, 2),
    ]  # fmt: skip
    case = next(iter(suites[0]))
    assert case.name == "pytest-lse.LSE001"
    assert case.result[0].text.startswith("line 5, col 12, log(sum(exp(x)))")


def test_junit_of_nothing_has_a_passed_test(lse, files):
    files(a_py="")
    root = ElementTree.fromstring(lse("check", "--output-format", "junit").out)
    assert [case.get("name") for case in root.iter("testcase")] == ["No findings"]
    assert not list(root.iter("failure"))


HOSTILE = [
    "::error::x",
    "  ::set-output name=a::b",
    "x\n::error::y",
    "x\r::error::y",
    "##[error]x",
    "%0A::error::",
    "\x1b]0;title\x07\x1b[31mred",
    "\x9b31m",
    "a\u202eb\u2066c\u2069",
    "\u2028x\u2029\x85\x0b\x0c\x1c",
    "\"'<>&]]>\\",
    "a,b:c=d%",
    "\0\x01\ufffe\ufeff\u200b",
    "\udc80\udcff",
    "\U000e0041",
]


def hostile_report(evil: str) -> Report:
    fix = Fix("safe", f"use {evil}", (Edit(evil, Location(1, 1), Location(1, 2)),))
    witness = {"dtype": "float64", "input": {"x": evil}, "returns": evil, "truth": 0.0}
    result = FileResult(evil)
    result.findings = [
        Finding("LSE001", "n", f"m {evil}", evil, Location(1, 1), Location(1, 3), fix=fix, witness=witness),
        Finding("LSE001", "n", evil, evil, Location(1, 2), Location(1, 2), cell=1, no_fix_reason=evil),
    ]
    line = re.split("\r\n|\r|\n", evil)[0]
    result.lines = {(None, 1): line, (1, 1): line}
    return Report([result], colour=False)


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_hostile_reaches_the_output(form, evil):
    text = "".join(render(form, hostile_report(evil)))
    text.encode("utf-8")
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "##[" not in text or form in {"json", "json-lines", "gitlab", "sarif"}
    if form == "github":
        found = list(annotations(text))
        assert len(found) == 2
        assert found[0][1]["title"] == "pytest-lse (LSE001)"
        assert {properties["file"] for _, properties, _ in found} == {escape.printable(evil)}
        assert found[0][2].endswith(f"LSE001 m {escape.printable(evil)}\n  help: use {escape.printable(evil)}")
    else:
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    if form == "concise":
        assert text.count("\n") == 2
    if form == "json":
        assert json.loads(text)[0]["filename"] == evil
    if form == "sarif":
        validated(text)
    if form == "junit":
        assert len(list(ElementTree.fromstring(text).iter("failure"))) == 2


@pytest.mark.parametrize("evil", HOSTILE)
def test_what_is_shown_of_a_diff(evil, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setenv("NO_COLOR", "1")
    diff = f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n {evil}\n-{evil}\n+{evil}\n"
    shown = _terminal.shown_diff(diff, Terminal())
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert "##[" not in shown
    assert not any(line.lstrip(" +-").startswith("::") for line in shown.splitlines())


def test_a_diff_into_a_file_is_exact():
    class File:
        def isatty(self):
            return False

    assert _terminal.shown_diff(" \x1b::\n", File()) == " \x1b::\n"
    assert _terminal.shown_diff("", File()) == ""


@pytest.mark.parametrize(
    "name", ["::error::a.py", "a\nb.py", "a\x1b[31m.py", "%0A::debug::.py", "\u202e.py", "a,b:.py"]
)
def test_hostile_file_names_end_to_end(lse, files, name):
    root = files()
    (root / name).write_text(NAIVE)
    for form in FORMATS:
        done = lse("check", "--output-format", form)
        assert done.status == 1
        assert all(c.isprintable() or c == "\n" for c in done.out + done.err)
    assert [f["filename"] for f in json.loads(lse("check", "--output-format", "json").out)] == [name]
    [result] = validated(lse("check", "--output-format", "sarif").out)["results"]
    assert "\n" not in result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def frame(line: str, start: int, end: int) -> list[str]:
    result = FileResult("a.py")
    result.findings = [Finding("LSE001", "n", "m", "a.py", Location(1, start), Location(1, end))]
    result.lines = {(None, 1): line}
    text = "".join(render("full", Report([result])))
    return [row.partition("| ")[2] for row in text.splitlines()[3:5]]


@pytest.mark.parametrize(
    ("line", "start", "end", "shown", "marks"),
    [
        ("ab cd", 4, 6, "ab cd", "   ^^"),
        ("\tab", 2, 4, "    ab", "    ^^"),
        ("\x1bab", 2, 4, "\\x1bab", "    ^^"),
        ("日本 ab", 4, 6, "日本 ab", "     ^^"),
        ("e\u0301 ab", 4, 6, "e\u0301 ab", "  ^^"),
        ("ab", 3, 3, "ab", "  ^"),
        ("##[x]", 4, 5, "##\\x5bx]", "      ^"),
    ],
)
def test_the_marks_stand_below_the_code(line, start, end, shown, marks):
    assert frame(line, start, end) == [shown, marks]


@pytest.mark.parametrize(
    ("witness", "expected"),
    [
        ({"input": 1000.0, "returns": "inf", "truth": 1000.0}, "1000.0 gives inf, the true value is 1000.0"),
        (
            {"input": [1000.0, 999.0], "returns": ["nan", "nan"], "truth": [0.7, 0.3]},
            "[1000.0, 999.0] gives [nan, nan], the true value is [0.7, 0.3]",
        ),
        (
            {"input": {"a": [0.0], "b": ["-inf"]}, "returns": [["nan"]], "truth": [[0.0]]},
            "a = [0.0], b = [-inf] gives [[nan]], the true value is [[0.0]]",
        ),
    ],
)
def test_an_example_is_numbers(witness, expected):
    at = Location(1, 1)
    result = FileResult("a.py")
    result.findings = [Finding("LSE001", "n", "m", "a.py", at, at, witness={"dtype": "float64", **witness})]
    text = "".join(render("full", Report([result])))
    assert f"example: in float64, {expected}\n" in text


def test_a_long_line_is_cut_around_the_finding():
    shown, marks = frame("x" * 5000 + "NAIVE" + "y" * 5000, 5001, 5006)
    assert len(shown) < 250
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "NAIVE"
    assert shown.startswith("...x")
    assert shown.endswith("y...")


def test_a_finding_of_many_lines_is_cut():
    result = FileResult("a.py")
    result.findings = [Finding("LSE001", "n", "m", "a.py", Location(3, 5), Location(40, 2))]
    result.lines = {(None, row): f"  line {row}" for row in range(1, 43)}
    text = "".join(render("full", Report([result])))
    assert " 3 |   line 3\n" in text
    assert "   |     ^^^^\n" in text
    assert " 4 |   line 4\n   |   ^^^^^^\n" in text
    assert ".. | ... 27 more lines\n" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain é 日本", "plain é 日本"), ("a\tb\nc", "a\\tb\\nc"), ("\u202e", "\\u202e"), ("\U000e0041", "\\U000e0041")],
)
def test_printable(text, expected):
    assert escape.printable(text) == expected


def test_a_colon_in_a_path_stays():
    assert escape.path("C:/x.py") == "C:/x.py"
    assert escape.path("::x") == ":\\x3ax"
