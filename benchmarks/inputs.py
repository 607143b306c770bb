"""What a fix does to inputs that are no array of floats: integers, numbers, lists, other containers.

    python benchmarks/inputs.py [--framework numpy] [--all]

Each naive form is fixed as in a project that depends on SciPy. The original and the fixed one get each input: kind of
result, dtype, shape, values and exceptions are compared. What differs is printed; `--all` prints every row. pandas and
xarray take part where they are installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections import Counter
from types import ModuleType

import numpy as np

from pytest_lse.lint.config import Settings
from pytest_lse.lint.run import Job, do_file

#: in NumPy's spelling, of `x` and of `y`, which is the same
FORMS = {
    "logsumexp": "np.log(np.sum(np.exp(x), axis=AXIS))",
    "logsumexp kept": "np.log(np.sum(np.exp(x), axis=AXIS, keepdims=True))",
    "logsumexp whole": "np.log(np.sum(np.exp(x)))",
    "softmax": "np.exp(x) / np.sum(np.exp(x), axis=AXIS, keepdims=True)",
    "softmax whole": "np.exp(x) / np.sum(np.exp(x))",
    "log_softmax": "np.log(np.exp(x) / np.sum(np.exp(x), axis=AXIS, keepdims=True))",
    "log_softmax difference": "x - np.log(np.sum(np.exp(x), axis=AXIS, keepdims=True))",
    "logaddexp": "np.log(np.exp(x) + np.exp(y))",
    "softplus": "np.log(1 + np.exp(x))",
    "softplus log1p": "np.log1p(np.exp(x))",
    "sigmoid": "1 / (1 + np.exp(-x))",
    "sigmoid ratio": "np.exp(x) / (1 + np.exp(x))",
    "log_sigmoid": "np.log(1 / (1 + np.exp(-x)))",
    "log_sigmoid softplus": "-np.log(1 + np.exp(-x))",
    "log of 1 - sigmoid": "np.log(1 - 1 / (1 + np.exp(-x)))",
    "logmeanexp": "np.log(np.mean(np.exp(x), axis=AXIS))",
    "logcumsumexp": "np.log(np.cumsum(np.exp(x), axis=AXIS))",
    "log1mexp": "np.log(1 - np.exp(-x))",
    "logsubexp": "np.log(np.exp(x) - np.exp(y - 1))",
    "log1p": "np.log(1 + x)",
    "expm1": "np.exp(x) - 1",
    "log exp": "np.log(np.exp(x))",
    "log prod": "np.log(np.prod(x, axis=AXIS))",
    "entropy": "-np.sum(P * np.log(P), axis=AXIS)".replace(
        "P", "np.exp(x) / np.sum(np.exp(x), axis=AXIS, keepdims=True)"
    ),
    "bce": "-(y * np.log(1 / (1 + np.exp(-x))) + (1 - y) * np.log(1 - 1 / (1 + np.exp(-x))))",
}
MATH = {
    "math logsumexp": "math.log(sum(math.exp(v) for v in x))",
    "math softplus": "math.log(1 + math.exp(x))",
    "math softplus log1p": "math.log1p(math.exp(x))",
    "math sigmoid": "1 / (1 + math.exp(-x))",
    "math log_sigmoid": "math.log(1 / (1 + math.exp(-x)))",
    "math logaddexp": "math.log(math.exp(x) + math.exp(y))",
    "math log exp": "math.log(math.exp(x))",
    "math log1mexp": "math.log(1 - math.exp(-x))",
}
HEADS = {
    "numpy": "import numpy as np\nimport scipy.special\n",
    "torch": "import torch\n",
    "jax": "import jax.numpy as jnp\n",
    "tensorflow": "import tensorflow as tf\n",
    "math": "import math\nimport scipy.special\n",
}
M = [[1.0, 2.0, 0.5], [0.25, 3.0, 1.5]]
I = [[1, 2, 1], [3, 1, 2]]  # noqa: E741


def respelled(form, framework):
    if framework == "torch":
        form = form.replace("np.", "torch.").replace("axis=", "dim=").replace("keepdims", "keepdim")
    if framework == "jax":
        form = form.replace("np.", "jnp.")
    if framework == "tensorflow":
        form = form.replace("np.exp", "tf.exp").replace("np.log", "tf.math.log").replace("np.", "tf.reduce_")
        form = form.replace("tf.reduce_cumsum", "tf.cumsum").replace("tf.math.log1p", "tf.math.log1p")
    return form


def arrays():
    """Yield name -> input for NumPy."""
    yield from {"float64": np.array(M), "float32": np.array(M, "f4"), "float16": np.array(M, "f2")}.items()
    yield from ((d, np.array(I, d)) for d in ("int64", "int32", "int8", "uint8", "bool", "object", "complex128"))
    yield from {"float64 1-d": np.array(M[0]), "0-d": np.array(1.5), "float": 1.5, "int": 2, "True": True}.items()
    yield from {"np.float32": np.float32(1.5), "np.float64": np.float64(1.5), "np.int64": np.int64(2)}.items()
    yield from {"list": M, "list of int": I, "list 1-d": M[0], "tuple": tuple(M[0]), "str": "a", "None": None}.items()
    yield from {"empty": np.zeros((2, 0)), "empty 1-d": np.zeros(0), "3-d": np.ones((2, 3, 4))}.items()
    yield from {"matrix": np.matrix(M), "masked": np.ma.masked_array(M, np.array(I) > 2)}.items()
    yield from {"Fortran order": np.asfortranarray(M), "read-only": np.broadcast_to(1.5, (2, 3))}.items()
    yield "sparse", importlib.import_module("scipy.sparse").csr_matrix(M)
    try:
        pd = importlib.import_module("pandas")
        yield from {"DataFrame": pd.DataFrame(M, columns=list("abc")), "Series": pd.Series(M[0], list("abc"))}.items()
        xr = importlib.import_module("xarray")
        yield "DataArray", xr.DataArray(M, dims=("i", "j"))
    except ImportError:
        pass


def inputs(framework):
    if framework == "math":
        numbers = {"float": 1.5, "int": 2, "True": True, "far": 1e4, "-far": -1e4, "inf": float("inf"), "list": M[0]}
        numbers |= {"np.float32": np.float32(1.5), "np.float64": np.float64(1.5), "0-d": np.array(1.5), "str": "a"}
        numbers |= {"list of int": I[0], "tuple": (1, 2.5), "generator": None, "empty": [], "array": np.array(M[0])}
        numbers |= {
            "dict": {1.0: 2, 3.0: 4},
            "set": {1.0, 2.0},
            "range": range(3),
            "Fraction": __import__("fractions").Fraction(3, 2),
        }
        yield from numbers.items()
        return
    if framework == "numpy":
        yield from arrays()
        return
    module = importlib.import_module({"jax": "jax.numpy"}.get(framework, framework))
    make = {"torch": "tensor", "jax": "asarray", "tensorflow": "constant"}[framework]
    for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "uint8", "bool"):
        values = I if "int" in name else [[True, False, True]] * 2 if name == "bool" else M
        yield name, getattr(module, make)(values, dtype=getattr(module, name))
    yield "0-d", getattr(module, make)(1.5)
    yield "1-d", getattr(module, make)(M[0])
    yield from {"array": np.array(M), "array f4": np.array(M, "f4"), "array int": np.array(I), "float": 1.5}.items()
    yield from {"int": 2, "list": M, "list of int": I, "None": None}.items()


def fix_of(form, framework):
    """Return the text with the fix and its applicability."""
    text = f"{HEADS[framework]}\n\ndef f(x, y):\n    return {form}\n"
    settings = Settings(root="/", prefer_scipy=True)
    result = do_file("a.py", settings, Job("fix", unsafe=True), data=text.encode())
    if result.output is None:
        return text, None, next((f.no_fix_reason for f in result.findings), "no finding")
    return text, result.output.decode(), "/".join(dict.fromkeys(f.fix.applicability for f in result.fixed if f.fix))


def outcome(text, value):
    module = ModuleType("program")
    exec(text, vars(module))
    try:
        if value is None and "list(x)" in text + " for v in x" * ("sum(" in text):
            value = (v for v in (1.0, 2.0))
        result = module.f(value, value)
    except Exception as error:
        return type(error).__name__, None
    dtype = getattr(result, "dtype", "")
    shape = tuple(getattr(result, "shape", ()))
    return f"{type(result).__name__} {dtype} {shape}", result


def same_values(old, new):
    try:
        old, new = (np.asarray(getattr(v, "detach", lambda v=v: v)(), "complex128") for v in (old, new))
        return np.allclose(old, new, rtol=5e-3, atol=5e-3, equal_nan=True)
    except Exception:
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=sorted(HEADS))
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    counts: Counter[str] = Counter()
    for framework in [args.framework] if args.framework else HEADS:
        if framework == "jax":
            importlib.import_module("jax").config.update("jax_enable_x64", True)
        forms = MATH if framework == "math" else {k: respelled(v, framework) for k, v in FORMS.items()}
        for name, form in forms.items():
            for axis in ("-1", "0", "(0, 1)") if "AXIS" in form else ("",):
                before, after, kind = fix_of(form.replace("AXIS", axis), framework)
                title = f"{framework:6} {name}{' axis=' + axis if axis else ''}"
                if after is None:
                    print(f"{title}: no fix: {kind}")
                    continue
                print(f"{title} [{kind}]: {after.strip().splitlines()[-1].strip()}")
                for label, value in inputs(framework):
                    old, new = outcome(before, value), outcome(after, value)
                    counts["runs"] += 1
                    same = old[0] == new[0] and same_values(old[1], new[1])
                    # where the original raises nothing is lost
                    worse = not same and old[1] is not None
                    counts[f"{kind}: {'same' if same else 'worse' if worse else 'original raises'}"] += 1
                    if worse or args.all:
                        print(f"    {label:14} {old[0]:40} -> {new[0]}{'' if same or old[0] != new[0] else '  VALUES'}")
    for key, number in counts.most_common():
        print(f"{number:7}  {key}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
