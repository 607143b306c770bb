"""`pytest --lse`: every collected Python file is a test item, `path::lse`, that fails with what the linter finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_lse.lint.config import Resolver
    from pytest_lse.lint.pipeline import FileResult

_SUFFIXES = frozenset({".py", ".pyi", ".pyw", ".ipynb"})
_RESOLVER: pytest.StashKey[Resolver] = pytest.StashKey()
#: what an item has found, for the report: plain data
FOUND: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()


class FindingsError(Exception):
    """The linter has something to say about a file; the message is the findings as `pytest-lse check` prints them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--lse``."""
    group = parser.getgroup("lse", "numerical stability")
    group.addoption("--lse", action="store_true", help="lint the collected files too, each as a test item path::lse")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and read the configuration early: a mistake in it is a usage error."""
    config.addinivalue_line("markers", "lse: a file that pytest-lse lints (pytest --lse); -m lse runs these alone")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LintFile | None:
    """Make an item of each file that `pytest-lse check` would check."""
    config = parent.config
    if not config.getoption("lse") or file_path.suffix not in _SUFFIXES or _excluded(file_path, parent.session):
        return None
    file: LintFile = LintFile.from_parent(parent, path=file_path)
    return file


def _excluded(path: Path, session: pytest.Session) -> bool:
    from pytest_lse.lint.config import ConfigError

    try:
        settings = _resolver(session.config).settings(str(path.parent))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    if session.isinitpath(path) and not settings.force_exclude:
        return False
    if settings.exclude.match_any_parent(str(path)):
        return True
    return settings.respect_gitignore and _ignored(path, session.config.rootpath)


def _ignored(path: Path, root: Path) -> bool:
    """Return whether git ignores a file, or a directory between it and the root of the test run."""
    from pytest_lse.lint.gitignore import Ignores, above

    if not path.is_relative_to(root):
        root = path.parent
    ignores = above(str(root))
    directory = root
    for part in path.relative_to(root).parts[:-1]:
        directory /= part
        if ignores is not None and ignores.ignored(str(directory), is_directory=True):
            return True
        ignores = Ignores(str(directory), ignores)
    return ignores is not None and ignores.ignored(str(path), is_directory=False)


def _resolver(config: pytest.Config) -> Resolver:
    from pytest_lse.lint.config import Resolver

    return config.stash.setdefault(_RESOLVER, Resolver({}))


class LintFile(pytest.File):
    """A file that is linted."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the one item."""
        yield LintItem.from_parent(self, name="lse")


class LintItem(pytest.Item):
    """The check of one file."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.add_marker("lse")

    def runtest(self) -> None:
        """Lint the file.

        Raises
        ------
        FindingsError
            There are findings.
        RuntimeError
            The check failed by an internal error.
        """
        from pytest_lse.lint.run import Job, do_file

        settings = _resolver(self.config).settings(str(self.path.parent))
        result = do_file(self._shown(), settings, Job(), named=self.session.isinitpath(self.path))
        if result.error:
            raise RuntimeError(result.error)
        if self.config.getoption("lse_report", None):
            self.stash[FOUND] = _found(result, self.path)
        if result.findings:
            raise FindingsError(_full(result))

    def _shown(self) -> str:
        """Return the file's name as a user would type it."""
        relative = os.path.relpath(self.path)
        return str(self.path) if relative.startswith(os.pardir) else relative

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the findings alone: a traceback of the linter helps nobody."""
        if isinstance(excinfo.value, FindingsError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say what is checked."""
        return self.path, None, f"{self._shown()}: numerical stability"


def _full(result: FileResult) -> str:
    from pytest_lse.lint.formats import Report, render

    return "".join(render("full", Report([result], unsafe=False, colour=False))).rstrip("\n")


def _found(result: FileResult, path: Path) -> list[dict[str, Any]]:
    """Return the findings with their source lines and the change that each one's fix makes."""
    from pytest_lse.lint.read import UnreadableError, read

    if not result.findings:
        return []
    try:
        source = read(path.read_bytes(), str(path))
    except (OSError, UnreadableError):
        source = None
    found = []
    for finding in result.findings:
        rows = range(finding.location.row - 2, finding.end_location.row + 3)
        lines = [[row, result.lines[finding.cell, row]] for row in rows if (finding.cell, row) in result.lines]
        diff = "" if source is None or finding.fix is None else _diff(finding, source.cell(finding.cell))
        found.append({**finding.to_json(), "source": lines, "diff": diff})
    return found


def _diff(finding: Any, text: str) -> str:
    from pytest_lse.lint.diff import unified_diff
    from pytest_lse.lint.edits import apply_edits

    after = apply_edits(text, finding.fix.edits)
    change = unified_diff(finding.filename, text.encode("utf-8", "replace"), after.encode("utf-8", "replace"))
    return change.encode("utf-8", "replace").decode()
