"""Random programs from a grammar of naive expressions, fixed and executed: same meaning, right far out, idempotent.

    python benchmarks/programs.py [--count 5000] [--first 0] [--show SEED]

Each seed is one program: a module with its imports, aliases, formatting and line endings, and a function of two
matrices, a number and another function. The original and the fixed function run on benign numbers of several shapes and
dtypes: values, shapes, dtypes and the calls of the other function must agree, for PyTorch the gradients too. The fixed
one runs on numbers far out as well, where it must give what the original gives in arbitrary precision.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import textwrap
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import libcst
import numpy as np

from pytest_lse.lint.config import Settings
from pytest_lse.lint.evaluate import Exact
from pytest_lse.lint.run import Job, do_file

FAR = np.array([-1000.0, -740.0, -90.0, -1.0, 0.5, 3.0, 95.0, 715.0, 1000.0])
SHAPE = (4, 5)


@dataclass
class Program:
    """Makes one program."""

    random: random.Random
    #: how numpy's functions are written
    prefix: str = "np."
    lines: list[str] = field(default_factory=list)
    names: int = 0
    nested: bool = False
    torch: bool = False

    def pick(self, *options):
        return self.random.choice(options)

    def space(self):
        return self.pick("", " ", " ")

    def call(self, name, *args):
        return f"{self.prefix}{name}({', '.join(a for a in args if a)})"

    # ---- values that are not naive

    def leaf(self, depth):
        kind = self.random.randrange(10 if depth else 7)
        if kind < 3:
            return self.pick("x", "x", "y")
        if kind == 3:
            return f"{self.pick('x', 'y')}{self.space()}*{self.space()}{self.pick('2', 't', '0.5')}"
        if kind == 4:
            return self.pick(
                "-x", "(x + y)", "(x + y) / t", "-t * x", "t * (x + 1.)", "y * 2 + x*t", "x - y", "(x - y) / t"
            )
        if kind == 5:
            return self.pick("x.T", "x[1:3]", "x[:, ::2]", "x[0]", "(x)", "x @ x.T")
        if kind == 6 and self.torch:
            return self.pick("torch.tanh(x)", "x.clone()", "abs(y)", "x**2", "g(x)", "g(x - 1) * 2")
        if kind == 6:
            return self.pick(f"{self.prefix}tanh(x)", "x.copy()", "abs(y)", "x**2", "g(x)", "g(x - 1) * 2", "g(g(y))")
        self.nested = True
        return self.naive(depth - 1)

    # ---- what people write

    def variable(self, value, always=False):
        if not (always or self.random.random() < 0.4):
            return value
        self.names += 1
        name = f"v{self.names}"
        self.lines.append(self.formatted(f"{name} = {value}"))
        return name

    def exp(self, a):
        if self.torch:
            return self.pick(f"torch.exp({a})", f"({a}).exp()")
        return self.pick(
            self.call("exp", a), self.call("exp", a), f"{self.prefix}e ** ({a})" if self.prefix else self.call("exp", a)
        )

    def axis(self, keep=None):
        if self.torch:
            kept = "keepdim=True" if keep and "True" in keep else self.pick("", "keepdim=True", "keepdim=False")
            return ", ".join(p for p in (self.pick("dim=0", "dim=-1", "dim=-1", "axis=0"), kept) if p)
        axis = self.pick("", "axis=0", "axis=1", "axis=-1", "axis=None", "axis=(0, 1)")
        kept = self.pick("", "keepdims=True", "keepdims=False") if keep is None else keep
        return ", ".join(p for p in (axis, kept) if p)

    def total(self, a, options):
        if self.torch:
            options = options.replace("axis=", "dim=").replace("keepdims", "keepdim")
        if self.random.random() < 0.4 and "**" not in a:
            return f"{a}.sum({options})"
        return self.call("sum", a, options)

    def naive(self, depth=1):
        a = self.leaf(depth)
        kind = self.random.randrange(14)

        def log(value):
            if self.torch and self.random.random() < 0.4:
                return f"({value}).log()"
            return self.call("log", value)

        if kind == 0:
            return log(self.variable(self.total(self.variable(self.exp(a)), self.axis())))
        if kind == 1:
            options = self.axis(self.pick("keepdims=True", "keepdims=True", None))
            if self.random.random() < 0.6:
                e = self.variable(self.exp(a), always=True)
                return f"({e}{self.space()}/{self.space()}{self.total(e, options)})"
            return f"({self.call('exp', a)} / {self.call('sum', self.call('exp', a), options)})"
        if kind == 2:
            return self.sigmoid(a)
        if kind == 3:
            e = self.variable(self.exp(a))
            return self.pick(log(f"1 + {e}"), log(f"{e}+1."), self.call("log1p", e))
        if kind == 4:
            b = self.pick("y", "x", "t * y")
            return log(f"{self.call('exp', a)} + {self.call('exp', b)}")
        if kind == 5:
            e = self.variable(self.exp(a), always=True)
            p = self.variable(f"{e} / {self.total(e, 'axis=-1, keepdims=True')}")
            return log(p)
        if kind == 6:
            return f"({a} - {log(self.total(self.exp(a), 'axis=-1, keepdims=True'))})"
        if kind == 8:
            # the name of the argument is taken for its exponential
            name = self.pick("x", "y")
            self.lines.append(f"{name} = {self.exp(a)}")
            if self.random.random() < 0.3:
                self.lines.append(self.pick("n = y * 2", "# a comment", "n = g(t)"))
            total = self.variable(self.total(name, "axis=-1, keepdims=True"))
            if self.random.random() < 0.5:
                self.lines.append(f"{name} = {name} / {total}")
                return name
            return f"({name} / {total})"
        if kind == 9:
            # in place
            p = self.variable(self.exp(a), always=True)
            total = self.variable(self.total(p, self.axis("keepdims=True")))
            self.lines.append(f"{p} /= {total}")
            return p
        if kind == 10:
            # an axis that comes back
            e = self.variable(self.exp(a), always=True)
            axis, again = self.pick(("-1", "[..., None]"), ("1", "[:, None]"), ("0", "[None]"), ("0", "[None, :]"))
            total = self.variable(self.total(e, f"axis={axis}"))
            return f"({e} / {total}{again})"
        if kind == 11:
            w = self.pick("abs(y)", "y**2", "t")
            return log(self.total(f"({w} * {self.exp(a)})", self.axis()))
        if kind == 12:
            # two that share the exponential
            e = self.variable(self.exp(a), always=True)
            total = self.variable(self.total(e, "axis=-1, keepdims=True"))
            return f"({e} / {total} + {log(total)})"
        if kind == 13:
            mean = (
                self.call("mean", self.exp(a), self.axis())
                if not self.torch
                else f"({self.exp(a)}).mean({self.axis()})"
            )
            return log(mean)
        s = self.variable(self.sigmoid(a))
        return self.pick(log(s), log(f"1 - {s}"), f"-{log('1 + ' + self.call('exp', '-(' + a + ')'))}")

    def sigmoid(self, a):
        e = self.call("exp", a)
        return self.pick(
            f"(1 / (1 + {self.call('exp', f'-({a})')}))",
            f"(1. / ({self.call('exp', f'-({a})')} + 1))",
            f"({e} / (1 + {e}))",
        )

    def context(self, e):
        return self.pick(
            e, e, e, f"-{e}", f"{e} * 2", f"2 * {e}", f"({e})", f"({e}).sum()", f"x[0, 0] - {e}", f"{e} - 1",
            f"{e} / t", f"(1 + {e})[..., 0]", f"[{e} for _ in range(2)]", f"(lambda: {e})()", f"({e} if t else 0)",
            f"({e}) ** 2", f"{self.prefix}maximum({e}, y)", f"dict(a={e})['a']", f"({e}, t)[0]",
            f"g({e})", f"{e} + g(y)", f"g(y) * {e}",
        )  # fmt: skip

    def formatted(self, line):
        if self.random.random() < 0.15 and "(" in line:
            at = self.random.choice([i for i, c in enumerate(line) if c == "("])
            return line[: at + 1] + "\n        " + line[at + 1 :]
        above = self.pick(*[""] * 12, "# above\n", "\n", "\n# above\n")
        return above + line + self.pick(*[""] * 8, "  # why", ";", " \t", "; z = t", "\n", "\n# below")

    def source(self):
        head, self.prefix = self.pick(
            ("import numpy as np", "np."),
            ("import numpy", "numpy."),
            ("import numpy as xp", "xp."),
            ("from numpy import abs, e, exp, log, log1p, maximum, mean, sum, tanh", ""),
        )
        self.torch = self.random.random() < 0.2
        if self.torch:
            head, self.prefix = self.pick(
                ("import torch", "torch."),
                ("import torch as th\nimport torch", "torch."),
                ("import torch\nimport torch.nn.functional as F", "torch."),
            )
        scipy = self.pick(
            "", "", "import scipy.special", "from scipy import special", "from scipy.special import expit",
            "import scipy", "scipy = None", "import scipy.special as sps",
        )  # fmt: skip
        top = self.pick(
            "",
            '"""Doc."""\n',
            "# coding: utf-8\n",
            "from __future__ import annotations\n",
            '"""Doc é."""\n\nimport math\n\n',
        )
        count = self.random.randrange(1, 4)
        results = []
        for _ in range(count):
            results.append(self.variable(self.context(self.naive(self.pick(0, 0, 1)))))
            if self.random.random() < 0.2:
                self.lines.append(self.pick("# a comment", "", "x = x + 0", "w = t; u = w"))
        returned = self.pick("return {}", "return ({})", "return[{}]", "result = {}\nreturn result")
        self.lines += returned.format(
            ", ".join(results) + ("," if count == 1 and self.random.random() < 0.1 else "")
        ).split("\n")
        indent = self.pick("    ", "  ", "\t")
        body = "\n".join(indent + line for lines in self.lines for line in lines.split("\n"))
        parameter = self.pick("x, y, t, g", "x, y, t, g, special=0", "x, y, t, g, scipy=0", "x, y, t=2.0, g=None")
        text = f"{top}{head}\n{scipy}\n\n\ndef f({parameter}):\n{body}" + self.pick("\n", "", "\n\n# end\n")
        return text.replace("\n", self.pick("\n", "\n", "\r\n"))


def program(seed):
    """Return the text of a program, and whether it is judged far out.

    Where an unknown value is subtracted the linter is silent on purpose: the author has thought of it. So it is where a
    kernel's result bounds the argument of another one, which then loses accuracy at most.
    """
    made = Program(random.Random(seed))
    text = made.source()
    return text, not made.nested and not made.torch and not re.search(r"x - y|x @|g\(", text)


class Recorder:
    """A function that the program knows nothing about, and what it was called with."""

    def __init__(self):
        self.calls = []

    def __call__(self, value):
        self.calls.append(np.array(value.detach() if hasattr(value, "detach") else value, dtype=float))
        return value * 0.5


def run(text, *args, numpy=None):
    module = ModuleType("program")
    exec(compile(text, "program.py", "exec", dont_inherit=True), vars(module))
    if numpy is not None:
        for name, value in list(vars(module).items()):
            if value is np:
                setattr(module, name, numpy)
            elif vars(np).get(name) is value and hasattr(numpy, name):
                setattr(module, name, getattr(numpy, name))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return flat(module.f(*args))


def flat(value):
    if isinstance(value, tuple | list):
        return [part for item in value for part in flat(item)]
    return [np.asarray(value)]


def exact_numpy(exact):
    """NumPy's functions on arrays of numbers of arbitrary precision."""
    names = ("exp", "log", "log1p", "expm1", "sqrt", "tanh")
    mine = {name: getattr(exact, name) for name in names}
    return SimpleNamespace(**mine, e=exact.context.e, sum=np.sum, mean=np.mean, maximum=np.maximum, abs=np.abs)


