"""A call in canonical form: checked arguments, the reduced axis last, everything before it one batch axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from pytest_lse.reference import arguments as checked
from pytest_lse.reference.specs import Formula, Spec, spec


@dataclass(frozen=True)
class Problem:
    """A kernel's call, ready to be evaluated in any arithmetic.

    Attributes
    ----------
    arrays : tuple of ndarray
        Canonical: [N] for elements, [B, n] for rows, as given for the rest; float64, int64 or bool.
    params : dict
        Scalars.
    row_params : dict
        Array-valued parameters in the layout of the arrays.
    shape : tuple of int
        Of the first argument as given, after broadcasting.
    axis : int
        Non-negative; the reduced axis in `shape`.
    reduction : {"mean", "sum", "none"}
        Of the losses that are a mean by default; for other kernels without meaning.
    """

    spec: Spec
    arrays: tuple[np.ndarray, ...]
    params: dict[str, Any]
    row_params: dict[str, np.ndarray]
    shape: tuple[int, ...]
    axis: int
    keepdims: bool = False
    reduction: str = "mean"
    cache: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def reduced(self) -> bool:
        """Whether the formula's values are added up."""
        return self.spec.mean and self.reduction != "none"

    @property
    def separable(self) -> bool:
        """Whether rows may be evaluated alone."""
        return self.spec.layout != "whole" and not self.reduced

    def formula(self, name: str = "stable") -> Formula:
        """Return a formula of the kernel with its scalar parameters bound."""
        function = (self.spec.stable if name in self.spec.stable else self.spec.vjp)[name]
        return partial(function, **{k: v for k, v in self._bound(function).items() if k not in self.row_params})

    def _bound(self, function: Formula) -> dict[str, Any]:
        return self.spec.bind(function, self.params)

    def restore(self, result: np.ndarray) -> np.ndarray:
        """Give a canonical output the shape that the user's function returns."""
        if self.spec.layout == "elements":
            return result.reshape(() if self.reduced else self.shape)
        if self.spec.layout != "rows" or self.reduced:
            return result
        kept = self.shape[: self.axis] + self.shape[self.axis + 1 :]
        if result.ndim == 2:
            return np.moveaxis(result.reshape((*kept, result.shape[1])), -1, self.axis)
        reduced = result.reshape(kept)
        return np.expand_dims(reduced, self.axis) if self.keepdims else reduced

    def restore_gradient(self, result: np.ndarray) -> np.ndarray:
        """Give a canonical gradient the shape of the first argument."""
        if self.spec.layout == "elements":
            return result.reshape(self.shape)
        if self.spec.layout != "rows":
            return result
        kept = self.shape[: self.axis] + self.shape[self.axis + 1 :]
        return np.moveaxis(result.reshape((*kept, result.shape[-1])), -1, self.axis)

    def cotangent(self, weights: Any, outputs: np.ndarray) -> np.ndarray:
        """Bring weights of the first output into canonical form: [N] or [B, n], [B, 1] where the axis is reduced.

        Raises
        ------
        ValueError
            The shape is not the output's.
        """
        if weights is None:
            weights = np.ones(outputs.shape)
        given: np.ndarray = np.array(weights, dtype=np.float64)
        if given.shape != outputs.shape:
            raise ValueError(f"cotangent has shape {given.shape}: expected that of the output, {outputs.shape}")
        if self.reduced or self.spec.layout == "whole":
            return given
        if self.spec.layout == "elements":
            return given.reshape(-1)
        if given.ndim == len(self.shape):
            return np.moveaxis(given, self.axis, -1).reshape(len(self.arrays[0]), given.shape[self.axis])
        return given.reshape(len(self.arrays[0]), 1)


def pose(
    kernel: Any, arguments: Sequence[Any], params: Mapping[str, Any] | None, axis: int, copy: bool = True
) -> Problem:
    """Check a call and bring it into canonical form.

    Parameters
    ----------
    copy : bool
        Whether the arrays must not share memory with the arguments: the problem may outlive them.

    Raises
    ------
    ValueError, TypeError
        With the argument's name, its value and what is allowed.
    """
    known = spec(kernel) if isinstance(kernel, str) else getattr(kernel, "spec", None)
    if known is None:
        raise TypeError(f"kernel is {kernel!r}: expected a kernel's name or a pytest_lse.reference.Kernel")
    names = list(known.args)
    if len(arguments) != len(names):
        raise TypeError(f"{known.name} takes {len(names)} arrays ({', '.join(names)}): got {len(arguments)}")
    options = checked.parameters(known.name, known.params, params or {}, known.conditioned)
    keepdims = bool(options.pop("keepdims", False))
    reduction = options.pop("reduction", "mean") if known.mean else "mean"
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}: expected 'mean', 'sum' or 'none'")
    own = options.pop("axis", -1)
    axis = checked.integer("axis", own if axis == -1 else axis)
    arrays = [checked.array(n, known.args[n], a, copy) for n, a in zip(names, arguments, strict=True)]
    check = getattr(known.module, "check", None)
    if check is not None:
        check(*arrays, **options)
    if known.layout == "whole":
        scalars = {k: np.asarray(v) if isinstance(v, (list, np.ndarray)) else v for k, v in options.items()}
        first = arrays[0].shape if arrays else ()
        return Problem(known, tuple(arrays), scalars, {}, first, 0)
    return replace(_batched(known, names, arrays, options, axis, keepdims), reduction=reduction)


def _batched(
    known: Spec, names: list[str], arrays: list[np.ndarray], options: dict[str, Any], axis: int, keepdims: bool
) -> Problem:
    row_params = {k: np.asarray(v, dtype=np.float64) for k, v in options.items() if np.ndim(v) > 0}
    scalars = {k: v for k, v in options.items() if k not in row_params}
    every = {**dict(zip(names, arrays, strict=True)), **row_params}
    try:
        shape = np.broadcast_shapes(*(a.shape for a in every.values()))
    except ValueError:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in every.items())
        raise ValueError(f"{known.name}: the shapes of {shapes} do not fit together") from None
    if known.layout == "elements":
        flat = {n: np.broadcast_to(a, shape).reshape(-1) for n, a in every.items()}
        return _problem(known, flat, names, scalars, (shape, 0))
    if not shape:
        raise ValueError(f"{names[0]} is a scalar: {known.name} needs an array with at least one axis")
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis is {axis}: expected {-len(shape)} to {len(shape) - 1} for shape {shape}")
    axis %= len(shape)
    batch = math.prod(shape[:axis] + shape[axis + 1 :])
    flat = {
        n: np.ascontiguousarray(np.moveaxis(np.broadcast_to(a, shape), axis, -1).reshape(batch, shape[axis]))
        for n, a in every.items()
    }
    return _problem(known, flat, names, scalars, (shape, axis, keepdims))


def _problem(
    known: Spec, flat: dict[str, np.ndarray], names: list[str], scalars: dict[str, Any], place: tuple[Any, ...]
) -> Problem:
    arrays = tuple(flat.pop(n) for n in names)
    return Problem(known, arrays, scalars, flat, *place)
