"""Many files: one after the other, in a pool of processes, or on any `concurrent.futures` executor.

The result does not depend on how the work is spread: it is sorted by file name, and a file's result depends on that
file, its settings and the modules of its project that lie around it on disk, whether those are checked too or not.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_lse.lint.config import Resolver, Settings
from pytest_lse.lint.pipeline import FileResult, excerpt, find
from pytest_lse.lint.walk import walk

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from typing import Any

    from pytest_lse.lint.finding import Finding

#: (name, settings, whether the user named this very file)
Task = tuple[str, Settings, bool]

CHUNK = 64
_GC_THRESHOLD = 50_000
#: a pool is started only if the run is not over after this many seconds: its start costs about as much
POOL_AFTER = 0.25
#: how often a chunk is given back to the executor after its worker was lost, before it is done here
RETRIES = 2


class Job:
    """What is done with each file: plain data, picklable.

    Attributes
    ----------
    mode
        "check", "fix" (write), "diff" (show) or "noqa" (write suppression comments).
    unsafe
        Whether unsafe fixes are applied too.
    """

    __slots__ = ("mode", "unsafe")

    def __init__(self, mode: str = "check", *, unsafe: bool = False) -> None:
        self.mode = mode
        self.unsafe = unsafe


def check(
    paths: Iterable[str | os.PathLike[str]],
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    config: str | os.PathLike[str] | None = None,
    isolated: bool = False,
    respect_gitignore: bool = True,
) -> list[dict[str, Any]]:
    """Check files and directories.

    Parameters
    ----------
    paths
        Files, and directories to walk.
    executor
        Any `concurrent.futures.Executor`: Dask's `Client.get_executor()`, mpi4py's `MPIPoolExecutor`, loky's. Its
        workers read the files themselves, so they must see the same paths. Chunks of a worker that is lost are done
        again.
    jobs
        Number of local processes, without an executor.
    select, ignore
        Codes, prefixes and `ALL`, on top of the configuration files.
    config, isolated
        Use one configuration file, or none, instead of the nearest one of each file.
    respect_gitignore
        Leave out what git ignores.

    Returns
    -------
    list of dict
        The findings in the shape of `--output-format json`, sorted by filename, cell, row and column.

    Raises
    ------
    FileNotFoundError
        A path does not exist.
    pytest_lse.lint.select.UnknownCodeError
        A code covers no rule.
    pytest_lse.lint.config.ConfigError
        A configuration file is broken.
    RuntimeError
        The check of a file failed by an internal error.
    """
    from pytest_lse.lint.select import parse_codes

    overrides: dict[str, Any] = {} if respect_gitignore else {"respect-gitignore": False}
    if select is not None:
        overrides["select"] = parse_codes(select, "select")
    if ignore is not None:
        overrides["ignore"] = parse_codes(ignore, "ignore")
    names = [os.fspath(path) for path in paths]
    for name in names:
        if not os.path.exists(name):
            raise FileNotFoundError(f"{name}: no such file or directory")
    resolver = Resolver(overrides, config=None if config is None else os.fspath(config), isolated=isolated)
    results = run(tasks(names, resolver), Job(), jobs=jobs, executor=executor)
    for result in results:
        if result.error:
            raise RuntimeError(f"{result.filename}: {result.error}")
    return [finding.to_json() for result in results for finding in result.findings]


def tasks(
    paths: Sequence[str], resolver: Resolver, warn: Callable[[str], None] = lambda message: None
) -> Iterator[Task]:
    """Yield the work that the paths mean."""
    named = {os.path.normpath(path) for path in paths}
    for name, settings in walk(paths, resolver, warn):
        yield name, settings, name in named


def run(
    work: Iterable[Task],
    job: Job,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[FileResult]:
    """Do the work and return the results of files of which there is something to say, sorted by file name.

    `progress` is told how many files are done, and how many there are.
    """
    neighbours = sys.modules.get("pytest_lse.lint.neighbours")
    if neighbours is not None:  # what an earlier run of this process saw may have changed
        neighbours.forget()
    todo = sorted(work, key=lambda task: task[0])
    total = len(todo)
    results: list[FileResult] = []
    if executor is None:
        start = time.monotonic()
        while todo and not (jobs > 1 and len(todo) > 1 and time.monotonic() - start > POOL_AFTER):
            results += do_chunk(todo[:4], job)
            todo = todo[4:]
            progress(total - len(todo), total)
        if todo:
            before = total - len(todo)
            results += _in_pool(todo, job, jobs, lambda done: progress(before + done, total))
    else:
        results += _spread(executor, todo, job, lambda done: progress(done, total))
    return sorted(results, key=lambda result: result.filename)


def do_chunk(chunk: Sequence[Task], job: Job) -> list[FileResult]:
    """Do a part of the work; this is what workers run. Files of which there is nothing to say are left out."""
    # Syntax trees are many objects and few cycles: to look for those less often saves a tenth of the time.
    threshold = gc.get_threshold()
    gc.set_threshold(_GC_THRESHOLD, *threshold[1:])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler warns of the user's code
            results = (do_file(name, settings, job, named=named) for name, settings, named in chunk)
            return [result for result in results if result.worth_telling]
    finally:
        gc.set_threshold(*threshold)


def do_file(name: str, settings: Settings, job: Job, *, named: bool = False, data: bytes | None = None) -> FileResult:
    """Check one file, fix it if that is the job, and say what remains. Never raises for what a file holds.

    Parameters
    ----------
    name
        Path as the user named it.
    settings
        What holds for the file.
    job
        What to do.
    named
        The user named this very file.
    data
        Its bytes, if they are not to be read from disk; then the fixed bytes are returned in `output`, not written.
    """
    result = FileResult(name)
    try:
        if data is None:
            with open(name, "rb") as stream:
                original = stream.read()
        else:
            original = data
    except OSError as error:
        from pytest_lse.lint.pipeline import parse_error
        from pytest_lse.lint.read import UnreadableError

        unreadable = parse_error(name, UnreadableError(f"cannot be read: {error.strerror or error}"))
        result.findings = [unreadable] if settings.enabled(unreadable.code, os.path.abspath(name)) else []
        return result
    try:
        findings, source = find(original, name, settings, named=named)
        result.findings = findings
        result.lines = excerpt(findings, source)
        if findings and job.mode != "check":
            from pytest_lse.lint.changes import carry_out

            carry_out(result, original, settings, job, on_disk=data is None)
    except Exception as error:  # the run goes on with the other files
        result.error = f"internal error: {type(error).__name__}: {error}"
    result.findings = list(map(_detached, result.findings))
    result.fixed = list(map(_detached, result.fixed))
    return result


def _detached(finding: Finding) -> Finding:
    """Return the finding without the graph that proves its fix: a whole run's graphs would not fit in memory."""
    fix = finding.fix
    if fix is None:
        return finding
    from dataclasses import replace

    return replace(finding, fix=type(fix)(fix.applicability, fix.message, fix.edits))


