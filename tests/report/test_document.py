import json
import random


def test_functions_are_grouped_and_failing_ones_come_first(make, record):
    data = make(
        [record("good"), record("bad", "float64"), record("bad", failing=["far_overflow"]), record("good", "bfloat16")]
    )
    assert [(f["function"], f["verdict"]) for f in data["functions"]] == [("bad", "failed"), ("good", "passed")]
    assert [d["dtype"] for d in data["functions"][0]["dtypes"]] == ["float64", "float32"]
    assert [d["dtype"] for d in data["functions"][1]["dtypes"]] == ["float32", "bfloat16"]
    assert "function" not in data["functions"][0]["dtypes"][0]


def test_the_document_does_not_depend_on_the_order_of_arrival(make, record, finding):
    records = [record(n, d, test=f"t.py::{n}") for n in "abc" for d in ("float16", "float32", "float64")]
    findings = [finding(row) for row in (9, 2, 5)]
    expected = make(records, findings, 3)
    for seed in range(5):
        random.Random(seed).shuffle(records)
        random.Random(seed).shuffle(findings)
        assert make(records, findings, 3) == expected


def test_a_test_that_checks_a_function_twice_shows_the_worse(make, record):
    mild, worse = record(worst_ratio=0.1), record(worst_ratio=0.9)
    for pair in ([mild, worse], [worse, mild]):
        assert make(pair)["functions"][0]["dtypes"][0]["worst_ratio"] == 0.9
    broken = record(failing=["far_overflow"])
    assert make([worse, broken])["functions"][0]["dtypes"][0]["failure"]


def test_the_same_function_in_two_tests_is_two_entries(make, record):
    assert len(make([record(test="a.py::t"), record(test="b.py::t")])["functions"]) == 2


def test_it_is_json(make, record, finding):
    data = make([record(failing=["far_overflow"])], [finding()], 1)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
