"""Can the exponentials of a value overflow, can its logarithms see a 0?

Interval arithmetic over the value graph without shapes, with the facts that the control flow has established
(`if x > 20: return x`). Most code that looks naive is stabilised already, so this decides most verdicts:
`x - max(x)` is at most 0 however the maximum is spelt, and so are `-abs(x)`, `-square(x)`, a log-probability.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pytest_lse.lint.graph import Graph, Node, coefficient, factors, is_number, terms

Interval = tuple[float, float]
Facts = Mapping[Node, Interval]

INF = math.inf
UNKNOWN: Interval = (-INF, INF)
#: of a value that was compared with another: nothing is known but that someone thought of it
TESTED: Interval = (-1e300, 1e300)
#: the largest exponent that is called harmless: log(max) is 88.7 in float32
OVERFLOW = 80.0
#: a limit that someone has written down is meant for float64, in which exp(709.8) is the largest
_WRITTEN = 710.0
#: the smallest argument of a logarithm that is called harmless: below it, what is left of a probability is an epsilon
UNDERFLOW = 1e-6

#: one of two values, depending on the path taken
_PATHS = frozenset({"phi", "where", "either"})
_COMPARISONS = frozenset({"less", "greater", "BitOr", "BitAnd", "not"})
#: functions of that name are no maxima
_SPECIAL = frozenset(
    {"digamma", "psi", "gammaln", "lgamma", "betaln", "gamma", "log_prob", "logpdf", "logpmf", "log_pdf"}
)
#: what holds of two tests together, of truth values and of masks
_BOTH = {"and": "and", "BitAnd": "and", "or": "or", "BitOr": "or"}
_UNIT = frozenset({"sigmoid", "softmax"})
_SYMMETRIC = frozenset({"tanh", "sin", "cos", "erf", "sign"})
_NONNEGATIVE = frozenset({"abs", "relu", "softplus", "sqrt", "norm", "nonnegative", "std_like", "isfinite"})
_MAXIMA = frozenset({"max", "maxlike", "logsumexp", "loopmax", "maxpair"})
_SAME = frozenset({"mean", "max", "min", "maxlike", "loopmax", "squeeze"})
#: of a value that was compared with 0
_NOT_ZERO: Interval = (2.0 * UNDERFLOW, INF)
#: of a product with a mask that was made by comparing: whoever compares has thought of it
_TESTED_PRODUCT: Interval = (-80.0, 80.0)
_SCALES = 8.0
#: what people call a temperature; nobody divides a cosine by less than this
_TEMPERATURE = re.compile(r"(?i)(?:^|_)(?:temp|temperature|tau)(?:_|#|$)")
_SMALLEST_TEMPERATURE = 0.05
#: what people call a distance, the width that it is measured by, a frequency and its like
_NONNEGATIVE_NAME = re.compile(
    r"(?i)(?:^|_)(?:dists?|distances?|sq_?dists?|sigma2?|gamma|bandwidth|length_?scale|std|variance"
    r"|freq|frequency|hz|sample_?rate|sampling_?rate|sr)(?:_|#|$)"
)
#: what people call a small positive number
_EPSILON = re.compile(r"(?i)(?:^|_)(?:eps|epsilon|tiny|min_(?:\w+_)?(?:derivative|slope))(?:_|#|$)")
#: what people call the argument from which on another form is used
_LIMIT_NAME = re.compile(r"(?i)(?:^|_)(?:thresh|threshold|limit|cut_?off|cut_?point|clip|clamp|max_exp)(?:_|#|$)")
#: what people call probabilities, or their logarithms where they exponentiate them
_PROBABILITY = re.compile(r"(?:^|_)(?:probs|probabs|probabilit(?:y|ies)|probas?)(?:_|#|$)")
#: what people call the logarithms of probabilities of a finite set
_LOG_PROBABILITY = re.compile(r"(?:^|_)(?:log_?probs?|lprobs?)(?:_|#|$)")

#: a maximum is not sought among more terms
_MOST = 24


class Bounds:
    """The intervals of one graph's values under some facts."""

    def __init__(self, graph: Graph, facts: Facts) -> None:
        self.graph = graph
        self.facts = facts
        self._known: dict[Node, Interval] = {}

    def interval(self, node: Node) -> Interval:
        """Return a lower and an upper bound of every element, without shapes."""
        node = self.graph.shapeless(node)
        todo = [node]
        while todo:
            n = todo[-1]
            missing = [a for a in n.args if a not in self._known]
            if n in self._known or not missing:
                todo.pop()
                if n not in self._known:
                    self._known[n] = _meet(self._compute(n), self.facts.get(n, UNKNOWN))
            else:
                todo.extend(missing)
        return self._known[node]

    def tested(self, node: Node) -> bool:
        """Return whether the program has compared a value with a number on the way here."""
        return self.facts.get(self.graph.shapeless(node), UNKNOWN) != UNKNOWN

    def in_domain(self, node: Node) -> bool:
        """Return whether all that is known of a value is that it is negative: `if x > 0: raise`."""
        return self.facts.get(self.graph.shapeless(node)) == (-INF, -_NOT_ZERO[0])

    def shifted(self, exponent: Node) -> bool:
        """Return whether a maximum of the exponent has been subtracted from it, so that its own maximum is about 0."""
        node = self.graph.shapeless(exponent)
        if node.op in _PATHS:
            return any(self.shifted(a) for a in node.args[-2:])
        if node.op == "mul":
            return any(self.shifted(f) for f in node.args if f.op == "add" or f.op in _PATHS)
        return node.op == "add" and self._shift(node) is not None

    def unknown_shift(self, exponent: Node) -> bool:
        """Return whether something that may be a maximum is subtracted: people subtract for a reason."""
        node = self.graph.shapeless(exponent)
        if node.op == "mul" or node.op in _PATHS:
            return any(self.unknown_shift(a) for a in node.args if a.op in ("add", "mul") or a.op in _PATHS)
        if node.op != "add":
            return False
        moving = [t for t in node.args if not is_number(t)]
        # A maximum is subtracted with the weight of what it is the maximum of: `-0.5 * r**2` is no shift of `a`.
        weights = {coefficient(t) for t in moving}
        negative = [
            t for t in moving if coefficient(t) < 0.0 and -coefficient(t) in weights and not self._known_otherwise(t)
        ]
        return bool(negative) and len(moving) > 1 and len(negative) < len(moving)

    @staticmethod
    def _known_otherwise(term: Node) -> bool:
        body = [f for f in term.args if not is_number(f)] if term.op == "mul" else [term]
        if len(body) == 1 and body[0].op == "opaque":
            return str(body[0].value).partition("#")[0].rpartition(".")[2] in _SPECIAL
        if len(body) == 1 and body[0].op in _PATHS and all(map(Bounds._known_otherwise, body[0].args[-2:])):
            return True
        if (
            len(body) == 1
            and body[0].op in _PATHS
            and any(a.op == "const" and a.value == 0.0 for a in body[0].args[-2:])
        ):
            return True  # a maximum is not left out at will
        return len(body) == 1 and body[0].op in ("mean", "min", "sum")

    def _shift(self, node: Node) -> Node | None:
        """Return the term of a sum that is the negated maximum of the others."""
        if len(node.args) > _MOST:
            return None
        for t in node.args:
            others = [o for o in node.args if o is not t]
            if any(self._dominates(self.graph.neg(t), o, others) for o in others):
                return t
        return None

    def _dominates(self, top: Node, value: Node, others: list[Node]) -> bool:
        """Return whether `top >= value` because `top` is a maximum over a set that `value` is part of."""
        g = self.graph
        if top is value or (top.op == "add" and all(t in others for t in top.args)):
            return True
        if top.op in _PATHS:
            return any(self._dominates(a, value, others) for a in top.args[-2:])
        if top.op in ("maximum", "minimum") and value.op == "minimum" and top.op == "maximum":
            if any(a in value.args for a in top.args):
                return True
        if top.op == "maximum":
            return any(self._dominates(a, value, others) for a in top.args)
        if top.op in ("clip", "relu") and top.args:
            return self._dominates(top.args[0], value, others)
        if top.op in _MAXIMA:
            base = top.args[0]
            return self._part(value, base) or (base.op == "add" and all(t in others for t in base.args))
        if top.op == "mul":
            inner = [f for f in top.args if f.op in (*_MAXIMA, "min", "minimum")]
            if len(inner) == 1:
                rest = g.mul(*(f for f in top.args if f is not inner[0]))
                base = inner[0].args[0]
                flipped = inner[0].op in ("min", "minimum")
                if flipped == (coefficient(rest) < 0.0) or not is_number(rest):
                    candidates = inner[0].args if inner[0].op == "minimum" else (base,)
                    return any(self._part(value, g.mul(rest, c)) for c in candidates)
        return top.op == "abs" and (value is top.args[0] or value is g.neg(top.args[0]))

    def _part(self, value: Node, base: Node) -> bool:
        if value is base or (base.op in ("tuple", "list", "concat") and any(self._part(value, a) for a in base.args)):
            return True
        if base.op in _PATHS:
            return any(self._part(value, a) for a in base.args[-2:])
        # max(|x|) bounds x
        return base.op == "abs" and (value is base.args[0] or value is self.graph.neg(base.args[0]))

    def _compute(self, n: Node) -> Interval:
        known = [self._known.get(a, UNKNOWN) for a in n.args]
        if n.op == "const":
            return _constant(n.value)
        if n.op == "add":
            low, high = sum(k[0] for k in known), sum(k[1] for k in known)
            if self._shift(n) is not None:
                rest = sum(t.value for t in n.args if is_number(t))
                high = min(high, max(rest, 0.0) + 0.0 if high == INF else high)
            return _clean(low, high)
        if n.op == "mul":
            if any(map(_is_mask, n.args)):
                return _TESTED_PRODUCT
            low, high = self._product(n)
            return (low, min(high, 0.0)) if self._is_decay(n) else (low, high)
        if n.op == "pow":
            return self._power(n, known)
        if n.op in _UNIT:
            return self._unit(n, known)
        if n.op in _SYMMETRIC:
            return (-1.0, 1.0)
        if n.op == "exp":
            return (_exp(known[0][0]), _exp(known[0][1]))
        if n.op == "expm1":
            return (_exp(known[0][0]) - 1.0, _exp(known[0][1]) - 1.0)
        if n.op in ("log", "log1p"):
            offset = 1.0 if n.op == "log1p" else 0.0
            return (_log(known[0][0] + offset), _log(known[0][1] + offset))
        if n.op in ("log_softmax", "log_sigmoid"):
            return (-INF, 0.0)
        if n.op in ("abs", "relu"):
            low, high = known[0]
            if n.op == "abs":
                return (max(low, -high, 0.0), max(abs(low), abs(high)))
            return (max(low, 0.0), max(high, 0.0))
        if n.op in _NONNEGATIVE:
            return (0.0, INF)
        if n.op == "bounded":
            return (-_SCALES, _SCALES)
        if n.op in ("unit", "normalized"):
            return (-1.6, 1.6)
        if n.op == "clip":
            low, high = known[0]
            if is_number(n.args[1]):
                low, high = max(low, -limit(-n.args[1].value)), max(high, n.args[1].value)
            elif _is_limit(n.args[1]):
                low = max(low, -OVERFLOW)
            if is_number(n.args[2]):
                low, high = min(low, n.args[2].value), min(high, limit(n.args[2].value))
            elif _is_limit(n.args[2]):
                # A limit that is not known here: whoever clips to it has thought of overflow.
                high = min(high, OVERFLOW)
            return (low, high)
        if n.op == "maximum":
            low = max(-limit(-k[0]) for k in known)
            return (max(low, -OVERFLOW) if any(map(_is_limit, n.args)) else low, max(k[1] for k in known))
        if n.op == "minimum":
            high = min(limit(k[1]) for k in known)
            return (min(k[0] for k in known), min(high, OVERFLOW) if any(map(_is_limit, n.args)) else high)
        if n.op == "between":
            # From something negated to 0, as people write a range of log-weights.
            down = any(coefficient(a) < 0.0 for a in n.args) and any(is_number(a) and a.value <= 0.0 for a in n.args)
            return (min(k[0] for k in known), 0.0 if down else max(k[1] for k in known))
        if n.op in ("attr", "free", "opaque") and _EPSILON.search(str(n.value)):
            return (0.0, 0.01)
        if n.op in ("attr", "free", "opaque") and _NONNEGATIVE_NAME.search(str(n.value)):
            return (0.0, INF)
        if n.op in ("attr", "free", "opaque") and _PROBABILITY.search(str(n.value)):
            return (-INF, 1.0)
        if n.op in ("attr", "free", "opaque") and _LOG_PROBABILITY.search(str(n.value)):
            return (-INF, 0.0)
        if n.op in ("tuple", "concat") and known:
            return (min(k[0] for k in known), max(k[1] for k in known))
        if n.op in _PATHS:
            return (min(k[0] for k in known[-2:]), max(k[1] for k in known[-2:]))
        if n.op == "guarded":
            return _meet(known[0], n.value)
        if n.op in _SAME:
            return known[0]
        if n.op == "sum":
            low, high = known[0]
            product = n.args[0]
            if product.op in ("mul", "gram") and all(f.op == "normalized" for f in product.args):
                return (-1.0, 1.0)
            # the length is not known: only the sign carries over, and a sum of positive terms has at least one
            return (low if low >= 0.0 else -INF, high if high <= 0.0 else INF)
        return UNKNOWN

    def _is_decay(self, n: Node) -> bool:
        """Return whether a product is a distance, negated and times one parameter: nobody lets that one be negative."""
        rest = [f for f in n.args if not is_number(f)]
        share = self._share(n)
        # A parameter whose own sign is known needs no benefit of the doubt.
        names = [f for f in rest if f not in share and _is_parameter(f) and self._known.get(f, UNKNOWN)[0] < 0.0]
        others = [f for f in rest if f not in names and f not in share]
        return (
            coefficient(n) < 0.0
            and len(names) == 1
            and bool(share or any(f.op != "pow" or f.args[1].value != -1.0 for f in others))
            and all(self._known.get(f, UNKNOWN)[0] >= 0.0 for f in others)
        )

    def _product(self, n: Node) -> Interval:
        share = self._share(n)
        known = [self._known.get(a, UNKNOWN) for a in n.args if a not in share]
        return _product([*known, (0.0, 1.0)] if share else known)

    def _share(self, n: Node) -> tuple[Node, ...]:
        """Return two factors of a product that are a positive part and the whole that it is divided by."""
        for whole in n.args:
            if whole.op == "pow" and whole.args[1].value == -1.0:
                part = next((f for f in n.args if f is not whole and self._is_part(f, whole.args[0])), None)
                if part is not None:
                    return (part, whole)
        return ()

    def _is_part(self, part: Node, whole: Node) -> bool:
        if whole.op in ("max", "maxlike"):
            return whole.args[0] is part  # nobody divides by the maximum of what may be negative
        if self._known.get(part, UNKNOWN)[0] < 0.0:
            return False
        if whole.op == "add" and part in whole.args:
            return all(self._known.get(t, UNKNOWN)[0] >= 0.0 for t in whole.args)
        return whole.op in ("sum", "loopsum") and whole.args[0] is part

    def _power(self, n: Node, known: list[Interval]) -> Interval:
        (low, high), exponent = known[0], n.args[1]
        if not is_number(exponent):
            return (0.0, INF) if low >= 0.0 else UNKNOWN
        e = exponent.value
        if e == -1.0:
            if _TEMPERATURE.search(str(n.args[0].value)):
                return (0.0, _SMALLEST_TEMPERATURE**-1)
            if low > 0.0 or (low >= 0.0 and high > 0.0):
                return (1.0 / high if high < INF else 0.0, 1.0 / low if low > 0.0 else INF)
            return UNKNOWN
        if e > 0.0 and e % 2.0 == 0.0:
            smallest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
            return (_pow(smallest, e), _pow(max(abs(low), abs(high)), e))
        if low >= 0.0 and e > 0.0:
            return (_pow(low, e), _pow(high, e))
        return (0.0, INF) if low >= 0.0 else UNKNOWN

    def _unit(self, n: Node, known: list[Interval]) -> Interval:
        if n.op == "sigmoid":
            return (1.0 / (1.0 + _exp(-known[0][0])), 1.0 / (1.0 + _exp(-known[0][1])))
        return (0.0, 1.0)


