"""The command: what it writes runs, says the truth, and overwrites nothing."""

import subprocess
import sys
import textwrap

import pytest

from pytest_lse.cli import main
from pytest_lse.scaffold.find import in_text
from pytest_lse.scaffold.write import write

LOSSES = textwrap.dedent("""
    import functools
    import math

    import numpy as np


    def naive(x):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)


    def stable(x, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


    def along(x, dimension):
        top = x.max(axis=dimension, keepdims=True)
        return np.log(np.exp(x - top).sum(axis=dimension)) + top.squeeze(dimension)


    def columns(x):
        e = np.exp(x - x.max(axis=0))
        return e / e.sum(axis=0)


    def total(x, keepdims=True):
        return np.log(np.sum(np.exp(x), axis=-1, keepdims=keepdims))


    def per_element(targets, x):
        s = 1 / (1 + np.exp(-x))
        return -(targets * np.log(s) + (1 - targets) * np.log(1 - s))


    def scalar(x):
        return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


    def listed(xs):
        return math.log(sum(math.exp(v) for v in xs))


    def configured(x, table):
        table.append(x)
        return 1 / (1 + np.exp(-x))


    class Gate:
        def __call__(self, x):
            return 1 / (1 + np.exp(-x))

        def complement(self, x):
            self.last = x
            return 1 / (1 + np.exp(x))
""")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "losses.py").write_text(LOSSES)
    return tmp_path


def calls(source, **options):
    """Return the assertion of each test, without what is around it."""
    files, left = write(in_text(source, "losses.py"), "tests")
    text = "".join(f.text for f in files)
    found = {}
    for part in text.split("\n\ndef ")[1:]:
        name, _, body = part.partition("():\n")
        found[name] = " ".join(body.replace("\n", " ").split()).replace("( ", "(").replace(", )", ")")
    return found, {f.name: reason for f, reason in left}


def test_how_each_function_is_called():
    found, left = calls(LOSSES)
    assert found == {
        "test_naive": 'assert_stable(naive, "softmax")',
        "test_stable": 'assert_stable(stable, "softmax")',
        "test_along": 'assert_stable(lambda x, axis: along(x, dimension=axis), "logsumexp")',
        "test_columns": 'assert_stable(columns, "softmax", axis=0)',
        "test_total": 'assert_stable(functools.partial(total, keepdims=False), "logsumexp")',
        "test_per_element": 'assert_stable(lambda x, targets: per_element(targets, x).mean(), "bce_with_logits")',
        "test_scalar": 'assert_stable(np.vectorize(scalar, otypes=[float]), "sigmoid", dtypes="float64")',
        "test_listed": 'assert_stable(lambda x: np.asarray(listed(x.tolist())), "logsumexp", ndim=1, dtypes="float64")',
        "test_gate_call": 'assert_stable(functools.partial(Gate.__call__, None), "sigmoid")',
        "test_gate_complement": 'assert_stable(lambda x: Gate().complement(-x), "sigmoid")',
    }
    assert left == {"configured": "it needs a value for table"}


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("import torch\ndef f(x): return torch.sigmoid(x)", 'assert_stable(f, "sigmoid", xp=torch)'),
        ("import jax.numpy as jnp\nimport jax\ndef f(x): return jax.nn.sigmoid(x)",
         'assert_stable(f, "sigmoid", xp=jnp)'),
        ("import tensorflow as tf\ndef f(t, x):\n s = tf.sigmoid(x)\n"
         " return -(t * tf.math.log(s) + (1 - t) * tf.math.log(1 - s))",
         'assert_stable(lambda x, targets: tf.reduce_mean(f(targets, x)), "bce_with_logits", xp=tf)'),
        ("import torch\ndef f(x): return torch.softmax(x, dim=1)",
         'assert_stable(f, "softmax", xp=torch, axis=1, ndim=2)'),
        ("import torch\ndef f(x): return torch.softmax(x, dim=-2)",
         'assert_stable(f, "softmax", xp=torch, axis=-2, ndim=2)'),
        ("import numpy as np\ndef f(x): return np.log(np.sum(np.exp(x), axis=-1, keepdims=True))",
         'assert_stable(f, "logsumexp", params={"keepdims": True})'),
    ],
)  # fmt: skip
def test_options(source, call):
    assert calls(source)[0] == {"test_f": call}


def test_what_cannot_be_called_is_said():
    assert calls("import numpy as np\ndef f(x): return np.log(np.sum(np.exp(x), axis=(0, 1)))")[1] == {
        "f": "it works along the axes (0.0, 1.0)"
    }
    assert calls("import math\ndef f(x): return 1 / (1 + math.exp(x))")[1] == {
        "f": "it takes its numbers in another order"
    }


