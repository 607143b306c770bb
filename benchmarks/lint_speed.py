"""How fast the linter is beside ruff, TorchFix and Semgrep, on the Python files of ten wheels.

    python benchmarks/lint_speed.py FOLDER [--rounds N] [--sample N]

downloads the wheels to FOLDER unless they are there, runs the tools one after the other, N rounds of that in one
session, and prints the medians of wall and CPU time with their ratios to ruff (one rule, no cache). TorchFix and
Semgrep are run once, on every tenth file, where they are on the PATH. `--check` compares the findings of the fast path
with those of the slow one instead, file by file.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

PACKAGES = (
    "transformers", "tensorflow-probability", "scipy", "scikit-learn", "allennlp",
    "pyro-ppl", "timm", "gensim", "pymc", "numpyro",
)  # fmt: skip
OFF = frozenset({"LSE013", "LSE014"})


def corpus(folder: Path) -> Path:
    """Return the folder with the Python files of the packages."""
    files = folder / "py"
    if not files.is_dir():
        with tempfile.TemporaryDirectory() as wheels:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", wheels]
            for package in PACKAGES:
                subprocess.run([*pip, package], check=True)
            for wheel in Path(wheels).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(files, [n for n in archive.namelist() if n.endswith(".py")])
    return files


def timed(command: list[str]) -> tuple[float, float]:
    """Return the wall and CPU seconds of a command and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def compare(files: Path, rounds: int, sample: int) -> None:
    """Run the tools alternately and print what they took."""
    lint = [sys.executable, "-m", "pytest_lse", "check", "--isolated", "--output-format", "json"]
    ruff = ["ruff", "check", "--select", "NPY002", "--no-cache", "--isolated", "--output-format", "json", str(files)]
    commands = {"ruff": ruff, "ours": [*lint, str(files)], "ours, one process": [*lint, "--jobs", "1", str(files)]}
    names = sorted(str(p) for p in files.rglob("*.py"))
    size = sum(os.path.getsize(n) for n in names)
    print(f"{len(names)} files, {size / 1e6:.1f} MB, {os.cpu_count()} cores")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(timed(command))
    wall, cpu = (statistics.median(t[i] for t in taken["ruff"]) for i in (0, 1))
    for name, times in taken.items():
        mine = [statistics.median(t[i] for t in times) for i in (0, 1)]
        print(
            f"{name:<20} wall {mine[0]:8.2f} s ({mine[0] / wall:6.2f}x)   CPU {mine[1]:8.2f} s ({mine[1] / cpu:7.2f}x)"
            f"   {size / 1e6 / mine[1]:7.1f} MB per CPU second"
        )
    some = names[::sample]
    slow = {
        "torchfix": ["torchfix", "--select", "ALL"],
        "semgrep": ["semgrep", "--metrics=off", "--config", "r/python"],
    }
    for name, command in slow.items():
        if shutil.which(name):
            _, seconds = timed([*command, *some])
            _, ours = timed([*lint, *some])
            print(f"{name:<20} CPU {seconds:8.2f} s on {len(some)} files, ours {ours:.2f} s: {seconds / ours:.0f}x")


def check(files: Path) -> int:
    """Compare the two paths file by file; return how many files differ."""
    from pytest_lse.lint import analyse, fast, prefilter

    warnings.simplefilter("ignore")
    different = findings = 0
    for path in sorted(files.rglob("*.py")):
        data = path.read_bytes()
        try:
            text = data.decode()
            slow = [f.to_json() for f in analyse.analyse(text, str(path)) if f.code not in OFF]
        except (SyntaxError, ValueError):
            continue
        quick = fast.analyse(text, str(path), OFF) if prefilter.may_hold_finding(data, OFF) else []
        findings += len(slow)
        if slow != [f.to_json() for f in quick if f.code not in OFF]:
            different += 1
            print(f"{path}: the findings differ")
    print(f"{findings} findings, {different} files differ")
    return different


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="compare the linter's speed with that of others")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    files = corpus(args.folder)
    if args.check:
        return min(check(files), 1)
    compare(files, args.rounds, args.sample)
    return 0


if __name__ == "__main__":
    sys.exit(main())
