"""File names as other programs want them."""

from __future__ import annotations

import os


def relative(filename: str, root: str) -> str:
    """Return the path relative to a root with forward slashes, or absolute where it lies outside."""
    path = os.path.abspath(filename)
    base = os.path.abspath(root).rstrip(os.sep) + os.sep
    return path.removeprefix(base).replace(os.sep, "/")


def uri(path: str) -> str:
    """Return a path as a URI reference: percent-encoded, `file://` where it is absolute."""
    from urllib.parse import quote

    quoted = quote(os.fsencode(path.replace(os.sep, "/")))
    if os.path.isabs(path):
        return "file://" + ("" if quoted.startswith("/") else "/") + quoted
    # A first segment with a colon would read as a scheme; quote() has encoded it already.
    return quoted
