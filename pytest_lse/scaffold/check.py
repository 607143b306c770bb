"""Runs the written tests, each file in a process of its own: a module may fail to import, crash or hang."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from pytest_lse.scaffold.find import Found
from pytest_lse.scaffold.write import Written

_SECONDS = 900


@dataclass(frozen=True)
class Outcome:
    """How a function's test went: ``passed``, ``failed`` or ``error`` (it did not run), and why in a line."""

    found: Found
    verdict: str
    said: str = ""


def check(written: Written) -> list[Outcome]:
    """Run a test file and return what became of each test."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "junit.xml")
        roots = {f.root for f in written.tests.values()}
        path = os.pathsep.join([*sorted(roots), *filter(None, [os.environ.get("PYTHONPATH")])])
        # The user's addopts may ask for plugins, coverage or a minimum of it: none of this is wanted here.
        command = [sys.executable, "-m", "pytest", written.path, "-q", "-o", "addopts=", "--import-mode=importlib"]
        command += ["-p", "no:cacheprovider", f"--junitxml={report}"]
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
            )
            cases = ET.parse(report).getroot().iter("testcase") if report.exists() else ()
            said = _last_line(done.stdout + done.stderr)
        except (subprocess.TimeoutExpired, ET.ParseError) as error:
            cases = ()
            said = f"no result after {_SECONDS} seconds" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        outcomes = dict(map(_outcome, cases))
    whole = next((o for name, o in outcomes.items() if name not in written.tests), ("error", said))
    return [Outcome(found, *outcomes.get(test, whole)) for test, found in written.tests.items()]


def _outcome(case: ET.Element) -> tuple[str, tuple[str, str]]:
    name = (case.get("name") or "").partition("[")[0]
    failure, error = case.find("failure"), case.find("error")
    if error is not None:
        return name, ("error", _reason(error.text or ""))
    if failure is not None:
        return name, ("failed", _reason(failure.get("message") or failure.text or ""))
    return name, ("error", "skipped") if case.find("skipped") is not None else ("passed", "")


def _reason(text: str) -> str:
    """Return the line that says what went wrong: the exception's own, the last one that pytest marks."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    if marked:
        return marked[-1]
    first = text.strip().partition("\n")[0]
    return first.partition("StabilityError: ")[2] or first


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "the test run ended without a result"
