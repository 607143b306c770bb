"""The fast path finds what the slow one finds, and the work grows with the file, not with its square."""

import random
from pathlib import Path

import pytest

from pytest_lse.lint import fast, prefilter
from pytest_lse.lint.analyse import Analysis, analyse
from pytest_lse.lint.code import UncertainError, code
from pytest_lse.lint.cut import cut
from pytest_lse.lint.graph import Graph
from pytest_lse.lint.match import Matcher

FIXTURES = sorted((Path(__file__).parent.parent.parent / "fixtures").rglob("*.py"))
HEAD = (
    "import numpy as np\nimport torch\nfrom torch.nn import functional as F\nfrom scipy.special import expit as ex\n\n"
)
PARTS = (
    "def f{n}(x):\n    return np.exp(x)\n\n\n",
    "def f{n}(x):\n    return 1 / (1 + f{m}(-x))\n\n\n",
    "def f{n}(x):\n    e = f{m}(x)\n    return np.log(e.sum(axis=-1))\n\n\n",
    "def f{n}(x):\n    return np.log(np.sum(np.exp(x), axis={m}))\n\n\n",
    "@decorated\ndef f{n}(x,\n    y=(1,\n2)\n):\n    '''log(sum(exp(x)))\n"
    "def no(): '''\n    return f{m}(x) # exp\n\n\n",
    "g{n} = f{m}\n",
    "g{n} = lambda v: np.log(1 + ex(v))\n",
    "if __name__ == '__main__':\n    print(f{m}(1))\n",
    "class A{n}:\n    def __init__(self):\n        self.act = torch.nn.Softmax(dim=-1)\n\n"
    "    def forward(self, x):\n        return self.act(x)\n\n"
    "    def loss(self, x, y):\n        return F.cross_entropy(self.forward(x), y)\n\n\n",
    "class B{n}(A{m}):\n    k = 3\n\n    def __init__(self):\n        self.inner = A{m}()\n\n"
    "    def run(self, x):\n        self.k = 2\n        return torch.log(self.inner(x))\n\n    def idle(self):\n"
    "        import jax\n        return 1\n\n\n",
    "def f{n}(x, s=1.0):\n    p = F.softmax(x, dim=-1) * s\n    return F.cross_entropy(p, x), f{m}(p)\n\n\n",
    "def f{n}(x, y):\n    s = torch.matmul(f{m}(x), y)\n    return F.cross_entropy(s, y)\n\n\n",
    "def f{n}(x):\n    a, b = f{m}(x), 1 - f{m}(x)\n    with torch.no_grad():\n        a = a / a.sum(-1)\n    try:\n"
    "        return torch.log(b)\n    except ValueError:\n"
    "        return torch.distributions.Categorical(logits=a)\n\n\n",
    "class C{n}(A{m}):\n    def run(self, x, y):\n        for a in x:\n            y = y + torch.log(self(a))\n"
    "            self.last = y\n        return F.nll_loss(y, x)\n\n    def other(self):\n"
    "        return torch.log(1 - self.last)\n\n\n",
    "def test_{n}(x):\n    assert f{m}(x) == np.log(1 + np.exp(x))\n\n\n",
    "x{n} = f{m}(np.ones(3))\ny{n} = np.log(x{n} + 1) / x{m}\n",
)


def program(seed: int) -> str:
    draw = random.Random(seed)
    return HEAD + "".join(draw.choice(PARTS).format(n=n, m=draw.randrange(8)) for n in range(4 + seed % 5))


def shown(findings):
    return [f.to_json() for f in findings]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fixtures_have_the_same_findings_either_way(path):
    text = path.read_text("utf-8")
    assert shown(fast.analyse(text, path.name)) == shown(analyse(text, path.name))


