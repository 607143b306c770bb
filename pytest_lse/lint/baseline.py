"""Findings that are accepted: keyed by file, code and the text of the line, so that code may move.

A baseline is a JSON file, `{"version": 1, "findings": {path: {code: {line: count}}}}`, with paths relative to it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from pytest_lse.lint.finding import Finding
from pytest_lse.lint.pipeline import FileResult

Accepted = dict[str, dict[str, dict[str, int]]]


class BaselineError(Exception):
    """The baseline cannot be read or written; the message is one line that names the file."""


def apply(file: str, results: Iterable[FileResult]) -> None:
    """Take the accepted findings out of the results: of equal lines, the first ones up to the accepted count.

    Raises
    ------
    BaselineError
        The file does not exist or is no baseline.
    """
    accepted = read(file)
    for result in results:
        left = accepted.get(_relative(result.filename, file), {})
        remaining = []
        for finding in result.findings:
            counts = left.get(finding.code, {})
            line = _line(finding, result)
            if counts.get(line, 0) > 0:
                counts[line] -= 1
            else:
                remaining.append(finding)
        result.findings = remaining


def read(file: str) -> Accepted:
    """Return what a baseline accepts.

    Raises
    ------
    BaselineError
        The file does not exist or is no baseline.
    """
    try:
        with open(file, encoding="utf-8") as stream:
            document = json.load(stream)
    except FileNotFoundError:
        raise BaselineError(f"{file}: there is no such baseline; --update-baseline writes it") from None
    except OSError as error:
        raise BaselineError(f"{file}: cannot read the baseline: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{file}: not a baseline: {error}") from None
    accepted = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(accepted, dict) or document.get("version") != 1 or not _well_formed(accepted):
        raise BaselineError(f"{file}: not a baseline of this version; --update-baseline writes it anew")
    return accepted


def write(file: str, results: Iterable[FileResult]) -> int:
    """Write a baseline that accepts the findings, and return their number.

    Raises
    ------
    BaselineError
        The file cannot be written, or what is there is no baseline: that is not overwritten.
    """
    if os.path.exists(file) and os.path.getsize(file):
        read(file)
    accepted: Accepted = {}
    total = 0
    for result in results:
        for finding in result.findings:
            counts = accepted.setdefault(_relative(result.filename, file), {}).setdefault(finding.code, {})
            line = _line(finding, result)
            counts[line] = counts.get(line, 0) + 1
            total += 1
    text = json.dumps({"version": 1, "findings": accepted}, indent=2, sort_keys=True) + "\n"
    temporary = f"{file}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="ascii") as stream:
            stream.write(text)
        os.replace(temporary, file)
    except OSError as error:
        raise BaselineError(f"{file}: cannot write the baseline: {error.strerror or error}") from None
    return total


def _well_formed(accepted: dict[object, object]) -> bool:
    return all(
        isinstance(codes, dict)
        and all(isinstance(c, dict) and all(type(n) is int for n in c.values()) for c in codes.values())
        for codes in accepted.values()
    )


def _relative(filename: str, file: str) -> str:
    path = os.path.relpath(os.path.abspath(filename), os.path.dirname(os.path.abspath(file)))
    return path.replace(os.sep, "/")


def _line(finding: Finding, result: FileResult) -> str:
    return result.lines.get((finding.cell, finding.location.row), "").strip()