def _constant(value: object) -> Interval:
    """Return the bounds of a number, or of a literal tuple or list of numbers."""
    numbers = value if isinstance(value, tuple) else (value,)
    if numbers and all(type(v) in (float, int) for v in numbers):
        return (min(numbers), max(numbers))
    return UNKNOWN


def fact(graph: Graph, test: Node, holds: bool) -> dict[Node, Interval]:
    """Return what a comparison with a constant, or of two values, says about values when it holds (or does not)."""
    if test.op == "not":
        return fact(graph, test.args[0], not holds)
    if test.op in _BOTH and (_BOTH[test.op] == "and") == holds:
        known: dict[Node, Interval] = {}
        for part in test.args:
            for node, interval in fact(graph, part, holds).items():
                known[node] = _meet(known.get(node, UNKNOWN), interval)
        return known
    if test.op in ("equal", "NotEq") and (test.op == "NotEq") == holds and test.args[1] is graph.zero:
        return {graph.shapeless(test.args[0]): _NOT_ZERO}
    if test.op not in ("less", "greater"):
        return {}
    below = (test.op == "less") == holds
    a, b = (graph.shapeless(x) for x in test.args)
    a, b = (a, b) if below else (b, a)  # now a <= b
    known = {}
    if _is_limit(b):
        # A limit that is not known here: whoever tests against it has thought of overflow.
        known[a], known[graph.neg(a)] = (-INF, OVERFLOW), (-OVERFLOW, INF)
    elif _is_limit(a):
        known[b], known[graph.neg(b)] = (-OVERFLOW, INF), (-INF, OVERFLOW)
    elif is_number(b):
        high = limit(b.value)
        known[a] = (-INF, high)
        known[graph.neg(a)] = (-high, INF)
        if a.op == "abs":
            known[a.args[0]] = (-high, high)
            known[graph.neg(a.args[0])] = (-high, high)
    elif is_number(a):
        low = -limit(-a.value) if a.value != 0.0 else _NOT_ZERO[0]  # `p > 0`
        known[b] = (low, INF)
        known[graph.neg(b)] = (-INF, -low)
    else:
        known[graph.sub(a, b)] = (-INF, 0.0)
        known[graph.sub(b, a)] = (0.0, INF)
        for tested in (a, b):
            known.setdefault(tested, TESTED)
            known.setdefault(graph.neg(tested), TESTED)
        _scale(graph, known, a, b, 1.0)
        _scale(graph, known, b, a, -1.0)
    return known


