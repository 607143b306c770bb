"""`pytest-lse scaffold`: writes tests for the kernels that a repository has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_lse.cli import UsageError

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_lse.scaffold.find import Found
    from pytest_lse.scaffold.write import Written

HELP = "find the functions that are a kernel, and write tests for them"
OUTPUT = "tests/stability"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and directories")
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=OUTPUT, help=f"directory of the tests (default: {OUTPUT})"
    )
    parser.add_argument("--check", action="store_true", help="run the tests too, and report which functions fail")


def run(args: argparse.Namespace) -> int:
    """Find, write, and perhaps check; 1 if a function failed, 2 if a test could not run."""
    from pytest_lse.lint.escape import printable
    from pytest_lse.scaffold.find import find
    from pytest_lse.scaffold.write import write

    for path in args.paths:
        if not Path(path).exists():
            raise UsageError(f"{path}: no such file or directory")
    found = list(find(args.paths, lambda message: print(f"warning: {printable(message)}", file=sys.stderr)))
    files, left = write(found, args.output)
    _save(files, args.output)
    for file in files:
        print(printable(f"{file.path}: {_count(len(file.tests), 'test')}"))
    for f, reason in left:
        print(printable(f"{_place(f)}: {f.name} is {_a(f.meaning.kernel.name)}, but {reason}: no test written"))
    print(f"Found {_count(len(found), 'kernel')}, wrote {_count(sum(len(f.tests) for f in files), 'test')}.")
    return _check(files) if args.check and files else 0


def _save(files: Sequence[Written], directory: str) -> None:
    """Write all files or, if one exists, none."""
    for file in files:
        if Path(file.path).is_symlink() or Path(file.path).exists():
            raise UsageError(f"{file.path}: exists already, nothing was written: remove it or choose another --output")
    try:
        if files:
            Path(directory).mkdir(parents=True, exist_ok=True)
        for file in files:
            with Path(file.path).open("x", encoding="utf-8") as stream:
                stream.write(file.text)
    except OSError as error:
        raise UsageError(f"{error.filename or directory}: cannot write the tests: {error.strerror or error}") from None


def _check(files: Sequence[Written]) -> int:
    from pytest_lse.lint.escape import printable
    from pytest_lse.scaffold.check import check

    outcomes = []
    for file in files:
        for outcome in check(file):
            outcomes.append(outcome)
            said = f": {outcome.said}" if outcome.said else ""
            print(printable(f"{outcome.verdict:<6} {_place(outcome.found)} {outcome.found.name}{said}"), flush=True)
    verdicts = [o.verdict for o in outcomes]
    failed, errors = verdicts.count("failed"), verdicts.count("error")
    print(f"{verdicts.count('passed')} passed, {failed} failed, {errors} could not run.")
    return 2 if errors else int(failed > 0)


def _place(f: Found) -> str:
    return f"{f.filename}:{f.row}"


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
