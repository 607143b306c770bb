"""Spells the tests: a file for each module, so that one that cannot be imported stops no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from pytest_lse.scaffold.find import Found
from pytest_lse.scaffold.recognise import UNKNOWN, Parameter

_NAMESPACE = {"torch": "torch", "jax": "jnp", "tensorflow": "tf", "cupy": "cp", "mlx": "mx"}
_IMPORT = {
    "functools": "import functools",
    "cp": "import cupy as cp",
    "mx": "import mlx.core as mx",
    "np": "import numpy as np",
    "jnp": "import jax.numpy as jnp",
    "tf": "import tensorflow as tf",
    "torch": "import torch",
}
_WIDTH = 88
#: a list passed by position names its axis like this
_AXIS = ("axis", "dim")


@dataclass
class Written:
    """One test file.

    Attributes
    ----------
    path : str
        Where it belongs.
    text : str
        What it says.
    tests : dict
        Name of the test function -> what it tests.
    """

    path: str
    text: str
    tests: dict[str, Found] = field(default_factory=dict)


class NotWritableError(Exception):
    """No test can be spelled; the message says why."""


def write(found: Iterable[Found], directory: str) -> tuple[list[Written], list[tuple[Found, str]]]:
    """Return the test files for what was found, and what no test can be written for, with the reason."""
    files: list[Written] = []
    left: list[tuple[Found, str]] = []
    ordered = sorted(found, key=lambda f: (f.module, f.root, f.row))
    taken: dict[str, int] = {}
    for (module, _), group in groupby(ordered, key=lambda f: (f.module, f.root)):
        stem = "test_" + re.sub(r"\W+", "_", module)
        taken[stem] = taken.get(stem, 0) + 1
        if taken[stem] > 1:
            stem += f"_{taken[stem]}"
        file = _file(list(group), str(Path(directory, f"{stem}.py")), left)
        if file.tests:
            files.append(file)
    return files, left


def _file(group: Sequence[Found], path: str, left: list[tuple[Found, str]]) -> Written:
    written = Written(path, "")
    needs: set[str] = set()
    names: set[str] = set()
    bodies = []
    for f in group:
        try:
            if f.obstacle:
                raise NotWritableError(f.obstacle)
            call = _call(f)
        except NotWritableError as reason:
            left.append((f, str(reason)))
            continue
        test = _test_name(f, written.tests)
        written.tests[test] = f
        names.add(f.name.partition(".")[0])
        needs.update(name for name in _IMPORT if re.search(rf"\b{name}\.|xp={name}\b", call))
        bodies.append(f"def {test}():\n{call}")
    module = group[0].module
    imports = "\n".join(sorted(_IMPORT[n] for n in needs - {"functools"}))
    lines = [f'"""Numerical stability of {module}, as found by `pytest-lse scaffold`."""\n']
    lines += [_IMPORT["functools"] + "\n"] if "functools" in needs else []
    lines += [f"{imports}\n" * bool(imports) + "from pytest_lse import assert_stable\n"]
    lines += [_wrapped(f"from {module} import ", sorted(names)) + "\n"]
    written.text = "\n".join(lines) + "".join(f"\n\n{body}\n" for body in bodies)
    return written


def _wrapped(head: str, names: Sequence[str]) -> str:
    line = head + ", ".join(names)
    if len(line) <= _WIDTH:
        return line
    return head + "(\n" + "".join(f"    {name},\n" for name in names) + ")"


def _test_name(f: Found, taken: Iterable[str]) -> str:
    name = base = "test_" + re.sub(r"[\W_]+", "_", f.name).strip("_").lower()
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _call(f: Found) -> str:
    """Return the statement of the test."""
    arguments = [_subject(f), f'"{f.meaning.kernel.name}"']
    if f.framework in _NAMESPACE:
        arguments.append(f"xp={_NAMESPACE[f.framework]}")
    arguments += _options(f)
    line = f"    assert_stable({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "    assert_stable(\n" + "".join(f"        {a},\n" for a in arguments) + "    )"


def _options(f: Found) -> list[str]:
    options = []
    shapes = f.meaning.shapes
    if "axis" in shapes:
        axis = shapes["axis"]
        if f.framework == "math" or axis is None or axis is UNKNOWN:
            options.append("ndim=1")
        elif isinstance(axis, int) and axis != -1:
            options.append(f"axis={axis}")
            if axis not in (0, -1):
                options.append(f"ndim={axis + 1 if axis > 0 else -axis}")
        elif not isinstance(axis, int | Parameter):
            raise NotWritableError(f"it works along the axes {axis}")
    if shapes.get("keepdims") is True:
        options.append('params={"keepdims": True}')
    if f.framework == "math":
        options.append('dtypes="float64"')
    return options


def _subject(f: Found) -> str:
    """Return the expression of the function under test: the function itself wherever it is called like the kernel."""
    fn = _reached(f)
    meaning = f.meaning
    axis = meaning.shapes.get("axis")
    keepdims = meaning.shapes.get("keepdims")
    fixed = f"{keepdims.name}=False" if isinstance(keepdims, Parameter) else ""
    straight = f.parameters[: len(meaning.arrays)] == tuple(name for name, negative in meaning.arrays if not negative)
    renamed = isinstance(axis, Parameter) and axis.name not in _AXIS
    if f.framework == "math":
        if not straight or renamed:
            raise NotWritableError("it takes its numbers in another order")
        if "axis" in meaning.shapes or meaning.kernel.reduction:
            return f"lambda x: np.asarray({fn}(x.tolist()))"
        return f"np.vectorize({fn}, otypes=[float])"
    if straight and not renamed and not meaning.elementwise:
        return f"functools.partial({fn}, {fixed})" if fixed else fn
    names = list(meaning.kernel.args)
    by_parameter = {p: f"-{n}" if negative else n for n, (p, negative) in zip(names, meaning.arrays, strict=True)}
    positional = []
    for p in f.parameters:
        if p not in by_parameter:
            break
        positional.append(by_parameter.pop(p))
    given = positional + [f"{p}={value}" for p, value in by_parameter.items()] + [fixed] * bool(fixed)
    if isinstance(axis, Parameter):
        names.append("axis")
        given.append(f"{axis.name}=axis")
    call = f"{fn}({', '.join(given)})"
    if meaning.elementwise:
        call = f"tf.reduce_mean({call})" if f.framework == "tensorflow" else f"{call}.mean()"
    return f"lambda {', '.join(names)}: {call}"


def _reached(f: Found) -> str:
    if f.receiver == "none":
        return f"functools.partial({f.name}, None)"
    if f.receiver == "instance":
        owner, _, method = f.name.partition(".")
        return f"{owner}()" if method in ("forward", "__call__", "call") else f"{owner}().{method}"
    return f.name
