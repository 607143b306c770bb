"""Functions are recognised by what they return, whatever they are called."""

import textwrap

import pytest

from pytest_lse.scaffold.find import find, in_text, module_name
from pytest_lse.scaffold.recognise import UNKNOWN, Parameter
from pytest_lse.scaffold.vocabulary import vocabulary


def kernels(source):
    return in_text(textwrap.dedent(source), "losses.py")


def only(source):
    (found,) = kernels(source)
    return found


@pytest.mark.parametrize(
    ("body", "kernel", "framework"),
    [
        ("import numpy as np\ndef f(x): return np.log(np.sum(np.exp(x), axis=-1))", "logsumexp", "numpy"),
        ("import torch\ndef f(x): return x.exp().sum(dim=-1).log()", "logsumexp", "torch"),
        ("import torch\ndef f(x): return torch.logsumexp(x, dim=-1)", "logsumexp", "torch"),
        ("import jax.numpy as jnp\ndef f(z):\n e = jnp.exp(z - z.max(-1, keepdims=True))\n"
         " return e / e.sum(-1, keepdims=True)", "softmax", "jax"),
        ("import tensorflow as tf\ndef f(x): return tf.math.log(1 + tf.exp(x))", "softplus", "tensorflow"),
        ("import math\ndef f(x): return 1 / (1 + math.exp(-x))", "sigmoid", "math"),
        ("from scipy.special import expit\ndef f(x): return expit(x)", "sigmoid", "numpy"),
        ("import numpy as np\nf = lambda a, b: np.logaddexp(a, b)", "logaddexp", "numpy"),
        ("import numpy as np\ndef f(p, q): return np.sum(p * (np.log(p) - np.log(q)), axis=-1)",
         "kl_divergence_from_probs", "numpy"),
        ("import numpy as np\ndef f(x): return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))",
         "sigmoid", "numpy"),
        ("import numpy as np\ndef f(x):\n    if x is None:\n        return None\n    return 1 / (1 + np.exp(-x))",
         "sigmoid", "numpy"),
    ],
)  # fmt: skip
def test_a_function_is_what_it_returns(body, kernel, framework):
    found = only(body)
    assert (found.meaning.kernel.name, found.framework, found.name) == (kernel, framework, "f")


@pytest.mark.parametrize(
    "body",
    [
        "def f(x): return 2 * x",
        "def f(x): return 2 / (1 + np.exp(-x))",
        "def f(x, k): return 1 / (1 + np.exp(-k * x))",
        "def f(x): return 1 / (1 + np.exp(-x)), x",
        "def f(x): return unknown(x)",
        "def f(x):\n    np.exp(x)",
        "def f(x, kind):\n    if kind:\n        return np.tanh(x)\n    return 1 / (1 + np.exp(-x))",
        "def f(x): return np.logaddexp(x, x)",
        "def test_f(x): return 1 / (1 + np.exp(-x))",
        "class A:\n    @property\n    def f(self): return 1 / (1 + np.exp(-self.x))",
        "def outer(x):\n    def f(y): return 1 / (1 + np.exp(-y))\n    return f",
    ],
)
def test_what_is_no_kernel_of_its_parameters_is_left_alone(body):
    assert kernels("import numpy as np\n" + body) == []


def test_helpers_of_the_module_are_looked_through():
    source = """
    import numpy as np
    def total(z, axis): return np.sum(np.exp(z), axis=axis)
    def energy(scores): return np.log(total(scores, 1))
    """
    found = only(source)
    assert (found.name, found.meaning.kernel.name, found.meaning.shapes["axis"]) == ("energy", "logsumexp", 1)


@pytest.mark.parametrize(
    ("body", "axis", "keepdims"),
    [
        ("def f(x): return np.log(np.sum(np.exp(x)))", None, False),
        ("def f(x): return np.log(np.sum(np.exp(x), axis=1, keepdims=True))", 1, True),
        ("def f(x, axis=0): return np.log(np.sum(np.exp(x), axis=axis))", Parameter("axis"), False),
        ("def f(x, along, keep): return np.log(np.sum(np.exp(x), axis=along, keepdims=keep))",
         Parameter("along"), Parameter("keep")),
        ("def f(x): return np.log(np.sum(np.exp(x), axis=(0, 1)))", UNKNOWN, False),
    ],
)  # fmt: skip
def test_shapes(body, axis, keepdims):
    shapes = only("import numpy as np\n" + body).meaning.shapes
    if axis is UNKNOWN:
        assert not isinstance(shapes["axis"], int | Parameter | None)
    else:
        assert shapes["axis"] == axis
    assert shapes["keepdims"] == keepdims


