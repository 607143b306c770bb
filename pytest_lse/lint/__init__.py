"""The static side: finds the naive patterns in source code without running it."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from pytest_lse.lint.run import check as check

__all__ = ["check"]


def __getattr__(name: str) -> object:
    if name == "check":
        from pytest_lse.lint.run import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
