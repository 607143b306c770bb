"""The two numbers that decide: every bug caught, no correct implementation accused.

A deterministic share of both suites runs here, the whole of it in ``benchmarks/mutants.py``.
"""

import runpy
from collections import Counter
from pathlib import Path

import pytest

from pytest_lse import StabilityError, assert_stable
from pytest_lse.reference.specs import names

HERE = Path(__file__).parent
HONEST = runpy.run_path(str(HERE / "honest.py"))
VARIANTS = runpy.run_path(str(HERE / "variants.py"))
MUTANTS = runpy.run_path(str(HERE / "mutants.py"))


def cases(suite, maker):
    return [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in suite[maker]()]


def share(params, part, of):
    return params[part::of]


@pytest.mark.parametrize(("kernel", "bug", "fn", "options"), share(cases(MUTANTS, "numpy_mutants"), 0, 3))
def test_bugs_are_caught(kernel, bug, fn, options):
    with pytest.raises(StabilityError) as caught:
        assert_stable(fn, kernel, **options)
    assert caught.value.kernel == kernel
    assert len(str(caught.value)) < 4000


def test_bugs_of_gradients_are_caught():
    pytest.importorskip("torch")
    for kernel, bug, fn, options in MUTANTS["torch_mutants"]():
        with pytest.raises(StabilityError) as caught:
            assert_stable(fn, kernel, **options)
        assert caught.value.kernel == kernel, bug


@pytest.mark.parametrize(("kernel", "name", "fn", "options"), cases(HONEST, "numpy_functions"))
def test_correct_code_is_not_accused(kernel, name, fn, options):
    assert_stable(fn, kernel, max_examples=15, **options)


@pytest.mark.parametrize(("kernel", "name", "fn", "options"), cases(HONEST, "numpy_functions")[::3])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_correct_code_is_not_accused_in_narrow_dtypes(kernel, name, fn, options, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
        pytest.importorskip("numpy", "2.0", reason="before, no number combines with a bfloat16")
    assert_stable(fn, kernel, dtypes=dtype, max_examples=10, **options)


@pytest.mark.parametrize(("kernel", "name", "fn", "options"), cases(VARIANTS, "numpy_functions"))
def test_other_spellings_are_not_accused(kernel, name, fn, options):
    if "xlogy" in name:
        pytest.importorskip("scipy.special")
    if name == "logmeanexp_weights":
        pytest.importorskip("numpy", "2.0", reason="before, division by more than 65,535 makes float64 of float32")
    assert_stable(fn, kernel, max_examples=10, **options)


def test_other_spellings_in_torch_are_not_accused():
    torch = pytest.importorskip("torch")
    for kernel, _, fn, options in [*VARIANTS["torch_functions"]()][::4]:
        assert_stable(fn, kernel, xp=torch, max_examples=10, **{"dtypes": "float32", **options})


def test_defects_of_torch_are_found():
    torch = pytest.importorskip("torch")
    for kernel, _, fn, options in VARIANTS["torch_defects"]():
        with pytest.raises(StabilityError):
            assert_stable(fn, kernel, xp=torch, **options)


def test_scipy_is_not_accused():
    pytest.importorskip("scipy.special")
    for kernel, _, fn, options in HONEST["scipy_functions"]():
        assert_stable(fn, kernel, max_examples=15, **options)


def test_every_kernel_has_eight_bugs_and_an_honest_implementation():
    bugs = Counter(kernel for kernel, *_ in MUTANTS["numpy_mutants"]())
    honest = Counter(kernel for kernel, *_ in HONEST["numpy_functions"]())
    assert set(bugs) == set(honest) == set(names())
    assert min(bugs.values()) >= 8
