"""The value graph: hash-consed nodes with canonical constructors, so that equal values are the same object.

A sum is one n-ary node, a product is one n-ary node with a constant coefficient, `a - b` is `a + (-1) * b`, `a / b` is
`a * b ** -1`, and signs are distributed over sums. So `1 - p`, `-p + 1` and `-(p - 1)` are one node, and patterns need
no variants for them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn

#: operations that change shape, dtype or place of a value, but none of the numbers
VIEWS = frozenset({"index", "expand", "reshape", "transpose", "squeeze", "cast", "tile", "iter", "detach", "dict"})
#: operations that reduce an axis by adding up
SUMS = frozenset({"sum", "contract", "loopsum", "segment_sum"})
#: operations that reduce an axis and may keep it with length 1
REDUCTIONS = frozenset({"sum", "max", "min", "mean", "logsumexp"})
_POSITIVE = frozenset({"exp", "sigmoid", "softmax"})
UNARY = frozenset({"exp", "log", "log1p", "expm1", "abs", "sigmoid", "softplus", "log_sigmoid", "sqrt", "tanh"})


#: operation -> its bit in `Node.ops`
BIT: defaultdict[str, int] = defaultdict(lambda: 1 << len(BIT))
#: what a pattern is made of: a value without any of these matches nothing
CORE = sum(
    BIT[op] for op in ("exp", "expm1", "sigmoid", "softmax", "log", "log1p", "log_softmax", "prod", "module", "pow")
)
#: a sum or product of more terms is made of nested ones: the prefixes of a long one would take quadratic space
WIDEST = 64


class Node:
    """A value: an operation and its arguments. Nodes of one graph are equal where they are the same object.

    `ops` are the operations that it is made of, as bits: a pattern that needs others is not tried.
    """

    __slots__ = ("args", "id", "op", "ops", "value")
    ops: int

    def __init__(self, op: str, args: tuple[Node, ...], value: Any, number: int) -> None:
        self.op = op
        self.args = args
        self.value = value
        self.id = number
        ops: int = BIT[op]
        for arg in args:
            ops |= arg.ops
        self.ops: int = ops

    def _strict(self, *_: object) -> NoReturn:
        raise TypeError("a symbolic value has no truth value, length or iteration: write the formula branch-free")

    __bool__ = __len__ = __iter__ = _strict

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, each once."""
        seen = {self}
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            for arg in node.args:
                if arg not in seen:
                    seen.add(arg)
                    todo.append(arg)

    def __repr__(self) -> str:
        if self.op == "const":
            return repr(self.value)
        if not self.args:
            return f"{self.op}:{self.value}" if self.value is not None else f"{self.op}#{self.id}"
        return f"{self.op}({', '.join(map(repr, self.args))})"