def test_arguments_in_another_order_and_with_another_sign():
    order = only("import numpy as np\ndef f(targets, x):\n    s = 1 / (1 + np.exp(-x))\n"
                 "    return -(targets * np.log(s) + (1 - targets) * np.log(1 - s)).mean()")  # fmt: skip
    assert order.meaning.kernel.name == "bce_with_logits"
    assert order.meaning.arrays == (("x", False), ("targets", False))
    assert not order.meaning.elementwise
    sign = only("import numpy as np\ndef f(x): return 1 / (1 + np.exp(x))")
    assert sign.meaning.arrays == (("x", True),)


def test_a_loss_for_each_element_is_told_from_its_mean():
    found = only("import numpy as np\ndef f(x, t):\n    s = 1 / (1 + np.exp(-x))\n"
                 "    return -(t * np.log(s) + (1 - t) * np.log(1 - s))")  # fmt: skip
    assert found.meaning.elementwise


def test_methods():
    source = """
    import torch
    from torch import nn
    class Plain(nn.Module):
        def forward(self, x): return torch.softmax(x, dim=-1)
    class Module(nn.Module):
        def forward(self, x):
            self.seen = x
            return torch.softmax(x, dim=-1)
    class Configured(nn.Module):
        def __init__(self, width):
            self.width = width
        def forward(self, x):
            self.seen = x
            return torch.softmax(x, dim=-1)
    class Odd(Configured):
        def squash(self, x):
            self.seen = x
            return torch.sigmoid(x)
        @staticmethod
        def still(x): return torch.sigmoid(x)
        @classmethod
        def whole(cls, x): return torch.sigmoid(x)
    """
    found = {f.name: (f.receiver, f.obstacle) for f in kernels(source)}
    assert found == {
        "Plain.forward": ("none", ""),
        "Module.forward": ("instance", ""),
        "Configured.forward": ("instance", "it needs an instance of Configured"),
        "Odd.squash": ("instance", "it needs an instance of Odd"),
        "Odd.still": ("", ""),
        "Odd.whole": ("", ""),
    }


def test_what_a_test_would_have_to_know():
    source = "import numpy as np\ndef f(x, table):\n    table.note()\n    return 1 / (1 + np.exp(-x))"
    assert only(source).obstacle == "it needs a value for table"
    assert only(source.replace("table)", "table=None)")).obstacle == ""
    assert in_text("import numpy as np\ndef f(x): return 1 / (1 + np.exp(-x))", "01-first.py")[0].obstacle


def test_a_second_name_is_no_second_function():
    source = "import numpy as np\ndef sigmoid(x): return 1 / (1 + np.exp(-x))\nalso = sigmoid\n"
    assert [f.name for f in kernels(source)] == ["sigmoid"]


def test_module_names(tmp_path):
    package = tmp_path / "src" / "pkg" / "sub"
    package.mkdir(parents=True)
    for directory in (package, package.parent):
        (directory / "__init__.py").touch()
    assert module_name(str(package / "losses.py")) == ("pkg.sub.losses", str(tmp_path / "src"))
    assert module_name(str(package / "__init__.py")) == ("pkg.sub", str(tmp_path / "src"))
    assert module_name(str(tmp_path / "alone.py")) == ("alone", str(tmp_path))


def test_files_that_cannot_be_read_are_named_and_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    naive = "import numpy as np\ndef f(x): return 1 / (1 + np.exp(-x))\n"
    (tmp_path / "good.py").write_text(naive)
    (tmp_path / "broken.py").write_text(naive + "def (")
    (tmp_path / "binary.py").write_bytes(naive.encode() + b"# \xff\n")
    (tmp_path / "test_good.py").write_text(naive)
    (tmp_path / "deep.py").write_text(naive + "x = " + "-" * 200_000 + "1")
    (tmp_path / "note.txt").write_text(naive)
    warnings = []
    assert [f.filename for f in find(["."], warnings.append)] == ["good.py"]
    assert len(warnings) == 3
    assert all("left out" in w for w in warnings)
    assert any(w.startswith("broken.py:3: left out, it does not parse: ") for w in warnings)


