"""Makes documentation out of the kernel files: the tables of the README, and a page for each rule.

`python docs/generate.py` writes the tables anew; the pages are made when the site is built.
"""

from __future__ import annotations

import re
from pathlib import Path

from pytest_lse.cli.rule import markdown
from pytest_lse.discovery import KernelFile, coded
from pytest_lse.lint.select import OFF_BY_DEFAULT

README = Path(__file__).parents[1] / "README.md"
_MARKED = "<!-- {0}: made by docs/generate.py -->\n{1}<!-- end of {0} -->\n"


def rule_table(link: str = "") -> str:
    """Return the table of rules, linked to their pages if a pattern of the address is given."""
    rows = ["| code | name | what it finds |", "|---|---|---|"]
    for file in coded():
        name = f"[{file.title}]({link.format(file.code)})" if link else file.title
        off = " (off by default)" if file.code in OFF_BY_DEFAULT else ""
        rows.append(f"| {file.code} | {name} | {_cell(file.summary)}{off} |")
    return "\n".join(rows) + "\n"


def rule_page(file: KernelFile) -> str:
    """Return the page of a rule: its documentation, and what it is replaced by in each framework."""
    text = markdown(file)
    facts = []
    if file.replacement:
        rows = [f"| {framework} | `{_cell(call)}` |" for framework, call in sorted(file.replacement.items())]
        facts += ["## Replacement in each framework\n", "| framework | replacement |", "|---|---|", *rows, ""]
    if file.witness:
        facts += ["## An input on which it fails\n", "| dtype | input | returns | true value |", "|---|---|---|---|"]
        facts += [
            f"| {dtype} | `{_number(row['input'])}` | `{_number(row['returns'])}` | `{_number(row['truth'])}` |"
            for dtype, row in file.witness.items()
        ]
        facts.append("")
    return text.rstrip("\n") + "\n\n" + "\n".join(facts)


def with_tables(text: str) -> str:
    """Return a page with its tables made anew."""

    def made(match: re.Match[str]) -> str:
        return _MARKED.format(match[1], {"rules": rule_table}[match[1]]())

    return re.sub(r"<!-- (\w+): made by docs/generate.py -->\n.*?<!-- end of \1 -->\n", made, text, flags=re.DOTALL)


def _number(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_number, value))}]"
    if isinstance(value, dict):
        return ", ".join(f"{k} = {_number(v)}" for k, v in value.items())
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
