"""The recipes of the documentation: what they run is run, and what they upload is there and of its kind."""

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from pytest_lse.cli import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'(?ms)^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE))
SARIF = json.loads((ROOT / "tests" / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))

yaml = pytest.importorskip("yaml")


@pytest.fixture
def job(tmp_path, monkeypatch, capsys):
    """Run our command among some commands, in a repository with a finding; return the exit code and the output."""
    (tmp_path / "losses.py").write_text(FILES["losses.py"])
    monkeypatch.chdir(tmp_path)
    for name in ("CI_PROJECT_DIR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)

    def run(commands):
        (command,) = [words for words in map(shlex.split, commands) if words[0] == "pytest-lse"]
        return main(command[1:]), capsys.readouterr().out

    return run


def workflow(name):
    found = yaml.safe_load(FILES[f".github/workflows/{name}.yml"])
    assert set(found) == {"name", True, "permissions", "jobs"}  # YAML 1.1 reads `on` as true
    ((_, described),) = found["jobs"].items()
    assert all(re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", step["uses"]) for step in described["steps"] if "uses" in step)
    return found, described["steps"]


def test_annotations(job):
    _, steps = workflow("stability")
    status, out = job(step["run"] for step in steps if "run" in step)
    assert status == 1
    assert re.fullmatch(r"::error title=pytest-lse \(LSE001\),file=losses\.py,line=5,[^\n]+\n", out)


def test_code_scanning(job):
    found, steps = workflow("code-scanning")
    assert found["permissions"]["security-events"] == "write"
    status, out = job(step["run"] for step in steps if "run" in step)
    assert (status, out) == (0, "")
    (upload,) = [step["with"] for step in steps if "upload-sarif" in step.get("uses", "")]
    log = json.loads(Path(upload["sarif_file"]).read_text(encoding="utf-8"))
    jsonschema.validate(log, SARIF)
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["LSE001"]


def test_gitlab(job):
    (described,) = yaml.safe_load(FILES[".gitlab-ci.yml"]).values()
    status, out = job(described["script"])
    assert (status, out) == (1, "")
    assert described["artifacts"]["when"] == "always"
    report = Path(described["artifacts"]["reports"]["codequality"])
    (issue,) = json.loads(report.read_text(encoding="utf-8"))
    assert set(issue) == {"check_name", "description", "severity", "fingerprint", "location"}
    assert issue["location"]["path"] == "losses.py"


def test_the_hooks_are_those_that_there_are():
    (repository,) = yaml.safe_load(FILES[".pre-commit-config.yaml"])["repos"]
    ours = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    assert {hook["id"] for hook in repository["hooks"]} <= ours == {"lse-check", "lse-fix"}
    assert all(f"`{hook}`" in PAGE for hook in ours)
