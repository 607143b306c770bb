"""Values that come from another module of the project reach a logarithm or a loss of this one."""

import shutil

import pytest

from pytest_lse.lint import neighbours
from pytest_lse.lint.run import check

NET = """\
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 2)
        self.act = nn.Sigmoid()

    def forward(self, x):
        return self.act(self.body(x))

class Logits(nn.Module):
    def forward(self, x):
        return self.body(x)
"""
ACTIVATIONS = """\
import numpy as np

def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def softmax_like(x):
    return np.exp(x)

class Mixin:
    def squash_sigmoid(self, x):
        return 1 / (1 + np.exp(-np.abs(x)))

class Sigmoid:
    def __call__(self, x):
        return softmax(x)

    @staticmethod
    def of(x):
        return softmax(x)

sigmoid = Sigmoid()
"""
FILL = "\n".join(f"def unrelated_{i}(x):\n    return x + {i}\n" for i in range(100))


@pytest.fixture
def project(tmp_path):
    """Return a function that writes a package and returns the codes found in one of its files, by row."""
    neighbours.forget()

    def write(text, name="pkg/loss.py", **files):
        found = []
        for size in ("", FILL):  # a large file is not parsed as a whole
            shutil.rmtree(tmp_path / "pkg", ignore_errors=True)
            neighbours.forget()
            contents = {"pkg/__init__.py": "", "pkg/net.py": NET, "pkg/act.py": ACTIVATIONS}
            for path, content in {**contents, **files, name: text + size}.items():
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(content)
            found.append([(f["location"]["row"], f["code"]) for f in check([tmp_path / name], isolated=True)])
        assert found[0] == found[1]
        return found[0]

    return write


@pytest.mark.parametrize(
    ("imported", "expression"),
    [
        ("from .act import softmax", "softmax(x)"),
        ("from .act import softmax as s", "s(x)"),
        ("from pkg.act import softmax", "softmax(x)"),
        ("from pkg import act", "act.softmax(x)"),
        ("from . import act", "act.softmax(x)"),
        ("import pkg.act as a", "a.softmax(x)"),
        ("import pkg.act", "pkg.act.softmax(x)"),
        ("from .act import *", "softmax(x)"),
        ("from .act import (\n    softmax,  # of rows\n)", "softmax(x)"),
        ("from .act import Sigmoid", "Sigmoid()(x)"),
        ("from .act import Sigmoid", "Sigmoid.of(x)"),
        ("from .act import sigmoid", "sigmoid(x)"),
    ],
)
def test_a_softmax_of_another_module_is_one(project, imported, expression):
    found = project(f"{imported}\nimport numpy as np\ndef f(x):\n    p = {expression}\n    return np.log(p)\n")
    assert [code for _, code in found] == ["LSE003"]


def test_what_a_package_hands_on_is_found_where_it_is_defined(project):
    files = {"pkg/deep/__init__.py": "from ..act import softmax\n"}
    assert project("from .deep import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n", **files)


def test_one_of_several_values_that_a_function_gives(project):
    files = {"pkg/both.py": "from .act import softmax\ndef both(x): return x, softmax(x)\n"}
    text = "from .both import both\nimport numpy as np\ndef f(x):\n    logits, p = both(x)\n    return np.log({})\n"
    assert project(text.format("p"), **files) == [(5, "LSE003")]
    assert project(text.format("logits"), **files) == []


def test_a_value_that_is_a_probability_on_one_path(project):
    files = {"pkg/maybe.py": "from .act import softmax\ndef maybe(x, flag):\n    return softmax(x) if flag else x\n"}
    text = "from .maybe import maybe\nimport numpy as np\ndef f(x, flag): return np.log(maybe(x, flag))\n"
    assert project(text, **files) == [(3, "LSE003")]


def test_a_function_that_is_no_probability_says_nothing(project):
    text = "from .act import softmax_like\nimport numpy as np\ndef f(x):\n    e = softmax_like(x)\n"
    assert project(text + "    return e / e.sum(), np.log(e + 1e-8), np.log(e)\n") == []


def test_a_network_held_in_an_attribute_is_known_by_its_last_layer(project):
    text = """\
from torch import nn
from .net import {}

class Model:
    def __init__(self):
        self.net = {}().to("cuda")
        self.loss = nn.BCELoss()
        self.with_logits = nn.BCEWithLogitsLoss()

    def step(self, x, y):
        p = self.net(x)
        return self.loss(p, y), self.with_logits(p, y)
"""
    assert project(text.format("Net", "Net")) == [(12, "LSE009"), (12, "LSE011")]
    assert project(text.format("Logits", "Logits")) == []


def test_what_a_base_class_of_another_module_has_is_inherited(project):
    text = "import torch\nfrom .net import Net\n\nclass Mine(Net):\n    def loss(self, x):\n"
    assert project(text + "        return torch.log(self.act(x) + 1e-8)\n") == [(6, "LSE016")]
    assert project(text + "        return torch.log(self.other(x) + 1e-8)\n") == []


