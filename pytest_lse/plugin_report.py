"""`pytest --lse-report=FILE.html`: what the assertions measured and the linter found, as a page and as JSON.

Each test's data travels on its report, so that xdist's workers need no files in common with the controller.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pytest_lse.plugin_lint import FOUND

_UNUSABLE = 2
#: name of the attribute of a report; what it holds are builtins, all that xdist can send
_DATA = "lse_data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--lse-report``."""
    group = parser.getgroup("lse", "numerical stability")
    group.addoption(
        "--lse-report",
        metavar="FILE.html",
        help="write a page of what the assertions measured and the linter found, and its data to FILE.json",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Switch the recording on, where a report is wanted."""
    target = config.getoption("lse_report")
    if not target:
        return
    from pytest_lse.report import recorder

    recorder.wanted = True
    if not hasattr(config, "workerinput"):
        path = Path(config.invocation_params.dir, target)
        reason = _unusable(path)
        if reason:
            pytest.exit(f"--lse-report={target}: {reason}", returncode=_UNUSABLE)
        config.pluginmanager.register(_Collector(path, target), "lse-report")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Switch the recording off again: pytest may run more than once in a process."""
    if config.getoption("lse_report"):
        from pytest_lse.report import recorder

        recorder.wanted = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the data of a test on its report."""
    report = yield
    if call.when == "call" and item.config.getoption("lse_report"):
        from pytest_lse.report import recorder

        records = [{"test": item.nodeid, **record} for record in recorder.collect()]
        setattr(report, _DATA, {"records": records, "findings": item.stash.get(FOUND, None)})
    return report


def _unusable(path: Path) -> str:
    """Return why a report cannot be written there; empty if it can, as far as can be told without writing."""
    if path.suffix not in (".html", ".htm"):
        return "the report is a page: its name ends with .html"
    for file in (path, path.with_suffix(".json")):
        if file.is_dir():
            return f"{file.name} is a directory"
        if file.exists() and not os.access(file, os.W_OK):
            return f"{file.name} cannot be overwritten"
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        return f"{parent} is not a directory"
    return "" if os.access(parent, os.W_OK) else f"{parent} is not writable"


class _Collector:
    """Collects the data of all tests and writes the report, in the process that the user sees."""

    def __init__(self, path: Path, shown: str) -> None:
        self.path = path
        self.shown = shown
        self.records: list[dict[str, Any]] = []
        self.findings: list[dict[str, Any]] = []
        self.linted: int | None = None
        self.written = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the data from a report."""
        data = getattr(report, _DATA, None)
        if data is None:
            return
        self.records += data["records"]
        if data["findings"] is not None:
            self.linted = (self.linted or 0) + 1
            self.findings += data["findings"]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report."""
        import json

        from pytest_lse.report.document import document
        from pytest_lse.report.page import page

        if session.config.getoption("lse") and self.linted is None:
            self.linted = 0
        data = document(self.records, self.findings, linted=self.linted)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(page(data), encoding="utf-8")
            self.path.with_suffix(".json").write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", "utf-8")
        except OSError as error:
            self.written = f"--lse-report={self.shown}: cannot be written: {error.strerror or error}"
            session.exitstatus = _UNUSABLE
        else:
            self.written = f"numerical stability report: {self.shown}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the report is."""
        terminalreporter.write_sep("-", self.written)
