"""The assertions: `assert_stable` tests a function, `assert_matches` one result."""

from __future__ import annotations

from pytest_lse.assertions.errors import StabilityError
from pytest_lse.assertions.matches import assert_matches
from pytest_lse.assertions.stable import assert_stable

__all__ = ["StabilityError", "assert_matches", "assert_stable"]
