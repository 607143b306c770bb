"""The op table: how each framework spells the operations of the value graph.

One row per operation (`PARAMS`: its parameters in canonical order, with their defaults), one column per framework
(a module of `pytest_lse.lint.columns`). A column's cell lists the framework's calls, separated by `|`, each written as
its signature: `torch.sum(x, dim=axis, keepdim=keepdims, *, dtype!)`. There

``name``       is the canonical parameter of that name
``name=axis``  is the canonical parameter `axis`, which the framework calls `name`
``axis:-1``    has the framework's own default; ``name=axis:-1`` likewise
``name!``      makes the call opaque when it is given: it changes what the call means
``name~``      is accepted and does not matter
``*``          what follows is passed by keyword only
``.sum(...)``  is a method; its receiver is the first canonical parameter

A call with an argument that its cell does not name is opaque, which is the safe answer.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest_lse.lint.columns

#: the marker of a parameter without a default
REQUIRED = object()

_REDUCTION = "x, axis=None, keepdims=False"
_LOSS = "x, targets, reduction='mean'"
PARAMS: dict[str, str] = {
    **dict.fromkeys(
        "exp log log1p expm1 abs sqrt square sigmoid log_sigmoid softplus relu tanh neg reciprocal sin cos sinh cosh "
        "floor sign erf log2 log10 bounded nonnegative detach cast contiguous isfinite elu squeeze transpose tile "
        "std_like module_sigmoid exp2".split(),
        "x",
    ),
    **dict.fromkeys("add sub mul div pow maximum minimum logaddexp equal less greater xlogy".split(), "x, y"),
    **dict.fromkeys("sum mean max min prod logsumexp logmeanexp".split(), _REDUCTION),
    "norm": _REDUCTION + ", ord=None",
    **dict.fromkeys("maxpair minpair".split(), _REDUCTION),
    **dict.fromkeys("cumsum logcumsumexp".split(), "x, axis=None"),
    **dict.fromkeys("softmax log_softmax softmin".split(), "x, axis"),
    "size": "x, axis=None",
    "segment_sum": "x, ids",
    "maxlike": "x",
    **dict.fromkeys("unit normalized nonzero".split(), "x"),
    "concat": "x",
    "lp_normalized": "x, p=2",
    "between": "x, y",
    "where": "condition, x, y",
    "masked_fill": "x, mask, value",
    "average": "x, axis=None, weights=None, keepdims=False",
    "filled": "value",
    "kron": "x, y",
    "log_base": "x, base",
    "clip": "x, min=None, max=None",
    "expand": "x, axis",
    "reshape": "x, shape",
    "contract": "x, y",
    "einsum": "subscripts, x, y=None",
    "bce": _LOSS,
    "bce_with_logits": _LOSS,
    "bce_weighted": "x, targets, weight, reduction='mean'",
    "cross_entropy": _LOSS,
    "nll": _LOSS,
    "cross_entropy_of_probs": _LOSS,
    "kl_div": _LOSS,
    "distribution_probs": "x",
    "distribution_logits": "x",
    "random": "x=None",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a framework's call, and the canonical one that it stands for (None: it does not matter)."""

    spelling: str
    canonical: str | None
    default: Any
    forbidden: bool
    keyword_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A framework's call of an operation."""

    op: str
    framework: str
    parameters: tuple[Parameter, ...]

    def forbids(self, spelling: str) -> bool:
        """Return whether a parameter of that name changes what the call means."""
        return any(p.spelling == spelling and p.forbidden for p in self.parameters)

    def place_of(self, spelling: str) -> int:
        """Return the place of a positional parameter of that name, -1 where there is none."""
        places = (i for i, p in enumerate(self.parameters) if p.spelling == spelling and not p.keyword_only)
        return next(places, -1)

    def bind(self, positional: Sequence[Any], keywords: dict[str, Any], receiver: Any = None) -> dict[str, Any] | None:
        """Return canonical parameter -> argument, None where the call does not fit.

        Parameters not given have their default, as a `Default`. The receiver of a method is the first parameter.
        """
        bound: dict[str, Any] = {} if receiver is None else {signature(self.op)[0][0]: receiver}
        given = dict(keywords)
        if self.framework == "torch":
            # PyTorch takes NumPy's names of these as well.
            for theirs, numpys in (("dim", "axis"), ("keepdim", "keepdims")):
                if numpys in given and theirs not in given and any(p.spelling == theirs for p in self.parameters):
                    given[theirs] = given.pop(numpys)
        slots = [p for p in self.parameters if not p.keyword_only]
        if len(positional) > len(slots):
            return None
        for p, value in zip(slots, positional, strict=False):
            if p.spelling in given:
                return None
            given[p.spelling] = value
        for p in self.parameters:
            if p.spelling in given:
                value = given.pop(p.spelling)
                if p.forbidden:
                    return None
                if p.canonical:
                    bound[p.canonical] = value
            elif p.canonical and p.canonical not in bound:
                if p.default is REQUIRED:
                    return None
                bound[p.canonical] = Default(p.default)
        if given:
            return None
        for name, default in signature(self.op):
            if name not in bound:
                if default is REQUIRED and name != "targets":
                    return None
                bound[name] = Default(default)
        return bound


