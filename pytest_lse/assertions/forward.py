"""Forward mode: the derivative along a tangent is the gradient, seen from the other side.

For weights c of the output and a tangent v of the first argument, c . (J v) = (c J) . v: the right-hand side is the
gradient, whose truth is known already.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.reference.truth import Output

Array = npt.NDArray[Any]

#: Roundings of the products and sums that forward mode takes in another order than the gradient does.
SLACK = 64.0


def tangent(truth: Output) -> Array:
    """Return a tangent without symmetry, 0 where the gradient is left open, has several answers or no finite one."""
    pattern = np.array([1.0, -0.5, 0.75, 2.0, -1.25])
    values = pattern[np.arange(truth.expected.size) % 5].reshape(truth.expected.shape)
    judged = truth.required & np.isfinite(truth.exact[0])
    for other in truth.alternatives:
        judged &= other == truth.exact[0]
    return np.where(judged, values, 0.0)


def disagreement(derivative: Array, weight: Array, along: Array, truth: Output) -> tuple[float, float] | None:
    """Return what the weighted derivative is and should be, if it is further off than honest code may be.

    Parameters
    ----------
    derivative : ndarray
        Of the first output along the tangent, in its shape.
    weight : ndarray
        Weights of the output's elements, those that the gradient belongs to.
    along : ndarray
        The tangent, in the shape of the first argument.
    truth : Output
        The gradient.
    """
    products = weight * derivative.astype(np.float64)
    with np.errstate(all="ignore"):
        got = float(products.sum())
        expected = float(np.sum(along * np.where(along == 0.0, 0.0, truth.exact[0])))
        size = float(np.abs(products).sum() + np.abs(weight).sum() * np.abs(along).max(initial=0.0))
        allowed = 8.0 * truth.dtype.u * size
        if not np.isfinite(expected) or abs(got - expected) <= allowed:
            return None
        if np.isfinite(got):
            allowed = SLACK * truth.dtype.u * size + 16.0 * float(np.sum(truth.tolerance * np.abs(along)))
            if not abs(got - expected) > allowed:
                return None
    return got, expected
