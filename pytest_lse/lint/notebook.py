"""Notebooks: the code cells of the JSON, with IPython's own syntax made harmless, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pytest_lse.lint.read import Source, UnreadableError

TYPE_CHECKING = False  # importing typing for it would cost every start
if TYPE_CHECKING:
    from typing import Any

#: cell magics whose body is Python of this notebook; after any other one the cell is another language
_PYTHON_MAGICS = frozenset({"capture", "prun", "time", "timeit", "pypy", "python", "python3", "debug", "ipytest"})
_MAGIC = re.compile(
    r"(?P<indent>[ \t]*)"
    r"(?:%{1,2}[A-Za-z_]|!"  # %magic, %%magic, !command
    r"|[A-Za-z_][\w., \t\[\]'\"]*=[ \t]*(?:%[A-Za-z_]|!)"  # names = %magic, names = !command
    r"|(?:%{0,2}[\w.*]+\?{1,2}|\?{1,2}%{0,2}[\w.*]*)[ \t]*(?:\#.*)?$)"  # name?, ?name
)
#: what decides whether a line begins a statement: strings, comments, brackets, joined lines
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)|' + r"\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\Z)|"
    r'"(?:\\.|[^"\\\r\n])*"?|' + r"'(?:\\.|[^'\\\r\n])*'?|"
    r"#[^\r\n]*|\\(?:\r\n|\r|\n)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\r\n|\r|\n)|[^\"'#()\[\]{}\\\r\n]+|.",
    re.DOTALL,
)
#: a line inside a JSON string: escapes in pairs, up to an escaped line feed
_RAW_LINE = re.compile(r"(?:[^\\]|\\[^n])*?\\n|(?:[^\\]|\\[^n])+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def read_notebook(data: bytes) -> Source:
    """Return the Python cells of a notebook, magics replaced by `pass`.

    Raises
    ------
    UnreadableError
        The bytes are not UTF-8 JSON with a list of cells.
    """
    cells = _code_cells(_parse(data))
    return Source([neutralise(text)[0] for _, text in cells], [number for number, _ in cells])


def neutralise(text: str) -> tuple[str, list[str]]:
    """Replace the lines of a cell that only IPython understands by `pass`, each line by one line.

    Returns
    -------
    tuple of str and list of str
        The Python text and the lines that were replaced, for `restore`.
    """
    kept: list[str] = []
    if not re.search(r"[%!?]", text):
        return text, kept
    out = []
    start = 0
    while start < len(text):
        line = _line(text, start)
        body = line.rstrip("\r\n")
        if not (magic := _MAGIC.match(body)):
            end = _statement_end(text, start)
            out.append(text[start:end])
            start = end
            continue
        out.append(f"{magic['indent']}pass  # IPython {len(kept)}{line[len(body) :]}")
        kept.append(body)
        start += len(line)
        while body.endswith("\\") and start < len(text):
            line = _line(text, start)
            body = line.rstrip("\r\n")
            out.append(f"# IPython {len(kept)}{line[len(body) :]}")
            kept.append(body)
            start += len(line)
    return "".join(out), kept


def restore(text: str, kept: Sequence[str]) -> str:
    """Put the lines that `neutralise` replaced back."""
    return re.sub(r"(?m)^[ \t]*(?:pass  )?# IPython (\d+)(?=\r?$)", lambda match: kept[int(match[1])], text)


def replace_cells(data: bytes, texts: Mapping[int, str]) -> bytes:
    """Return the notebook with the text of some cells changed and every other byte as it was.

    Parameters
    ----------
    data
        The notebook.
    texts
        New text by the cell's number among all cells, 1-based, as `read_notebook` gave it (magics are put back).
    """
    text = data.decode("utf-8")
    document = _parse(data)
    cells = _members(text, _value_of(text, _skip(text, 0), "cells"))
    old = dict(_code_cells(document))
    parts, done = [], 0
    for number in sorted(texts):
        kept = neutralise(old[number])[1]
        start, end = _value_of(text, cells[number - 1], "source")
        parts += [text[done:start], _spell(restore(texts[number], kept), text[start:end])]
        done = end
    return "".join([*parts, text[done:]]).encode("utf-8")


def _parse(data: bytes) -> Any:
    try:
        document = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not valid UTF-8: byte 0x{data[error.start]:02x}") from None
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not a notebook: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise UnreadableError("not a notebook: the JSON is nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        if isinstance(document, dict) and "worksheets" in document:
            raise UnreadableError("a notebook of format 3: convert it with `jupyter nbconvert --to notebook`")
        raise UnreadableError("not a notebook: there is no list of cells")
    return document


def _code_cells(document: Any) -> list[tuple[int, str]]:
    language = _language(document)
    cells = []
    for number, cell in enumerate(document["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or language != "python":
            continue
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise UnreadableError("not a notebook: the source of a cell is not text", cell=number)
        magic = re.match(r"\s*%%(\w+)", source)
        if magic and magic[1] not in _PYTHON_MAGICS:
            continue
        cells.append((number, source))
    return cells


def _language(document: Any) -> str:
    metadata = document.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else "python"


def _line(text: str, start: int) -> str:
    match = _LINE.match(text, start)
    assert match is not None
    return match[0]


def _statement_end(text: str, start: int) -> int:
    """Return where the logical line that begins at `start` ends, its line end included."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(0, depth - 1)
        elif token["end"] and not depth:
            return token.end()
    return len(text)


