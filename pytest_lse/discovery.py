"""Finds the kernel and rule files by their names: nothing is registered anywhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from types import ModuleType
from typing import Any

import pytest_lse.kernels
import pytest_lse.rules

Formula = Callable[..., Any]


class KernelFile:
    """What one file of `pytest_lse.kernels` or `pytest_lse.rules` says, see there for the schema.

    Parameters
    ----------
    path
        The dotted name of the module: it is imported when what it says is asked for.
    known
        Attributes that are known without that.
    """

    def __init__(self, path: str, **known: Any) -> None:
        self.path = path
        self.name = path.rpartition(".")[2]
        self.__dict__.update(known)

    @cached_property
    def module(self) -> ModuleType:
        """The module itself."""
        return importlib.import_module(self.path)

    @cached_property
    def code(self) -> str | None:
        """The rule's code, None for a kernel that is no rule."""
        return getattr(self.module, "code", None)

    @cached_property
    def signature(self) -> tuple[str, ...]:
        """The names of the arguments and parameters."""
        return (*self.args, *self.params)

    @property
    def doc(self) -> str:
        """The documentation."""
        return self.module.__doc__ or ""

    @property
    def args(self) -> Mapping[str, str]:
        """Argument -> its role."""
        return getattr(self.module, "args", {})

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameter -> its default."""
        return getattr(self.module, "params", {})

    @cached_property
    def naive(self) -> Mapping[str, Formula]:
        """Spelling -> formula, of those that are reported."""
        return self._spellings("naive")

    @cached_property
    def stable(self) -> Mapping[str, Formula]:
        """Spelling -> formula, of those that are not."""
        return self._spellings("stable")

    @property
    def replacement(self) -> Mapping[str, str]:
        """Framework -> what to write instead."""
        return getattr(self.module, "replacement", {})

    @property
    def unsafe(self) -> Mapping[str, str]:
        """Framework -> how the replacement departs from what was written."""
        return getattr(self.module, "unsafe", {})

    @property
    def witness(self) -> Mapping[str, Mapping[str, Any]]:
        """Dtype -> an input for which the naive formula fails."""
        return getattr(self.module, "witness", {})

    @property
    def severity(self) -> str:
        """How bad it is: a table lowers some of the spellings, the others stay errors."""
        severity = getattr(self.module, "severity", "error")
        return severity if isinstance(severity, str) else "error"

    @property
    def reduction(self) -> str | None:
        """The reduction of a loss."""
        return getattr(self.module, "reduction", None)

    def _spellings(self, kind: str) -> dict[str, Formula]:
        return {n: f for n, f in vars(self.module).items() if n == kind or n.startswith(kind + "_")}

    @property
    def summary(self) -> str:
        """First line of the documentation."""
        return self.doc.partition("\n")[0].rstrip(".")

    @property
    def title(self) -> str:
        """The rule's name as in the documentation: `log_softmax` is called log-softmax."""
        return getattr(self.module, "title", self.name.replace("_", "-"))

    def witness_of(self, spelling: str) -> Mapping[str, Mapping[str, Any]]:
        """Return where a spelling fails: `witness_<beginning of its name>` if there is one, else `witness`."""
        suffix = spelling.removeprefix("naive_")
        tables = [n for n in vars(self.module) if n.startswith("witness_")]
        own = [n for n in tables if suffix.startswith(n.removeprefix("witness_"))]
        if own and spelling != "naive":
            table: Mapping[str, Mapping[str, Any]] = getattr(self.module, max(own, key=len))
            return table
        return {dtype: row for dtype, row in self.witness.items() if row.get("spelling", spelling) == spelling}


def kernel_names() -> tuple[str, ...]:
    """Return the names of all kernels, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(pytest_lse.kernels.__path__)))


@cache
def kernel(name: str) -> KernelFile:
    """Return the kernel of that name.

    Raises
    ------
    ValueError
        There is no such kernel; the message lists them.
    """
    if name not in kernel_names():
        raise ValueError(f"unknown kernel {name!r}: expected one of {', '.join(kernel_names())}")
    return KernelFile(f"pytest_lse.kernels.{name}")


@cache
def coded() -> tuple[KernelFile, ...]:
    """Return every kernel and rule that has a code, sorted by code."""
    return tuple(sorted((f for f in _files() if f.code), key=lambda f: f.code or ""))


def _files() -> Iterator[KernelFile]:
    for package in (pytest_lse.kernels, pytest_lse.rules):
        for info in pkgutil.iter_modules(package.__path__):
            yield KernelFile(f"{package.__name__}.{info.name}")
