"""Glob patterns as ruff reads them: `*` crosses slashes, a pattern means a basename or a path below its root."""

from __future__ import annotations

import re
from collections.abc import Iterable


def translate(pattern: str) -> str:
    """Return the pattern as a regular expression for a whole path with forward slashes.

    `*` and `**` match any characters, `**/` no directory too, `?` one character, `[abc]`, `[!abc]` and `{a,b}` choose.
    """
    out, depth, i = [], 0, 0
    while i < len(pattern):
        rest = pattern[i:]
        char = rest[0]
        step = 1
        if rest.startswith("**/"):
            out.append("(?:.*/)?")
            step = 3
        elif char == "*":
            out.append(".*")
            step = len(rest) - len(rest.lstrip("*"))
        elif char == "?":
            out.append(".")
        elif char == "[" and (closing := re.match(r"\[([!^]?)(\]?[^\]]*)\]", rest)):
            negation = "^" if closing[1] else ""
            out.append("[" + negation + closing[2].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^") + "]")
            step = closing.end()
        elif char == "{" and "}" in rest:
            out.append("(?:")
            depth += 1
        elif char == "}" and depth:
            out.append(")")
            depth -= 1
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(char))
        i += step
    return "".join(out)


class Globs:
    """Patterns that belong to one root directory.

    Parameters
    ----------
    patterns
        What the user wrote.
    root
        Absolute directory to which patterns with a slash are relative.

    Raises
    ------
    ValueError
        A pattern is not a valid glob; the message names it.
    """

    __slots__ = ("_basename", "_literal", "_path", "patterns", "root")

    def __init__(self, patterns: Iterable[str], root: str) -> None:
        self.patterns = tuple(patterns)
        self.root = root
        anchor = re.escape(_slashes(root).rstrip("/") + "/")
        self._literal = set()
        names, paths = [], []
        for pattern in self.patterns:
            plain = _slashes(pattern).rstrip("/").removeprefix("./")
            if not re.search(r"[/*?\[{]", plain):
                self._literal.add(plain)
                continue
            try:
                regex = translate(plain)
                re.compile(regex)
            except re.error:
                raise ValueError(f"invalid glob pattern {pattern!r}") from None
            names.append(regex)
            paths.append(regex if plain.startswith("/") or plain[1:3] == ":/" else anchor + regex)
        self._basename = _union(names)
        self._path = _union(paths)

    def match(self, path: str) -> bool:
        """Say whether an absolute path, or its last part, matches one of the patterns."""
        path = _slashes(path)
        name = path.rpartition("/")[2]
        if name in self._literal:
            return True
        if self._basename is None or self._path is None:
            return False
        return bool(self._basename.fullmatch(name) or self._path.fullmatch(path))

    def match_any_parent(self, path: str) -> bool:
        """Say whether the path or one of its directories below the root matches."""
        path, root = _slashes(path), _slashes(self.root).rstrip("/")
        while path.strip("/") and path != root:
            if self.match(path):
                return True
            path = path.rpartition("/")[0]
        return False

    def __reduce__(self) -> tuple[type[Globs], tuple[tuple[str, ...], str]]:
        return (Globs, (self.patterns, self.root))


def _union(regexes: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{r})" for r in regexes), re.DOTALL) if regexes else None


def _slashes(path: str) -> str:
    return path.replace("\\", "/") if "\\" in path and re.match(r"[A-Za-z]:|\\\\", path) else path
