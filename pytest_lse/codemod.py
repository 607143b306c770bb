"""The fixes as a LibCST codemod: `python -m libcst.tool codemod -x pytest_lse.codemod.StabiliseCommand PATH`."""

from __future__ import annotations

import argparse
from pathlib import Path

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext

from pytest_lse.lint.config import Resolver
from pytest_lse.lint.run import Job, do_file
from pytest_lse.lint.select import parse_codes


class StabiliseCommand(CodemodCommand):
    """Do what `pytest-lse check --fix` does to a file.

    Parameters
    ----------
    context
        LibCST's context; its filename tells the configuration and the package that the file belongs to.
    unsafe_fixes
        Whether unsafe fixes are applied too.
    select, ignore
        Comma-separated codes, as on the command line.

    Raises
    ------
    pytest_lse.lint.select.UnknownCodeError
        A code covers no rule.
    """

    DESCRIPTION = "Rewrites numerically unstable log-sum-exp, softmax and loss code to stable calls."

    def __init__(
        self,
        context: CodemodContext,
        unsafe_fixes: bool = False,
        select: str | None = None,
        ignore: str | None = None,
    ) -> None:
        super().__init__(context)
        self.job = Job("fix", unsafe=unsafe_fixes)
        given = {"select": select, "ignore": ignore}
        self.overrides = {name: parse_codes(codes.split(","), name) for name, codes in given.items() if codes}

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """Add the options that this command has in common with `pytest-lse check`."""
        arg_parser.add_argument("--unsafe-fixes", action="store_true", help="apply unsafe fixes too")
        arg_parser.add_argument("--select", metavar="CODES", help="codes to fix, comma-separated")
        arg_parser.add_argument("--ignore", metavar="CODES", help="codes to leave, comma-separated")
        # LibCST pipes the result through Black unless told not to: a fix changes nothing but what it fixes
        arg_parser.set_defaults(no_format=True)

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """Return the module with its fixes applied; what remains becomes a warning of the codemod."""
        name = self.context.filename or "<unknown>.py"
        settings = Resolver(self.overrides).settings(str(Path(name).absolute().parent))
        result = do_file(name, settings, self.job, named=True, data=tree.bytes)
        if result.error:
            raise RuntimeError(result.error)
        for finding in result.findings:
            reason = f" (no fix: {finding.no_fix_reason})" if finding.no_fix_reason else ""
            self.warn(
                f"{name}:{finding.location.row}:{finding.location.column}: {finding.code} {finding.message}{reason}"
            )
        return tree if result.output is None else cst.parse_module(result.output)
