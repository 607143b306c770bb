"""One HTML file of a document: no script, no network, readable in light and dark.

All text in it comes from the outside - source code, file names, messages - and is escaped. The content security policy
allows the page's own style sheet and nothing else, so that even text that slipped through could run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from pytest_lse.lint.escape import escape_char
from pytest_lse.report.picture import STYLE, picture

_STYLE = (
    STYLE
    + """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
p { margin: .4rem 0; } a { color: var(--s0); }
.faint-text { color: var(--faint); }
.empty { border: 1px dashed var(--line); border-radius: 8px; padding: 1.5rem; text-align: center; color: var(--faint); }
.card { border: 1px solid var(--line); border-radius: 8px; margin: .75rem 0; padding: .25rem 1rem; }
.card > summary { cursor: pointer; padding: .5rem 0; overflow-wrap: anywhere; }
.card > summary > strong { font-weight: 600; }
.badge { border-radius: 4px; padding: .1rem .45rem; font-size: .8rem; font-weight: 600; margin-right: .5rem;
  border: 1px solid currentColor; }
.failed, .error { color: var(--bad); } .passed { color: var(--s1); } .warning { color: var(--s3); }
.info, .not-judged { color: var(--faint); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .5rem 0; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; padding-right: 1.5rem; font-variant-numeric: tabular-nums; }
pre { background: color-mix(in srgb, var(--ink) 6%, var(--paper)); border-radius: 6px; padding: .75rem;
  overflow-x: auto; font: 12.5px/1.45 ui-monospace, monospace; margin: .5rem 0; }
mark { background: color-mix(in srgb, var(--bad) 28%, var(--paper)); color: inherit; border-radius: 2px; }
.row { color: var(--faint); user-select: none; }
.minus { color: var(--bad); } .plus { color: var(--s1); } .hunk { color: var(--faint); }
svg.lse { width: 100%; height: auto; display: block; margin: .5rem 0; }
.chip { display: inline-block; border: 1px solid var(--bad); color: var(--bad); border-radius: 99px; padding: 0 .6rem;
  font-size: .8rem; margin: .15rem .25rem .15rem 0; }
