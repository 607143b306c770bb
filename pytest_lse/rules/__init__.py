"""Patterns without a kernel: one file each, the same schema and the same discovery as `pytest_lse.kernels`."""