def test_files_have_names_of_their_own(tmp_path):
    source = "import numpy as np\ndef sigmoid(x): return 1 / (1 + np.exp(-x))\n"
    for name in ("a/losses.py", "b/losses.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(source)
    found = [f for name in ("a", "b") for f in in_text(source, str(tmp_path / name / "losses.py"))]
    assert [f.path for f in write(found, "t")[0]] == ["t/test_losses.py", "t/test_losses_2.py"]


def test_long_lists_are_wrapped_as_a_formatter_does():
    names = [f"a_rather_long_name_{i}" for i in range(9)]
    source = "import numpy as np\n" + "".join(f"def {n}(x): return 1 / (1 + np.exp(-x))\n" for n in names)
    (file,), _ = write(in_text(source, "losses.py"), "t")
    assert "from losses import (\n    a_rather_long_name_0,\n" in file.text
    compile(file.text, file.path, "exec")


def test_it_writes_runs_and_reports(repository, capsys):
    assert main(["scaffold", "pkg", "--check"]) == 1
    out = capsys.readouterr().out
    assert "tests/stability/test_pkg_losses.py: 10 tests\n" in out
    row = LOSSES.partition("def configured")[0].count("\n") + 1
    assert f"pkg/losses.py:{row}: configured is a sigmoid, but it needs a value for table: no test written\n" in out
    assert "Found 11 kernels, wrote 10 tests.\n" in out
    verdicts = {line.split()[2].rstrip(":"): line.split()[0] for line in out.splitlines() if " pkg/losses.py:" in line}
    assert verdicts == {
        "naive": "failed",
        "stable": "passed",
        "along": "passed",
        "columns": "passed",
        "total": "failed",
        "per_element": "failed",
        "scalar": "passed",
        "listed": "failed",
        "Gate.__call__": "passed",
        "Gate.complement": "passed",
    }
    assert "naive is not a stable softmax: NaN" in out
    assert out.endswith("6 passed, 4 failed, 0 could not run.\n")


def test_the_written_tests_are_formatted_and_run_alone(repository):
    assert main(["scaffold", "pkg", "-o", "t"]) == 0
    file = repository / "t" / "test_pkg_losses.py"
    pytest.importorskip("ruff")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--diff", file]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file), "-k", "stable or columns"]
    assert subprocess.run(command, cwd=repository, capture_output=True).returncode == 0


def test_nothing_is_overwritten(repository, capsys):
    (repository / "pkg" / "more.py").write_text("import numpy as np\ndef f(x): return 1 / (1 + np.exp(-x))\n")
    (repository / "t").mkdir()
    mine = repository / "t" / "test_pkg_more.py"
    mine.write_text("mine")
    assert main(["scaffold", "pkg", "-o", "t"]) == 2
    said = "exists already, nothing was written: remove it or choose another --output"
    assert capsys.readouterr().err == f"pytest-lse: error: t/test_pkg_more.py: {said}\n"
    assert mine.read_text() == "mine"
    assert [p.name for p in (repository / "t").iterdir()] == ["test_pkg_more.py"]
    mine.unlink()
    mine.symlink_to("nowhere")
    assert main(["scaffold", "pkg", "-o", "t"]) == 2


def test_unusable_arguments(repository, capsys):
    assert main(["scaffold", "nowhere"]) == 2
    assert capsys.readouterr().err == "pytest-lse: error: nowhere: no such file or directory\n"
    (repository / "file").touch()
    assert main(["scaffold", "pkg", "-o", "file/t"]) == 2
    assert capsys.readouterr().err == "pytest-lse: error: file/t: cannot write the tests: Not a directory\n"


def test_nothing_found(repository, capsys):
    (repository / "pkg" / "losses.py").write_text("x = 1\n")
    assert main(["scaffold", "pkg", "--check"]) == 0
    assert capsys.readouterr().out == "Found 0 kernels, wrote 0 tests.\n"
    assert not (repository / "tests").exists()


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("import os; os._exit(3)", ""),
        ("raise RuntimeError('not today')", "RuntimeError: not today"),
    ],
)
def test_a_module_that_cannot_be_imported(repository, capsys, head, said):
    (repository / "pkg" / "losses.py").write_text(
        f"{head}\nimport numpy as np\ndef f(x): return 1 / (1 + np.exp(-x))\n"
    )
    assert main(["scaffold", "pkg", "--check"]) == 2
    out = capsys.readouterr().out
    assert f"error  pkg/losses.py:3 f: {said}" in out
    assert out.endswith("0 passed, 0 failed, 1 could not run.\n")


def test_a_module_that_hangs(repository, capsys, monkeypatch):
    monkeypatch.setattr("pytest_lse.scaffold.check._SECONDS", 0.1)
    (repository / "pkg" / "losses.py").write_text("import numpy as np\ndef f(x): return 1 / (1 + np.exp(-x))\n")
    assert main(["scaffold", "pkg", "--check"]) == 2
    assert "error  pkg/losses.py:2 f: no result after 0.1 seconds\n" in capsys.readouterr().out


def test_two_functions_whose_names_differ_in_case_have_two_tests():
    source = "import numpy as np\ndef F(x): return 1 / (1 + np.exp(-x))\ndef f(x): return 1 / (1 + np.exp(-x))\n"
    assert set(calls(source)[0]) == {"test_f", "test_f_2"}
