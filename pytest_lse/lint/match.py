"""Does a value match a pattern?

Sums and products match in any order. A pattern that names a kernel (`xp.sigmoid(x)`) matches any value that means it:
the library's function, or a formula that is one of the kernel's own spellings, naive or stable.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_lse.lint.graph import Graph, Node, coefficient, is_number
from pytest_lse.lint.patterns import Pattern, Patterns

Bindings = dict[str, Node]
#: how far a constant may be off without its shapes: `1 + 1e-8 - p` is meant to be `1 - p`
_NEAR = 1e-4
#: alternatives: a value that is one of several, depending on the path taken
CHOICES = frozenset({"phi", "where"})
#: values of which each element is that of one of several
ALTERNATIVES = CHOICES | {"concat", "tuple"}


#: a pattern is not sought in a sum or product of more terms: the ways to split it would be too many
_MOST = 24


#: what a formula needs that is none of the patterns
_ANY = (0,)


def alternatives(node: Node) -> tuple[Node, ...]:
    """Return the values of which each element of a value is one."""
    if node.op == "concat":
        return node.args[0].args if node.args[0].op == "tuple" else node.args
    return node.args if node.op == "tuple" else node.args[-2:]


class Matcher:
    """Matches the values of one graph, and remembers what each means."""

    def __init__(self, graph: Graph, patterns: Patterns) -> None:
        self.graph = graph
        self.patterns = patterns
        self._meaning: dict[tuple[Node, bool], tuple[Pattern, Bindings] | None] = {}
        self._needs = patterns.needs

    def exact(self, pattern: Pattern, node: Node) -> Bindings | None:
        """Return what the pattern's variables stand for, None where it does not match shape for shape."""
        return next(self._match(pattern.root, node, {}, False), None)

    def loose(self, pattern: Pattern, node: Node) -> Bindings | None:
        """Return the same for values without their shapes, where part of a product or sum may be left over."""
        return next(self._root(pattern.loose, node), None)

    def meaning(self, node: Node, loose: bool) -> tuple[Pattern, Bindings] | None:
        """Return the kernel that a value is, whichever way it is spelt, and its arguments."""
        key = (node, loose)
        if key not in self._meaning:
            self._meaning[key] = None  # a value is not part of its own meaning
            self._meaning[key] = self._recognise(node, loose)
        return self._meaning[key]

    def _recognise(self, node: Node, loose: bool) -> tuple[Pattern, Bindings] | None:
        for pattern in self.patterns.all.get(node.op, ()):
            if pattern.kernel.name in self.patterns.kernels and (loose or pattern.whole):
                found = next(self._match(pattern.loose if loose else pattern.root, node, {}, loose), None)
                if found is not None:
                    return pattern, {n: self.graph.const(v) for n, v in pattern.fixed.items()} | found
        return None

    def possible(self, pattern: Pattern, node: Node) -> bool:
        """Return whether a value holds the operations that a pattern is made of."""
        ops = node.ops
        return any(need & ops == need for need in self._needs.get(pattern.loose, _ANY))

    def _root(self, p: Node, n: Node) -> Iterator[Bindings]:
        if p.op in ("mul", "add") and n.op == p.op and len(n.args) > len(p.args) and not any(map(is_number, p.args)):
            yield from self._commute(list(p.args), list(n.args), {}, True, p.op, rest=True)
        else:
            yield from self._match(p, n, {}, True)

    def _match(self, p: Node, n: Node, b: Bindings, loose: bool) -> Iterator[Bindings]:
        if p.op == "var":
            bound = b.get(p.value)
            if bound is None:
                yield {**b, p.value: n}
            elif bound is n:
                yield b
            return
        if p.op == "const":
            if n.op == "const" and _same_constant(p.value, n.value, loose):
                yield b
            return
        ops = n.ops
        for need in self._needs.get(p, _ANY):
            if need & ops == need:
                break
        else:
            return
        if (p.op == "mul" and n.op != "mul") or (p.op == "mul" and len(p.args) == 2 and coefficient(p) != 1.0):
            yield from self._scaled(p, n, b, loose)
        if n.op == p.op:
            if p.op in ("add", "mul", "maximum", "minimum", "logaddexp", "equal"):
                yield from self._commute(list(p.args), list(n.args), b, loose, p.op)
            else:
                yield from self._each(p.args, n.args, b, loose)
        elif loose and n.op == "either":
            # What a function returns on one path alone it may not return here.
            if all(next(self._match(p, a, b, loose), None) is not None for a in n.args[1:]):
                yield from self._match(p, n.args[0], b, loose)
        elif loose and n.op in ALTERNATIVES:
            for choice in alternatives(n):
                yield from self._match(p, choice, b, loose)
        elif p.op in self.patterns.kernels:
            yield from self._means(p, n, b, loose)

    def _means(self, p: Node, n: Node, b: Bindings, loose: bool) -> Iterator[Bindings]:
        meaning = self.meaning(n, loose)
        if meaning is not None and meaning[0].kernel.name == p.op:
            kernel, bindings = meaning[0].kernel, meaning[1]
            values = tuple(bindings.get(name, self.graph.none) for name in kernel.signature)
            yield from self._each(p.args, values[: len(p.args)], b, loose)

    def _scaled(self, p: Node, n: Node, b: Bindings, loose: bool) -> Iterator[Bindings]:
        """Match `c * v` for a constant c with any value at all: v is that value divided by c.

        A kernel that is a product itself, `exp(x) / (1 + exp(x))`, is no single factor of one either.
        """
        c = coefficient(p)
        others = [a for a in p.args if not is_number(a)]
        if len(others) != 1 or c == 0.0:
            return
        if others[0].op == "var" or (n.op == "mul" and others[0].op in self.patterns.kernels):
            yield from self._match(others[0], self.graph.mul(self.graph.const(1.0 / c), n), b, loose)

    def _each(self, ps: tuple[Node, ...], ns: tuple[Node, ...], b: Bindings, loose: bool) -> Iterator[Bindings]:
        if not ps:
            yield b
        elif len(ps) == len(ns):
            for found in self._match(ps[0], ns[0], b, loose):
                yield from self._each(ps[1:], ns[1:], found, loose)

    def _commute(
        self, ps: list[Node], ns: list[Node], b: Bindings, loose: bool, op: str, rest: bool = False
    ) -> Iterator[Bindings]:
        """Match a sum or product in any order; the last variable takes all that is left."""
        if len(ns) > _MOST:
            return
        structured = [p for p in ps if p.op != "var"]
        if structured:
            first = structured[0]
            others = [p for p in ps if p is not first]
            for i, n in enumerate(ns):
                for found in self._match(first, n, b, loose):
                    yield from self._commute(others, ns[:i] + ns[i + 1 :], found, loose, op, rest)
            return
        if not ps:
            if not ns or rest:
                yield b
            return
        first, others = ps[0], ps[1:]
        bound = b.get(first.value)
        if bound is not None:
            parts = list(bound.args) if bound.op == op else [bound]
            left = list(ns)
            for part in parts:
                if part not in left:
                    return
                left.remove(part)
            yield from self._commute(others, left, b, loose, op, rest)
        elif not others and ns:
            yield {**b, first.value: self.graph.make(op, *ns)}
        else:
            for i, n in enumerate(ns):
                yield from self._commute(others, ns[:i] + ns[i + 1 :], {**b, first.value: n}, loose, op, rest)


def _same_constant(p: object, n: object, loose: bool) -> bool:
    if type(p) is float and type(n) is float:
        return p == n or (loose and p != 0.0 and abs(p - n) <= _NEAR)
    return type(p) is type(n) and p == n
