"""What depends on where the output goes."""

from __future__ import annotations

import os

from pytest_lse.lint.walk import SUFFIXES

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from typing import TextIO


def colours(stream: TextIO | None) -> bool:
    """Say whether escape sequences may be written: by `NO_COLOR`, `FORCE_COLOR`, else on a terminal that has them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def check_output_file(name: str) -> None:
    """Make sure that the findings can be written to a file; directories above it are created, as ruff does.

    Raises
    ------
    OSError
        They cannot, or the file holds source code, which nobody means to lose.
    """
    if name.endswith(SUFFIXES) and os.path.exists(name):
        raise OSError("it is a source file")
    directory = os.path.dirname(name)
    if directory:
        os.makedirs(directory, exist_ok=True)
    open(name, "a", encoding="utf-8").close()


def output_file(name: str) -> TextIO:
    """Open a file for the findings."""
    return open(name, "w", encoding="utf-8", errors="backslashreplace")


def write_diff(diff: str, stream: TextIO) -> None:
    """Write a diff: into a file or pipe byte for byte, also where the file is not UTF-8."""
    shown = shown_diff(diff, stream)
    if shown == diff:
        stream.flush()
        stream.buffer.write(diff.encode("utf-8", "surrogateescape"))
    else:
        stream.write(shown)


def shown_diff(diff: str, stream: TextIO) -> str:
    """Return a diff as it may be shown: exact for a file or pipe, harmless and perhaps in colour for a reader."""
    if not diff or not (stream.isatty() or colours(stream) or os.environ.get("GITHUB_ACTIONS")):
        return diff
    from pytest_lse.lint.escape import log_line
    from pytest_lse.lint.formats.style import paint

    colour = colours(stream)
    lines = []
    for line in diff.split("\n"):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        text = log_line(line)
        lines.append(paint(text, style, colour) if style else text)
    return "\n".join(lines)
