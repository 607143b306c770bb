"""`pytest-lse server`: the language server for editors."""

from __future__ import annotations

import argparse

from pytest_lse.cli import UsageError

HELP = "run the language server over standard input and output"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--stdio", action="store_true", help="accepted for editors that pass it; there is no other way")


def run(args: argparse.Namespace) -> int:
    """Serve until the client ends the session."""
    try:
        from pytest_lse.lsp import main
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in {"pygls", "lsprotocol"}:
            raise UsageError("the language server needs pygls: pip install 'pytest-lse[lsp]'") from None
        raise
    main()
    return 0
