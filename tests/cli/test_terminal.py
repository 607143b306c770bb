import io
import os
import time

import pytest

from pytest_lse.cli import _progress, _terminal
from pytest_lse.cli._progress import Progress

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


def test_a_short_run_shows_no_progress(clock):
    stream = Terminal()
    with Progress(stream) as progress:
        clock[0] += 0.9
        progress(1, 2)
    assert stream.getvalue() == ""


def test_a_long_run_shows_a_line_that_goes_away(clock):
    stream = Terminal()
    with Progress(stream) as progress:
        clock[0] += 1.5
        progress(50, 100)
        clock[0] += 0.05
        progress(51, 100)
        clock[0] += 0.1
        progress(100, 100)
    shown = stream.getvalue().split("\r")
    assert shown == [
        "",
        f"Checking [{'#' * 15}{'.' * 15}] 50/100",
        f"Checking [{'#' * 30}] 100/100",
        "\x1b[K",
    ]


def test_progress_on_a_real_terminal(files, monkeypatch):
    pty = pytest.importorskip("pty")
    from pytest_lse.cli import check, main

    root = files(a_py=NAIVE, b_py=NAIVE)
    monkeypatch.chdir(root)
    monkeypatch.setattr(_progress, "_AFTER", 0)
    monkeypatch.setattr(_progress, "_EVERY", 0)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    parent, child = pty.openpty()
    with os.fdopen(child, "w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setattr("sys.stdout", stream)
        assert check.sys.stderr.isatty()
        assert main(["check"]) == 1
        stream.flush()
        time.sleep(0.05)
        shown = os.read(parent, 65536).decode()
    os.close(parent)
    assert "Checking [" in shown
    assert "2/2" in shown
    assert "\x1b[1;31mLSE001\x1b[0m" in shown


@pytest.mark.parametrize(
    ("environment", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours(monkeypatch, environment, terminal, expected):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _terminal.colours(Terminal() if terminal else io.StringIO()) is expected
    assert _terminal.colours(None) is bool(environment.get("FORCE_COLOR") and not environment.get("NO_COLOR"))


def test_a_diff_in_colour(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = _terminal.shown_diff("@@ x @@\n a\n-b\n+c\n", io.StringIO())
    assert shown == "\x1b[36m@@ x @@\x1b[0m\n a\n\x1b[1;31m-b\x1b[0m\n\x1b[32m+c\x1b[0m\n"


def test_a_diff_in_a_build_log(monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert _terminal.shown_diff(" ::error::x\n", io.StringIO()) == " \\x3a:error::x\n"
