"""Executes the fixed statements of real packages, before and after, on random arrays.

    python benchmarks/statements.py FOLDER [--only NAME]

FOLDER holds unpacked packages. For every fix the replaced expression is cut out of its function together with the
assignments of the variables that the replacement does not need any more; what remains free (names, attributes, calls of
the package's own functions) gets random arrays of the file's framework. Before and after must agree where the original
is finite, and far out the fixed one must not be nan where the original is not. What cannot be executed on such arrays
is counted.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from fixes import SETTINGS, files

from pytest_lse.lint.finding import Finding
from pytest_lse.lint.pipeline import find
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.read import UnreadableError, read
from pytest_lse.lint.scopes import Scopes
from pytest_lse.lint.validate import objection

MODULES = ("numpy", "scipy", "torch", "jax", "tensorflow", "math")
FAR = np.array([-1000.0, -90.0, -1.0, 0.5, 3.0, 95.0, 1000.0])


class SkippedError(Exception):
    """An expression cannot be executed outside its package."""


def pair(text: str, finding: Finding) -> tuple[list[ast.stmt], ast.expr, ast.expr, dict[str, object]]:
    """Return the statements before the original, the original, the replacement, and the modules that they use."""
    assert finding.fix is not None
    tree, positions = ast.parse(text), Positions(text)
    scopes = Scopes(tree)
    edit = finding.fix.edits[-1]
    new = ast.parse(f"({edit.content}\n)", mode="eval").body
    inside = [
        n for n in ast.walk(tree)
        if isinstance(n, ast.expr) and edit.location <= positions.start(n) and positions.end(n) <= edit.end_location
    ]  # fmt: skip
    if not inside:
        raise SkippedError("no expression")
    site = max(inside, key=lambda n: positions.offset(positions.end(n)) - positions.offset(positions.start(n)))
    modules = imported(text, finding)
    gone = [
        n for n in ast.walk(tree)
        if isinstance(n, ast.Assign | ast.AugAssign) and any(
            not e.content and e.location <= positions.start(n) and positions.end(n) <= e.end_location
            for e in finding.fix.edits
        )
    ]  # fmt: skip
    before: list[ast.stmt] = sorted(gone, key=lambda s: s.lineno)
    in_place = [s for s in before if isinstance(s, ast.AugAssign)]
    statement = next(a for a in scopes.ancestors(site) if isinstance(a, ast.stmt))
    if in_place and isinstance(statement, ast.Assign):
        # `p /= p.sum()`: the replacement stands in the assignment above, the value is that of the name in the end
        if not isinstance(statement.targets[0], ast.Name):
            raise SkippedError("an attribute has several values")
        before.insert(0, statement)
        site = ast.copy_location(ast.Name(statement.targets[0].id, ast.Load()), in_place[0])
        scopes.parents[site], scopes._scope[site] = in_place[0], scopes.scope(statement)
    moved = {n.id for s in before for t in targets(s) for n in ast.walk(t) if isinstance(n, ast.Name)}
    kept = names(new) | moved
    todo = [site, *(s.value for s in before)]
    while todo:
        for name in names(todo.pop()) - kept - set(modules):
            kept.add(name)
            owner = scopes.owner(name, site)
            bound = [scopes.parents.get(n) for n in scopes.bound[owner].get(name, [])] if owner else []
            assignments = [a for a in bound if isinstance(a, ast.Assign) and a.lineno < site.lineno]
            if len(bound) == 1 and len(assignments) == 1 and len(assignments[0].targets) == 1:
                before.insert(0, assignments[0])
                todo.append(assignments[0].value)
            elif bound:
                raise SkippedError(f"{name} has several values")
    return sorted(before, key=lambda s: (s.lineno, s.col_offset)), site, new, modules


def targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def imported(text: str, finding: Finding) -> dict[str, object]:
    """Import the frameworks as the file does, and what the fix adds."""
    assert finding.fix is not None
    added = [e.content for e in finding.fix.edits if e.location == e.end_location]
    tree = ast.parse(text)
    statements = [s for s in ast.walk(tree) if isinstance(s, ast.Import | ast.ImportFrom)]
    for content in added:
        statements += ast.parse(
            content if "import" in content else f"from scipy.special import {content.strip(', ')}"
        ).body
    namespace: dict[str, object] = {}
    for s in statements:
        module = (s.module or "") if isinstance(s, ast.ImportFrom) else s.names[0].name
        if module.partition(".")[0] in MODULES and not getattr(s, "level", 0):
            for alias in s.names:
                one = ast.ImportFrom(module, [alias], 0) if isinstance(s, ast.ImportFrom) else ast.Import([alias])
                code = ast.unparse(one).replace("tensorflow.compat.v1", "tensorflow")
                try:
                    exec(code, namespace)
                except ImportError:
                    continue
    namespace.pop("__builtins__", None)
    return namespace


class Free(ast.NodeTransformer):
    """Turns attributes of unknown objects, and calls of unknown functions, into names: the same text is one value."""

    def __init__(self, modules: dict[str, object]) -> None:
        self.modules = modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id not in self.modules and node.attr != "shape":
            return ast.Name(ast.unparse(node).replace(".", "_"), ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        if isinstance(function, ast.Attribute):
            root: ast.AST = function
            while isinstance(root, ast.Attribute):
                root = root.value
            if not (isinstance(root, ast.Name) and root.id in self.modules):
                function = ast.Attribute(self.visit(function.value), function.attr, ast.Load())  # a method of an array
        elif isinstance(function, ast.Call):
            function = self.visit(function)  # a loss that is made where it is called
        elif not (
            isinstance(function, ast.Name)
            and (function.id in self.modules or function.id in ("list", "max", "abs", "sum"))
        ):
            return ast.Name("call_" + re.sub(r"\W+", "_", ast.unparse(node)), ast.Load())
        arguments = [self.visit(a) for a in node.args]
        return ast.Call(function, arguments, [self.visit(k) for k in node.keywords])


def array(framework: str, values: np.ndarray) -> object:
    if framework == "torch":
        return importlib.import_module("torch").tensor(values)
    if framework == "jax":
        return importlib.import_module("jax.numpy").asarray(values)
    if framework == "tensorflow":
        return importlib.import_module("tensorflow").constant(values)
    return float(values.flat[0]) if framework == "math" else values


def framework_of(node: ast.AST, modules: dict[str, object]) -> str:
    roots = {
        getattr(modules.get(name), "__name__", getattr(modules.get(name), "__module__", "") or "").partition(".")[0]
        for name in names(node)
    }
    return next((f for f in ("torch", "jax", "tensorflow", "math", "numpy") if f in roots), "numpy")


def execute(before: list[ast.stmt], site: ast.expr, new: ast.expr, modules: dict[str, object], departs: bool) -> int:
    """Run both and return how many runs could be compared; a fix that departs is run in (0, 1), where it should not."""
    framework = framework_of(ast.Module([*before, ast.Expr(site)], []), modules)
    free = Free(modules)
    body = [
        ast.Assign(s.targets, free.visit(s.value))
        if isinstance(s, ast.Assign)
        else ast.AugAssign(s.target, s.op, free.visit(s.value))
        for s in before
    ]
    old_code = ast.unparse(
        ast.fix_missing_locations(ast.Module([*body, ast.Assign([ast.Name("RESULT")], free.visit(site))], []))
    )
    new_code = ast.unparse(
        ast.fix_missing_locations(ast.Module([ast.Assign([ast.Name("RESULT")], free.visit(new))], []))
    )
    bound = {n.id for s in body for t in targets(s) for n in ast.walk(t) if isinstance(n, ast.Name)}
    # what moves is read before its name is bound
    early = set()
    so_far: set[str] = set()
    for s in body:
        early |= (names(s.value) | (names(s.target) if isinstance(s, ast.AugAssign) else set())) - so_far
        so_far |= {n.id for t in targets(s) for n in ast.walk(t) if isinstance(n, ast.Name)}
    leaves = sorted(
        (names(ast.parse(old_code)) | names(ast.parse(new_code)))
        - (bound - early)
        - set(modules)
        - {"RESULT", "list", "max", "abs", "sum"}
    )
    generator = np.random.default_rng(0)
    compared = 0
    for shape in ((5, 5), (4, 5), (5,), (3, 5, 5), (2, 6, 4, 4)):
        for scale in (1.0, None):
            given = {}
            for leaf in leaves:
                values = generator.normal(size=shape) if scale else generator.choice(FAR, size=shape)
                values = generator.uniform(0.05, 0.95, size=shape) if departs else values
                given[leaf] = array(framework, values)
            try:
                old = run(old_code, modules | given)
            except Exception:
                continue
            result = run(new_code, modules | given)
            if scale:
                finite = np.isfinite(old)
                assert old.shape == result.shape, f"shape {old.shape} became {result.shape}"
                assert np.allclose(result[finite], old[finite], rtol=2e-4 if framework == "jax" else 1e-6, atol=1e-6), (
                    "values"
                )
                compared += bool(finite.any())
            else:
                assert not (np.isnan(result) & ~np.isnan(old)).any(), "nan far out"
    if not compared:
        raise SkippedError("could not be executed on these shapes")
    return compared


def run(code: str, namespace: dict[str, object]) -> np.ndarray:
    scope = dict(namespace)
    exec(code, scope)
    return np.asarray(scope["RESULT"], dtype=float)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    counts: Counter[str] = Counter()
    for path in files(args.folder, args.only):
        if path.suffix != ".py":
            continue
        data = path.read_bytes()
        for finding in find(data, str(path), SETTINGS)[0]:
            if finding.fix is None:
                continue
            counts["fixes"] += 1
            if objection(finding.fix):
                counts["withheld"] += 1
                continue
            try:
                text = read(data, str(path)).cells[0]
                counts["runs"] += execute(*pair(text, finding), finding.fix.departs)
                counts["executed"] += 1
            except (SkippedError, UnreadableError) as error:
                counts[
                    f"skipped: {error}"
                    if "calls" in str(error) or "shapes" in str(error)
                    else "skipped: several values"
                ] += 1
            except Exception as error:
                counts["FAILURES"] += 1
                print(f"{path}:{finding.location.row}: {finding.code}: {type(error).__name__}: {error}")
    for name, number in counts.most_common():
        print(f"{number:6}  {name}")
    return int(counts["FAILURES"] > 0)


if __name__ == "__main__":
    sys.exit(main())
