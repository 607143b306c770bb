"""What a file's project depends on, from its metadata alone: nothing is imported or run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_METADATA = ("pyproject.toml", "setup.cfg", "setup.py", "environment.yml", "environment.yaml", "Pipfile")
_by_directory: dict[tuple[str, str], bool] = {}


def depends_on(path: str, package: str) -> bool:
    """Say whether the project around a file needs a package to run: extras and development groups do not count.

    The project's root is the nearest directory upwards that holds pyproject.toml, setup.cfg, setup.py, Pipfile,
    requirements*.txt or environment.yml. A file without a project depends on nothing.

    Parameters
    ----------
    path
        The file; it need not exist.
    package
        Name as on PyPI.
    """
    return _directory_depends(os.path.dirname(os.path.abspath(path)), package)


def _directory_depends(directory: str, package: str) -> bool:
    key = (directory, package)
    if key not in _by_directory:
        files = list(_metadata_files(directory))
        parent = os.path.dirname(directory)
        if files:
            _by_directory[key] = any(_mentions(file, package) for file in files)
        elif parent == directory or os.path.lexists(os.path.join(directory, ".git")):
            _by_directory[key] = False
        else:
            _by_directory[key] = _directory_depends(parent, package)
    return _by_directory[key]


def _metadata_files(directory: str) -> Iterator[str]:
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        path = os.path.join(directory, name)
        if name in _METADATA or (name.startswith("requirements") and _runtime(name)):
            yield path
        elif name == "requirements" and os.path.isdir(path):
            yield from (os.path.join(path, n) for n in os.listdir(path) if _runtime(n))


def _runtime(requirements: str) -> bool:
    return requirements.endswith((".txt", ".in")) and not re.search(r"dev|test|doc|lint|ci\b|build", requirements)


def _mentions(file: str, package: str) -> bool:
    try:
        with open(file, "rb") as stream:
            text = stream.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return False
    if package not in text.lower():
        return False
    requirement = re.compile(rf"(?i)^{re.escape(package)}(?![\w.-])")
    return any(requirement.match(candidate) for candidate in _requirements(file, text))


def _requirements(file: str, text: str) -> Iterator[str]:
    """Yield the strings in a metadata file that may be requirements."""
    name = os.path.basename(file)
    if name == "pyproject.toml":
        yield from _pyproject(text)
    elif name == "setup.cfg":
        yield from _setup_cfg(text)
    elif name == "setup.py":
        # Read, never run: a requirement is a string literal there.
        lines = (line.split("#")[0] for line in text.splitlines())
        yield from re.findall(r"""["']([^"']+)["']""", "\n".join(lines))
    elif name == "Pipfile":
        text = text.partition("[dev-packages]")[0]
        yield from (line.split("=")[0].strip(" \"'") for line in text.splitlines())
    else:
        yield from (line.strip().removeprefix("- ").strip() for line in text.splitlines())


def _setup_cfg(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if line[:1].strip():
            inside = line.startswith("install_requires")
            line = line.partition("=")[2]
        if inside:
            yield line.strip()


def _pyproject(text: str) -> Iterator[str]:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for keys in (("project",), ("tool", "poetry"), ("tool", "pixi")):
        table: object = document
        for key in (*keys, "dependencies"):
            table = table.get(key) if isinstance(table, dict) else None
        yield from _strings(table)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key  # Poetry's tables are keyed by name
            yield from _strings(item)
