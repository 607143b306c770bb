"""A line that counts files, on a terminal, for runs that take longer than a second."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from typing import TextIO

_AFTER = 1.0
_EVERY = 0.1


class Progress:
    """Call it with the number of files done and in all; on exit the line disappears."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = self._last = time.monotonic()
        self._shown = False

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._start < _AFTER or now - self._last < _EVERY:
            return
        self._last = now
        self._shown = True
        filled = 30 * done // max(total, 1)
        self._stream.write(f"\rChecking [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}")
        self._stream.flush()

    def __exit__(self, *exc_info: object) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
