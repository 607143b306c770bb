"""Values that reach a logarithm or a quotient from elsewhere: calls, attributes, classes, arrays that are filled."""

from __future__ import annotations

from textwrap import dedent

import pytest

from pytest_lse.lint import fast
from pytest_lse.lint.analyse import analyse

QUIET = frozenset({"LSE013", "LSE014"})
HEAD = """\
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
"""

NAIVE = {
    "an argument": """
        def loss(p):
            return torch.log(p).mean()
        def f(x):
            return loss(F.softmax(x, dim=1))
    """,
    "an attribute that another method sets": """
        class A:
            def build(self, x):
                self.p = torch.softmax(x, 1)
            def loss(self):
                return torch.log(self.p)
    """,
    "a call of self": """
        class A(nn.Module):
            def forward(self, x):
                return F.softmax(x, dim=-1)
            def loss(self, x):
                return -torch.log(self(x))
    """,
    "an inherited method": """
        class A(nn.Module):
            def forward(self, x):
                return F.softmax(x, dim=-1)
        class B(A):
            def loss(self, x):
                return torch.log(self.forward(x))
    """,
    "a property": """
        class A:
            @property
            def z(self):
                return np.exp(self.x).sum()
            def f(self):
                return np.log(self.z)
    """,
    "a network that is moved to its device": """
        class Net(nn.Module):
            def forward(self, x):
                return torch.sigmoid(self.layer(x))
        class A(Base):
            def __init__(self):
                self.net = Net()
            def fit(self, data, device):
                self.net = self.net.to(device)
                loss = nn.BCELoss()
                for x, y in data:
                    loss(self.net(x), y).backward()
            def predict(self, x, device):
                self.net = self.net.to(device)
                return self.net(x)
    """,
    "a network that runs on several devices": """
        class Net(nn.Module):
            def forward(self, x):
                return torch.softmax(self.layer(x), 1)
        class A:
            def __init__(self):
                self.net = nn.DataParallel(Net())
            def loss(self, x):
                return torch.log(self.net(x))
    """,
    "a shape that is starred": """
        def f(x):
            p = F.softmax(x.reshape(len(x), -1), dim=-1).reshape(*x.shape)
            return torch.log(p)
    """,
    "a library that is a parameter": """
        def f(x, xp=np):
            return 1 / (1 + xp.exp(-x))
    """,
    "a library of the project's own": """
        from ._backend import jnp
        def f(x):
            return jnp.log(jnp.exp(x).sum(-1))
    """,
    "a library that takes NumPy's name": """
        from mine.fastmath import numpy as jnp
        def f(x):
            return jnp.log(jnp.exp(x).sum(-1))
    """,
    "several values that a call gives": """
        def f(self, x):
            utility, bonus, cost = self.prepare(x)
            bonus = 0 if bonus is None else bonus
            cost = 0 if cost is None else cost
            e = np.exp(utility + bonus - cost)
            return e / np.sum(e, axis=1, keepdims=True)
    """,
    "a library that an object of the project's own has": """
        from ._device import device as dev
        def f(x):
            return dev.np.exp(x) / dev.np.sum(dev.np.exp(x))
    """,
    "one of two that a library gives": """
        from sklearn.utils import get_namespace
        def f(x):
            xp, _ = get_namespace(x)
            return xp.log(xp.sum(xp.exp(x)))
    """,
    "a density that is subtracted": """
        def f(self, x, q):
            ratio = self.potential(x) - q.log_prob(x)
            return torch.mean(torch.exp(ratio) + 1e-20, -1).log()
    """,
    "a range that ends at 1 less its beginning": """
        def f(x, margin):
            return torch.log(torch.clamp(torch.sigmoid(x), margin, 1 - margin))
    """,
    "an array that a loop fills": """
        def f(x):
            p = np.zeros(len(x))
            for i in range(len(x)):
                p[i] = np.exp(x[i])
            return p / p.sum()
    """,
    "a list of numbers that a loop fills": """
        def f(x, n):
            w = [0] * n
            for i in range(n):
                w[i] = math.exp(x[i])
            return math.log(sum(w))
    """,
    "a masked store": """
        def f(x, m):
            e = np.exp(x)
            e[m] = 0
            return np.log(e.sum(axis=1))
    """,
    "a row that is stored and read": """
        def f(x, out):
            for i in range(3):
                out[i, :] = np.exp(x[i])
                out[i, :] /= np.sum(out[i, :])
            return out
    """,
    "a dictionary": """
        def f(d):
            e = {k: math.exp(v) for k, v in d.items()}
            s = sum(e.values())
            return {k: v / s for k, v in e.items()}
    """,
    "a column of a table": """
        def f(df):
            df['e'] = np.exp(df['x'])
            return df['e'] / df['e'].sum()
    """,
    "map": """
        def f(xs):
            return math.log(sum(map(math.exp, xs)))
    """,
    "loops in loops": """
        def f(a, b):
            s = 0
            for i in range(3):
                for j in range(4):
                    s += np.exp(a[i] + b[j])
            return np.log(s)
    """,
    "an output that is given by place": """
        def f(x):
            e = np.empty_like(x)
            np.exp(x, e)
            return np.log(e.sum(axis=1))
    """,
    "stacked exponentials": """
        def f(x):
            e = np.column_stack((np.ones(len(x)), np.exp(x)))
            return e / e.sum(1)[:, None]
    """,
    "a library that is chosen at run time": """
        import chainer
        def f(x):
            xp = chainer.backend.get_array_module(x)
            return xp.log(xp.exp(-x) + 1)
    """,
    "a small default": """
        class A:
            def __init__(self, gamma=1e-10):
                self.gamma = gamma
            def f(self, a):
                return -torch.log(self.gamma + torch.sigmoid(a)).mean()
    """,
}

