"""`pytest-lse rule`: the documentation of a rule, from its kernel file."""

from __future__ import annotations

import argparse
import sys

from pytest_lse.cli import UsageError

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.discovery import KernelFile

HELP = "print the documentation of a rule"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="a code (LSE001) or a name (logsumexp)")
    parser.add_argument("--all", action="store_true", help="print the documentation of every rule")
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="default: text")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    from pytest_lse.discovery import coded
    from pytest_lse.lint.select import UnknownCodeError, parse_codes

    if bool(args.code) == args.all:
        raise UsageError("give one code, or --all")
    files = list(coded())
    if args.code:
        wanted = args.code.upper(), args.code.lower().replace("_", "-")
        files = [f for f in files if f.code == wanted[0] or f.title == wanted[1]]
        if not files:
            try:
                parse_codes([args.code], "the arguments")
            except UnknownCodeError as error:
                raise UsageError(str(error)) from None
            raise UsageError(f"{args.code!r} is not one code but a prefix: use --all")
    if args.output_format == "json":
        import json

        entries = [_entry(f) for f in files]
        sys.stdout.write(json.dumps(entries if args.all else entries[0], indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(markdown(f) for f in files))
    return 0


def _entry(file: KernelFile) -> dict[str, object]:
    return {
        "code": file.code,
        "name": file.title,
        "summary": file.summary,
        "severity": file.severity,
        "explanation": file.doc,
        "replacement": dict(file.replacement),
    }


def markdown(file: KernelFile) -> str:
    """Return the documentation of a rule as Markdown: numpydoc's underlined headings as `##`."""
    import re

    doc = re.sub(r"(?m)^([^\n]+)\n-{3,}$", r"## \1\n", file.doc.strip())
    return f"# {file.title} ({file.code})\n\n{doc}\n"