def _in_pool(todo: list[Task], job: Job, jobs: int, progress: Callable[[int], None]) -> list[FileResult]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_all_start_methods, get_context

    # A fork starts at once, but copies no threads, and with them locks that are never released: NumPy, which fixes are
    # validated with, has threads of its own.
    alone = threading.active_count() == 1 and "numpy" not in sys.modules
    method = next(m for m in ("fork" if alone else "forkserver", "spawn") if m in get_all_start_methods())
    jobs = min(jobs, len(todo), 61)  # Windows has no more
    with ProcessPoolExecutor(jobs, mp_context=get_context(method)) as pool:
        return _spread(pool, todo, job, progress, jobs)


def _spread(
    executor: Executor, todo: list[Task], job: Job, progress: Callable[[int], None], jobs: int = 0
) -> list[FileResult]:
    """Run chunks on an executor; those whose worker is lost are given back, and at last done here."""
    from concurrent.futures import CancelledError, as_completed

    size = min(CHUNK, max(1, len(todo) // (4 * jobs))) if jobs else CHUNK
    waiting = [todo[i : i + size] for i in range(0, len(todo), size)]
    results: list[FileResult] = []
    done = 0
    for _ in range(1 + RETRIES):
        lost: list[list[Task]] = []
        futures: dict[Future[list[FileResult]], list[Task]] = {}
        for chunk in waiting:
            try:
                futures[executor.submit(do_chunk, chunk, job)] = chunk
            except RuntimeError:  # the pool is broken or shut down
                lost.append(chunk)
        for future in as_completed(futures):
            try:
                results += future.result()
                done += len(futures[future])
                progress(done)
            except (Exception, CancelledError):  # do_chunk itself raises nothing: the worker or the way to it failed
                lost.append(futures[future])
        waiting = lost
        if not waiting:
            break
    for chunk in waiting:
        results += do_chunk(chunk, job)
        done += len(chunk)
        progress(done)
    return results
