from __future__ import annotations

import pytest

from pytest_lse.lint import apply
from pytest_lse.lint.apply import apply_fixes
from pytest_lse.lint.finding import Edit, Finding, Fix, Location
from pytest_lse.lint.positions import Positions


def edit(text, old, new, occurrence=0):
    positions = Positions(text)
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(old, start + 1)
    return Edit(new, positions.at(start), positions.at(start + len(old)))


def finding(text, old, new, *more, applicability="safe", occurrence=0):
    main = edit(text, old, new, occurrence)
    fix = Fix(applicability, "use it", (*more, main))
    return Finding("LSE001", "logsumexp", "bad", "a.py", main.location, main.end_location, fix=fix)


IMPORT = Edit("import s\n", Location(1, 1), Location(1, 1))


def test_one_fix():
    text = "y = a / b  # c\n"
    found = finding(text, "a / b", "s.c(d)", IMPORT)
    outcome = apply_fixes(text, [found])
    assert outcome.text == "import s\ny = s.c(d)  # c\n"
    assert (outcome.applied, outcome.withheld) == ([found], [])


def test_a_shared_import_is_added_once():
    text = "y = a / b\nz = c / d\n"
    outcome = apply_fixes(text, [finding(text, "c / d", "s.e", IMPORT), finding(text, "a / b", "s.f", IMPORT)])
    assert outcome.text == "import s\ny = s.f\nz = s.e\n"
    assert [f.location.row for f in outcome.applied] == [1, 2]


def test_unsafe_fixes_only_on_demand():
    text = "y = a / b\n"
    found = finding(text, "a / b", "c", applicability="unsafe")
    assert apply_fixes(text, [found]).text == text
    assert apply_fixes(text, [found], unsafe=True).text == "y = c\n"


def test_findings_without_a_fix_are_left():
    text = "y = a / b\n"
    found = Finding("LSE001", "logsumexp", "bad", "a.py", Location(1, 5), Location(1, 10), no_fix_reason="none")
    outcome = apply_fixes(text, [found])
    assert (outcome.text, outcome.applied, outcome.withheld) == (text, [], [])


def test_of_nested_fixes_the_widest_is_applied_first():
    text = "y = f(a / b)\n"
    wide, narrow = finding(text, "f(a / b)", "g(a / b)"), finding(text, "a / b", "c")
    outcome = apply_fixes(text, [narrow, wide])
    assert outcome.text == "y = g(a / b)\n"
    assert (outcome.applied, outcome.withheld) == ([wide], [])


def test_two_different_imports_at_one_place_take_two_rounds():
    text = "y = a / b\nz = c / d\n"
    other = Edit("import t\n", Location(1, 1), Location(1, 1))
    outcome = apply_fixes(text, [finding(text, "a / b", "s.c", IMPORT), finding(text, "c / d", "t.c", other)])
    assert outcome.text == "import s\ny = s.c\nz = c / d\n"


def test_a_name_is_not_read_whose_assignment_goes():
    text = "e = exp(x)\ny = e / sum(e)\nz = a / b\n"
    goes = edit(text, "e = exp(x)\n", "")
    wide, narrow = finding(text, "e / sum(e)", "softmax(x)", goes), finding(text, "a / b", "f(e)")
    assert apply_fixes(text, [narrow, wide]).text == "y = softmax(x)\nz = a / b\n"
    assert apply_fixes(text, [narrow]).text == "e = exp(x)\ny = e / sum(e)\nz = f(e)\n"


def test_a_withheld_fix_makes_room_for_the_one_inside():
    text = "y = f(a / b)\n"
    wide, narrow = finding(text, "f(a / b)", "g("), finding(text, "a / b", "c")
    outcome = apply_fixes(text, [wide, narrow])
    assert outcome.text == "y = f(c)\n"
    (withheld,) = outcome.withheld
    assert withheld.fix is None
    assert "parse" in withheld.no_fix_reason


def test_a_withheld_fix_does_not_stop_the_others():
    text = "y = a / b\nz = c / d\n"
    outcome = apply_fixes(text, [finding(text, "a / b", "g("), finding(text, "c / d", "e")])
    assert outcome.text == "y = a / b\nz = e\n"
    assert len(outcome.withheld) == 1


def test_the_judge_is_asked_first():
    text = "y = f(a / b)\n"
    wide, narrow = finding(text, "f(a / b)", "g(a)"), finding(text, "a / b", "c")
    outcome = apply_fixes(text, [wide, narrow], judge=lambda fix: "they differ" if fix is wide.fix else None)
    assert outcome.text == "y = f(c)\n"
    assert [f.no_fix_reason for f in outcome.withheld] == ["they differ"]


@pytest.mark.parametrize(
    ("text", "old", "new", "more"),
    [
        ("y = a / b\n", "a / b", "c", "import s\nx = 1\n"),  # more than an import
        ("y = a / b * 2\n", "a / b", "c - d", ""),  # precedence
        ("y = 2 ** (a / b)\n", "(a / b)", "c - d", ""),
        ("y = (a / b).c\n", "(a / b)", "1 .d", "import s; x\n"),
        ("y = a / b\n", "a / b", "c", "'doc'\n"),
        ("y = a / b\n", "a / b", "c", "y = 2\n"),
    ],
)
def test_what_would_change_more_is_withheld(text, old, new, more):
    edits = [Edit(more, Location(1, 1), Location(1, 1))] if more else []
    outcome = apply_fixes(text, [finding(text, old, new, *edits)])
    assert outcome.text == text
    (withheld,) = outcome.withheld
    assert "more than it replaces" in withheld.no_fix_reason


def test_parentheses_may_go_with_the_expression():
    text = "y = ( (a / b) )[3] ** (c)\n"
    assert apply_fixes(text, [finding(text, "( (a / b) )", "f(x)")]).text == "y = f(x)[3] ** (c)\n"
    text = "y = (a) / (b)\n"
    assert apply_fixes(text, [finding(text, "(a) / (b)", "f(x)")]).text == "y = f(x)\n"


def test_members_and_functions_and_removed_lines():
    text = "from a import b\n\n\ndef f(x):\n    e = exp(x)\n    return e / sum(e)\n"
    member = Edit(", c", Location(1, 16), Location(1, 16))
    found = finding(text, "e / sum(e)", "c(x)", member, edit(text, "    e = exp(x)\n", ""))
    assert apply_fixes(text, [found]).text == "from a import b, c\n\n\ndef f(x):\n    return c(x)\n"


def test_a_tree_too_deep_to_compare(monkeypatch):
    def fail(self, node):
        raise RecursionError

    monkeypatch.setattr(apply._Expected, "visit", fail)
    text = "y = a / b\n"
    (withheld,) = apply_fixes(text, [finding(text, "a / b", "c")]).withheld
    assert "too deeply" in withheld.no_fix_reason


def test_a_file_that_would_not_parse(monkeypatch):
    monkeypatch.setattr(apply, "apply_with_libcst", lambda text, edits: "y = (\n")
    text = "y = a / b\n"
    (withheld,) = apply_fixes(text, [finding(text, "a / b", "c")]).withheld
    assert "not parse" in withheld.no_fix_reason


def test_a_lost_import(monkeypatch):
    monkeypatch.setattr(apply, "apply_with_libcst", lambda text, edits: "import t\ny = c\n")
    text = "import s\ny = a / b\n"
    (withheld,) = apply_fixes(text, [finding(text, "a / b", "c")]).withheld
    assert "more than it replaces" in withheld.no_fix_reason
