"""Finds and fixes numerically unstable log-sum-exp, softmax and loss code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_lse import reference as reference
    from pytest_lse import strategies as strategies
    from pytest_lse.assertions import StabilityError as StabilityError
    from pytest_lse.assertions import assert_matches as assert_matches
    from pytest_lse.assertions import assert_stable as assert_stable
    from pytest_lse.reference import Kernel as Kernel
    from pytest_lse.ulp import ulp_distance as ulp_distance

__version__ = "0.1.0"

# The plugin is below this package, so that every pytest run imports it: nothing heavy before it is asked for (PEP 562).
_WHERE = {
    "Kernel": "pytest_lse.reference",
    "StabilityError": "pytest_lse.assertions",
    "assert_matches": "pytest_lse.assertions",
    "assert_stable": "pytest_lse.assertions",
    "ulp_distance": "pytest_lse.ulp",
}
_MODULES = ("reference", "strategies")

__all__ = [
    "Kernel",
    "StabilityError",
    "assert_matches",
    "assert_stable",
    "reference",
    "strategies",
    "ulp_distance",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(_WHERE[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
