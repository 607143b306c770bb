"""Where textbook code has a corner that its kernel has not: any subgradient is right there.

softplus is smooth, but `maximum(x, 0) + log1p(exp(-abs(x)))` is built of two functions with a corner at 0, whose
corners cancel. A framework takes one subgradient for each corner: 0 for `abs`, and 0, 1/2 or 1 for the maximum, so that
the gradient at exactly 0 comes out as 0, as it should be, or twice that. Binary cross-entropy has one term without a
corner, -x t, which leaves the one-sided limits: those for x -> -inf and inf. The strict level asks for the true one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

#: kernels whose textbook form is built of abs(x) and maximum(x, 0)
_AT_ZERO = frozenset({"sigmoid", "log_sigmoid", "softplus", "softplus_grad", "bce_with_logits", "focal_loss"})


def subgradients(
    name: str, arrays: tuple[Array, ...], params: Mapping[str, Any], gradient: Array, cotangent: Array | None
) -> tuple[Array, ...]:
    """Return further gradients with respect to the first argument that textbook code may have at a corner.

    Parameters
    ----------
    name : str
        The kernel.
    arrays : tuple of ndarray
        The arguments of the call.
    params : mapping
        The kernel's parameters, where they are not the default.
    gradient : ndarray
        The true gradient, in the shape of the first argument.
    cotangent : ndarray, optional
        Weights of the output's elements; default ones.

    Returns
    -------
    tuple of ndarray
        Like `gradient` except at corners; empty if there is none.
    """
    if name in _AT_ZERO:
        corner = arrays[0] == 0.0
    elif name == "logaddexp":
        corner = np.broadcast_to(arrays[0] == arrays[1], gradient.shape)
    else:
        return ()
    if not corner.any():
        return ()
    answers = [np.zeros_like(gradient), 2.0 * gradient]
    if name == "bce_with_logits":
        weight = (1.0 if cotangent is None else np.asarray(cotangent, np.float64)) / arrays[0].size
        targets = np.asarray(arrays[1], np.float64)
        answers += [weight * (1.0 - targets), -weight * params.get("pos_weight", 1.0) * targets]
    return tuple(np.where(corner, answer, gradient) for answer in answers)
