"""What else a value is used for: some uses show that a pattern is meant as it stands."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from pytest_lse.lint.graph import BIT, Node
from pytest_lse.lint.scopes import Scopes

_LOG = BIT["log"] | BIT["log1p"]


def is_only_called(site: ast.AST, methods: Collection[str], scopes: Scopes) -> bool:
    """Return whether only these methods are called on a value: `Bernoulli(p).sample()`."""
    uses: list[ast.AST] = [site]
    parent = scopes.parents.get(site)
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        uses = [*scopes.readers(parent.targets[0].id).get(scopes.scope(site), ())]
    return bool(uses) and all(getattr(scopes.parents.get(u), "attr", None) in methods for u in uses)


def is_only_read_in(site: ast.AST, places: Collection[ast.AST], scopes: Scopes) -> bool:
    """Return whether a value has a name that is read in these places and nowhere else."""
    parent = scopes.parents.get(site)
    if not places or not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
        return False
    inside = {n for place in places for n in ast.walk(place)}
    uses = scopes.readers(parent.targets[0].id).get(scopes.scope(site), ())
    return bool(uses) and all(use in inside for use in uses)


def is_of_a_scale(site: ast.AST, scopes: Scopes, values: Mapping[int, Node]) -> bool:
    """Return whether the logarithm is that of a variable which also multiplies what has no logarithm in it.

    An epsilon in it belongs to the model then: `scale = sigmoid(u) + 1e-6; y = x * scale; log_det = log(scale)`.
    """
    if not isinstance(site, ast.Call):
        return False
    name = site.args[0] if site.args else getattr(site.func, "value", None)
    if not isinstance(name, ast.Name):
        return False
    for use in scopes.readers(name.id).get(scopes.owner(name.id, name), ()):
        parent = scopes.parents.get(use)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div):
            other = values.get(id(parent.left if parent.right is use else parent.right))
            if other is not None and other.op != "const" and not other.ops & _LOG:
                return True
    return False
