import io
from dataclasses import dataclass

import pytest

from pytest_lse.cli import main
from pytest_lse.lint import run as lint_run

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"
SAFE = "import jax.numpy as jnp\n\n\ndef f(x):\n    return jnp.log(jnp.sum(jnp.exp(x), axis=1))\n"


@dataclass
class Outcome:
    """What a command did."""

    status: int
    out: str
    err: str


@pytest.fixture
def lse(capsysbinary, monkeypatch, tmp_path):
    """Run the command line in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lint_run, "POOL_AFTER", 1000)  # however slow the machine: what is patched counts
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments, stdin: bytes | None = None) -> Outcome:
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Outcome(status, out.decode("utf-8", "surrogateescape"), err.decode())

    return run


@pytest.fixture
def files(tmp_path):
    """Write files into the directory."""

    def write(**contents):
        for name, content in contents.items():
            path = tmp_path / name.replace("__", "/").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write
