import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_lse.lint import prefilter, traced
from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.prefilter import derive, may_hold_finding, spelled

FIXTURES = sorted((Path(__file__).parent.parent.parent / "fixtures").rglob("*.py"))
HINT = "words.txt is out of date: run `python -m pytest_lse.lint.prefilter`"


def test_the_words_are_what_the_kernels_say():
    text = Path(prefilter.WORDS).read_text("ascii")
    assert text == f"{prefilter.stamp()}\n{spelled(derive())}", HINT
    assert text.endswith(spelled(prefilter.needs()))


def test_words_that_are_out_of_date_are_not_used(tmp_path, monkeypatch):
    stale = tmp_path / "words.txt"
    stale.write_text("# made from 0 bytes in files of sum 0\nLSE001: nothing\n")
    monkeypatch.setattr(prefilter, "WORDS", str(stale))
    prefilter.needs.cache_clear()
    try:
        assert prefilter.needs() == derive()
    finally:
        prefilter.needs.cache_clear()


def test_the_words_can_be_written_anew(tmp_path):
    path = [str(Path(prefilter.__file__).parent.parent.parent), *filter(None, sys.path)]
    script = f"import runpy, sys\nsys.path[:0] = {path!r}\n"
    script += "import os.path\njoin = os.path.join\n"
    script += f"names = 'words.txt', 'patterns.txt'\nhere = {str(tmp_path)!r}\n"
    script += "os.path.join = lambda *p: join(here, p[-1]) if p[-1] in names else join(*p)\n"
    script += "runpy.run_module('pytest_lse.lint.prefilter', run_name='__main__')\n"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=dict(os.environ))
    for path in (prefilter.WORDS, traced.FILE):
        assert (tmp_path / Path(path).name).read_bytes() == Path(path).read_bytes(), HINT


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_fixture_with_a_finding_is_left_out(path):
    data = path.read_bytes()
    everything = {code for codes, _ in prefilter.needs() for code in codes}
    for code in {f.code for f in analyse(data.decode(), str(path))}:
        assert may_hold_finding(data, everything - {code}), code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.exp(x)", True),
        ("exp", True),
        ("x.exp_()", True),
        ("x.exp\n", True),
        ("expand(x)", False),
        ("np.logexp(x)", False),
        ("x.exp__", False),
        ("expand(x); y.exp()", True),
        ("export, expand, exp", True),
        ("np.e ** x", True),
        ("np.e**x", True),
        ("math.e \\\n ** x", True),
        ("(np.e) ** x", True),
        ("size) ** 2", False),
        ("f(x, **kwargs)", False),
        ("f(x, **a, **b); math.e ** 2", True),
        ("** x", False),
        ("np.power(x, y)", False),
        ("np.power(np.e, y)", True),
        ("2.71828 ** y", True),
        ("from math import pi, e\ne ** y", True),
        ("np.log(1 + x)", False),
        ("", False),
    ],
)
def test_words_and_powers_of_e(text, expected):
    assert may_hold_finding(text.encode(), {"LSE002", "LSE006", "LSE013", "LSE017"}) is expected


def test_codes_that_are_off_need_no_words():
    assert may_hold_finding(b"log(1 + x)")
    assert not may_hold_finding(b"log(1 + x)", {"LSE013"})
    assert not may_hold_finding(b"exp(log(x))", {code for codes, _ in prefilter.needs() for code in codes})
    assert prefilter.off(lambda code: code != "LSE013") == {"LSE013"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.log(softmax(x))", prefilter.HELD),
        ("np.log(f(x))", prefilter.WITH_GIVEN),
        ("log = math.log", prefilter.WITH_GIVEN),
        ("math.log(10_000.0)", prefilter.NONE),
        ("math.log(2 * np.pi)", prefilter.NONE),
        ("self.log('loss', loss)", prefilter.NONE),
        ("wandb.log({'loss': loss})", prefilter.NONE),
        ("math.log(2) + math.log(n)", prefilter.WITH_GIVEN),
        ("self.linear(x)", prefilter.NONE),
    ],
)
def test_what_other_modules_may_bring(text, expected):
    off = frozenset({"LSE013", "LSE014"})
    assert prefilter.chance(text.encode(), off, prefilter.PROBABILITIES) == expected
    assert may_hold_finding(text.encode(), off) is (expected == prefilter.HELD)
