"""What a start costs: CPU milliseconds more than `python -c pass`, medians of alternating runs.

python benchmarks/startup.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CLEAN = "import os\n\n\ndef f(x):\n    return os.path.join(x, 'a')\n"
NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


def cpu(command: list[str], folder: str) -> float:
    """Return the CPU milliseconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="measure start-up")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for i in range(10):
            (Path(folder) / f"staged_{i}.py").write_text(CLEAN)
        (Path(folder) / "naive.py").write_text(NAIVE)
        os.mkdir(Path(folder) / "empty")
        check = [sys.executable, "-m", "pytest_lse", "check"]
        staged = [f"staged_{i}.py" for i in range(9)]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "one clean file": [*check, "staged_0.py"],
            "ten files, one finding": [*check, *staged, "naive.py"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(cpu(command, folder))
    idle = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        print(
            f"{name:<24} {statistics.median(times):7.1f} ms CPU, {statistics.median(times) - idle:6.1f} more than idle"
        )


if __name__ == "__main__":
    main()
