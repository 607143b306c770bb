"""Makes text from files and file names harmless in a terminal and in a build log.

A source line or a file name may hold escape sequences, bidirectional controls, line breaks, or text that a build
service reads as a command (`::error::`, `##[error]`). Printed text shows them as backslash escapes instead.
"""

from __future__ import annotations


def escape_char(char: str) -> str:
    """Return the character itself if it prints, else its Python escape."""
    if char.isprintable():
        return char
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or _numeric(char)


def printable(text: str) -> str:
    """Return the text on one line, with everything that does not print escaped, and no build-log command in it."""
    if not text.isprintable():
        text = "".join(map(escape_char, text))
    if "##[" in text:
        text = text.replace("##[", "#\\x23[")
    return text


def path(name: str) -> str:
    """Return a file name for the start of a printed line: as `printable`, and `::` cannot open a command there."""
    name = printable(name)
    return name.replace("::", ":\\x3a") if "::" in name else name


def log_line(text: str) -> str:
    """Return one line of a longer text (a diff), its indentation kept, safe for terminal and build log."""
    body = text.lstrip(" +-")
    lead = text[: len(text) - len(body)]
    body = "".join(c if c == "\t" else escape_char(c) for c in body) if not body.isprintable() else body
    body = body.replace("##[", "#\\x23[")
    return lead + ("\\x3a" + body[1:] if body.startswith("::") else body)


def _numeric(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
