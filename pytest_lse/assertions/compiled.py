"""JAX functions compiled as a whole: run operation by operation, each of them is compiled anew for every shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPTIONS = {"xla_backend_optimization_level": 0}
"""A function runs a few times on small arrays: compiling is what takes the time."""

FAITHFUL = {**OPTIONS, "xla_allow_excess_precision": False, "xla_disable_hlo_passes": "algsimp"}
"""For a function that its user does not compile: it rounds where it says so, and 0 * inf stays nan, as it does when it
runs by itself."""


class Compiled:
    """A function of arrays, compiled once for each shape, or as it is where it cannot be traced.

    Parameters
    ----------
    jit : callable
        `jax.jit`.
    function : callable
        Takes and returns arrays.
    faithful : bool
        Whether it has to do what the function does uncompiled.
    """

    def __init__(self, jit: Callable[..., Any], function: Callable[..., Any], faithful: bool) -> None:
        self._jit = jit
        self._options = FAITHFUL if faithful else OPTIONS
        self._function = function
        self._known: dict[Any, Any] = {}
        self._traceable = True

    def __call__(self, *arrays: Any) -> Any:
        """Call the function."""
        key = tuple((a.shape, a.dtype) for a in arrays)
        if key not in self._known and self._traceable:
            try:
                self._known[key] = _compile(self._jit(self._function).lower(*arrays), self._options)
            except Exception:
                # Depends on the values, or is wrong: called as it is, it says so in its own words.
                self._traceable = False
        return self._known.get(key, self._function)(*arrays)


def _compile(lowered: Any, options: dict[str, Any]) -> Any:
    try:
        return lowered.compile(compiler_options=options)
    except Exception:  # another version of XLA may not know them
        return lowered.compile()
