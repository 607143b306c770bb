"""Walks a repository and names the functions that are a kernel, with what a test needs to call them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_lse.lint.config import Resolver
from pytest_lse.lint.graph import Node
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.functions import Class, Function
from pytest_lse.lint.match import Matcher
from pytest_lse.lint.prefilter import may_hold_finding
from pytest_lse.lint.read import UnreadableError, read
from pytest_lse.lint.walk import walk
from pytest_lse.scaffold.recognise import Meaning, recognise
from pytest_lse.scaffold.vocabulary import vocabulary

#: frameworks that the linter knows and the assertions do not
_NOT_TESTED = frozenset({"chainer", "mxnet", "paddle", "theano"})
_TESTS = ("test_*.py", "*_test.py", "conftest.py")
#: many a function of another framework takes a constant or a dtype from these
_LAST = ("numpy", "math")
#: bases whose instances need no arguments
_PLAIN_BASES = frozenset({"object", "Module", "Layer", "ABC", "Protocol", "Generic"})
_NOT_CALLABLE = frozenset({"property", "cached_property", "triton.jit", "overload", "abstractmethod"})


@dataclass(frozen=True)
class Found:
    """A function that is a kernel.

    Attributes
    ----------
    filename, row
        Where it is defined.
    module, root : str
        The dotted name of its module, and the directory that this name starts from.
    name : str
        Its name in the module: ``softmax``, ``Attention.forward``.
    receiver : {"", "none", "instance"}
        A function; a method that does not look at its instance; a method of an instance without arguments.
    parameters : tuple of str
        What can be passed by position, without the instance.
    required : tuple of str
        Those without a default value, keyword-only ones included.
    meaning : Meaning
        What it is.
    framework : str
        What computes it, as the op table calls it: numpy, torch, ..., or math for Python's own numbers.
    obstacle : str
        Why no test can be written; empty if one can.
    """

    filename: str
    row: int
    module: str
    root: str
    name: str
    receiver: str
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    meaning: Meaning
    framework: str
    obstacle: str = ""


def find(paths: Iterable[str], warn: Callable[[str], None] = lambda message: None) -> Iterator[Found]:
    """Yield the kernels below the paths, by file and row. Files that do not parse are named and left out."""
    for name, _ in walk(paths, Resolver({}), warn):
        if not name.endswith(".py") or any(map(Path(name).match, _TESTS)):
            continue
        try:
            data = Path(name).read_bytes()
            if may_hold_kernel(data):
                yield from in_text(read(data, name).cells[0], name)
        except OSError as error:
            warn(f"{name}: cannot be read: {error.strerror or error}")
        except UnreadableError as error:
            warn(f"{name}:{error.row}: left out: {error.reason}")
        except SyntaxError as error:
            warn(f"{name}:{error.lineno or 1}: left out, it does not parse: {error.msg}")
        except (RecursionError, MemoryError, ValueError):
            warn(f"{name}: left out, it cannot be analysed")


def may_hold_kernel(data: bytes) -> bool:
    """Return whether the bytes can hold a kernel: the words of a pattern, or a library's own function of that name."""
    lowered = data.lower()
    return may_hold_finding(data) or any(
        word in lowered for word in (b"softmax", b"logsumexp", b"logaddexp", b"sigmoid")
    )


