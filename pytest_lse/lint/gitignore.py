"""What git ignores: the .gitignore files from the repository's root down to a directory."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Ignores:
    """The ignore files that hold in one directory, the deepest last.

    Parameters
    ----------
    directory
        Absolute path.
    parent
        What holds in the directory above; None where the repository begins.
    files
        Names of the ignore files, relative to the directory.
    """

    __slots__ = ("_chain",)

    def __init__(self, directory: str, parent: Ignores | None, files: tuple[str, ...] = (".gitignore",)) -> None:
        chain = parent._chain if parent else ()
        for file in files:
            if spec := _read(os.path.join(directory, file)):
                chain = (*chain, (directory.rstrip(os.sep) + os.sep, spec))
        self._chain: tuple[tuple[str, GitIgnoreSpec], ...] = chain

    def ignored(self, path: str, *, is_directory: bool) -> bool:
        """Say whether an absolute path is ignored; the deepest file that mentions it decides."""
        for base, spec in reversed(self._chain):
            relative = path.removeprefix(base).replace(os.sep, "/") + ("/" if is_directory else "")
            verdict = spec.check_file(relative).include
            if verdict is not None:
                return verdict
        return False


def above(directory: str) -> Ignores | None:
    """Return what holds in a directory from the ignore files above it and its own.

    None means that the directory itself is ignored: whoever names it wants it read, so nothing above it counts.
    """
    chain = []
    current = directory
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return Ignores(directory, None)
        chain.append(current)
        current = parent
    ignores = Ignores(current, None, (os.path.join(".git", "info", "exclude"), ".gitignore"))
    for child in reversed(chain):
        if ignores.ignored(child, is_directory=True):
            return Ignores(directory, None)
        ignores = Ignores(child, ignores)
    return ignores


def _read(file: str) -> GitIgnoreSpec | None:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return None
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    from pathspec import GitIgnoreSpec

    return _spec(GitIgnoreSpec, lines)


def _spec(kind: type[GitIgnoreSpec], lines: list[str]) -> GitIgnoreSpec | None:
    try:
        return kind.from_lines(lines)
    except (ValueError, re.error):  # git skips a pattern that it cannot read
        good = []
        for line in lines:
            try:
                kind.from_lines([line])
            except (ValueError, re.error):
                continue
            good.append(line)
        return kind.from_lines(good) if good else None