def _scale(graph: Graph, known: dict[Node, Interval], value: Node, other: Node, sign: float) -> None:
    """Add what a comparison with a share says: `x <= 20 / beta` is `beta * x <= 20`: no scale is negative."""
    scales = [f.args[0] for f in factors(other) if f.op == "pow" and f.args[1].value == -1.0]
    if not scales or len(scales) + 1 < len(factors(other)) or coefficient(other) == 1.0:
        return
    scaled, top = graph.mul(value, *scales), sign * limit(sign * coefficient(other))
    known[scaled] = (-INF, top) if sign > 0.0 else (top, INF)
    known[graph.neg(scaled)] = (-top, INF) if sign > 0.0 else (-INF, -top)


def is_epsilon(name: str) -> bool:
    """Return whether a value of that name is a small positive number."""
    return _EPSILON.search(name) is not None


def limit(value: float) -> float:
    """Return an upper limit that is written in the program, as what it keeps from overflowing."""
    return OVERFLOW if OVERFLOW < value < _WRITTEN else value


def _is_mask(node: Node) -> bool:
    """Return whether a factor is a comparison, or 1 less one."""
    parts = [node, *(f for t in node.args for f in (t.args if t.op == "mul" else (t,)))] if node.op == "add" else [node]
    return any(p.op in _COMPARISONS for p in parts)


