"""Applies every fix, safe and unsafe, to real packages and counts what goes wrong.

    python benchmarks/fixes.py FOLDER [--show] [--only NAME]

FOLDER holds unpacked packages. Nothing is written there: the fixed bytes stay in memory. Checked for each file: no
crash, the result compiles, its syntax tree differs in the fixes alone (`apply_fixes` withholds what does not), LibCST
and the plain edits agree byte for byte, and a second run changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_lse.lint.config import Settings
from pytest_lse.lint.diff import unified_diff
from pytest_lse.lint.run import Job, do_file

SETTINGS = Settings(root="/")
FIX = Job("fix", unsafe=True)


def files(folder: Path, only: str | None) -> Iterator[Path]:
    for package in sorted(p for p in folder.iterdir() if p.is_dir() and (only is None or only in p.name)):
        yield from sorted(p for p in package.rglob("*") if p.suffix in (".py", ".ipynb") and p.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="print the diffs")
    parser.add_argument("--only", help="part of a package's name")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    start = time.perf_counter()
    for path in files(args.folder, args.only):
        counts["files"] += 1
        data = path.read_bytes()
        try:
            result = do_file(str(path), SETTINGS, FIX, data=data)
        except Exception:
            counts["CRASHES"] += 1
            traceback.print_exc()
            continue
        if result.error:
            counts["INTERNAL ERRORS"] += 1
            print(f"{path}: {result.error}")
        counts["findings left"] += len(result.findings)
        counts["fixed"] += len(result.fixed)
        codes.update(f"{f.code} {f.fix.applicability}" for f in result.fixed if f.fix)
        reasons.update(f.no_fix_reason for f in result.findings if f.no_fix_reason)
        counts["WITH A FIX THAT WAS NOT APPLIED"] += sum(f.fix is not None for f in result.findings)
        if result.output is None:
            continue
        counts["files changed"] += 1
        if path.suffix == ".py":
            try:
                compile(result.output, str(path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                counts["DO NOT COMPILE"] += 1
                print(f"{path}: {error}")
        again = do_file(str(path), SETTINGS, FIX, data=result.output)
        if again.output is not None or again.fixed:
            counts["NOT IDEMPOTENT"] += 1
            print(f"{path}: the second run changes it again")
        if args.show:
            sys.stdout.write(unified_diff(str(path), data, result.output))
    for title, counter in (("counts", counts), ("fixed by code", codes), ("reasons for no fix", reasons)):
        print(f"\n{title}")
        for name, number in counter.most_common():
            print(f"  {number:6}  {name}")
    print(f"\n{time.perf_counter() - start:.0f} s")
    return int(any(name.isupper() for name in counts if counts[name]))


if __name__ == "__main__":
    sys.exit(main())
