"""Random programs from a grammar of naive expressions, fixed and executed: same meaning, right far out, idempotent.

    python benchmarks/programs.py [--count 5000] [--first 0] [--show SEED]

A line every hundred programs says how far it is.

Each seed is one program: a module with its imports, aliases, formatting and line endings, and a function of two arrays,
a number and another function (`grammar.py`). The original and the fixed function run on benign numbers of several
shapes and dtypes: values, shapes, dtypes, what happens to the arguments and the calls of the other function must agree,
for PyTorch the gradients too. The fixed one runs on numbers far out as well, where it must give what the original gives
in arbitrary precision. No comment is lost, and line endings and the byte order mark stay.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import textwrap
import time
import tokenize
import warnings
from collections import Counter
from io import BytesIO
from types import ModuleType, SimpleNamespace

import libcst
import numpy as np
from grammar import program

from pytest_lse.lint.config import Settings
from pytest_lse.lint.evaluate import Exact
from pytest_lse.lint.run import Job, do_file

FAR = np.array([-1000.0, -740.0, -90.0, -1.0, 0.5, 3.0, 95.0, 715.0, 1000.0])
SHAPE = (4, 5)
# JAX compiles every function for every shape, which takes longer than all the rest
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0 " + os.environ.get("XLA_FLAGS", "")
ERRORS = (
    ValueError, IndexError, RuntimeError, TypeError, AttributeError, ZeroDivisionError, OverflowError, KeyError,
    NameError, np.exceptions.AxisError,
)  # fmt: skip


class Recorder:
    """A function that the program knows nothing about, and what it was called with."""

    def __init__(self):
        self.calls = []

    def __call__(self, value):
        self.calls.append(np.array(value.detach() if hasattr(value, "detach") else value, dtype=float))
        return value * 0.5


def module_of(data, numpy=None):
    """Return the program as a module, with another numpy if one is given."""
    module = ModuleType("program")
    exec(compile(data, "program.py", "exec", dont_inherit=True), vars(module))
    if numpy is not None:
        for name, value in list(vars(module).items()):
            if value is np:
                setattr(module, name, numpy)
            elif vars(np).get(name) is value and hasattr(numpy, name):
                setattr(module, name, getattr(numpy, name))
    return module


def run(data, *args, numpy=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [np.asarray(v) for v in leaves_of(module_of(data, numpy).f(*args))]


def leaves_of(value):
    return [part for item in value for part in leaves_of(item)] if isinstance(value, tuple | list) else [value]


def exact_numpy(exact):
    """NumPy's functions on arrays of numbers of arbitrary precision."""
    names = ("exp", "log", "log1p", "expm1", "sqrt", "tanh")
    mine = {name: getattr(exact, name) for name in names}
    same = {name: getattr(np, name) for name in ("sum", "mean", "maximum", "abs", "where", "newaxis", "expand_dims")}
    return SimpleNamespace(**mine, **same, e=exact.context.e)


def inputs(text, framework, generator):
    """Yield the dtype and the two arrays of each run."""
    if framework == "math":
        for _ in range(4):
            yield "float64", [float(v) for v in generator.normal(size=2)]
        yield "float64", [1, 2]
        return
    # JAX compiles everything anew for each shape
    shapes = (SHAPE, (5, 5)) if "@" in text or framework == "jax" else (SHAPE, (5, 5), (5,), (2, 3, 4), (3, 1))
    if re.search(r"@|x\[0\]", text) and re.search(r"(axis=|dim=|sum\()-?[01]", text):
        # NumPy lets a number pass for an array that has the axis: no fix promises anything about that
        shapes = tuple(s for s in shapes if len(s) > 1)
    for shape in shapes:
        for dtype in ("float64", "float32"):
            yield dtype, [generator.normal(size=shape).astype(dtype) for _ in range(2)]


