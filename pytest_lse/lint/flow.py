"""What can the values of a function be made of? An answer without the value graph, at a tenth of its price.

A value is a set of bits here: the words of operations that can be in it, and whether an argument of the function can.
Each name has one set in all of a function, whatever the order of its statements. That is more than any value holds, so
that a function of which nothing is found here holds no finding; the opposite has to be looked at. A pattern is an
operation with others among its arguments (see `prefilter`): `log` of something that holds an `exp`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pytest_lse.lint import ops
from pytest_lse.lint.lower.calls import ACTIVATION, ACTIVATIONS, LAST_ACTIVATION, STILL, WRAPPERS
from pytest_lse.lint.lower.expressions import ATTRIBUTES
from pytest_lse.lint.prefilter import DIRECT, KEEPING, OPERATORS, POWER, PROBABILITIES, Form
from pytest_lse.lint.prefilter import groups as operations

#: an argument of the function can be in the value, and what is called with others passes them on
ARGUMENT = 1
#: the object whose method it is can be the value
SELF = 2
#: an operation of the table, which makes something else of its arguments
KNOWN = 4
#: a number that stands in the source can be the value
NUMBER = 8
#: attributes that are the value itself, in another shape
_THROUGH = frozenset({*ATTRIBUTES, "values", "indices"})
#: calls that are no operations, whose arguments are in their result all the same
_PASSING = (
    *("jit", "vmap", "checkpoint", "compile", "function", "Sequential", "zip", "enumerate", "items", "values"),
    *("map", "OrderedDict"),
    *STILL,
    *(wrapper.rpartition(".")[2] for wrapper in WRAPPERS),
)
#: methods by which a list or a sequence of layers takes a value
_TAKING = frozenset({"append", "extend", "add", "add_module"})
_NAMING_ACTIVATION = frozenset({*ACTIVATION, *LAST_ACTIVATION})


class Table:
    """Which bits the words stand for, and what applying an operation to a value makes of its bits.

    An operation has one bit where it is named, `applied`: it may be called, or have been applied to an argument. A
    value has one for each chain of operations that is the end of one that some pattern needs, `held`.
    """

    def __init__(self, forms: tuple[Form, ...]) -> None:
        keeping = {word for op in KEEPING for word in ops.words(op)}
        self.words: dict[str, int] = dict.fromkeys(_operations(), KNOWN)
        self.words.update(dict.fromkeys((*keeping, *_PASSING), ARGUMENT))
        groups = dict.fromkeys(group for form in forms for group in operations(form))
        applied = {group: 16 << i for i, group in enumerate(groups)}
        ends = dict.fromkeys(c[i:] for _, chains in forms for c in chains for i in range(len(c)))
        held = {end: 16 << len(groups) + i for i, end in enumerate(ends)}
        #: bit of an operation -> the bits that its result holds of its own, and pairs (a bit below, what that becomes)
        self.makes = {
            bit: (
                held.get((group,), 0) | held.get((DIRECT, group), 0),
                tuple((held[end[1:]], held[end]) for end in ends if len(end) > 1 and end[0] == group),
            )
            for group, bit in applied.items()
        }
        pairs = {(applied[outer], sum(held[c] for c in chains)) for outer, chains in forms}
        #: (bit of an operation, bits of what its arguments must hold)
        self.pairs = sorted(pairs)
        for group, bit in applied.items():
            for word in group:
                self.words[word] = self.words.get(word, KNOWN) | bit | self.makes[bit][0]
        #: the bit of what another module gives: its attributes are that too
        self.brought = 16 << len(groups) + len(ends)
        #: how many bits are taken: what is above them stands for names of the module
        self.size = 5 + len(groups) + len(ends)
        self.applied = sum(applied.values())
        #: bits of what a value holds of an operation that is followed
        self.followed = sum(held.values())
        #: those that are gone when the value has been added to, multiplied or contracted with another
        self.direct = sum(bit for end, bit in held.items() if end[0] == DIRECT)
        self.contracting = frozenset(word for op in ("contract", "einsum") for word in ops.words(op))
        self.outer = sum({o for o, _ in pairs})
        self.division = self.words.get("/", 0) & self.applied
        self.addition = self.words.get("+", 0) & self.applied
        self.power = self.words.pop(POWER, 0)
        for word in ("transform", "agg", "aggregate"):  # of a table's groups, by the name of what is done
            self.words[word] = ARGUMENT | self.addition
        #: what such a value can be
        self.probability = self.brought | _joined(self.words.get(w, 0) & ~KNOWN for w in PROBABILITIES) | ARGUMENT
        #: bits of operations that are patterns whatever their arguments are
        self.alone = sum({o for o, inside in self.pairs if not inside})
        leaves = sum({applied[c[-1]] for _, chains in forms for c in chains})
        #: words of those, and of what the arguments of the others come from
        self.sought = [w for w, m in self.words.items() if m & (leaves | self.alone) and w not in OPERATORS]
        self._takers = [
            word
            for outer, chains in forms
            if not all(set(c[-1]).isdisjoint(PROBABILITIES) for c in chains)
            for word in outer
            if word not in OPERATORS
        ]
        self._made: dict[tuple[int, int], int] = {}

    def takes_probability(self, text: str) -> bool:
        """Return whether code names something that makes a pattern of a probability."""
        return any(word in text for word in self._takers)

    def matched(self, outer: int, inside: int) -> bool:
        """Return whether an operation with these arguments can be a pattern."""
        return any(o & outer and i & inside == i for o, i in self.pairs)

    def made(self, operations: int, inside: int) -> int:
        """Return what a value holds after operations have been applied to it, in whatever order and however often."""
        key = (operations & self.applied, inside & self.followed)
        if key not in self._made:
            left = [self.makes[bit] for bit in self.makes if bit & operations]
            before, result = -1, key[1]
            while result != before:
                before = result
                for own, steps in left:
                    result |= own
                    for below, above in steps:
                        if result & below:
                            result |= above
            self._made[key] = result & ~key[1]
        return self._made[key]


def _joined(bits: Iterable[int]) -> int:
    found = 0
    for bit in bits:
        found |= bit
    return found


table = cache(Table)


@cache
def _operations() -> frozenset[str]:
    """Return the last words of all that the op table knows: what their arguments hold, their results can hold."""
    functions, methods = ops._index()
    constructors = (name for column in ops.columns() for name in getattr(column, "constructors", {}))
    return frozenset(name.rpartition(".")[2] for names in (functions, methods, constructors) for name in names)


class Step:
    """A statement, or what stands before the blocks of one: what is followed again together.

    Attributes
    ----------
    do, node
        How to follow it.
    read
        The names that it asks for.
    called
        The names that were looked at because it passes a value of interest to them, as bits.
    """

    __slots__ = ("called", "do", "node", "read")

    def __init__(self, do: Callable[[Flow, Any], None], node: ast.AST, read: set[str], called: int) -> None:
        self.do = do
        self.node = node
        self.read = read
        self.called = called

    def is_outdated(self, n: int, before: Mapping[str, int], now: Mapping[str, int]) -> bool:
        """Return whether it has not seen all that a name holds.

        Parameters
        ----------
        n
            Its number.
        before, now
            Name -> the last step that let it hold more in the round before, and in this one.
        """
        read = self.read
        if not read.isdisjoint(now):
            return True
        return not read.isdisjoint(before) and any(before[name] >= n for name in read if name in before)


class Flow:
    """What the statements of one function, or of a module outside of functions, bind and return.

    Parameters
    ----------
    table
        The words.
    outside
        Name, dot and attribute of an instance, or class, dot and attribute of `self` -> what it can hold by the rest of
        the module, with the name's own bit.
    seen
        Called with a value that holds names' bits, when others are passed to it; returns what those names can hold, and
        adds them to `called`.
    power
        Whether a power may be one of e.
    owner
        The number of the class whose method it is.
    classes
        The bits of the module's classes.
    idle
        Module -> the names in it that are of no interest.

    Attributes
    ----------
    names
        Name, or dot and attribute -> what it can hold.
    returned
        What the function can return.
    hot
        Whether there can be a pattern.
    news
        The names that hold more than when this was last emptied.
    read, called
        The names that the step asks for which is being followed, and those that it passes values of interest to.
    all_called
        What all steps together pass such values to.
    """

    def __init__(
        self,
        table: Table,
        outside: Mapping[str, int],
        seen: Callable[[Flow, int], int],
        *,
        power: bool,
        owner: int = -1,
        classes: int = 0,
        idle: Mapping[str, frozenset[str]] = {},
    ) -> None:
        self.table = table
        self.names: dict[str, int] = {}
        self.returned = 0
        self.hot = False
        self.read: set[str] = set()
        self.called = self.all_called = 0
        self.news: dict[str, None] = {}
        self._outside = outside
        self._seen = seen
        self._owner = owner
        self._classes = classes
        self._idle = idle
        self._power = table.power if power else 0
        #: what was written into a value that may have other names
        self._anywhere = 0
        self._steps: list[Step] = []
        #: the step that is being followed
        self._now = 0
        #: name -> the last step that let it hold more
        self._dirty: dict[str, int] = {}
        self._spread_out = False
        #: how many functions inside of each other: their statements are one step together
        self._depth = 0

    def function(self, definition: ast.FunctionDef | ast.AsyncFunctionDef, *, is_method: bool) -> None:
        """Follow the values through a function."""
        self._step(Flow._enter_method if is_method else Flow._enter, definition)
        self._block(definition.body)
        self._repeat(self._dirty)

    def statements(self, body: list[ast.stmt]) -> None:
        """Follow the values through statements."""
        self._block(body)
        self._repeat(self._dirty)

    def resume(self, names: Iterable[str], called: int) -> None:
        """Follow them again where names are read of which more is known now, or such values passed to others."""
        self._repeat(dict.fromkeys(names, len(self._steps)), called)

    # ---- steps

    def _step(self, do: Callable[[Flow, Any], None], node: ast.AST) -> None:
        self._now = len(self._steps)
        self.read, self.called = set(), 0
        do(self, node)
        self.all_called |= self.called
        self._steps.append(Step(do, node, self.read, self.called))

    def _repeat(self, dirty: dict[str, int], called: int = 0) -> None:
        """Do the steps again that have read names before these held all that they hold, until nothing changes."""
        everything = False
        while dirty or called or everything or self._spread_out:
            everything, self._spread_out = self._spread_out, False
            self._dirty = {}
            for n, step in enumerate(self._steps):
                if not (everything or step.called & called or step.is_outdated(n, dirty, self._dirty)):
                    continue
                self._now, self.read, self.called = n, step.read, step.called
                step.do(self, step.node)
                step.called = self.called
                self.all_called |= self.called
            dirty, called = self._dirty, 0

    def all_read(self) -> set[str]:
        """Return the names that were asked for."""
        return set[str]().union(*(step.read for step in self._steps))

    def _enter(self, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in definition.decorator_list:
            self._value(decorator)
        self._parameters(definition.args)

    def _enter_method(self, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        args = definition.args
        first = (*args.posonlyargs, *args.args)[:1]
        for decorator in definition.decorator_list:
            self._value(decorator)
        self._parameters(args, first)
        for a in first:  # one that is decorated may be static
            self._bind_name(a.arg, SELF | ARGUMENT if definition.decorator_list else SELF)

    def _parameters(self, args: ast.arguments, without: tuple[ast.arg, ...] = ()) -> None:
        for a in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            if a not in without:
                self._bind_name(a.arg, ARGUMENT)
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self._value(default)

    # ---- statements

    def _block(self, body: Iterable[ast.stmt]) -> None:
        for s in body:
            if self._depth:
                self._do(s)
            elif isinstance(s, _COMPOUND):
                self._step(Flow._head, s)
                for block in _blocks(s):
                    self._block(block)
            else:
                self._step(Flow._do, s)

    def _do(self, s: ast.stmt) -> None:
        do = _STATEMENTS.get(type(s))
        if do is not None:
            do(self, s)
        else:
            self._children(s)

    def _head(self, s: ast.AST) -> None:
        """Follow what a statement is made of besides other statements."""
        if isinstance(s, ast.For | ast.AsyncFor):
            self._bind(s.target, self._value(s.iter))
            return
        for name in s._fields:
            child = getattr(s, name)
            for c in child if isinstance(child, list) else (child,):
                if isinstance(c, ast.expr):
                    self._value(c)
                elif isinstance(c, ast.AST) and not isinstance(c, ast.stmt):
                    self._head(c)

    def _children(self, node: ast.AST) -> int:
        for name in node._fields:
            child = getattr(node, name)
            if isinstance(child, list):
                for c in child:
                    self._child(c)
            else:
                self._child(child)
        return 0

    def _child(self, child: object) -> None:
        if isinstance(child, ast.expr):
            self._value(child)
        elif isinstance(child, ast.stmt):
            self._block((child,))
        elif isinstance(child, ast.AST):
            self._children(child)

    def _assign(self, s: ast.Assign) -> None:
        mask = self._value(s.value)
        for target in s.targets:
            self._bind(target, mask)

    def _annotated(self, s: ast.AnnAssign) -> None:
        if s.value is not None:
            self._bind(s.target, self._value(s.value))

    def _augmented(self, s: ast.AugAssign) -> None:
        self._bind(s.target, self._operation(s.op, self._value(s.target), self._value(s.value)))

    def _return(self, s: ast.Return) -> None:
        if s.value is not None:
            self.returned |= self._value(s.value)

    def _for(self, s: ast.For | ast.AsyncFor) -> None:
        self._bind(s.target, self._value(s.iter))
        self._block(s.body)
        self._block(s.orelse)

    def _define(self, s: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._enter(s)
        outside, self.returned = self.returned, 0
        self._depth += 1
        self._block(s.body)
        self._depth -= 1
        inside, self.returned = self.returned, outside
        self._bind_name(s.name, inside | ARGUMENT)
        self._bind_name("." + s.name, inside | ARGUMENT)

    def _define_class(self, s: ast.ClassDef) -> None:
        for e in (*s.decorator_list, *s.bases):
            self._value(e)
        self._depth += 1
        self._block(s.body)
        self._depth -= 1
        for method in CALLED:
            self._bind_name(s.name, self.names.get("." + method, 0))

    def _import(self, s: ast.Import | ast.ImportFrom) -> None:
        for a in s.names:
            if a.asname:
                self._bind_name(a.asname, self.table.words.get(a.name.rpartition(".")[2], 0))

    # ---- binding

    def _bind_name(self, name: str, mask: int) -> None:
        known = self.names.get(name, 0)
        if known | mask != known or name not in self.names:
            self.names[name] = known | mask
            self.news[name] = None
            self._dirty[name] = self._now

    def _bind(self, target: ast.expr, mask: int) -> None:
        kind = type(target)
        if kind is ast.Name:
            self._bind_name(target.id, mask)  # type: ignore[attr-defined]
        elif isinstance(target, ast.Attribute):
            self._value(target.value)
            self._bind_name("." + target.attr, mask)
        elif isinstance(target, ast.Tuple | ast.List):
            for t in target.elts:
                self._bind(t, mask)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, mask)
        elif isinstance(target, ast.Subscript):
            self._value(target.slice)
            if mask:
                self._bind(target.value, mask)
            if mask & self.table.followed:
                self._spread(mask)

    def _spread(self, mask: int) -> None:
        if self._anywhere | mask != self._anywhere:
            self._anywhere |= mask
            self._spread_out = True

    # ---- expressions

    def _value(self, e: ast.expr) -> int:
        visit = _EXPRESSIONS.get(type(e))
        return visit(self, e) if visit is not None else self._children(e)

    def _name(self, e: ast.Name) -> int:
        return self._named(e.id)

    def _named(self, key: str) -> int:
        self.read.add(key)
        # Also where the name is bound here: before that it may mean the module's.
        return self.table.words.get(key, 0) | self._outside.get(key, 0) | self.names.get(key, 0) | self._anywhere

    def _attribute(self, e: ast.Attribute) -> int:
        return self._member(e.attr, self._owner_of(e))

    def _owner_of(self, e: ast.Attribute) -> int:
        """Return what the value can hold of which something is an attribute."""
        mask = self._value(e.value)
        if self._idle and isinstance(e.value, ast.Name) and e.attr in self._idle.get(e.value.id, ()):
            return mask & ~self.table.probability
        return mask

    def _member(self, name: str, owner: int) -> int:
        key = "." + name
        self.read.add(key)
        mask = self.table.words.get(name) or self.table.words.get(name.rstrip("_"), 0)
        if name in _THROUGH or owner & self.table.brought:
            mask |= owner
        if owner & SELF:
            own = f"{self._owner}.{name}"
            self.read.add(own)
            known = self._outside.get(own)
            # What a base class of another module has, the module does not say.
            mask |= self._outside.get(f"{self._owner}.", 0) if known is None else known
        if owner >> self.table.size:
            mask |= self._of_instance(key, owner)
        return mask | self.names.get(key, 0) | self._anywhere

    def _of_instance(self, key: str, owner: int) -> int:
        """Return what an attribute can hold if its owner can be an instance of one of the module's classes."""
        known = self._outside.get(key, 0)
        if known & self.table.followed and not owner & self._classes:
            owner = self._seen(self, owner)
        return known if owner & self._classes else 0

    def _call(self, e: ast.Call) -> int:
        func = e.func
        inside, name = 0, ""
        if isinstance(func, ast.Attribute):
            name = func.attr
            inside = self._owner_of(func)
            called = self.table.words.get(name, 0) if _is_super(func.value) else self._member(name, inside)
        else:
            called = self._value(func)
            if called & SELF:  # `self(x)`
                for method in CALLED:
                    called |= self._member(method, SELF)
            name = func.id if isinstance(func, ast.Name) else ""
        applied = 0
        for a in e.args:
            applied = self._value(a)
            inside |= applied
        table = self.table
        # The last argument may be `out`.
        in_place = len(e.args) > 1 and isinstance(e.args[-1], _TARGETS) and table.words.get(name, 0) & table.followed
        if name[-1:] == "_" and name[:1] != "_":
            in_place = 1
        for k in e.keywords:
            mask = self._value(k.value)
            inside |= mask
            if k.arg == "out":
                in_place = 1
            elif k.arg in _NAMING_ACTIVATION:
                called |= mask
        if name == "Activation":
            called |= applied
        elif name == "map" and e.args:
            called |= self._value(e.args[0])
        if called & table.alone:
            self.hot = True
        if inside & table.followed:
            if isinstance(func, ast.Attribute) and inside >> table.size & ~self._classes >> table.size:
                called |= self._of_instance("." + name, self._seen(self, inside))
            if called >> table.size:
                called = self._seen(self, called)
            # What a function of the module does to its argument before is done here too.
            made = table.made(called, inside) if called & table.applied else 0
            if called & table.outer and table.matched(called, inside | made):
                self.hot = True
            called |= made
        if name in _TAKING and isinstance(func, ast.Attribute):
            self._bind(func.value, inside)
        result = called & ~KNOWN | (inside if called & ARGUMENT else inside & table.applied if called else 0)
        if name in table.contracting:
            result &= ~table.direct
        if in_place and result:
            self._spread(result)
        return result

    def _operation(self, operator: ast.operator, left: int, right: int, exponent: ast.expr | None = None) -> int:
        table = self.table
        result = left | right
        kind = type(operator)
        if kind in _ADDING:
            return result | table.made(table.addition, result) | (table.addition if result & ARGUMENT else 0)
        if kind is ast.Pow and _is_positive(exponent):
            return result | self._power
        if kind is ast.Div or kind is ast.Pow:
            below = right if kind is ast.Div else left
            if below & table.followed and table.matched(table.division, below):
                self.hot = True
            result |= table.made(table.division, below)
            if below & ARGUMENT:
                result |= table.division
            if kind is ast.Pow:
                result |= self._power
        return result

    def _binary(self, e: ast.BinOp) -> int:
        # A chain of 1,000 operators is a tree 1,000 deep to the left: go down in a loop.
        chain = [e]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        left = chain[-1].left
        mask = self._value(left)
        direct = self.table.direct
        for part in reversed(chain):
            right = self._value(part.right)
            both = self._operation(part.op, mask, right, part.right)
            # What is multiplied by 1 is still the same.
            if both & direct and not (self._may_be_number(left, mask) or self._may_be_number(part.right, right)):
                both &= ~direct
            mask, left = both, part
        return mask

    def _may_be_number(self, e: ast.expr, mask: int) -> bool:
        if mask & NUMBER:
            return True
        return isinstance(e, ast.Name | ast.Attribute) and bool(mask & ARGUMENT or mask >> self.table.size)

    def _unary(self, e: ast.UnaryOp) -> int:
        return self._value(e.operand)

    def _each(self, e: ast.Tuple | ast.List) -> int:
        mask = 0
        for x in e.elts:
            mask |= self._value(x)
        return mask

    def _either(self, e: ast.BoolOp) -> int:
        mask = 0
        for x in e.values:
            mask |= self._value(x)
        return mask

    def _compare(self, e: ast.Compare) -> int:
        mask = self._value(e.left)
        for x in e.comparators:
            mask |= self._value(x)
        return mask & self.table.applied

    def _if(self, e: ast.IfExp) -> int:
        return self._value(e.test) & 0 | self._value(e.body) | self._value(e.orelse)

    def _subscript(self, e: ast.Subscript) -> int:
        self._value(e.slice)
        return self._value(e.value)

    def _walrus(self, e: ast.NamedExpr) -> int:
        mask = self._value(e.value)
        self._bind_name(e.target.id, mask)
        return mask

    def _starred(self, e: ast.Starred) -> int:
        return self._value(e.value)

    def _lambda(self, e: ast.Lambda) -> int:
        self._parameters(e.args)
        return self._value(e.body) | ARGUMENT

    def _comprehension(self, e: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> int:
        self._generators(e.generators)
        return self._value(e.elt)

    def _dictionary(self, e: ast.DictComp) -> int:
        self._generators(e.generators)
        return self._value(e.key) & 0 | self._value(e.value)

    def _generators(self, generators: list[ast.comprehension]) -> None:
        for g in generators:
            self._bind(g.target, self._value(g.iter))
            for condition in g.ifs:
                self._value(condition)

    def _constant(self, e: ast.Constant) -> int:
        # `activation="softmax"` is a softmax.
        if isinstance(e.value, str):
            return self.table.words[e.value] if e.value in ACTIVATIONS else 0
        return NUMBER if isinstance(e.value, int | float) else 0


_ADDING = (ast.Add, ast.Sub, ast.MatMult)
_TARGETS = (ast.Name, ast.Attribute, ast.Subscript)


def _is_positive(e: ast.expr | None) -> bool:
    """Return whether a power with this exponent is no division."""
    return isinstance(e, ast.Constant) and isinstance(e.value, int | float) and e.value > 0


def _is_super(e: ast.expr) -> bool:
    """Return whether an expression is `super()`: what a base class has is not looked at."""
    return isinstance(e, ast.Call) and isinstance(e.func, ast.Name) and e.func.id == "super"


#: methods that the call of an instance means
CALLED = ("forward", "__call__", "call")

_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements in a statement."""
    for name in node._fields:
        child = getattr(node, name)
        if isinstance(child, list) and child:
            if isinstance(child[0], ast.stmt):
                yield child
            elif not isinstance(child[0], ast.expr):
                for c in child:
                    yield from _blocks(c)


_STATEMENTS: dict[type, Callable[[Flow, Any], None]] = {
    ast.Assign: Flow._assign,
    ast.AnnAssign: Flow._annotated,
    ast.AugAssign: Flow._augmented,
    ast.Return: Flow._return,
    ast.For: Flow._for,
    ast.AsyncFor: Flow._for,
    ast.FunctionDef: Flow._define,
    ast.AsyncFunctionDef: Flow._define,
    ast.ClassDef: Flow._define_class,
    ast.Import: Flow._import,
    ast.ImportFrom: Flow._import,
}
_EXPRESSIONS: dict[type, Callable[[Flow, Any], int]] = {
    ast.Name: Flow._name,
    ast.Attribute: Flow._attribute,
    ast.Call: Flow._call,
    ast.Constant: Flow._constant,
    ast.BinOp: Flow._binary,
    ast.UnaryOp: Flow._unary,
    ast.Subscript: Flow._subscript,
    ast.Tuple: Flow._each,
    ast.List: Flow._each,
    ast.BoolOp: Flow._either,
    ast.Compare: Flow._compare,
    ast.IfExp: Flow._if,
    ast.NamedExpr: Flow._walrus,
    ast.Starred: Flow._starred,
    ast.Lambda: Flow._lambda,
    ast.ListComp: Flow._comprehension,
    ast.SetComp: Flow._comprehension,
    ast.GeneratorExp: Flow._comprehension,
    ast.DictComp: Flow._dictionary,
}
