"""What the judge needs to know of each kernel, read from its file or from its plain implementation here."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from pytest_lse import discovery, kernels
from pytest_lse.reference import plain

Formula = Callable[..., Any]


@dataclass(frozen=True)
class Spec:
    """One kernel as the judge sees it.

    Attributes
    ----------
    layout : {"elements", "rows", "whole"}
        What is independent of what: every element; every row along an axis; nothing.
    mean : bool
        The kernel is the mean of its formula.
    scale : {"log", "probability"}
        Whether the answer is a logarithm or loss (judged absolutely in 1 + |answer|) or a probability (relatively).
    stable, vjp : mapping of name to formula
        The first of each is the truth; the others are further honest spellings, which the tolerance allows for.
    module : module, optional
        Where it is from; its `check` tests the arguments.
    conditioned : bool
        The formula may be naive, so that the tolerance comes from the condition number.
    """

    name: str
    args: Mapping[str, str]
    params: Mapping[str, Any]
    layout: str
    mean: bool
    scale: str
    stable: Mapping[str, Formula]
    vjp: Mapping[str, Formula]
    module: ModuleType | None = None
    conditioned: bool = False

    def bind(self, formula: Formula, params: Mapping[str, Any]) -> dict[str, Any]:
        """Select the parameters that a formula takes; axes are canonical by now."""
        known = _parameters(formula)
        values = {**self.params, **params, "axis": -1, "keepdims": False}
        return {k: v for k, v in values.items() if k in known}


@cache
def _parameters(formula: Formula) -> frozenset[str]:
    return frozenset(inspect.signature(formula).parameters)


@cache
def spec(name: str) -> Spec:
    """Return what is known of a kernel.

    Raises
    ------
    ValueError
        There is no such kernel; the message lists them.
    """
    if name not in names():
        raise ValueError(f"unknown kernel {name!r}: expected one of {', '.join(names())}")
    package = plain if name in _plain() else kernels
    module = importlib.import_module(f"{package.__name__}.{name}")
    params = dict(getattr(module, "params", {}))
    if getattr(module, "reduction", None) == "mean":
        params["reduction"] = "mean"
    return Spec(
        name=name,
        args=module.args,
        params=params,
        layout=getattr(module, "layout", "rows" if "axis" in params else "elements"),
        mean=getattr(module, "reduction", None) == "mean",
        scale=getattr(module, "bound", "log"),
        stable=_honest(module),
        vjp=_spellings(module, "vjp"),
        module=module,
    )


def names() -> tuple[str, ...]:
    """Return the names of all kernels that have a truth, sorted."""
    return tuple(sorted({*discovery.kernel_names(), *_plain()}))


@cache
def _plain() -> frozenset[str]:
    return frozenset(m.name for m in pkgutil.iter_modules(plain.__path__))


def _honest(module: ModuleType) -> dict[str, Formula]:
    found = _spellings(module, "stable")
    if not hasattr(module, "code"):
        return found
    return {n: f for n, f in found.items() if n in ("stable", *getattr(module, "honest", ()))}


def _spellings(module: ModuleType, kind: str) -> dict[str, Formula]:
    return {n: f for n, f in vars(module).items() if n == kind or n.startswith(kind + "_")}
