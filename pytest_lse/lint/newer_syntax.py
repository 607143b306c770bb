"""Which Python does a file need that this one cannot parse?"""

from __future__ import annotations

import re
import sys

#: what the line of the error looks like, or the error's own words -> the first version that accepts it
_SINCE: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=", (3, 12)),
    (r"^\s*(?:async\s+def|def|class)\s+\w+\[", (3, 12)),
    (r"(?<![\w\"'])[tT][rR]?[\"']", (3, 14)),
    (r"^\s*except\s+[\w.]+\s*,\s*[\w.]+\s*(?:,\s*[\w.]+\s*)*:", (3, 14)),
)


def needed_version(text: str, error: SyntaxError) -> str | None:
    """Return the version of Python that the syntax at an error needs, as `3.12`; None if this one should know it.

    Parameters
    ----------
    text
        The source.
    error
        What parsing it raised.
    """
    lines = text.splitlines()
    line = lines[error.lineno - 1] if error.lineno and error.lineno <= len(lines) else ""
    since = next((version for pattern, version in _SINCE if re.search(pattern, line)), None)
    if since is None and (error.msg or "").startswith("f-string"):
        since = (3, 12)
    return f"{since[0]}.{since[1]}" if since is not None and sys.version_info < since else None