#only-failures { margin: 0 .4rem 0 0; }
body:has(#only-failures:checked) .card.is-passed { display: none; }
@media print { .filter { display: none; } }
"""
).strip()

_SEVERITIES = ("error", "warning", "info")


def page(document: Mapping[str, Any]) -> str:
    """Return the page of a document as `pytest_lse.report.document.document` makes it."""
    return "\n".join(_page(document))


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>Numerical stability: {_headline(document)}</title>"
    yield f'<style>{_STYLE}</style>\n</head>\n<body class="lse">'
    yield "<h1>Numerical stability</h1>"
    yield f"<p>{_headline(document)}</p>"
    yield (
        f'<p class="faint-text">{_text(document["tool"])}, Python {_text(document["python"])}, '
        f"{_text(document['created'])}</p>"
    )
    yield from _functions(document)
    yield from _findings(document)
    yield "</body>\n</html>\n"


def _headline(document: Mapping[str, Any]) -> str:
    functions, findings = document["functions"], document["findings"]
    failed = sum(f["verdict"] == "failed" for f in functions)
    said = f"{_count(len(functions), 'function')} checked, {failed} failed"
    if document["linted"] is not None:
        said += f"; {_count(document['linted'], 'file')} linted, {_count(len(findings), 'finding')}"
    return said


def _functions(document: Mapping[str, Any]) -> Iterator[str]:
    functions = document["functions"]
    yield "<h2>Functions</h2>"
    if not functions:
        yield '<p class="empty">No function was checked: no test that ran calls <code>assert_stable</code>.</p>'
        return
    if any(f["verdict"] == "passed" for f in functions) and any(f["verdict"] == "failed" for f in functions):
        yield '<p class="filter"><label><input type="checkbox" id="only-failures">Show failures only</label></p>'
    for f in functions:
        yield from _function(f)


def _function(f: Mapping[str, Any]) -> Iterator[str]:
    failed = f["verdict"] == "failed"
    yield f'<details class="card is-{f["verdict"]}"{" open" * failed}>'
    yield (
        f'<summary><span class="badge {f["verdict"]}">{f["verdict"]}</span><strong>{_text(f["function"])}</strong> '
        f'as {_text(f["kernel"])}, {_text(f["framework"])} <span class="faint-text">{_text(_worst(f))}</span></summary>'
    )
    yield f'<p class="faint-text">{_text(f["test"])}</p>'
    regimes = dict.fromkeys(name for d in f["dtypes"] for name in d["failing_regimes"])
    if regimes:
        chips = "".join(f'<span class="chip">{_text(name)}</span>' for name in regimes)
        yield f"<p>Fails in {chips}</p>"
    records = [{**{k: f[k] for k in ("function", "kernel")}, **d} for d in f["dtypes"]]
    if any(r["points"] for r in records):
        yield picture(records)
    yield from _table(f)
    for d in f["dtypes"]:
        if d["failure"]:
            yield f"<pre>{_block(d['failure']['message'])}</pre>"
    yield "</details>"


def _worst(f: Mapping[str, Any]) -> str:
    if f["verdict"] == "failed":
        return ""
    ratios = [d["worst_ratio"] for d in f["dtypes"] if d["worst_ratio"] is not None]
    return f"worst error {max(ratios):.0%} of the tolerance" if ratios else ""


def _table(f: Mapping[str, Any]) -> Iterator[str]:
    yield '<table><thead><tr><th>dtype</th><th>verdict</th><th class="number">calls</th>'
    yield '<th class="number">worst error</th><th class="number">of the tolerance</th><th>regime</th></tr></thead>'
    yield "<tbody>"
    for d in f["dtypes"]:
        verdict = d["verdict"]
        ulps = "inf or nan" if d["worst_ulps"] is None else f"{d['worst_ulps']:.3g} ulps"
        if d["worst_ulps"] is None and verdict == "failed" and d["failure"] and d["failure"]["returned"] is None:
            ulps = d["failure"]["check"]
        ratio = "" if d["worst_ratio"] is None else f"{d['worst_ratio']:.0%}"
        yield (
            f'<tr><td>{_text(d["dtype"])}</td><td class="{verdict.replace(" ", "-")}">{_text(verdict)}</td>'
            f'<td class="number">{d["calls"]}</td><td class="number">{_text(ulps)}</td>'
            f'<td class="number">{ratio}</td><td>{_text(d["worst_regime"])}</td></tr>'
        )
    yield "</tbody></table>"


def _findings(document: Mapping[str, Any]) -> Iterator[str]:
    if document["linted"] is None:
        return
    yield "<h2>Findings of the linter</h2>"
    if not document["findings"]:
        yield '<p class="empty">The linter has nothing to say.</p>'
    for f in document["findings"]:
        severity = f["severity"] if f["severity"] in _SEVERITIES else "error"
        cell = f"cell {f['cell']}:" if f["cell"] else ""
        place = f"{f['filename']}:{cell}{f['location']['row']}"
        yield f'<details class="card" open><summary><span class="badge {severity}">{_text(f["code"])}</span>'
        yield f'<strong>{_text(f["name"])}</strong> <span class="faint-text">{_text(place)}</span></summary>'
        yield f"<p>{_prose(f['message'])}</p>"
        if f["source"]:
            yield f"<pre>{''.join(_lines(f))}</pre>"
        if f["witness"]:
            w = f["witness"]
            yield (
                f"<p>In {_text(str(w['dtype']))}, <code>{_value(w['input'])}</code> gives "
                f"<code>{_value(w['returns'])}</code>, the true value is <code>{_value(w['truth'])}</code>.</p>"
            )
        if f["fix"]:
            unsafe = "" if f["fix"]["applicability"] == "safe" else " (unsafe fix)"
            yield f"<p>Fix: {_prose(f['fix']['message'])}{unsafe}</p>"
        elif f["no_fix_reason"]:
            yield f'<p class="faint-text">No fix: {_prose(f["no_fix_reason"])}</p>'
        if f["diff"]:
            yield f"<pre>{''.join(_diff(f['diff']))}</pre>"
        yield "</details>"


def _lines(f: Mapping[str, Any]) -> Iterator[str]:
    """Yield the source lines of a finding, the pattern marked."""
    start, end = f["location"], f["end_location"]
    lines = list(f["source"])
    while len(lines) > 1 and not lines[-1][1].strip() and lines[-1][0] > end["row"]:
        lines.pop()
    while len(lines) > 1 and not lines[0][1].strip() and lines[0][0] < start["row"]:
        lines.pop(0)
    gutter = len(str(lines[-1][0]))
    for row, line in lines:
        inside = start["row"] <= row <= end["row"]
        first = start["column"] - 1 if row == start["row"] else len(line) - len(line.lstrip())
        last = end["column"] - 1 if row == end["row"] else len(line)
        body = _block(line)
        if inside:
            body = f"{_block(line[:first])}<mark>{_block(line[first:last])}</mark>{_block(line[last:])}"
        yield f'<span class="row">{row:>{gutter}}  </span>{body}\n'


def _diff(diff: str) -> Iterator[str]:
    for line in diff.splitlines():
        style = {"-": "minus", "+": "plus", "@": "hunk"}.get(line[:1], "")
        text = _block(line)
        yield f'<span class="{style}">{text}</span>\n' if style else f"{text}\n"


def _text(text: str) -> str:
    """Escape a text of one line: for HTML, and whatever does not print."""
    return escape("".join(map(escape_char, text)))


def _prose(text: str) -> str:
    """Escape a sentence, its code between backticks set as such."""
    parts = _text(text).split("`")
    if len(parts) % 2 == 0:
        return _text(text)
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _value(value: object) -> str:
    """Escape a witness's number or numbers; infinities and NaN are strings there, since JSON has none."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return ", ".join(f"{_text(str(k))} = {_value(v)}" for k, v in value.items())
    return _text(str(value))


def _block(text: str) -> str:
    """Escape a text of several lines."""
    return escape("".join(c if c in "\n\t" else escape_char(c) for c in text))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
