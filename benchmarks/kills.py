"""Kills `--fix` at random moments and looks for damage.

    python benchmarks/kills.py [--kills 200] [--files 10]

A tree of files with findings is fixed again and again by a process that gets SIGKILL after a random time; then the same
with a process that does nothing but write, so that most kills hit a write. After each kill every file must be whole:
byte for byte the original or the fixed one. At the end a run to completion must fix what is left.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SOURCE = '''"""Module {number}."""

import numpy as np


def f(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def g(x):
    return np.log(1 + np.exp(x)), np.log(np.sum(np.exp(x), axis=0))

'''
FIX = [sys.executable, "-m", "pytest_lse", "check", "--fix", "--unsafe-fixes", "--isolated", "--jobs", "1", "."]
WRITER = """
from pathlib import Path
from pytest_lse.lint.write import write_atomically
pairs = {p: (p.read_bytes(), Path("..", "fixed", p.name).read_bytes()) for p in Path().glob("*.py")}
Path("..", "ready").touch()
while True:
    for p, (old, new) in pairs.items():
        write_atomically(str(p), old, new)
    pairs = {p: pair[::-1] for p, pair in pairs.items()}
"""
WRITE = [sys.executable, "-c", WRITER]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--files", type=int, default=10)
    args = parser.parse_args()
    bad = 0
    for title, command in (("fixing", FIX), ("writing", WRITE)):
        with tempfile.TemporaryDirectory() as folder:
            counts = campaign(Path(folder), args.kills, args.files, command)
        print(title)
        for name, number in counts.items():
            print(f"{number:6}  {name}")
        bad += counts["DAMAGED FILES"] + counts["FILES LEFT BEHIND"]
    return int(bad > 0)


def campaign(folder: Path, kills: int, files: int, command: list[str]) -> Counter[str]:
    generator = random.Random(0)
    tree, kept = folder / "tree", folder / "fixed"
    tree.mkdir()
    kept.mkdir()
    originals = {tree / f"m{i}.py": (SOURCE.format(number=i) + "# filler\n" * 200).encode() for i in range(files)}
    reset(originals)
    took = time.perf_counter()
    run(FIX, tree).wait()
    took = time.perf_counter() - took
    fixed = {path: path.read_bytes() for path in originals}
    reset({kept / path.name: data for path, data in fixed.items()})
    assert all(fixed[path] != data for path, data in originals.items()), "the tree has to need fixes"
    counts: Counter[str] = Counter({"DAMAGED FILES": 0, "FILES LEFT BEHIND": 0})
    for _ in range(kills):
        reset(originals)
        process = run(command, tree)
        if command is WRITE:
            while not (folder / "ready").exists():
                time.sleep(0.001)
            (folder / "ready").unlink()
        time.sleep(generator.uniform(0, took if command is FIX else 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        counts["kills"] += 1
        contents = {path: path.read_bytes() for path in originals}
        done = sum(contents[path] == fixed[path] for path in originals)
        counts["DAMAGED FILES"] += sum(c not in (originals[p], fixed[p]) for p, c in contents.items())
        counts["kills between the first file and the last"] += 0 < done < files
        counts["kills inside a write (a temporary file is left)"] += any(p.suffix == ".tmp" for p in tree.iterdir())
    reset(originals)
    run(FIX, tree).wait()
    counts["FILES LEFT BEHIND"] = sum(path.read_bytes() != fixed[path] for path in originals)
    counts["temporary files left in the end"] = sum(p.suffix == ".tmp" for p in tree.iterdir())
    return counts


def reset(originals: dict[Path, bytes]) -> None:
    for path, data in originals.items():
        path.write_bytes(data)


def run(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    here = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
