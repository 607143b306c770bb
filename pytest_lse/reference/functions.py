"""The correctly rounded kernels as functions: NumPy in, NumPy out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from pytest_lse.dtypes import FORMATS, Format, format_of
from pytest_lse.reference import evaluation, shortcut
from pytest_lse.reference.layout import pose
from pytest_lse.reference.rounding import storage
from pytest_lse.reference.specs import spec

SIXTEEN = ("float16", "bfloat16")
#: 16-bit arrays from this size on are read from a table of all 65,536 numbers, which is made when it is first needed
LOOKED_UP = 2**14


def evaluate(
    kernel: Any, arguments: tuple[Any, ...], params: Mapping[str, Any] | None = None, *, axis: int = -1,
    dtype: object = None,
) -> Any:  # fmt: skip
    """Return a kernel's correctly rounded value.

    Parameters
    ----------
    kernel : str or Kernel
        What to evaluate.
    arguments : tuple of array_like
        The arrays of the call. Integers are promoted to float64.
    params : mapping, optional
        Parameters other than their defaults.
    axis : int
        Along which the kernel works, if it has an axis.
    dtype : str or dtype, optional
        Format of the result; default: the widest of the floating arguments.

    Returns
    -------
    ndarray or tuple of ndarray
        As the kernel's outputs; bfloat16 as float32 values where ml_dtypes is not installed.
    """
    with np.errstate(all="ignore"):
        if dtype is None and not params and len(arguments) == 1 and axis == -1:
            found = _directly(kernel, arguments[0])
            if found is not None:
                return found
        target = _target(arguments, dtype)
        problem = pose(kernel, arguments, params, axis, copy=False)
        results = [r.astype(storage(target.name), copy=False) for r in evaluation.rounded(problem, target)]
    return results[0] if len(results) == 1 else tuple(results)


def _directly(kernel: Any, x: Any) -> np.ndarray | None:
    """Return what a shortcut decides as a whole about an array that is in canonical form already."""
    known = shortcut.KERNELS.get(kernel) if isinstance(kernel, str) else None
    if known is None or known.arguments != 1 or type(x) is not np.ndarray:
        return None
    name = x.dtype.name
    if name in SIXTEEN and not known.rows and x.size >= LOOKED_UP:
        return np.asarray(_every(kernel, name)[np.ascontiguousarray(x).view(np.uint16)])
    if not (x.ndim and x.flags.c_contiguous and (name in ("float64", "float32") or (known.rows and name in SIXTEEN))):
        return None
    flat = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) if known.rows else x.reshape(-1)
    found = shortcut.first(kernel, (flat,), FORMATS[name], pairs=False)
    if found is None or any(map(len, found.open)):
        return None
    return found.rounded.reshape(x.shape[:-1] if known.reduces else x.shape)


@cache
def _every(kernel: str, name: str) -> np.ndarray:
    """Return an elementwise kernel of all numbers of a 16-bit format, in the order of their bits."""
    every = np.arange(2**16, dtype=np.uint16).view(storage(name))
    problem = pose(kernel, (every,), None, -1)
    return evaluation.rounded(problem, FORMATS[name])[0].astype(storage(name))


def vjp(
    kernel: Any, arguments: tuple[Any, ...], cotangent: Any = None, params: Mapping[str, Any] | None = None, *,
    axis: int = -1, dtype: object = None, wrt: int = 0,
) -> np.ndarray:  # fmt: skip
    """Return the correctly rounded gradient of ``sum(cotangent * first output)``.

    Parameters
    ----------
    kernel, arguments, params, axis, dtype
        As in `evaluate`.
    cotangent : array_like, optional
        Shape of the first output; default ones.
    wrt : int
        The argument with respect to which to differentiate.

    Returns
    -------
    ndarray
        Shape of that argument; the gradients of an element that was broadcast are added up.

    Raises
    ------
    ValueError
        There is no such argument, or it is not differentiable.
    """
    target = _target(arguments, dtype)
    with np.errstate(all="ignore"):
        problem = pose(kernel, arguments, params, axis)
    if not 0 <= wrt < len(problem.arrays) or problem.arrays[wrt].dtype != np.float64:
        raise ValueError(f"wrt is {wrt}: expected the position of a floating argument of {problem.spec.name}")
    with np.errstate(all="ignore"):
        evaluation.values(problem, FORMATS["float64"])
        shape = np.shape(arguments[wrt])
        return evaluation.gradient(problem, target, cotangent, wrt, shape).rounded.astype(storage(target.name))


def _target(arguments: tuple[Any, ...], dtype: object) -> Format:
    if dtype is not None:
        return format_of(dtype)
    found = []
    for argument in arguments:
        try:
            kind = np.asarray(argument).dtype
        except (TypeError, ValueError):
            continue  # it will be complained about by name
        if kind.kind == "f" or kind.name == "bfloat16":
            found.append(format_of(kind))
    return max(found, key=lambda f: (f.precision, f.emax), default=FORMATS["float64"])


def function(name: str) -> Any:
    """Make the function of a kernel: arrays positionally, its parameters by keyword."""
    known = spec(name)
    names = ", ".join(known.args)

    def kernel(*arguments: Any, **params: Any) -> Any:
        axis = params.pop("axis", -1) if "axis" in known.params else -1
        dtype = params.pop("dtype", None)
        return evaluate(name, arguments, params, axis=axis, dtype=dtype)

    kernel.__name__ = kernel.__qualname__ = name
    kernel.__module__ = "pytest_lse.reference"
    options = "".join(f"{k}={v!r}, " for k, v in known.params.items())
    summary = (known.module.__doc__ or "").partition("\n")[0] if known.module else ""
    call = f"{name}({names}, *, {options}dtype=None)"
    kernel.__doc__ = f"{call}, correctly rounded.\n\n{summary}\n\nSee `pytest_lse.reference.evaluate`."
    return kernel