def _is_limit(node: Node) -> bool:
    """Return whether a value is a limit whose size is not known here."""
    named = [f for f in factors(node) if not is_number(f)]
    if len(named) == 1 and named[0].op in ("opaque", "attr") and _LIMIT_NAME.search(str(named[0].value)):
        return True
    return node.op != "const" and _settled(node)


def _is_parameter(node: Node) -> bool:
    """Return whether a value is one that has a name, or such a one and a number."""
    if node.op == "pow" and node.args[1].value == -1.0:
        node = node.args[0]
    return all(t.op in ("attr", "free", "opaque") or is_number(t) for t in terms(node))


def _settled(node: Node) -> bool:
    """Return whether a value is made of constants and names of the module alone, and no argument of a function."""
    for n in node.walk():
        if n.op == "attr" and not _is_finfo(n.args[0]):
            return False
        if not n.args and n.op not in ("const", "free", "name") and not _is_finfo(n):
            return False
    return True


def _is_finfo(node: Node) -> bool:
    return node.op == "opaque" and str(node.value).partition("#")[0].rpartition(".")[2] == "finfo"


def meet(a: Facts, b: Facts) -> dict[Node, Interval]:
    """Return the facts of both."""
    return dict(a) | {n: _meet(a.get(n, UNKNOWN), i) for n, i in b.items()}


def _meet(a: Interval, b: Interval) -> Interval:
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else a


def _clean(low: float, high: float) -> Interval:
    return (-INF if math.isnan(low) else low, INF if math.isnan(high) else high)


def _product(known: list[Interval]) -> Interval:
    low, high = 1.0, 1.0
    for a, b in known:
        corners = [0.0 if 0.0 in (p, q) else p * q for p in (low, high) for q in (a, b)]
        low, high = min(corners), max(corners)
    return (low, high)


def _exp(x: float) -> float:
    return math.exp(x) if x < 700.0 else INF


def _log(x: float) -> float:
    return math.log(x) if 0.0 < x < INF else (-INF if x <= 0.0 else INF)


def _pow(x: float, e: float) -> float:
    try:
        return float(x**e)
    except OverflowError:
        return INF
