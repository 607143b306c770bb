"""What a file's project depends on, from its metadata alone: nothing is imported or run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pytest_lse.lint.metadata import contents, requirements

_METADATA = ("pyproject.toml", "setup.cfg", "setup.py", "environment.yml", "environment.yaml", "Pipfile", "PKG-INFO")
_by_directory: dict[tuple[str, str], bool] = {}


def depends_on(path: str, package: str) -> bool:
    """Say whether the project around a file needs a package to run: extras and development groups do not count.

    The project's root is the nearest directory upwards that holds pyproject.toml, setup.cfg, setup.py, Pipfile,
    PKG-INFO, requirements*.txt or environment.yml. A file without a project depends on nothing.

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
    return requirements.endswith((".txt", ".in")) and not re.search(
        r"dev|test|doc|lint|ci\b|build|optional|extra|example|bench", requirements
    )


def _mentions(file: str, package: str) -> bool:
    requirement = re.compile(rf"(?i)^{re.escape(package)}(?![\w.-])")
    return any(requirement.match(candidate) for candidate in requirements(file, contents(file)))
