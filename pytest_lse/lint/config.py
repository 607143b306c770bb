"""The configuration of a file: the nearest `[tool.pytest-lse]` above it, with the command line on top."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from pytest_lse.lint.globs import Globs
from pytest_lse.lint.select import Selection, UnknownCodeError, parse_codes

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from typing import Any

#: as ruff's
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


class ConfigError(Exception):
    """The configuration cannot be used; the message is one line that names the file."""


class Settings:
    """What holds for the files of one directory: plain data, picklable.

    Attributes
    ----------
    root
        Absolute directory that relative patterns start from.
    selection
        The codes that are on.
    per_file_ignores
        Patterns (with whether they are negated) and the codes that are off in files that match.
    exclude
        Files and directories that are not visited.
    respect_gitignore, force_exclude
        Whether gitignore files are read, and whether `exclude` counts for files that are named directly.
    prefer_scipy
        True: fixes may use SciPy as if the project depended on it; False: they never use it; None: the project decides.
    frameworks
        Report only code that calls these, and code of which that is not known; None is all.
    respect_noqa
        Whether suppression comments count.
    """

    __slots__ = (
        "exclude",
        "force_exclude",
        "frameworks",
        "per_file_ignores",
        "prefer_scipy",
        "respect_gitignore",
        "respect_noqa",
        "root",
        "selection",
    )

    def __init__(
        self,
        *,
        root: str,
        selection: Selection | None = None,
        per_file_ignores: Sequence[tuple[bool, Globs, tuple[str, ...]]] = (),
        exclude: Globs | None = None,
        respect_gitignore: bool = True,
        force_exclude: bool = False,
        prefer_scipy: bool | None = None,
        frameworks: frozenset[str] | None = None,
        respect_noqa: bool = True,
    ) -> None:
        self.root = root
        self.selection = selection or Selection()
        self.per_file_ignores = tuple(per_file_ignores)
        self.exclude = exclude or Globs(DEFAULT_EXCLUDE, root)
        self.respect_gitignore = respect_gitignore
        self.force_exclude = force_exclude
        self.prefer_scipy = prefer_scipy
        self.frameworks = frameworks
        self.respect_noqa = respect_noqa

    def enabled(self, code: str, path: str) -> bool:
        """Say whether findings of that code are reported in the file with that absolute path."""
        if not self.selection.enabled(code):
            return False
        for negated, globs, codes in self.per_file_ignores:
            if globs.match(path) is not negated:
                covered = code in codes if code == "LSE000" else any(c == "ALL" or code.startswith(c) for c in codes)
                if covered:
                    return False
        return True


class Resolver:
    """Finds the settings of a directory, each configuration file read once.

    Parameters
    ----------
    overrides
        The keys of the configuration file that the command line gives, already parsed: they win.
    config
        Use this file for everything; None looks for the nearest one.
    isolated
        Read no configuration file.

    Raises
    ------
    ConfigError
        On use, if a configuration file is broken.
    """

    def __init__(
        self, overrides: Mapping[str, Any] | None = None, *, config: str | None = None, isolated: bool = False
    ) -> None:
        self.overrides = dict(overrides or {})
        self._by_directory: dict[str, Settings] = {}
        self._cwd = os.getcwd()
        self._isolated = isolated
        self._fixed: Settings | None = None
        if config is not None:
            table = read_table(config, required=True)
            self._fixed = self._settings(table or {}, os.path.dirname(os.path.abspath(config)), config)

    def settings(self, directory: str) -> Settings:
        """Return what holds for files in that absolute directory."""
        if self._fixed is not None:
            return self._fixed
        if directory not in self._by_directory:
            self._by_directory[directory] = self._read(directory)
        return self._by_directory[directory]

    def _read(self, directory: str) -> Settings:
        parent = os.path.dirname(directory)
        if not self._isolated:
            file = os.path.join(directory, "pyproject.toml")
            table = read_table(file)
            if table is not None:
                return self._settings(table, directory, file)
            if parent != directory:
                return self.settings(parent)
        return self._settings({}, self._cwd, "the command line")

    def _settings(self, table: Mapping[str, Any], root: str, origin: str) -> Settings:
        over = self.overrides
        ignore = [*table.get("ignore", []), *over.get("ignore", [])]
        select, extend = table.get("select"), [*table.get("extend-select", []), *over.get("extend-select", [])]
        if "select" in over:  # a selection on the command line starts afresh, as ruff's does
            select, extend, ignore = over["select"], over.get("extend-select", []), over.get("ignore", [])
        exclude = over.get("exclude", table.get("exclude", DEFAULT_EXCLUDE))
        more = [*table.get("extend-exclude", []), *over.get("extend-exclude", [])]
        per_file = over.get("per-file-ignores", table.get("per-file-ignores", {}))
        frameworks = table.get("frameworks")
        try:
            return Settings(
                root=root,
                selection=Selection(select, extend, ignore),
                per_file_ignores=[
                    (p.startswith("!"), Globs([p.removeprefix("!")], root), tuple(codes))
                    for p, codes in per_file.items()
                ],
                exclude=Globs([*exclude, *more], root),
                respect_gitignore=over.get("respect-gitignore", table.get("respect-gitignore", True)),
                force_exclude=over.get("force-exclude", table.get("force-exclude", False)),
                prefer_scipy=table.get("prefer-scipy"),
                frameworks=None if frameworks is None else frozenset(frameworks),
                respect_noqa=over.get("respect-noqa", True),
            )
        except ValueError as error:
            raise ConfigError(f"{origin}: {error}") from None


def read_table(path: str, *, required: bool = False) -> dict[str, Any] | None:
    """Return the checked `[tool.pytest-lse]` table of a file; None if there is none.

    Raises
    ------
    ConfigError
        The file is not TOML, or the table holds an unknown key or a value of the wrong type.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        if required or not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise ConfigError(f"{path}: cannot read the configuration: {error.strerror or error}") from None
        return None
    if b"pytest-lse" not in data and not required:
        return None  # the TOML parser costs more than the check of a small project
    import tomllib

    try:
        document = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the configuration is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: the configuration is not valid TOML: {error}") from None
    tool = document.get("tool")
    table = tool.get("pytest-lse") if isinstance(tool, dict) else None
    return None if table is None else _checked(table, path)


