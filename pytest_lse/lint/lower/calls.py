"""Calls to values: the op table, methods, in-place variants, modules of `torch.nn`."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from itertools import islice

from pytest_lse.lint import ops
from pytest_lse.lint.bounds import TESTED, fact
from pytest_lse.lint.graph import BIT, Graph, Node
from pytest_lse.lint.lower.environment import ANY_LIBRARY, LIBRARIES
from pytest_lse.lint.lower.expressions import Expressions

#: the bit of values that are made of what another module gives
OUTSIDE = BIT["outside"]
#: classes whose instances apply one layer after the other
_SEQUENTIAL = frozenset(
    {"torch.nn.Sequential", "keras.Sequential", "keras.models.Sequential", "tensorflow.keras.Sequential",
     "tensorflow.keras.models.Sequential", "paddle.nn.Sequential", "mlx.nn.Sequential"}
)  # fmt: skip
#: methods of a `torch.nn` module that return it
STILL = frozenset({"to", "cuda", "cpu", "float", "double", "half", "train", "eval", "requires_grad_"})
#: what a module is put into to run elsewhere, or faster
WRAPPERS = frozenset(
    {"torch.nn.DataParallel", "torch.nn.parallel.DataParallel", "torch.nn.parallel.DistributedDataParallel",
     "torch.compile", "torch.jit.script"}
)  # fmt: skip
#: bare calls that change none of their arguments
HARMLESS = frozenset(
    {"print", "log", "debug", "info", "warning", "warn", "error", "write", "append", "assert_", "plot"}
)

#: how many of the values that a value is made of are asked for their framework
_NEAR = 500

#: functions of such a library that mean what NumPy's of that name do
_OF_A_NAMESPACE = frozenset(
    "exp log log1p expm1 sum mean max min amax amin maximum minimum abs absolute clip where square sqrt dot matmul"
    " einsum divide multiply subtract add negative expand_dims reshape cumsum prod log2 log10 tanh".split()
)
#: the largest of any number of values
_EXTREMES = {"builtins.max": "maximum", "builtins.min": "minimum"}
#: methods that change the shape of an array and none of its numbers
_SHAPED = frozenset({"reshape", "view", "permute", "expand", "repeat", "transpose"})
#: what such a library is called, or comes from
_NAMESPACES = frozenset({"xp", "get_array_module", "array_namespace", "get_namespace"})
#: operations whose keyword `where` leaves elements out
_REDUCING = frozenset({"sum", "mean", "softmax", "log_softmax", "logsumexp"})
#: the last word of a call that makes an array of one number
_FILLED = {"zeros": 0.0, "zeros_like": 0.0, "empty": 0.0, "empty_like": 0.0, "ones": 1.0, "ones_like": 1.0}
_FILLED_METHODS = {"new_zeros": 0.0, "new_ones": 1.0, "new_empty": 0.0}
#: small numbers that a framework keeps for its users
_EPSILONS = {"keras.backend.epsilon": 1e-7, "tensorflow.keras.backend.epsilon": 1e-7, "keras.config.epsilon": 1e-7}
#: what a loss becomes under `from_logits=True`
_FROM_LOGITS = {"bce": "bce_with_logits", "cross_entropy_of_probs": "cross_entropy"}
#: the activations that a layer's keyword may name
ACTIVATIONS = frozenset({"sigmoid", "softmax", "log_softmax", "softplus", "tanh", "relu", "exp"})
#: layers that apply the function named by their keyword `activation`, and those keywords
_LAYERS = frozenset(
    "Dense dense fully_connected Conv1D Conv2D Conv3D conv1d conv2d conv3d convolution2d linear Activation".split()
)
ACTIVATION = ("activation", "activation_fn")
#: what applies a function to the last of several layers, whatever its name
LAST_ACTIVATION = ("output_activation", "final_activation", "last_activation", "out_activation")
#: spelt as another framework, whose replacements do not fit: complex numbers cannot be compared
_FOREIGN = {
    f"{ANY_LIBRARY}.": ANY_LIBRARY,
    "cmath.": "cmath",
    "mxnet.np.": "mxnet.np",
    "mxnet.npx.": "mxnet.np",
    "mxnet.numpy": "mxnet.np",
}


class Calls(Expressions):
    """Lowers calls."""

    def _Call(self, e: ast.Call) -> Node:
        if isinstance(e.func, ast.Lambda) and len(e.args) == len(e.func.args.args) and not e.keywords:
            # Called where it stands: its parameters are what it is called with.
            given = {a.arg: self.lower(v) for a, v in zip(e.func.args.args, e.args, strict=True)}
            names, self.state.names = self.state.names, self.state.names | given
            node = self.lower(e.func.body)
            self.state.names = names
            return node
        if isinstance(e.func, ast.Attribute):
            receiver = self.lower(e.func.value)
            function = self._attribute(receiver, e.func.attr)
        else:
            receiver, function = None, self.lower(e.func)
        if function.op == "name":
            return self._named(e, function.value)
        if function.op in ("function", "module", "instance") or self.is_self(function):
            return self.apply(e, function)
        if function.op == "class":
            self._arguments(e)
            return self.graph._intern("instance", (), function.value)
        if function.ops & OUTSIDE and function.op != "attr":
            return self.unknown("call", function, self._arguments(e))
        if receiver is not None and isinstance(e.func, ast.Attribute):
            return self._method(e, receiver, e.func.attr)
        return self.unknown("call", function, self._arguments(e))

    def unknown(self, hint: str, callee: Node, arguments: tuple[list[Node], dict[str, Node]] | None) -> Node:
        """Return a value about which nothing is known, unless it is asked for what another module makes of it."""
        node = self.graph.opaque(hint)
        if self.outside is not None and arguments is not None and self.may_be_outside(callee):
            self.outside.remember(node, self, callee, arguments)
        return node

    def may_be_outside(self, callee: Node) -> bool:
        raise NotImplementedError

    def apply(self, e: ast.Call, function: Node) -> Node:
        raise NotImplementedError

    def is_self(self, node: Node) -> bool:
        raise NotImplementedError

    def _arguments(self, e: ast.Call) -> tuple[list[Node], dict[str, Node]] | None:
        """Lower the arguments; None where a starred one hides which is which."""
        positional = [self.lower(a) for a in e.args]
        keywords = [(k.arg, self.lower(k.value)) for k in e.keywords]
        if any(n.op == "starred" for n in positional) or any(name is None for name, _ in keywords):
            return None
        return positional, {name: node for name, node in keywords if name}

    def _named(self, e: ast.Call, dotted: str) -> Node:
        candidates = ops.functions(dotted)
        if dotted.startswith(f"{ANY_LIBRARY}."):
            candidates = ops.functions(f"numpy{dotted.removeprefix(ANY_LIBRARY)}")
        foreign = next((f for prefix, f in _FOREIGN.items() if dotted.startswith(prefix)), None)
        if foreign:
            candidates = tuple(dataclasses.replace(c, framework=foreign) for c in candidates)
        if candidates and candidates[0].op == "where" and len(e.args) == 3 and not e.keywords:
            return self._where(e, candidates[0])
        if dotted == "numpy.piecewise" and len(e.args) == 3 and isinstance(e.args[1], ast.List | ast.Tuple):
            return self._piecewise(e.args[0], e.args[1].elts, e.args[2])
        if dotted in _SEQUENTIAL and e.args:
            layers = [self.lower(a.value if isinstance(a, ast.Starred) else a) for a in e.args]
            return self.graph._intern("module", (_last(layers[-1]),), "sequential")
        arguments = self._arguments(e)
        if arguments is None:
            return self.graph.opaque("call")
        if dotted in WRAPPERS and arguments[0] and arguments[0][0].op in ("module", "instance"):
            return arguments[0][0]
        constructed = self._construct(dotted, *arguments)
        if constructed is not None:
            return constructed
        if not candidates and dotted.startswith("chainer.functions."):
            candidates = ops.functions(f"chainer.functions.{dotted.rpartition('.')[2]}")  # from inside of Chainer
        positional, keywords = arguments
        if dotted in _EXTREMES and len(positional) > 2 and not keywords:
            return self._observe(e, self.graph.make(_EXTREMES[dotted], *positional))
        node = self._fit(e, candidates, *arguments)
        return node if node is not None else self._wrapper(e, dotted, *arguments)

    def _wrapper(self, e: ast.Call, dotted: str, positional: list[Node], keywords: dict[str, Node]) -> Node:
        """Look through `jit(f)`: it is f. Know what makes arrays of one number, and what applies a function."""
        graph = self.graph
        word = dotted.rpartition(".")[2]
        if word in _FILLED and dotted.partition(".")[0] in ops.frameworks() and "requires_grad" not in keywords:
            return graph.make("tile", graph.const(_FILLED[word]))
        if dotted in _EPSILONS:
            return graph.const(_EPSILONS[dotted])
        if word in _LAYERS or any(k in keywords for k in LAST_ACTIVATION):
            activation = self._activation(word, positional, keywords)
            if activation is not None:
                # Called with its input, a function; called with its size, a layer that is called later.
                layer = graph._intern("module", (activation,), "sequential")
                return layer if word[0].isupper() else self.apply_module(e, layer, positional)
        if dotted == "builtins.map" and len(positional) == 2 and not keywords:
            return self._mapped(e, *positional)
        if word == "OrderedDict" and len(positional) == 1 and positional[0].op == "tuple" and positional[0].args:
            return graph.make("tuple", *(_second(pair) for pair in positional[0].args))
        if dotted.endswith(".getF") and "mxnet" in self.imported:
            return self.graph.symbol("name", "mxnet.F")
        if dotted in ("jax.jit", "jax.vmap", "jax.checkpoint", "torch.compile", "tensorflow.function") and positional:
            return positional[0]
        return self.unknown(dotted, graph.symbol("name", dotted), (positional, keywords))

    def _activation(self, word: str, positional: list[Node], keywords: dict[str, Node]) -> Node | None:
        """Return the module that a layer's activation is."""
        given = next((keywords[k] for k in (*LAST_ACTIVATION, *ACTIVATION) if k in keywords), None)
        if word == "Activation" and positional:
            given = positional[0]
        if given is None:
            return None
        op: object = given.value if given.op == "const" else None
        if given.op == "name":
            op = next((c.op for c in ops.functions(str(given.value))), None)
        if given.op == "module":
            return given
        if not isinstance(op, str) or op not in ACTIVATIONS:
            return None
        last = (self.graph.const(-1.0),) if "softmax" in op else ()
        return self.graph._intern("module", (self.graph.none, *last), (op, "tensorflow"))

    def _mapped(self, e: ast.Call, function: Node, sequence: Node) -> Node:
        """Return `map(f, xs)`: f(xs), as for a comprehension."""
        if function.op == "name":
            node = self._fit(e, ops.functions(function.value), [sequence], {})
            return node if node is not None else self.graph.opaque("map")
        if function.op == "function":
            return self.call_function(function, [sequence])
        return self.graph.opaque("map")

    def call_function(self, function: Node, positional: list[Node]) -> Node:
        raise NotImplementedError

    def _where(self, e: ast.Call, call: ops.Call) -> Node:
        condition = self.lower(e.args[0])
        a = self.under(condition, True, e.args[1])
        b = self.under(condition, False, e.args[2])
        a, b = self.guarded(condition, True, a), self.guarded(condition, False, b)
        return self._observe(e, self.graph.make("where", condition, a, b), call.framework)

    def _piecewise(self, argument: ast.expr, conditions: list[ast.expr], pieces: ast.expr) -> Node:
        """Lower `np.piecewise(x, [a, b], [f, g])`: each function gets only those elements for which its test holds."""
        x = self.lower(argument)
        tests = [self.lower(c) for c in conditions]
        if not isinstance(pieces, ast.List | ast.Tuple):
            self.lower(pieces)
            return self.graph.opaque("piecewise")
        values = []
        for i, piece in enumerate(pieces.elts):
            if isinstance(piece, ast.Lambda) and len(piece.args.args) == 1:
                facts = fact(self.graph, tests[i], True) if i < len(tests) else {}
                known = facts.get(self.graph.shapeless(x), TESTED)
                names = self.state.names
                self.state.names = names | {piece.args.args[0].arg: self.graph._intern("guarded", (x,), known)}
                values.append(self.lower(piece.body))
                self.state.names = names
            else:
                self.lower(piece)
                values.append(self.graph.opaque("piece"))
        return self.graph.make("where", self.graph.none, values[0], values[-1]) if values else x

    def _method(self, e: ast.Call, receiver: Node, name: str) -> Node:
        if name == "where" and len(e.args) == 2 and not e.keywords and "torch" in self.imported:
            test = self.lower(e.args[0])
            other = self.guarded(test, False, self.under(test, False, e.args[1]))
            return self._observe(e, self.graph.make("where", test, self.guarded(test, True, receiver), other), "torch")
        if name in _OF_A_NAMESPACE and _is_namespace(receiver):
            candidates = [dataclasses.replace(c, framework="xp") for c in ops.functions(f"numpy.{name}")]
            if name == "where" and len(e.args) == 3 and not e.keywords:
                return self._where(e, candidates[0])
            positional, keywords = self._arguments(e) or ([], {})
            node = self._fit(e, candidates, positional, keywords) if positional else None
            return node if node is not None else self.graph.opaque(name)
        arguments = self._arguments(e)
        if arguments is None:
            # `x.reshape(*shape)`: whatever the shape, the numbers stay.
            return self.graph.make("reshape", receiver, self.graph.none) if name in _SHAPED else self.graph.opaque(name)
        if receiver.op in ("module", "instance") and name in STILL:
            return receiver
        if (
            name == "extend"
            and len(arguments[0]) == 1
            and arguments[0][0].op == "tuple"
            and arguments[0][0].args
            and isinstance(e.func, ast.Attribute)
        ):
            arguments = [arguments[0][0].args[-1]], {}
            name = "append"
        if name == "append" and len(arguments[0]) == 1 and isinstance(e.func, ast.Attribute):
            self.bind_value(e.func.value, self.graph.make("appended", receiver, arguments[0][0]))
            return self.graph.none
        if name in _FILLED_METHODS and "requires_grad" not in arguments[1]:
            return self.graph.make("tile", self.graph.const(_FILLED_METHODS[name]))
        if name == "values" and not e.args and receiver.op in ("dict", "where", "phi", "tile"):
            return receiver.args[0] if receiver.op == "dict" else receiver
        if name in ("transform", "agg", "aggregate") and [n.value for n in arguments[0]] == ["sum"]:
            return self.graph.make("loopsum", receiver)
        if name in ("reshape", "view") and len(e.args) > 1 and all(n.op == "const" for n in arguments[0]):
            arguments = [self.graph.const(tuple(n.value for n in arguments[0]))], arguments[1]
        if name == "add_module" and len(arguments[0]) == 2 and receiver.op == "module":
            arguments = [arguments[0][1]], {}
            name = "add"
        if name == "add" and receiver.op == "module" and receiver.value == "sequential" and len(arguments[0]) == 1:
            layer = self.graph._intern("module", (_last(arguments[0][0]),), "sequential")
            if isinstance(e.func, ast.Attribute):
                self.bind_value(e.func.value, layer)
            return self.graph.none
        inplace = name.endswith("_") and not name.startswith("_")
        known = [c for c in ops.methods(name.rstrip("_") if inplace else name) if c.framework in self.imported]
        known = [c for c in known if c.framework == "torch"] if inplace else self._prefer(known, receiver)
        node = self._fit(e, known, *arguments, receiver=receiver)
        if node is None:
            return self.unknown(name, self.graph._intern("attr", (receiver,), name), arguments)
        if inplace:
            self.state.mutate(self.graph, receiver, node)
        return node

    def _prefer(self, calls: list[ops.Call], receiver: Node) -> list[ops.Call]:
        """Put the calls of the receiver's own framework first, as far as it is known."""
        framework = self.framework_of(receiver)
        return sorted(calls, key=lambda c: c.framework != framework) if framework else calls

    def framework_of(self, node: Node) -> str | None:
        """Return the framework that computed a value, or one of those it was computed from."""
        found = [self.frameworks[n] for n in islice(node.walk(), _NEAR) if n in self.frameworks]
        # plain Python takes the arrays of any framework
        return next((f for f in found if f != "math"), found[0] if found else None)

    def _fit(
        self,
        e: ast.Call,
        candidates: Iterable[ops.Call],
        positional: list[Node],
        keywords: dict[str, Node],
        receiver: Node | None = None,
    ) -> Node | None:
        out = keywords.get("out")
        given = {k: v for k, v in keywords.items() if k != "out" or v is self.graph.none}
        for call in candidates:
            call, given = self._from_logits(call, given)
            looked_through = ("dtype", "where") if call.op in _REDUCING else ("dtype",)
            changed = {k: given[k] for k in looked_through if k in given and call.forbids(k)}
            bound = call.bind(positional, {k: v for k, v in given.items() if k not in changed}, receiver)
            place = call.place_of("out")
            if bound is None and 0 <= place == len(positional) - 1 and out is None:
                out = positional[place]
                bound = call.bind(positional[:place], given, receiver)
            if bound is not None and self._plausible(call, bound):
                first = ops.signature(call.op)[0][0]
                if changed and isinstance(x := bound.get(first), Node):
                    mask = changed.get("where", self.graph.none)
                    x = x if mask is self.graph.none else self.graph.make("where", mask, x, self.graph.zero)
                    bound[first] = x if changed.get("dtype", self.graph.none) is self.graph.none else self._cast(x)
                node = self._build(call, bound)
                if out is not None and out is not self.graph.none:
                    self.state.mutate(self.graph, out, node)
                return self._observe(
                    e,
                    node,
                    call.framework if receiver is None or len(self.imported) == 1 else self._owner(call, receiver),
                )
        return None

    def _cast(self, x: Node) -> Node:
        """Return the value in another dtype; that is a new value, which no name holds."""
        return self.graph.make("tile", self.graph.make("cast", x))

    @staticmethod
    def _from_logits(call: ops.Call, given: dict[str, Node]) -> tuple[ops.Call, dict[str, Node]]:
        """Return the call that a loss of Keras is under its flag `from_logits`."""
        flag = given.get("from_logits")
        if flag is None or call.op not in _FROM_LOGITS or flag.value not in (True, False):
            return call, given
        rest = {k: v for k, v in given.items() if k != "from_logits"}
        return (dataclasses.replace(call, op=_FROM_LOGITS[call.op]) if flag.value else call), rest

    def _owner(self, call: ops.Call, receiver: Node) -> str:
        return self.framework_of(receiver) or call.framework

    def _plausible(self, call: ops.Call, bound: dict[str, Node | ops.Default]) -> bool:
        """Tell overloads apart: `max(x, dim)` from `max(a, b)`, `sum(dim)` from `sum(other)`."""
        axis = bound.get("axis")
        if call.op in ("maxpair", "minpair"):
            return isinstance(axis, Node) and axis.op == "const" and axis.value is not None
        if call.op in ("maximum", "minimum") and call.framework == "torch":
            return not (isinstance(bound["y"], Node) and bound["y"].op == "const" and bound["y"].value is None)
        return True

    def _build(self, call: ops.Call, bound: dict[str, Node | ops.Default]) -> Node:
        graph = self.graph
        nodes = [_value(graph, bound[name]) for name, _ in ops.signature(call.op)]
        if call.op == "maxpair" or call.op == "minpair":
            return graph.make("pair", graph.make(call.op[:3], *nodes))
        if call.op == "reshape":
            return self._reshape(nodes[0], nodes[1])
        if call.op == "masked_fill":
            x, mask, value = nodes
            return graph.make("where", mask, value, self.guarded(mask, False, x))
        if call.op == "einsum":
            return (
                graph.make("contract", nodes[1], nodes[2])
                if nodes[2] is not graph.none
                else graph.make("loopsum", nodes[1])
            )
        if call.op in ("maximum", "minimum", "logaddexp"):
            nodes.sort(key=lambda n: n.id)
        return graph.make(call.op, *nodes)

    def _reshape(self, x: Node, shape: Node) -> Node:
        if shape.op == "const" and shape.value == (-1.0, 1.0):
            return self.graph.make("expand", x, self.graph.one)
        return self.graph.make("reshape", x, shape)

    def _construct(self, dotted: str, positional: list[Node], keywords: dict[str, Node]) -> Node | None:
        """Return a callable module such as `torch.nn.Softmax(dim=1)`."""
        if dotted in _SEQUENTIAL:
            return self.graph._intern("module", (self.graph.opaque("layers"),), "sequential")
        call = ops.constructor(dotted)
        if call is None:
            return None
        call, keywords = self._from_logits(call, keywords)
        bound = call.bind(positional, keywords, self.graph.none)
        if bound is None:
            return None
        names = [name for name, _ in ops.signature(call.op)]
        nodes = tuple(_value(self.graph, bound[n]) if n in bound else self.graph.none for n in names)
        return self.graph._intern("module", nodes, (call.op, call.framework))

    def apply_module(self, e: ast.Call, module: Node, positional: list[Node]) -> Node:
        """Return the value of a call of a module made by `_construct`."""
        if module.value == "sequential":
            last = module.args[0]
            if last.op == "module":
                return self.apply_module(e, last, [self.graph.opaque("layers")])
            return self.graph.opaque("layers")
        op, framework = module.value
        if framework == "tensorflow" and "targets" in dict(ops.signature(op)) and len(positional) >= 2:
            # A loss of Keras takes the labels first.
            positional = [positional[1], positional[0]]
        if not positional or len(positional) > len(module.args):
            return self.graph.opaque(op)
        return self._observe(e, self.graph.make(op, *positional, *module.args[len(positional) :]), framework)

    def bind_value(self, target: ast.expr, node: Node) -> None:
        raise NotImplementedError


def _is_namespace(node: Node) -> bool:
    """Return whether a value is an array library that is chosen when the program runs."""
    if node.op == "attr" and node.value in LIBRARIES:
        return True
    if node.op == "item":
        return _is_namespace(node.args[0])  # `xp, is_array_api = get_namespace(x)`
    return node.op == "opaque" and str(node.value).partition("#")[0].rpartition(".")[2] in _NAMESPACES


def _second(pair: Node) -> Node:
    return pair.args[1] if pair.op == "tuple" and len(pair.args) == 2 else pair


def _last(layers: Node) -> Node:
    """Return the last layer of a list that was written out or appended to."""
    if layers.op == "appended":
        return layers.args[1]
    return layers.args[-1] if layers.op in ("tuple", "phi", "either") else layers


def _value(graph: Graph, bound: Node | ops.Default) -> Node:
    return bound if isinstance(bound, Node) else graph.const(bound.value)
