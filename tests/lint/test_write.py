from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from pytest_lse.lint import write
from pytest_lse.lint.write import ChangedOnDiskError, NotWrittenError, write_atomically

OLD, NEW = b"old\n", b"new\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    return path


def alone(file):
    return list(file.parent.iterdir()) == [file]


def test_the_content_is_replaced_and_nothing_else_remains(file):
    write_atomically(str(file), OLD, NEW)
    assert file.read_bytes() == NEW
    assert alone(file)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664])
def test_the_mode_is_kept(file, mode):
    file.chmod(mode)
    write_atomically(str(file), OLD, NEW)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only the superuser gives files away")
def test_the_owner_is_kept(file):
    os.chown(file, 12345, 54321)
    write_atomically(str(file), OLD, NEW)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


def test_a_symbolic_link_is_followed(file, tmp_path):
    folder = tmp_path / "links"
    folder.mkdir()
    link = folder / "b.py"
    link.symlink_to("../a.py")
    write_atomically(str(link), OLD, NEW)
    assert link.is_symlink()
    assert file.read_bytes() == NEW


def test_hard_links_are_left_alone(file, tmp_path):
    os.link(file, tmp_path / "b.py")
    with pytest.raises(NotWrittenError, match="2 hard links"):
        write_atomically(str(file), OLD, NEW)
    assert file.read_bytes() == OLD


def test_read_only_files_are_left_alone(file):
    file.chmod(0o444)
    with pytest.raises(NotWrittenError, match="read-only") as caught:
        write_atomically(str(file), OLD, NEW)
    assert caught.value.strerror == "it is read-only"
    assert file.read_bytes() == OLD


def test_only_regular_files(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(NotWrittenError, match="regular"):
        write_atomically(str(tmp_path / "a.py"), OLD, NEW)


def test_a_file_that_has_changed_is_left_alone(file):
    file.write_bytes(b"other\n")
    with pytest.raises(ChangedOnDiskError, match="changed on disk"):
        write_atomically(str(file), OLD, NEW)
    assert file.read_bytes() == b"other\n"
    assert alone(file)


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(str(tmp_path / "a.py"), OLD, NEW)


@pytest.mark.parametrize("call", ["fsync", "rename", "fchmod"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_system_loses_nothing(file, monkeypatch, call, code):
    def fail(*args):
        raise OSError(code, os.strerror(code))

    if call == "rename":
        monkeypatch.setattr(write.Path, "replace", fail)
    else:
        monkeypatch.setattr(write.os, call, fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        write_atomically(str(file), OLD, NEW)
    monkeypatch.undo()
    assert file.read_bytes() == OLD
    assert alone(file)


def test_a_folder_that_cannot_be_written_to(file, monkeypatch):
    def fail(*args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(write.tempfile, "mkstemp", fail)
    with pytest.raises(PermissionError):
        write_atomically(str(file), OLD, NEW)
    assert file.read_bytes() == OLD


def test_an_owner_that_cannot_be_kept(file, monkeypatch):
    def fail(*args):
        raise PermissionError

    monkeypatch.setattr(write.os, "fchown", fail)
    write_atomically(str(file), OLD, NEW)
    assert file.read_bytes() == NEW


def run(code, *args, **kwargs):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, args)], **kwargs)


def test_a_full_disk(file):
    """A limit on the size of files makes the system fail in the middle of writing."""
    code = """
        import resource, signal, sys
        from pytest_lse.lint.write import write_atomically
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_atomically(sys.argv[1], b"old\\n", b"x" * 100_000)
        except OSError as error:
            print(error.strerror)
    """
    process = run(code, file, stdout=subprocess.PIPE, text=True)
    assert process.communicate()[0] == "File too large\n"
    assert file.read_bytes() == OLD
    assert alone(file)


FOREVER = """
    import sys
    from pytest_lse.lint.write import write_atomically
    contents = [b"a" * 300_000, b"b" * 300_000]
    print("ready", flush=True)
    while True:
        for old, new in (contents, contents[::-1]):
            write_atomically(sys.argv[1], old, new)
"""


def test_a_kill_leaves_the_file_whole_and_the_next_run_cleans_up(tmp_path):
    file = tmp_path / "a.py"
    for delay in range(12):
        file.write_bytes(b"a" * 300_000)
        process = run(FOREVER, file, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.001 * delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        content = file.read_bytes()
        assert content in (b"a" * 300_000, b"b" * 300_000)
    write_atomically(str(file), content, b"c")
    assert alone(file)


def test_only_what_a_killed_process_left_is_removed(file, monkeypatch):
    running = file.parent / f".a.py.{os.getppid()}.x.pytest-lse.tmp"
    running.touch()
    foreign = file.parent / ".a.py.tmp"
    foreign.touch()
    dead = run("pass")
    dead.wait()
    left = file.parent / f".a.py.{dead.pid}.x.pytest-lse.tmp"
    left.touch()
    write_atomically(str(file), OLD, NEW)
    assert running.exists()
    assert foreign.exists()
    assert not left.exists()

    def fail(*args):
        raise PermissionError

    monkeypatch.setattr(write.os, "kill", fail)
    write_atomically(str(file), NEW, OLD)
    assert running.exists()


def test_two_at_once(tmp_path):
    code = """
        import sys
        from pytest_lse.lint.write import ChangedOnDiskError, write_atomically
        me, done = sys.argv[2].encode(), 0
        while done < 30:
            with open(sys.argv[1], "rb") as stream:
                old = stream.read()
            assert len(old) == 100_000 and len(set(old)) == 1, old[:10]
            try:
                write_atomically(sys.argv[1], old, me * 100_000)
                done += 1
            except ChangedOnDiskError:
                pass
    """
    file = tmp_path / "a.py"
    file.write_bytes(b"a" * 100_000)
    processes = [run(code, file, name) for name in "xy"]
    assert [p.wait() for p in processes] == [0, 0]
    assert file.read_bytes() in (b"x" * 100_000, b"y" * 100_000)
    assert alone(file)
