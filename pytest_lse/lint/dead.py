"""Assignments that a fix leaves without a reader, removed in the same edit."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence

from pytest_lse.lint.finding import Edit, Location
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Function, Scope, Scopes

#: a function that calls one of these may read any of its variables
_REFLECTION = {"locals", "vars", "eval", "exec", "dir", "globals"}
_LOOP = (ast.For, ast.AsyncFor, ast.While)
#: what may go on after an exception has skipped the rest of it
_GUARD = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith)
Part = Callable[[ast.Assign], bool]


def dead_assignments(
    positions: Positions,
    scopes: Scopes,
    replaced: Sequence[ast.AST],
    text: str,
    is_part: Part,
    *,
    needed: Collection[ast.stmt] = (),
    kept: Collection[ast.stmt] = (),
) -> dict[ast.stmt, Edit]:
    """Return the statements that only the replaced expressions have needed, with the edits that remove them.

    An assignment goes if nothing else can read what it assigns, nothing but the replaced value is computed in it, and
    no comment belongs to it.

    Parameters
    ----------
    positions, scopes
        The module's text and its names.
    replaced
        The expressions that are replaced, and statements that go with them.
    text
        What replaces them.
    is_part
        Says whether an assignment only computes a part of the replaced value.
    needed
        Assignments that have to go although the text reads a name that they bind: it means what that held before.
    kept
        Assignments that stay.
    """
    if any(_reflects(scopes, node) for node in replaced):
        return {}
    names = {n.id for n in ast.walk(ast.parse(f"({text}\n)")) if isinstance(n, ast.Name)}
    stay = set(kept)
    while True:
        gone = _unread(scopes, replaced, lambda a: a not in stay and (a in needed or not _binds(a, names)), is_part)
        statements = [n for n in gone if isinstance(n, ast.stmt)]
        commented = [s for run in _runs(scopes, statements) if _has_comment(positions, scopes, run) for s in run]
        if stay.issuperset(commented):
            edits = {s: _removal(positions, scopes, s, statements) for s in statements}
            commented = [s for s, edit in edits.items() if edit is None]
            if stay.issuperset(commented):
                return {s: edit for s, edit in edits.items() if edit is not None and s not in stay}
        stay.update(commented)


def parts_above(scopes: Scopes, replaced: Sequence[ast.AST], is_part: Part) -> list[ast.Assign]:
    """Return the assignments that compute a part of the replaced value, whoever else reads what they assign."""
    found = _unread(scopes, replaced, lambda a: True, is_part, minding_reads=False)
    return [n for n in found[len(replaced) :] if isinstance(n, ast.Assign)]


def _reflects(scopes: Scopes, node: ast.AST) -> bool:
    around = [s for s in scopes.chain(node) if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)][:1]
    return any(s in scopes.chain(n) for s in around for name in _REFLECTION for n in scopes.reads.get(name, ()))


def _binds(assignment: ast.Assign, names: Collection[str]) -> bool:
    return any(isinstance(t, ast.Name) and t.id in names for t in assignment.targets)


def _unread(
    scopes: Scopes,
    replaced: Sequence[ast.AST],
    may_go: Callable[[ast.Assign], bool],
    is_part: Part,
    *,
    minding_reads: bool = True,
) -> list[ast.AST]:
    """Return the replaced nodes and the assignments that nothing else reads."""
    gone: list[ast.AST] = list(replaced)
    for part in gone:  # grows: the value of a removed assignment is gone too
        for name in _read(part):
            for find in (_only_assignment, _last_assignment):
                assignment, reads = find(scopes, part, name, gone)
                if (
                    assignment is not None
                    and assignment not in gone
                    and may_go(assignment)
                    and is_part(assignment)
                    and not (minding_reads and any(not _inside(scopes, r, [*gone, assignment]) for r in reads))
                ):
                    gone.append(assignment)
                    break
    return gone


def _read(node: ast.AST) -> list[str]:
    value = node.value if isinstance(node, ast.Assign) else node
    return list(dict.fromkeys(n.id for n in ast.walk(value) if isinstance(n, ast.Name)))


_Found = tuple[ast.Assign | None, list[ast.Name]]


def _only_assignment(scopes: Scopes, part: ast.AST, name: str, gone: Sequence[ast.AST]) -> _Found:
    """Return the statement `name = value` if nothing else binds a local variable, and what reads it."""
    function = _function(scopes, part)
    bound = scopes.bound[function].get(name, []) if function else []
    parent = scopes.parents.get(bound[0]) if len(bound) == 1 else None
    if isinstance(parent, ast.Assign) and parent.targets == bound:
        return parent, scopes.readers(name).get(function, [])
    return None, []


def _last_assignment(scopes: Scopes, part: ast.AST, name: str, gone: Sequence[ast.AST]) -> _Found:
    """Return the statement `name = value` above a part in the same block, and what may read the name before it changes.

    Outside of functions any other code may read a variable, unless the very statement of the part assigns it anew.
    """
    statement = part if isinstance(part, ast.stmt) else _statement(scopes, part)
    owner = scopes.owner(name, part)
    block = _block(scopes, statement)
    if owner is not scopes.scope(statement) or not isinstance(owner, Function | ast.Module):
        return None, []
    above = next((s for s in reversed(block[: block.index(statement)]) if s not in gone and _has(s, name)), None)
    if not isinstance(above, ast.Assign) or not _assigns(above, name):
        return None, []
    anew = next((s for s in block[block.index(above) + 1 :] if _assigns(s, name) and s not in gone), None)
    anew = statement if _assigns(statement, name) else anew
    deleted = any(isinstance(getattr(n, "ctx", None), ast.Del) for n in scopes.bound[owner][name])
    if deleted or (isinstance(owner, ast.Module) and anew is not statement):
        return None, []
    return above, list(_seen_by(scopes, owner, name, above, anew))


def _seen_by(
    scopes: Scopes, owner: Scope, name: str, assignment: ast.Assign, anew: ast.stmt | None
) -> Iterator[ast.Name]:
    """Yield the nodes that may read what an assignment assigns, if the name gets another value at `anew`."""
    block = _block(scopes, assignment)
    around = []
    for ancestor in scopes.ancestors(assignment):
        if ancestor is owner:
            break
        around.append(ancestor)
    loop = next((a for a in reversed(around) if isinstance(a, _LOOP)), None)
    between = block[block.index(assignment) + 1 : block.index(anew) + 1 if anew else None]
    skipped = any(isinstance(n, ast.Break | ast.Continue) for s in between for n in ast.walk(s))
    if anew is None or skipped or any(isinstance(a, _GUARD) for a in around):
        between = []
    for read in scopes.readers(name).get(owner, []):
        if scopes.scope(read) is not owner:
            yield read  # a function or a comprehension, wherever it runs
        elif between:
            if _inside(scopes, read, between):
                yield read
        elif (read.lineno, read.col_offset) > (assignment.lineno, assignment.col_offset) or (
            loop is not None and _inside(scopes, read, [loop])
        ):
            yield read


def _has(statement: ast.stmt, name: str) -> bool:
    named = (
        getattr(n, "id", None) or getattr(n, "name", None) or getattr(n, "asname", None) for n in ast.walk(statement)
    )
    return name in named


def _assigns(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)]):
            return target == name
        case _:
            return False


def _function(scopes: Scopes, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    return next((s for s in scopes.chain(node) if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)), None)


def _statement(scopes: Scopes, node: ast.AST) -> ast.stmt:
    return next(a for a in scopes.ancestors(node) if isinstance(a, ast.stmt))


def _block(scopes: Scopes, statement: ast.stmt) -> list[ast.stmt]:
    blocks = (value for _, value in ast.iter_fields(scopes.parents[statement]) if isinstance(value, list))
    return next(b for b in blocks if statement in b)


def _inside(scopes: Scopes, node: ast.AST, places: Sequence[ast.AST]) -> bool:
    return node in places or any(a in places for a in scopes.ancestors(node))


def _runs(scopes: Scopes, statements: Collection[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Yield the statements in groups that follow each other immediately in their block."""
    left = set(statements)
    while left:
        first = next(iter(left))
        block = _block(scopes, first)
        index = block.index(first)
        while index and block[index - 1] in left:
            index -= 1
        run = [block[index]]
        while index + len(run) < len(block) and block[index + len(run)] in left:
            run.append(block[index + len(run)])
        left.difference_update(run)
        yield run


