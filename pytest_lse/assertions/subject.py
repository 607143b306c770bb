"""The function under test: what it is called, and whether it takes an axis."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

from pytest_lse.assertions.adapters import Function


@dataclass(frozen=True)
class Subject:
    """The function under test and how it is called.

    Attributes
    ----------
    keyword : str or None
        The name by which it takes an axis.
    default : int or None or ...
        The axis that it works along when none is given; Ellipsis if one has to be given.
    """

    fn: Function
    keyword: str | None
    default: Any = ...
    label: str = ""
    unknown: bool = False
    """Whether there is neither a signature nor documentation, as for some builtins."""

    @property
    def name(self) -> str:
        """What to call it in a message."""
        if self.label:
            return self.label
        fn = getattr(self.fn, "func", self.fn)
        return str(getattr(fn, "__name__", None) or type(fn).__name__)

    @property
    def identity(self) -> str:
        """What tells it from other functions, between runs."""
        fn = getattr(self.fn, "func", self.fn)
        name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
        return f"{getattr(fn, '__module__', '')}.{name}"


_PARAMETER = re.compile(r"[(,]\s*(?:\w+\s+)?(axis|dim)\s*(=\s*([^,)\s]+))?\s*[,)=]")


def subject(fn: Function, axis: bool = True) -> Subject:
    """Find out whether a function takes an axis, from its signature or, for builtins, from its documentation."""
    if not axis:
        return Subject(fn, None)
    target = getattr(fn, "forward", fn) if hasattr(fn, "forward") and not inspect.isroutine(fn) else fn
    try:
        parameters = inspect.signature(target).parameters
    except (ValueError, TypeError):
        first = (getattr(fn, "__doc__", None) or "").strip().partition("\n")[0]
        found = _PARAMETER.search(first.replace("*, ", ""))
        if found is None:
            return Subject(fn, None, unknown=True)
        default = found.group(3)
        return Subject(fn, found.group(1), int(default) if default and default.lstrip("-").isdigit() else ...)
    for name in ("axis", "dim"):
        parameter = parameters.get(name)
        if parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            empty = parameter.default is inspect.Parameter.empty
            return Subject(fn, name, ... if empty else parameter.default)
    return Subject(fn, None)
