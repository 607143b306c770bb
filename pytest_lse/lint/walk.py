"""Which files are checked: those that are named, and the Python files and notebooks below named directories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from pytest_lse.lint.config import Resolver, Settings
from pytest_lse.lint.gitignore import Ignores, above

SUFFIXES = (".py", ".pyi", ".pyw", ".ipynb")


def walk(
    paths: Iterable[str], resolver: Resolver, warn: Callable[[str], None] = lambda message: None
) -> Iterator[tuple[str, Settings]]:
    """Yield each file once, as the user would name it, with its settings; directories in sorted order.

    Files that are named directly are yielded whatever they are called, unless `force-exclude` is on. Symbolic links to
    directories are not followed; those to files are, unless they stay inside a directory that is walked anyway.

    Parameters
    ----------
    paths
        Existing files and directories.
    resolver
        Gives the settings of a directory.
    warn
        Called with one line for each directory that cannot be read.
    """
    paths = [os.path.normpath(path) for path in paths]
    roots = tuple(os.path.realpath(path) + os.sep for path in paths if os.path.isdir(path))
    seen: set[str] = set()
    for path in paths:
        absolute = os.path.abspath(path)
        if os.path.isdir(path):
            settings = resolver.settings(absolute)
            if settings.force_exclude and settings.exclude.match_any_parent(absolute):
                continue
            ignores = above(absolute) if settings.respect_gitignore else None
            prefix = "" if path == os.curdir else os.path.join(path, "")
            found = _below(absolute, prefix, resolver, ignores, roots, warn)
        else:
            settings = resolver.settings(os.path.dirname(absolute))
            if settings.force_exclude and settings.exclude.match_any_parent(absolute):
                continue
            found = iter([(path, absolute, settings)])
        for name, where, its_settings in found:
            if where not in seen:
                seen.add(where)
                yield name, its_settings


def _below(
    directory: str,
    prefix: str,
    resolver: Resolver,
    ignores: Ignores | None,
    roots: tuple[str, ...],
    warn: Callable[[str], None],
) -> Iterator[tuple[str, str, Settings]]:
    # A stack instead of recursion: a hostile tree may be deeper than Python's stack.
    stack: list[tuple[str, str, Ignores | None]] = [(directory, prefix, ignores)]
    while stack:
        directory, prefix, ignores = stack.pop()
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            warn(f"{directory}: the directory cannot be read: {error.strerror or error}")
            continue
        settings = resolver.settings(directory)
        exclude = settings.exclude
        below = []
        for entry in entries:
            name = entry.name
            is_directory = entry.is_dir(follow_symlinks=False)
            if not is_directory and not name.endswith(SUFFIXES):
                continue
            path = os.path.join(directory, name)
            if exclude.match(path) or (ignores and ignores.ignored(path, is_directory=is_directory)):
                continue
            if is_directory:
                below.append((path, prefix + name + os.sep))
            elif entry.is_file() and not (entry.is_symlink() and os.path.realpath(path).startswith(roots)):
                yield prefix + name, path, settings
        for path, its_prefix in reversed(below):
            inner = Ignores(path, ignores) if settings.respect_gitignore else None
            stack.append((path, its_prefix, inner))
