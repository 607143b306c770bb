"""A kernel of the user's own: the mathematics, written naively, evaluated in adaptive precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_lse.reference.specs import Spec


class Kernel:
    """A formula that is its own truth.

    Parameters
    ----------
    formula : callable
        ``formula(xp, *arrays, **params)``, the mathematics in an array namespace: arithmetic, exp, log, log1p, expm1,
        sqrt, abs, sum, mean, max, min, cumsum, where, maximum, minimum, matmul, softmax, logsumexp, sigmoid, softplus,
        ... with NumPy's indexing. It may be as naive as it likes: it is evaluated in arbitrary precision.
    args : sequence
        What the arrays are: strategies for them (they are kept for the assertions), or their names.
    params : mapping, optional
        Parameters with their defaults.
    name : str, optional
        Default: the formula's own name.
    scale : {"log", "probability"}
        Whether the answer is judged absolutely in 1 + |answer|, or relatively.

    Notes
    -----
    The truth is that of the real formula on the given numbers, correctly rounded. The gradient is the formula's,
    differentiated exactly; at ties of `maximum` each side has half of it. The tolerance comes from the condition number
    of the formula: the running error bound of the formula itself, and a change of every input by a few units of
    roundoff.

    Examples
    --------
    >>> kernel = Kernel(lambda xp, x, t: xp.log(xp.sum(xp.exp(x / t))), args=("x", "t"))
    """

    def __init__(
        self,
        formula: Callable[..., Any],
        *,
        args: Any,
        params: Mapping[str, Any] | None = None,
        name: str | None = None,
        scale: str = "log",
    ) -> None:
        if not callable(formula):
            raise TypeError(f"formula is {formula!r}: expected a function of (xp, *arrays)")
        if isinstance(args, (str, bytes)) or not hasattr(args, "__iter__"):
            raise TypeError(f"args is {args!r}: expected a sequence of strategies or names, one for each array")
        if scale not in ("log", "probability"):
            raise ValueError(f"scale is {scale!r}: expected 'log' or 'probability'")
        self.formula = formula
        self.args = tuple(args)
        self.name = name or getattr(formula, "__name__", "kernel").replace("<lambda>", "kernel")
        names = [a if isinstance(a, str) else f"argument {i}" for i, a in enumerate(self.args)]
        self.spec = Spec(
            name=self.name,
            args=dict.fromkeys(names, "any"),
            params=dict(params or {}),
            layout="whole",
            mean=False,
            scale=scale,
            stable={"stable": formula},
            vjp={},
            conditioned=True,
        )

    def __repr__(self) -> str:
        return f"Kernel({self.name})"