def _checked(table: object, path: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.pytest-lse must be a table")
    checked = {}
    for key, value in table.items():
        if key not in _KEYS:
            import difflib

            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(_KEYS)}"
            raise ConfigError(f"{path}: unknown key {key!r} in [tool.pytest-lse]: {hint}")
        try:
            checked[key] = _KEYS[key](value, key)
        except UnknownCodeError as error:
            raise ConfigError(f"{path}: {error}") from None
        except TypeError as error:
            raise ConfigError(f"{path}: {key!r} in [tool.pytest-lse] must be {error}") from None
    return checked


def _strings(value: object, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise TypeError("a list of strings")
    return value


def _codes(value: object, key: str) -> list[str]:
    return parse_codes(_strings(value, key), f"{key!r}")


def _per_file(value: object, key: str) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise TypeError("a table of lists of codes")
    return {pattern: _codes(codes, key) for pattern, codes in value.items()}


def _boolean(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _frameworks(value: object, key: str) -> list[str]:
    from pytest_lse.lint.ops import columns

    names = _strings(value, key)
    known = sorted(column.framework for column in columns())
    if not set(names) <= set(known):
        raise TypeError(f"a list of {', '.join(known)}")
    return names


_KEYS: dict[str, Callable[[object, str], Any]] = {
    "select": _codes,
    "ignore": _codes,
    "extend-select": _codes,
    "per-file-ignores": _per_file,
    "exclude": _strings,
    "extend-exclude": _strings,
    "respect-gitignore": _boolean,
    "force-exclude": _boolean,
    "prefer-scipy": _boolean,
    "frameworks": _frameworks,
}
