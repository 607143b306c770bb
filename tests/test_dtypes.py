import numpy as np
import pytest

from pytest_lse.dtypes import FORMATS, format_of


@pytest.mark.parametrize("name", ["float64", "float32", "float16"])
def test_limits_are_numpys(name):
    ours, theirs = FORMATS[name], np.finfo(name)
    assert ours.eps == theirs.eps
    assert ours.u == theirs.eps / 2
    assert ours.tiny == theirs.tiny
    assert ours.smallest_subnormal == theirs.smallest_subnormal
    assert ours.max == theirs.max
    assert ours.bits == theirs.bits


def test_limits_of_bfloat16():
    theirs = pytest.importorskip("ml_dtypes").finfo("bfloat16")
    ours = FORMATS["bfloat16"]
    assert (ours.eps, ours.tiny, ours.max) == (float(theirs.eps), float(theirs.tiny), float(theirs.max))
    assert (ours.smallest_subnormal, ours.bits) == (float(theirs.smallest_subnormal), 16)


@pytest.mark.parametrize("name", ["float64", "float32", "float16"])
def test_logarithms_are_where_exp_ends(name):
    ours, dtype = FORMATS[name], np.dtype(name).type
    with np.errstate(all="ignore"):
        assert np.exp(dtype(ours.log_max * (1 - 2 * ours.eps))) < np.inf
        assert np.exp(dtype(ours.log_max * (1 + 4 * ours.eps))) == np.inf
        assert 0 < np.exp(dtype(ours.log_tiny * (1 + 4 * ours.eps))) < ours.tiny
        assert np.exp(dtype(ours.log_smallest_subnormal - 1)) == 0
        assert dtype(1) + np.exp(dtype(ours.log_eps - 1)) == 1


class Named:
    name = "bfloat16"


@pytest.mark.parametrize("dtype", ["float32", "torch.float32", np.float32, np.dtype("float32")])
def test_formats_are_found_by_name(dtype):
    assert format_of(dtype) is FORMATS["float32"]


def test_formats_of_foreign_dtypes():
    assert format_of(Named()) is FORMATS["bfloat16"]
    with pytest.raises(ValueError, match="dtype 'int8' is not supported: expected one of float64, float32"):
        format_of("int8")