def test_random_programs_have_the_same_findings_either_way():
    found = cold = 0
    for seed in range(150):
        text = program(seed)
        slow = analyse(text, "a.py")
        assert shown(fast.analyse(text, "a.py")) == shown(slow), text
        found += len(slow)
        cold += not slow
    assert found > 100
    assert cold > 5


def test_what_holds_no_finding_is_not_lowered(monkeypatch):
    lowered = []
    complete = Analysis("a.py").lowerer.__class__.complete
    monkeypatch.setattr(
        "pytest_lse.lint.lower.functions.Functions.complete",
        lambda self, record: (lowered.append(record.name), complete(self, record))[1],
    )
    text = HEAD + "def idle(x):\n    return x + 1\n\n\n" * 50 + "def f(x):\n    return np.log(np.exp(x).sum())\n"
    assert fast.analyse(text, "a.py")
    assert set(lowered) == {"f"}
    lowered.clear()
    analyse(text, "a.py")
    assert set(lowered) == {"f", "idle"}


@pytest.mark.parametrize(
    "text",
    [
        "x = 'a\\\nb'\n",
        "print 'x'\n",
        "x = (1\n",
        "a\rb",
        "\f\fdef f(): pass\n",
        "<<<<<<< HEAD\n",
        "except ValueError, e:\n",
    ],
)
def test_what_the_lines_cannot_tell_is_left_to_the_parser(text):
    with pytest.raises(UncertainError):
        code("x = 1\n" + text)


def test_strings_and_comments_are_no_code():
    text = "a = '''x\ny''' # exp\nb = \"it's\" + 'q\\'' + 1\nc = \\\n  2\n"
    assert code(text) == "\na = \n \nb =  +  + 1\nc = \n}2\n"


def test_words_in_strings_are_no_words():
    needs = prefilter.forms(frozenset())
    assert cut("def f(x):\n    'log(exp(x)) / 1'\n    return x # log exp /\n", needs) is None
    assert cut("def f(x):\n    return log(exp(x))\n", needs) is not None


def counted(monkeypatch, text):
    """Return how many nodes are made and how many steps matching takes."""
    steps = [0]
    intern, match = Graph._intern, Matcher._match

    def counting_intern(self, *args):
        steps[0] += 1 + len(args[1])
        return intern(self, *args)

    def counting_match(self, *args):
        steps[0] += 1
        return match(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Graph, "_intern", counting_intern)
        patch.setattr(Matcher, "_match", counting_match)
        analyse(text, "a.py")
    return steps[0]


GROWING = {
    "terms of a sum": lambda n: "def f(x):\n    return " + " + ".join(f"np.exp(x[{i}])" for i in range(n)) + "\n",
    "terms of a logarithm": lambda n: (
        "def f(x):\n    return np.log(" + " + ".join(f"np.exp(x[{i}])" for i in range(n)) + ")\n"
    ),
    "factors": lambda n: "def f(x):\n    return " + " * ".join(f"np.exp(x[{i}])" for i in range(n)) + "\n",
    "assignments": lambda n: "def f(v0):\n" + "".join(f"    v{i} = np.exp(v{i - 1})\n" for i in range(1, n)),
    "steps": lambda n: "def f(x):\n" + "    x = x + np.exp(x)\n" * n,
    "findings": lambda n: "".join(
        f"def f{i}(x):\n    return np.log(np.sum(np.exp(x), axis={i % 3}))\n" for i in range(n)
    ),
    "lines": lambda n: "".join(f"a{i} = {i} + b\n" for i in range(n)),
    "calls of calls": lambda n: (
        "def f0(x):\n    return np.exp(x)\n"
        + "".join(f"def f{i}(x):\n    return f{i - 1}(x) + 1\n" for i in range(1, n))
    ),
}


@pytest.mark.parametrize("kind", GROWING)
def test_the_work_grows_with_the_file(kind, monkeypatch):
    small, large = (counted(monkeypatch, HEAD + GROWING[kind](n)) for n in (400, 800))
    assert large < 2.3 * small
