"""One function under test in one dtype: call it on a case, compare everything with the truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_lse.assertions import forward, truths
from pytest_lse.assertions.adapters import Framework, Function
from pytest_lse.assertions.cases import Case
from pytest_lse.assertions.kernels import Known
from pytest_lse.assertions.subject import Subject
from pytest_lse.dtypes import FORMATS
from pytest_lse.reference.truth import Judgement, Output, ulp

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Failure:
    """What went wrong on a case; the first in order of index for a wrong value, the worst for an inaccurate one."""

    check: str
    case: Case
    said: str = ""
    index: tuple[int, ...] = ()
    returned: float | None = None
    expected: float | None = None
    ulps: float | None = None
    ratio: float = float("inf")
    output: int = 0
    outputs: int = 1
    call: str = ""
    error: BaseException | None = None


@dataclass
class Tally:
    """What a passing run has seen."""

    calls: int = 0
    score: float = 0.0
    regime: str = ""
    measure: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)

    @property
    def ulps(self) -> float:
        """The worst error in units in the last place."""
        return self.measure()[0]

    @property
    def ratio(self) -> float:
        """The worst error in units of the tolerance."""
        return self.measure()[1]


SHARE = 0.75
"""How far a first truth may be from the exact one, as a share of the tolerance."""
MEASURED = 0.01
"""How far a truth may be from the exact one for errors to be told by it, in units in the last place."""
LONGEST_GRADIENT = 4096
"""Elements of the first argument up to which gradients are judged."""


@dataclass
class Trial:
    """Everything that stays the same while one function is tried in one dtype."""

    subject: Subject
    known: Known
    framework: Framework
    dtype: str
    params: Mapping[str, Any]
    domain: str
    strict: bool = False
    ulps: float | None = None
    gradients: bool | str = "auto"
    tally: Tally = field(default_factory=Tally)
    differentiable: bool = True
    called: bool = False
    functions: dict[Any, Function] = field(default_factory=dict)
    differentiated: bool = False
    """Whether there was a gradient once: from then on, a result without one has the gradient 0."""
    last: float = 0.0

    @property
    def kernel_name(self) -> str:
        """The kernel's name."""
        return self.known.name

    @property
    def plain_default(self) -> int | None:
        """The axis that the function says it works along by default."""
        default = self.subject.default
        return default if self.subject.keyword and isinstance(default, int) else None

    def keywords(self, case: Case) -> dict[str, int]:
        """Return how the axis is named in a call, if the function takes one."""
        return {} if self.subject.keyword is None or case.plain else {self.subject.keyword: case.axis}

    def call(self, arguments: Sequence[Any], keywords: Mapping[str, int]) -> Any:
        """Call the function; overflow on the way is its own business, only results are judged."""
        self.tally.calls += 1
        with self.framework.quiet():
            return self.subject.fn(*arguments, **keywords)

    def bound(self, keywords: Mapping[str, int]) -> Function:
        """Return the function with its axis bound: the same object for the same axis."""
        key = tuple(keywords.items())
        if key not in self.functions:
            self.functions[key] = partial(self.subject.fn, **keywords)
        return self.functions[key]

    def evaluate(self, arguments: Sequence[Any], keywords: dict[str, int], case: Case) -> Any:
        """Call the function; its TypeError may say that it wants an axis after all, or that it cannot take one.

        From the second time on, a framework that compiles may do so.
        """
        if self.called:
            self.tally.calls += 1
            with self.framework.quiet():
                return self.framework.call(self.bound(keywords), arguments)
        try:
            result = self.call(arguments, keywords)
        except TypeError as error:
            wanted = re.search(r"""["'](axis|dim)["']""", str(error)) if self.subject.unknown else None
            if wanted is not None:
                self.subject = replace(self.subject, keyword=wanted.group(1))
                keywords.update(self.keywords(case))
            elif keywords and type(error).__name__ == "ConcretizationTypeError":
                # Compiled by JAX with an axis that is not static: nobody can pass it.
                self.subject = replace(self.subject, keyword=None)
                keywords.clear()
            else:
                raise
            result = self.call(arguments, keywords)
        if self.subject.unknown:
            self.subject = replace(self.subject, unknown=False)
        self.called = True
        return result

    def prepare(self, cases: Sequence[Case]) -> None:
        """Begin with the truths of cases that are about to be checked."""
        if self.ulps is None and self.dtype in FORMATS:
            calls = [(c.arguments, c.axis) for c in cases]
            truths.prepare(self.known.kernel, calls, self.params, dtype=self.dtype, strict=self.strict)

    def check(self, case: Case, *, gradients: bool = True) -> Failure | None:
        """Call the function on a case and return what is wrong, if anything is."""
        keywords = self.keywords(case)
        arguments = [self.framework.array(a) for a in case.arguments]
        try:
            actual = self.values(self.evaluate(arguments, keywords, case))
        except Exception as error:
            return self.raised(case, "raises", error)
        differentiate = gradients and self.wants_gradient(case)
        weight = cotangent(actual[0].shape) if differentiate and actual else None
        return self.settled(lambda share: self.examine(case, arguments, keywords, actual, weight, share))

    def settled(self, examine: Callable[[float], Failure | None]) -> Failure | None:
        """Examine with a truth that is good enough, and whatever fails once more with the exact one."""
        if self.ulps is None and examine(SHARE) is None:
            return None
        return examine(0.0)

    def examine(
        self,
        case: Case,
        arguments: Sequence[Any],
        keywords: Mapping[str, int],
        actual: tuple[Array, ...],
        weight: Array | None,
        share: float,
    ) -> Failure | None:
        """Compare what was returned and, with a weight, the gradient with a truth that is as good as it has to be."""
        try:
            truth = self.judge(case, actual, weight, share)
        except ValueError:  # of a cotangent in the shape of a wrong output
            truth = self.judge(case, actual, None, share)
        failure = self.compare(case, actual, truth)
        if failure is None:
            failure = self.unchanged(case, arguments)
        if failure is None and weight is not None and truth.gradient is not None:
            failure = self.check_gradient(case, arguments, keywords, weight, truth.gradient)
        return failure

    def raised(self, case: Case, check: str, error: Exception) -> Failure | None:
        """Return the failure that an exception is.

        None is a "mean of empty slice" that a warning filter raised, and none is too little memory for a long row.
        """
        memory = isinstance(error, MemoryError) or re.search("not enough memory|allocate memory", str(error))
        if isinstance(error, RuntimeWarning) or memory:
            return None
        return Failure(check, case, f"raised {type(error).__name__}: {_line(error)}", error=error)

    def values(self, result: Any) -> tuple[Array, ...]:
        """Return a result's arrays as NumPy's."""
        if isinstance(result, tuple) or (isinstance(result, list) and result and hasattr(result[0], "dtype")):
            return tuple(self.framework.numpy(r) for r in result)
        return (self.framework.numpy(result),)

    def judge(
        self, case: Case, actual: tuple[Array, ...], weight: Array | None = None, share: float = 0.0
    ) -> Judgement:
        """Return the truth of a case, in the dtype of the answer where the input is integers."""
        dtype = case.dtype
        if dtype not in FORMATS:
            got = actual[0].dtype.name if actual else "float64"
            dtype = got if got in FORMATS else "float64"
        return truths.judge(
            self.known.kernel,
            case.arguments,
            self.params,
            dtype=dtype,
            axis=case.axis,
            strict=self.strict,
            cotangent=weight,
            share=share,
        )

    def compare(self, case: Case, actual: tuple[Array, ...], truth: Judgement) -> Failure | None:
        """Compare outputs: their number, shapes, dtypes and values."""
        if len(actual) != len(truth.outputs):
            said = f"returned {_count(len(actual), 'array')}, expected {len(truth.outputs)}"
            return Failure("outputs", case, said)
        for i, (got, output) in enumerate(zip(actual, truth.outputs, strict=True)):
            if got.shape != output.expected.shape:
                said = f"returned shape {got.shape}, expected {output.expected.shape}"
                return Failure("shape", case, said, output=i, outputs=len(actual))
            integers = case.dtype not in FORMATS
            if name_of(got.dtype) not in FORMATS or (integers and got.dtype.itemsize < 4):
                wanted = "float32 or float64" if integers else case.dtype
                return Failure("dtype", case, f"returned dtype {got.dtype.name}, expected {wanted}", output=i)
            failure = self.accurate(case, got, output, "value", i, len(actual))
            if failure is not None:
                return failure
            if case.dtype in FORMATS and not self.keeps(case.dtype, got):
                return Failure("dtype", case, f"returned dtype {got.dtype.name} for {case.dtype} input", output=i)
        return None

    def keeps(self, dtype: str, got: Array) -> bool:
        """Whether a result's dtype is that of the input.

        NumPy's own functions compute float16 and bfloat16 in wider types and return those; a Python float, from a
        reduction, has no other type to be.
        """
        name = name_of(got.dtype)
        if name == dtype:
            return True
        wider = FORMATS[name].precision > FORMATS[dtype].precision
        return wider and (got.ndim == 0 or (self.framework.name == "numpy" and dtype in ("float16", "bfloat16")))

    def accurate(
        self, case: Case, got: Array, output: Output, check: str, number: int = 0, outputs: int = 1
    ) -> Failure | None:
        """Compare the values of one output."""
        if (
            not output.alternatives
            and bool(np.isnan(output.expected).any())
            and not any(np.isnan(a).any() for a in case.arguments if a.dtype.kind != "b")
        ):
            # A NaN is never demanded of input without one.
            output = replace(output, required=output.required & ~np.isnan(output.expected))
        judged_by_ulps = self.ulps is not None and check == "value"

        def measure(at: int) -> tuple[float, float]:
            near = output.error is None or bool((output.error <= MEASURED * ulp(output.exact[0], output.dtype)).all())
            exact = output if near else self.judge(case, (got,)).outputs[number]
            measured = exact.compare(got)
            return float(np.ravel(measured.ulps)[at]), float(np.ravel(measured.ratio)[at])

        close = None if judged_by_ulps else output.close(got)
        if close is not None:
            # Whatever keeps to the least tolerance counts as less than half of what does not.
            if close.size and check == "value":
                self.note(close / 2, case, measure)
            return None
        comparison = output.compare(got)
        ok, ratio = comparison.ok, comparison.ratio
        score = (1 + ratio) / 2
        if judged_by_ulps and self.ulps is not None:
            ok = (comparison.ulps <= self.ulps) | ~output.required
            score = ratio = np.where(output.required, comparison.ulps / max(self.ulps, 1e-300), 0.0)
            measure = lambda at: (float(np.ravel(comparison.ulps)[at]), float(np.ravel(ratio)[at]))  # noqa: E731
        if ok.size and check == "value":
            self.last = max(self.last, float(np.max(score)))
            self.note(np.where(np.isfinite(score) & ok, score, 0.0), case, measure)
        if bool(np.all(ok)):
            return None
        bad = np.where(ok, -1.0, np.where(np.isfinite(ratio), np.minimum(ratio, 1e300), np.inf))
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        return Failure(
            check,
            case,
            index=index,
            returned=float(np.asarray(got)[index]),
            expected=float(output.expected[index]),
            ulps=float(comparison.ulps[index]),
            ratio=float(ratio[index]),
            output=number,
            outputs=outputs,
        )

    def note(self, score: Array, case: Case, measure: Callable[[int], tuple[float, float]]) -> None:
        """Keep the worst error so far of what passes."""
        at = int(score.argmax())
        worst = float(score.flat[at])
        self.last = max(self.last, worst)
        if worst >= self.tally.score:
            self.tally.score = worst
            self.tally.measure = lambda: measure(at)
            self.tally.regime = case.draft.regimes[0] if case.draft.regimes else ""

    def unchanged(self, case: Case, arguments: Sequence[Any]) -> Failure | None:
        """Check that the function did not write into its arguments."""
        for i, (before, after) in enumerate(zip(case.arguments, arguments, strict=True)):
            now = self.framework.numpy(after)
            if before.shape != now.shape or before.tobytes() != now.astype(before.dtype).tobytes():
                return Failure("mutates", case, f"changed its argument {i + 1} in place")
        return None

    def wants_gradient(self, case: Case) -> bool:
        """Whether gradients are judged on this case."""
        if self.gradients is False or not self.differentiable or not self.framework.differentiates:
            return False
        return case.dtype in FORMATS and 0 < case.arguments[0].size <= LONGEST_GRADIENT

    def check_gradient(
        self, case: Case, arguments: Sequence[Any], keywords: Mapping[str, int], weight: Array, truth: Output
    ) -> Failure | None:
        """Compare the gradient of the first output in the first argument with the closed form."""
        bound = self.bound(keywords)
        self.tally.calls += 1
        try:
            gradient = self.framework.gradient(bound, arguments, weight.astype(case.arguments[0].dtype))
        except Exception as error:
            return self.raised(case, "gradient", error)
        if gradient is None:
            if not self.differentiated:
                self.differentiable = False
                said = "returned a value that does not depend on the first argument"
                return Failure("gradient", case, said) if self.gradients is True else None
            gradient = np.zeros(truth.expected.shape, truth.expected.dtype)
        self.differentiated = True
        if gradient.shape != truth.expected.shape:
            return Failure("gradient", case, f"gradient has shape {gradient.shape}, expected {truth.expected.shape}")
        failure = self.accurate(case, gradient, truth, "gradient")
        return failure or self.check_forward(case, bound, arguments, weight, truth)

    def check_forward(
        self, case: Case, fn: Function, arguments: Sequence[Any], weight: Array, truth: Output
    ) -> Failure | None:
        """Compare the derivative along a tangent, where the framework has forward mode."""
        if not np.isfinite(truth.exact[0]).all():
            return None  # a tangent of 0 times an infinite derivative is nan, and right
        along = forward.tangent(truth)
        try:
            derivative = self.framework.directional(fn, arguments, along)
        except Exception as error:
            return self.raised(case, "jvp", error)
        if derivative is None or derivative.shape != weight.shape:
            return None
        wrong = forward.disagreement(derivative, weight, along, truth)
        return wrong and Failure("jvp", case, returned=wrong[0], expected=wrong[1])


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype, which NumPy puts together anew each time."""
    return dtype.name


def cotangent(shape: tuple[int, ...]) -> Array:
    """Return weights for the elements of an output: unequal, so that no row of a softmax cancels to zero."""
    if shape == ():
        return np.array(1.0)
    pattern = np.array([1.0, -0.5, 2.0, 0.25, -1.0])
    return np.asarray(pattern[np.arange(int(np.prod(shape))) % 5].reshape(shape))


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 160 else text[:157] + "..."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
