"""Finds the kernel and rule files by their names: nothing is registered anywhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import pytest_lse.kernels
import pytest_lse.rules

Formula = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class KernelFile:
    """What one file of `pytest_lse.kernels` or `pytest_lse.rules` says, see there for the schema."""

    name: str
    doc: str
    module: ModuleType
    code: str | None
    args: Mapping[str, str]
    params: Mapping[str, Any]
    naive: Mapping[str, Formula]
    stable: Mapping[str, Formula]
    replacement: Mapping[str, str]
    unsafe: Mapping[str, str]
    witness: Mapping[str, Mapping[str, Any]]
    severity: str
    reduction: str | None

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
    return _read(importlib.import_module(f"pytest_lse.kernels.{name}"))


@cache
def coded() -> tuple[KernelFile, ...]:
    """Return every kernel and rule that has a code, sorted by code."""
    return tuple(sorted((f for f in _files() if f.code), key=lambda f: f.code or ""))


def _files() -> Iterator[KernelFile]:
    for package in (pytest_lse.kernels, pytest_lse.rules):
        for info in pkgutil.iter_modules(package.__path__):
            yield _read(importlib.import_module(f"{package.__name__}.{info.name}"))


def _read(module: ModuleType) -> KernelFile:
    def spellings(kind: str) -> dict[str, Formula]:
        return {n: f for n, f in vars(module).items() if n == kind or n.startswith(kind + "_")}

    severity = getattr(module, "severity", "error")
    return KernelFile(
        name=module.__name__.rpartition(".")[2],
        doc=module.__doc__ or "",
        module=module,
        code=getattr(module, "code", None),
        args=getattr(module, "args", {}),
        params=getattr(module, "params", {}),
        naive=spellings("naive"),
        stable=spellings("stable"),
        replacement=getattr(module, "replacement", {}),
        unsafe=getattr(module, "unsafe", {}),
        witness=getattr(module, "witness", {}),
        # A table lowers some of the spellings; the others stay errors.
        severity=severity if isinstance(severity, str) else "error",
        reduction=getattr(module, "reduction", None),
    )
