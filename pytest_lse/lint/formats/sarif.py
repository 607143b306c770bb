"""SARIF 2.1.0, for code scanning: results with their fixes, and the documentation of their rules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_lse import __version__
from pytest_lse.discovery import coded
from pytest_lse.lint.escape import printable
from pytest_lse.lint.finding import Edit, Finding, Location
from pytest_lse.lint.formats import Report
from pytest_lse.lint.formats.paths import relative, uri

_LEVEL = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report) -> Iterator[str]:
    """Yield the log: one run, paths relative to the working directory."""
    root = os.getcwd()
    codes = sorted({f.code for f in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "pytest-lse",
                "version": __version__,
                "informationUri": "https://pypi.org/project/pytest-lse/",
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"uri": uri(root).rstrip("/") + "/"}},
        "results": [_result(f, codes, root) for f in report.findings],
    }
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    # Two files may share a code, as log1mexp and logsubexp do.
    files = [file for file in coded() if file.code == code]
    summary = printable("; ".join(file.summary for file in files))
    doc = "\n\n".join(file.doc.strip() for file in files)
    return {
        "id": code,
        "name": " / ".join(file.title for file in files),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": summary},
        "help": {"text": doc, "markdown": doc},
        "defaultConfiguration": {"level": min(_LEVEL[file.severity] for file in files)},
        "properties": {"tags": ["numerical-stability"], "precision": "high"},
    }


def _result(finding: Finding, codes: Sequence[str], root: str) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(finding.filename, root)}}
    message = printable(finding.message)
    if finding.cell is None:
        location["physicalLocation"]["region"] = _region(finding.location, finding.end_location)
    else:
        # A region would count lines of the JSON, which is not what anybody edits.
        location["logicalLocations"] = [{"name": f"cell {finding.cell}", "kind": "element"}]
        message = f"cell {finding.cell}, line {finding.location.row}: {message}"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVEL[finding.severity],
        "message": {"text": message},
        "locations": [location],
    }
    if finding.witness:
        result["properties"] = {"witness": finding.witness}
    if finding.fix and finding.cell is None:
        change = {
            "artifactLocation": _artifact(finding.filename, root),
            "replacements": [_replacement(edit) for edit in finding.fix.edits],
        }
        text = printable(f"{finding.fix.message} ({finding.fix.applicability})")
        result["fixes"] = [{"description": {"text": text}, "artifactChanges": [change]}]
    return result


def _artifact(filename: str, root: str) -> dict[str, str]:
    path = relative(filename, root)
    return {"uri": uri(path)} if os.path.isabs(path) else {"uri": uri(path), "uriBaseId": "%SRCROOT%"}


def _region(start: Location, end: Location) -> dict[str, int]:
    return {"startLine": start.row, "startColumn": start.column, "endLine": end.row, "endColumn": end.column}


def _replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(edit.location, edit.end_location), "insertedContent": {"text": edit.content}}