NAIVE |= {
    "a floor under the denominator": """
        def f(x):
            e = torch.exp(x)
            return e / torch.clamp(e.sum(1, keepdim=True), min=1e-12)
    """,
    "a maximum in the denominator": """
        def f(x):
            e = np.exp(x)
            return e / np.maximum(e.sum(axis=1, keepdims=True), 1e-12)
    """,
    "a share and the rest": """
        def f(x, p):
            return np.log(p * np.exp(x).sum(axis=0) + (1 - p))
    """,
    "a mixture of densities": """
        def f(a, b, x, w):
            return torch.log(w * torch.exp(a.log_prob(x)) + (1 - w) * torch.exp(b.log_prob(x)))
    """,
    "a reversed cumulative sum": """
        def f(x, i):
            e = torch.exp(x)
            total = e.flip(0).cumsum(0).flip(0)
            return torch.log(total[i])
    """,
    "an epsilon by its name": """
        def f(x, constants):
            epsilon = constants.smallest()
            return torch.log(torch.sigmoid(x) + epsilon)
    """,
    "a domain that is guarded": """
        def f(r):
            if r < 0:
                raise ValueError
            return math.log1p(-math.exp(-r))
    """,
    "an epsilon instead of a 1": """
        def f(d, epsilon):
            return np.log(np.exp(d) - (1.0 - epsilon))
    """,
    "scores over a temperature": """
        def f(score, temp):
            e = np.exp(-score / temp)
            return e / e.sum()
    """,
    "a shift that may be left out": """
        def f(u, s, is_scaled):
            shift = s if is_scaled else 0.0
            e = np.exp(u - shift)
            return e / e.sum(axis=1, keepdims=True)
    """,
    "an import that may fail": """
        try:
            import autograd.numpy as anp
        except ImportError:
            anp = None
        def f(x):
            return anp.log(anp.sum(anp.exp(x)))
    """,
    "one of two libraries": """
        try:
            import cupy as xnp
        except ImportError:
            import numpy as xnp
        def f(x):
            return xnp.log(xnp.sum(xnp.exp(x)))
    """,
    "a function of one of two libraries": """
        try:
            from cupy import exp
        except ImportError:
            from numpy import exp
        def f(x):
            return np.log(np.sum(exp(x)))
    """,
    "a function that stands in for an import": """
        try:
            from scipy.special import expit
        except ImportError:
            def expit(x):
                return np.tanh(x / 2) / 2 + 0.5
        def f(x):
            return np.log(expit(x))
    """,
    "a mask that keeps the wrong side": """
        def f(x):
            y = np.log1p(np.exp(x))
            low = x <= 20.0
            y[low] = x[low]
            return y
    """,
    "a clip to the range of an action": """
        class A:
            def f(self, x):
                x = np.clip(x, self.space.low, self.space.high)
                return np.exp(x) / np.exp(x).sum()
    """,
    "pieces of something else": """
        def f(x, y):
            return np.piecewise(x, [x < 0], [lambda x: x, abs]) + np.log(1 + np.exp(y))
    """,
    "pieces that are not written out": """
        def f(x, pieces):
            return np.piecewise(np.log(1 + np.exp(x)), [x < 0, x > 0], pieces)
    """,
    "an epsilon beside an entropy": """
        def f(x):
            p = torch.softmax(x, -1) + 1e-6
            return (p * torch.log(p)).sum()
    """,
    "a mask that multiplies": """
        def f(x, mask):
            e = np.exp(x)
            e = e * mask
            return e / e.sum()
    """,
    "a probability in the branch that it is for": """
        def loss(p, y):
            if y > 0.5:
                return torch.log(p)
            return 0.0
        def total(x, y):
            return loss(torch.sigmoid(x), y)
    """,
}

