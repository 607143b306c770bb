"""The strategies for users: a few small integers drawn, the array built from them."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from pytest_lse import regimes as table
from pytest_lse.dtypes import FORMATS, Format
from pytest_lse.strategies import roles
from pytest_lse.strategies.casting import cast

Array = npt.NDArray[Any]
Shape = int | tuple[int, ...]

_ROLES: weakref.WeakKeyDictionary[st.SearchStrategy[Any], str] = weakref.WeakKeyDictionary()

# What is no placement of arbitrary numbers: an empty row has no elements to place.
_UNPLACED = {"empty"}


def role_of(strategy: object) -> str | None:
    """Return the role of an argument that a strategy of this package makes, if its shape was left open."""
    try:
        return _ROLES.get(strategy)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        return None


def _made(strategy: st.SearchStrategy[Any], role: str, free: bool) -> st.SearchStrategy[Any]:
    if free:
        _ROLES[strategy] = role
    return strategy


def _format(dtype: str) -> Format:
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name not in FORMATS:
        raise InvalidArgument(f"dtype is {dtype!r}: expected one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _regimes(names: Sequence[str] | None, domain: str) -> list[table.Regime]:
    if domain not in table.DOMAINS:
        raise InvalidArgument(f"domain is {domain!r}: expected one of {', '.join(table.DOMAINS)}")
    if names is None:
        return [r for r in table.allowed(domain) if r.name not in _UNPLACED]
    for name in names:
        if name not in table.BY_NAME or name in _UNPLACED:
            known = ", ".join(n for n in table.BY_NAME if n not in _UNPLACED)
            raise InvalidArgument(f"regimes has {name!r}: expected some of {known}")
    if not names:
        raise InvalidArgument("regimes is empty: leave it out for all of them")
    return [table.BY_NAME[n] for n in names]


def _sizes(min_size: int, max_size: int) -> None:
    if not 1 <= min_size <= max_size:
        raise InvalidArgument(f"min_size is {min_size!r} and max_size {max_size!r}: expected 1 <= min_size <= max_size")


def _tuple(shape: Shape | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not sizes or not all(isinstance(s, int) and s >= 1 for s in sizes):
        raise InvalidArgument(f"shape is {shape!r}: expected positive sizes")
    return sizes


def _cap(max_magnitude: float | None, fmt: Format) -> float:
    if max_magnitude is None:
        return fmt.max
    if not max_magnitude > 0:
        raise InvalidArgument(f"max_magnitude is {max_magnitude!r}: expected a positive number")
    return min(float(max_magnitude), fmt.max)


def _rows(fmt: Format, kinds: list[table.Regime], top: float, domain: str) -> Callable[[st.DrawFn, int], list[float]]:
    regime, place = st.sampled_from(kinds), st.integers(-32, 32)
    open_ = domain in ("log_space", "extended")

    def draw_row(draw: st.DrawFn, n: int) -> list[float]:
        kind = draw(regime)
        z = [v / 1024 for v in draw(st.lists(st.integers(-4096, 4096), min_size=n, max_size=n))]
        row = [max(-top, min(top, v)) if math.isfinite(v) else v for v in kind.place(fmt, draw(place) / 32, z)]
        # A regime of one element fills longer rows with itself.
        row = (row * n)[:n]
        if not open_ and kind.domain == "masked" and all(v == -math.inf for v in row):
            row[0] = 0.0
        return row

    return draw_row


def logits(
    *,
    dtype: str = "float32",
    shape: Shape | None = None,
    min_size: int = 1,
    max_size: int = 8,
    domain: str = "masked",
    regimes: Sequence[str] | None = None,
    max_magnitude: float | None = None,
) -> st.SearchStrategy[Array]:
    """Return a strategy for logits.

    Parameters
    ----------
    dtype : {"float64", "float32", "float16", "bfloat16"}
        Of the array; bfloat16 needs ml_dtypes.
    shape : int or tuple of int, optional
        A fixed shape, rows along the last axis. Default: a vector.
    min_size, max_size : int
        Bounds of the vector's length.
    domain : {"finite", "masked", "log_space", "extended"}
        Finite values; -inf, never all of a row; rows of -inf too; +inf too.
    regimes : sequence of str, optional
        Names of `pytest_lse.regimes`. Default: all that the domain allows.
    max_magnitude : float, optional
        Bound of the finite values. Default: the dtype's largest number.

    Returns
    -------
    SearchStrategy of ndarray
        Shape (n,), or `shape`. Shrinks to one benign value.
    """
    fmt, kinds, fixed = _format(dtype), _regimes(regimes, domain), _tuple(shape)
    _sizes(min_size, max_size)
    draw_row = _rows(fmt, kinds, _cap(max_magnitude, fmt), domain)

    @st.composite
    def logits(draw: st.DrawFn) -> Array:
        if fixed is None:
            return cast(np.array(draw_row(draw, draw(st.integers(min_size, max_size)))), fmt.name)
        rows = [draw_row(draw, fixed[-1]) for _ in range(math.prod(fixed[:-1]))]
        return cast(np.array(rows).reshape(fixed), fmt.name)

    return _made(logits(), "logits", fixed is None)


def logit_batches(
    *,
    dtype: str = "float32",
    shape: tuple[int, int] | None = None,
    max_rows: int = 4,
    max_size: int = 8,
    domain: str = "masked",
    regimes: Sequence[str] | None = None,
    max_magnitude: float | None = None,
) -> st.SearchStrategy[Array]:
    """Return a strategy for batches of logits whose rows come from regimes of their own.

    Parameters
    ----------
    shape : tuple of two int, optional
        A fixed shape. Default: up to `max_rows` rows of up to `max_size` values.
    dtype, domain, regimes, max_magnitude
        As in `logits`.

    Returns
    -------
    SearchStrategy of ndarray
        Shape (b, n).
    """
    fmt, kinds, fixed = _format(dtype), _regimes(regimes, domain), _tuple(shape)
    _sizes(1, max_size)
    _sizes(1, max_rows)
    if fixed is not None and len(fixed) != 2:
        raise InvalidArgument(f"shape is {shape!r}: expected two sizes, rows and columns")
    draw_row = _rows(fmt, kinds, _cap(max_magnitude, fmt), domain)

    @st.composite
    def logit_batches(draw: st.DrawFn) -> Array:
        n = fixed[1] if fixed else draw(st.integers(1, max_size))
        count = fixed[0] if fixed else draw(st.integers(1, max_rows))
        return cast(np.array([draw_row(draw, n) for _ in range(count)]), fmt.name)

    return logit_batches()


def labels(
    *, classes: int, size: int | None = None, max_size: int = 4, ignore_index: int | None = None
) -> st.SearchStrategy[Array]:
    """Return a strategy for class labels.

    Parameters
    ----------
    classes : int
        The number of classes.
    size : int, optional
        A fixed number of labels. Default: one to `max_size`.
    ignore_index : int, optional
        A label that occurs too, also as the only one.

    Returns
    -------
    SearchStrategy of ndarray
        Shape (size,), dtype int64. Shrinks to class 0.
    """
    if not isinstance(classes, int) or classes < 1:
        raise InvalidArgument(f"classes is {classes!r}: expected a positive number")
    _sizes(1, size if size is not None else max_size)
    element: st.SearchStrategy[int] = st.integers(0, classes - 1)
    if ignore_index is not None:
        element = element | st.just(ignore_index)
    least, most = (1, max_size) if size is None else (size, size)
    return st.lists(element, min_size=least, max_size=most).map(lambda v: np.array(v, np.int64))


def _from_rows(
    dtype: str, shape: Shape | None, max_size: int, make: Callable[[Array], Array], kinds: Sequence[str]
) -> st.SearchStrategy[Array]:
    fmt, fixed = _format(dtype), _tuple(shape)
    _sizes(1, max_size)
    draw_row = _rows(fmt, _regimes(kinds, "masked"), fmt.max / 16, "masked")

    @st.composite
    def rows(draw: st.DrawFn) -> Array:
        n = fixed[-1] if fixed else draw(st.integers(1, max_size))
        count = math.prod(fixed[:-1]) if fixed else 1
        made = make(np.array([draw_row(draw, n) for _ in range(count)]))
        return cast(made.reshape(fixed or (n,)), fmt.name)

    return rows()


_DISTRIBUTIONS = ("benign", "ties", "dominant", "tails", "masked", "huge_spread", "underflow_edge")


def soft_labels(*, shape: tuple[int, ...], dtype: str = "float32") -> st.SearchStrategy[Array]:
    """Return a strategy for rows of target probabilities.

    Parameters
    ----------
    shape : tuple of int
        Rows along the last axis.
    dtype : str
        As in `logits`.

    Returns
    -------
    SearchStrategy of ndarray
        Shape `shape`: one-hot rows, uniform ones, smoothed ones, arbitrary weights; each sums to one within rounding.
    """
    fmt, fixed = _format(dtype), _tuple(shape) or (1,)
    count, n = math.prod(fixed[:-1]), fixed[-1]

    @st.composite
    def soft_labels(draw: st.DrawFn) -> Array:
        made = []
        for _ in range(count):
            top, choice = draw(st.integers(0, n - 1)), draw(st.integers(0, 31))
            made.append(roles.soft_labels((np.arange(n) == top)[None] * 1.0, choice, fmt))
        return cast(np.concatenate(made).reshape(fixed), fmt.name)

    return soft_labels()


def masks(*, shape: Shape | None = None, max_size: int = 8, domain: str = "masked") -> st.SearchStrategy[Array]:
    """Return a strategy for masks, True = keep.

    Parameters
    ----------
    shape : int or tuple of int, optional
        Rows along the last axis. Default: a vector of up to `max_size`.
    domain : {"masked", "log_space"}
        Whether a row may keep nothing: not under "masked".

    Returns
    -------
    SearchStrategy of ndarray
        Dtype bool. Shrinks to all True.
    """
    if domain not in ("masked", "log_space"):
        raise InvalidArgument(f"domain is {domain!r}: expected masked or log_space")
    fixed = _tuple(shape)
    _sizes(1, max_size)

    @st.composite
    def masks(draw: st.DrawFn) -> Array:
        n = fixed[-1] if fixed else draw(st.integers(1, max_size))
        count = math.prod(fixed[:-1]) if fixed else 1
        dropped = np.array(draw(st.lists(st.booleans(), min_size=count * n, max_size=count * n))).reshape(count, n)
        if domain == "masked":
            kept = draw(st.integers(0, n - 1))
            dropped[dropped.all(-1), kept] = False
        return ~dropped.reshape(fixed or (n,))

    return _made(masks(), "mask", fixed is None)


def probabilities(
    *, dtype: str = "float32", shape: Shape | None = None, max_size: int = 8, zeros: bool = True
) -> st.SearchStrategy[Array]:
    """Return a strategy for distributions.

    Parameters
    ----------
    shape : int or tuple of int, optional
        Rows along the last axis. Default: one distribution over up to `max_size` outcomes.
    zeros : bool
        Whether exact zeros occur.

    Returns
    -------
    SearchStrategy of ndarray
        Each row sums to one within rounding.
    """
    fmt = _format(dtype)
    kinds = _DISTRIBUTIONS if zeros else ("benign", "ties")
    make = roles.probabilities if zeros else lambda rows: np.maximum(roles.probabilities(rows), fmt.tiny)
    return _made(_from_rows(dtype, shape, max_size, make, kinds), "probabilities", shape is None)


def log_probabilities(
    *, dtype: str = "float32", shape: Shape | None = None, max_size: int = 8, zeros: bool = True
) -> st.SearchStrategy[Array]:
    """Return a strategy for logarithms of distributions, down to far below the smallest representable probability.

    Parameters
    ----------
    zeros : bool
        Whether -inf occurs.
    dtype, shape, max_size
        As in `probabilities`.

    Returns
    -------
    SearchStrategy of ndarray
        The exponentials of each row sum to one within rounding.
    """
    kinds = _DISTRIBUTIONS if zeros else tuple(k for k in _DISTRIBUTIONS if k != "masked")
    made = _from_rows(dtype, shape, max_size, roles.log_probabilities, kinds)
    return _made(made, "log_probabilities", shape is None)


def temperatures(
    *, dtype: str = "float32", min_value: float = 2.0**-7, max_value: float = 128.0
) -> st.SearchStrategy[Array]:
    """Return a strategy for positive temperatures.

    Parameters
    ----------
    min_value, max_value : float
        Bounds.

    Returns
    -------
    SearchStrategy of ndarray
        Shape (). Shrinks to 1, or the bound next to it.
    """
    fmt = _format(dtype)
    if not 0 < min_value <= max_value <= fmt.max:
        raise InvalidArgument(
            f"min_value is {min_value!r} and max_value {max_value!r}: expected 0 < min_value <= max_value <= {fmt.max}"
        )
    low, high = math.log2(min_value), math.log2(max_value)
    power = st.integers(-32, 32).map(lambda k: 2.0 ** ((high if k > 0 else -low) * k / 32))
    made = power.map(lambda v: cast(np.array(min(max(v, min_value), max_value)), fmt.name))
    return _made(made, "temperature", True)


def attention_inputs(
    *,
    dtype: str = "float32",
    max_queries: int = 3,
    max_keys: int = 4,
    max_features: int = 3,
    domain: str = "masked",
) -> st.SearchStrategy[tuple[Array, Array, Array, Array]]:
    """Return a strategy for the arguments of attention.

    Parameters
    ----------
    max_queries, max_keys, max_features : int
        Bounds of the sizes.
    domain : {"masked", "log_space"}
        Whether a query may have no keys left.

    Returns
    -------
    SearchStrategy of tuple
        q (l, d), k (s, d), v (s, e) and a boolean mask (l, s), True = keep. The scores q k^T stay in the dtype's range.
    """
    fmt = _format(dtype)
    for name, value in (("max_queries", max_queries), ("max_keys", max_keys), ("max_features", max_features)):
        if not isinstance(value, int) or value < 1:
            raise InvalidArgument(f"{name} is {value!r}: expected a positive number")
    top = math.sqrt(fmt.max / (4 * max_features))
    kinds = [r for r in _regimes(None, "finite") if r.name != "single"]
    draw_row = _rows(fmt, kinds, top, "finite")

    @st.composite
    def attention_inputs(draw: st.DrawFn) -> tuple[Array, Array, Array, Array]:
        queries, keys = draw(st.integers(1, max_queries)), draw(st.integers(1, max_keys))
        features, width = draw(st.integers(1, max_features)), draw(st.integers(1, max_features))
        k = np.array([draw_row(draw, keys) for _ in range(features)]).T
        q = np.array(draw(st.lists(st.integers(-4, 4), min_size=queries * features, max_size=queries * features)))
        v = np.array(draw(st.lists(st.integers(-8, 8), min_size=keys * width, max_size=keys * width)))
        mask = draw(masks(shape=(queries, keys), domain=domain))
        q, v = q.reshape(queries, features) / 4, v.reshape(keys, width) / 2
        return cast(q, fmt.name), cast(k, fmt.name), cast(v, fmt.name), mask

    return attention_inputs()
