"""Which functions can hold a finding is told from what their values can be made of."""

import pytest

from pytest_lse.lint import prefilter
from pytest_lse.lint.code import UncertainError
from pytest_lse.lint.cut import cut

NEEDS = prefilter.forms(frozenset({"LSE013", "LSE014"}))
HEAD = "import numpy as np\nimport torch\nfrom torch.nn import functional as F\nfrom numpy import exp as e\n\n"


def hot(text):
    """Return the names of the functions that have to be lowered."""
    found = cut(HEAD + text, NEEDS)
    return set() if found is None else {found.units.units[i].name for i in found.hot}


@pytest.mark.parametrize(
    "body",
    [
        "return np.log(np.exp(x))",
        "return np.log(e(x))",
        "y = np.exp(x)\n    return np.log(y.sum(axis=1))",
        "while x:\n        y = z\n        z = np.exp(x)\n    return np.log(y)",
        "y[0] = np.exp(x)\n    return np.log(z)",
        "np.exp(x, out=y)\n    return np.log(z)",
        "np.exp(x, y)\n    return np.log(y)",
        "x.exp_()\n    return torch.log(y)",
        "return [np.log(v) for v in (np.exp(u) for u in x)]",
        "ys.append(np.exp(x))\n    return np.log(sum(ys))",
        "return np.log(z := np.exp(x))",
        "f = lambda v: np.log(v)\n    return f(np.exp(x))",
        "def inner(v):\n        return np.log(v)\n    return inner(np.exp(x))",
        "a, (b, *c) = np.exp(x), 1\n    return np.log(c)",
        "return 1 / (1 + np.exp(-x))",
        "return (1 + np.exp(-x)) ** -1",
        "t = np.exp(x)\n    t /= t.sum()\n    return t",
        "return {k: np.log(v) for k, v in np.exp(x).items()}",
        "with f() as g:\n        return np.log(np.exp(x) if x else 0)",
        "return map(np.log, np.exp(x))",
        "return F.cross_entropy(F.softmax(x, dim=1), y)",
        "loss = torch.nn.BCELoss()\n    return loss(torch.sigmoid(x), y)",
        "import numpy.random as r\n    return np.log(np.exp(x).T)",
        "match x:\n        case 1:\n            return np.log(np.exp(x))",
        "return np.log(np.e ** x)",
    ],
)
def test_what_reaches_an_operation_is_hot(body):
    assert hot(f"def f(x, y, z, ys):\n    {body}\n") == {"f"}


@pytest.mark.parametrize(
    "body",
    [
        "return np.log(x) + np.exp(x)",
        "return np.log(len(np.exp(x).shape))",
        "return np.log(unknown(np.exp(x)))",
        "y = np.exp(x)\n    return y / 2",
        "return 1 / np.exp(x)",
        "return np.exp(x) ** 2 + 1 / x",
        "return F.softmax(F.cross_entropy(x, y), dim=1)",
        "return np.log(super().act(np.exp(x)))",
    ],
)
def test_what_does_not_reach_it_is_not(body):
    assert hot(f"def f(x, y):\n    {body}\n") == set()


def test_values_go_from_function_to_function():
    text = (
        "def a(x):\n    return np.exp(x)\n\n\ndef b(x):\n    return a(x) + 1\n\n\ndef c(x):\n    return np.log(b(x))\n"
    )
    assert hot(text) == {"c"}
    text = (
        "def log_of(v):\n    return np.log(v)\n\n\ndef g(v):\n    return log_of(v)\n\n\n"
        "def h(x):\n    return g(np.exp(x))\n"
    )
    assert hot(text) == {"h"}
    text = (
        "def share(v):\n    return v / total(v)\n\n\ndef total(v):\n    return v.sum()\n\n\n"
        "def h(x):\n    return share(np.exp(x))\n"
    )
    assert hot(text) == {"h"}
    assert hot("act = torch.sigmoid\n\n\ndef f(x):\n    return torch.log(act(x))\n") == {"f"}


def test_values_go_through_attributes_and_methods():
    net = (
        "class Net:\n    def __init__(self):\n        self.act = torch.nn.Softmax(dim=1)\n"
        "        self.other = torch.nn.ReLU()\n\n"
        "    def forward(self, x):\n        return self.act(x)\n\n"
    )
    assert hot(net + "    def loss(self, x):\n        return torch.log(self(x))\n") == {"loss"}
    assert hot(net + "    def loss(self, x):\n        return torch.log(self.act(x))\n") == {"loss"}
    assert hot(net + "    def loss(self, x):\n        return torch.log(self.other(x))\n") == set()
    assert hot(net + "\nclass Top(Net):\n    def loss(self, x):\n        return torch.log(self.forward(x))\n") == {
        "loss"
    }
    assert hot(net + "\ndef loss(x):\n    net = Net()\n    return torch.log(net(x))\n") == {"loss"}
    assert hot(net + "\ndef loss(x):\n    net = Net()\n    return torch.log(net.act(x))\n") == {"loss"}


def test_an_attribute_of_the_modules_own_objects_is_left_to_the_whole_analysis():
    with pytest.raises(UncertainError):
        hot("config.scale = np.exp(1)\n\n\ndef f(x):\n    return np.log(config.scale)\n")


@pytest.mark.parametrize(
    ("body", "is_hot"),
    [
        ("return F.cross_entropy(F.softmax(x, dim=1).view(-1), y)", True),
        ("return F.cross_entropy(torch.matmul(F.softmax(x, dim=1), y), z)", False),
        ("return F.cross_entropy(F.softmax(x, dim=1) @ f(y), z)", False),
        ("return F.cross_entropy(F.softmax(x, dim=1) * 1.0, z)", True),
        ("s = 1.0\n    return F.cross_entropy(s * F.softmax(x, dim=1), z)", True),
        ("return F.cross_entropy(y * F.softmax(x, dim=1), z)", True),
        ("return np.log(torch.matmul(F.softmax(x, dim=1), y))", True),
        ("return np.exp(x) + np.log(2 * np.pi)", False),
        ("return np.exp(x) + self.log('x', x)", False),
    ],
)
def test_what_is_multiplied_is_a_softmax_no_more(body, is_hot):
    assert hot(f"def f(x, y, z):\n    {body}\n") == ({"f"} if is_hot else set())


def test_statements_are_followed_again_where_they_read_what_has_changed():
    text = """\
class A:
    def __init__(self):
        self.seen = None

    def first(self, x):
        try:
            return torch.log(self.seen)
        except ValueError as error:
            return torch.log(self.other())

    def other(self):
        return self.value

    def last(self, x):
        with x as y:
            self.seen = torch.exp(y)
        self.value = self.seen
"""
    assert hot(text) == {"first"}


def test_what_calls_a_pattern_with_defaults_is_hot():
    text = "def f(x, y, s=1.0):\n    return F.cross_entropy(F.softmax(x, 1) * s, y)\n\n\n"
    text += "def g(x, y):\n    return f(x, y)\n"
    assert hot(text) == {"f", "g"}
    assert hot(text.replace("=1.0", "")) == {"f"}