def _skip(text: str, index: int) -> int:
    while index < len(text) and text[index] in " \t\r\n":
        index += 1
    return index


def _members(text: str, span: tuple[int, int]) -> list[int]:
    """Return where each element of the JSON list in a span begins."""
    decoder = json.JSONDecoder()
    starts = []
    index = _skip(text, span[0] + 1)
    while text[index] != "]":
        starts.append(index)
        _, end = decoder.raw_decode(text, index)
        index = _skip(text, end)
        if text[index] == ",":
            index = _skip(text, index + 1)
    return starts


def _value_of(text: str, index: int, wanted: str) -> tuple[int, int]:
    """Return the span of a key's value in the JSON object that begins at an index."""
    decoder = json.JSONDecoder()
    index = _skip(text, index + 1)
    span = (index, index)
    while text[index] != "}":
        key, end = decoder.raw_decode(text, index)
        start = _skip(text, _skip(text, end) + 1)
        _, end = decoder.raw_decode(text, start)
        if key == wanted:
            span = (start, end)  # of equal keys the last one counts, as in json.loads
        index = _skip(text, end)
        if text[index] == ",":
            index = _skip(text, index + 1)
    return span


def _spell(source: str, old: str) -> str:
    """Spell a cell's source in JSON as the old value was: one string or a list of lines, what is the same as it was."""
    new = re.findall(r"[^\n]*\n|[^\n]+", source)
    if not old.startswith("["):
        raw = [f'"{text}"' for text in _RAW_LINE.findall(old[1:-1])]
        return '"' + "".join(text[1:-1] for text in _spelled(new, raw)) + '"'
    decoder = json.JSONDecoder()
    raw = [old[start : decoder.raw_decode(old, start)[1]] for start in _members(old, (0, len(old)))]
    inner = re.match(r"\[(\s*)", old)
    closing = re.search(r"(\s*)\]$", old)
    assert inner is not None
    assert closing is not None
    return "[" + inner[1] + ("," + (inner[1] or " ")).join(_spelled(new, raw)) + closing[1] + "]"


def _spelled(new: Sequence[str], raw: Sequence[str]) -> list[str]:
    """Spell lines in JSON; those that were there before keep their spelling, escapes and all."""
    from difflib import SequenceMatcher

    old = [json.loads(text) for text in raw]
    ascii_only = all(map(str.isascii, raw))
    out: list[str] = []
    for what, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            out += raw[start:end]
        else:
            out += (json.dumps(line, ensure_ascii=ascii_only) for line in new[new_start:new_end])
    return out
