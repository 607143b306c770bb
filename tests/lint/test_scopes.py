from __future__ import annotations

import ast
import symtable
import textwrap

import pytest

from pytest_lse.lint.scopes import Scopes

PROGRAM = textwrap.dedent("""
    import a.b, c as d
    from e import f as g, h
    x: int = (y := 1)
    for i, (j, *k) in x: pass
    with x as w: pass
    try: pass
    except E as err: pass
    match x:
        case {"a": m1, **m2}: pass
        case [m3, *m4] as m5: pass
    del x
    @dec
    def fun(p, /, q: ann = dflt, *r, s=dflt, **t) -> ret:
        global gl
        gl = 1
        loc = [u for u in p if (walrus := u)]
        def inner():
            nonlocal loc
            loc += gl
            return lambda z=loc: z + q + x
    class C(base, metaclass=meta):
        attr = 1
        comp = {attr for attr in attr}
        def method(self): return attr, __class__
    async def co(v):
        async for n in v: yield n
""")


def tables(table):
    yield table
    for child in table.get_children():
        yield from tables(child)


def test_bindings_are_those_of_the_compiler():
    scopes = Scopes(ast.parse(PROGRAM))
    ours = {
        getattr(scope, "name", type(scope).__name__).lower(): {name for name, nodes in bound.items() if nodes}
        for scope, bound in scopes.bound.items()
    }
    compilers = {}
    for table in tables(symtable.symtable(PROGRAM, "<p>", "exec")):
        module = table.get_type() == "module"
        compilers["module" if module else table.get_name().lower()] = {
            symbol.get_name()
            for symbol in table.get_symbols()
            if (symbol.is_assigned() or symbol.is_parameter() or symbol.is_imported() or symbol.is_namespace())
            and not symbol.get_name().startswith((".", "__"))
            and (module or not (symbol.is_free() or symbol.is_declared_global()))
        }
    if "listcomp" not in compilers:  # newer compilers inline comprehensions
        ours["fun"] |= ours.pop("listcomp")
        ours["c"] |= ours.pop("setcomp")
    compilers["module"] |= {"gl"}  # the compiler leaves it with the function that declares it
    assert {k: v for k, v in ours.items() if v} == {k: v for k, v in compilers.items() if v}


def owner(source, marker="HERE"):
    scopes = Scopes(ast.parse(textwrap.dedent(source)))
    (node,) = scopes.reads[marker]
    found = scopes.owner("x", node)
    return getattr(found, "name", type(found).__name__)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("HERE", "NoneType"),
        ("x = 1\nHERE", "Module"),
        ("def f(x): HERE", "f"),
        ("x = 1\ndef f(x=HERE): pass", "Module"),
        ("x = 1\ndef f(x: HERE): pass", "Module"),
        ("x = 1\n@HERE\ndef f(x): pass", "Module"),
        ("x = 1\ndef f(x):\n  def g(): HERE", "f"),
        ("x = 1\nclass C:\n  x = 1\n  HERE", "C"),
        ("x = 1\nclass C:\n  x = 1\n  def f(self): HERE", "Module"),
        ("x = 1\nclass C(HERE):\n  x = 1", "Module"),
        ("class C:\n  x = 1\n  y = [HERE for i in z]", "NoneType"),
        ("class C:\n  x = 1\n  y = [i for i in HERE]", "C"),
        ("[HERE for x in z]", "ListComp"),
        ("[x for x in HERE]", "NoneType"),
        ("[x for x in z for y in HERE]", "ListComp"),
        ("def f():\n  global x\n  x = 1\n  HERE", "Module"),
        ("def f():\n  global x\n  HERE", "NoneType"),
        ("def f(x):\n  def g():\n    nonlocal x\n    x = 1\n    HERE", "f"),
        ("def f():\n  [(x := i) for i in z]\n  HERE", "f"),
        ("lambda x: HERE", "Lambda"),
        ("lambda x=HERE: 1", "NoneType"),
    ],
)
def test_owner(source, expected):
    assert owner(source) == expected


@pytest.mark.parametrize(
    ("source", "late"),
    [
        ("HERE", False),
        ("class C: HERE", False),
        ("[HERE for i in z]", False),
        ("def f(x=HERE): pass", False),
        ("def f(): HERE", True),
        ("lambda: [HERE for i in z]", True),
        ("def f():\n  class C: HERE", True),
    ],
)
def test_runs_late(source, late):
    scopes = Scopes(ast.parse(source))
    assert scopes.runs_late(scopes.reads["HERE"][0]) is late


def test_augmented_assignment_reads():
    assert len(Scopes(ast.parse("x += 1")).reads["x"]) == 1


def test_ancestors_end_at_the_module():
    scopes = Scopes(ast.parse("def f(): HERE"))
    assert [type(n).__name__ for n in scopes.ancestors(scopes.reads["HERE"][0])] == ["Expr", "FunctionDef", "Module"]
