"""`assert_stable`: the catalogue, the checks beside the values, then the search, for each dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NoReturn

import hypothesis
import numpy
from hypothesis import strategies as st

from pytest_lse import regimes as table
from pytest_lse.assertions import beside, message
from pytest_lse.assertions.adapters import Function, framework
from pytest_lse.assertions.cases import Case, Draft, build, catalogue, usable
from pytest_lse.assertions.kernels import Known, known
from pytest_lse.assertions.minimise import minimise
from pytest_lse.assertions.report import passed
from pytest_lse.assertions.search import drafts, search
from pytest_lse.assertions.subject import subject
from pytest_lse.assertions.trial import Failure, Trial
from pytest_lse.dtypes import FORMATS, Format, format_of
from pytest_lse.report import recorder
from pytest_lse.strategies.casting import cast


def assert_stable(
    fn: Function,
    kernel: Any,
    *,
    xp: Any = numpy,
    dtypes: str | Sequence[str] | None = None,
    device: Any = None,
    domain: str = "masked",
    claims: Sequence[str] = (),
    axis: int = -1,
    ndim: int | Sequence[int] = (1, 2),
    regimes: str | Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    gradients: bool | str = "auto",
    max_examples: int = 100,
    strict: bool = False,
    ulps: float | None = None,
    seed: int | None = None,
) -> None:
    """Assert that a function is a numerically stable implementation of a kernel.

    A deterministic catalogue of minimal inputs is tried first, every regime in every dtype, then Hypothesis searches
    further ones, guided by the error.

    Parameters
    ----------
    fn : callable
        The function, method or module under test. It is called with the kernel's arrays, positionally. If its
        signature has ``axis`` or ``dim``, every axis is tested by keyword.
    kernel : str or pytest_lse.Kernel
        What it computes: a name of the table, or a kernel of your own.
    xp : module
        The array namespace itself: numpy, torch, jax.numpy, tensorflow, cupy, or any of the array API.
    dtypes : str or sequence of str, optional
        Of float64, float32, float16 and bfloat16. Default: float32 and float64, as far as the namespace has them.
    device : optional
        Where the arrays live, in the framework's own words.
    domain : {"finite", "masked", "log_space", "extended"}
        What the function promises about its logits: finite ones; -inf, never all of a row; rows of -inf too; +inf too.
    claims : sequence of {"int", "empty", "nan"}
        What else it promises: integer input, an empty axis, a NaN that makes its row NaN.
    axis : int
        The axis along which a function without such a parameter works.
    ndim : int or sequence of int
        The ranks that are tried, for kernels of free rank.
    regimes : str or sequence of str, optional
        Names of `pytest_lse.regimes`, to try only those. Default: all that domain and claims allow.
    params : mapping, optional
        Parameters of the kernel (``label_smoothing``, ``temperature``, ...). They configure the truth; bind them to
        the function yourself.
    gradients : bool or "auto"
        Whether to judge gradients in the first argument. Default: where the framework differentiates.
    max_examples : int
        The budget of the search, shared by the dtypes; the catalogue comes on top.
    strict : bool
        Judge by the sharp relative bound instead of the one that textbook code keeps.
    ulps : float, optional
        Judge values by this many units in the last place instead.
    seed : int, optional
        Of the search. Default: the same search on every run.

    Raises
    ------
    StabilityError
        The function fails; the message has the smallest input that shows it.
    ValueError, TypeError
        An argument is invalid.
    hypothesis.errors.InvalidArgument
        Called inside a test that Hypothesis runs already: use `assert_matches` there.
    """
    __tracebackhide__ = True
    if hypothesis.currently_in_test_context():
        raise hypothesis.errors.InvalidArgument(
            "assert_stable runs Hypothesis itself and cannot be called inside @given: "
            "use assert_matches(fn(x), kernel, x) there"
        )
    if not callable(fn):
        raise TypeError(f"fn must be the function to test, not its result: {type(fn).__name__} is not callable")
    frame = framework(xp, device)
    names = [format_of(d).name for d in ((dtypes,) if isinstance(dtypes, str) else dtypes or frame.default_dtypes())]
    target = known(kernel, params or {})
    run = _Run(
        known=target,
        domain=_one_of("domain", domain, table.DOMAINS),
        claims=_all_of("claims", claims, table.CLAIMS),
        ndim=_ranks(ndim),
        axis=_axis(axis),
        regimes=_all_of("regimes", regimes, table.names()) if regimes is not None else None,
        max_examples=-(-_budget(max_examples) // max(len(names), 1)),
        strict=strict,
        seed=seed,
        few_shapes=frame.compiles,
    )
    if gradients is True and not frame.differentiates:
        raise ValueError(f"gradients=True, but {frame.name} does not differentiate")
    tested = subject(fn, axis=target.layout.kind == "rows")
    for i, name in enumerate(names):
        trial = Trial(
            tested, target, frame, name, dict(params or {}), domain, strict=strict, ulps=ulps, gradients=gradients
        )
        failure = run.first_failure(trial)
        recorder.ran(trial, run, failure, names[i + 1 :])
        if failure is not None:
            _fail(trial, failure)
        passed(trial)


def _fail(trial: Trial, failure: Failure) -> NoReturn:
    __tracebackhide__ = True
    raise message.error(trial, failure) from failure.error


@dataclass(frozen=True)
class _Run:
    known: Known
    domain: str
    claims: tuple[str, ...]
    ndim: tuple[int, ...]
    axis: int
    regimes: tuple[str, ...] | None
    max_examples: int
    strict: bool
    seed: int | None
    few_shapes: bool

    def placed(self, draft: Draft) -> Draft:
        """Return the draft along the axis under test; a vector has the one it has."""
        return replace(draft, axis=self.axis if -draft.ndim <= self.axis < draft.ndim else -1)

    def wanted(self, trial: Trial) -> list[str]:
        allowed = [r.name for r in table.allowed(self.domain, self.claims)]
        # NumPy's own sums of bfloat16 run in bfloat16: there, a long row is beyond any code.
        sums = not (trial.framework.name == "numpy" and trial.dtype == "bfloat16")
        allowed += (["long"] if sums or self.regimes else []) + (["very_long"] if self.strict or self.regimes else [])
        return [n for n in allowed if self.regimes is None or n in self.regimes]

    def first_failure(self, trial: Trial) -> Failure | None:
        fmt, layout = FORMATS[trial.dtype], self.known.layout

        def make(draft: Draft) -> Case:
            return build(layout, draft, fmt, ignore=self.known.ignore)

        def check(draft: Draft) -> Failure | None:
            return trial.check(make(draft))

        def smaller(draft: Draft) -> Failure | None:
            inside = all(usable(layout, row, fmt, self.domain, draft.choice) for row in draft.rows)
            return check(draft) if inside else None

        if self.known.strategies:
            return self.drawn(trial)
        # Whether the function takes an axis after all, its first call may tell.
        for part in (self.catalogue, self.axes):
            for long, group in groupby(part(trial, fmt), key=lambda d: d.long):
                cases: Iterable[Case] = map(make, group)
                if not long:
                    cases = list(cases)
                    trial.prepare(cases)
                for case in cases:
                    failure = trial.check(case)
                    if failure is not None:
                        return minimise(failure, smaller, layout.least, layout.group)
        failure = self.others(trial, fmt, make)
        if failure is None and self.max_examples and any(n in table.BY_NAME for n in self.wanted(trial)):
            failure = self.search(trial, fmt, check)
            failure = failure and minimise(failure, smaller, layout.least, layout.group)
        return failure

    def drawn(self, trial: Trial) -> Failure | None:
        """Search with the user's own strategies, which have no catalogue."""

        def examine(arrays: tuple[Any, ...]) -> tuple[Failure | None, float]:
            trial.last = 0.0
            values = tuple(cast(numpy.asarray(a), trial.dtype) for a in arrays)
            return trial.check(Case(values, Draft((), ()), trial.dtype)), trial.last

        return search(
            st.tuples(*self.known.strategies),
            examine,
            key=self.key(trial),
            max_examples=self.max_examples,
            seed=self.seed,
        )

    def key(self, trial: Trial) -> str:
        return f"{self.known.name}|{trial.subject.identity}|{trial.dtype}|{trial.framework.name}"

    def catalogue(self, trial: Trial, fmt: Format) -> Iterator[Draft]:
        layout = self.known.layout
        for draft in catalogue(layout, fmt, self.wanted(trial), self.domain, self.ndim, few_shapes=self.few_shapes):
            yield self.placed(draft)

    def axes(self, trial: Trial, fmt: Format) -> Iterator[Draft]:
        del fmt
        if self.known.layout.kind == "rows" and trial.subject.keyword:
            yield from beside.axes(self.known.layout, self.ndim, self.axis)

    def others(self, trial: Trial, fmt: Format, make: Callable[[Draft], Case]) -> Failure | None:
        if self.regimes is not None and "benign" not in self.regimes:
            return None
        failure = beside.check(trial, self.known.layout, self.ndim, lambda d: make(self.placed(d)))
        if failure is None and trial.plain_default is not None and self.known.layout.kind == "rows":
            for rank in self.ndim:
                if -rank <= trial.plain_default < rank:
                    first, _ = beside.drafts(self.known.layout, (rank,))
                    draft = replace(first.only(0) if rank == 1 else first, axis=trial.plain_default)
                    failure = failure or trial.check(replace(make(draft), plain=True))
        for case in self.claimed(fmt):
            failure = failure or trial.check(case)
        return failure

    def claimed(self, fmt: Format) -> Iterable[Case]:
        layout = self.known.layout
        if "int" in self.claims and layout.roles[0] == "logits":
            for rows in _INTEGERS:
                if layout.kind == "whole" and not layout.batched:
                    rows = rows[:1]
                if layout.group == 2:
                    rows = tuple((*r, r[0] + 1) for r in rows)
                for name in ("int64", "int32"):
                    draft = Draft(tuple(tuple(float(v) for v in r) for r in rows), ("benign",) * len(rows), 0, 2, -1)
                    flat = len(rows) == 1 and 1 in self.ndim
                    draft = self.placed(replace(draft, ndim=1 if flat else max(self.ndim)))
                    yield build(layout, draft, FORMATS["float64"], name, self.known.ignore)
        if "empty" in self.claims and layout.kind != "elements" and not layout.builder:
            if max(self.ndim) > 1 or layout.kind == "whole":
                yield build(layout, Draft((), (), 0, max(self.ndim), self.axis), fmt, ignore=self.known.ignore)

    def search(self, trial: Trial, fmt: Format, check: Callable[[Draft], Failure | None]) -> Failure | None:
        layout = self.known.layout
        wanted = [n for n in self.wanted(trial) if n != "nan" or layout.kind != "whole"]

        def examine(draft: Draft) -> tuple[Failure | None, float]:
            trial.last = 0.0
            return check(self.placed(draft)), trial.last

        strategy = drafts(layout, fmt, wanted, self.ndim, self.domain, few_shapes=self.few_shapes)
        return search(strategy, examine, key=self.key(trial), max_examples=self.max_examples, seed=self.seed)


_INTEGERS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((1000, 1001, 1002),),
    ((0, 1, 2),),
    ((-1000, -1002, -1001),),
    ((1, 2, 3), (7, 7, 5)),
)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}: expected one of {', '.join(allowed)}")
    return value


def _all_of(name: str, values: str | Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    return tuple(_one_of(name, v, allowed) for v in ((values,) if isinstance(values, str) else values))


def _ranks(ndim: int | Sequence[int]) -> tuple[int, ...]:
    ranks = (ndim,) if isinstance(ndim, int) else tuple(ndim)
    if not ranks or not all(isinstance(r, int) and r >= 1 for r in ranks):
        raise ValueError(f"ndim is {ndim!r}: expected a positive rank, or several")
    return tuple(sorted(set(ranks)))


def _axis(axis: int) -> int:
    if not isinstance(axis, int):
        raise TypeError(f"axis is {axis!r}: expected an integer")
    return axis


def _budget(count: int) -> int:
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"max_examples is {count!r}: expected a number of examples, 0 for the catalogue alone")
    return count
