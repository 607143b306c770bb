"""Exact truth: correctly rounded kernels, their gradients and the tolerance that honest code keeps.

Every kernel is a function here, NumPy in and out: `pytest_lse.reference.logsumexp(x, axis=-1, keepdims=False)`.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

_NAMES = {
    "Comparison": "truth",
    "Judgement": "truth",
    "Kernel": "kernel",
    "Output": "truth",
    "evaluate": "functions",
    "judge": "truth",
    "vjp": "functions",
}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    if any(find_spec(f"{package}.{name}") for package in ("pytest_lse.kernels", f"{__name__}.plain")):
        made = importlib.import_module(f"{__name__}.functions").function(name)
        globals()[name] = made
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *importlib.import_module(f"{__name__}.specs").names()})
