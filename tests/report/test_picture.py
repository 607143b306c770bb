import re
import xml.etree.ElementTree as ET

import pytest

from pytest_lse.report.picture import HEIGHT, WIDTH, picture

SVG = "{http://www.w3.org/2000/svg}"


def parsed(records, **options):
    return ET.fromstring(picture(records, **options))


def test_every_point_has_a_mark_with_its_numbers(record):
    root = parsed([record(), record(dtype="float64")], standalone=True)
    tips = [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g")]
    assert len(tips) == 16
    assert "float32, far_overflow: |logit| up to 90, 2 ulps, 30 allowed" in tips


def test_failing_regimes_are_crossed_and_named_once(record):
    svg = picture([record(failing=["far_overflow"])], standalone=True)
    assert svg.count('class="wrong"') == 4 + 1  # four points and the legend
    assert svg.count(">far_overflow</text>") == 1
    assert "inf, nan" in svg
    assert "inf, nan" not in picture([record()])
    assert ">fails<" not in picture([record()])


def test_everything_lies_on_the_paper(record):
    sizes, errors, tolerances = (0.0, 1e-300, 1.7e308), (None, 0.0, 1e300), (None, 0.0, 1e300)
    shared = {"regime": "r" * 40, "ok": False}
    cases = [{"magnitude": m, "ulps": u, "allowed": a, **shared} for m in sizes for u in errors for a in tolerances]
    far = record(points=cases)
    svg = picture([far], standalone=True)
    for name, limit in (("x", WIDTH), ("y", HEIGHT), ("cx", WIDTH), ("cy", HEIGHT)):
        for value in re.findall(rf'\b{name}="([-\d.]+)"', svg):
            assert 0 <= float(value) <= limit
    for x, y in re.findall(r'd="M([-\d.]+) ([-\d.]+)', svg):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT


def test_larger_errors_are_drawn_higher_and_the_tolerance_between(record):
    points = [{"magnitude": 1.0, "ulps": u, "allowed": 50.0, "regime": "r", "ok": u < 50} for u in (1.0, 10.0, 1000.0)]
    points.append({"magnitude": 100.0, "ulps": 1.0, "allowed": 50.0, "regime": "r", "ok": True})
    svg = picture([record(points=points)])
    squares = [float(y) + 3.6 for y in re.findall(r'<rect class="mark s1" x="[\d.]+" y="([\d.]+)"', svg)][:2]
    (cross,) = [float(y) + 4 for y in re.findall(r'd="M[\d.]+ ([\d.]+)', svg)][:1]
    line = float(re.search(r'points="[\d.]+,([\d.]+)', svg)[1])
    low, middle = squares
    assert cross < line < middle < low


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int8"])
def test_dtypes_differ_in_shape(dtype, record):
    assert parsed([record(dtype=dtype)], standalone=True).get("class") == "lse"
    assert dtype in picture([record(dtype=dtype)])


def test_no_points_is_an_empty_frame(record):
    assert parsed([record(points=[])], standalone=True).find(f"{SVG}rect") is not None


def test_names_are_escaped(record, hostile):
    root = parsed([record(hostile, failing=["far_overflow"])], standalone=True)
    assert not [e for e in root.iter() if e.tag.rpartition("}")[2] in ("script", "img", "a", "foreignObject")]
    assert "\x1b" not in picture([record(hostile)])
