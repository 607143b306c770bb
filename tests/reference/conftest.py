import importlib.util
import pathlib
import sys

import numpy as np
import pytest

from pytest_lse.reference import exact

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"


def samples(name, rng):
    """Return benign arguments of a kernel."""

    def normal(*shape):
        return rng.normal(size=shape) * 3

    def softmax(z):
        return np.exp(z) / np.exp(z).sum(-1, keepdims=True)

    def log_softmax(z):
        return np.log(softmax(z))

    def mask(*shape):
        keep = rng.random(shape) > 0.4
        keep[..., 0] = True
        return keep

    special = {
        "masked_softmax": lambda: (normal(3, 5), mask(3, 5)),
        "bce_with_logits": lambda: (normal(3, 5), rng.random((3, 5))),
        "focal_loss": lambda: (normal(3, 5), (rng.random((3, 5)) > 0.5) * 1.0),
        "logaddexp": lambda: (normal(5), normal(5)),
        "logsubexp": lambda: (abs(normal(5)) + 5, normal(5) - 5),
        "log1mexp": lambda: (-abs(normal(5)),),
        "attention": lambda: (normal(3, 4), normal(5, 4), normal(5, 2), mask(3, 5)),
        "merge_attention": lambda: (normal(3, 4), normal(3), normal(3, 4), normal(3)),
        "cross_entropy": lambda: (normal(4, 5), rng.integers(0, 5, 4)),
        "soft_cross_entropy": lambda: (normal(4, 5), softmax(normal(4, 5))),
        "kl_divergence": lambda: (normal(4, 5), normal(4, 5)),
        "kl_divergence_from_probs": lambda: (softmax(normal(4, 5)), softmax(normal(4, 5))),
        "kl_div": lambda: (log_softmax(normal(4, 5)), softmax(normal(4, 5))),
        "entropy_from_probs": lambda: (softmax(normal(4, 5)),),
        "gumbel_softmax": lambda: (normal(4, 5), rng.random((4, 5))),
        "softmax_with_temperature": lambda: (normal(4, 5), np.full((4, 1), 0.5)),
        "mixture_log_prob": lambda: (normal(4), normal(3), normal(3), normal(3) / 3),
        "info_nce": lambda: (normal(4, 4),),
        "hmm_log_likelihood": lambda: (log_softmax(normal(3)), log_softmax(normal(3, 3)), log_softmax(normal(4, 3))),
        "ctc_loss": lambda: (log_softmax(normal(6, 4)), np.array([1, 2, 2])),
    }
    return special.get(name, lambda: (normal(3, 5),))()


@pytest.fixture
def sample():
    return lambda name, seed=0: samples(name, np.random.default_rng(seed))


@pytest.fixture(params=["flint", "mpmath"])
def backend(request, monkeypatch):
    """Run a test with either backend of the exact arithmetic."""
    if request.param == "flint" and not importlib.util.find_spec("flint"):
        pytest.skip("python-flint is not installed")
    monkeypatch.setattr(exact, "_default_backend", lambda: request.param)
    return request.param


@pytest.fixture(scope="session")
def bench():
    """The benchmark's implementations and rows."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        found = importlib.util.spec_from_file_location("benchmark_of_reference", BENCHMARKS / "reference.py")
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module
