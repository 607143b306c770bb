"""Every code block of the README and of the documentation is executed, page by page, in the order of the page.

What a block is says its first line:

```` ```python title="losses.py" ````  a file of that name, in the directory of the page
```` ```python ````                    is executed, in one namespace for the page
```` ```console ````                   what follows `$` is run in that directory, and has to print the rest of the block
```` ```toml ````, ```` ```yaml ````   is parsed; with a title it is a file as well

A line `...` in an output stands for any lines; times are not compared. `<!-- needs: torch -->` before a block says what
it takes. With PYTEST_LSE_UPDATE_DOCS=1 the outputs are written anew.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_lse.discovery import coded

ROOT = Path(__file__).parents[1]
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
UPDATE = bool(os.environ.get("PYTEST_LSE_UPDATE_DOCS"))
#: what is written in a page, in the order of the page
BLOCK = re.compile(
    r"(?m)^(?:<!-- needs: (?P<needs>[\w, ]+) -->\n)?^```(?P<kind>\w+)(?P<options>[^\n`]*)\n(?P<body>.*?)^```$",
    re.DOTALL,
)
VARIES = re.compile(r"\bin \d+\.\d+s(?: \(\d+:\d\d:\d\d\))?|=+(?= )|(?<= )=+|[_-]{3,}")


@dataclass
class Block:
    """A block of code and where it stands."""

    page: str
    kind: str
    title: str | None
    needs: tuple[str, ...]
    body: str
    start: int
    end: int
    row: int

    def __str__(self) -> str:
        return f"{self.page}:{self.row}"


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for m in BLOCK.finditer(text):
        title = re.search(r'title="([^"]+)"', m["options"])
        needs = tuple(filter(None, re.split(r"[, ]+", m["needs"] or "")))
        row = text.count("\n", 0, m.start("body"))
        found.append(Block(page, m["kind"], title and title[1], needs, m["body"], *m.span("body"), row))
    assert text.count("\n```") + text.startswith("```") == 2 * len(found), f"{page} has a block that is not understood"
    return found


class Page:
    """Runs the blocks of one page."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.names: dict[str, object] = {"__name__": "documentation"}

    def run(self, block: Block) -> str | None:
        """Run a block; return what it should say where it says something else."""
        if block.title:
            path = self.directory / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        run = getattr(self, block.kind, None)
        assert run is not None, f"{block}: no way to test a block of {block.kind}"
        outcome: str | None = run(block)
        return outcome

    def python(self, block: Block) -> None:
        code = compile(block.body, str(block), "exec")
        if block.title:
            return
        before = set(self.names)
        exec(code, self.names)
        for name in set(self.names) - before:
            if name.startswith("test_"):
                self.names[name]()  # type: ignore[operator]

    def toml(self, block: Block) -> None:
        tomllib.loads(block.body)

    def yaml(self, block: Block) -> None:
        yaml = pytest.importorskip("yaml")
        yaml.safe_load(block.body)

    def console(self, block: Block) -> str | None:
        said: list[str] = []
        same = True
        for command, expected in sessions(block.body):
            output = self.shell(command)
            if command.endswith("--help") and sys.version_info >= (3, 13):
                continue  # argparse sets it in another way from there on
            if command.startswith("pytest ") and pytest.version_tuple < (9,):
                continue  # its summary says less
            same &= matches(expected, output)
            said.append(f"$ {command}\n{expected if matches(expected, output) else output}")
        return None if same else "".join(said)

    def shell(self, command: str) -> str:
        scripts = str(Path(sys.executable).parent)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_", "GITHUB_", "CI"))}
        environment |= {"PATH": scripts + os.pathsep + os.environ["PATH"], "COLUMNS": "100", "NO_COLOR": "1"}
        # Plugins that happen to be installed here print lines of their own.
        environment |= {"PYTEST_ADDOPTS": "-p no:randomly -p no:cacheprovider", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, shell=True, cwd=self.directory, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
        )  # fmt: skip
        lines = (line.rstrip() for line in done.stdout.strip("\n").splitlines())
        return "".join(f"{line}\n" for line in lines)