def in_text(text: str, filename: str) -> list[Found]:
    """Return the kernels in a module's text, by row.

    Raises
    ------
    SyntaxError
        The text does not parse.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler warns of the user's code
        tree = ast.parse(text)
    lowerer = Lowerer(lambda site, node, framework: None)
    lowerer.module(tree)
    found = _Module(lowerer, filename, tree).kernels()
    return sorted(found, key=lambda f: (f.row, f.name))


class _Module:
    def __init__(self, lowerer: Lowerer, filename: str, tree: ast.Module) -> None:
        self.lowerer = lowerer
        self.filename = filename
        self.module, self.root = module_name(filename)
        self.matcher = Matcher(lowerer.graph, vocabulary())
        self.classes = {s.name: s for s in tree.body if isinstance(s, ast.ClassDef)}

    def kernels(self) -> Iterator[Found]:
        seen: set[int] = set()
        names = self.lowerer.state.names
        # Under its own name first: another name of the same function is no further function.
        for name, node in sorted(names.items(), key=lambda item: (not self._own(*item), item[0])):
            if node.op == "function" and node.value not in seen:
                seen.add(node.value)
                yield from self._function(self.lowerer.functions[node.value], name, None)
            elif node.op == "class" and name in self.classes:
                owner = self.lowerer.classes[node.value]
                for method, function in owner.methods.items():
                    if function.op == "function" and function.value not in seen:
                        seen.add(function.value)
                        yield from self._function(self.lowerer.functions[function.value], f"{name}.{method}", owner)

    def _own(self, name: str, node: Node) -> bool:
        return node.op == "function" and self.lowerer.functions[node.value].name == name

    def _function(self, record: Function, name: str, owner: Class | None) -> Iterator[Found]:
        if record.result is None or name.startswith("test") or _decorators(record) & _NOT_CALLABLE:
            return
        parameters = {n: node for n, node in record.parameters.items() if owner is None or node is not owner.self}
        meaning = recognise(self.matcher, record.result, parameters)
        if meaning is None:
            return
        receiver, obstacle = ("", "") if owner is None else self._receiver(record, name)
        args = record.definition.args
        positional = [a.arg for a in (*args.posonlyargs, *args.args) if a.arg in parameters]
        with_default = {a.arg for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None}
        with_default.update(positional[len(positional) - len(args.defaults) :] if args.defaults else ())
        required = tuple(p for p in parameters if p not in with_default)
        framework = self._framework(record.result)
        yield Found(
            filename=self.filename,
            row=record.definition.lineno,
            module=self.module,
            root=self.root,
            name=name,
            receiver=receiver,
            parameters=tuple(positional),
            required=required,
            meaning=meaning,
            framework=framework,
            obstacle=obstacle or self._obstacle(meaning, required, framework),
        )

    def _receiver(self, record: Function, name: str) -> tuple[str, str]:
        """Return how a method gets its instance, and what stands in the way."""
        if {"staticmethod", "classmethod"} & _decorators(record):
            return "", ""
        own = next(iter(record.parameters), "self")
        used = {n.id for n in ast.walk(record.definition) if isinstance(n, ast.Name)}
        if own not in used and "super" not in used:
            return "none", ""
        definition = self.classes[name.partition(".")[0]]
        init = next((s for s in definition.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
        if init is not None:
            needed = len(init.args.posonlyargs) + len(init.args.args) - 1 - len(init.args.defaults)
            plain = needed <= 0 and all(d is not None for d in init.args.kw_defaults)
        else:
            plain = all(_dotted(b).rpartition(".")[2] in _PLAIN_BASES for b in definition.bases)
        return "instance", "" if plain else f"it needs an instance of {definition.name}"

    def _obstacle(self, meaning: Meaning, required: tuple[str, ...], framework: str) -> str:
        if not all(part.isidentifier() for part in self.module.split(".")):
            return f"{self.module} is not a module's name"
        from pytest_lse.scaffold.recognise import Parameter

        known = {name for name, _ in meaning.arrays}
        known |= {v.name for v in meaning.shapes.values() if isinstance(v, Parameter)}
        if framework in _NOT_TESTED:
            return f"assert_stable knows no arrays of {framework}"
        missing = [p for p in required if p not in known]
        return f"it needs a value for {', '.join(missing)}" if missing else ""

    def _framework(self, result: Node) -> str:
        frameworks = self.lowerer.frameworks
        used = {frameworks[n] for n in result.walk() if n in frameworks} or set(self.lowerer.imported)
        return next((f for f in sorted(used, key=_place) if f != "python"), "numpy")


def module_name(filename: str) -> tuple[str, str]:
    """Return a file's dotted module name and the directory it starts from: the first without an ``__init__.py``."""
    path = Path(filename).absolute()
    parts = [] if path.name == "__init__.py" else [path.stem]
    directory = path.parent
    while (directory / "__init__.py").exists():
        parts.insert(0, directory.name)
        directory = directory.parent
    return ".".join(parts), str(directory)


def _place(framework: str) -> tuple[int, str]:
    return (_LAST.index(framework) + 1 if framework in _LAST else 0, framework)


def _decorators(record: Function) -> set[str]:
    return {_dotted(d.func if isinstance(d, ast.Call) else d) for d in getattr(record.definition, "decorator_list", [])}


def _dotted(e: ast.expr) -> str:
    if isinstance(e, ast.Subscript):
        return _dotted(e.value)
    if isinstance(e, ast.Attribute):
        return f"{_dotted(e.value)}.{e.attr}"
    return getattr(e, "id", "")
