"""What a kernel's answer is, and how far honest code may be from it.

The interface, which the assertions rely on:

`judge(kernel, arguments, params=None, *, dtype, axis=-1, strict=False, gradients=False, cotangent=None)` returns a
`Judgement` with one `Output` per output of the kernel and, on request, the gradient of
``sum(cotangent * first output)`` with respect to the first argument (cotangent: ones by default). The arguments are
NumPy arrays whose floating values are exactly representable in `dtype` (bfloat16: ml_dtypes' or float32 arrays).
`Output.compare(actual)` returns a `Comparison` of three arrays: ok, error in ulps, error / tolerance.

The kernel is a name or a `pytest_lse.reference.Kernel`. Errors in the arguments are ValueError or TypeError with the
argument's name. `Output.required` is False where any answer passes, `Output.alternatives` are further accepted arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from pytest_lse.dtypes import Format, format_of
from pytest_lse.reference import evaluation, kinks, stacked, tolerance
from pytest_lse.reference.layout import Problem, pose
from pytest_lse.reference.rounding import storage


class Comparison(NamedTuple):
    """How an actual output compares, element by element.

    Attributes
    ----------
    ok : ndarray of bool
        Within tolerance, or an accepted special value, or not judged.
    ulps : ndarray of float64
        Error in units of the last place of the exact value, in the output's format; inf for a wrong special value.
    ratio : ndarray of float64
        Error over tolerance; 0 where an accepted special value, inf where a wrong one.
    """

    ok: np.ndarray
    ulps: np.ndarray
    ratio: np.ndarray


@dataclass(frozen=True)
class Output:
    """The truth of one output array.

    Attributes
    ----------
    expected : ndarray
        The exact values, rounded once to the dtype (bfloat16 without ml_dtypes: as float32).
    exact : tuple of two ndarrays of float64
        The exact values as unevaluated sums, good to about 2**-70 relative or better (narrow formats: 2**-40).
    bound : Bound
        Absolute error that honest code may have; `tolerance` is its value.
    required : ndarray of bool
        False where the convention leaves the answer open: anything passes.
    alternatives : tuple of ndarrays of float64
        Further answers that pass within the same tolerance.
    dtype : Format
        The output's format.
    error : ndarray, optional
        How far `exact` may be from the exact values: it comes off the tolerance, so that what passes is right, and what
        fails has to be judged again with a share of 0. None: not at all.
    """

    expected: np.ndarray
    exact: tuple[np.ndarray, np.ndarray]
    bound: tolerance.Bound
    required: np.ndarray
    dtype: Format
    alternatives: tuple[np.ndarray, ...] = ()
    error: np.ndarray | None = None

    @property
    def tolerance(self) -> np.ndarray:
        """Absolute error that honest code may have, float64, in the shape of the output."""
        return self.bound.full

    def close(self, actual: Any) -> np.ndarray | None:
        """Compare an output with the least that the tolerance can be, which spares working it out.

        Parameters
        ----------
        actual : array_like
            Same shape as `expected`.

        Returns
        -------
        ndarray or None
            Error over that tolerance, an upper bound of the ratio, if all elements keep to it.
        """
        got, (high, low) = self._float64(actual), self.exact
        allowed = self._left(self.bound.least)
        with np.errstate(all="ignore"):
            error = np.abs((got - high) - low)
            if self.required.all() and (error <= allowed).all():
                return np.asarray(np.where(error == 0.0, 0.0, error / allowed))
        rough = self._against(got, allowed)
        return rough.ratio if rough.ok.all() else None

    def compare(self, actual: Any) -> Comparison:
        """Compare an output with the truth.

        Parameters
        ----------
        actual : array_like
            Same shape as `expected`.

        Raises
        ------
        ValueError
            The shape differs.
        """
        got = self._float64(actual)
        return self._against(got, self._left(self.bound.full))

    def _float64(self, actual: Any) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # ml_dtypes warns of nan
            got = np.asarray(actual).astype(np.float64)
        if got.shape != self.expected.shape:
            raise ValueError(f"actual has shape {got.shape}: expected {self.expected.shape}")
        return got

    def _left(self, allowed: np.ndarray) -> np.ndarray:
        """Return what the error of the truth leaves of a tolerance."""
        return allowed if self.error is None else np.asarray(np.maximum(allowed - self.error, 0.0))

    def _against(self, got: np.ndarray, allowed: np.ndarray) -> Comparison:
        high, low = self.exact
        with np.errstate(all="ignore"):
            error = np.abs((got - high) - low)
            same = (got == high) | (np.isnan(got) & np.isnan(high))
            same |= self._overflows(got, allowed)
            for other in self.alternatives:
                same |= (got == other) | (np.isnan(got) & np.isnan(other))
                # Another right answer comes from a further operation on the way, with its own roundings.
                slack = allowed + 8.0 * self.dtype.u * (np.abs(other) + np.abs(other - high))
                same |= np.abs(got - other) <= slack
            error = np.where(same & ~np.isfinite(error), 0.0, np.where(np.isnan(error), np.inf, error))
            ulps = error / ulp(high, self.dtype)
            ratio = np.where(error == 0.0, 0.0, error / allowed)
            ratio = np.where(same, np.minimum(ratio, 1.0), np.where(np.isnan(ratio), np.inf, ratio))
            open_ = ~self.required
            return Comparison((ratio <= 1.0) | open_, np.where(open_, 0.0, ulps), np.where(open_, 0.0, ratio))

    def _overflows(self, got: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        # Where the true value is within the tolerance of overflow, the infinity of that sign is right as well.
        high = self.exact[0]
        edge = self.dtype.max * (1.0 + self.dtype.u)
        near = np.abs(high) + allowed >= edge
        return np.asarray(np.isinf(got) & near & (np.sign(got) == np.sign(high)))


@dataclass(frozen=True)
class Judgement:
    """The truth of all outputs of a kernel, and of the gradient if asked for."""

    outputs: tuple[Output, ...]
    gradient: Output | None = None


def ulp(values: np.ndarray, target: Format) -> np.ndarray:
    """Return the unit in the last place of each value in a format (of subnormals: the smallest one)."""
    _, exponent = np.frexp(np.where(np.isfinite(values), np.where(values == 0.0, target.tiny, values), 1.0))
    exponent = np.clip(exponent, target.emin + 1, target.emax + 1)
    return np.asarray(np.ldexp(1.0, exponent - target.precision))


def prepare(kernel: str, calls: Sequence[tuple[tuple[Any, ...], int]], params: Mapping[str, Any]) -> list[Problem]:
    """Bring many calls, given as arguments and axis, into canonical form, and do for all of them what is done first."""
    with np.errstate(all="ignore"):
        problems = [pose(kernel, arguments, params, axis) for arguments, axis in calls]
        stacked.evaluate(problems)
    return problems


def judge(
    kernel: Any,
    arguments: tuple[Any, ...],
    params: Mapping[str, Any] | None = None,
    *,
    dtype: object,
    axis: int = -1,
    strict: bool = False,
    gradients: bool = False,
    cotangent: Any = None,
    share: float = 0.0,
    problem: Problem | None = None,
) -> Judgement:
    """Work out the truth of a call and the tolerance around it.

    Parameters
    ----------
    kernel : str or Kernel
        A kernel of the table, or one of the user's own.
    arguments : tuple of array_like
        The arrays of the call, in order. Floating values must be representable in `dtype`.
    params : mapping, optional
        The kernel's parameters, where they are not the default.
    dtype : str or dtype
        Format of the computation and of its outputs.
    axis : int
        The axis along which the kernel works, for kernels that have one.
    strict : bool
        The sharp relative bound instead of the default.
    gradients : bool
        Also judge the gradient with respect to the first argument.
    cotangent : array_like, optional
        Weights of the first output's elements in the gradient; default ones.
    share : float
        How far the values may be from the exact ones, as a share of the tolerance: the work for a rounding that nobody
        looks at is saved. Default: they are exact.
    problem : Problem, optional
        The call in canonical form, of `prepare`.

    Returns
    -------
    Judgement
        Shapes as the kernel's outputs; the gradient has the shape of the first argument.

    Raises
    ------
    ValueError, TypeError
        An argument or parameter is invalid: the message names it.
    """
    target = format_of(dtype)
    with np.errstate(all="ignore"):
        if problem is None:
            problem = pose(kernel, arguments, params, axis)
        enough = tolerance.enough_of_values(problem, target, strict, share) if share else None
        values = evaluation.values(problem, target, enough)
        bounds = tolerance.of_values(problem, target, strict, values)
        outputs = tuple(_output(v, b, target) for v, b in zip(values, bounds, strict=True))
        gradient = None
        if gradients:
            enough = tolerance.enough_of_gradient(problem, target, strict, share, cotangent) if share else None
            value = evaluation.gradient(problem, target, cotangent, enough=enough)
            bound = tolerance.of_gradient(problem, target, strict, value, cotangent)
            gradient = _output(value, bound, target)
            if isinstance(kernel, str) and not strict:
                arrays = tuple(map(np.asarray, arguments))
                also = kinks.subgradients(kernel, arrays, params or {}, value.high, cotangent)
                gradient = replace(gradient, alternatives=(*gradient.alternatives, *also))
    return Judgement(outputs, gradient)


def _output(value: evaluation.Value, bound: tolerance.Bound, target: Format) -> Output:
    return Output(
        expected=value.rounded.astype(storage(target.name)),
        exact=(value.high, value.low),
        bound=bound,
        required=np.ones(value.high.shape, dtype=bool) if value.required is None else value.required,
        dtype=target,
        alternatives=value.alternatives,
        error=value.error,
    )


__all__ = ["Comparison", "Judgement", "Output", "judge", "prepare", "ulp"]
