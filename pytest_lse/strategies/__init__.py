"""Hypothesis strategies for the arrays of numerically delicate functions.

All of them give NumPy arrays, take their arguments by keyword, build their values inside a regime of
`pytest_lse.regimes` and shrink to short arrays of benign values. Nonsense is an `InvalidArgument`.

===================  =========================  ==============================================================
strategy             shape                      values
===================  =========================  ==============================================================
`logits`             (n,), or `shape`           any regime that `domain` allows
`logit_batches`      (b, n), or `shape`         rows of different regimes side by side
`labels`             (size,)                    integers below `classes`, optionally the ignored one
`soft_labels`        `shape`                    rows that sum to one, exact 0 and 1 among them
`masks`              `shape`                    bool, True = keep; a row keeps something unless `domain` says else
`probabilities`      (n,), or `shape`           rows that sum to one within rounding
`log_probabilities`  (n,), or `shape`           their logarithms, computed without loss
`temperatures`       ()                         positive
`attention_inputs`   (l, d), (s, d), (s, e),    queries, keys, values and a mask
                     (l, s)
===================  =========================  ==============================================================
"""

from __future__ import annotations

from pytest_lse.strategies.public import (
    attention_inputs,
    labels,
    log_probabilities,
    logit_batches,
    logits,
    masks,
    probabilities,
    soft_labels,
    temperatures,
)

__all__ = [
    "attention_inputs",
    "labels",
    "log_probabilities",
    "logit_batches",
    "logits",
    "masks",
    "probabilities",
    "soft_labels",
    "temperatures",
]
