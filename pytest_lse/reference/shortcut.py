"""The first levels of the ladder for the kernels that are called most: few passes, with a bound known beforehand.

A kernel has a function for the narrow formats (`rows`, `elements`: float64, of which a relative error of 2**-43 is
plenty), and one or two for float64 (`row_pairs`, `element_pairs`). They work on blocks that stay in the cache. What one
leaves open goes to the next, and what is left then goes down the ladder. Bounds: docs/error-bounds.md, section 1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_lse.dtypes import Format
from pytest_lse.reference import element_pairs, elements, row_pairs, rows
from pytest_lse.reference.decided import Decided, Enclosure

#: elements of a block: few enough for the cache, many enough for the cost of a call not to matter
ROWS, ELEMENTS = 2**16, 25 * 2**10
#: the same for the narrow formats, whose functions make a few passes over a few arrays
NARROW = 2**17
#: the longest row
LONGEST = 2**16


@dataclass(frozen=True)
class Shortcut:
    """How a kernel is evaluated at first.

    Attributes
    ----------
    narrow : callable
        For float32 and narrower: lower and upper ends of the values of a block.
    wide : tuple of callables
        For float64, the cheapest first: pairs and their margins.
    rows : bool
        Whether the first array has rows, rather than independent elements.
    reduces : bool
        Whether a row gives one value.
    arguments : int
        Their number.
    zeros : bool
        Whether a value may be rounded to a negative zero: it is negative, and its bound gets as small as it.
    """

    narrow: Callable[..., tuple[np.ndarray, np.ndarray]]
    wide: tuple[Callable[..., Enclosure], ...]
    rows: bool = False
    reduces: bool = False
    arguments: int = 1
    zeros: bool = False


KERNELS: dict[str, Shortcut] = {
    "logsumexp": Shortcut(rows.logsumexp, (row_pairs.logsumexp,), True, True),
    "logmeanexp": Shortcut(rows.logmeanexp, (row_pairs.logmeanexp,), True, True),
    "softmax": Shortcut(rows.softmax, (row_pairs.softmax,), True),
    "log_softmax": Shortcut(rows.log_softmax, (row_pairs.log_softmax,), True),
    "logcumsumexp": Shortcut(rows.logcumsumexp, (row_pairs.logcumsumexp,), True),
    "cross_entropy": Shortcut(rows.cross_entropy, (row_pairs.cross_entropy,), True, True, 2),
    "sigmoid": Shortcut(elements.sigmoid, (element_pairs.interpolated_sigmoid, element_pairs.sigmoid)),
    "log_sigmoid": Shortcut(elements.log_sigmoid, (element_pairs.log_sigmoid,), zeros=True),
    "softplus": Shortcut(elements.softplus, (element_pairs.softplus,)),
    "logaddexp": Shortcut(elements.logaddexp, (element_pairs.logaddexp,), arguments=2, zeros=True),
    "logsubexp": Shortcut(elements.logsubexp, (element_pairs.logsubexp,), arguments=2, zeros=True),
    "log1mexp": Shortcut(elements.log1mexp, (element_pairs.log1mexp,), zeros=True),
    "bce_with_logits": Shortcut(elements.bce_with_logits, (element_pairs.bce_with_logits,), arguments=2, zeros=True),
}


def first(name: str, arrays: tuple[np.ndarray, ...], target: Format, pairs: bool) -> Decided | None:
    """Return what can be decided quickly, or None if the kernel has no shortcut or its rows are not fit for it.

    Parameters
    ----------
    arrays : tuple of ndarrays
        Of shape [B, n] for rows (labels: [B]), [N] for elements; float64, for a target of float32 also float32,
        for those of 16 bits also of that dtype where the kernel has rows.
    pairs : bool
        Whether the values before rounding are wanted too.
    """
    kernel = KERNELS.get(name)
    if kernel is None or not len(arrays[0]) or (kernel.rows and not 2 <= arrays[0].shape[1] <= LONGEST):
        return None
    if target.precision == 53:
        result = _settled(kernel, kernel.wide[0], arrays, target, pairs)
    else:
        result = _between(kernel, arrays, target, pairs)
    for function in kernel.wide[1:] if target.precision == 53 else kernel.wide[-1:]:
        if not result.open:
            break
        left = np.concatenate(result.open)
        some = tuple(a[left].astype(a.dtype if a.dtype.kind == "i" else np.float64, copy=False) for a in arrays)
        result.replace(left, _settled(kernel, function, some, target, pairs))
    return result


def _settled(
    kernel: Shortcut, function: Callable[..., Enclosure], arrays: tuple[np.ndarray, ...], target: Format, pairs: bool
) -> Decided:
    result, step = _prepared(kernel, arrays, target, pairs, ROWS if kernel.rows else ELEMENTS)
    for start in range(0, len(arrays[0]), step):
        result.settle(start, *function(*(a[start : start + step] for a in arrays)))
    return result


def _between(kernel: Shortcut, arrays: tuple[np.ndarray, ...], target: Format, pairs: bool) -> Decided:
    result, step = _prepared(kernel, arrays, target, pairs, NARROW)
    for start in range(0, len(arrays[0]), step):
        result.between(start, *kernel.narrow(*(a[start : start + step] for a in arrays)))
    # The margin of a row is less than half of float16's smallest number, but of no other format's.
    if kernel.zeros or (kernel.rows and target.name == "float16"):
        result.without_negative_zeros()
    return result


def _prepared(
    kernel: Shortcut, arrays: tuple[Any, ...], target: Format, pairs: bool, block: int
) -> tuple[Decided, int]:
    x = arrays[0]
    shape = x.shape[:1] if kernel.reduces else x.shape
    # Blocks of the same size: a last one of a few rows costs as many calls.
    return Decided(shape, pairs, target), -(-len(x) // max(1, -(-x.size // block)))