@pytest.mark.parametrize(
    "body",
    [
        "def f(x): return np.mean(1 / (1 + np.exp(-x)))",
        "def f(x, t): return 3 * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)",
        "def f(x, y): return np.log(np.sum(np.exp(x + y), axis=-1))",
    ],
)
def test_a_mean_another_parameter_or_another_argument_is_no_kernel(body):
    assert kernels("import numpy as np\n" + body) == []


def test_early_returns_of_nothing_do_not_matter():
    source = """
    import numpy as np
    def f(x):
        if x is None:
            return None
        if not x.size:
            return None
        return 1 / (1 + np.exp(-x))
    """
    assert only(source).meaning.kernel.name == "sigmoid"


def test_every_branch_has_to_be_the_kernel_where_there_is_a_choice():
    source = """
    import numpy as np
    def f(x, rough, far):
        if rough:
            return 1 / (1 + np.exp(-x))
        if far:
            return np.exp(x) / (1 + np.exp(x))
        return {}
    """
    assert only(source.format("1 / (np.exp(-x) + 1)")).obstacle == "it needs a value for rough, far"
    assert kernels(source.format("np.tanh(x)")) == []


@pytest.mark.parametrize(
    ("axis", "expected"), [("1", 1), ("None", None), ("axis", Parameter("axis")), ("x.ndim - 1", UNKNOWN)]
)
def test_the_axis_of_a_formula_whose_shapes_are_its_own(axis, expected):
    source = """
    import numpy as np
    def f(x, axis=1):
        top = x.max({0}).reshape(x.shape[0], 1)
        return (np.log(np.exp(x - top).sum({0})).reshape(x.shape[0], 1) + top).reshape(x.shape[0])
    """
    found = only(source.format(axis))
    assert (found.meaning.kernel.name, found.meaning.shapes) == ("logsumexp", {"axis": expected, "keepdims": UNKNOWN})


def test_a_generic_base_needs_no_arguments():
    source = """
    import typing
    import numpy as np
    class A(typing.Generic[int]):
        def f(self, x):
            self.x = x
            return 1 / (1 + np.exp(-x))
    """
    assert (only(source).receiver, only(source).obstacle) == ("instance", "")


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "losses.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    warnings = []
    assert list(find(["."], warnings.append)) == []
    assert warnings == ["losses.py: cannot be read: Permission denied"]


def test_a_mistake_of_the_same_kind_is_not_the_kernel():
    # The rule of log1mexp also finds log(exp(x) - 1), which is the inverse of a softplus.
    assert kernels("import numpy as np\ndef f(x): return np.log(np.exp(x) - 1)") == []
    assert kernels("import torch\ndef f(x): return x + torch.log(-torch.expm1(-x))") == []
    assert only("import numpy as np\ndef f(x): return np.log(1 - np.exp(x))").meaning.kernel.name == "log1mexp"


def test_every_kernel_of_one_formula_is_in_the_vocabulary():
    known = vocabulary().kernels
    assert {"logsumexp", "softmax", "log1mexp", "kl_divergence", "focal_loss", "masked_softmax"} <= known
    assert "softplus_grad" not in known


@pytest.mark.parametrize(
    ("head", "framework", "obstacle"),
    [
        ("import math\nimport numpy as np\nassert math.exp(1.0)", "numpy", ""),
        ("import cupy as np", "cupy", ""),
        ("import autograd.numpy as np", "autograd", ""),
        ("import theano.tensor as np", "theano", "assert_stable knows no arrays of theano"),
    ],
)
def test_frameworks_beyond_the_common_ones(head, framework, obstacle):
    found = only(f"{head}\ndef f(x): return 1 / (1 + np.exp(-x))")
    assert (found.framework, found.obstacle) == (framework, obstacle)
