"""The failure message: what was called, what came back, why, and what to do about it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import Any

from pytest_lse import regimes
from pytest_lse.assertions import reasons
from pytest_lse.assertions.errors import StabilityError
from pytest_lse.assertions.spelling import spell_number, spell_scalar
from pytest_lse.assertions.trial import Failure, Trial

WIDTH = 100
UNDERFLOWN = 1e6
"""Below, an infinite answer did not overflow itself."""


NOTHING_KEPT = "a row of which nothing is kept"


def error(trial: Trial, failure: Failure) -> StabilityError:
    """Return the exception for a failure."""
    kernel = trial.kernel_name
    return StabilityError(
        "\n".join(_lines(trial, failure)),
        kernel=kernel,
        regime=reasons.regime(failure),
        dtype=failure.case.dtype,
        arguments=failure.case.arguments,
        index=failure.index,
        returned=failure.returned,
        expected=failure.expected,
        error_ulps=failure.ulps,
        check=failure.check,
    )


def _lines(trial: Trial, failure: Failure) -> Iterator[str]:
    case, framework = failure.case, trial.framework
    shown = {
        "gradient": f"gradient in {trial.known.arguments[0]}",
        "jvp": "weighted derivative along a tangent of result",
    }.get(failure.check, "result")
    yield f"{trial.subject.name} is not a stable {trial.kernel_name}: {_headline(failure)}"
    yield ""
    if case.draft.regimes:
        name = reasons.regime(failure)
        about = NOTHING_KEPT if name == "masked_row" and reasons.nothing_kept(case) else regimes.about(name)
        if about and "probabilities" in trial.known.layout.roles[0] and name not in ("benign", "masked_row"):
            about = f"of their logits: {about}"
        yield _field("regime", name + (f" ({about})" if about else ""))
    yield _field("dtype", f"{case.dtype}, {framework.name}")
    for i, (name, value) in enumerate(zip(trial.known.arguments, case.arguments, strict=True)):
        yield _field("input" if i == 0 else "", f"{name} = {_values(value)}")
    if failure.returned is not None and failure.expected is not None:
        place = f"[{', '.join(map(str, failure.index))}]" if failure.index else ""
        if failure.outputs > 1:
            place = f"[{failure.output}]{place}"
        yield _field("returned", f"{spell_number(failure.returned, case.dtype)}   {shown}{place}".rstrip())
        distance = reasons.distance(failure, trial.ulps)
        yield _field("expected", f"{spell_number(failure.expected, case.dtype)}   {distance}".rstrip())
    elif failure.said:
        yield _field("got", failure.said)
    yield ""
    yield from _advice(trial, failure)
    if not trial.subject.label:
        yield _field("again", reproduce(trial, failure))


def _headline(failure: Failure) -> str:
    if failure.returned is None:
        return failure.said if failure.check != "gradient" else f"its gradient {failure.said.removeprefix('gradient ')}"
    kind = {"gradient": "wrong gradient", "jvp": "wrong forward-mode derivative"}.get(failure.check, "")
    got = failure.returned
    if kind:
        return kind
    if math.isnan(got):
        return "NaN"
    if math.isinf(got):
        if failure.expected is None or not math.isfinite(failure.expected):
            return "wrong infinity"
        # A logarithm is -inf of what has underflowed to 0; the answer itself has not.
        return "underflow: the logarithm of 0" if abs(failure.expected) < UNDERFLOWN and got < 0 else "overflow"
    return {
        "value": "wrong value",
        "alone": "a row depends on its neighbours",
        "repeat": "a second call gives another result",
        "overwrites": "a later call changes an earlier result",
        "layout": f"another result for {failure.said}",
        "readonly": f"another result for {failure.said}",
    }.get(failure.check, "wrong value")


def _field(name: str, text: str) -> str:
    return f"  {name:<10}{text}"


def _values(value: Any) -> str:
    if value.size > 24:
        flat = value.reshape(-1)
        head = ", ".join(spell_scalar(v) for v in flat[:4])
        return f"[{head}, ...], shape {value.shape}" + (", all equal" if bool((flat == flat[0]).all()) else "")
    return _nested(value)


def _nested(value: Any) -> str:
    if value.ndim == 0:
        return spell_scalar(value[()])
    if value.shape[-1:] == (0,) or 0 in value.shape:
        return f"empty, shape {value.shape}"
    return "[" + ", ".join(_nested(v) for v in value) + "]"


def _advice(trial: Trial, failure: Failure) -> Iterator[str]:
    why, fix = reasons.reason(trial, failure), reasons.fix(trial, failure)
    if why:
        yield from _wrapped("why", why)
    if fix:
        yield from _wrapped("fix", fix)


def _wrapped(name: str, text: str) -> Iterator[str]:
    for i, line in enumerate(textwrap.wrap(text.replace("`", ""), WIDTH - 12, break_on_hyphens=False) or [""]):
        yield _field(name if i == 0 else "", line)


def reproduce(trial: Trial, failure: Failure) -> str:
    """Return one line that calls the function on the minimal input again."""
    case = failure.case
    framework = trial.framework
    arguments = [framework.spell_long(a) if a.size > 64 else framework.spell(a) for a in case.arguments]
    keyword = trial.keywords(case)
    arguments += [f"{k}={v}" for k, v in keyword.items()]
    return f"{trial.subject.name.rpartition('.')[2]}({', '.join(arguments)})"
