"""The command line: `pytest-lse COMMAND`. Each module beside this one is a command, found by its file name.

A command module has `HELP` (one line), `add_arguments(parser)` and `run(args) -> exit status`. Only the module of the
command that is called is imported, and it in turn imports what the call needs: the start decides how a pre-commit hook
feels.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn

USAGE_ERROR = 2


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message is one line for the user."""


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, width: int | None = None) -> None:
        # argparse would import shutil, and with it every compression module, to ask for the width.
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=max(columns, 40) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "".join(indent + line for line in text.splitlines(keepends=True))


class Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line, without the usage text of some forty options."""

    def __init__(self, prog: str, **options: Any) -> None:
        if sys.version_info >= (3, 14):
            options["color"] = False  # it would import what colours need although no help is printed
        super().__init__(prog, formatter_class=_Formatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split("=")[0].split(" ")[0]
        if unknown.startswith("--"):
            import difflib

            near = difflib.get_close_matches(unknown, self._option_string_actions, n=1)
            message += f": did you mean {near[0]}?" if near else ""
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv
        The arguments; those of the process if None.

    Returns
    -------
    int
        0 nothing found, 1 findings remain, 2 usage or internal error, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    from pytest_lse.lint.escape import printable

    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
        return status
    except SystemExit:  # argparse has printed the help
        return 0
    except UsageError as error:
        print(f"pytest-lse: error: {printable(str(error))}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("pytest-lse: interrupted", file=sys.stderr)
        return 130


def _dispatch(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal's encoding may not have every character
    if arguments and arguments[0] in _commands():
        module = _command(arguments[0])
        parser = Parser(prog=f"pytest-lse {arguments[0]}", description=module.HELP)
        module.add_arguments(parser)
        status: int = module.run(parser.parse_args(arguments[1:]))
        return status
    return _top(arguments)


def _top(arguments: list[str]) -> int:
    parser = Parser(
        prog="pytest-lse",
        description="Finds and fixes numerically unstable log-sum-exp, softmax and loss code.",
        epilog="\n".join(["commands:", *(f"  {name:<10} {_command(name).HELP}" for name in _commands())]),
        usage="pytest-lse [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    if arguments and not arguments[0].startswith("-"):
        import difflib

        near = difflib.get_close_matches(arguments[0], _commands(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(_commands())}"
        raise UsageError(f"unknown command {arguments[0]!r}: {hint}")
    if parser.parse_args(arguments).version:
        from pytest_lse import __version__

        print(f"pytest-lse {__version__}")
        return 0
    parser.print_help()
    return 0 if arguments else USAGE_ERROR


def _commands() -> list[str]:
    here = os.path.dirname(__file__)
    names = (name.partition(".")[0] for name in os.listdir(here))
    return sorted({name for name in names if not name.startswith("_")})


def _command(name: str) -> ModuleType:
    import importlib

    return importlib.import_module(f"{__name__}.{name}")
