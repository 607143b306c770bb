"""The analysis of a large file: only the functions that can hold a finding are parsed, unless one does hold one.

The result is that of `analyse.analyse`, which sees the whole file: what cannot matter is left out, and where that is
not certain nothing is.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from pytest_lse.lint import neighbours, prefilter
from pytest_lse.lint.analyse import Analysis
from pytest_lse.lint.code import UncertainError
from pytest_lse.lint.cut import Cut, cut
from pytest_lse.lint.finding import Finding
from pytest_lse.lint.patterns import Pattern
from pytest_lse.lint.reduced import Reduced


def analyse(text: str, filename: str, off: Collection[str] = ()) -> list[Finding]:
    """Return the findings in a module's text, in the order of their places, at least those of codes that are not off.

    Raises
    ------
    SyntaxError
        The text does not parse; an error far from anything of interest is not noticed.
    RecursionError, MemoryError
        It is nested too deeply for the parser.
    """
    cold: frozenset[int] = frozenset()
    try:
        path = os.path.abspath(filename)
        found = cut(text, prefilter.forms(frozenset(off)), lambda: neighbours.brought(text, path))
        probe = _Probe(text, filename, found, off) if found else None
        if probe is None or not probe.matched:
            return []
        cold = probe.cold
    except UncertainError:
        pass
    analysis = Analysis(filename)
    analysis.lowerer.cold = cold
    return sorted(analysis.run(text), key=lambda f: f.sort_key)


class _Probe:
    """An analysis that only tells whether there is a finding.

    Attributes
    ----------
    matched
        Whether there is one.
    cold
        The rows of the functions that had not to be looked at, unless another one calls them.
    """

    def __init__(self, text: str, filename: str, found: Cut, off: Collection[str]) -> None:
        self.matched = False
        self._off = off
        reduced = Reduced(text, found.units, found.hot)
        analysis = Analysis(filename)
        stop: Any = self
        analysis.fixer = stop
        lowerer = analysis.lowerer
        lowerer.collect_imports(reduced.imports)
        self.cold = lowerer.cold = frozenset(reduced.cold)
        lowerer.load = reduced.load
        lowerer.idle = frozenset(row for row, i in reduced.cold.items() if found.is_idle(i))
        lowerer.module(reduced.tree)

    def fix(self, site: object, node: object, pattern: Pattern, framework: object) -> tuple[None, None]:
        """Stand where fixes are made."""
        self.matched |= pattern.kernel.code not in self._off
        return None, None
