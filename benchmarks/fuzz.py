"""Random programs against crashes: the linter may find what it likes in them, but must not die.

    python benchmarks/fuzz.py [--seconds 60] [--seed 0] [--show SEED] [--grammar]

Each seed is one program: pieces of the fixtures, in which expressions and statements have been swapped for those of
other fixtures, so that what the patterns are made of stands in places where nobody would write it. With `--grammar`
the programs come from the grammar of Python itself (`pip install hypothesmith`), a text of every syntax there is.

Counted are exceptions, differences between the analysis of the whole file and that of the parts that can matter, and
fixed files that do not parse. The exit status is 1 if there is any.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import sys
import time
import traceback
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pytest_lse.lint import fast, prefilter
from pytest_lse.lint.analyse import analyse
from pytest_lse.lint.apply import apply_fixes

FIXTURES = Path(__file__).parent.parent / "fixtures"
OFF = frozenset({"LSE013", "LSE014"})
#: the share of the nodes of a program that are swapped
SWAPPED = 0.03


def pieces() -> tuple[list[ast.stmt], list[ast.expr], dict[type, list[ast.stmt]]]:
    """Return the definitions of all fixtures, their expressions, and their statements by kind."""
    definitions: list[ast.stmt] = []
    expressions: list[ast.expr] = []
    statements: dict[type, list[ast.stmt]] = defaultdict(list)
    for path in sorted(FIXTURES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        definitions += tree.body
        for node in ast.walk(tree):
            if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
                expressions.append(node)
            elif isinstance(node, ast.stmt):
                statements[type(node)].append(node)
    return definitions, expressions, statements


class Swap(ast.NodeTransformer):
    """Swaps expressions for expressions, and statements for statements."""

    def __init__(self, rng: random.Random, expressions: list[ast.expr], statements: dict[type, list[ast.stmt]]) -> None:
        self.rng = rng
        self.expressions = expressions
        self.statements = statements

    def visit(self, node: ast.AST) -> ast.AST:
        """Swap a node, or what it is made of."""
        chosen = self.rng.random() < SWAPPED
        if chosen and isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return copy.deepcopy(self.rng.choice(self.expressions))
        if chosen and isinstance(node, ast.Assign | ast.Return | ast.Expr | ast.AugAssign | ast.If | ast.For):
            return copy.deepcopy(self.rng.choice(self.statements[self.rng.choice(list(self.statements))]))
        return self.generic_visit(node)


def spliced(seed: int, material: tuple[list[ast.stmt], list[ast.expr], dict[type, list[ast.stmt]]]) -> str | None:
    """Return the program of a seed, None where what came of it is no Python."""
    rng = random.Random(seed)
    definitions, expressions, statements = material
    heads = [s for s in definitions if isinstance(s, ast.Import | ast.ImportFrom)]
    body = [*rng.sample(heads, 12), *rng.sample(definitions, rng.randint(1, 8))]
    module = ast.Module([Swap(rng, expressions, statements).visit(copy.deepcopy(s)) for s in body], [])
    try:
        text = ast.unparse(ast.fix_missing_locations(module)) + "\n"
        ast.parse(text)
    except (SyntaxError, ValueError, AttributeError, TypeError, RecursionError):
        return None
    return text


def grammatical(first: int) -> Iterator[tuple[int, str]]:
    """Yield programs of Python's grammar."""
    import hypothesmith  # type: ignore[import-not-found]
    from hypothesis import HealthCheck, Phase, given, seed, settings

    found: list[str] = []
    options = settings(
        max_examples=10, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    for n in range(first, sys.maxsize):
        found.clear()
        seed(n)(options(given(hypothesmith.from_node())(lambda text: found.append(text))))()
        yield from ((n, text) for text in found)


def failure(text: str) -> str | None:
    """Return what goes wrong with a program, None if nothing does."""
    try:
        slow = [f for f in analyse(text, "program.py") if f.code not in OFF]
        held = prefilter.may_hold_finding(text.encode(), OFF)
        quick = [f for f in fast.analyse(text, "program.py", OFF) if f.code not in OFF] if held else []
    except SyntaxError:
        return None
    except Exception:
        return traceback.format_exc(limit=-4)
    places = [[(f.code, f.location, f.message) for f in found] for found in (slow, quick)]
    if places[0] != places[1]:
        rows = [[(f.code, f.location.row) for f in found] for found in (slow, quick)]
        return f"the whole file has {rows[0]}, the parts that can matter {rows[1]}"
    try:
        ast.parse(apply_fixes(text, slow, unsafe=True).text)
    except Exception:
        return traceback.format_exc(limit=-4)
    return None


def programs(first: int, grammar: bool) -> Iterator[tuple[int, str]]:
    """Yield seeds and their programs."""
    if grammar:
        yield from grammatical(first)
    material = pieces()
    for n in range(first, sys.maxsize):
        text = spliced(n, material)
        if text is not None:
            yield n, text


def main() -> None:
    """Run until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--show", type=int, help="print the program of a seed and what is wrong with it")
    parser.add_argument("--grammar", action="store_true", help="programs of Python's grammar")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.show is not None:
        text = spliced(arguments.show, pieces()) or ""
        print(text, failure(text), sep="\n")
        return
    end = time.monotonic() + arguments.seconds
    count = findings = failures = 0
    seed = arguments.seed
    for seed, text in programs(arguments.seed, arguments.grammar):
        wrong = failure(text)
        count += 1
        findings += wrong is None and len(analyse(text, "program.py")) if not arguments.grammar else 0
        if wrong is not None:
            failures += 1
            print(f"seed {seed}: {wrong}", *([text] if arguments.grammar else []), sep="\n", flush=True)
        if time.monotonic() > end:
            break
    print(f"{count} programs up to seed {seed}, {findings} findings, {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
