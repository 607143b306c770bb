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

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from pytest_lse.dtypes import Format, format_of
from pytest_lse.reference import evaluation, kinks, tolerance
from pytest_lse.reference.layout import pose
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
    rough : bool
        Whether the ratio is over the least that the tolerance can be, which was enough for all elements.
    """

    ok: np.ndarray
    ulps: np.ndarray
    ratio: np.ndarray
    rough: bool = False


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
    share : float
        How far `exact` may be from the exact values, as a share of the least tolerance: it comes off the tolerance, so
        that what passes is right, and what fails has to be judged again with a share of 0.
    """

    expected: np.ndarray
    exact: tuple[np.ndarray, np.ndarray]
    bound: tolerance.Bound
    required: np.ndarray
    dtype: Format
    alternatives: tuple[np.ndarray, ...] = ()
    share: float = 0.0

    @property
    def tolerance(self) -> np.ndarray:
        """Absolute error that honest code may have, float64, in the shape of the output."""
        return self.bound.full

    def compare(self, actual: Any, *, quick: bool = False) -> Comparison:
        """Compare an output with the truth.

        Parameters
        ----------
        actual : array_like
            Same shape as `expected`.
        quick : bool
            Do not work out the tolerance where the least that it can be is enough: the ratio is then an upper bound.

        Raises
        ------
        ValueError
            The shape differs.
        """
        with np.errstate(invalid="ignore"):  # ml_dtypes warns of nan
            got = np.asarray(actual).astype(np.float64)
        if got.shape != self.expected.shape:
            raise ValueError(f"actual has shape {got.shape}: expected {self.expected.shape}")
        if quick:
            rough = self._against(got, self.bound.least * (1.0 - self.share))
            if rough.ok.all():
                return rough._replace(rough=True)
        return self._against(got, self.bound.full - self.bound.least * self.share)

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
        How far the values may be from the exact ones, as a share of the least tolerance: the work for a rounding that
        nobody looks at is saved. Default: they are exact.

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
        problem = pose(kernel, arguments, params, axis)
        enough = share and (lambda v: share * tolerance.least_of_values(problem, target, strict, v))
        values = evaluation.values(problem, target, enough or None)
        bounds = tolerance.of_values(problem, target, strict, values)
        outputs = tuple(_output(v, b, target, share) for v, b in zip(values, bounds, strict=True))
        gradient = None
        if gradients:
            enough = share and (lambda v: share * tolerance.least_of_gradient(target, strict, v))
            value = evaluation.gradient(problem, target, cotangent, enough=enough or None)
            bound = tolerance.of_gradient(problem, target, strict, value, cotangent)
            gradient = _output(value, bound, target, share)
            if isinstance(kernel, str) and not strict:
                arrays = tuple(map(np.asarray, arguments))
                also = kinks.subgradients(kernel, arrays, params or {}, value.high, cotangent)
                gradient = replace(gradient, alternatives=(*gradient.alternatives, *also))
    return Judgement(outputs, gradient)


def _output(value: evaluation.Value, bound: tolerance.Bound, target: Format, share: float) -> Output:
    return Output(
        expected=value.rounded.astype(storage(target.name)),
        exact=(value.high, value.low),
        bound=bound,
        required=np.ones(value.high.shape, dtype=bool) if value.required is None else value.required,
        dtype=target,
        alternatives=value.alternatives,
        share=share,
    )


__all__ = ["Comparison", "Judgement", "Output", "judge", "ulp"]
