"""The campaign behind the two numbers: bugs that survive, correct implementations that are accused.

    python benchmarks/mutants.py [--seeds 20] [--honest numpy,scipy,torch,jax,tensorflow] [--dtypes float32,float64]

Runs the whole mutation suite (``tests/assertions/mutants.py``) and the correct implementations (``honest.py`` and
``variants.py``, beside it) over seeds 0, 1, ... with the default budget, and prints what is not as it should be.
"""

import argparse
import runpy
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pytest_lse import StabilityError, assert_stable  # noqa: E402


def verdict(fn, kernel, **options):
    try:
        assert_stable(fn, kernel, **options)
    except StabilityError as error:
        return error
    return None


def bugs(seeds):
    suite = runpy.run_path(str(ROOT / "tests/assertions/mutants.py"))
    runs = survivors = 0
    for kind in ("numpy", "torch"):
        for kernel, bug, fn, options in suite[f"{kind}_mutants"]():
            for seed in seeds:
                runs += 1
                if verdict(fn, kernel, seed=seed, **options) is None:
                    survivors += 1
                    print(f"survives: {kernel}, {bug}, {kind}, seed {seed}", flush=True)
    print(f"{runs} runs of buggy code, {survivors} survive")


def honest(kinds, seeds, dtypes):
    suites = [runpy.run_path(str(ROOT / f"tests/assertions/{n}.py")) for n in ("honest", "variants")]
    runs = accused = 0
    for kind in kinds:
        xp = {"scipy": "numpy", "jax": "jax.numpy"}.get(kind, kind)
        namespace = __import__(xp, fromlist=["_"])
        made = [case for s in suites if f"{kind}_functions" in s for case in s[f"{kind}_functions"]()]
        for kernel, name, fn, options in made:
            for seed in seeds:
                runs += 1
                error = verdict(fn, kernel, seed=seed, xp=namespace, **{"dtypes": dtypes, **options})
                if error is not None:
                    accused += 1
                    print(f"accused: {kernel}, {name} ({kind}), seed {seed}\n{error}\n", flush=True)
                    break
    print(f"{runs} runs of correct code, {accused} accused")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--honest", default="numpy,scipy")
    parser.add_argument("--dtypes", default=None)
    parser.add_argument("--no-bugs", action="store_true")
    given = parser.parse_args()
    start = time.perf_counter()
    if not given.no_bugs:
        bugs(range(given.seeds))
    honest([k for k in given.honest.split(",") if k], range(given.seeds), given.dtypes and given.dtypes.split(","))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
