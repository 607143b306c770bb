"""Lowering: what is understood, and what is opaque."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_lse.lint.analyse import analyse, analyse_cells
from pytest_lse.lint.lower import Lowerer

HEAD = "import math\nimport numpy as np\nimport torch\n"


def codes(body, head=HEAD):
    text = head + textwrap.dedent(body)
    return [f.code for f in analyse(text, "m.py") if f.code not in ("LSE013", "LSE014")]


def lowered(body, name, head=HEAD):
    """Return the value of a name at the end of a module."""
    lowerer = Lowerer(lambda site, node, framework: None)
    lowerer.module(ast.parse(head + textwrap.dedent(body)))
    return lowerer.state.names[name], lowerer.graph


def same(body, a="a", b="b", head=HEAD):
    lowerer = Lowerer(lambda site, node, framework: None)
    lowerer.module(ast.parse(head + textwrap.dedent(body)))
    return lowerer.state.names[a] is lowerer.state.names[b]


NAMING = {
    "module": ("import numpy", "numpy.log(numpy.sum(numpy.exp(x)))"),
    "alias": ("import numpy as anything", "anything.log(anything.sum(anything.exp(x)))"),
    "function": ("from numpy import log as ln, sum, exp", "ln(sum(exp(x)))"),
    "star": ("from numpy import *", "log(sum(exp(x)))"),
    "variable": ("import numpy as np\nlg = np.log", "lg(np.sum(np.exp(x)))"),
    "jax": ("import jax.numpy as jnp", "jnp.log(jnp.sum(jnp.exp(x)))"),
    "from jax": ("from jax import numpy as jnp", "jnp.log(jnp.sum(jnp.exp(x)))"),
    "torch": ("import torch as t", "t.log(t.sum(t.exp(x), 1))"),
    "tensorflow": ("import tensorflow as tf", "tf.math.log(tf.reduce_sum(tf.exp(x)))"),
    "compat": ("import tensorflow.compat.v1 as tf", "tf.log(tf.reduce_sum(tf.exp(x)))"),
    "backend": ("from tensorflow.keras import backend as K", "K.log(K.sum(K.exp(x)))"),
    "cupy": ("import cupy as cp", "cp.log(cp.sum(cp.exp(x)))"),
    "mlx": ("import mlx.core as mx", "mx.log(mx.sum(mx.exp(x)))"),
    "paddle": ("import paddle", "paddle.log(paddle.sum(paddle.exp(x)))"),
    "mxnet": ("from mxnet import nd", "nd.log(nd.sum(nd.exp(x)))"),
    "chainer": ("import chainer.functions as F", "F.log(F.sum(F.exp(x)))"),
    "autograd": ("import autograd.numpy as np", "np.log(np.sum(np.exp(x)))"),
    "in a function": ("", "__import__ or (lambda np: np)(0)"),
}


@pytest.mark.parametrize("name", [n for n in NAMING if n != "in a function"])
def test_names(name):
    head, formula = NAMING[name]
    assert codes(f"def f(x):\n    return {formula}\n", head + "\n") == ["LSE001"]


def test_an_import_in_a_function():
    assert codes("def f(x):\n    import numpy as n\n    return n.log(n.sum(n.exp(x)))\n", "") == ["LSE001"]


def test_a_shadowed_module_is_another_value():
    assert codes("def f(np, x):\n    return np.log(np.sum(np.exp(x)))\n") == []
    assert codes("def f(x):\n    np = x.backend\n    return np.log(np.sum(np.exp(x)))\n") == []
    assert codes("def f(x):\n    log = print\n    return log(np.sum(np.exp(x)))\n") == []


def test_gluons_namespace_is_a_parameter():
    body = "def hybrid_forward(self, F, x):\n    return F.log(F.sum(F.exp(x)))\n"
    assert codes(body, "import mxnet\n") == ["LSE001"]
    assert codes(body, "import mynet\n") == []


def test_methods_are_functions():
    assert same("""
        def f(x): pass
        x = f
        a = torch.log(torch.sum(torch.exp(x), 1))
        b = x.exp().sum(1).log()
    """)


def test_a_method_of_a_framework_that_is_not_imported_is_unknown():
    assert codes("def f(x):\n    return x.exp().sum().log()\n", "import torch\n") == ["LSE001"]
    assert codes("def f(x):\n    return x.exp().sum().log()\n", "import polars\n") == []


def test_arguments_by_name_and_by_place():
    assert same("a = np.sum(x, 1)\nb = np.sum(a=x, axis=1, keepdims=False)\n")
    assert not same("a = np.sum(x, 1)\nb = np.sum(x, axis=1, keepdims=True)\n")


def test_a_starred_argument_makes_the_call_opaque():
    assert lowered("a = np.sum(*x)\n", "a")[0].op == "opaque"
    assert lowered("a = np.sum(x, **y)\n", "a")[0].op == "opaque"


def test_an_unknown_keyword_makes_the_call_opaque():
    assert lowered("a = np.exp(x, where=y)\n", "a")[0].op == "opaque"
    assert codes("def f(x, m):\n    return np.log(np.sum(np.exp(x, where=m)))\n") == []


def test_rebinding():
    assert codes("def f(x):\n    x = np.exp(x)\n    x = x.sum()\n    return np.log(x)\n") == ["LSE001"]
    assert codes("def f(x, y):\n    e = np.exp(x)\n    e = y\n    return np.log(np.sum(e))\n") == []


def test_augmented_assignment():
    assert codes("def f(x):\n    x -= x.max()\n    return np.log(np.sum(np.exp(x)))\n") == []
    assert codes("def f(x):\n    x -= 1.0\n    return np.log(np.sum(np.exp(x)))\n") == ["LSE001"]
    assert codes("def f(x):\n    e = np.exp(x)\n    e /= e.sum()\n    return e\n") == ["LSE002"]


def test_an_alias_changes_with_the_array():
    assert codes("def f(x):\n    y = x\n    y -= x.max()\n    return np.log(np.sum(np.exp(x)))\n") != ["LSE002"]
    assert not same("x = f()\na = x\nb = np.exp(a)\nx += 1.0\nb = np.exp(a)\nc = b\na = np.exp(f())\n")


def test_a_store_makes_the_array_another_value():
    assert codes("def f(x, i, y):\n    e = np.exp(x)\n    e[i] = y\n    return np.log(np.sum(e))\n") == []
    assert codes("def f(x, i):\n    e = np.exp(x)\n    e[i] = 0.0\n    return np.log(np.sum(e))\n") == ["LSE001"]
    assert codes("def f(x, y):\n    e = np.exp(x)\n    e[:] = y\n    return np.log(np.sum(e))\n") == []
    assert codes("def f(x, y):\n    e = y\n    e[:] = np.exp(x)\n    return np.log(np.sum(e))\n") == ["LSE001"]


def test_methods_in_place():
    assert codes("def f(x):\n    x.exp_()\n    return x.sum(1).log()\n") == ["LSE001"]
    assert codes("def f(x):\n    x.sub_(x.max(1, keepdim=True)[0])\n    return x.exp().sum(1).log()\n") == []
    assert codes("def f(x):\n    e = x.exp()\n    e.zero_()\n    return e.sum(1).log()\n") == []


def test_out():
    assert codes("def f(x):\n    np.exp(x, out=x)\n    return np.log(np.sum(x))\n") == ["LSE001"]
    assert codes("def f(x):\n    np.subtract(x, x.max(), out=x)\n    return np.log(np.sum(np.exp(x)))\n") == []


def test_a_call_for_its_effect_may_change_its_arguments():
    assert codes("def f(x):\n    e = np.exp(x)\n    change(e)\n    return np.log(np.sum(e))\n") == []
    assert codes("def f(x):\n    e = np.exp(x)\n    print(e)\n    return np.log(np.sum(e))\n") == ["LSE001"]


def test_unpacking():
    assert codes("def f(x):\n    e, n = np.exp(x), 2\n    return np.log(np.sum(e))\n") == ["LSE001"]
    assert codes("def f(x):\n    (a, [b, c]) = 1, [np.exp(x), 2]\n    return np.log(np.sum(b))\n") == ["LSE001"]
    assert codes("def f(x):\n    a, *b = np.exp(x), 2, 3\n    return np.log(np.sum(b))\n") == []
    assert (
        codes("def f(x):\n    top, _ = x.max(1, keepdim=True)\n    return (x - top).exp().sum(1).log() + top\n") == []
    )


def test_branches():
    assert codes("""
        def f(x, flag):
            if flag:
                e = np.exp(x)
            else:
                e = np.exp(x)
            return np.log(np.sum(e))
    """) == ["LSE001"]
    assert (
        codes("""
        def f(x, y, flag):
            e = np.exp(x) if flag else y
            return np.log(np.sum(np.abs(e) + 1.0))
    """)
        == []
    )


def test_a_path_that_has_ended_says_nothing_about_the_other():
    assert (
        codes("""
        def f(x, y, flag):
            e = y
            if flag:
                e = np.exp(x)
                raise ValueError
            return np.log(np.sum(e))
    """)
        == []
    )


def test_guards():
    assert codes("def f(s):\n    if s > 30:\n        return s\n    return math.log1p(math.exp(s))\n") == []
    assert codes("def f(s):\n    if s < 30:\n        return s\n    return math.log1p(math.exp(s))\n") == ["LSE005"]
    assert codes("def f(s):\n    return s if s > 30 else math.log1p(math.exp(s))\n") == []
    assert codes("def f(s):\n    if not s <= 30:\n        return s\n    return math.log1p(math.exp(s))\n") == []
    assert codes("def f(s):\n    if s > 30 or s < -30:\n        return s\n    return math.log1p(math.exp(s))\n") == []
    assert codes("def f(s):\n    while s < 30:\n        s = math.log1p(math.exp(s))\n    return s\n") == []


def test_handlers():
    body = "def f(s):\n    try:\n        return 1 / (1 + math.exp(-s))\n    except {}:\n        return 0.0\n"
    assert codes(body.format("OverflowError")) == []
    assert codes(body.format("(ValueError, OverflowError)")) == []
    assert codes(body.format("KeyError")) == ["LSE006"]


def test_loops():
    assert codes("def f(xs):\n    s = 0.0\n    for v in xs:\n        s += math.exp(v)\n    return math.log(s)\n") == [
        "LSE001"
    ]
    assert codes("""
        def f(xs):
            es = []
            for v in xs:
                es.append(math.exp(v))
            return math.log(sum(es))
    """) == ["LSE001"]
    assert (
        codes("""
        def f(xs):
            top = max(xs)
            s = 0.0
            for v in xs:
                s += math.exp(v - top)
            return top + math.log(s)
    """)
        == []
    )
    assert codes("def f(xs, e):\n    for x in xs:\n        e = other(e)\n    return np.log(np.sum(e))\n") == []


def test_comprehensions():
    for brackets in ("[{}]", "{}"):
        inside = brackets.format("math.exp(v) for v in xs")
        assert codes(f"def f(xs):\n    return math.log(sum({inside}))\n") == ["LSE001"]
    assert codes("def f(xs):\n    return math.log(sum(math.exp(v) for v in xs if v < 0))\n") != []
    assert codes("def f(xs):\n    return math.log(sum(math.exp(v - max(xs)) for v in xs))\n") == []
    assert codes("def f(xs, v):\n    es = [math.exp(v) for v in xs]\n    return math.log(v)\n") == []


def test_helpers_are_what_they_return():
    assert codes("def e(v):\n    return np.exp(v)\ndef f(x):\n    return np.log(np.sum(e(x)))\n") == ["LSE001"]
    assert codes("def f(x):\n    return np.log(np.sum(e(x)))\ndef e(v):\n    return np.exp(v)\n") == ["LSE001"]
    assert codes("def e(v):\n    return np.exp(v - v.max())\ndef f(x):\n    return np.log(np.sum(e(x)))\n") == []
    assert codes("e = lambda v: np.exp(v)\ndef f(x):\n    return np.log(np.sum(e(x)))\n") == ["LSE001"]
    assert codes(
        "def f(x):\n    def e(v, scale=1.0):\n        return np.exp(scale * v)\n    return np.log(np.sum(e(x)))\n"
    ) == ["LSE001"]
    assert codes("def e(v):\n    yield v\ndef f(x):\n    return np.log(np.sum(e(x)))\n") == []
    assert codes("def e(v):\n    return e(v)\ndef f(x):\n    return np.log(np.sum(e(x)))\n") == []


def test_wrapped_helpers():
    body = "def e(v):\n    return jnp.exp(v)\ng = jax.jit(e)\ndef f(x):\n    return jnp.log(jnp.sum(g(x)))\n"
    assert codes(body, "import jax\nimport jax.numpy as jnp\n") == ["LSE001"]


def test_classes():
    assert codes("""
        class A:
            def __init__(self):
                self.act = torch.nn.Softmax(dim=1)

            def forward(self, x):
                return torch.log(self.act(x))
    """) == ["LSE003"]
    assert codes("""
        class A:
            def e(self, v):
                return np.exp(v)

            def f(self, x):
                return np.log(np.sum(self.e(x)))
    """) == ["LSE001"]
    assert (
        codes("""
        class A:
            def __init__(self):
                self.act = torch.nn.Softmax(dim=1)

            def swap(self):
                self.act = other()

            def forward(self, x):
                return torch.log(self.act(x))
    """)
        == []
    )
    assert codes("""
        class A:
            def f(self, x):
                self.e = np.exp(x)
                return np.log(np.sum(self.e))
    """) == ["LSE001"]


def test_sequences_of_layers():
    assert codes("""
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Softmax(dim=1))
        def f(x):
            return torch.log(net(x))
    """) == ["LSE003"]


def test_decorated_and_async_functions():
    assert codes("@decorate\nasync def f(x):\n    return np.log(np.sum(np.exp(x)))\n") == ["LSE001"]


def test_statements_of_every_kind():
    assert codes("""
        def f(x, *args, y: float = 1.0, **kw) -> float:
            global total
            with open(x) as file, np.errstate(all="ignore"):
                pass
            del y
            assert x, "message"
            e: object = np.exp(x)
            if (n := len(args)) > 1:
                pass
            match x:
                case [a, *rest] if a:
                    pass
                case {"k": v, **others}:
                    pass
                case _:
                    pass
            for _ in ():
                continue
            else:
                pass
            while True:
                break
            try:
                pass
            finally:
                pass
            return np.log(np.sum(e))
    """) == ["LSE001"]


def test_expressions_of_every_kind():
    assert codes("""
        def f(x):
            ignored = {1: 2, **x}, {1}, f"{x!r:>{3}}", x[1:2, ..., None], not x, ~x, x @ x, x // 2, 1j, b"", ...
            more = [a for b in x for a in b], {k: v for k, v in x.items()}, {s for s in x}, (await_ for await_ in x)
            return np.log(np.sum(np.exp(x))), x < 1 < 2, x and 1, (yield), x if x else 1, lambda q, /, *r, z=1, **w: q
    """) == ["LSE001"]


def test_cells_share_one_namespace():
    found = analyse_cells(["import numpy as np\ne = np.exp(x)", "s = e.sum()", "", "print(np.log(s))"], "n.ipynb")
    assert [(f.code, f.cell, f.location.row) for f in found] == [("LSE001", 4, 1)]


def test_deep_and_long_code():
    deep = "(" * 80 + "x" + ")" * 80
    assert codes(f"def f(x):\n    return np.log(np.sum(np.exp({deep})))\n") == ["LSE001"]
    chain = " + ".join(["x"] * 900)
    assert codes(f"def f(x):\n    return np.log(np.sum(np.exp({chain})))\n") == ["LSE001"]
