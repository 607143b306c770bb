"""The pytest plugin: a guest in every pytest run, so everything but pytest is imported inside the hooks."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

#: the linter's test items, and the report
pytest_plugins = ("pytest_lse.plugin_lint", "pytest_lse.plugin_report")

_LINES = "lse"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what passing assertions have to say to the report, which is what travels from xdist's workers."""
    report = yield
    module = sys.modules.get("pytest_lse.assertions.report")
    if module is not None and call.when == "call":
        # One property a line, as text: JUnit's XML has nothing else. It is written from the item, after the teardown.
        lines = [(_LINES, line) for line in module.collect()]
        report.user_properties += lines
        item.user_properties += lines
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the assertions that passed, with their worst errors, under ``-v``."""
    if terminalreporter.config.get_verbosity() < 1:
        return
    reports = [r for r in terminalreporter.getreports("passed") if hasattr(r, "user_properties")]
    found = {r.nodeid: [line for name, line in r.user_properties if name == _LINES] for r in reports}
    if any(found.values()):
        terminalreporter.write_sep("=", "stability")
        for nodeid, lines in found.items():
            if lines:
                terminalreporter.write_line(nodeid)
            for line in lines:
                terminalreporter.write_line(f"  {line}")
