"""How findings are printed: one module per format, each with `render(report)` that yields pieces of text.

`check` prints what `render` yields and nothing else to standard output, so every format is responsible for what a
hostile file name or source line could do to its reader; see `pytest_lse.lint.escape`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.finding import Finding
    from pytest_lse.lint.pipeline import FileResult

FORMATS = ("full", "concise", "json", "json-lines", "github", "gitlab", "sarif", "junit")
#: meant for people: with a summary, and with colours on a terminal
FOR_PEOPLE = ("full", "concise")


class Report:
    """What is printed.

    Attributes
    ----------
    results
        One for each file, sorted by name.
    unsafe
        Whether unsafe fixes are meant to be applied, for the mark of what is fixable.
    colour
        Whether escape sequences may be used.
    """

    def __init__(self, results: Sequence[FileResult], *, unsafe: bool = False, colour: bool = False) -> None:
        self.results = results
        self.unsafe = unsafe
        self.colour = colour

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings in order."""
        for result in self.results:
            yield from result.findings

    def fixable(self, finding: Finding) -> bool:
        """Say whether `--fix`, with the options of this run, repairs the finding."""
        return finding.fix is not None and (self.unsafe or finding.fix.applicability == "safe")


def render(name: str, report: Report) -> Iterator[str]:
    """Yield the report in the format of that name, piece by piece."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    pieces: Iterator[str] = module.render(report)
    return pieces
