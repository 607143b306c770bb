"""ruff beside us: it deletes codes that it does not know, unless it is told about them."""

import subprocess
import sys

import pytest

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))  # noqa: LSE001\n"


@pytest.fixture
def ruff(tmp_path):
    pytest.importorskip("ruff")

    def run(config: str) -> str:
        (tmp_path / "ruff.toml").write_text(config)
        (tmp_path / "a.py").write_text(NAIVE)
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--fix", "--select", "RUF100,RUF102", "a.py"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        return (tmp_path / "a.py").read_text()

    return run


def test_the_documented_setting_keeps_our_comments(ruff):
    assert ruff('[lint]\nexternal = ["LSE"]\n') == NAIVE


def test_without_it_they_would_go(ruff):
    assert "LSE001" not in ruff("")
