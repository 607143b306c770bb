"""A real client over standard input and output."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("pygls")

from lsprotocol import types
from pygls.lsp.client import LanguageClient

SAFE = "import jax.numpy as jnp\n\n\ndef f(x):\n    return '𝄞', jnp.log(jnp.sum(jnp.exp(x), axis=1))\n"
UNSAFE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


class Editor:
    """An editor with open documents."""

    def __init__(self, client: LanguageClient, root) -> None:
        self.client = client
        self.root = root
        self.published: asyncio.Queue = asyncio.Queue()
        self.messages: asyncio.Queue = asyncio.Queue()
        self.texts: dict[str, str] = {}

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    async def diagnostics(self) -> list[types.Diagnostic]:
        return list((await asyncio.wait_for(self.published.get(), 20)).diagnostics)

    async def open(self, name: str, text: str) -> list[types.Diagnostic]:
        self.texts[name] = text
        document = types.TextDocumentItem(self.uri(name), "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        return await self.diagnostics()

    async def change(self, name: str, text: str, version: int) -> list[types.Diagnostic]:
        self.texts[name] = text
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, self.uri(name)),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return await self.diagnostics()

    async def actions(self, name: str, where: types.Range, only=None) -> list[types.CodeAction]:
        context = types.CodeActionContext([], only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(self.uri(name)), where, context)
        return list(await self.client.text_document_code_action_async(params))

    def applied(self, name: str, action: types.CodeAction) -> str:
        """Return a document with an action's edits, counted in UTF-16 units as the protocol says."""
        [change] = action.edit.document_changes
        assert change.text_document.uri == self.uri(name)
        units = self.texts[name].encode("utf-16-le")
        starts = [0]
        for line in self.texts[name].split("\n"):
            starts.append(starts[-1] + len((line + "\n").encode("utf-16-le")))
        for edit in sorted(change.edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            start = starts[edit.range.start.line] + 2 * edit.range.start.character
            end = starts[edit.range.end.line] + 2 * edit.range.end.character
            units = units[:start] + edit.new_text.encode("utf-16-le") + units[end:]
        return units.decode("utf-16-le")


@asynccontextmanager
async def editing(root, **general):
    client = LanguageClient("test", "1")
    editor = Editor(client, root)
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: editor.published.put_nowait(params))
    client.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: editor.messages.put_nowait(params))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    await client.start_io(sys.executable, "-m", "pytest_lse", "server", "--stdio", env=environment)
    capabilities = types.ClientCapabilities(general=types.GeneralClientCapabilities(**general))
    result = await client.initialize_async(
        types.InitializeParams(capabilities, process_id=os.getpid(), root_uri=root.as_uri())
    )
    assert result.server_info.name == "pytest-lse"
    client.initialized(types.InitializedParams())
    try:
        yield editor
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()


def everywhere(text: str) -> types.Range:
    return types.Range(types.Position(0, 0), types.Position(text.count("\n"), 0))


