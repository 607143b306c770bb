"""How to write a dotted name such as `scipy.special.logsumexp` at a given place, and the import it may need."""

from __future__ import annotations

import ast
import builtins
import copy
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from pytest_lse.lint.finding import Edit
from pytest_lse.lint.import_place import ImportStatement, Place
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.scopes import Scope, Scopes

# Importing one of these makes its submodules attributes; of SciPy that is true since 1.9 only, so it is not here.
_EAGER = {"numpy", "torch", "tensorflow", "jax", "cupy", "keras", "paddle", "mxnet"}
# What everybody calls them.
_CONVENTIONS = {"numpy": "np", "jax.numpy": "jnp", "tensorflow": "tf"}
# The same module by another name.
_SYNONYMS = ("tensorflow.compat.v1", "tensorflow"), ("tensorflow.compat.v2", "tensorflow")
# A member is added to an existing from-import as long as its line stays within this, or within the longest import.
_LINE_LENGTH = 88


class Spelling(NamedTuple):
    """A name as it may be written at a place, with the edits that make it available there."""

    text: str
    edits: tuple[Edit, ...] = ()


class Imports:
    """The imports of one module.

    Parameters
    ----------
    tree, text
        The module and its source, as for `Positions`.
    filename
        Tells which package the file belongs to.
    earlier
        The cells of a notebook before this one: what they bind is bound here.
    """

    def __init__(self, tree: ast.Module, text: str, filename: str, earlier: Sequence[ast.Module] = ()) -> None:
        self.tree = tree
        self.positions = Positions(text)
        self.filename = filename
        self._earlier = earlier

    @cached_property
    def scopes(self) -> Scopes:
        """Who binds which names; shared with whoever needs it too."""
        if not self._earlier:
            return Scopes(self.tree)
        before = [_above(s) for cell in self._earlier for s in cell.body]
        return Scopes(ast.Module([*before, *self.tree.body], []))

    def spell(self, dotted: str, at: ast.AST) -> Spelling | None:
        """Spell a dotted name at the place of a node.

        Parameters
        ----------
        dotted
            A builtin, or a module and its member: `numpy.logaddexp`, `scipy.special.logsumexp`.
        at
            The node of `tree` that is replaced. A name that it reads already is known to be bound there.

        Returns
        -------
        Spelling or None
            None if the file belongs to the package that defines it (the name may stand for this very code), or if no
            import can make it available: the package is an optional dependency of the module, or every name is taken.
        """
        if "." not in dotted:
            return Spelling(dotted) if self.scopes.owner(dotted, at) is None else None
        root = dotted.partition(".")[0]
        if self._package == root:
            return None
        spellings = list(self._bound(dotted, at))
        if spellings:
            return Spelling(min(spellings, key=lambda text: (len(text), text)))
        if self._optional(root) or self._hidden(root):
            return None
        return next(self._new(dotted, at), None)

    def _bound(self, dotted: str, at: ast.AST) -> Iterator[str]:
        """Yield the spellings that the imports in force at a place allow."""
        loaded = {m for a, s in self._aliases if self._in_force(a, s, at) for m in _modules(a, s)}
        for name in {_bound_name(a, s) for a, s in self._aliases}:
            scope = self.scopes.owner(name, at)
            nodes = self.scopes.bound[scope][name] if scope else []
            aliases = [n for n in nodes if isinstance(n, ast.alias)]
            in_force = [a for a in aliases if self._in_force(a, self._statement(a), at)]
            if not in_force or not self._only_imports(name, nodes, at):
                continue
            paths = {_path(a, self._statement(a)) for a in aliases}
            if dotted in paths and len({(p or "").rpartition(".")[2] for p in paths}) == 1:
                yield name  # from scipy.special import logsumexp, and from scipy.misc for old versions
            if len(paths) > 1 or None in paths:
                continue
            (path,) = paths
            rest = dotted.removeprefix(f"{path}.")
            if (
                path
                and rest != dotted
                and all(self._has(name, scope, path, module, loaded) for module in _between(path, dotted))
            ):
                yield f"{name}.{rest}"

    def _has(self, name: str, scope: Scope | None, path: str, module: str, loaded: set[str]) -> bool:
        """Say whether a module can be reached as an attribute of the package that `name` holds."""
        if module in loaded or module.partition(".")[0] in _EAGER:
            return True
        attribute = module.removeprefix(f"{path}.")
        uses = (self.scopes.parents[n] for n in self.scopes.readers(name).get(scope, ()))
        return any(isinstance(u, ast.Attribute) and u.attr == attribute for u in uses)

    @cached_property
    def _aliases(self) -> list[tuple[ast.alias, ImportStatement]]:
        bound = (nodes for names in self.scopes.bound.values() for nodes in list(names.values()))
        return [(n, self._statement(n)) for nodes in list(bound) for n in nodes if isinstance(n, ast.alias)]

    def _statement(self, alias: ast.alias) -> ImportStatement:
        statement = self.scopes.parents[alias]
        assert isinstance(statement, ImportStatement)
        return statement

    def _in_force(self, alias: ast.alias, statement: ImportStatement, at: ast.AST) -> bool:
        """Say whether an import has been executed when control reaches a place."""
        scope = self.scopes.scope(statement)
        if scope not in set(self.scopes.chain(at)):
            return False
        above = [at, *self.scopes.ancestors(at)]
        node: ast.AST = statement
        for parent in self.scopes.ancestors(statement):
            if parent is scope:
                break
            if _is_type_checking(parent, node):
                return False
            if not any(ancestor in _block(parent, node) for ancestor in above):
                return self._reads(_bound_name(alias, statement), at)
            node = parent
        late = scope is self.scopes.tree and self.scopes.runs_late(at)
        return late or (statement.end_lineno or 0) <= self._row(at)

    def _only_imports(self, name: str, nodes: list[ast.AST], at: ast.AST) -> bool:
        """Say whether a name holds what the imports bind; `= None` where they failed counts if the place reads it."""
        others = [n for n in nodes if not isinstance(n, ast.alias)]
        if not others:
            return True
        assigned = [self.scopes.parents.get(n) for n in others]
        nothing = all(isinstance(a, ast.Assign) and _is_none(a.value) for a in assigned)
        return nothing and self._reads(name, at)

    def _reads(self, name: str, at: ast.AST) -> bool:
        return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(at))

    def _row(self, at: ast.AST) -> int:
        located = next(n for n in (at, *self.scopes.ancestors(at)) if hasattr(n, "lineno"))
        return int(located.lineno)

    def _optional(self, root: str) -> bool:
        """Say whether the module imports a package only where that may fail or is not wanted."""
        statements = {s for a, s in self._aliases if self.scopes.scope(s) is self.scopes.tree and _root(a, s) == root}
        guards = [self._guard(s, root) for s in statements]
        return bool(guards) and all(guards)

    def _guard(self, statement: ImportStatement, root: str) -> bool:
        node: ast.AST = statement
        for parent in self.scopes.ancestors(statement):
            if parent is self.scopes.tree:
                return False
            if _is_type_checking(parent, node):
                return False
            if not (isinstance(parent, ast.Try | ast.ExceptHandler) and self._imports_anyway(parent, root)):
                return True
            node = parent
        return False

    def _imports_anyway(self, node: ast.Try | ast.ExceptHandler, root: str) -> bool:
        """Say whether a try statement imports the package in its body and in every handler."""
        attempt = self.scopes.parents[node] if isinstance(node, ast.ExceptHandler) else node
        assert isinstance(attempt, ast.Try)
        blocks = [attempt.body, *(h.body for h in attempt.handlers)]
        return all(
            any(isinstance(s, ImportStatement) and any(_root(a, s) == root for a in s.names) for s in block)
            for block in blocks
        )

    @cached_property
    def _package(self) -> str | None:
        """Top-level package that the file belongs to."""
        folder = os.path.dirname(os.path.abspath(self.filename))
        top = None
        while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
            folder, top = os.path.split(folder)
        return top

    def _hidden(self, root: str) -> bool:
        """Say whether importing the package would import this very file, or a neighbour of that name."""
        if self._package is not None:
            return False
        here, name = os.path.split(self.filename)
        stem = os.path.splitext(name)[0]
        if not os.path.exists(self.filename):
            return root == stem or root in here.replace(os.sep, "/").split("/")
        beside = (f"{root}.py", os.path.join(root, "__init__.py"))
        return stem == root or any(os.path.exists(os.path.join(here, file)) for file in beside)

    def _new(self, dotted: str, at: ast.AST) -> Iterator[Spelling]:
        """Yield the ways to import a name that nothing binds yet, the usual one first."""
        parent, _, member = dotted.rpartition(".")
        root = dotted.partition(".")[0]
        top = next((n for n in (at, *self.scopes.ancestors(at)) if self.scopes.parents.get(n) is self.scopes.tree), at)
        decorators = getattr(top, "decorator_list", [])
        row = min([self._row(top), *(d.lineno for d in decorators)])
        if self._free(member, at):
            yield from (Spelling(member, (edit,)) for edit in self._join(parent, member, row))
        for statement, name, text in self._statements(dotted, parent, member, root):
            if self._free(name, at) or (name == root and self._holds_only(root, at)):
                if edit := Place(self.tree, self.positions, self._package).insert(statement, row):
                    yield Spelling(text, (edit,))

    @staticmethod
    def _statements(dotted: str, parent: str, member: str, root: str) -> Iterator[tuple[str, str, str]]:
        """Yield import statements with the name that each binds and the spelling that it allows."""
        for module, name in _CONVENTIONS.items():
            if dotted.startswith(f"{module}."):
                yield f"import {module} as {name}", name, name + dotted.removeprefix(module)
        yield f"import {root if root in _EAGER else parent}", root, dotted
        yield f"from {parent} import {member}", member, member
        yield f"from {parent} import {member} as {root}_{member}", f"{root}_{member}", f"{root}_{member}"

    def _free(self, name: str, at: ast.AST) -> bool:
        """Say whether a new global of that name changes nothing and can be seen from a place."""
        taken = name in self.scopes.bound[self.scopes.tree] or hasattr(builtins, name)
        # a name that is read and bound nowhere comes from a star import
        read = None in self.scopes.readers(name)
        return not taken and not read and self.scopes.owner(name, at) is None

    def _holds_only(self, root: str, at: ast.AST) -> bool:
        """Say whether a global holds a package and nothing else, and can be seen from a place."""
        nodes = self.scopes.bound[self.scopes.tree].get(root, [])
        same = all(isinstance(n, ast.alias) and _path(n, self._statement(n)) == root for n in nodes)
        return bool(nodes) and same and self.scopes.owner(root, at) is self.scopes.tree

    def _join(self, parent: str, member: str, before: int) -> Iterator[Edit]:
        """Yield the edit that adds a member to an import from the same module."""
        rows = [s for s in self.tree.body if isinstance(s, ImportStatement)]
        longest = max((len(self.positions.line(s.lineno)) for s in rows), default=0)
        for statement in rows:
            if not isinstance(statement, ast.ImportFrom) or statement.module != parent or statement.level:
                continue
            names = [a.name for a in statement.names]
            if (statement.end_lineno or before) >= before or "*" in names:
                continue
            ordered = names == sorted(names, key=_member_order)
            later = [a for a in statement.names if ordered and _member_order(a.name) > _member_order(member)]
            start, end = self.positions.span(later[0] if later else statement.names[-1])
            own_line = start.row != statement.lineno and not self._before(start.row, start.column).strip()
            gap = "\n" + self._before(start.row, start.column) if own_line else " "
            gap = gap.replace("\n", self._line_ending(start.row))
            if not own_line and len(self.positions.line(start.row)) + len(member) + 2 > max(_LINE_LENGTH, longest):
                continue
            yield Edit(f"{member},{gap}", start, start) if later else Edit(f",{gap}{member}", end, end)

    def _before(self, row: int, column: int) -> str:
        return self.positions.line(row)[: column - 1]

    def _line_ending(self, row: int) -> str:
        line = self.positions.line(row)
        return line[len(line.rstrip("\r\n")) :] or "\n"


