"""Assignments that a fix leaves without a reader, removed in the same edit."""

from __future__ import annotations

import ast
from collections.abc import Callable

from pytest_lse.lint.finding import Edit, Location
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Function, Scopes

#: a function that calls one of these may read any of its variables
_REFLECTION = {"locals", "vars", "eval", "exec", "dir", "globals"}


def dead_assignments(
    positions: Positions, scopes: Scopes, site: ast.expr, text: str, is_part: Callable[[ast.expr], bool]
) -> tuple[Edit, ...]:
    """Return the edits that remove what only the replaced expression has read.

    An assignment goes if it is the only one of a local variable of the same function, or the statement of the
    expression assigns the variable anew, if nothing else reads what it assigns, nothing but the replaced value is
    computed in it, and no comment belongs to it.

    Parameters
    ----------
    positions, scopes
        The module's text and its names.
    site
        The expression that is replaced.
    text
        What replaces it.
    is_part
        Says whether an expression only computes a part of the replaced value.
    """
    function = next((s for s in scopes.chain(site) if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    if function is None or any(function in scopes.chain(n) for name in _REFLECTION for n in scopes.reads.get(name, ())):
        return ()
    kept = {n.id for n in ast.walk(ast.parse(f"({text}\n)")) if isinstance(n, ast.Name)}
    gone: list[ast.AST] = [site]
    edits: list[Edit] = []
    for part in gone:  # grows: the value of a removed assignment is gone too
        for name in _read(part):
            reads = _reads(scopes, function, name)
            assignment = _only_assignment(scopes, function, name)
            if assignment is None:
                assignment = _replaced_assignment(scopes, site, name, reads)
                reads = [n for n in reads if _inside(scopes, n, [_statement(scopes, site)])]
            if assignment is None or assignment in gone or name in kept or not is_part(assignment.value):
                continue
            if all(_inside(scopes, read, [*gone, assignment]) for read in reads):
                if edit := _removal(positions, scopes, assignment):
                    gone.append(assignment)
                    edits.append(edit)
    return tuple(edits)


def _read(node: ast.AST) -> list[str]:
    value = node.value if isinstance(node, ast.Assign) else node
    return list(dict.fromkeys(n.id for n in ast.walk(value) if isinstance(n, ast.Name)))


def _only_assignment(scopes: Scopes, function: Function, name: str) -> ast.Assign | None:
    """Return the statement `name = value` if nothing else binds the name."""
    bound = scopes.bound[function].get(name, [])
    parent = scopes.parents.get(bound[0]) if len(bound) == 1 else None
    if isinstance(parent, ast.Assign) and parent.targets == bound:
        return parent
    return None


def _replaced_assignment(scopes: Scopes, site: ast.expr, name: str, reads: list[ast.Name]) -> ast.Assign | None:
    """Return `name = value` where `name = ... site ...` follows in the same block, and nothing about `name` between."""
    statement = _statement(scopes, site)
    if not _assigns(statement, name) or any(scopes.scope(n) is not scopes.scope(statement) for n in reads):
        return None
    block = _block(scopes, statement)
    for before in reversed(block[: block.index(statement)]):
        if isinstance(before, ast.Assign) and _assigns(before, name):
            return before
        if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(before)):
            return None
    return None


def _assigns(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)]):
            return target == name
        case _:
            return False


def _statement(scopes: Scopes, node: ast.expr) -> ast.stmt:
    return next(a for a in scopes.ancestors(node) if isinstance(a, ast.stmt))


def _block(scopes: Scopes, statement: ast.stmt) -> list[ast.stmt]:
    blocks = (value for _, value in ast.iter_fields(scopes.parents[statement]) if isinstance(value, list))
    return next(b for b in blocks if statement in b)


def _reads(scopes: Scopes, function: Function, name: str) -> list[ast.Name]:
    return scopes.readers(name).get(function, [])


def _inside(scopes: Scopes, node: ast.AST, places: list[ast.AST]) -> bool:
    return node in places or any(a in places for a in scopes.ancestors(node))


def _removal(positions: Positions, scopes: Scopes, statement: ast.Assign) -> Edit | None:
    """Return the edit that removes a statement with its line, None where that would leave a trace or an empty block."""
    block = _block(scopes, statement)
    index = block.index(statement)
    start, end = positions.span(statement)
    before = positions.line(start.row)[: start.column - 1]
    after = positions.line(end.row)[end.column - 1 :]
    if len(block) == 1 or "#" in positions.segment(statement):
        return None
    if index + 1 < len(block) and block[index + 1].lineno == end.row:
        return Edit("", start, positions.start(block[index + 1]))
    if before.strip() or after.strip() or end.row >= len(positions.starts):
        return None
    below = end.row + 1
    if index == 0 or not positions.line(start.row - 1).strip():
        while below < block[-1].lineno and not positions.line(below).strip():
            below += 1  # no empty line at a block's beginning, none doubled
    return Edit("", Location(start.row, 1), Location(below, 1))
