"""A kernel as the assertions see it: of the table, or of the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_lse import discovery
from pytest_lse.assertions.layouts import Layout, layout


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


def known(kernel: Any, params: Mapping[str, Any]) -> Known:
    """Return what is known of a kernel.

    Raises
    ------
    ValueError, TypeError
        There is no such kernel (the message lists them), or it has no such parameter.
    """
    from pytest_lse.reference.specs import spec

    if isinstance(kernel, str):
        found = spec(kernel)
        for name in params:
            if name not in found.params:
                allowed = ", ".join(found.params) or "none"
                raise TypeError(f"{kernel} has no parameter {name!r}: expected one of {allowed}")
        file = discovery.kernel(kernel) if kernel in discovery.kernel_names() else None
        return Known(kernel, kernel, layout(kernel, params), tuple(found.args), file, params.get("ignore_index"))
    raise TypeError(f"kernel is {kernel!r}: expected a kernel's name or a pytest_lse.Kernel")