def sessions(body: str) -> list[tuple[str, str]]:
    """Split a console block into commands and their outputs."""
    parts = re.split(r"(?m)^\$ ", body)
    assert not parts[0].strip(), "a console block begins with a command"
    found = []
    for part in parts[1:]:
        m = re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL)
        assert m
        found.append((m[1], m[2]))
    return found


def matches(expected: str, output: str) -> bool:
    """Compare an output with what a page shows of it."""
    wanted = [VARIES.sub("", line.rstrip()).strip() for line in expected.splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in wanted)
    actual = "".join(f"{VARIES.sub('', line.rstrip()).strip()}\n" for line in output.splitlines())
    return re.fullmatch(pattern, actual) is not None


def unmet(block: Block) -> str:
    for need in block.needs:
        if importlib.util.find_spec(need) is None:
            return f"needs {need}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    runner, wrong, skipped = Page(tmp_path), [], []
    for block in blocks(page):
        if {"script", "checkout"} & set(block.needs):
            continue  # a test of its own
        if reason := unmet(block):
            skipped.append(f"{block}: {reason}")
            continue
        right = runner.run(block)
        if right is not None:
            wrong.append((block, right))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    if wrong and UPDATE:
        text = (ROOT / page).read_text(encoding="utf-8")
        for block, right in reversed(wrong):
            text = text[: block.start] + right + text[block.end :]
        (ROOT / page).write_text(text, encoding="utf-8")
    assert not wrong, "\n".join(f"{block} should say\n{right}" for block, right in wrong)
    if skipped:
        pytest.skip("; ".join(skipped))


def test_the_commands_in_a_checkout(tmp_path):
    (block,) = [b for page in PAGES for b in blocks(page) if "checkout" in b.needs]
    if not os.environ.get("PYTEST_LSE_NETWORK"):
        pytest.skip("needs the network: set PYTEST_LSE_NETWORK=1")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "pytest_lse", tmp_path / "pytest_lse", ignore=shutil.ignore_patterns("__pycache__"))
    right = Page(tmp_path).run(block)
    assert right is None, f"{block} should say\n{right}"


def test_what_is_left_to_the_script_is_what_it_does():
    left = [b for page in PAGES for b in blocks(page) if "script" in b.needs]
    assert [b.body for b in left] == ["$ .ci/run\n"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_outputs_are_compared():
    assert matches("a\n...\nz in 0.1s\n", "a\nb\nc\nz in 12.30s\n")
    assert matches("...\nz\n", "z\n")
    assert not matches("a\n", "b\n")
    assert not matches("a\n...\nz\n", "a\nb\n")
    assert not matches("", "a\n")


def test_a_wrong_page_fails(tmp_path, monkeypatch):
    def block(kind, body, title=None):
        return Block("page.md", kind, title, (), body, 0, 0, 1)

    runner = Page(tmp_path)
    assert runner.run(block("console", "$ echo 1\n1\n")) is None
    assert runner.run(block("console", "$ echo 1\n2\n$ echo 3\n3\n")) == "$ echo 1\n1\n$ echo 3\n3\n"
    with pytest.raises(AssertionError):
        runner.run(block("python", "def test_a():\n    assert False\n"))
    with pytest.raises(tomllib.TOMLDecodeError):
        runner.run(block("toml", "x"))
    with pytest.raises(AssertionError, match="no way to test"):
        runner.run(block("text", "x"))
    with pytest.raises(SyntaxError):
        runner.run(block("python", "def", "broken.py"))


def test_the_readme_has_the_table_of_rules():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert generate.with_tables(text) == text, "run python docs/generate.py"
    for file in coded():
        assert f"| {file.code} |" in text
        assert generate.rule_page(file).startswith(f"# {file.title} ({file.code})\n")


@pytest.mark.parametrize("command", ["check", "rule", "scaffold", "plot", "server"])
def test_every_command_is_documented(command):
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    assert f"pytest-lse {command}" in text


def test_the_site_builds(tmp_path):
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "<h1" in (tmp_path / "rules" / "LSE001" / "index.html").read_text(encoding="utf-8")
    assert "assert_stable" in (tmp_path / "reference" / "assertions" / "index.html").read_text(encoding="utf-8")
