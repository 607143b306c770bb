"""The words of a finding: what fails, from which magnitude on, and what to write instead."""

from __future__ import annotations

from typing import Any

from pytest_lse.lint.emit import replacement
from pytest_lse.lint.finding import Severity
from pytest_lse.lint.patterns import Pattern

_DOUBLE = frozenset({"numpy", "math", "cmath"})


def dtype_of(framework: str | None) -> str:
    """Return the dtype that a framework computes in unless told otherwise."""
    return "float64" if framework in _DOUBLE or framework is None else "float32"


def message(pattern: Pattern, framework: str | None) -> str:
    """Return the one-line message: the pattern, the failing magnitude and the replacement."""
    limits = {"float64": (709.8, 745.1, 36.7), "float32": (88.7, 103.9, 16.6)}[dtype_of(framework)]
    text = getattr(pattern.kernel.module, "message", pattern.kernel.summary)
    if isinstance(text, dict):
        text = text.get(pattern.spelling) or text.get("naive") or pattern.kernel.summary
    text = text.format(overflow=limits[0], underflow=limits[1], saturation=limits[2])
    template = replacement(pattern, framework or "numpy")
    return f"{text}; use `{template.partition('(')[0] if _is_call(template) else template}`" if template else text


def _is_call(template: str) -> bool:
    head, _, rest = template.partition("(")
    return (
        head.replace(".", "").replace("_", "").isalnum()
        and rest.endswith(")")
        and rest.count("(") == rest.count(")") - 1
    )


def severity(pattern: Pattern, framework: str | None) -> Severity:
    """Return the severity of a spelling in a framework.

    A right value with an overflow warning is so in NumPy alone: `math.exp` raises, and the frameworks that
    differentiate get a nan gradient.
    """
    table: Any = getattr(pattern.kernel.module, "severity", "error")
    value: Severity = table.get(pattern.spelling, "error") if isinstance(table, dict) else table
    return "error" if value == "info" and framework not in ("numpy", None) else value


def witness(pattern: Pattern, framework: str | None) -> dict[str, Any] | None:
    """Return the tabulated input on which the spelling fails in the framework's dtype, None where there is none."""
    dtype = dtype_of(framework)
    row = pattern.kernel.witness_of(pattern.spelling).get(dtype)
    return {"dtype": dtype, **{k: row[k] for k in ("input", "returns", "truth")}} if row else None
