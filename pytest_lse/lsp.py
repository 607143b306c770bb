"""A language server: diagnostics while typing, quick fixes, and the rule's documentation on hover.

Started by `pytest-lse server`, over standard input and output. Needs the extra `lsp` (pygls).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from pytest_lse import __version__
from pytest_lse.discovery import coded
from pytest_lse.lint import neighbours
from pytest_lse.lint.config import ConfigError, Resolver
from pytest_lse.lint.finding import Edit, Finding, Location
from pytest_lse.lint.noqa import UNUSED, add
from pytest_lse.lint.pipeline import find
from pytest_lse.lint.positions import Positions
from pytest_lse.lint.read import UnreadableError, declared_encoding

_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
FIX_ALL = "source.fixAll.pytest-lse"

# Full texts: pygls counts lines as str.splitlines does, which would misplace the changes of a file with form feeds.
server = LanguageServer("pytest-lse", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)


class Checked:
    """The findings of one version of a document.

    Attributes
    ----------
    findings
        In order.
    """

    def __init__(
        self, document: TextDocument, findings: list[Finding], encoding: types.PositionEncodingKind | str
    ) -> None:
        self.version = document.version
        self.uri = document.uri
        self.text = document.source
        self.findings = findings
        self._encoding = encoding
        self._positions = Positions(self.text)

    def position(self, location: Location) -> types.Position:
        """Return a place in the client's units: UTF-16 unless it asked for others."""
        row = min(location.row, len(self._positions.starts))
        before = self._positions.line(row)[: location.column - 1]
        if self._encoding == types.PositionEncodingKind.Utf8:
            column = len(before.encode("utf-8", "surrogatepass"))
        elif self._encoding == types.PositionEncodingKind.Utf32:
            column = len(before)
        else:
            column = len(before.encode("utf-16-le", "surrogatepass")) // 2
        return types.Position(row - 1, column)

    def range(self, item: Finding | Edit) -> types.Range:
        """Return where a finding or an edit stands."""
        return types.Range(self.position(item.location), self.position(item.end_location))

    def whole(self) -> types.Range:
        """Return the range of the whole document."""
        return types.Range(types.Position(0, 0), self.position(self._positions.at(len(self.text))))

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """Return what the editor shows."""
        return types.Diagnostic(
            range=self.range(finding),
            message=finding.message,
            severity=_SEVERITY[finding.severity],
            code=finding.code,
            source="pytest-lse",
            tags=[types.DiagnosticTag.Unnecessary] if finding.code == UNUSED else None,
        )


def check(ls: LanguageServer, uri: str) -> Checked:
    """Check a document as it is in the editor."""
    document = ls.workspace.get_text_document(uri)
    path = to_fs_path(uri) or "untitled.py"
    text = document.source
    findings: list[Finding] = []
    if not path.endswith(".ipynb"):
        settings = Resolver().settings(os.path.dirname(os.path.abspath(path)))
        neighbours.forget()  # other files may have been saved since
        findings, _ = find(_encoded(text), path, settings, named=True)
    return Checked(document, findings, ls.workspace.position_encoding or types.PositionEncodingKind.Utf16)


def _encoded(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    try:
        return text.encode(declared_encoding(data))
    except (UnreadableError, UnicodeEncodeError):
        return data


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
def publish(
    ls: LanguageServer,
    params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams | types.DidSaveTextDocumentParams,
) -> None:
    """Show the findings of a document."""
    uri = params.text_document.uri
    try:
        checked = check(ls, uri)
    except ConfigError as error:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"pytest-lse: {error}"))
        return
    ls.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(uri, [checked.diagnostic(f) for f in checked.findings], checked.version)
    )


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
def close(ls: LanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the findings of a document."""
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL]),
)
def actions(ls: LanguageServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Offer the fix of each finding in a range, a comment that suppresses it, and all safe fixes together."""
    try:
        checked = check(ls, params.text_document.uri)
    except ConfigError:
        return []
    only = params.context.only
    offered = []
    if only is None or types.CodeActionKind.QuickFix in only:
        for finding in checked.findings:
            if _touch(checked.range(finding), params.range):
                offered += list(_quick_fixes(checked, finding))
    if only is None or any(kind == FIX_ALL or FIX_ALL.startswith(f"{kind}.") for kind in only):
        safe = [f for f in checked.findings if f.fix and f.fix.applicability == "safe"]
        if safe and (text := _all_fixed(checked.text, safe)) is not None:
            edit = types.TextEdit(checked.whole(), text)
            offered.append(_action("Fix all safe pytest-lse findings", FIX_ALL, checked, [edit]))
    return offered


def _quick_fixes(checked: Checked, finding: Finding) -> Iterator[types.CodeAction]:
    diagnostics = [checked.diagnostic(finding)]
    if finding.fix:
        safe = finding.fix.applicability == "safe"
        title = finding.fix.message if safe else f"{finding.fix.message} (unsafe)"
        edits = [types.TextEdit(checked.range(e), e.content) for e in finding.fix.edits]
        action = _action(f"{finding.code}: {title}", types.CodeActionKind.QuickFix, checked, edits)
        action.diagnostics, action.is_preferred = diagnostics, safe
        yield action
    if finding.code not in {"LSE000", UNUSED}:
        text, count = add(checked.text, [finding])
        if count:
            edit = types.TextEdit(checked.whole(), text)
            action = _action(f"{finding.code}: suppress on this line", types.CodeActionKind.QuickFix, checked, [edit])
            action.diagnostics = diagnostics
            yield action


def _all_fixed(text: str, findings: list[Finding]) -> str | None:
    from pytest_lse.lint.changes import apply_safe

    fixed = apply_safe(text, findings)
    return None if fixed == text else fixed


def _action(
    title: str, kind: types.CodeActionKind | str, checked: Checked, edits: list[types.TextEdit]
) -> types.CodeAction:
    versioned = types.OptionalVersionedTextDocumentIdentifier(checked.uri, checked.version)
    change = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(versioned, list(edits))])
    return types.CodeAction(title, kind=kind, edit=change)


def _touch(a: types.Range, b: types.Range) -> bool:
    return _point(a.start) <= _point(b.end) and _point(b.start) <= _point(a.end)


def _point(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(ls: LanguageServer, params: types.HoverParams) -> types.Hover | None:
    """Show the documentation of the rule whose finding the pointer is on."""
    from pytest_lse.cli.rule import markdown

    try:
        checked = check(ls, params.text_document.uri)
    except ConfigError:
        return None
    here = types.Range(params.position, params.position)
    for finding in checked.findings:
        if _touch(checked.range(finding), here):
            # Two names may share a code.
            files = [f for f in coded() if f.code == finding.code]
            files.sort(key=lambda f: f.title != finding.name)
            if files:
                content = types.MarkupContent(types.MarkupKind.Markdown, markdown(files[0]))
                return types.Hover(content, checked.range(finding))
    return None


def main() -> None:
    """Serve over standard input and output until the client ends the session."""
    server.start_io()