def check(seed):
    """Fix and run one program; return what happened to it, and raise AssertionError if anything is wrong."""
    text, framework, judged_far = program(seed)
    data = text.encode()
    settings = Settings(root="/")
    result = do_file("program.py", settings, Job("fix", unsafe=True), data=data)
    assert result.error is None, result.error
    assert not any(f.code == "LSE000" for f in result.findings), "does not parse"
    if result.output is None:
        return {"without a fix": 1, "findings left": len(result.findings)}
    fixed = result.output

    assert libcst.parse_module(fixed).bytes == fixed
    keeps_its_form(data, fixed)
    again = do_file("program.py", settings, Job("fix", unsafe=True), data=fixed)
    assert again.output is None, f"not idempotent:\n{again.output.decode() if again.output else ''}"
    generator = np.random.default_rng(seed)
    ran = 0
    np.seterr(all="ignore")
    for dtype, arrays in inputs(text, framework, generator):
        try:
            old, old_calls = outcome(data, arrays, framework)
        except ERRORS:
            continue
        try:
            new, new_calls = outcome(fixed, arrays, framework)
        except TypeError:
            if np.ndim(arrays[0]) > 1:
                raise
            continue  # see shape_of
        ran += 1
        truth = old
        if dtype == "float32":
            # the original loses what the fix keeps: both are held against the original in double precision
            truth, _ = outcome(data, [a.astype("float64") for a in arrays], framework)
        assert [shape_of(o, arrays) for o in old] == [shape_of(n, arrays) for n in new], "shapes"
        assert [o.dtype for o in old] == [n.dtype for n in new], "dtypes"
        for o, n, t in zip(old, new, truth, strict=True):
            if o.dtype.kind not in "fi":
                assert (o == n).all(), f"{o} became {n}"
                continue
            allowed = 1e-9 * (1 + abs(t)) if dtype == "float64" else 2e-4 * (1 + abs(t)) + 4 * abs(o - t)
            failed = ~np.isfinite(o) & ~np.isfinite(t)  # the original, on numbers that are not benign after all
            assert ((abs(n - t) <= allowed) | np.isnan(o) | failed | (n == o)).all(), f"{o} became {n}"
        assert [c.shape for c in old_calls] == [c.shape for c in new_calls], "the calls of the other function"
        for o, n in zip(old_calls, new_calls, strict=True):
            near = np.isclose(n, o, rtol=1e-3, atol=1e-3) | ~np.isfinite(o)
            assert near.all(), f"called with {n} for {o}"
    if ran and not result.findings and judged_far:
        far(data, fixed, generator)
    return {"fixed": len(result.fixed), "executed": ran, "findings left": len(result.findings), "programs fixed": 1}


def shape_of(result, arrays):
    """Return a result's shape; what reduces a row twice takes a number for an array, whose shape no fix promises."""
    return (result.shape or (1,)) if np.ndim(arrays[0]) == 1 else result.shape


def keeps_its_form(before, after):
    """Assert that no comment is lost, and that what is not in the syntax tree is as it was."""
    lost = Counter(comments(before)) - Counter(comments(after))
    assert not lost, f"lost the comments {sorted(lost)}"
    assert before.startswith(b"\xef\xbb\xbf") == after.startswith(b"\xef\xbb\xbf"), "byte order mark"
    assert before.count(b"\f") == after.count(b"\f"), "form feeds"
    assert before.endswith(b"\n") == after.endswith(b"\n"), "the end of the file"
    unix, windows = (re.search(ending, before) for ending in (rb"(?<!\r)\n", rb"\r\n"))
    assert unix or not re.search(rb"(?<!\r)\n", after), "line endings"
    assert windows or b"\r" not in after, "line endings"


def comments(data):
    return [t.string for t in tokenize.tokenize(BytesIO(data).readline) if t.type == tokenize.COMMENT]


def outcome(data, arrays, framework):
    """Return the results of a program, gradients, what became of the arguments, and the calls of the other function."""
    recorder = Recorder()
    if framework == "math":
        return run(data, *arrays, 1.7, recorder), recorder.calls
    if framework == "numpy":
        arrays = [a.copy() for a in arrays]
        return run(data, *arrays, 1.7, recorder) + arrays, recorder.calls
    if framework == "jax":
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        return run(data, *map(jax.numpy.asarray, arrays), 1.7, recorder), recorder.calls
    torch = importlib.import_module("torch")
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = leaves_of(module_of(data).f(*tensors, 1.7, recorder))
    total = sum(r.sum() for r in results if isinstance(r, torch.Tensor) and r.is_floating_point())
    gradients = torch.autograd.grad(total, tensors, allow_unused=True) if hasattr(total, "backward") else []
    numbers = [r.detach().numpy() if isinstance(r, torch.Tensor) else np.asarray(r) for r in results]
    return numbers + [g.numpy() for g in gradients if g is not None], recorder.calls


def far(data, fixed, generator):
    exact = Exact()
    for shape in ((2, 3), (3, 3)):
        args = generator.choice(FAR, shape), generator.choice(FAR, shape)
        try:
            truth = run(data, *map(exact.number, args), exact.context.mpf(2), None, numpy=exact_numpy(exact))
        except ERRORS:
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
        text, *_ = program(args.show)
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
            print(f"seed {seed}: {type(error).__name__}: {textwrap.shorten(str(error), 300)}", flush=True)
        if (seed + 1) % 100 == 0:
            print(f"up to seed {seed}: {failures} failures, {time.process_time():.0f} s of CPU time", flush=True)
    for name, number in counts.items():
        print(f"{number:7}  {name}")
    print(f"{failures:7}  FAILURES\n{time.perf_counter() - start:7.0f} s")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
