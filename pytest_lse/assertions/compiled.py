"""JAX functions compiled as a whole: run operation by operation, each of them is compiled anew for every shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPTIONS = {"xla_backend_optimization_level": 0, "xla_allow_excess_precision": False}
"""A function runs a few times on small arrays: compiling is what takes the time. Rounding to the narrow dtypes happens
where the function says so, as it does when it runs by itself."""


class Compiled:
    """A function of arrays, compiled once for each shape, or as it is where it cannot be traced.

    Parameters
    ----------
    jit : callable
        `jax.jit`.
    function : callable
        Takes and returns arrays.
    """

    def __init__(self, jit: Callable[..., Any], function: Callable[..., Any]) -> None:
        self._jit = jit
        self._function = function
        self._known: dict[Any, Any] = {}
        self._traceable = True

    def __call__(self, *arrays: Any) -> Any:
        """Call the function."""
        key = tuple((a.shape, a.dtype) for a in arrays)
        if key not in self._known and self._traceable:
            try:
                self._known[key] = _compile(self._jit(self._function).lower(*arrays))
            except Exception:
                # Depends on the values, or is wrong: called as it is, it says so in its own words.
                self._traceable = False
        return self._known.get(key, self._function)(*arrays)


def _compile(lowered: Any) -> Any:
    try:
        return lowered.compile(compiler_options=OPTIONS)
    except Exception:  # another version of XLA may not know them
        return lowered.compile()
