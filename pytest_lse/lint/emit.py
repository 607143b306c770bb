"""From a match to its fix: the replacement's text, the imports it needs, and whether it is safe."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping

from pytest_lse.lint import template as templates
from pytest_lse.lint.dead import dead_assignments
from pytest_lse.lint.finding import Edit, Fix
from pytest_lse.lint.graph import Node
from pytest_lse.lint.imports import Imports
from pytest_lse.lint.lower import Lowerer
from pytest_lse.lint.lower.expressions import Site
from pytest_lse.lint.match import Bindings, Matcher
from pytest_lse.lint.patterns import Pattern
from pytest_lse.lint.placing import place
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.template import UnavailableError
from pytest_lse.lint.texts import Texts

#: functions that do not take None for all axes: PyTorch's need a dim, TensorFlow's read it as the last axis
_WITH_AXIS = (
    "torch.",
    "tensorflow.nn.",
    "paddle.nn.",
    "mxnet.nd.",
    "chainer.functions.softmax",
    "chainer.functions.log_softmax",
)


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

    def fix(self, site: Site, node: Node, pattern: Pattern, framework: str | None) -> tuple[Fix | None, str | None]:
        """Return the fix, or the reason why there is none."""
        try:
            return self._fix(site, node, pattern, framework), None
        except UnavailableError as error:
            return None, str(error)

    def _fix(self, site: Site, node: Node, loose: Pattern, framework: str | None) -> Fix:
        if not isinstance(site, ast.expr):
            raise UnavailableError("the value is changed in place")
        if framework is None:
            raise UnavailableError("the framework of the value is not known")
        if "#" in self._commented(site):
            raise UnavailableError("a comment stands inside the expression")
        exact = self._exact(node, loose)
        if exact is None:
            raise UnavailableError(
                "the expression is more than this pattern: its shapes, weights or remaining terms have no place in the "
                "replacement"
            )
        pattern = exact[0]
        template = replacement(pattern, framework)
        if template is None:
            raise UnavailableError(f"no replacement is known for {framework}")
        fix = self._filled(site, node, exact, framework, template)
        other = getattr(pattern.kernel.module, "without_scipy", {}).get(pattern.spelling)
        if other is None or "scipy." not in template:
            return fix
        try:
            return dataclasses.replace(fix, without_scipy=self._filled(site, node, exact, framework, other))
        except UnavailableError:
            return fix

    def _filled(self, site: ast.expr, node: Node, exact: _Exact, framework: str, template: str) -> Fix:
        """Return the fix that puts the template in place of the site."""
        pattern, bindings, sign, left = exact
        used = templates.placeholders(template)
        values = {n: self.lowerer.graph.const(v) for n, v in pattern.fixed.items()} | bindings
        for name, bound in bindings.items():
            if (
                name not in used
                and name not in getattr(pattern.kernel.module, "dropped", ())
                and not (name in pattern.kernel.params and bound.value in (None, False))
            ):
                raise UnavailableError(f"the replacement has no place for {name}")
        with_axis = template.startswith(_WITH_AXIS) or framework in getattr(pattern.kernel.module, "needs_axis", ())
        if "axis" in used and with_axis and _is_no_axis(values.get("axis")):
            raise UnavailableError(f"{framework} needs a known {'dim' if framework == 'torch' else 'axis'}")
        texts = Texts(self.lowerer, self.positions, site)
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
            spelling = self.imports.spell(dotted, site)
            if spelling is None:
                raise UnavailableError(f"{dotted} cannot be imported here")
            edits.extend(spelling.edits)
            spelled[spelling.text] = dotted
            return spelling.text

        text = templates.fill(template, values, text_of, spell)
        text = self._complete(site, text, sign, left)
        scopes = self.imports.scopes
        parts = set(node.walk())
        dead = dead_assignments(self.positions, scopes, site, text, lambda e: self.lowerer.relower(e) in parts)
        spellings = getattr(pattern.kernel.module, "unsafe_spellings", {})
        unsafe = pattern.kernel.unsafe.get(framework) or spellings.get(pattern.spelling)
        return Fix(
            "unsafe" if unsafe else "safe",
            f"Replace with `{' '.join(text.split())}`" + (f" ({unsafe})" if unsafe else ""),
            (*dict.fromkeys(edits), *dead, place(self.positions, scopes, site, text)),
            (node, self._after(text, spelled)),
            departs=bool(unsafe),
        )

    def _after(self, text: str, spelled: Mapping[str, str]) -> Node:
        """Return the value of a replacement at its site, where it may use names that its imports will bind."""
        names = self.lowerer.state.names
        self.lowerer.state.names = dict(names)
        for spelling, dotted in spelled.items():
            bound, *rest = spelling.split(".")
            held = ".".join(dotted.split(".")[: dotted.count(".") + 1 - len(rest)])
            self.lowerer.state.names[bound] = self.lowerer.graph.symbol("name", held)
        try:
            return self.lowerer.relower(ast.parse(text, mode="eval").body)
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


def _is_no_axis(node: Node | None) -> bool:
    return node is not None and node.op == "const" and not isinstance(node.value, float | tuple)


def _role(pattern: Pattern, name: str) -> str:
    return (
        {"x": "the argument"}.get(name, f"`{name}`")
        if name not in pattern.kernel.args
        else f"the {pattern.kernel.args[name]}"
    )