class Graph:
    """Makes nodes, and sees to it that equal ones are the same object."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._count = 0
        self._shapeless: dict[Node, Node] = {}
        self._negated: dict[Node, Node] = {}
        self.none = self.const(None)
        self.zero = self.const(0.0)
        self.one = self.const(1.0)
        self.true = self.const(True)
        self.false = self.const(False)

    def _intern(self, op: str, args: tuple[Node, ...], value: Any = None) -> Node:
        key = (op, args, _key(value))
        node = self._nodes.get(key)
        if node is None:
            self._count += 1
            node = self._nodes[key] = Node(op, args, value, self._count)
        return node

    def opaque(self, hint: str = "") -> Node:
        """Return a new value about which nothing is known."""
        self._count += 1
        return Node("opaque", (), f"{hint}#{self._count}", self._count)

    def const(self, value: Any) -> Node:
        """Return the node of a literal; `1` and `1.0` are one node, `True` and `1` are not."""
        if type(value) is int and abs(value) <= 2**53:
            value = float(value)
        return self._intern("const", (), value)

    def symbol(self, op: str, value: str) -> Node:
        """Return the leaf of that kind and name: a pattern's variable, a dotted name."""
        return self._intern(op, (), value)

    def make(self, op: str, *args: Node, value: Any = None) -> Node:
        """Return the canonical node of an operation."""
        canonical = _CANONICAL.get(op)
        return canonical(self, *args) if canonical else self._intern(op, args, value)

    def neg(self, x: Node) -> Node:
        # Remembered, since a sum of sums of sums is negated term by term at every level.
        negated = self._negated.get(x)
        if negated is None:
            negated = self._negated[x] = self.mul(self.const(-1.0), x)
        return negated

    def sub(self, a: Node, b: Node) -> Node:
        return self.add(a, self.neg(b))

    def div(self, a: Node, b: Node) -> Node:
        return self.mul(a, self.pow(b, self.const(-1.0)))

    def add(self, *terms: Node) -> Node:
        constant, rest = 0.0, []
        for t in _flat("add", terms):
            if is_number(t):
                constant += t.value
            else:
                rest.append(t)
        if constant != 0.0 or not rest:
            rest.append(self.const(constant))
        if len(rest) == 1:
            return rest[0]
        return self._intern("add", tuple(sorted(rest, key=_by_id)))

    def mul(self, *factors: Node) -> Node:
        coefficient = 1.0
        rest: list[Node] = []
        for f in _flat("mul", factors):
            if is_number(f):
                coefficient *= f.value
            elif f in rest:
                rest[rest.index(f)] = self._intern("pow", (f, self.const(2.0)))
            else:
                rest.append(f)
        if not rest or not math.isfinite(coefficient):
            return self.const(coefficient)
        if len(rest) == 1:
            if coefficient == 1.0:
                return rest[0]
            if coefficient == -1.0 and rest[0].op == "add":
                return self.add(*(self.neg(t) for t in rest[0].args))
        if coefficient != 1.0:
            rest.append(self.const(coefficient))
        return self._intern("mul", tuple(sorted(rest, key=_by_id)))

    def pow(self, base: Node, exponent: Node) -> Node:
        if is_number(base) and abs(base.value - math.e) < 1e-4:
            return self.make("exp", exponent)
        if not is_number(exponent):
            return self._intern("pow", (base, exponent))
        if exponent.value == 1.0:
            return base
        if is_number(base):
            folded = _power(base.value, exponent.value)
            return self._intern("pow", (base, exponent)) if folded is None else self.const(folded)
        if exponent.value == -1.0 and base.op == "mul":
            return self.mul(*(self.pow(f, exponent) for f in base.args))
        if base.op == "pow" and base.args[1].value == -1.0 and exponent.value == -1.0:
            return base.args[0]
        return self._intern("pow", (base, exponent))

    def _hyperbolic(self, x: Node, sign: float) -> Node:
        """Return cosh (or sinh) as what it is made of."""
        pair = self.add(self.make("exp", x), self.mul(self.const(sign), self.make("exp", self.neg(x))))
        return self.mul(self.const(0.5), pair)

    def _symmetric(self, *args: Node, op: str) -> Node:
        return args[0] if len(args) == 1 else self._intern(op, tuple(sorted(args, key=_by_id)))

    def _norm(self, x: Node, axis: Node, keepdims: Node, order: Node | None = None) -> Node:
        if order is self.one:
            return self.make("sum", self.make("abs", x), axis, keepdims)
        return self._intern("norm", (x, axis, keepdims))

    def _lp_normalized(self, x: Node, p: Node) -> Node:
        if p is self.one:
            return self.make("tile", self.div(x, self.make("sum", self.make("abs", x), self.none, self.true)))
        return self._intern("normalized", (x,))

    def _average(self, x: Node, axis: Node, weights: Node, keepdims: Node) -> Node:
        if weights is self.none:
            return self.make("mean", x, axis, keepdims)
        total = self.make("sum", self.mul(x, weights), axis, keepdims)
        return self.div(total, self.make("sum", weights, axis, keepdims))

    def _index(self, x: Node, key: Node) -> Node:
        if x.op == "pair":
            return x.args[0] if key.op == "const" and key.value == 0.0 else self.opaque("indices")
        if x.op == "tuple":
            if key.op == "const" and isinstance(key.value, float) and -len(x.args) <= key.value < len(x.args):
                return x.args[int(key.value)]
            return self.opaque("item")
        if x.op in UNARY:
            return self.make(x.op, self._index(x.args[0], key))
        return self._intern("index", (x, key))

    def _iter(self, x: Node) -> Node:
        if x.op == "dict_values" and x.args[0].op == "dict":
            return x.args[0].args[0]
        if x.op in UNARY:
            return self.make(x.op, self._iter(x.args[0]))
        return self._intern("iter", (x,))

    def _transpose(self, x: Node) -> Node:
        if x.op == "transpose":
            return x.args[0]
        if x.op in UNARY:
            return self.make(x.op, self._transpose(x.args[0]))
        return self._intern("transpose", (x,))

    def _expand(self, x: Node, axis: Node) -> Node:
        """Fold an axis inserted where a reduction removed it into `keepdims`."""
        if x.op in REDUCTIONS and x.args[2] is self.false:
            if x.args[1] is axis and axis.op == "const" and axis.value is not None:
                return self.make(x.op, x.args[0], x.args[1], self.true)
        if x.op in UNARY:
            return self.make(x.op, self._expand(x.args[0], axis))
        return self._intern("expand", (x, axis))

    def choose(self, test: Node, a: Node, b: Node) -> Node:
        """Return the value that is `a` where a test holds and `b` elsewhere; `a if a > b else b` is the maximum."""
        if a is b:
            return a
        if test.op in ("less", "greater") and test.args in ((a, b), (b, a)):
            largest = (test.op == "greater") == (test.args[0] is a)
            return self.make("maximum" if largest else "minimum", *sorted((a, b), key=_by_id))
        return self.make("phi", a, b)

    def substitute(self, node: Node, mapping: dict[Node, Node]) -> Node:
        """Return the node with some of those below it replaced, made anew by the constructors."""
        return self.substitution(node, mapping)[node]

    def substitution(self, node: Node, mapping: dict[Node, Node]) -> dict[Node, Node]:
        """Return what each value below a node becomes."""
        done = dict(mapping)
        for n in postorder(node):
            if n not in done:
                args = tuple(done[a] for a in n.args)
                done[n] = n if args == n.args else self.make(n.op, *args, value=n.value)
        return done

    def _product(self, n: Node, args: tuple[Node, ...]) -> Node:
        # The entries of `x @ x.T` are products of different rows: without its shapes that is no square.
        gram = args[0] is args[1] and n.args[0] is not n.args[1]
        return self._intern("gram", args) if gram else self.mul(*args)

    def _sum_of_everything(self, x: Node) -> Node:
        """Return the sum of all elements: that of a sum, weighted or not, is the sum of what it adds up."""
        inner = [f for f in factors(x) if f.op == "sum" and f.args[1:] == (self.none, self.false)]
        if len(inner) == 1:
            x = self.mul(*(f for f in factors(x) if f is not inner[0]), inner[0].args[0])
        return self._intern("sum", (x, self.none, self.false))

    def shapeless(self, node: Node) -> Node:
        """Return the value without its shape: views looked through, every sum over everything."""
        memo = self._shapeless
        for n in postorder(node, memo):
            if n in memo:
                continue
            args = tuple(memo[a] for a in n.args)
            if n.op == "index" and args[1].op == "const" and isinstance(args[1].value, str):
                memo[n] = self._intern("item", args)  # two columns of a table are two values
            elif n.op in VIEWS or n.op == "pair" or (n.op in ("relu", "abs") and args[0].op in _POSITIVE):
                memo[n] = args[0]
            elif n.op in SUMS:
                terms = self._product(n, args) if n.op == "contract" else args[0]
                memo[n] = self._sum_of_everything(terms)
            elif n.op in ("max", "min", "mean", "prod", "logsumexp", "norm"):
                memo[n] = self._intern(n.op, (args[0], self.none, self.false))
            elif n.op in ("softmax", "log_softmax", "cumsum", "logcumsumexp"):
                memo[n] = self._intern(n.op, (args[0], self.none))
            elif n.op == "pow" and args[0].op == "exp" and is_number(args[1]):
                memo[n] = self.make("exp", self.mul(args[1], args[0].args[0]))
            elif n.op == "sqrt" and args[0].op == "exp":
                memo[n] = self.make("exp", self.mul(self.const(0.5), args[0].args[0]))
            else:
                memo[n] = n if args == n.args else self.make(n.op, *args, value=n.value)
        return memo[node]