@dataclass(frozen=True, slots=True)
class Default:
    """An argument that was not given: the literal that stands for it."""

    value: Any


@cache
def signature(op: str) -> tuple[tuple[str, Any], ...]:
    """Return the canonical parameters of an operation and their defaults."""
    return tuple((name, default) for name, default in map(_default, PARAMS[op].split(", ")))


@cache
def columns() -> tuple[Any, ...]:
    """Return the modules of `pytest_lse.lint.columns`: one per framework."""
    package = pytest_lse.lint.columns
    return tuple(
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    )


@cache
def _index() -> tuple[dict[str, list[tuple[str, str, str]]], dict[str, list[tuple[str, str, str]]]]:
    """Return dotted name -> cells and method name -> cells; a cell is parsed when it is first used."""
    functions: dict[str, list[tuple[str, str, str]]] = {}
    methods: dict[str, list[tuple[str, str, str]]] = {}
    for column in columns():
        for op, cell in column.calls.items():
            for call in cell.split("|"):
                name, _, parameters = call.strip().partition("(")
                entry = (op, column.framework, parameters.removesuffix(")"))
                if name.startswith("."):
                    methods.setdefault(name[1:], []).append(entry)
                else:
                    for module in column.modules:
                        functions.setdefault(name.replace("@", module), []).append(entry)
                        if "@" not in name:
                            break
    return functions, methods


def functions(dotted: str) -> tuple[Call, ...]:
    """Return what the function of that dotted name may be: several calls where it is overloaded."""
    return tuple(map(_parse, _index()[0].get(dotted, ())))


def methods(name: str) -> tuple[Call, ...]:
    """Return what a method of that name may be, in any framework."""
    return tuple(map(_parse, _index()[1].get(name, ())))


@cache
def words(op: str) -> frozenset[str]:
    """Return the last words of all names that an operation has in any framework: `exp`, `softmax`, `Softmax`."""
    found = set()
    for column in columns():
        for call in column.calls.get(op, "").split("|"):
            found.add(call.strip().partition("(")[0].rpartition(".")[2])
        for dotted, text in getattr(column, "constructors", {}).items():
            if text.partition("(")[0] == op:
                found.add(dotted.rpartition(".")[2])
    return frozenset(found - {""})


@cache
def constructor(dotted: str) -> Call | None:
    """Return what calling an instance of that class does: `torch.nn.Softmax` -> softmax."""
    for column in columns():
        text = getattr(column, "constructors", {}).get(dotted)
        if text:
            op, _, parameters = text.partition("(")
            return _parse((op, column.framework, parameters.removesuffix(")")))
    return None


@cache
def stabilising() -> frozenset[str]:
    """Return the frameworks whose compiler rewrites the naive patterns itself: written there, they are no problem."""
    return frozenset(c.framework for c in columns() if getattr(c, "stabilises", False))


@cache
def frameworks() -> dict[str, str]:
    """Return top-level module -> framework, as far as the op table knows it: `jax` -> jax, `cupy` -> cupy."""
    return {m: c.framework for c in columns() for m in c.roots}


@cache
def libraries() -> frozenset[str]:
    """Return the modules whose functions are written `@.exp` in the table: `numpy`, `jax.numpy`, `torch`."""
    return frozenset(module for c in columns() for module in c.modules)


@cache
def _parse(entry: tuple[str, str, str]) -> Call:
    op, framework, text = entry
    return Call(op, framework, tuple(_parameters(op, text)))


def _parameters(op: str, text: str) -> Iterator[Parameter]:
    keyword_only = False
    canonical = [name for name, _ in signature(op)]
    for part in filter(None, (p.strip() for p in text.split(","))):
        if part == "*":
            keyword_only = True
            continue
        forbidden, ignored = part.endswith("!"), part.endswith("~")
        name, _, target = part.rstrip("!~").partition("=")
        name, colon, default = name.partition(":")
        if target:
            target, colon, default = target.partition(":")
        target = target or name
        known: str | None = None if forbidden or ignored else target
        if known is not None and known not in canonical:
            raise ValueError(f"op table: {op} has no parameter {known!r}")
        fallback = dict(signature(op)).get(target) if known else None
        yield Parameter(name, known, _literal(default) if colon else fallback, forbidden, keyword_only)


def _default(text: str) -> tuple[str, Any]:
    name, equals, default = text.partition("=")
    return name, _literal(default) if equals else REQUIRED


def _literal(text: str) -> Any:
    named = {"None": None, "False": False, "True": True}
    if text in named:
        return named[text]
    return text[1:-1] if text[:1] == "'" else int(text)
