"""A unified diff that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")  # git ends lines at \n alone


def unified_diff(filename: str, before: bytes, after: bytes) -> str:
    """Return the change of a file in unified form, empty if there is none.

    Parameters
    ----------
    filename
        Names the file in the header, relative to the working directory if it is below it.
    before, after
        Its bytes.

    Returns
    -------
    str
        The diff; bytes that are not UTF-8 are surrogates, so encode it with `surrogateescape`.
    """
    old, new = name_in_diff(filename, "a"), name_in_diff(filename, "b")
    lines = difflib.diff_bytes(
        difflib.unified_diff, _LINE.findall(before), _LINE.findall(after), old, new, lineterm=b"\n"
    )
    whole = (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)
    return b"".join(whole).decode("utf-8", "surrogateescape")


def name_in_diff(filename: str, side: str) -> bytes:
    """Return a file's name as git writes it: with a prefix, forward slashes, quoted where it must be."""
    path, here = Path(os.path.normpath(Path(filename).absolute())), Path.cwd()
    below = path.relative_to(here) if path.is_relative_to(here) else path.relative_to(path.anchor)
    name = os.fsencode(f"{side}/{below.as_posix()}")
    if re.search(rb'[\x00-\x1f"\\\x7f]', name):
        return b'"' + re.sub(rb'[\x00-\x1f"\\\x7f]', lambda m: b"\\%03o" % m[0][0], name) + b'"'
    return name + b"\t" if b" " in name else name
