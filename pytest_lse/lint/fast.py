"""The analysis of a large file: only the functions that can hold a finding are parsed, unless one does hold one.

The result is that of `analyse.analyse`, which sees the whole file: what cannot matter is left out, and where that is
not certain nothing is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pytest_lse.lint import prefilter
from pytest_lse.lint.analyse import Analysis
from pytest_lse.lint.code import UncertainError
from pytest_lse.lint.cut import Reach, cut
from pytest_lse.lint.finding import Finding
from pytest_lse.lint.graph import Node
from pytest_lse.lint.lower.functions import Function
from pytest_lse.lint.ops import PARAMS
from pytest_lse.lint.patterns import Pattern
from pytest_lse.lint.prefilter import SPELT_OTHERWISE
from pytest_lse.lint.reduced import Reduced
from pytest_lse.lint.units import FUNCTION, METHOD

_TELLING = (PARAMS.keys() - SPELT_OTHERWISE) | {"pow", "module", "function", "class", "instance", "pair", "name"}


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
        reach = cut(text, prefilter.groups(frozenset(off)))
        probe = _Probe(text, filename, reach, off) if reach else None
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

    def __init__(self, text: str, filename: str, reach: Reach, off: Collection[str]) -> None:
        self.matched = False
        self._off = off
        sure = reach.hot(lambda i: False)
        # Where words may come from elsewhere, what leaves the functions that hold them has to be known.
        looked_at = sure if sure == reach.hot(lambda i: True) else sure | reach.carriers()
        reduced = Reduced(text, reach.units, looked_at)
        analysis = Analysis(filename)
        stop: Any = self
        analysis.fixer = stop
        lowerer = analysis.lowerer
        lowerer.collect_imports(reduced.imports)
        lowerer.cold, lowerer.load = frozenset(reduced.stubs), reduced.load
        at_row = {u.row: i for i, u in enumerate(reach.units.units) if u.kind in (FUNCTION, METHOD)}
        lowerer.module(reduced.tree)
        while True:
            records = {at_row[r.definition.lineno]: r for r in lowerer.functions if r.definition.lineno in at_row}
            open_ = {i for i, r in records.items() if any(map(_tells, _leaving(r)))}
            unknown = {i for i, r in records.items() if not r.lowered}
            hot = reach.hot(open_.__contains__)
            more = [records[i] for i in sorted(hot & unknown)]
            may_be_open = (open_ | unknown).__contains__
            if not more and unknown and reach.hot(may_be_open) != hot:
                # Words may pass through functions that hold none: what leaves those decides.
                more = [records[i] for i in sorted(reach.touched(may_be_open) & unknown)]
            if not more:
                break
            for record in more:
                lowerer.complete(record)
        looked_at = looked_at | hot
        self.cold = frozenset(row for row, i in at_row.items() if i not in looked_at and row in reduced.stubs)

    def fix(self, site: object, node: object, pattern: Pattern, framework: object) -> tuple[None, None]:
        """Stand where fixes are made."""
        self.matched |= pattern.kernel.code not in self._off
        return None, None


def _leaving(record: Function) -> Iterator[Node]:
    """Yield the values that leave a function: what it returns, what it keeps in attributes."""
    if record.result is not None:
        yield record.result
    yield from record.attributes.values()


def _tells(result: Node) -> bool:
    """Return whether a value holds an operation that has a word, or something that can be called."""
    return any(n.op in _TELLING for n in result.walk())
