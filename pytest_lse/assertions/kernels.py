"""A kernel as the assertions see it: of the table, or of the user."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_lse import discovery
from pytest_lse.assertions.layouts import Layout, layout, vectors
from pytest_lse.reference.kernel import Kernel
from pytest_lse.reference.specs import spec
from pytest_lse.strategies.public import role_of


@dataclass(frozen=True)
class Known:
    """A kernel with everything that the assertions need to know of it.

    Attributes
    ----------
    kernel : str or Kernel
        What the judge takes.
    name : str
        What it is called in messages.
    arguments : tuple of str
        The names of its arrays.
    file : KernelFile or None
        Its documentation, if it has a file.
    ignore : int or None
        The label that is ignored.
    """

    kernel: Any
    name: str
    layout: Layout
    arguments: tuple[str, ...]
    file: discovery.KernelFile | None = None
    ignore: int | None = None
    strategies: tuple[Any, ...] = ()
    """Strategies for the arguments, where they are not all made from one row of logits."""


def known(kernel: Any, params: Mapping[str, Any]) -> Known:
    """Return what is known of a kernel.

    Raises
    ------
    ValueError, TypeError
        There is no such kernel (the message lists them), or it has no such parameter.
    """
    if isinstance(kernel, str):
        found = spec(kernel)
        for name in params:
            if name not in found.params:
                allowed = ", ".join(found.params) or "none"
                raise TypeError(f"{kernel} has no parameter {name!r}: expected one of {allowed}")
        file = discovery.kernel(kernel) if kernel in discovery.kernel_names() else None
        return Known(kernel, kernel, layout(kernel, params), tuple(found.args), file, params.get("ignore_index"))
    if not isinstance(kernel, Kernel):
        raise TypeError(f"kernel is {kernel!r}: expected a kernel's name or a pytest_lse.Kernel")
    names = _parameters(kernel)
    if all(isinstance(a, str) for a in kernel.args):
        raise TypeError(
            f"the arguments of {kernel.name} are only named: give strategies for them, args=(lst.logits(), ...)"
        )
    roles = [role_of(a) for a in kernel.args]
    if all(r is not None for r in roles):
        return Known(kernel, kernel.name, vectors([str(r) for r in roles]), names)
    return Known(kernel, kernel.name, vectors(["logits"] * len(roles)), names, strategies=kernel.args)


def _parameters(kernel: Kernel) -> tuple[str, ...]:
    """Return the names of the arrays, as the formula calls them."""
    names = tuple(inspect.signature(kernel.formula).parameters)[1 : len(kernel.args) + 1]
    return names if len(names) == len(kernel.args) else tuple(f"argument {i + 1}" for i in range(len(kernel.args)))
