"""One line per passing assertion, for the summary under ``-v``: kept until the plugin asks for it."""

from __future__ import annotations

import threading

from pytest_lse.assertions.trial import Trial

_local = threading.local()


def passed(trial: Trial) -> None:
    """Note a passing run."""
    lines = getattr(_local, "lines", None)
    if lines is None:
        lines = _local.lines = []
    tally = trial.tally
    lines.append(
        f"{trial.subject.name}: {trial.kernel_name}, {trial.framework.name} {trial.dtype}: {tally.calls} calls, "
        f"worst error {tally.ulps:.3g} ulps ({tally.ratio:.0%} of the tolerance), regime {tally.regime}"
    )
    del lines[:-1000]


def collect() -> list[str]:
    """Return the lines since the last time, of this thread."""
    lines: list[str] = getattr(_local, "lines", [])
    _local.lines = []
    return lines
