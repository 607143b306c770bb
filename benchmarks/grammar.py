"""A grammar of naive programs: what people write, in their own spelling, layout and order.

A program is a module with one function `f` of two arrays, a number and another function, of which nothing is known. It
holds one to three naive expressions, in variables or not, nested or side by side, among comments, other statements and
names that get in the way.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

#: framework -> its import statements and how its functions are written
HEADS = {
    "numpy": (
        ("import numpy as np", "np."),
        ("import numpy as np", "np."),
        ("import numpy", "numpy."),
        ("import numpy as xp", "xp."),
        ("import math\nimport numpy as np", "np."),
        ("import os, numpy as np", "np."),
        ("from numpy import abs, e, exp, log, log1p, maximum, mean, sum, tanh, where, newaxis, expand_dims", ""),
        ("from numpy import *", ""),
        ("from numpy import (\n    exp,\n    log,\n)\nimport numpy as np", "np."),
    ),
    "torch": (
        ("import torch", "torch."),
        ("import torch as th\nimport torch", "torch."),
        ("import torch as th", "th."),
        ("import torch\nimport torch.nn.functional as F", "torch."),
        ("import torch\nfrom torch import nn, Tensor", "torch."),
    ),
    "jax": (
        ("import jax.numpy as jnp", "jnp."),
        ("from jax import numpy as jnp", "jnp."),
        ("import jax\nimport jax.numpy as jnp", "jnp."),
        ("import jax.numpy as np", "np."),
        ("import jax.numpy as jnp\nimport numpy as np", "jnp."),
    ),
    "math": (
        ("import math", "math."),
        ("from math import exp, log, log1p, tanh", ""),
        ("import math as m", "m."),
    ),
}
#: what stands between the imports and the function, and may lend or take the names that a fix uses
BESIDE = (
    "", "", "", "import scipy.special", "from scipy import special", "from scipy.special import expit",
    "import scipy", "scipy = None", "import scipy.special as sps", "special = 0", "logsumexp = softmax = None",
    "try:\n    import scipy\nexcept ImportError:\n    scipy = None", "def expit(v):\n    return v",
    "from scipy.special import (\n    expit,  # noqa: F401\n    xlogy,\n)", "if True:\n    import scipy.special",
)  # fmt: skip
TOPS = (
    "",
    "",
    '"""Doc."""\n',
    "# coding: utf-8\n",
    "from __future__ import annotations\n",
    '"""Doc é."""\n\nimport math\n\n',
    "#!/usr/bin/env python\n# A comment.\n\n",
    "\f\n",
)
PARAMETERS = (
    "x, y, t, g", "x, y, t, g", "x, y, t, g, special=0", "x, y, t, g, scipy=0", "x, y, t=2.0, g=None",
    "x, y, t, g, *args, **kwargs", "x, y, /, t, g", "x: object, y: object, t: float, g: object", "x, y, t, g, expit=1",
)  # fmt: skip


@dataclass
class Program:
    """Makes one program."""

    random: random.Random
    framework: str = "numpy"
    #: how the framework's functions are written
    prefix: str = "np."
    lines: list[str] = field(default_factory=list)
    names: int = 0
    #: whether a naive expression stands inside another one
    nested: bool = False
    #: whether the linter may have nothing to say about it, and be right
    quiet: bool = False

    @property
    def torch(self):
        return self.framework == "torch"

    def pick(self, *options):
        return self.random.choice(options)

    def chance(self, p):
        return self.random.random() < p

    def space(self):
        return self.pick("", " ", " ")

    def call(self, name, *args):
        return f"{self.prefix}{name}({', '.join(a for a in args if a)})"

    # ---- values that are not naive

    def leaf(self, depth):
        kind = self.random.randrange(10 if depth else 7)
        scalar = self.framework == "math"
        if kind < 3:
            return self.pick("x", "x", "y")
        if kind == 3:
            return f"{self.pick('x', 'y')}{self.space()}*{self.space()}{self.pick('2', 't', '0.5')}"
        if kind == 4:
            return self.pick(
                "-x", "(x + y)", "(x + y) / t", "-t * x", "t * (x + 1.)", "y * 2 + x*t", "x - y", "(x - y) / t", "x/t",
                "x / (2 * t)", "- (x)", "+x", "(x) * (y)", "(\n        x\n        + y\n    )",
            )  # fmt: skip
        if kind == 5 and not scalar:
            return self.pick("x.T", "x[1:3]", "x[:, ::2]", "x[0]", "(x)", "x @ x.T", "x[..., None]", "x[None]")
        if kind in (5, 6) and scalar:
            return self.pick(f"{self.prefix}tanh(x)", "abs(y)", "x**2", "g(x)", "float(x)", "max(x, y)", "x % 3")
        if kind == 6 and self.torch:
            return self.pick(
                f"{self.prefix}tanh(x)", "x.clone()", "abs(y)", "x**2", "g(x)", "g(x - 1) * 2", "x.double()"
            )
        if kind == 6:
            return self.pick(f"{self.prefix}tanh(x)", "x.copy()", "abs(y)", "x**2", "g(x)", "g(x - 1) * 2", "g(g(y))")
        self.nested = True
        return self.naive(depth - 1)

    # ---- how it is written

    def variable(self, value, always=False):
        if not (always or self.chance(0.4)):
            return value
        self.names += 1
        name = f"v{self.names}"
        kind = self.random.randrange(24)
        if kind == 0:
            return f"({name} := {value})" if not always else self.assigned(f"{name}: object = {value}", name)
        if kind == 1:
            return self.assigned(f"{name} = w{self.names} = {value}", name)
        if kind == 2:
            return self.assigned(f"{name}, w = {value}, t", name)
        if kind == 3:
            self.lines.append("s = {}" if self.chance(0.5) else "s = dict(a=1)")
            return self.assigned(f"s['{name}'] = {value}", f"s['{name}']")
        if kind == 4:
            return self.assigned(f"{name}={value}", name)
        return self.assigned(f"{name} = {value}", name)

    def assigned(self, statement, name):
        self.lines.append(self.formatted(statement))
        if self.chance(0.06):
            # something else looks at it
            self.lines.append(self.pick(f"u = {name}", f"assert {name} is not None", f"u = (lambda: {name})()"))
            if self.chance(0.3):
                self.lines.append(f"u = u * {name} if t else g({name})")
                self.quiet = True
        return name

    def formatted(self, line):
        if self.chance(0.2) and "(" in line:
            at = self.random.choice([i for i, c in enumerate(line) if c == "("])
            line = line[: at + 1] + self.pick("\n        ", "\n        ", "  # inside\n        ") + line[at + 1 :]
        elif self.chance(0.06) and line.count(" = ") == 1 and "\n" not in line:
            head, _, tail = line.partition(" = ")
            line = self.pick(f"{head} = (\n        {tail}\n    )", f"{head} = \\\n        {tail}")
        above = self.pick(*[""] * 12, "# above\n", "\n", "\n# above\n", "\f\n")
        return above + line + self.pick(*[""] * 8, "  # why", ";", " \t", "; z = t", "\n", "\n# below")

    # ---- the steps of a naive expression

    def exp(self, a):
        if self.torch:
            return self.pick(self.call("exp", a), f"({a}).exp()", f"({a}).exp_()" if "+" in a else f"({a}).exp()")
        if self.framework == "math":
            return self.pick(self.call("exp", a), self.call("exp", a), f"2.718281828459045 ** ({a})")
        power = f"{self.prefix}e ** ({a})" if self.prefix else self.call("exp", a)
        return self.pick(self.call("exp", a), self.call("exp", a), power)

    def axis(self, keep=None):
        if self.torch:
            kept = "keepdim=True" if keep and "True" in keep else self.pick("", "keepdim=True", "keepdim=False")
            return ", ".join(p for p in (self.pick("dim=0", "dim=-1", "-1", "axis=0"), kept) if p)
        axis = self.pick("", "axis=0", "axis=1", "axis=-1", "axis=None", "axis=(0, 1)", "-1", "1")
        kept = self.pick("", "keepdims=True", "keepdims=False") if keep is None else keep
        return ", ".join(p for p in (axis, kept) if p)

    def total(self, a, options):
        if self.torch:
            options = options.replace("axis=", "dim=").replace("keepdims", "keepdim")
        if self.chance(0.4) and "**" not in a:
            return f"{a}.sum({options})"
        return self.call("sum", a, options)

    def log(self, value):
        if self.torch and self.chance(0.4):
            return f"({value}).log()"
        if self.framework in ("torch", "jax") and self.chance(0.1):
            return self.call("log", f"{value}")
        return self.call("log", value)

    # ---- what people write

    def naive(self, depth=1):
        a = self.leaf(depth)
        if self.framework == "math":
            return self.of_numbers(a)
        kinds = (
            self.logsumexp, self.softmax, self.sigmoid, self.softplus, self.logaddexp, self.log_softmax,
            self.difference, self.log_sigmoid, self.rebound, self.in_place, self.expanded, self.weighted, self.shared,
            self.mean, self.chained, self.masked, self.called, self.spread, self.cumulated, self.in_steps,
        )  # fmt: skip
        return self.pick(*kinds)(a)

    def logsumexp(self, a):
        return self.log(self.variable(self.total(self.variable(self.exp(a)), self.axis())))

    def softmax(self, a):
        options = self.axis(self.pick("keepdims=True", "keepdims=True", None))
        if self.chance(0.6):
            e = self.variable(self.exp(a), always=True)
            return f"({e}{self.space()}/{self.space()}{self.total(e, options)})"
        return f"({self.call('exp', a)} / {self.call('sum', self.call('exp', a), options)})"

    def sigmoid(self, a):
        e = self.call("exp", a)
        return self.pick(
            f"(1 / (1 + {self.call('exp', f'-({a})')}))",
            f"(1. / ({self.call('exp', f'-({a})')} + 1))",
            f"({e} / (1 + {e}))",
            f"(1 + {self.call('exp', f'-({a})')}) ** -1",
            f"(1 - 1 / (1 + {e}))",
        )

    def softplus(self, a):
        e = self.variable(self.exp(a))
        return self.pick(self.log(f"1 + {e}"), self.log(f"{e}+1."), self.call("log1p", e))

    def logaddexp(self, a):
        b = self.pick("y", "x", "t * y")
        return self.log(f"{self.call('exp', a)} + {self.call('exp', b)}")

    def log_softmax(self, a):
        e = self.variable(self.exp(a), always=True)
        p = self.variable(f"{e} / {self.total(e, 'axis=-1, keepdims=True')}")
        return self.log(p)

    def difference(self, a):
        return f"({a} - {self.log(self.total(self.exp(a), 'axis=-1, keepdims=True'))})"

    def log_sigmoid(self, a):
        s = self.variable(self.sigmoid(a))
        return self.pick(self.log(s), self.log(f"1 - {s}"), f"-{self.log('1 + ' + self.call('exp', '-(' + a + ')'))}")

    def rebound(self, a):
        # the name of the argument is taken for its exponential
        name = self.pick("x", "y")
        self.lines.append(f"{name} = {self.exp(a)}")
        if self.chance(0.3):
            self.lines.append(self.pick("n = y * 2", "# a comment", "n = g(t)"))
        total = self.variable(self.total(name, "axis=-1, keepdims=True"))
        if self.chance(0.5):
            self.lines.append(f"{name} = {name} / {total}")
            return name
        return f"({name} / {total})"

    def in_place(self, a):
        p = self.variable(self.exp(a), always=True)
        alias = self.chance(0.15)
        if alias:
            self.lines.append(f"alias = {p}")
        total = self.variable(self.total(p, self.axis("keepdims=True")))
        if self.framework == "jax":
            self.lines.append(f"{p} = {p} / {total}")
        else:
            self.lines.append(self.pick(f"{p} /= {total}", f"{p} /= {total}", f"{p} *= 1 / {total}"))
        return f"({p} + alias)" if alias else p

    def expanded(self, a):
        # an axis that comes back
        e = self.variable(self.exp(a), always=True)
        axis, again = self.pick(
            ("-1", "{}[..., None]"),
            ("1", "{}[:, None]"),
            ("0", "{}[None]"),
            ("0", "{}[None, :]"),
            ("1", "{}.reshape(-1, 1)"),
            ("-1", "{}.unsqueeze(-1)" if self.torch else self.call("expand_dims", "{}", "-1")),
            ("1", "{}[:, None]" if self.torch else "{}[:, " + self.prefix + "newaxis]"),
            ("0", "{}"),
        )
        total = self.variable(self.total(e, f"axis={axis}"))
        return f"({e} / {again.format(total)})"

    def weighted(self, a):
        w = self.pick("abs(y)", "y**2", "t", "(y > 0)")
        self.quiet = self.quiet or w == "(y > 0)"
        return self.log(self.total(f"({w} * {self.exp(a)})", self.axis()))

    def shared(self, a):
        # two that share the exponential
        e = self.variable(self.exp(a), always=True)
        total = self.variable(self.total(e, "axis=-1, keepdims=True"))
        return f"({e} / {total} + {self.log(total)})"

    def mean(self, a):
        if self.torch:
            return self.log(f"({self.exp(a)}).mean({self.axis()})")
        return self.log(self.call("mean", self.exp(a), self.axis()))

    def chained(self, a):
        if self.torch:
            return self.pick(
                f"({a}).exp().sum({self.axis()}).log()",
                f"({a}).exp().add(1).log()",
                f"({a}).exp().log1p()",
                f"({a}).neg().exp().add(1).reciprocal()",
                f"({a}).sigmoid().log()",
                f"{self.call('softmax', a, 'dim=-1')}.log()",
                f"({a}).softmax(-1).log()",
                f"{self.prefix}nn.functional.softmax({a}, dim=-1).log()",
                f"({a})\\\n        .exp()\\\n        .sum(dim=-1)\\\n        .log()",
            )
        return self.pick(
            self.log(f"{self.call('exp', a)}.sum({self.axis()})"),
            self.log(f"{self.call('exp', a)}.mean({self.axis()})"),
            f"({self.call('exp', a)} / {self.call('exp', a)}.sum(-1, keepdims=True))",
            f"({self.call('exp', a)}.T / {self.call('exp', a)}.sum(axis=-1)).T",
        )

    def masked(self, a):
        self.quiet = True
        e = self.variable(self.call("where", "y > 0", self.exp(a), "0." if not self.torch else "t * 0"))
        return self.pick(
            self.log(self.total(e, self.axis())),
            f"({self.exp(a)} / {self.total(f'({self.exp(a)} * (y > 0))', 'axis=-1, keepdims=True')})",
            self.log(self.total(f"({self.exp(a)} * (y > 0))", self.axis())),
        )

    def called(self, a):
        # in a function, a lambda, a comprehension, a default
        self.quiet = True
        body = self.pick(
            self.log(f"1 + {self.call('exp', 'q')}"),
            f"1 / (1 + {self.call('exp', '-q')})",
            f"{self.call('exp', 'q')} / {self.total(self.call('exp', 'q'), 'axis=-1, keepdims=True')}",
        )
        kind = self.random.randrange(6)
        name = f"h{self.names}"
        if kind == 0:
            return f"(lambda q: {body})({a})"
        if kind == 1:
            return f"sum([{body} for q in ({a}, y)])" if self.prefix else f"[{body} for q in ({a}, y)][0]"
        if kind == 2:
            self.lines.append(f"{name} = lambda q, k={body.replace('q', '(' + a + ')')}: q + k")
            return f"{name}({a})"
        if kind == 3:
            self.lines.append(f"def {name}(q):\n\x01return {body}")
            return f"{name}({a})"
        if kind == 4:
            self.lines.append(f"def {name}(q, k=t):\n\x01e = {self.call('exp', 'q')}\n\x01return {body} + e * k")
            return f"{name}({a})"
        self.lines.append(f"class H:\n\x01w = {a}\n\n\x01def __call__(self, q):\n\x01\x01return {body} * self.w")
        return f"H()({a})"

    def spread(self, a):
        # on several paths, in loops, in blocks that guard
        name = f"r{self.names}"
        self.names += 1
        self.quiet = True
        e = self.variable(self.exp(a))
        value = self.pick(
            self.log(self.total(e, "axis=-1, keepdims=True")), f"{e} / {self.total(e, 'axis=-1, keepdims=True')}"
        )
        total, of_q = self.total(name, "axis=-1, keepdims=True"), value.replace(a, "q")
        guard = "with np.errstate(all='ignore'):" if "np." in self.prefix and self.framework == "numpy" else "if True:"
        self.lines.append(
            self.pick(
                f"if t > 1:\n\x01{name} = {value}\nelse:\n\x01{name} = {a}",
                f"if t > 9:\n\x01{name} = {value}\nelse:\n\x01{name} = {a}",
                f"{name} = 0\nfor k in range(2):\n\x01{name} = {name} + {value}",
                f"for k in range(2):\n\x01{name} = {self.exp(a)}\n\x01{name} = {name} / {total}",
                f"try:\n\x01{name} = {value}\nexcept ZeroDivisionError:\n\x01{name} = t",
                f"{guard}\n\x01{name} = {value}",
                f"{name} = []\nfor q in (x, y):\n\x01{name}.append({of_q})\n{name} = {name}[0] + {name}[1]",
                f"k = 0\nwhile k < 2:\n\x01{name} = {value}\n\x01k += 1",
            )
        )
        return name

    def cumulated(self, a):
        if self.torch:
            return self.log(self.call("cumsum", self.exp(a), "dim=-1"))
        self.quiet = True
        if self.prefix:
            return self.log(self.call("cumsum", self.exp(a), "axis=-1"))
        return self.log(self.total(self.exp(a), "axis=-1"))

    def in_steps(self, a):
        # one name for everything
        name = f"a{self.names}"
        self.names += 1
        self.lines.append(f"{name} = {a}")
        self.lines.append(self.formatted(f"{name} = {self.exp(name)}"))
        if self.chance(0.5):
            self.lines.append(self.formatted(f"{name} = {name} / {self.total(name, 'axis=-1, keepdims=True')}"))
        else:
            self.lines.append(self.formatted(f"{name} = {self.total(name, 'axis=-1')}"))
        if self.chance(0.6):
            self.lines.append(self.formatted(f"{name} = {self.log(name)}"))
        return name

    def of_numbers(self, a):
        """Return a naive expression of plain Python's numbers."""
        e = self.variable(self.exp(a))
        kind = self.random.randrange(7)
        if kind == 0:
            return self.pick(self.log(f"1 + {e}"), self.log(f"{e} + 1.0"), self.call("log1p", e))
        if kind == 1:
            return self.sigmoid(a)
        if kind == 2:
            return self.log(self.sigmoid(a))
        if kind == 3:
            return self.log(f"{e} + {self.call('exp', 'y')}")
        values = self.pick("[x, y, t]", "(x, y)", "[x * k for k in range(3)]")
        if kind == 4:
            return self.log(f"sum({self.call('exp', 'k')} for k in {values})")
        if kind == 5:
            return self.log(f"sum([{self.call('exp', 'k')} for k in {values}])")
        self.names += 1
        name = f"l{self.names}"
        self.lines.append(f"{name} = [{self.call('exp', 'k')} for k in {values}]")
        if self.chance(0.5):
            return self.log(f"sum({name})")
        self.lines.append(f"s{name} = sum({name})")
        return f"max([k / s{name} for k in {name}])"

    def context(self, e):
        if self.framework == "math":
            return self.pick(e, e, f"-{e}", f"2 * {e}", f"{e} - 1", f"{e} ** 2", f"g({e})", f"max({e}, y)", f"[{e}, t]")
        return self.pick(
            e, e, e, f"-{e}", f"{e} * 2", f"2 * {e}", f"({e})", f"({e}).sum()", f"x[0, 0] - {e}", f"{e} - 1",
            f"{e} / t", f"(1 + {e})[..., 0]", f"[{e} for _ in range(2)]", f"(lambda: {e})()", f"({e} if t else 0)",
            f"({e}) ** 2", f"{self.prefix}maximum({e}, y)", f"dict(a={e})['a']", f"({e}, t)[0]",
            f"g({e})", f"{e} + g(y)", f"g(y) * {e}", f"2 ** -{e}", f"{e}**2", f"(yield_ := {e})", f"[*[{e}]]",
            f"{e} if t > 1 else x", f"not {e} is None", f"-(-{e})", f"{{'k': {e}}}['k']", f"({e}).T", f"y - ({e})",
        )  # fmt: skip

    def source(self):
        self.framework = self.pick(*["numpy"] * 11, *["torch"] * 5, *["jax"] * 2, *["math"] * 2)
        head, self.prefix = self.pick(*HEADS[self.framework])
        beside = self.pick(*BESIDE)
        top = self.pick(*TOPS)
        count = self.random.randrange(1, 4)
        results = []
        for _ in range(count):
            results.append(self.variable(self.context(self.naive(self.pick(0, 0, 1)))))
            if self.chance(0.2):
                self.lines.append(self.pick("# a comment", "", "x = x + 0", "w = t; u = w", "pass", "'x'"))
        returned = self.pick("return {}", "return ({})", "return[{}]", "result = {}\nreturn result")
        self.lines += returned.format(", ".join(results) + ("," if count == 1 and self.chance(0.1) else "")).split("\n")
        indent = self.pick("    ", "    ", "  ", "\t")
        body = "\n".join(indent + line for lines in self.lines for line in lines.split("\n"))
        local = ""
        if self.chance(0.06) and "*" not in head and "(" not in head:
            head, local = "", "".join(f"{indent}{line}\n" for line in head.split("\n"))
        text = f"{top}{head}\n{beside}\n\n\ndef f({self.pick(*PARAMETERS)}):\n{local}{body}".replace("\x01", indent)
        text += self.pick("\n", "", "\n\n# end\n", "  # last", "\n\n\nif __name__ == '__main__':\n    print(f)\n")
        ending = self.random.randrange(12)
        if ending < 3:
            text = text.replace("\n", "\r\n")
        elif ending == 3:
            # mixed
            text = re.sub("\n", lambda m: self.pick("\n", "\r\n"), text)
        return self.pick(*[""] * 11, "\ufeff") + text


def program(seed):
    """Return the text of a program, its framework, and whether it is judged far out.

    Where an unknown value is subtracted the linter is silent on purpose: the author has thought of it. So it is where a
    kernel's result bounds the argument of another one, which then loses accuracy at most.
    """
    made = Program(random.Random(seed))
    text = made.source()
    judged = made.framework == "numpy" and not made.nested and not made.quiet
    return text, made.framework, judged and not re.search(r"x - y|x @|g\(", text)
