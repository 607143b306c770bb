import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from pytest_lse.report.page import page

VOID = {"meta", "input", "line", "rect", "circle", "path", "polyline", "polygon"}


class Elements(HTMLParser):
    """Collects elements and text, and checks the nesting."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def full(make, record, finding, hostile):
    functions = [
        record("bad", failing=["far_overflow"]),
        record(hostile),
        record("beyond", verdict="not judged", worst_ulps=None),
    ]
    bare = {"fix": None, "no_fix_reason": "x was changed", "severity": "odd", "witness": None, "diff": "", "cell": 3}
    return make(functions, [finding(), finding(5, **bare)], 2)


def test_hostile_text_stays_text(full):
    parsed = Elements(page(full))
    assert not {"script", "img", "iframe", "object", "link", "a"} & set(parsed.tags)
    names = {name for name, _ in parsed.attributes}
    assert not {n for n in names if n.startswith("on")}
    assert not {"src", "href", "style"} & names
    assert "document.title = 'ran'" in parsed.text
    assert "\x1b" not in parsed.text
    assert "\u202e" not in parsed.text


def test_the_policy_allows_the_page_itself_alone(full):
    text = page(full)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert text.count("<style>") == 1
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_what_it_says(full):
    text = page(full)
    assert "3 functions checked, 1 failed; 2 files linted, 2 findings" in text
    assert '<span class="chip">far_overflow</span>' in text
    assert "<mark>np.log(np.sum(np.exp(x)))</mark>" not in text  # columns 12 to 36 are not the whole of it
    assert "<mark>np.log(np.sum(np.exp(x))</mark>" in text
    assert "<code>[1000.0, -inf]</code> gives <code>inf</code>, the true value is <code>1000.0</code>" in text
    assert "<code>scipy.special.logsumexp</code>" in text
    assert "(unsafe fix)" in text
    assert "No fix: x was changed" in text
    assert ":cell 3:5" in text
    assert '<span class="minus">-old ' in text
    assert 'class="badge error">LSE001' in text


def test_failing_cards_are_open_and_passing_ones_closed(make, record):
    text = page(make([record("bad", failing=["far_overflow"]), record("good")]))
    assert '<details class="card is-failed" open>' in text
    assert '<details class="card is-passed">' in text
    assert 'id="only-failures"' in text
    assert 'type="checkbox"' not in page(make([record("good")]))


def test_nothing_to_show(make):
    text = page(make())
    assert "No function was checked" in text
    assert "Findings" not in text
    assert "The linter has nothing to say" in page(make(linted=4))
    Elements(text)


def test_a_finding_over_several_lines_is_marked_without_its_indentation(make, finding):
    several = finding(
        location={"row": 2, "column": 5}, end_location={"row": 3, "column": 8},
        source=[[1, " "], [2, "x = np.log("], [3, "    abc)"], [4, ""]],
    )  # fmt: skip
    text = page(make(findings=[several], linted=1))
    assert "x = <mark>np.log(</mark>" in text
    assert "    <mark>abc</mark>)" in text
    assert '<span class="row">1' not in text
    assert '<span class="row">4' not in text


def test_a_witness_of_several_arguments_and_odd_backticks(make, finding):
    odd = finding(
        message="a ` alone",
        witness={"dtype": "float32", "input": {"a": 1.0, "b": [2.0]}, "returns": "nan", "truth": 0.0},
    )
    text = page(make(findings=[odd], linted=1))
    assert "a = 1.0, b = [2.0]" in text
    assert "a ` alone" in text


def test_two_hundred_functions_stay_small(make, record):
    records = [record(f"f{i}", d, test=f"t.py::t{i}") for i in range(200) for d in ("float32", "float64")]
    text = page(make(records))
    assert text.count("<details") == 200
    assert len(text) < 3_000_000
