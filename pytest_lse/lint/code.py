"""The code of a text without its strings and comments, line for line."""

from __future__ import annotations

import re

# Each alternative begins with a literal, for which the engine scans fast; a string's prefix stays behind as a name.
_LITERAL = re.compile(
    r"#[^\n]*"
    r'|("""[^"\\]*(?:(?:\\.|"{1,2}(?!"))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'{1,2}(?!'))[^'\\]*)*''')"
    r'|"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'",
    re.DOTALL,
)
_ACTIVATION = re.compile(r"""(["'])(softmax|log_softmax|sigmoid|softplus|tanh|exp)\1""")
_CONTINUATION = re.compile(r"\\\n[ \t]*")
_FORM_FEED = re.compile(r"\f[^\n]")
_PRINT = re.compile(r"\n[ \t]*(?:print[ \t]+[\w%,\n]|exec[ \t]+\w|except [\w.]+,)")
_CONFLICT = re.compile(r"\n(?:<{7}|={7}|>{7})")


class UncertainError(Exception):
    """The text is not so plain that its structure can be told without the parser."""


def code(text: str) -> str:
    """Return a line break and the code: lines are kept, strings and comments are empty.

    A line that continues the one before after a backslash begins with a closing brace.

    Raises
    ------
    UncertainError
        Only the parser can tell, or it would not accept the text.
    """
    if "\r" in text and text.count("\r") != text.count("\r\n"):
        raise UncertainError
    # `activation="softmax"` is a softmax.
    pieces = _LITERAL.split(_ACTIVATION.sub(r"\2", text))
    pieces[1::2] = ["\n" * s.count("\n") if s else "" for s in pieces[1::2]]
    result = "\n" + "".join(pieces)
    if '"' in result or "'" in result or "\0" in result:
        raise UncertainError
    if any(result.count(a) != result.count(b) for a, b in ("()", "[]", "{}")):
        raise UncertainError
    if "\f" in result and _FORM_FEED.search(result):
        raise UncertainError
    if _PRINT.search(result) or _CONFLICT.search(result):  # Python 2, a merge that was left
        raise UncertainError
    return _CONTINUATION.sub("\n}", result)