def check(seed):
    """Fix and run one program; return what happened to it, and raise AssertionError if anything is wrong."""
    text, judged_far = program(seed)
    settings = Settings(root="/")
    result = do_file("program.py", settings, Job("fix", unsafe=True), data=text.encode())
    assert result.error is None, result.error
    if result.output is None:
        return {"without a fix": 1, "findings left": len(result.findings)}
    fixed = result.output.decode()

    assert libcst.parse_module(fixed).code == fixed
    again = do_file("program.py", settings, Job("fix", unsafe=True), data=result.output)
    assert again.output is None, f"not idempotent:\n{again.output.decode() if again.output else ''}"
    generator = np.random.default_rng(seed)
    ran = 0
    torch = "import torch" in text
    # the sum of a number over an axis is the number in NumPy, an array of one element in SciPy
    shapes = (SHAPE, (5, 5)) if "@" in text else (SHAPE, (5, 5), (5,), (2, 3, 4), (3, 1))
    for shape in shapes:
        for dtype in ("float64", "float32"):
            arrays = [generator.normal(size=shape).astype(dtype) for _ in range(2)]
            try:
                old, old_calls = outcome(text, arrays, torch)
            except (ValueError, IndexError, RuntimeError, TypeError, AttributeError, np.exceptions.AxisError):
                continue
            new, new_calls = outcome(fixed, arrays, torch)
            ran += 1
            if dtype == "float32":
                # the original loses what the fix keeps: both are held against the original in double precision
                truth, _ = outcome(text, [a.astype("float64") for a in arrays], torch)
            else:
                truth = old
            assert [o.shape for o in old] == [n.shape for n in new], "shapes"
            assert [o.dtype for o in old] == [n.dtype for n in new], "dtypes"
            for o, n, t in zip(old, new, truth, strict=True):
                allowed = 1e-9 * (1 + abs(t)) if dtype == "float64" else 2e-4 * (1 + abs(t)) + 4 * abs(o - t)
                assert ((abs(n - t) <= allowed) | np.isnan(o)).all(), f"{o} became {n}"
            assert [c.shape for c in old_calls] == [c.shape for c in new_calls], "the calls of the other function"
            for o, n in zip(old_calls, new_calls, strict=True):
                assert np.allclose(n, o, rtol=1e-3, atol=1e-3, equal_nan=True), f"called with {n} for {o}"
    if ran and not result.findings and judged_far:
        far(text, fixed, generator)
    return {"fixed": len(result.fixed), "executed": ran, "findings left": len(result.findings), "programs fixed": 1}


