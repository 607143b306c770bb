"""The patterns that are kept as text are those that the kernels say."""

from pathlib import Path

import pytest

from pytest_lse.lint import patterns, prefilter, traced

HINT = "patterns.txt is out of date: run `python -m pytest_lse.lint.prefilter`"


@pytest.fixture
def fresh():
    patterns.patterns.cache_clear()
    yield
    patterns.patterns.cache_clear()


def shown(found):
    tables = [found.naive, found.stable, found.all]
    return [
        *(
            {
                op: [
                    (p.kernel.path, p.kernel.code, p.kernel.signature, p.spelling, p.naive, p.fixed, p.whole)
                    for p in its
                ]
                for op, its in table.items()
            }
            for table in tables
        ),
        [(repr(p.root), repr(p.loose), p.rank) for p in found.traced],
        found.kernels,
        {repr(node): set(sets) for node, sets in found.needs.items()},
    ]


def test_the_patterns_are_what_the_kernels_say():
    text = Path(traced.FILE).read_text("ascii")
    assert text == f"{prefilter.stamp()}\n{traced.write(patterns.trace())}", HINT


def test_what_is_read_is_what_was_written():
    found = patterns.trace()
    assert shown(traced.read(traced.write(found))) == shown(found)
    assert [list(table) for table in (found.naive, found.all)] == [
        list(table) for table in (patterns.patterns().naive, patterns.patterns().all)
    ]


def test_a_kernel_file_is_imported_when_what_it_says_is_asked_for():
    found = traced.read("var 'x'\n\nkernels.sigmoid LSE006 x\n\n0 naive 1 0 0 1 eps=1e-08\n\nvar\n0 0\n")
    (pattern,) = found.traced
    assert "module" not in vars(pattern.kernel)
    assert pattern.kernel.summary.startswith("`1 / (1 + exp(-x))`")
    assert "module" in vars(pattern.kernel)
    assert pattern.fixed == {"eps": 1e-8}


@pytest.mark.parametrize("text", [None, "# made from 0 bytes in files of sum 0\nnothing\n"])
def test_patterns_that_are_out_of_date_or_missing_are_traced(tmp_path, monkeypatch, fresh, text):
    path = tmp_path / "patterns.txt"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(traced, "FILE", str(path))
    assert shown(patterns.patterns()) == shown(patterns.trace())
