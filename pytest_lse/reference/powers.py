"""Powers of 2 and log(2) as integers, of which the tables of exp are made: importing mpmath would take longer."""

from __future__ import annotations

import math
from functools import cache

#: numbers of the table for pairs
STEPS = 4096
#: the unit of the powers is 2**-BITS
BITS = 250
ONE = 1 << BITS


@cache
def powers(steps: int = STEPS) -> list[int]:
    """Return 2**(j / steps) for j = 0, ..., steps - 1, a power of 2, in units of 2**-250, good to 20,000 of them."""
    root = 2 << 2 * BITS
    for _ in range(steps.bit_length() - 1):
        root = math.isqrt(root) << BITS
    root >>= BITS
    found = [ONE]
    for _ in range(steps - 1):
        found.append(found[-1] * root >> BITS)
    return found


@cache
def log2() -> int:
    """Return log(2) in units of 2**-250, less at most 100 of them: 2 atanh(1 / 3)."""
    return sum((2 * ONE) // ((2 * k + 1) * 3 ** (2 * k + 1)) for k in range(80))
