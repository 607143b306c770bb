"""Is a file one of the tests that a package ships inside itself?

A test compares with a formula written out naively, on numbers of its author's choice: there it is the reference. So
nothing is reported in the tests inside a package, and in test functions and classes anywhere.
"""

from __future__ import annotations

import os

_FOLDERS = frozenset({"tests", "test", "testing"})


def is_shipped_test(filename: str) -> bool:
    """Return whether a file lies in a package's `tests` folder, or beside its modules as `test_x.py` or `x_test.py`."""
    folder, name = os.path.split(os.path.abspath(filename))
    stem = name.rpartition(".")[0]
    if (stem.startswith("test_") or stem.endswith("_test")) and _is_package(folder):
        return True
    while True:
        parent, last = os.path.split(folder)
        if last in _FOLDERS and _is_package(parent):
            return True
        if parent == folder or not last:
            return False
        folder = parent


def _is_package(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "__init__.py"))
