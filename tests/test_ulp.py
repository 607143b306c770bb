import numpy as np
import pytest

from pytest_lse.ulp import ulp_distance

ml_dtypes = pytest.importorskip("ml_dtypes")


def every_float16():
    return np.arange(2**16, dtype=np.uint16).view(np.float16)


def slow_distance(a, b, numbers):
    """Count steps on the sorted list of all finite numbers, zero once."""
    if a == b or (np.isnan(a) and np.isnan(b)):
        return 0.0
    if not (np.isfinite(a) and np.isfinite(b)):
        return np.inf
    return float(abs(np.searchsorted(numbers, float(a)) - np.searchsorted(numbers, float(b))))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_agrees_with_counting_on_all_16_bit_numbers(dtype):
    every = np.arange(2**16, dtype=np.uint16).view(dtype)
    with np.errstate(invalid="ignore"):
        wide = every.astype(np.float64)
    numbers = np.unique(wide[np.isfinite(wide)])
    rng = np.random.default_rng(0)
    for _ in range(3):
        other = rng.permutation(every)
        with np.errstate(invalid="ignore"):
            second = other.astype(np.float64)
        got = ulp_distance(every, other)
        finite = np.isfinite(wide) & np.isfinite(second)
        ranks = np.searchsorted(numbers, wide), np.searchsorted(numbers, second)
        assert np.array_equal(got[finite], np.abs(ranks[0] - ranks[1])[finite].astype(float))
        for i in rng.integers(0, 2**16, 200):
            assert got[i] == slow_distance(wide[i], second[i], numbers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_nextafter(dtype):
    info = np.finfo(dtype)
    tiny = info.smallest_subnormal
    for x in (
        0.0,
        1.0,
        -1.0,
        info.tiny,
        -info.tiny,
        tiny,
        3 * tiny,
        info.max,
        2.0**-3,
        np.nextafter(dtype(2), dtype(0)),
    ):
        x = dtype(x)
        for towards in (-np.inf, np.inf):
            with np.errstate(over="ignore"):
                y = np.nextafter(x, dtype(towards))
            if np.isfinite(y):
                assert ulp_distance(x, y) == 1.0
                assert ulp_distance(y, x) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_special_values(dtype):
    a = np.array([0.0, np.inf, -np.inf, np.nan, np.nan, np.inf, np.inf, 1.0], dtype=dtype)
    b = np.array([-0.0, np.inf, -np.inf, np.nan, 1.0, -np.inf, 1.0, np.nan], dtype=dtype)
    assert ulp_distance(a, b).tolist() == [0.0, 0.0, 0.0, 0.0, np.inf, np.inf, np.inf, np.inf]


def test_far_apart_does_not_wrap_around():
    high = np.finfo(np.float64).max
    assert ulp_distance(-high, high) == pytest.approx(2.0 * 0x7FEFFFFFFFFFFFFF, rel=1e-12)
    assert ulp_distance(np.float64(-1e-300), np.float64(1e-300)) == pytest.approx(
        2.0 * np.float64(1e-300).view(np.int64)
    )


def test_broadcasts():
    assert ulp_distance(np.ones((3, 1)), np.ones(2)).shape == (3, 2)


def test_bfloat16_values_in_float32():
    assert ulp_distance(np.float32(1.0), np.float32(1.0078125), dtype="bfloat16") == 1.0
    with pytest.raises(ValueError, match=r"a contains 1\.1"):
        ulp_distance(np.float32(1.1), np.float32(1.0), dtype="bfloat16")


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        (np.float32(1), np.float64(1), TypeError, "a has dtype float32 and b has float64"),
        (1, 2, TypeError, "expected a floating dtype"),
        (np.ones(2), np.ones(3), ValueError, r"a \(2,\) and b \(3,\)"),
        (np.longdouble(1), np.longdouble(1), ValueError, "not supported"),
    ],
)
def test_bad_input_is_named(a, b, error, message):
    with pytest.raises(error, match=message):
        ulp_distance(a, b)
