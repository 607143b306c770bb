"""The page in a real browser: it looks the same offline, in light and dark, and runs nothing that is not its own."""

import re
import shutil
import struct
import subprocess
import zlib

import pytest

from pytest_lse.report.page import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

ATTACKS = (
    "</script><script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "\" onload=\"document.title='ran'",
    "<svg onload=document.title='ran'>",
    "</style><script>document.title='ran'</script>",
    "</title><script>document.title='ran'</script>",
    "javascript:document.title='ran'",
    "]]><script>document.title='ran'</script><!--",
)


def chromium(tmp_path, *arguments):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    # No network: a proxy that nobody serves.
    command += ["--proxy-server=127.0.0.1:9", f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def opened(tmp_path, text):
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    return chromium(tmp_path, "--virtual-time-budget=2000", "--dump-dom", f"file://{tmp_path}/report.html")


def title(dom):
    return re.search(r"<title>(.*?)</title>", dom, re.DOTALL)[1]


@pytest.fixture
def attacked(make, record, finding):
    text = " ".join(ATTACKS)
    findings = [finding(filename=text, message=text, name=text, code=text, no_fix_reason=text,
                        source=[[2, text]], diff=f"-{text}\n+{text}\n")]  # fmt: skip
    return make([record(text, test=text, failing=["far_overflow"]), record(text, text)], findings, 1)


def test_hostile_text_runs_nothing(tmp_path, attacked):
    dom = opened(tmp_path, page(attacked))
    assert title(dom).startswith("Numerical stability:")
    assert "document.title='ran'" in dom


def test_the_attacks_would_run_in_a_page_without_escaping(tmp_path):
    for attack in ATTACKS[:2]:
        assert title(opened(tmp_path, f"<!DOCTYPE html><title>still</title><body>{attack}</body>")) == "ran"


def test_even_unescaped_text_runs_nothing(tmp_path, attacked):
    text = page(attacked)
    for attack in ATTACKS:
        text = text.replace("<h1>", f"<p>{attack}</p><h1>", 1)
    assert "<script>" in text
    assert title(opened(tmp_path, text)).startswith("Numerical stability:")


def pixels(path):
    """Return width, height and the rows of a PNG without interlacing, 8 bits a channel."""
    raw = path.read_bytes()
    width, height, depth, colour = struct.unpack(">IIBB", raw[16:26])
    assert depth == 8
    size = {2: 3, 6: 4}[colour]
    at, packed = 8, b""
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        if raw[at + 4 : at + 8] == b"IDAT":
            packed += raw[at + 8 : at + 8 + length]
        at += length + 12
    flat, rows, before = zlib.decompress(packed), [], bytearray(width * size)
    for y in range(height):
        kind, line = (
            flat[y * (width * size + 1)],
            bytearray(flat[y * (width * size + 1) + 1 : (y + 1) * (width * size + 1)]),
        )
        for i in range(len(line)):
            a = line[i - size] if i >= size else 0
            b, c = before[i], before[i - size] if i >= size else 0
            if kind == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                line[i] = (line[i] + near) & 255
            else:
                line[i] = (line[i] + (0, a, b, (a + b) // 2)[kind]) & 255
        rows.append(bytes(line))
        before = line
    return width, height, size, rows


@pytest.mark.parametrize(("scheme", "paper"), [("1", (255, 255, 255)), ("0", (20, 23, 28))], ids=["light", "dark"])
@pytest.mark.parametrize("count", [0, 200])
def test_light_and_dark(tmp_path, make, record, scheme, paper, count):
    records = [record(f"f{i}", failing=["far_overflow"] * (i == 0), test=f"t.py::t{i:03}") for i in range(count)]
    (tmp_path / "report.html").write_text(page(make(records)), encoding="utf-8")
    picture = tmp_path / "picture.png"
    scheme = f"--blink-settings=preferredColorScheme={scheme}"
    chromium(tmp_path, scheme, "--window-size=400,600", f"--screenshot={picture}", f"file://{tmp_path}/report.html")
    width, height, size, rows = pixels(picture)
    assert (width, height) == (400, 600)
    corner = tuple(rows[-1][:3])
    assert corner == paper
    shown = {row[x : x + 3] for row in rows for x in range(0, width * size, size)}
    assert len(shown) > 20  # text, at least