STABLE = {
    "a shift in a helper": """
        def shift(x):
            return x - x.max(axis=1, keepdims=True)
        def f(x):
            e = np.exp(shift(x))
            return e / e.sum(axis=1, keepdims=True)
    """,
    "probabilities on request": """
        class Net(nn.Module):
            def forward(self, x, probabilities=False):
                if probabilities:
                    return F.softmax(x, dim=1)
                return x
        def train(x, y):
            net = Net()
            return F.cross_entropy(net(x), y)
    """,
    "methods that are defined by each other": """
        class A:
            def survival(self, t):
                return np.exp(-self.hazard(t))
            def hazard(self, t):
                return -np.log(self.survival(t))
    """,
    "a sample": """
        def f(x):
            d = torch.distributions.Categorical(F.softmax(x, -1))
            return d.sample()
    """,
    "zeros replaced": """
        def f(x):
            p = F.softmax(x, -1)
            return torch.log(p.masked_fill(p == 0, 1.0))
    """,
    "what is positive": """
        def f(x):
            p = F.softmax(x, -1)
            p = p[p > 0]
            return -(p * torch.log(p)).sum()
    """,
    "a limit that is stored": """
        def f(x):
            x[x > 50] = 50
            return np.log(1 + np.exp(x))
    """,
    "a threshold that is a parameter": """
        def f(x, threshold=20.0):
            if x > threshold:
                return x
            return math.log1p(math.exp(x))
    """,
    "a threshold on self": """
        class A:
            def f(self, x):
                return np.where(x > self.threshold, x, np.log1p(np.exp(x)))
    """,
    "what a where leaves out, computed before": """
        def f(x):
            y = x * np.tanh(np.log(1.0 + np.exp(x)))
            return np.where(x >= 20.0, x, y)
    """,
    "a where of the library at hand": """
        class A:
            def mish(self, x, threshold=20.0):
                y = x * self.xp.tanh(self.xp.log(1.0 + self.xp.exp(x)))
                return self.xp.where(x >= threshold, x, y)
    """,
    "what a mask replaces afterwards": """
        def f(x):
            y = np.log1p(np.exp(x))
            high = x >= 20.0
            y[high] = x[high]
            return y
    """,
    "elements between two masks": """
        class A:
            def f(self, x):
                middle = ~((x > self.cut_point) | (x < -self.cut_point))
                out = torch.zeros_like(x)
                out[middle] = torch.log(1 - torch.tanh(x[middle]) ** 2)
                return out
    """,
    "a branch for another kind": """
        def mean(kind, x):
            if kind == 'logit':
                mu = torch.sigmoid(x)
            else:
                mu = torch.abs(x)
            return mu
        def loss(kind, mu):
            if kind == 'gamma':
                return torch.log(mu)
            return mu
        def total(kind, x):
            return loss(kind, mean(kind, x))
    """,
    "weights that are normalised each round": """
        def f(w, alpha, errors, rounds):
            for _ in range(rounds):
                w *= np.exp(alpha * errors)
                w /= w.sum()
            return w
    """,
    "weights that are multiplied and normalised": """
        def f(w, eta, gains):
            w = w * np.exp(eta * gains)
            return w / w.sum()
    """,
    "a power spelt by logarithm and exponential": """
        def f(u, k):
            e = np.exp(k * np.log(u))
            return e / e.sum()
    """,
    "a part of the whole": """
        def f(a, b):
            p = np.abs(a) / (np.abs(a) + np.abs(b))
            return np.exp(p) / (1 + np.exp(p))
    """,
    "a part of the maximum": """
        def f(n, k):
            e = np.exp(-n / (n.max() / (k - 1)))
            return e / e.sum()
    """,
    "a floor of a scale": """
        def f(u, x):
            s = torch.sigmoid(u + 2.0) + 1e-6
            return x * s, torch.log(s)
    """,
    "a scaled inverse of softplus": """
        def f(y, beta):
            return y + torch.log(-torch.expm1(-beta * y)) / beta
    """,
    "a clip to a threshold": """
        class A:
            def f(self, x):
                x = torch.clip(x, -self.threshold, self.threshold)
                return 1 / (1 + x.exp())
    """,
    "a minimum with what a dtype holds": """
        LARGEST = float(np.log(np.finfo(np.double).max) - 0.1)
        def f(x):
            return np.log(1 + np.exp(min(x, LARGEST)))
    """,
    "probabilities by name": """
        def f(probs):
            return np.exp(probs) / np.exp(probs).sum()
    """,
    "pieces": """
        def f(x):
            near = x < np.log(0.5)
            return np.piecewise(x, [near], [lambda x: np.log1p(-np.exp(x)), lambda x: np.log(-np.expm1(x))])
    """,
    "a decay": """
        def f(sample_rate, freq, q):
            a = np.exp(-2 * math.pi * freq / q / sample_rate)
            return -4 * a / (1 + a)
    """,
    "a fitted curve": """
        def f(v):
            return 1.7 / (1 + np.exp(-0.082 * (v + 22.5))) + 3.999 / (1 + np.exp(-1.3669 * v + 3.8224))
    """,
    "simulated data": """
        def f(cov, n):
            x = np.random.multivariate_normal(np.zeros(4), cov, size=n)
            return x[:, 1] / (1 + np.exp(x[:, 0]))
    """,
    "columns that are different": """
        def f(df):
            return np.exp(df['a']) / np.exp(df['b']).sum()
    """,
}


