"""The op table: cells, binding, names."""

from __future__ import annotations

import pytest

from pytest_lse.lint import ops


def call(text, op="sum"):
    return ops._parse((op, "test", text))


def default(value):
    return ops.Default(value)


@pytest.mark.parametrize("column", ops.columns(), ids=lambda c: c.__name__.rpartition(".")[2])
def test_every_cell_parses(column):
    for op, cell in column.calls.items():
        assert op in ops.PARAMS, op
        for part in cell.split("|"):
            name, bracket, parameters = part.strip().partition("(")
            assert bracket, part
            assert part.strip().endswith(")"), part
            assert name.replace(".", "").replace("_", "").replace("@", "").isalnum(), name
            ops._parse((op, column.framework, parameters.removesuffix(")")))


@pytest.mark.parametrize("column", ops.columns(), ids=lambda c: c.__name__.rpartition(".")[2])
def test_a_column_names_its_framework(column):
    assert column.framework
    assert column.modules
    assert all(ops.frameworks()[root] == column.framework for root in column.roots)
    for dotted in getattr(column, "constructors", {}):
        assert ops.constructor(dotted).framework == column.framework


def test_parameters_are_bound_by_place_and_name():
    cell = call("a=x, dim=axis, keepdim=keepdims")
    assert cell.bind(["v", 1], {}) == {"x": "v", "axis": 1, "keepdims": default(False)}
    assert cell.bind([], {"a": "v", "dim": 2, "keepdim": True}) == {"x": "v", "axis": 2, "keepdims": True}
    assert cell.bind(["v"], {"axis": 1}) is None
    assert cell.bind(["v"], {"a": "w"}) is None
    assert cell.bind(["v", 1, True, 4], {}) is None
    assert cell.bind([], {"dim": 1}) is None


def test_the_receiver_is_the_first_parameter():
    assert call("axis, keepdims").bind([1], {}, "v") == {"x": "v", "axis": 1, "keepdims": default(False)}


def test_a_forbidden_argument_makes_the_call_opaque():
    cell = call("x, axis, dtype!")
    assert cell.bind(["v"], {}) is not None
    assert cell.bind(["v"], {"dtype": "f4"}) is None


def test_an_argument_that_does_not_matter():
    assert call("x, name~").bind(["v", "n"], {}) == call("x").bind(["v"], {})


def test_keyword_only():
    cell = call("x, *, axis")
    assert cell.bind(["v", 1], {}) is None
    assert cell.bind(["v"], {"axis": 1})["axis"] == 1


def test_a_default_of_its_own():
    assert call("x, axis:-1", "softmax").bind(["v"], {})["axis"] == default(-1)
    assert call("x, dim=axis:'implicit'", "softmax").bind(["v"], {})["axis"] == default("implicit")
    assert call("x", "softmax").bind(["v"], {}) is None


def test_an_unknown_parameter_of_a_cell_is_an_error():
    with pytest.raises(ValueError, match="no parameter 'axes'"):
        call("x, dim=axes")


def test_names():
    assert [c.op for c in ops.functions("numpy.exp")] == ["exp"]
    assert [c.framework for c in ops.functions("scipy.special.softmax")] == ["numpy"]
    assert {c.framework for c in ops.functions("jax.numpy.sum")} == {"jax"}
    assert ops.functions("numpy.no_such_function") == ()
    assert ops.constructor("torch.nn.Softmax").op == "softmax"
    assert ops.constructor("torch.nn.Linear") is None
    assert ops.frameworks()["cupy"] == "cupy"


def test_no_function_belongs_to_two_frameworks():
    functions, _ = ops._index()
    shared = {name: {entry[1] for entry in entries} for name, entries in functions.items()}
    assert {n: f for n, f in shared.items() if len(f) > 1} == {}


def test_words():
    assert {"softmax", "Softmax"} <= ops.words("softmax")
    assert "exp" not in ops.words("softmax")
