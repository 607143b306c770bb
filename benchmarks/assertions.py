"""Time of `assert_stable` beside a plain Hypothesis test of the same function.

    python benchmarks/assertions.py [kernel ...]

For each kernel: `assert_stable` in float32 and float64 with its default budget, in a process that has not seen the
kernel yet and again, against two plain tests, one per dtype, with 100 arrays each and `assert_allclose` against a
reference (SciPy where it has the function). CPU seconds, the least of three processes.
"""

import json
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def plain(fn):
    """Return the CPU time of two plain tests."""
    import scipy.special as sp
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import array_shapes, arrays

    spent = 0.0
    for dtype, width in (("float32", 32), ("float64", 64)):
        elements = st.floats(-100, 100, width=width)

        @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(arrays(dtype, array_shapes(min_dims=1, max_dims=2, max_side=6), elements=elements))
        def test(x):
            np.testing.assert_allclose(fn(x), sp.softmax(x, axis=-1), rtol=1e-4, atol=1e-6)

        start = time.process_time()
        test()
        spent += time.process_time() - start
    return spent


def measure(kernel):
    import scipy.special as sp

    from pytest_lse import assert_stable

    honest = runpy.run_path(str(ROOT / "tests/assertions/honest.py"))
    fn, options = next((f, o) for k, _, f, o in honest["numpy_functions"]() if k == kernel)
    # Hypothesis and NumPy warm up on something else.
    assert_stable(
        np.logaddexp if kernel != "logaddexp" else honest["sigmoid"],
        "logaddexp" if kernel != "logaddexp" else "sigmoid",
        max_examples=5,
    )
    other = plain(lambda x: sp.softmax(x, axis=-1))
    times = []
    for _ in range(2):
        start = time.process_time()
        assert_stable(fn, kernel, **options)
        times.append(time.process_time() - start)
    return {"first": times[0], "again": times[1], "plain": other}


def main():
    from pytest_lse.reference.specs import names

    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2])))
        return
    print(f"{'kernel':26} {'first':>7} {'again':>7} {'plain':>7}   CPU seconds")
    for kernel in sys.argv[1:] or names():
        runs = [
            json.loads(subprocess.check_output([sys.executable, __file__, "--one", kernel], text=True))
            for _ in range(3)
        ]
        least = {k: min(r[k] for r in runs) for k in runs[0]}
        print(f"{kernel:26} {least['first']:7.2f} {least['again']:7.2f} {least['plain']:7.2f}", flush=True)


if __name__ == "__main__":
    main()