def codes(text):
    return {f.code for f in analyse(text, "module.py")} - QUIET


@pytest.mark.parametrize("name", NAIVE)
def test_a_value_is_followed(name):
    text = HEAD + dedent(NAIVE[name])
    assert len(codes(text)) == 1
    assert fast.analyse(text, "module.py", QUIET) == [f for f in analyse(text, "module.py") if f.code not in QUIET]


def test_no_fix_is_written_for_a_library_that_is_chosen_at_run_time():
    text = HEAD + dedent(NAIVE["one of two libraries"])
    assert [(f.code, f.fix) for f in analyse(text, "module.py")] == [("LSE001", None)]


def test_what_is_imported_from_unknown_modules_is_unknown():
    text = """
        try:
            import mine as xnp
        except ImportError:
            import yours as xnp
        def f(x):
            return xnp.log(xnp.sum(xnp.exp(x)))
    """
    assert codes(HEAD + dedent(text)) == set()


def test_a_finding_is_not_repeated_where_its_value_is_used():
    text = HEAD + dedent("""
        class A:
            def weights(self, x):
                e = np.exp(x)
                return e / e.sum()
            def use(self, x, a):
                w = self.weights(x)
                b = w * a
                return b
            def again(self, x):
                return self.use(x, 2.0)
        def f(x, scale):
            return scale * (1 / (1 + np.exp(-x)))
    """)
    found = [f for f in analyse(text, "module.py") if f.code not in QUIET]
    assert [(f.code, f.location.row, f.fix is not None) for f in found] == [("LSE002", 10, True), ("LSE006", 18, True)]


@pytest.mark.parametrize("name", STABLE)
def test_what_is_stable_stays_silent(name):
    assert codes(HEAD + dedent(STABLE[name])) == set()
