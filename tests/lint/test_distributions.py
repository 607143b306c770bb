"""Fixes that give a distribution its logits: a keyword takes the place of an argument."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes

HEAD = "import torch\nimport torch.distributions as td\nfrom torch.distributions import Bernoulli as B, Categorical\n"


def outcome(body):
    text = HEAD + "def f(x, y, net):\n" + textwrap.indent(textwrap.dedent(body), "    ") + "\n"
    return text, analyse(text, "a.py")


FIXED = {
    "p = torch.sigmoid(x * y)\nreturn B(probs=p, validate_args=False).log_prob(y)": (
        "return B(logits=x * y, validate_args=False).log_prob(y)"
    ),
    "p = torch.sigmoid(x)\nreturn B(p).log_prob(y), p": "p = torch.sigmoid(x)\nreturn B(logits=x).log_prob(y), p",
    "return Categorical((torch.softmax(net(x), dim=-1))).log_prob(y)": "return Categorical(logits=net(x)).log_prob(y)",
    "return td.Multinomial(2, (torch.softmax(-x, -1))).log_prob(2 * y)": (
        "return td.Multinomial(2, logits=-x).log_prob(2 * y)"
    ),
    "return td.OneHotCategorical(\n    probs=(torch.softmax(x, -1)),\n).log_prob(y)": (
        "return td.OneHotCategorical(logits=x).log_prob(y)"
    ),
}


@pytest.mark.parametrize(("before", "after"), FIXED.items())
def test_logits(before, after):
    text, findings = outcome(before)
    assert [f.fix.applicability for f in findings if f.code == "LSE022"] == ["unsafe"]
    result = apply_fixes(text, findings, unsafe=True)
    assert not result.withheld
    expected, _ = outcome(after)
    assert result.text == expected
    assert not analyse(result.text, "a.py")
    torch = pytest.importorskip("torch")
    x, y = torch.tensor([[0.3, -1.0], [2.0, 0.5]], dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    y = y[0] if " Categorical" in before else y
    values = []
    for source in (text, result.text):
        namespace = {}
        exec(source, namespace)
        value = namespace["f"](x, y, lambda v: v * 2)
        values.append((value[0] if isinstance(value, tuple) else value).numpy())
    assert np.allclose(*values)


LEFT = {
    "return Categorical(torch.sigmoid(x)).log_prob(y)": "other probabilities",
    "return B(torch.softmax(x, -1)).log_prob(y)": "other probabilities",
    "return Categorical(torch.softmax(x, 1)).log_prob(y)": "last axis",
    "return Categorical(torch.softmax(x, -1) + 1e-8).log_prob(y)": "from 0",
    "p = torch.sigmoid(x)\nx += 1\nreturn B(p).log_prob(y)": "no longer available",
    "return B(*[torch.sigmoid(x)]).log_prob(y)": None,
    "make = lambda p: B(p)\nreturn make(torch.sigmoid(x)).log_prob(y)": None,
}


@pytest.mark.parametrize(("body", "reason"), LEFT.items())
def test_no_fix(body, reason):
    _, findings = outcome(body)
    assert all(f.fix is None for f in findings)
    assert reason is None or reason in findings[0].no_fix_reason
