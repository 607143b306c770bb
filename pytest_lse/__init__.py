"""Finds and fixes numerically unstable log-sum-exp, softmax and loss code."""

__version__ = "0.1.0"