def _above(statement: ast.stmt) -> ast.stmt:
    """Return a copy of a statement that counts as above the first row."""
    copied = copy.deepcopy(statement)
    for node in ast.walk(copied):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = 0  # type: ignore[attr-defined]
    return copied


def _bound_name(alias: ast.alias, statement: ImportStatement) -> str:
    return alias.asname or (alias.name if isinstance(statement, ast.ImportFrom) else alias.name.partition(".")[0])


def _path(alias: ast.alias, statement: ImportStatement) -> str | None:
    """Return the dotted name of what an import binds, None if it is relative."""
    if isinstance(statement, ast.ImportFrom):
        path = None if statement.level or alias.name == "*" else f"{statement.module}.{alias.name}"
    else:
        path = alias.name if alias.asname else alias.name.partition(".")[0]
    for synonym, canonical in _SYNONYMS:
        if path and (path == synonym or path.startswith(synonym + ".")):
            return canonical + path.removeprefix(synonym)
    return path


def _modules(alias: ast.alias, statement: ImportStatement) -> Iterator[str]:
    """Yield the modules that an import loads, as far as it tells."""
    if isinstance(statement, ast.Import):
        name = alias.name
    elif statement.level:
        return
    else:
        name = f"{statement.module}.{alias.name}"  # a module, or a member of one: then it is nobody's package
    while name:
        yield name
        name = name.rpartition(".")[0]


def _root(alias: ast.alias, statement: ImportStatement) -> str | None:
    if isinstance(statement, ast.ImportFrom):
        return None if statement.level else (statement.module or "").partition(".")[0]
    return alias.name.partition(".")[0]


def _between(path: str, dotted: str) -> Iterator[str]:
    """Yield the modules on the way from a package to one of its members."""
    parts = dotted.split(".")
    for end in range(path.count(".") + 2, len(parts)):
        yield ".".join(parts[:end])


def _block(parent: ast.AST, child: ast.AST) -> list[ast.AST]:
    """Return the list of statements of `parent` that holds `child`: the branch it is in."""
    blocks = (getattr(parent, name, None) for name in parent._fields)
    return next((b for b in blocks if isinstance(b, list) and child in b), [child])


def _is_type_checking(parent: ast.AST, child: ast.AST) -> bool:
    match parent:
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), body=body):
            return child in body
        case _:
            return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _member_order(name: str) -> tuple[int, str]:
    """Return the place of a member in isort's order: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower()
