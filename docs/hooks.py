"""MkDocs calls these while it builds the site."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

import generate  # noqa: E402

from pytest_lse.discovery import coded  # noqa: E402


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the rules' pages into the navigation."""
    rules = [{f"{f.code} {f.title}": f"rules/{f.code}.md"} for f in coded()]
    config.nav = [{"Rules": ["rules/index.md", *rules]} if e == {"Rules": "rules"} else e for e in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made out of the kernel files."""
    index = "# Rules\n\n" + generate.rule_table("{}.md")
    files.append(File.generated(config, "rules/index.md", content=index))
    for file in coded():
        files.append(File.generated(config, f"rules/{file.code}.md", content=generate.rule_page(file)))
    return files
