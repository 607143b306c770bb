"""Can these bytes hold a finding at all? Derived from the patterns and the op table, so that it loses nothing."""

from __future__ import annotations

import re
from functools import cache

from pytest_lse.lint import ops
from pytest_lse.lint.graph import Node
from pytest_lse.lint.patterns import Pattern, patterns

#: operations that Python also spells with operators, or that need no spelling at all
_SPELT_OTHERWISE = frozenset({"add", "sub", "mul", "div", "neg", "pow", "abs", "sum", "contract", "index", "where", "square"})
#: `e ** x`, for any module's e
_POWER = rb"e\s*\*\*|\be\)?\s*\*\*|\bpow\b|\bpower\b"


def may_hold_finding(data: bytes) -> bool:
    """Return whether the bytes hold the words of at least one pattern."""
    return any(all(need.search(data) for need in needs) for needs in _needs())


@cache
def _needs() -> tuple[tuple[re.Pattern[bytes], ...], ...]:
    """Return, for each set of words that some pattern needs, the expressions that find them."""
    found = {_words(p) for ps in patterns().naive.values() for p in ps}
    # A set that holds another is found only where the smaller one is.
    smallest = [s for s in found if not any(other < s for other in found)]
    return tuple(tuple(re.compile(word) for word in sorted(s)) for s in smallest)


def _words(pattern: Pattern) -> frozenset[bytes]:
    return frozenset(w for n in pattern.loose.walk() if (w := _spellings(n.op, n)) is not None)


@cache
def _op_words(op: str) -> frozenset[str]:
    return ops.words(op)


def _spellings(op: str, node: Node) -> bytes | None:
    if op not in ops.PARAMS or op in _SPELT_OTHERWISE:
        return None
    words = set(_op_words(op))
    otherwise = b""
    if op in ("exp", "expm1"):
        otherwise = b"|" + _POWER
    if op in patterns().kernels:
        # A value that means this kernel: its own spellings are found by their exponential.
        words |= _op_words("exp")
        otherwise = b"|" + _POWER
    alternatives = "|".join(sorted(map(re.escape, words)))
    return rb"\b(?:" + alternatives.encode() + rb")_?\b" + otherwise