def is_number(node: Node) -> bool:
    return node.op == "const" and type(node.value) in (float, int)


def terms(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "add" else (node,)


def factors(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "mul" else (node,)


def coefficient(node: Node) -> float:
    """Return the constant factor of a product, 1.0 where there is none."""
    for f in factors(node):
        if is_number(f):
            return float(f.value)
    return 1.0


def postorder(root: Node, done: Container[Node] = ()) -> Iterator[Node]:
    """Yield a node and all below it that are not done, each after what it is made of."""
    seen: set[Node] = set()
    todo: list[tuple[Node, bool]] = [(root, False)]
    while todo:
        node, ready = todo.pop()
        if ready:
            yield node
        elif node not in seen and node not in done:
            seen.add(node)
            todo.append((node, True))
            todo.extend((a, False) for a in node.args)


def _flat(op: str, nodes: Iterable[Node]) -> Iterator[Node]:
    for n in nodes:
        if n.op == op and len(n.args) < WIDEST:
            yield from n.args
        else:
            yield n


def _by_id(node: Node) -> int:
    return node.id


def _key(value: Any) -> Any:
    # 1 == True and 0.0 == -0.0 for a dictionary; they are different values.
    if type(value) is float:
        return (value, math.copysign(1.0, value))
    return (type(value), value) if value is not None else None


def _power(base: float, exponent: float) -> float | None:
    try:
        folded = base**exponent
    except (OverflowError, ZeroDivisionError):
        return None
    return folded if isinstance(folded, float) else None


_CANONICAL: dict[str, Callable[..., Node]] = {
    "add": Graph.add,
    "sub": Graph.sub,
    "mul": Graph.mul,
    "div": Graph.div,
    "neg": Graph.neg,
    "pow": Graph.pow,
    "index": Graph._index,
    "item": lambda g, x, key: g._intern("item", (x, key)) if x.op == "opaque" else g._index(x, key),
    "iter": Graph._iter,
    "transpose": Graph._transpose,
    "expand": Graph._expand,
    "square": lambda g, x: g.mul(x, x),
    "reciprocal": lambda g, x: g.pow(x, g.const(-1.0)),
    "cosh": lambda g, x: g._hyperbolic(x, 1.0),
    "sinh": lambda g, x: g._hyperbolic(x, -1.0),
    "log2": lambda g, x: g.mul(g.const(1.0 / math.log(2.0)), g.make("log", x)),
    "log10": lambda g, x: g.mul(g.const(1.0 / math.log(10.0)), g.make("log", x)),
    "log_base": lambda g, x, base: g.mul(g.pow(g.make("log", base), g.const(-1.0)), g.make("log", x)),
    "masked_fill": lambda g, x, mask, value: g.make("where", mask, value, x),
    **{op: partial(Graph._symmetric, op=op) for op in ("maximum", "minimum", "logaddexp")},
    "kron": lambda g, x, y: g.make("tile", g.mul(x, y)),
    "norm": lambda g, x, axis, keepdims, *order: g._norm(x, axis, keepdims, *order),
    "lp_normalized": lambda g, x, p: g._lp_normalized(x, p),
    "softmin": lambda g, x, axis: g.make("softmax", g.neg(x), axis),
    "filled": lambda g, value: g.make("tile", value),
    "average": lambda g, x, axis, weights, keepdims: g._average(x, axis, weights, keepdims),
    "exp2": lambda g, x: g.make("exp", g.mul(g.const(math.log(2.0)), x)),
}