def _has_comment(positions: Positions, scopes: Scopes, run: Sequence[ast.stmt]) -> bool:
    """Say whether a comment above the statements speaks of them alone: an empty line, or another comment, follows."""
    last = run[-1].end_lineno or run[-1].lineno
    if not any(_is_comment(positions, s.lineno - 1) for s in run):
        return False
    if any(_is_comment(positions, s.lineno - 1) for s in run if isinstance(s, ast.AugAssign)):
        return True
    block = _block(scopes, run[0])
    return run[-1] is block[-1] or block[block.index(run[-1]) + 1].lineno > last + 1


def _is_comment(positions: Positions, row: int) -> bool:
    return row > 0 and positions.line(row).lstrip().startswith("#")


def _removal(positions: Positions, scopes: Scopes, statement: ast.stmt, gone: Collection[ast.stmt]) -> Edit | None:
    """Return the edit that removes a statement with its line, None where that would leave a trace or an empty block."""
    block = _block(scopes, statement)
    index = block.index(statement)
    start, end = positions.span(statement)
    before = positions.line(start.row)[: start.column - 1]
    after = positions.line(end.row)[end.column - 1 :]
    if all(s in gone for s in block) or "#" in positions.segment(statement):
        return None
    if index + 1 < len(block) and block[index + 1].lineno == end.row:
        return Edit("", start, positions.start(block[index + 1]))
    if before.strip() or after.strip() or end.row >= len(positions.starts):
        return None
    below = end.row + 1
    while index and block[index - 1] in gone:
        index -= 1
    if index == 0 or not positions.line(block[index].lineno - 1).strip():
        while below < block[-1].lineno and not positions.line(below).strip(" \t\r\n"):
            below += 1  # no empty line at a block's beginning, none doubled
    return Edit("", Location(start.row, 1), Location(below, 1))
