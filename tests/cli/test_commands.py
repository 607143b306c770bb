import json

import pytest

import pytest_lse
from pytest_lse.cli import _commands
from pytest_lse.discovery import coded


def test_version(lse):
    assert lse("--version").out == f"pytest-lse {pytest_lse.__version__}\n"


def test_help_lists_every_command(lse):
    done = lse("--help")
    assert done.status == 0
    for name in _commands():
        assert f"\n  {name} " in done.out
    assert {"check", "rule", "server"} <= set(_commands())


def test_no_command_shows_the_help_and_fails(lse):
    done = lse()
    assert done.status == 2
    assert "commands:" in done.out


@pytest.mark.parametrize(
    ("word", "hint"), [("chek", "did you mean check?"), ("zzz", "the commands are check"), ("_progress", "the comm")]
)
def test_an_unknown_command(lse, word, hint):
    done = lse(word)
    assert done.status == 2
    assert done.err.startswith(f"pytest-lse: error: unknown command '{word}': {hint}")


@pytest.mark.parametrize("columns", ["50", "200", "x", "0"])
def test_help_of_each_command(lse, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for name in _commands():
        done = lse(name, "--help")
        assert (done.status, done.err) == (0, "")
        assert done.out.startswith(f"usage: pytest-lse {name} ")


def test_rule_prints_the_documentation(lse):
    done = lse("rule", "LSE001")
    assert done.status == 0
    assert done.out.startswith("# logsumexp (LSE001)\n\n`log(sum(exp(x)))` is inf")
    assert "\n## Fix safety\n" in done.out
    assert "----" not in done.out
    assert lse("rule", "lse001") == done
    assert lse("rule", "logsumexp") == done
    assert lse("rule", "log_softmax").out.startswith("# log-softmax (LSE003)")


def test_rule_all(lse):
    done = lse("rule", "--all")
    assert done.status == 0
    for file in coded():
        assert f"# {file.title} ({file.code})\n" in done.out
    entries = json.loads(lse("rule", "--all", "--output-format", "json").out)
    assert [e["code"] for e in entries] == [file.code for file in coded()]
    assert {e["severity"] for e in entries} == {"error", "warning"}


def test_rule_as_json(lse):
    entry = json.loads(lse("rule", "LSE001", "--output-format", "json").out)
    assert entry["name"] == "logsumexp"
    assert entry["severity"] == "error"
    assert entry["replacement"]["jax"].startswith("jax.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one code, or --all"),
        (["LSE001", "--all"], "give one code, or --all"),
        (["LSE099"], "unknown code 'LSE099' in the arguments: did you mean"),
        (["softmx"], "did you mean LSE002?"),
        (["LSE0"], "'LSE0' is not one code but a prefix: use --all"),
    ],
)
def test_rule_usage(lse, arguments, message):
    done = lse("rule", *arguments)
    assert done.status == 2
    assert message in done.err


def test_every_rule_is_documented():
    for file in coded():
        for heading in ("What it does", "Why is this bad?", "Example", "Fix safety"):
            assert f"\n{heading}\n{'-' * len(heading)}\n" in file.doc, (file.name, heading)
