"""What a finding says: magnitudes of the dtype, severity, witness, replacement."""

from __future__ import annotations

import pytest

from pytest_lse.lint import ops
from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.message import dtype_of, message, severity, witness
from pytest_lse.lint.patterns import patterns

PATTERNS = [p for ps in patterns().naive.values() for p in ps]
FRAMEWORKS = sorted({c.framework for c in ops.columns()})


def pattern(kernel, spelling="naive"):
    return next(p for p in PATTERNS if p.kernel.name == kernel and p.spelling == spelling)


@pytest.mark.parametrize("framework", [*FRAMEWORKS, None])
def test_every_message_is_one_filled_line(framework):
    for p in PATTERNS:
        text = message(p, framework)
        assert text
        assert "\n" not in text
        assert "{" not in text
        assert not text.endswith(".")


def test_the_magnitude_is_that_of_the_frameworks_dtype():
    assert dtype_of("numpy") == dtype_of("math") == dtype_of(None) == "float64"
    assert dtype_of("torch") == "float32"
    assert "709.8" in message(pattern("logsumexp"), "numpy")
    assert "88.7" in message(pattern("logsumexp"), "torch")


def test_the_replacement_is_named():
    assert message(pattern("logsumexp"), "torch").endswith("use `torch.logsumexp`")
    assert message(pattern("log_sigmoid"), "numpy").endswith("use `-numpy.logaddexp(0, -x)`")
    assert "use `" not in message(pattern("distribution_probs"), "torch")


def test_a_right_value_with_a_warning_is_so_in_numpy_alone():
    naive = pattern("sigmoid")
    assert severity(naive, "numpy") == "info"
    assert severity(naive, None) == "info"
    assert {severity(naive, f) for f in ("math", "torch", "jax")} == {"error"}
    assert severity(pattern("sigmoid", "naive_ratio"), "numpy") == "error"
    assert severity(pattern("log1p"), "torch") == "warning"


def test_witnesses():
    naive = pattern("logsumexp")
    assert witness(naive, "torch") == {"dtype": "float32", **naive.kernel.witness["float32"]}
    assert witness(naive, "numpy")["dtype"] == "float64"
    assert set(witness(pattern("sigmoid", "naive_ratio"), "numpy")) == {"dtype", "input", "returns", "truth"}
    assert witness(pattern("double_softmax"), "torch") is None


def test_a_finding_holds_it_all():
    (found,) = analyse("import torch\n\n\ndef f(x):\n    return torch.log(x.exp().sum(1))\n", "m.py")
    assert (found.code, found.name, found.severity) == ("LSE001", "logsumexp", "error")
    assert found.witness["dtype"] == "float32"
    assert (found.location, found.end_location) == ((5, 12), (5, 37))
    assert found.fix.applicability == "safe"
    assert found.no_fix_reason is None
    assert found.statement_end == 5
