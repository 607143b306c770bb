"""From a match to its fix: the replacement's text, the imports it needs, and whether it is safe."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pytest_lse.lint import template as templates
from pytest_lse.lint.axes import objection_to_axis, of_lists, without_kept_axes
from pytest_lse.lint.dead import dead_assignments, parts_above
from pytest_lse.lint.finding import Edit, Fix
from pytest_lse.lint.graph import Node, is_number
from pytest_lse.lint.imports import Imports
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.expressions import Site
from pytest_lse.lint.match import Bindings, Matcher
from pytest_lse.lint.moved import Above, fresh, is_pure
from pytest_lse.lint.patterns import Pattern
from pytest_lse.lint.placing import joined, place, with_keyword
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.surroundings import (
    compiled,
    containers,
    handles_containers,
    is_array,
    is_integer,
    makes_arrays,
    names_infinity,
    other_numbers,
)
from pytest_lse.lint.template import UnavailableError
from pytest_lse.lint.texts import Texts

#: frameworks whose exponential takes integers and whose other functions do not
_FLOATS_ONLY = frozenset({"torch", "jax", "paddle", "mlx"})
_WITHOUT_EPSILON = "the epsilon is removed, which changes values near it"
#: a number that differs from 1 by less is a 1 with an epsilon
_EPSILON = 1e-5
_GONE = "a value is no longer available here"


class _Place(NamedTuple):
    """Where a replacement goes, and what goes with the original.

    Attributes
    ----------
    site
        The expression that is replaced.
    above
        Whence values may be taken that are not available at the site.
    replaced
        What is not evaluated any more: the site, and a statement that goes.
    between
        Statements that have to go too.
    kept
        The statement that holds the replacement, if that is not the original's.
    """

    site: ast.expr
    above: Above | None
    replaced: list[ast.AST]
    between: Sequence[ast.stmt] = ()
    kept: ast.stmt | None = None


#: the spelling that matches shape for shape, its bindings, its sign and the factor left over
_Exact = tuple[Pattern, Bindings, float, Node | None]


class Fixer:
    """Makes the fixes of one module."""

    def __init__(self, lowerer: Lowerer, matcher: Matcher, imports: Imports) -> None:
        self.lowerer = lowerer
        self.matcher = matcher
        self.imports = imports

    @property
    def positions(self) -> Positions:
        return self.imports.positions

    def fix(
        self, site: Site | None, node: Node, pattern: Pattern, framework: str | None
    ) -> tuple[Fix | None, str | None]:
        """Return the fix, or the reason why there is none; a value that only a call gives has no site of its own."""
        if site is None:
            return None, "the argument comes from a caller of this function"
        try:
            return self._fix(site, node, pattern, framework), None
        except UnavailableError as error:
            return None, str(error)

    def _fix(self, site: Site, node: Node, loose: Pattern, framework: str | None) -> Fix:
        if framework is None:
            raise UnavailableError("the framework of the value is not known")
        if isinstance(site, ast.expr) and "#" in self._commented(site):
            raise UnavailableError("a comment stands inside the expression")
        exact = self._exact(node, loose) or self._exact_but_for_epsilon(node, loose)
        if exact is None:
            raise UnavailableError(
                "the expression is more than this pattern: its shapes, weights or remaining terms have no place in the "
                "replacement"
            )
        pattern = exact[0]
        if hasattr(pattern.kernel.module, "families"):
            return self._with_logits(site, node, pattern, exact[1])
        template = replacement(pattern, framework)
        if template is None:
            raise UnavailableError(f"no replacement is known for {framework}")
        other = getattr(pattern.kernel.module, "without_scipy", {}).get(pattern.spelling)
        if "scipy." in template and compiled(self.imports.scopes, site):
            if other is None or ".reduce(" in other:
                raise UnavailableError("Numba, which compiles the function, knows no function of SciPy")
            template = other
        fix = self._filled(site, node, exact, framework, template)
        if other is None or "scipy." not in template:
            return fix
        try:
            return dataclasses.replace(fix, without_scipy=self._filled(site, node, exact, framework, other))
        except UnavailableError:
            return fix

    def _filled(self, site: Site, node: Node, exact: _Exact, framework: str, template: str) -> Fix:
        """Return the fix that puts the template in place of the site."""
        pattern, bindings, sign, left = exact
        used = templates.placeholders(template)
        values = {n: self.lowerer.graph.const(v) for n, v in pattern.fixed.items()} | bindings
        for name, bound in bindings.items():
            if (
                name not in used
                and name not in getattr(pattern.kernel.module, "dropped", ())
                and not (name in pattern.kernel.params and bound.value in (None, False))
                and not (name == "axis" and framework == "math" and bound.value == 0.0)  # of a list
            ):
                raise UnavailableError(f"the replacement has no place for {name}")
        dropped = [n for n in getattr(pattern.kernel.module, "dropped", ()) if n in bindings]
        if dropped and names_infinity(self.imports.scopes, site):
            raise UnavailableError("the epsilon keeps a logit of -inf finite, which is named in this function")
        if "axis" in used and "axis" in values:
            required = framework in getattr(pattern.kernel.module, "needs_axis", ())
            if reason := objection_to_axis(template, framework, values["axis"], required=required):
                raise UnavailableError(reason)
        scopes = self.imports.scopes
        above = Above(self.lowerer, self.positions, scopes, site)
        above.take(site)
        place_of = self._place(site, node, above)
        texts = Texts(self.lowerer, self.positions, place_of.site, place_of.above, alone=place_of.site is not site)
        edits: list[Edit] = []
        spelled: dict[str, str] = {}

        def text_of(name: str) -> str:
            text = texts.of(values[name])
            if text is None:
                raise UnavailableError(f"the value of {_role(pattern, name)} is no longer available here")
            if used.get(name, 0) > 1 and ("(" in text or "[" in text):
                raise UnavailableError(f"{_role(pattern, name)} would be evaluated twice")
            return text

        def spell(dotted: str) -> str:
            if dotted.startswith("mxnet.nd.") and getattr(self.lowerer.state.names.get("F"), "value", "") == "mxnet.F":
                return "F." + dotted.removeprefix("mxnet.nd.")
            spelling = self.imports.spell(dotted, place_of.site)
            if spelling is None:
                raise UnavailableError(f"{dotted} cannot be imported here")
            edits.extend(spelling.edits)
            spelled[spelling.text] = dotted
            return spelling.text

        text = templates.fill(template, values, text_of, spell)
        text = self._complete(place_of.site, text, sign, left)
        removed, above_it = self._removed(place_of, node, text)
        if getattr(pattern.kernel.module, "computed_once", False) and self._again(
            place_of.site, values["x"], text, removed
        ):
            raise UnavailableError(f"{_role(pattern, 'x')} would be computed a second time")
        departs = pattern.kernel.unsafe.get(framework)
        departs = departs or getattr(pattern.kernel.module, "unsafe_spellings", {}).get(pattern.spelling)
        departs = departs or (_WITHOUT_EPSILON if "eps" in dropped else None)
        leaves = [values[n] for n in used if n in values]
        if framework in _FLOATS_ONLY and any(is_integer(self.lowerer.sources.get(n, [])) for n in leaves):
            raise UnavailableError(f"the argument is of integers, for which {framework} has no such function")
        container = self._container(place_of.site, leaves, template) if framework in ("numpy", "math") else None
        unsafe = departs or container or self._other_numbers(place_of.site, template, framework)
        shown = " ".join(joined(text).split())
        shown = f"{ast.unparse(site.target)} = {shown}" if isinstance(site, ast.AugAssign) else shown
        return Fix(
            "unsafe" if unsafe else "safe",
            f"Replace with `{shown}`" + (f" ({unsafe})" if unsafe else ""),
            (*dict.fromkeys(edits), *removed, place(self.positions, scopes, place_of.site, text)),
            (of_lists(self.lowerer.graph, node) if framework == "math" else node, self._after(text, spelled, above)),
            departs=bool(departs),
            parts=tuple(map(self.positions.span, above_it)),
        )

    def _again(self, site: ast.expr, node: Node, text: str, removed: Sequence[Edit]) -> bool:
        """Say whether a replacement computes what is computed elsewhere, too."""
        if not any(isinstance(n, ast.Call | ast.BinOp) for n in ast.walk(ast.parse(text, mode="eval"))):
            return False
        spans = [self.positions.span(site), *((e.location, e.end_location) for e in removed)]
        sources = [self.positions.span(e) for e in self.lowerer.sources.get(node, ())]
        return not any(start <= first and last <= end for first, last in sources for start, end in spans)

    def _with_logits(self, site: Site, node: Node, pattern: Pattern, bindings: Bindings) -> Fix:
        """Return the fix that gives a distribution the logits instead of their probabilities."""
        if not isinstance(site, ast.Call):
            raise UnavailableError(_GONE)
        names = pattern.kernel.module.families.get(pattern.spelling)
        if names is None:
            raise UnavailableError("what keeps the probabilities from 0 would be lost")
        distribution = str(self.lowerer.relower(site.func).value).rpartition(".")[2]
        if distribution not in names:
            raise UnavailableError(f"{distribution} makes other probabilities of the logits")
        if "axis" in bindings and bindings["axis"].value != -1.0:
            raise UnavailableError("the logits of a distribution are normalised along the last axis")
        scopes = self.imports.scopes
        above = Above(self.lowerer, self.positions, scopes, site)
        above.take(site)
        logits = Texts(self.lowerer, self.positions, site, above).of(bindings["x"])
        if logits is None:
            raise UnavailableError(f"the value of {_role(pattern, 'x')} is no longer available here")
        text = with_keyword(self.positions, site, self._probabilities(site, node), f"logits={logits}")
        removed, above_it = self._removed(_Place(site, above, [site]), node, text)
        probabilities = node.args[0]
        after = self.lowerer.graph.substitute(probabilities, {bindings["x"]: self._after(logits, {}, above)})
        shown = " ".join(joined(text).split())
        return Fix(
            "unsafe",
            f"Replace with `{shown}` ({pattern.kernel.module.departure})",
            (*removed, place(self.positions, scopes, site, text)),
            (probabilities, after),
            parts=tuple(map(self.positions.span, above_it)),
        )

    def _probabilities(self, site: ast.Call, node: Node) -> ast.expr | ast.keyword:
        """Return the argument of a distribution that holds its probabilities."""
        arguments: list[ast.expr | ast.keyword] = [*site.args[-1:], *site.keywords]
        for argument in arguments:
            value = argument.value if isinstance(argument, ast.keyword) else argument
            if self.lowerer.values.get(id(value)) is node.args[0]:
                return argument
        raise UnavailableError("the probabilities are no argument of their own")

    def _place(self, site: Site, node: Node, above: Above) -> _Place:
        """Return where the replacement goes: for `p /= p.sum()` into the assignment of `p` above it."""
        if isinstance(site, ast.expr):
            return _Place(site, above, [site])
        parts = set(node.walk())
        between: list[ast.stmt] = []
        for statement in reversed(above.block):
            if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
                break
            if ast.unparse(statement.targets[0]) == ast.unparse(site.target):
                value = statement.value
                if not fresh(self.lowerer, value) or self.lowerer.values[id(value)] not in parts:
                    break
                if "#" in self._commented(value):
                    raise UnavailableError("a comment stands inside the expression")
                above.take(value)
                return _Place(value, None, [site, value], between, statement)
            if not isinstance(statement.targets[0], ast.Name):
                break
            between.append(statement)
        raise UnavailableError("the value is changed in place")

    def _removed(self, place_of: _Place, node: Node, text: str) -> tuple[list[Edit], list[ast.Assign]]:
        """Return the edits that remove what the replacement makes superfluous, and the assignments of all parts."""
        scopes, values = self.imports.scopes, self.lowerer.values
        parts = set(without_kept_axes(self.lowerer.graph, node))
        above = place_of.above
        needed: Sequence[ast.stmt] = place_of.between if above is None else above.needed
        if above is not None and above.misread:
            raise UnavailableError(_GONE)

        def is_part(a: ast.Assign) -> bool:
            return values.get(id(a.value)) in parts and (a in needed or is_pure(self.lowerer, a.value))

        kept = [place_of.kept] if place_of.kept else []
        replaced = place_of.replaced
        found = dead_assignments(self.positions, scopes, replaced, text, is_part, needed=needed, kept=kept)
        if not found.keys() >= {*needed, *(s for s in place_of.replaced if isinstance(s, ast.stmt))}:
            if above is None:
                raise UnavailableError("the value is changed in place")
            raise UnavailableError(_GONE)
        return list(found.values()), [a for a in parts_above(scopes, replaced, is_part) if a not in kept]

    def _container(self, site: ast.expr, values: Iterable[Node], template: str) -> str | None:
        """Return how the replacement departs from the original where it is given an object that is no array."""
        if not makes_arrays(template):
            return None
        package = containers(self.imports.scopes, self.positions.text)
        if package is None or all(self._is_array(site, v) for v in values):
            return None
        if "numpy.where(" in template or handles_containers(self.imports.scopes, site):
            raise UnavailableError(f"an object of {package} would become an array")
        return f"an object of {package} would become an array"

    def _other_numbers(self, site: ast.expr, template: str, framework: str) -> str | None:
        numbers = other_numbers(self.imports.scopes, site, framework)
        if numbers == "half precision" and "scipy.special.expit(" not in template:
            return None
        return f"this function names {numbers}, which the replacement treats in another way" if numbers else None

    def _is_array(self, site: ast.expr, node: Node) -> bool:
        if node.op == "const" or is_array(self.imports.scopes, site, self.lowerer.sources.get(node, [])):
            return True
        return bool(node.args) and node.op not in ("index", "attr") and all(self._is_array(site, a) for a in node.args)

    def _after(self, text: str, spelled: Mapping[str, str], above: Above) -> Node:
        """Return the value of a replacement at its site, where it may use names that its imports will bind.

        What moves means what it meant in its old place.
        """
        names = self.lowerer.state.names
        self.lowerer.state.names = names | above.names
        for spelling, dotted in spelled.items():
            bound, *rest = spelling.split(".")
            held = ".".join(dotted.split(".")[: dotted.count(".") + 1 - len(rest)])
            self.lowerer.state.names[bound] = self.lowerer.graph.symbol("name", held)
        tree = ast.parse(text, mode="eval").body
        try:
            return self.lowerer.relower(above.resolved(tree, self.lowerer.state.names))
        finally:
            self.lowerer.state.names = names

    def _commented(self, site: ast.expr) -> str:
        """Return the text of a multi-line site without its strings: a `#` in it begins a comment."""
        text = self.positions.segment(site)
        if "#" not in text or "\n" not in text:
            return ""
        import io
        import tokenize

        tokens = tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline)
        return "#" if any(t.type == tokenize.COMMENT for t in tokens) else ""

    def _exact(self, node: Node, loose: Pattern) -> _Exact | None:
        """Return the spelling that matches shape for shape, its bindings, its sign and the factor left over."""
        patterns = [p for ps in self.matcher.patterns.naive.values() for p in ps if p.kernel is loose.kernel]
        graph = self.lowerer.graph
        for sign, target in ((1.0, node), (-1.0, graph.neg(node))):
            for p in patterns:
                bindings = self.matcher.exact(p, target)
                if bindings is not None:
                    return p, bindings, sign, None
        if node.op == "mul":
            for i, f in enumerate(node.args):
                for p in patterns:
                    if p.root.op == "pow" and f.op == "pow":
                        bindings = self.matcher.exact(p, f)
                        if bindings is not None:
                            return p, bindings, 1.0, graph.mul(*node.args[:i], *node.args[i + 1 :])
        return None

    def _exact_but_for_epsilon(self, node: Node, loose: Pattern) -> _Exact | None:
        """Return the same where the spelling has a 1 and the value a 1 to which a known epsilon was added."""
        graph = self.lowerer.graph
        near = {n: graph.one for n in node.walk() if is_number(n) and 0.0 < abs(n.value - 1.0) <= _EPSILON}
        if not near or "eps" not in getattr(loose.kernel.module, "dropped", ()):
            return None
        exact = self._exact(graph.substitute(node, near), loose)
        if exact is None:
            return None
        pattern, bindings, sign, left = exact
        return pattern, bindings | {"eps": graph.const(next(iter(near)).value - 1.0)}, sign, left

    def _complete(self, site: ast.expr, text: str, sign: float, left: Node | None) -> str:
        """Return the text with its sign or the factor left over."""
        tree = ast.parse(text, mode="eval").body
        if left is not None:
            if not isinstance(site, ast.BinOp) or not isinstance(site.op, ast.Div):
                raise UnavailableError("the expression is more than this pattern")
            factor = self.positions.segment(site.left)
            if self.lowerer.relower(site.left) is not left:
                raise UnavailableError("the expression is more than this pattern")
            if any(n.op == "exp" for n in left.walk()):
                raise UnavailableError("the rest of the expression overflows too")
            level = templates.precedence(site.left)
            factor = factor if level >= 2 else f"({factor})"
            text = f"{factor} * {text if templates.precedence(tree) >= 3 else f'({text})'}"
            tree = ast.parse(text, mode="eval").body
        if sign >= 0.0:
            return text
        if isinstance(tree, ast.UnaryOp):
            return text[1:]
        return f"-{text}" if templates.precedence(tree) >= 2 else f"-({text})"


def replacement(pattern: Pattern, framework: str) -> str | None:
    """Return the template for a spelling: its own, if the kernel has one, else the kernel's."""
    suffix = pattern.spelling.removeprefix("naive").removeprefix("stable")
    tables: list[Mapping[str, str]] = []
    for name, table in vars(pattern.kernel.module).items():
        if name.startswith("replacement_") and suffix.startswith(name.removeprefix("replacement")):
            tables.append(table)
    table = tables[0] if tables else pattern.kernel.replacement
    return table.get(framework)


def _role(pattern: Pattern, name: str) -> str:
    return (
        {"x": "the argument"}.get(name, f"`{name}`")
        if name not in pattern.kernel.args
        else f"the {pattern.kernel.args[name]}"
    )