def test_a_session(tmp_path):
    async def session():
        async with editing(tmp_path) as editor:
            [found] = await editor.open("a.py", SAFE)
            assert found.code == "LSE001"
            assert found.source == "pytest-lse"
            assert found.severity == types.DiagnosticSeverity.Error
            # the clef takes two UTF-16 units
            assert (found.range.start, found.range.end) == (types.Position(4, 17), types.Position(4, 53))

            actions = await editor.actions("a.py", found.range)
            titles = [a.title for a in actions]
            assert titles[0].startswith("LSE001: Replace with")
            assert titles[1:] == ["LSE001: suppress on this line", "Fix all safe pytest-lse findings"]
            assert actions[0].is_preferred
            fixed = editor.applied("a.py", actions[0])
            assert "logsumexp(x, axis=1)\n" in fixed
            assert editor.applied("a.py", actions[2]) == fixed
            assert editor.applied("a.py", actions[1]) == SAFE[:-1] + "  # noqa: LSE001\n"

            hover = await editor.client.text_document_hover_async(
                types.HoverParams(types.TextDocumentIdentifier(editor.uri("a.py")), types.Position(4, 20))
            )
            assert hover.contents.kind == types.MarkupKind.Markdown
            assert hover.contents.value.startswith("# logsumexp (LSE001)")
            nothing = types.HoverParams(types.TextDocumentIdentifier(editor.uri("a.py")), types.Position(0, 0))
            assert await editor.client.text_document_hover_async(nothing) is None
            assert (
                await editor.actions("a.py", types.Range(types.Position(0, 0), types.Position(0, 1)), ["quickfix"])
                == []
            )
            assert [a.kind for a in await editor.actions("a.py", everywhere(SAFE), ["source.fixAll"])] == [
                "source.fixAll.pytest-lse"
            ]

            assert await editor.change("a.py", fixed, 2) == []
            assert await editor.actions("a.py", everywhere(fixed)) == []
            [found] = await editor.change("a.py", "x = 1  # noqa: LSE001\n", 3)
            assert (found.code, *found.tags) == ("LSE100", types.DiagnosticTag.Unnecessary)
            actions = await editor.actions("a.py", found.range)
            assert [editor.applied("a.py", a) for a in actions] == ["x = 1\n", "x = 1\n"]
            [found] = await editor.change("a.py", "\f\nx = (\n", 4)
            assert (found.code, found.range.start.line) == ("LSE000", 1)
            assert await editor.change("a.py", "# coding: latin-1\nx = '€'\n", 5) == []

            # two rules with one code
            text = "import numpy as np\nf = lambda x: np.log(1 - np.exp(x))\n"
            text += "g = lambda a, b: np.log(np.exp(a) - np.exp(b))\n"
            assert [found.code for found in await editor.change("a.py", text, 6)] == ["LSE015", "LSE015"]
            for row, title in ((1, "log1mexp"), (2, "logsubexp")):
                at = types.HoverParams(types.TextDocumentIdentifier(editor.uri("a.py")), types.Position(row, 25))
                hover = await editor.client.text_document_hover_async(at)
                assert hover.contents.value.startswith(f"# {title} (LSE015)")

    asyncio.run(session())


def test_unsafe_fixes_say_so_and_files_may_change_on_disk(tmp_path):
    async def session():
        async with editing(tmp_path) as editor:
            [found] = await editor.open("a.py", UNSAFE)
            first = (await editor.actions("a.py", found.range))[0]
            assert first.title.endswith("(unsafe)")
            assert not first.is_preferred
            assert await editor.actions("a.py", found.range, ["source.fixAll"]) == []
            (tmp_path / "requirements.txt").write_text("scipy\n")
            (tmp_path / "pyproject.toml").write_text("[tool.pytest-lse]\nignore = ['LSE001']\n")
            document = types.TextDocumentIdentifier(editor.uri("a.py"))
            editor.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
            assert await editor.diagnostics() == []
            (tmp_path / "pyproject.toml").write_text("[tool.pytest-lse]\nignor = ['LSE001']\n")
            editor.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
            message = await asyncio.wait_for(editor.messages.get(), 20)
            assert "did you mean ignore?" in message.message
            assert await editor.actions("a.py", everywhere(UNSAFE)) == []
            params = types.HoverParams(document, types.Position(4, 12))
            assert await editor.client.text_document_hover_async(params) is None
            editor.client.text_document_did_close(types.DidCloseTextDocumentParams(document))
            assert await editor.diagnostics() == []

    asyncio.run(session())


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 19), ("utf-32", 16), ("utf-16", 17)])
def test_columns_are_counted_as_the_client_wishes(tmp_path, encoding, column):
    async def session():
        async with editing(tmp_path, position_encodings=[types.PositionEncodingKind(encoding)]) as editor:
            [found] = await editor.open("a.py", SAFE)
            assert found.range.start == types.Position(4, column)

    asyncio.run(session())


def test_notebooks_and_unnamed_documents(tmp_path):
    async def session():
        async with editing(tmp_path) as editor:
            assert await editor.open("a.ipynb", "{") == []
            document = types.TextDocumentItem("untitled:Untitled-1", "python", 1, UNSAFE)
            editor.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
            assert [d.code for d in await editor.diagnostics()] == ["LSE001"]

    asyncio.run(session())


def test_without_pygls_there_is_one_line(lse, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.delitem(sys.modules, "pytest_lse.lsp", raising=False)
    for name in [n for n in sys.modules if n.startswith("pygls.")]:
        monkeypatch.delitem(sys.modules, name)
    done = lse("server")
    assert done.status == 2
    assert done.err == "pytest-lse: error: the language server needs pygls: pip install 'pytest-lse[lsp]'\n"
