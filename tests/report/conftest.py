"""Documents made up for the tests: a few functions, findings with hostile text."""

import pytest

from pytest_lse.report.document import document

HOSTILE = (
    "</script></pre><script>document.title = 'ran'</script><img src=x onerror=\"document.title='ran'\">\x1b[2J\u202e"
)


def points(failing=()):
    for i, magnitude in enumerate((0.0, 0.5, 1.0, 10.0, 90.0, 1e3, 1e10, 1e38)):
        regime = "benign" if i < 4 else "far_overflow"
        ok = regime not in failing
        yield {"magnitude": magnitude, "ulps": 0.5 * i if ok else None, "allowed": 30.0, "regime": regime, "ok": ok}


def make_record(name="softmax", dtype="float32", *, failing=(), test="tests/test_a.py::test_a", **other):
    failure = {
        "check": "value",
        "regime": "far_overflow",
        "message": f"{name} is not stable: NaN\n\n  input x = [90.0] {HOSTILE}",
        "index": [0],
        "returned": "nan",
        "expected": "1.0",
        "error_ulps": None,
    }
    return {
        "test": test,
        "function": name,
        "identity": f"losses.{name}",
        "kernel": "softmax",
        "framework": "numpy",
        "dtype": dtype,
        "verdict": "failed" if failing else "passed",
        "calls": 100,
        "worst_ulps": None if failing else 1.5,
        "worst_ratio": None if failing else 0.05,
        "worst_regime": "far_overflow" if failing else "benign",
        "failure": failure if failing else None,
        "points": list(points(failing)),
        "failing_regimes": list(failing),
        **other,
    }


def make_finding(row=2, **other):
    return {
        "code": "LSE001",
        "name": "logsumexp",
        "message": f"log(sum(exp(x))) is inf; use `scipy.special.logsumexp` {HOSTILE}",
        "filename": f"losses{HOSTILE}.py",
        "location": {"row": row, "column": 12},
        "end_location": {"row": row, "column": 36},
        "severity": "error",
        "cell": None,
        "witness": {"dtype": "float64", "input": [1000.0, "-inf"], "returns": "inf", "truth": 1000.0},
        "fix": {"applicability": "unsafe", "message": f"Replace with `f(x)` {HOSTILE}", "edits": []},
        "no_fix_reason": None,
        "source": [[row - 1, "def f(x):"], [row, f"    return np.log(np.sum(np.exp(x)))  # {HOSTILE}"], [row + 1, ""]],
        "diff": f"--- a/losses.py\n+++ b/losses.py\n@@ -1 +1 @@\n-old {HOSTILE}\n+new\n same\n",
        **other,
    }


@pytest.fixture
def make():
    """Build a document with a fixed date."""

    def build(records=(), findings=(), linted=None):
        return document(records, findings, linted=linted, created="2026-01-01T00:00:00+00:00")

    return build


@pytest.fixture
def record():
    """Make the record of a function in a dtype."""
    return make_record


@pytest.fixture
def finding():
    """Make a finding with hostile text in every field."""
    return make_finding


@pytest.fixture
def hostile():
    """Text that would run, clear the terminal or turn the line around."""
    return HOSTILE
