"""A part of `benchmarks/programs.py`: random programs are fixed and executed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy")
PATH = Path(__file__).parents[2] / "benchmarks" / "programs.py"


@pytest.fixture(scope="module")
def programs():
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    spec = importlib.util.spec_from_file_location("programs", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["programs"] = module
    sys.path.insert(0, str(PATH.parent))
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(PATH.parent))
    del sys.modules["programs"], sys.modules["grammar"]


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_random_programs(programs, first):
    fixed = sum(programs.check(seed).get("fixed", 0) for seed in range(first, first + 10))
    assert fixed >= 5


def test_a_wrong_fix_is_noticed(programs, monkeypatch):
    """The check can fail: with a wrong replacement it does."""
    from pytest_lse.lint import apply

    def sabotaged(text, edits):
        return right(text, edits).replace("logsumexp(x", "logsumexp(-x").replace("softmax(x", "softmax(-x")

    right = apply.apply_with_libcst
    monkeypatch.setattr(apply, "apply_with_libcst", sabotaged)
    monkeypatch.setattr(apply, "_shape", lambda tree: [])
    with pytest.raises(AssertionError):
        [programs.check(seed) for seed in range(20)]
