"""What the linter reports: plain data, in the shape of the JSON output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
Applicability = Literal["safe", "unsafe"]


class Location(NamedTuple):
    """A place in a file (in a notebook: in a cell): 1-based row and column, in characters."""

    row: int
    column: int

    def to_json(self) -> dict[str, int]:
        return {"row": self.row, "column": self.column}


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text from `location` to `end_location` (exclusive) by `content`; insert it where they are equal."""

    content: str
    location: Location
    end_location: Location

    def to_json(self) -> dict[str, Any]:
        return {
            "content": self.content,
            "location": self.location.to_json(),
            "end_location": self.end_location.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: the expression, the imports it needs, the assignment it leaves dead."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]
    #: the value before and the value after, in one graph, for the validation; stays in the process that made it
    proof: Any = field(default=None, compare=False, repr=False)
    #: whether it is known to change some values, as its message says
    departs: bool = field(default=False, compare=False, repr=False)
    #: where assignments stand that compute parts of the value: several fixes together may leave them without a reader
    parts: tuple[tuple[Location, Location], ...] = field(default=(), compare=False, repr=False)
    #: the fix for a project that does without SciPy
    without_scipy: Fix | None = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Fix, (self.applicability, self.message, self.edits)

    def to_json(self) -> dict[str, Any]:
        return {
            "applicability": self.applicability,
            "message": self.message,
            "edits": [e.to_json() for e in self.edits],
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem at one place."""

    code: str
    name: str
    message: str
    filename: str
    location: Location
    end_location: Location
    severity: Severity = "error"
    cell: int | None = None
    witness: dict[str, Any] | None = None
    fix: Fix | None = None
    no_fix_reason: str | None = None
    #: whose functions the code calls, None if that is not known
    framework: str | None = field(default=None, compare=False)
    #: last row of the statement that holds the finding: a noqa counts there too
    statement_end: int = field(default=0, compare=False)

    @property
    def sort_key(self) -> tuple[str, int, Location, str]:
        return (self.filename, self.cell or 0, self.location, self.code)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": self.name,
            "message": self.message,
            "filename": self.filename,
            "location": self.location.to_json(),
            "end_location": self.end_location.to_json(),
            "severity": self.severity,
            "cell": self.cell,
            "witness": self.witness,
            "fix": self.fix.to_json() if self.fix else None,
            "no_fix_reason": self.no_fix_reason,
        }
