"""Requirements as the metadata files of a project name them: read, never imported or run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import Any

#: pip's files that one file may name, one after another
_DEEPEST = 5


def requirements(file: str, text: str) -> Iterator[str]:
    """Yield what a metadata file requires at run time: no extras, no groups for development.

    Parameters
    ----------
    file
        Its path: other files that it names are looked for beside it.
    text
        What it holds.
    """
    name = os.path.basename(file)
    if name == "pyproject.toml":
        yield from _pyproject(file, text)
    elif name == "setup.cfg":
        yield from _setup_cfg(file, text)
    elif name == "setup.py":
        yield from _setup_py(file, text)
    elif name == "Pipfile":
        packages = text.partition("[packages]")[2].partition("\n[")[0]
        yield from (line.split("=")[0].strip(" \"'") for line in packages.splitlines())
    elif name in ("PKG-INFO", "METADATA"):
        header = text.partition("\n\n")[0]
        yield from (r for r in re.findall(r"(?m)^Requires-Dist: *(.*)$", header) if not re.search(r";.*\bextra\b", r))
    elif name.startswith("environment"):
        yield from (line.strip().removeprefix("- ").strip() for line in text.splitlines())
    else:
        yield from _lines(file, text)


def contents(file: str) -> str:
    """Return the text of a metadata file, nothing if it cannot be read."""
    try:
        with open(file, "rb") as stream:
            return stream.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _lines(file: str, text: str, depth: int = 0) -> Iterator[str]:
    """Yield the lines of pip's file, and those of the files that it includes."""
    for line in text.splitlines():
        included = re.match(r"\s*(?:-r|--requirement)[\s=]+(\S+)", line)
        if included and depth < _DEEPEST:
            other = _beside(file, included[1])
            yield from _lines(other, contents(other), depth + 1)
        yield line.strip()


def _named(file: str, names: object) -> Iterator[str]:
    """Yield the requirements of files that another one names."""
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str):
            other = _beside(file, name)
            yield from _lines(other, contents(other))


def _beside(file: str, name: str) -> str:
    return os.path.join(os.path.dirname(file), name.strip())


def _setup_cfg(file: str, text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if line[:1].strip():
            inside = line.startswith("install_requires")
            line = line.partition("=")[2]
        if inside:
            yield line.strip()
            if line.strip().startswith("file:"):
                yield from _named(file, line.partition(":")[2].split(","))


def _setup_py(file: str, text: str) -> Iterator[str]:
    """Yield the strings of what is passed as install_requires, or assigned to names that are."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):  # of Python 2, say
        for inside in re.findall(r"(?s)install_requires\W{1,3}\[(.*?)\]", text):
            yield from re.findall(r"""["']([^"'\n]+)["']""", re.sub("(?m)#.*$", "", inside))
        return
    todo: list[ast.AST] = [n.value for n in nodes if isinstance(n, ast.keyword) and n.arg == "install_requires"]
    for n in nodes:
        if isinstance(n, ast.Dict):
            todo += [v for k, v in zip(n.keys, n.values, strict=True) if _is_key(k)]
        elif isinstance(n, ast.Assign):
            todo += [n.value for t in n.targets if isinstance(t, ast.Subscript) and _is_key(t.slice)]
    seen: set[str] = set()
    while todo:
        for n in ast.walk(todo.pop()):
            if isinstance(n, ast.Constant) and isinstance(n.value, str):
                yield from n.value.splitlines()
                if n.value.endswith((".txt", ".in")):
                    yield from _named(file, n.value)
            elif isinstance(n, ast.Name) and n.id not in seen:
                seen.add(n.id)
                todo += _values(nodes, n.id)


def _is_key(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == "install_requires"


def _values(nodes: list[ast.AST], name: str) -> Iterator[ast.AST]:
    """Yield what is assigned to a name, appended to it, or returned by the function of this name."""
    for n in nodes:
        if isinstance(n, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = n.targets if isinstance(n, ast.Assign) else [n.target]
            if n.value is not None and any(_holds(t, name) for t in targets):
                yield n.value
        elif isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and _holds(n.func.value, name):
            yield from n.args if n.func.attr in ("append", "extend", "insert") else ()
        elif isinstance(n, ast.FunctionDef) and n.name == name:
            yield from n.body
        elif isinstance(n, ast.With):
            yield from (i.context_expr for i in n.items if i.optional_vars and _holds(i.optional_vars, name))


def _holds(target: ast.AST, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _pyproject(file: str, text: str) -> Iterator[str]:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for keys in _TABLES:
        yield from _strings(_entry(document, keys))
    for keys in _FILES:
        yield from _named(file, _entry(document, keys))


_TABLES: tuple[tuple[str, ...], ...] = (
    ("project", "dependencies"),
    ("tool", "poetry", "dependencies"),
    ("tool", "pixi", "dependencies"),
    ("tool", "pixi", "pypi-dependencies"),
    ("tool", "flit", "metadata", "requires"),
    ("tool", "setuptools", "dynamic", "dependencies"),
)
#: files that hold dynamic dependencies: setuptools', hatch's
_FILES: tuple[tuple[str, ...], ...] = (
    ("tool", "setuptools", "dynamic", "dependencies", "file"),
    ("tool", "hatch", "metadata", "hooks", "requirements_txt", "files"),
    ("tool", "hatch", "metadata", "hooks", "requirements_txt", "filename"),
)


def _entry(document: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict) and item.get("optional"):
                continue  # an extra of Poetry
            yield key  # Poetry's tables are keyed by name
            yield from _strings(item)
