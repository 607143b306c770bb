import sys
import xml.etree.ElementTree as ET

import pytest

LOSSES = """
import numpy as np

number = 3

def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def naive(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)

class Softmax:
    def __call__(self, x):
        return softmax(x)

    @staticmethod
    def apply(x):
        return softmax(x)

class Sized:
    def __init__(self, size):
        self.size = size
"""


@pytest.fixture
def losses(tmp_path, monkeypatch):
    name = f"losses_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(LOSSES)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield name
    sys.modules.pop(name, None)


def test_it_draws(lse, losses, tmp_path):
    done = lse("plot", f"{losses}:softmax", "--kernel", "softmax", "--dtypes", "float32")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("softmax, float32: worst error ")
    assert done.out.endswith("\nWrote softmax.svg.\n")
    assert ET.parse(tmp_path / "softmax.svg").getroot().tag.endswith("svg")


def test_a_failing_function_is_drawn_as_well(lse, losses, tmp_path):
    done = lse("plot", f"{losses}.py:naive", "--kernel", "softmax", "-o", "p.svg", "--ndim", "1", "--domain", "finite")
    assert done.status == 0
    assert [line.partition(":")[0] for line in done.out.splitlines()] == [
        "naive, float64",
        "naive, float32",
        "Wrote p.svg.",
    ]
    assert "naive, float64: worst error inf or nan; fails in overflow_edge" in done.out
    assert 'class="wrong"' in (tmp_path / "p.svg").read_text()


@pytest.mark.parametrize("name", ["Softmax", "Softmax.apply"])
def test_callables_of_all_kinds(lse, losses, name):
    options = ("--kernel", "softmax", "--dtypes", "float64", "--ndim", "1", "-o", "-")
    assert lse("plot", f"{losses}:{name}", *options).out.startswith("<svg ")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("{}", (), "{}: expected MODULE:FUNCTION"),
        ("{}:", (), "{}:: expected MODULE:FUNCTION"),
        ("{}:sofmax", (), "{} has no 'sofmax': did you mean 'softmax'?"),
        ("{}:zzz", (), "{} has no 'zzz'"),
        ("{}:number", (), "{}:number is not a function but int"),
        ("{}:Sized", (), "{}:Sized is a class that needs arguments: TypeError: "),
        ("no_such_module:f", (), "no_such_module: cannot be imported: ModuleNotFoundError: No module named"),
        ("no/such/file.py:f", (), "no/such/file.py: no such file"),
        ("exits:f", (), "exits: cannot be imported: SystemExit: 3"),
        ("{}:softmax", ("--kernel", "sofmax"), "unknown kernel 'sofmax': expected one of "),
        ("{}:softmax", ("--dtypes", "int8"), "dtype 'int8' "),
        ("{}:softmax", ("--ndim", "x"), "--ndim x: expected ranks separated by commas"),
        ("{}:softmax", ("--ndim", "0"), "ndim is [0]: expected a positive rank"),
        ("{}:softmax", ("-o", "no/such/p.svg"), "no/such/p.svg: cannot write the picture: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(lse, losses, tmp_path, target, options, said):
    (tmp_path / "exits.py").write_text("raise SystemExit(3)")
    arguments = ("--kernel", "softmax", "--dtypes", "float32", "--ndim", "1")
    before = list(sys.path)
    done = lse("plot", target.format(losses), *arguments, *options)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"pytest-lse: error: {said.format(losses)}")
    assert done.err.count("\n") == 1
    assert sys.path == before
    assert not list(tmp_path.glob("*.svg"))
