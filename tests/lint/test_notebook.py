import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from pytest_lse.lint.notebook import neutralise, read_notebook, replace_cells, restore
from pytest_lse.lint.read import UnreadableError


def notebook(*cells, **metadata) -> bytes:
    return nbformat.writes(new_notebook(cells=list(cells), metadata=metadata)).encode()


def test_code_cells_keep_their_number_among_all_cells():
    data = notebook(new_markdown_cell("# hi"), new_code_cell("x = 1"), new_raw_cell("?"), new_code_cell("y = 2\nz"))
    source = read_notebook(data)
    assert source.numbers == [2, 4]
    assert source.cells == ["x = 1", "y = 2\nz"]
    assert source.cell(4) == "y = 2\nz"


@pytest.mark.parametrize("magic", ["%%bash\nls", "%%html\n<b>", "\n%%writefile a.py\nx = 1", "%%javascript\n1"])
def test_cells_in_other_languages_are_left_out(magic):
    assert read_notebook(notebook(new_code_cell(magic), new_code_cell("x"))).numbers == [2]


def test_notebooks_in_other_languages_are_left_out():
    assert read_notebook(notebook(new_code_cell("x"), language_info={"name": "R"})).numbers == []
    assert read_notebook(notebook(new_code_cell("x"), language_info={"name": "python"})).numbers == [1]


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "%%time",
        "!pip install x",
        "!ls *.py | head",
        "    %timeit f(x)",
        "files = !ls",
        "a, b = %magic",
        "out['k'] = !ls",
        "f?",
        "np.log??",
        "?f",
        "?",
        "??np.log",
        "%timeit?",
        "x.y?  # what",
    ],
)
def test_magics_become_pass_of_the_same_indentation(line):
    text, kept = neutralise(f"{line}\ny = 1\n")
    assert kept == [line]
    indent = len(line) - len(line.lstrip())
    assert text.split("\n")[0].startswith(" " * indent + "pass")
    assert text.split("\n")[1:] == ["y = 1", ""]
    assert restore(text, kept) == f"{line}\ny = 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "x = (a\n %b)",
        "s = '''\n%matplotlib\n'''",
        's = """\n!ls\n"""\n',
        "x = a \\\n%b",
        "x = a % b",
        "x != y",
        "d = {\n'a': '?',\n}",
        "# what?\nx",
        "print('a?')",
        "f(\n  '(',  # ( \n  %b)",
        "x = 'it\\'s' % y",
    ],
)
def test_python_stays_as_it_is(text):
    assert neutralise(text) == (text, [])


def test_a_magic_may_continue_on_the_next_lines():
    text = "!ls \\\n  -l \\\n  -a\r\nx = 1"
    neutral, kept = neutralise(text)
    assert kept == ["!ls \\", "  -l \\", "  -a"]
    compile(neutral, "cell", "exec")
    assert restore(neutral, kept) == text


def test_a_magic_after_brackets_that_are_closed():
    neutral, kept = neutralise("x = f((1,\n  [2]))  # (\n%pwd\ny = ')'\n!ls")
    compile(neutral, "cell", "exec")
    assert kept == ["%pwd", "!ls"]


def test_a_magic_inside_a_block():
    neutral, kept = neutralise("for x in y:\n    !echo {x}\nelse:\n    %pwd")
    compile(neutral, "cell", "exec")
    assert kept == ["    !echo {x}", "    %pwd"]


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_changed_cell_leaves_every_other_byte(indent, as_list, ascii_only):
    def source(text):
        return text.splitlines(keepends=True) if as_list else text

    cells = [
        {"cell_type": "markdown", "source": source("# é"), "metadata": {}},
        {"cell_type": "code", "outputs": [{"text": "é"}], "source": source("%pwd\nx = 'é'\ny"), "z": 1.50},
        {"cell_type": "code", "source": source("a = 1"), "outputs": []},
        {"cell_type": "code", "source": source(""), "outputs": []},
    ]
    document = {"nbformat": 4, "cells": cells, "metadata": {"b": 1, "a": [1e5]}}
    before = json.dumps(document, indent=indent, ensure_ascii=ascii_only) + "\n"
    text = read_notebook(before.encode()).cell(2)
    assert text.endswith("\nx = 'é'\ny")
    after = replace_cells(before.encode(), {2: "import z\n" + text + "2"}).decode()
    cells[1]["source"] = source("import z\n%pwd\nx = 'é'\ny2")
    assert after == json.dumps(document, indent=indent, ensure_ascii=ascii_only) + "\n"


def test_a_changed_notebook_is_still_valid():
    data = notebook(new_code_cell("x = 1\ny = 2"), new_code_cell(""))
    changed = nbformat.reads(replace_cells(data, {1: "z = 3\n"}).decode(), 4)
    nbformat.validate(changed)
    assert [cell.source for cell in changed.cells] == ["z = 3\n", ""]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not a notebook: Expecting property name"),
        (b"\xff", "not valid UTF-8: byte 0xff"),
        (b"[]", "there is no list of cells"),
        (b'{"cells": 1}', "there is no list of cells"),
        (b'{"worksheets": []}', "format 3"),
        (b'{"cells": [{"cell_type": "code", "source": 1}]}', "the source of a cell is not text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"", "not a notebook"),
    ],
)
def test_what_is_no_notebook_says_why(data, reason):
    with pytest.raises(UnreadableError) as caught:
        read_notebook(data)
    assert reason in caught.value.reason


def test_odd_cells_do_not_matter():
    data = json.dumps({"cells": [1, {"cell_type": "code"}, {"cell_type": "code", "source": "x"}], "metadata": 1})
    source = read_notebook(data.encode())
    assert source.numbers == [2, 3]
    assert replace_cells(data.encode(), {3: "y"}) == data.replace('"x"', '"y"').encode()
