"""One JSON list, in the shape of ruff's."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pytest_lse.lint.formats import Report


def render(report: Report) -> Iterator[str]:
    """Yield the list, one finding at a time so that a large one need not fit in memory twice."""
    between = "["
    for finding in report.findings:
        yield between + "\n  " + json.dumps(finding.to_json(), indent=2).replace("\n", "\n  ")
        between = ","
    yield "\n]\n" if between == "," else "[]\n"
