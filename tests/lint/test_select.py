import pickle

import pytest

from pytest_lse.lint.select import Selection, UnknownCodeError, known_codes, parse_codes


def on(selection: Selection) -> set[str]:
    return {code for code in ["LSE000", *(f"LSE{n:03}" for n in range(1, 23)), "LSE100"] if selection.enabled(code)}


EVERYTHING = on(Selection(["ALL"]))


def test_default_is_all_but_the_two_that_matter_near_zero_only():
    assert EVERYTHING - on(Selection()) == {"LSE013", "LSE014"}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(["LSE001"]), {"LSE000", "LSE001"}),
        (Selection(["LSE01"]), {"LSE000", *(f"LSE{n:03}" for n in range(10, 20))}),
        (Selection(["LSE"]), EVERYTHING),
        (Selection(["LSE"], ignore=["LSE0"]), {"LSE000", "LSE100"}),
        (Selection(["LSE001"], ignore=["LSE"]), {"LSE000", "LSE001"}),
        (Selection(["LSE001", "LSE002"], ignore=["LSE001"]), {"LSE000", "LSE002"}),
        (Selection(ignore=["ALL"]), {"LSE000"}),
        (Selection(["LSE001"], extend_select=["LSE002"]), {"LSE000", "LSE001", "LSE002"}),
        (Selection(extend_select=["LSE013"]), EVERYTHING - {"LSE014"}),
        (Selection(["LSE001"], ignore=["LSE000"]), {"LSE001"}),
        (Selection([]), {"LSE000"}),
    ],
)
def test_the_more_specific_selector_wins(selection, expected):
    assert on(selection) == expected


def test_a_selection_survives_pickling():
    selection = pickle.loads(pickle.dumps(Selection(["LSE0"], ["LSE100"], ["LSE001"])))
    assert on(selection) == on(Selection(["LSE0"], ["LSE100"], ["LSE001"]))


def test_codes_are_split_at_commas():
    assert parse_codes(["LSE001, LSE002", "ALL", ""], "--select") == ["LSE001", "LSE002", "ALL"]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("LSE091", "did you mean LSE0"),
        ("lse001", "did you mean LSE001?"),
        ("softmax", "did you mean LSE002?"),
        ("log_softmx", "did you mean LSE003?"),
        ("F", "the codes are LSE000 to LSE100, or ALL"),
    ],
)
def test_an_unknown_code_is_an_error_with_the_closest_one(wrong, hint):
    with pytest.raises(UnknownCodeError, match="unknown code") as caught:
        parse_codes([wrong], "--ignore")
    assert hint in str(caught.value)
    assert "--ignore" in str(caught.value)


def test_known_codes_are_those_of_the_files():
    codes = known_codes()
    assert codes == sorted(codes)
    assert {"LSE000", "LSE001", "LSE100"} <= set(codes)
