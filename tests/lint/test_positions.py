from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_lse.lint.finding import Location
from pytest_lse.lint.positions import Positions

TEXTS = {
    "plain": "a = 1\nb = foo(a)\n",
    "no final newline": "a = 1\nb = foo(a)",
    "tabs": "if 1:\n\ta\t=\t1\n\tb = foo(\ta)\n",
    "non-ascii": 'ä = "€🎲"; b = foo(ä)\nπ = "\u2028"; c = foo(π)\n',
    "form feed": "\x0ca = 1\nif a:\n  \x0c  b = foo(a)\n\x0c\n",
    "vertical tab in a string": 'a = "\x0b\x1c\x85"; b = foo(a)\n',
    "crlf": "a = '''\r\nx'''\r\nb = foo(\r\n    a)\r\n",
    "cr": "a = 1\rb = foo(a)\r",
    "mixed": "a = 1\rb = foo(a)\r\nc = foo(b)\nd = (c,\r\n a)\n\rfoo(d)",
    "continuation": "a = 1 + \\\n    foo(2)\n",
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_segments_are_the_source_of_their_nodes(text):
    positions = Positions(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.expr):
            again = ast.parse(f"({positions.segment(node)})", mode="eval").body
            same = ast.dump(again).replace("Load()", "Store()") == ast.dump(node).replace("Load()", "Store()")
            assert same, positions.segment(node)


def test_columns_are_characters():
    text = 'ä = "€🎲"; b = foo(ä)\n'
    call = ast.parse(text).body[1].value
    assert call.col_offset > 14  # bytes
    assert Positions(text).span(call) == (Location(1, 15), Location(1, 21))


@pytest.mark.parametrize(("text", "rows"), [("", 1), ("a", 1), ("a\n", 2), ("a\r\nb", 2), ("a\r\rb\n\nc", 5)])
def test_rows(text, rows):
    assert len(Positions(text).starts) == rows


@given(st.text(alphabet="a \t\n\r\x0c\x0b\u2028é🎲"))
def test_offsets_and_locations_are_inverse(text):
    positions = Positions(text)
    assert [positions.offset(positions.at(i)) for i in range(len(text) + 1)] == list(range(len(text) + 1))
    assert "".join(positions.line(i + 1) for i in range(len(positions.starts))) == text
