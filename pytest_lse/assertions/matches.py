"""`assert_matches`: one result against the truth, for use inside the user's own property tests."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import hypothesis
import numpy as np

from pytest_lse.assertions import message
from pytest_lse.assertions.adapters import Framework, framework
from pytest_lse.assertions.cases import Case, Draft
from pytest_lse.assertions.kernels import known
from pytest_lse.assertions.subject import Subject
from pytest_lse.assertions.trial import Trial
from pytest_lse.dtypes import FORMATS


def assert_matches(
    actual: Any,
    kernel: Any,
    *arguments: Any,
    axis: int = -1,
    params: Mapping[str, Any] | None = None,
    strict: bool = False,
    ulps: float | None = None,
) -> None:
    """Assert that a result is what a kernel gives for these arguments.

    Parameters
    ----------
    actual : array, or tuple of arrays
        The result, of any framework.
    kernel : str or pytest_lse.Kernel
        What it should be.
    *arguments : array_like
        The kernel's arrays, which `actual` was computed from.
    axis, params, strict, ulps
        As in `assert_stable`.

    Raises
    ------
    StabilityError
        It is not.
    ValueError, TypeError
        An argument is invalid.

    Notes
    -----
    Inside a test that Hypothesis runs, the error guides its search.
    """
    __tracebackhide__ = True
    frame = _framework_of(arguments, actual)
    arrays = tuple(frame.numpy(a) for a in arguments)
    target = known(kernel, params or {})
    if len(arrays) != len(target.arguments):
        raise TypeError(
            f"{target.name} takes {len(target.arguments)} arrays ({', '.join(target.arguments)}): got {len(arrays)}"
        )
    dtype = arrays[0].dtype.name
    trial = Trial(
        Subject(assert_matches, None, label="the result"), target, frame, dtype, dict(params or {}), "masked",
        strict=strict, ulps=ulps, gradients=False,
    )  # fmt: skip
    case = Case(arrays, Draft((), ()), dtype, axis)
    values = trial.values(actual)
    failure = trial.compare(case, values, trial.judge(case, values))
    if dtype in FORMATS and hypothesis.currently_in_test_context():
        hypothesis.target(min(trial.last, 1e3), label=f"error of {target.name} in units of the tolerance")
    if failure is not None:
        raise message.error(trial, failure)


def _framework_of(arguments: tuple[Any, ...], actual: Any) -> Framework:
    for value in (*arguments, *(actual if isinstance(actual, tuple) else (actual,))):
        package = type(value).__module__.partition(".")[0]
        name = {"jaxlib": "jax.numpy", "jax": "jax.numpy"}.get(package, package)
        if name in ("torch", "jax.numpy", "tensorflow", "cupy", "mlx") and name in sys.modules:
            return framework(sys.modules[name])
        namespace = getattr(value, "__array_namespace__", None)
        if namespace is not None and not isinstance(value, (np.ndarray, np.generic)):
            return framework(namespace())
    return framework(np)
