"""What a layer imports, seen from a fresh interpreter; and the proof that these tests can fail."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_lse"
HEAVY = (
    "numpy",
    "scipy",
    "hypothesis",
    "libcst",
    "mpmath",
    "flint",
    "ml_dtypes",
    "pathspec",
    "torch",
    "jax",
    "tensorflow",
)


def modules_after(code, *args, cwd=ROOT, plugins=()):
    """Run code in a fresh interpreter and return the top-level packages that it imported."""
    script = f"{code}\nimport sys\nprint('\\n' + ' '.join(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COVERAGE_PROCESS_START": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, *args], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


COLLECT = "import pytest\nassert pytest.main(['--collect-only', '-q', '-p', 'pytest_lse.plugin']) == 0"


@pytest.mark.parametrize("module", ["pytest_lse", "pytest_lse.plugin", "pytest_lse.regimes", "pytest_lse.discovery"])
def test_importing_a_light_module_imports_nothing_heavy(module):
    assert not modules_after(f"import {module}") & set(HEAVY)


def test_collecting_tests_with_the_plugin_imports_nothing_heavy(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    assert not modules_after(COLLECT, cwd=tmp_path) & set(HEAVY)


def test_running_tests_with_the_plugin_imports_nothing_heavy(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    code = "import pytest\nassert pytest.main(['-v', '-p', 'pytest_lse.plugin']) == 0"
    assert not modules_after(code, cwd=tmp_path) & set(HEAVY)


def test_the_layer_test_can_fail(tmp_path):
    (tmp_path / "conftest.py").write_text("import numpy\n")
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    assert "numpy" in modules_after(COLLECT, cwd=tmp_path)


def test_importing_the_names_of_the_package_imports_no_framework():
    code = "from pytest_lse import assert_stable, assert_matches, strategies, StabilityError, Kernel"
    assert not modules_after(code) & {"torch", "jax", "tensorflow", "libcst", "scipy", "pathspec"}


def imports_of(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernels").glob("*.py")), ids=lambda p: p.stem)
def test_kernels_import_nothing(path):
    assert list(imports_of(path)) == []


def test_regimes_import_the_standard_library_alone():
    for name in imports_of(PACKAGE / "regimes.py"):
        assert name.partition(".")[0] in sys.stdlib_module_names or name == "pytest_lse.dtypes"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_imports_a_framework(path):
    packages = {name.partition(".")[0] for name in imports_of(path)}
    assert not packages & {"torch", "jax", "tensorflow", "cupy", "mlx", "scipy", "array_api_compat"}
