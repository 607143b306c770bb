"""`pytest-lse check`: find, show and fix."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pytest_lse.cli import UsageError
from pytest_lse.lint.config import ConfigError, Resolver
from pytest_lse.lint.formats import FOR_PEOPLE, FORMATS, Report, render
from pytest_lse.lint.pipeline import FileResult
from pytest_lse.lint.run import Job, do_file, tasks
from pytest_lse.lint.run import run as run_job
from pytest_lse.lint.select import UnknownCodeError, parse_codes

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from typing import Any

HELP = "find unstable code, and fix it with --fix"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; names and meanings are ruff's."""
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and directories; - is standard input (default: .)")
    add("--fix", action="store_true", help="apply the safe fixes")
    add("--unsafe-fixes", action="store_true", help="with --fix or --diff: the unsafe fixes too")
    add("--diff", action="store_true", help="show what --fix would change, and change nothing")
    add("--show-fixes", action="store_true", help="list what was fixed")
    add("--exit-non-zero-on-fix", action="store_true", help="exit 1 if something was fixed, even if nothing remains")
    add("--exit-zero", action="store_true", help="exit 0 even if there are findings")
    add("--statistics", action="store_true", help="print a count for each code instead of the findings")
    add("--output-format", choices=FORMATS, default="full", metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    add("-o", "--output-file", metavar="FILE", help="write the findings to a file instead of standard output")
    add("-q", "--quiet", action="store_true", help="print the findings alone, no summary")
    _add_selection(parser.add_argument_group("rules"))
    _add_files(parser.add_argument_group("files"))
    _add_suppression(parser.add_argument_group("suppression"))


def _add_selection(group: argparse._ArgumentGroup) -> None:
    codes: dict[str, Any] = {"action": "append", "metavar": "CODES"}
    group.add_argument("--select", **codes, help="report these codes (or prefixes, or ALL) only")
    group.add_argument("--ignore", **codes, help="do not report these")
    group.add_argument("--extend-select", **codes, help="report these too")
    group.add_argument("--per-file-ignores", action="append", metavar="GLOB:CODES", help="ignore codes in some files")


def _add_files(group: argparse._ArgumentGroup) -> None:
    globs: dict[str, Any] = {"action": "append", "metavar": "GLOBS"}
    group.add_argument("--exclude", **globs, help="leave these files and directories out, instead of the default ones")
    group.add_argument("--extend-exclude", **globs, help="leave these out too")
    group.add_argument("--force-exclude", action="store_true", help="exclusions count for named files too")
    group.add_argument("--respect-gitignore", action=argparse.BooleanOptionalAction, help="leave out what git ignores")
    group.add_argument("--stdin-filename", metavar="NAME", help="read standard input, as if it were this file")
    group.add_argument("-j", "--jobs", type=int, metavar="N", help="processes (default: as many as there are cores)")
    group.add_argument("--config", metavar="FILE", help="take [tool.pytest-lse] from this file")
    group.add_argument("--isolated", action="store_true", help="read no configuration file")


def _add_suppression(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--add-noqa", action="store_true", help="write a noqa comment for each finding")
    group.add_argument("--ignore-noqa", action="store_true", help="suppression comments do not count")
    group.add_argument("--baseline", metavar="FILE", help="report only what is not in this file")
    group.add_argument("--update-baseline", action="store_true", help="accept all findings of now: write the baseline")


def run(args: argparse.Namespace) -> int:
    """Check what the arguments name."""
    try:
        resolver = Resolver(_overrides(args), config=args.config, isolated=args.isolated)
        _validate(args)
        if args.stdin_filename is not None or args.paths == ["-"]:
            results = [_check_stdin(args, resolver)]
        else:
            results = _check_files(args, resolver)
    except (ConfigError, UnknownCodeError) as error:
        raise UsageError(str(error)) from None
    failed = [r for r in results if r.error]
    for result in failed:
        _note(f"error: {result.filename}: {result.error}")
    status = _finish(args, results)
    return 2 if failed else status


def _validate(args: argparse.Namespace) -> None:
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    if args.update_baseline and not args.baseline:
        raise UsageError("--update-baseline needs --baseline FILE")
    writers = [f for f in ("fix", "diff", "add_noqa", "update_baseline") if getattr(args, f)]
    if len(writers) > 1 and writers != ["fix", "diff"]:
        raise UsageError(f"--{writers[0]} cannot be used with --{writers[1]}".replace("_", "-"))
    if "-" in args.paths and args.paths != ["-"]:
        raise UsageError("- (standard input) cannot be used with other paths")
    for path in args.paths:
        if path != "-" and not os.path.exists(path) and args.stdin_filename is None:
            raise UsageError(f"{path}: no such file or directory")
    # What the run cannot end with must stop it before --fix has changed anything.
    if args.output_file:
        from pytest_lse.cli import _terminal

        try:
            _terminal.check_output_file(args.output_file)
        except OSError as error:
            raise UsageError(f"{args.output_file}: cannot write the findings: {error.strerror or error}") from None
    if args.baseline and not args.update_baseline:
        from pytest_lse.lint import baseline

        try:
            baseline.read(args.baseline)
        except baseline.BaselineError as error:
            raise UsageError(str(error)) from None


def _overrides(args: argparse.Namespace) -> dict[str, Any]:
    over: dict[str, Any] = {}
    for option in ("select", "ignore", "extend-select"):
        if (texts := getattr(args, option.replace("-", "_"))) is not None:
            over[option] = parse_codes(texts, f"--{option}")
    for option in ("exclude", "extend-exclude"):
        if (texts := getattr(args, option.replace("-", "_"))) is not None:
            over[option] = [glob.strip() for text in texts for glob in text.split(",") if glob.strip()]
    if args.per_file_ignores is not None:
        ignores: dict[str, list[str]] = {}
        for text in args.per_file_ignores:
            glob, colon, codes = text.rpartition(":")
            if not colon:
                raise UsageError(f"--per-file-ignores {text!r}: expected GLOB:CODES")
            ignores[glob] = ignores.get(glob, []) + parse_codes([codes], "--per-file-ignores")
        over["per-file-ignores"] = ignores
    if args.respect_gitignore is not None:
        over["respect-gitignore"] = args.respect_gitignore
    if args.force_exclude:
        over["force-exclude"] = True
    if args.ignore_noqa:
        over["respect-noqa"] = False
    return over


def _job(args: argparse.Namespace) -> Job:
    mode = "diff" if args.diff else "fix" if args.fix else "noqa" if args.add_noqa else "check"
    return Job(mode, unsafe=args.unsafe_fixes)


def _check_files(args: argparse.Namespace, resolver: Resolver) -> list[FileResult]:
    work = list(tasks(args.paths or ["."], resolver, lambda message: _note(f"warning: {message}")))
    if not work:
        _note("warning: no Python files found under the given paths")
    jobs = args.jobs
    if jobs is None:
        jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if sys.stderr.isatty() and not args.quiet and len(work) > 1:
        from pytest_lse.cli._progress import Progress

        with Progress(sys.stderr) as progress:
            return run_job(work, _job(args), jobs=jobs, progress=progress)
    return run_job(work, _job(args), jobs=jobs)


def _check_stdin(args: argparse.Namespace, resolver: Resolver) -> FileResult:
    name = args.stdin_filename or "-"
    data = sys.stdin.buffer.read()
    path = os.path.abspath(name)
    settings = resolver.settings(os.path.dirname(path))
    job = _job(args)
    if settings.force_exclude and settings.exclude.match_any_parent(path):
        result = FileResult(name)
    else:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = do_file(name, settings, job, named=True, data=data)
    if job.mode in {"fix", "noqa"}:
        sys.stdout.flush()
        sys.stdout.buffer.write(data if result.output is None else result.output)
    return result


def _finish(args: argparse.Namespace, results: Sequence[FileResult]) -> int:
    fixed = sum(len(r.fixed) for r in results)
    if args.diff:
        return _show_diff(args, results, fixed)
    if args.add_noqa:
        count = sum(r.added for r in results)
        _note(f"Added {count} noqa comment{'s' * (count != 1)}.")
        return 0
    if args.baseline:
        from pytest_lse.lint import baseline

        try:
            if args.update_baseline:
                count = baseline.write(args.baseline, results)
                _note(f"Wrote {count} finding{'s' * (count != 1)} to {args.baseline}.")
                return 0
            baseline.apply(args.baseline, results)
        except baseline.BaselineError as error:
            raise UsageError(str(error)) from None
    remaining = sum(len(r.findings) for r in results)
    _show(args, results, fixed, remaining)
    if args.exit_zero:
        return 0
    return int(remaining > 0 or (args.exit_non_zero_on_fix and fixed > 0))


def _show_diff(args: argparse.Namespace, results: Sequence[FileResult], fixed: int) -> int:
    from pytest_lse.cli import _terminal

    for result in results:
        _terminal.write_diff(result.diff, sys.stdout)
    report = Report(results, unsafe=args.unsafe_fixes)
    hidden = sum(f.fix is not None and not report.fixable(f) for f in report.findings)
    more = f" ({hidden} more with --unsafe-fixes)" if hidden else ""
    _note(f"Would fix {_errors(fixed)}{more}." if fixed else f"No fixes available{more}.")
    return int(fixed > 0 and not args.exit_zero)


def _show(args: argparse.Namespace, results: Sequence[FileResult], fixed: int, remaining: int) -> None:
    from pytest_lse.cli import _terminal

    on_stdin_fix = args.fix and (args.stdin_filename is not None or args.paths == ["-"])
    stream = sys.stderr if on_stdin_fix else sys.stdout
    target = _terminal.output_file(args.output_file) if args.output_file else stream
    report = Report(results, unsafe=args.unsafe_fixes, colour=_terminal.colours(None if args.output_file else stream))
    pieces = []
    if args.statistics:
        if remaining or args.output_format == "json":
            from pytest_lse.lint.formats import statistics

            pieces.append(statistics.render(report, args.output_format))
    elif remaining or args.output_format not in FOR_PEOPLE:
        pieces.append(render(args.output_format, report))
    try:
        for piece in pieces:
            target.writelines(piece)
        if args.output_format in FOR_PEOPLE and not args.quiet:
            target.writelines(_summary(args, report, fixed, remaining))
    finally:
        if target is not stream:
            target.close()
    if args.show_fixes and args.output_format in FOR_PEOPLE:
        stream.writelines(_fixes(results, fixed))


def _summary(args: argparse.Namespace, report: Report, fixed: int, remaining: int) -> list[str]:
    if any(r.error for r in report.results) and not remaining:
        return []
    if not remaining:
        return [f"Found {_errors(fixed)} ({fixed} fixed, 0 remaining).\n" if fixed else "All checks passed!\n"]
    total = remaining + fixed
    lines = [f"Found {_errors(total)}" + (f" ({fixed} fixed, {remaining} remaining).\n" if fixed else ".\n")]
    fixable = sum(map(report.fixable, report.findings))
    hidden = sum(f.fix is not None for f in report.findings) - fixable
    more = f"{hidden} hidden fix{'es' * (hidden != 1)} can be enabled with the `--unsafe-fixes` option"
    if fixable:
        lines.append(f"[*] {fixable} fixable with the `--fix` option" + (f" ({more}).\n" if hidden else ".\n"))
    elif hidden:
        lines.append(f"No fixes available ({more}).\n")
    return lines


def _fixes(results: Sequence[FileResult], fixed: int) -> list[str]:
    from pytest_lse.lint.escape import path

    lines = [f"\nFixed {_errors(fixed)}:\n"] if fixed else []
    for result in results:
        if result.fixed:
            lines.append(f"- {path(result.filename)}:\n")
            counts: dict[tuple[str, str], int] = {}
            for f in result.fixed:
                counts[f.code, f.name] = counts.get((f.code, f.name), 0) + 1
            lines += [f"    {count} x {code} ({name})\n" for (code, name), count in sorted(counts.items())]
    return lines


def _errors(count: int) -> str:
    return f"{count} error{'s' * (count != 1)}"


def _note(message: str) -> None:
    from pytest_lse.lint.escape import printable

    print(printable(message), file=sys.stderr)
