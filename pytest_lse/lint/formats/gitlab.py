"""GitLab's code quality report."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator

from pytest_lse.lint.escape import printable
from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.paths import relative

_SEVERITY = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> Iterator[str]:
    """Yield the report, whose paths are relative to `CI_PROJECT_DIR`."""
    root = os.environ.get("CI_PROJECT_DIR") or os.getcwd()
    seen: Counter[str] = Counter()
    issues = []
    for result in report.results:
        for f in result.findings:
            path = relative(f.filename, root)
            # The line's text, not its number: a finding keeps its identity when lines above it come and go.
            identity = "\0".join((path, f.code, result.lines.get((f.cell, f.location.row), "").strip()))
            seen[identity] += 1
            digest = hashlib.sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "surrogatepass")).hexdigest()
            issues.append(
                {
                    "check_name": f.code,
                    "description": printable(f"{f.code}: {f.message}"),
                    "severity": _SEVERITY[f.severity],
                    "fingerprint": digest,
                    "location": {
                        "path": path,
                        "positions": {
                            "begin": {"line": f.location.row, "column": f.location.column},
                            "end": {"line": f.end_location.row, "column": f.end_location.column},
                        },
                    },
                }
            )
    yield json.dumps(issues, indent=2) + "\n"