def outcome(text, arrays, torch):
    """Return the results and gradients of a program, and the arguments of the function that it calls."""
    recorder = Recorder()
    if not torch:
        return run(text, *(a.copy() for a in arrays), 1.7, recorder), recorder.calls
    module = sys.modules.get("torch") or __import__("torch")
    tensors = [module.tensor(a, requires_grad=True) for a in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = ModuleType("program")
        exec(compile(text, "program.py", "exec", dont_inherit=True), vars(program))
        results = leaves_of(program.f(*tensors, 1.7, recorder))
    total = sum(r.sum() for r in results if isinstance(r, module.Tensor))
    gradients = module.autograd.grad(total, tensors, allow_unused=True) if hasattr(total, "backward") else []
    numbers = [r.detach().numpy() if isinstance(r, module.Tensor) else np.asarray(r) for r in results]
    return numbers + [g.numpy() for g in gradients if g is not None], recorder.calls


def leaves_of(value):
    return [part for item in value for part in leaves_of(item)] if isinstance(value, tuple | list) else [value]


def far(text, fixed, generator):
    exact = Exact()
    for shape in ((2, 3), (3, 3)):
        args = generator.choice(FAR, shape), generator.choice(FAR, shape)
        try:
            truth = run(text, *map(exact.number, args), exact.context.mpf(2), None, numpy=exact_numpy(exact))
        except (ValueError, IndexError, AttributeError, ZeroDivisionError, TypeError, np.exceptions.AxisError):
            continue  # also where an exact scalar has none of the methods of NumPy's
        for true, got in zip(truth, run(fixed, *args, 2.0, None), strict=True):
            for t, g in zip(np.ravel(true), np.ravel(got), strict=True):
                t = float(t)
                if np.isfinite(t) and abs(t) < 1e300:
                    assert abs(g - t) <= 1e-6 * (1 + abs(t)), f"{g} where {t} is right, on {args}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--show", type=int, help="print one program and its fix")
    args = parser.parse_args()
    if args.show is not None:
        text, _ = program(args.show)
        result = do_file("p.py", Settings(root="/"), Job("fix", unsafe=True), data=text.encode())
        print(text, "-" * 40, (result.output or b"").decode(), "-" * 40, *result.findings, sep="\n")
    counts: Counter[str] = Counter()
    failures = 0
    start = time.perf_counter()
    for seed in range(args.first, args.first + args.count) if args.show is None else [args.show]:
        counts["programs"] += 1
        try:
            counts.update(check(seed))
        except Exception as error:
            failures += 1
            print(f"seed {seed}: {type(error).__name__}: {textwrap.shorten(str(error), 300)}")
    for name, number in counts.items():
        print(f"{number:7}  {name}")
    print(f"{failures:7}  FAILURES\n{time.perf_counter() - start:7.0f} s")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
