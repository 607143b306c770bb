"""One JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pytest_lse.lint.formats import Report


def render(report: Report) -> Iterator[str]:
    """Yield the findings, one a line."""
    for finding in report.findings:
        yield json.dumps(finding.to_json()) + "\n"
