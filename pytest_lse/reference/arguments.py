"""What a kernel may be called with: arrays by their role, parameters by what their default is.

Every complaint is a TypeError or ValueError that names the argument, says what it is and what is expected.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from pytest_lse.dtypes import FORMATS

#: parameters that have to lie in a range, and how it is called
_RANGES = {
    "temperature": (lambda v: v > 0.0, "a positive number"),
    "tau": (lambda v: v > 0.0, "a positive number"),
    "gamma": (lambda v: v >= 0.0, "a number of at least 0"),
    "pos_weight": (lambda v: v >= 0.0, "a number of at least 0"),
    "weight": (lambda v: v >= 0.0, "numbers of at least 0"),
    "label_smoothing": (lambda v: (v >= 0.0) & (v <= 1.0), "0 to 1"),
}
#: parameters that may be arrays
_ARRAYS = ("pos_weight", "weight")


def array(name: str, role: str, value: Any, copy: bool = True) -> np.ndarray:
    """Return an argument as a canonical array: float64, int64 for labels, bool for masks."""
    found = _numbers(name, value)
    if role == "mask":
        if found.dtype != np.bool_:
            raise TypeError(f"{name} has dtype {found.dtype}: expected bool (True = keep)")
        return found
    if role == "labels":
        if found.dtype.kind not in "iu":
            raise TypeError(f"{name} has dtype {found.dtype}: expected an integer dtype")
        return found.astype(np.int64)
    if role == "any" and found.dtype.kind in "biu":
        return found
    return found.astype(np.float64, copy=copy)


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        found = np.asarray(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is no array: its rows differ in shape, or it cannot be converted") from None
    if found.dtype.kind not in "biuf" and found.dtype.name not in FORMATS:
        shown = repr(value) if found.ndim == 0 and len(repr(value)) < 40 else f"an array of dtype {found.dtype}"
        raise TypeError(f"{name} is {shown}: expected real numbers")
    return found


def parameters(kernel: str, known: Mapping[str, Any], given: Mapping[str, Any], own: bool = False) -> dict[str, Any]:
    """Return the parameters of a call with their defaults, checked one by one unless it is a kernel of one's own."""
    for key in given:
        if key not in known:
            raise TypeError(f"{kernel} has no parameter {key!r}: expected {', '.join(known) or 'none'}")
    if own:
        return {**known, **given}
    return {name: _parameter(name, default, given.get(name, default)) for name, default in known.items()}


def _parameter(name: str, default: Any, value: Any) -> Any:
    if value is default or (value is None and name == "pos_weight"):
        return default
    if isinstance(default, bool):
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} is {value!r}: expected True or False")
        return bool(value)
    if isinstance(default, str):
        return value  # the kernel knows which words it takes
    if isinstance(default, int):
        return integer(name, value)
    return _number(name, value)


def integer(name: str, value: Any) -> int:
    """Return an integer parameter."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: expected an integer") from None


def _number(name: str, value: Any) -> Any:
    test, expected = _RANGES.get(name, (lambda v: True, "a number"))
    found = _numbers(name, value).astype(np.float64)
    if found.ndim and name not in _ARRAYS:
        raise ValueError(f"{name} has shape {found.shape}: expected {expected}")
    if not (np.isfinite(found) & test(found)).all():
        shown = value if found.ndim == 0 else found[~(np.isfinite(found) & test(found))][0]
        raise ValueError(f"{name} is {shown}: expected {expected}")
    return found if found.ndim else float(found)