def test_a_reason_names_what_is_called(tmp_path, project):
    project("from .act import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n")
    (finding,) = check([tmp_path / "pkg" / "loss.py"], isolated=True)
    assert finding["fix"] is None
    assert finding["no_fix_reason"] == "the probability is computed by act.softmax of another module"


def test_modules_that_import_each_other_end(project):
    files = {"pkg/a.py": "from .b import softmax\n", "pkg/b.py": "from .a import softmax\n"}
    assert project("from .a import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n", **files) == []
    files = {
        "pkg/a.py": "from .b import g\ndef softmax(x): return g(x)\n",
        "pkg/b.py": "from .a import softmax\ndef g(x): return softmax(x)\n",
    }
    assert project("from .a import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n", **files) == []


@pytest.mark.parametrize("content", ["def softmax(:\n", "def softmax(x):\n    return (\n", "\0", "softmax = 1\n"])
def test_a_module_that_does_not_parse_says_nothing(project, content):
    text = "from .broken import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n"
    assert project(text, **{"pkg/broken.py": content}) == []


def test_findings_do_not_depend_on_which_files_are_checked(tmp_path, project):
    text = "from .act import softmax\nimport numpy as np\ndef f(x): return np.log(softmax(x))\n"
    project(text)
    whole = check([tmp_path], isolated=True)
    assert [f for f in whole if f["filename"].endswith("loss.py")] == check([tmp_path / "pkg/loss.py"], isolated=True)
    assert whole == check([tmp_path], isolated=True, jobs=2)


BASES = """\
import abc
from torch import nn
from . import act, missing
from .act import softmax, softmax_like
from .net import Net

class Base(nn.Module):
    squash = softmax

    def __init__(self):
        self.width, self.act = 3, softmax
        self.limits[0] = 1

    def predict(self, x):
        return self.act(x)

    def later(self, x):
        return self.predict(x)

    def __len__(self):
        self.count = 0
        return self.size

class Derived(Base, Net):
    def more(self, x):
        return self.later(x)

class Wide(act.Sigmoid):
    pass

class Odd(Derived):
    act = missing.softmax
    base = softmax

class OfAFunction(softmax_like):
    pass

class OfItself(OfItself):
    pass

class SigmoidByHand:
    def __call__(self, x):
        return 1 / (1 + x)
"""


def test_which_members_a_class_of_another_module_brings(tmp_path):
    neighbours.forget()
    for name, text in {
        "__init__": "",
        "net": NET,
        "act": ACTIVATIONS,
        "bases": BASES,
        "broken": "class A:\n '",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    path = str(tmp_path / "bases.py")
    base = {"squash", "softmax", "predict", "later", "__init__", "width", "act", "limits"}
    assert neighbours.inherited(path, "Base") == base
    assert neighbours.inherited(path, "Derived") == base | {"more", "body", "forward"}
    assert neighbours.inherited(path, "Odd") >= base | {"more"}
    assert neighbours.inherited(path, "OfAFunction") is None
    assert neighbours.inherited(path, "OfItself") == frozenset()
    assert neighbours.inherited(path, "SigmoidByHand") is None  # its members do not say what its name does
    assert neighbours.inherited(path, "Nothing") is None
    assert neighbours.inherited(str(tmp_path / "broken.py"), "A") is None
    assert neighbours.inherited(str(tmp_path / "no.py"), "A") is None


def test_a_module_says_which_of_its_names_make_no_probabilities(tmp_path):
    neighbours.forget()
    (tmp_path / "m.py").write_text(
        "import math\ndef f(x): return softmax(x)\ndef g(x): return f(x)\ndef h(x): return x\n"
    )
    assert neighbours.idle(str(tmp_path / "m.py")) == {"h"}
    assert neighbours.idle(str(tmp_path / "no.py")) == frozenset()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from .act import Sigmoid\nclass A(Sigmoid):\n    def f(self, x):\n        return np.log(self.of(x))\n", 1),
        ("from .act import Sigmoid\nclass A(Sigmoid):\n    def f(self, x):\n        return np.log(self.other(x))\n", 0),
        ("from .act import Sigmoid\nclass A(Sigmoid):\n    def f(self, x):\n        return np.log(self(x))\n", 1),
        ("from . import act\nclass A(act.Sigmoid):\n    def f(self, x):\n        return np.log(self.of(x))\n", 1),
        ("from . import act\ndef f(x):\n    return np.log(act.softmax_like(x)), np.log(act.softmax(x))\n", 1),
        ("import pkg.act\ndef f(x):\n    return np.log(pkg.act.softmax(x)), np.log(pkg.sum(x))\n", 1),
    ],
)
def test_only_what_can_be_a_probability_is_followed(project, text, found):
    assert len(project(f"import numpy as np\n{text}")) == found
