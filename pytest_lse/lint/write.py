"""Writes a changed file so that at any moment it is whole: either the old one or the new one."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from pathlib import Path

# .name.PID.xxxx.pytest-lse.tmp: says whose it is, is no Python file, and is not taken for one by anybody.
_SUFFIX = ".pytest-lse.tmp"


class NotWrittenError(OSError):
    """A file was left as it is; `strerror` says why."""

    def __init__(self, reason: str, filename: str) -> None:
        super().__init__(None, reason, filename)


class ChangedOnDiskError(NotWrittenError):
    """The file is not any more what was analysed."""


def write_atomically(filename: str, old: bytes, new: bytes) -> None:
    """Replace the content of a file.

    The new content goes to a temporary file in the same folder, which then takes the file's name. A symbolic link is
    followed, the file's mode is kept, and its owner where the system allows.

    Parameters
    ----------
    filename
        The file.
    old
        What it has to hold still.
    new
        What it shall hold.

    Raises
    ------
    ChangedOnDiskError
        It holds something else than `old`.
    NotWrittenError
        It is read-only, has further hard links (which would go on naming the old content), or is no regular file.
    OSError
        The system failed: a full disk, a read-only folder. The file is unchanged and no temporary file remains.
    """
    target = Path(filename).resolve()
    status = _writable(target, filename)
    _sweep(target)
    descriptor, name = tempfile.mkstemp(_SUFFIX, f".{target.name}.{os.getpid()}.", target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(new)
            stream.flush()
            _take_over(stream.fileno(), status)
            os.fsync(stream.fileno())
        if target.read_bytes() != old:
            raise ChangedOnDiskError("it has changed on disk since it was analysed", filename)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _writable(target: Path, filename: str) -> os.stat_result:
    status = target.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotWrittenError("it is not a regular file", filename)
    if status.st_nlink > 1:
        raise NotWrittenError(f"it has {status.st_nlink} hard links, the others would keep the old content", filename)
    # the superuser may write anything, but a file without any write permission is meant to stay as it is
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise NotWrittenError("it is read-only", filename)
    return status


def _take_over(descriptor: int, status: os.stat_result) -> None:
    """Give a new file the owner and the mode of the old one: in this order, a new owner clears special bits."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new name last a power failure, where folders can be synchronised at all."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(target: Path) -> None:
    """Remove the temporary files of this file that a killed process left behind."""
    if os.name != "posix":  # there, os.kill(pid, 0) would not ask but end the process
        return
    ours = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\.\w+{re.escape(_SUFFIX)}")
    for entry in target.parent.iterdir():
        if (match := ours.fullmatch(entry.name)) and not _runs(int(match[1])):
            with contextlib.suppress(OSError):
                entry.unlink()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
