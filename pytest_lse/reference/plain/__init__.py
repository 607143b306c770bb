"""Kernels that are no one-line formula: plain implementations, one file each, found by name.

The names in a file are those of `pytest_lse.kernels` (args, params, layout, bound, stable, vjp), besides ``check``,
which raises ValueError for arguments that do not fit together. The formulas run in every arithmetic of this package.
"""
