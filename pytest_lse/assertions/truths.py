"""The truths of small inputs, remembered: a catalogue asks for the same ones for every function of a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.reference import truth
from pytest_lse.reference.truth import Judgement

Array = npt.NDArray[Any]

ENTRIES = 20_000
LARGEST = 8_192  # bytes of an argument

_known: dict[Any, Judgement] = {}


def judge(
    kernel: Any,
    arguments: tuple[Array, ...],
    params: Mapping[str, Any],
    *,
    dtype: str,
    axis: int = -1,
    strict: bool = False,
    cotangent: Array | None = None,
    share: float = 0.0,
) -> Judgement:
    """Return `pytest_lse.reference.truth.judge` of a call, with the gradient if a cotangent is given."""

    def work() -> Judgement:
        return truth.judge(
            kernel,
            arguments,
            dict(params),
            dtype=dtype,
            axis=axis,
            strict=strict,
            gradients=cotangent is not None,
            cotangent=cotangent,
            share=share,
        )

    if not isinstance(kernel, str) or any(a.nbytes > LARGEST for a in arguments):
        return work()
    key = (
        kernel,
        repr(sorted(params.items())),
        dtype,
        axis,
        strict,
        share,
        None if cotangent is None else cotangent.shape,
        tuple((a.shape, a.dtype.name, np.ascontiguousarray(a).tobytes()) for a in arguments),
    )
    found = _known.get(key)
    if found is None:
        found = work()
        if len(_known) >= ENTRIES:
            _known.clear()
        _known[key] = found
    return found
