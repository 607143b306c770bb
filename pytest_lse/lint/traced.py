"""The traced patterns as text, so that a check need not import every kernel and trace its formulas.

`patterns.txt` is written by `python -m pytest_lse.lint.prefilter`, and a test compares it. Where the files that it was
made from have changed since, it is not used. Its lines are, after the first one:

- `op value argument argument`: a node, the arguments by their numbers; its own number is that of the line;
- `file code argument,argument`: a kernel or rule that has patterns, after an empty line;
- `file spelling naive root loose whole name=value`: a pattern, after another one;
- `node need need`: the operations that a value must hold to match a node, by their numbers in the line before.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from typing import Any

from pytest_lse.discovery import KernelFile
from pytest_lse.lint.graph import BIT, Graph, Node
from pytest_lse.lint.patterns import Pattern, Patterns, collected

FILE = os.path.join(os.path.dirname(__file__), "patterns.txt")
_PACKAGE = "pytest_lse."


def load() -> Patterns | None:
    """Return the patterns that the file holds, None if it is out of date."""
    from pytest_lse.lint.prefilter import stamp

    try:
        with open(FILE, encoding="ascii") as stream:
            head, _, rest = stream.read().partition("\n")
    except FileNotFoundError:
        return None
    return read(rest) if head == stamp() else None


def read(text: str) -> Patterns:
    """Return the patterns that a text holds."""
    node_lines, kernel_lines, pattern_lines, need_lines = (part.split("\n") for part in text.strip("\n").split("\n\n"))
    graph = Graph()
    nodes: list[Node] = []
    for line in node_lines:
        op, value, *args = line.split(" ")
        # They are canonical already.
        nodes.append(graph._intern(op, tuple(nodes[int(a)] for a in args), None if value == "-" else _value(value)))
    files = []
    for line in kernel_lines:
        path, code, names = line.split(" ")
        files.append(KernelFile(_PACKAGE + path, code=code, signature=tuple(names.split(",")) if names != "-" else ()))
    patterns = []
    for line in pattern_lines:
        number, spelling, naive, root, loose, whole, *fixed = line.split(" ")
        pairs = [pair.partition("=") for pair in fixed]
        patterns.append(
            Pattern(
                files[int(number)],
                spelling,
                naive == "1",
                nodes[int(root)],
                nodes[int(loose)],
                {name: _value(value) for name, _, value in pairs},
                whole == "1",
            )
        )
    bits = [BIT[op] for op in need_lines[0].split(" ")]
    needs = {}
    for line in need_lines[1:]:
        node, *sets = line.split(" ")
        needs[nodes[int(node)]] = tuple(sum(bits[int(i)] for i in s.split(".") if i) for s in sets)
    return collected(graph, patterns, needs)


def write(patterns: Patterns) -> str:
    """Return the text that holds patterns."""
    parts = {n for p in patterns.traced for n in (*p.root.walk(), *p.loose.walk())} | set(patterns.needs)
    nodes = sorted(parts, key=lambda n: n.id)
    number = {node: i for i, node in enumerate(nodes)}
    files = list(dict.fromkeys(p.kernel for p in patterns.traced))
    place = {file: i for i, file in enumerate(files)}
    held = {op for sets in patterns.needs.values() for s in sets for op, bit in BIT.items() if bit & s}
    ops = sorted(held)
    lines: list[Iterable[Any]] = [
        (n.op, "-" if n.value is None and n.op != "const" else repr(n.value), *(number[a] for a in n.args))
        for n in nodes
    ]
    lines += [(), *((f.path.removeprefix(_PACKAGE), f.code, ",".join(f.signature) or "-") for f in files), ()]
    for p in patterns.traced:
        fixed = (f"{name}={value!r}" for name, value in p.fixed.items())
        lines.append((place[p.kernel], p.spelling, int(p.naive), number[p.root], number[p.loose], int(p.whole), *fixed))
    lines += [(), ops]
    for node, sets in sorted(patterns.needs.items(), key=lambda item: number[item[0]]):
        lines.append((number[node], *sorted(".".join(str(i) for i, op in enumerate(ops) if BIT[op] & s) for s in sets)))
    return "".join(f"{' '.join(map(str, line))}\n" for line in lines)


def _value(text: str) -> Any:
    return float(text) if text in ("inf", "-inf", "nan") else ast.literal_eval(text)
