import pytest

from pytest_lse.lint import project


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(project, "_by_directory", {})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", "[project]\ndependencies = ['numpy', 'SciPy >= 1.0']\n", True),
        ("pyproject.toml", "[project]\ndependencies = ['scipy-stubs', 'notscipy']\n", False),
        ("pyproject.toml", "[project.optional-dependencies]\ntest = ['scipy']\n", False),
        ("pyproject.toml", "[dependency-groups]\ntest = ['scipy']\n", False),
        ("pyproject.toml", "[tool.poetry.dependencies]\nscipy = '^1.0'\n", True),
        ("pyproject.toml", "[tool.pixi.dependencies]\nscipy = '*'\n", True),
        ("pyproject.toml", "tool = 3  # scipy\n", False),
        ("pyproject.toml", "[project]\ndependencies = [{scipy = 1}, 3]\n", True),
        ("pyproject.toml", "scipy ! broken", False),
        ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    scipy>=1\n", True),
        ("setup.cfg", "[options]\ninstall_requires = scipy\n", True),
        ("setup.cfg", "[options.extras_require]\ntest =\n    scipy\n", False),
        ("setup.py", "setup(install_requires=['numpy', \"scipy<2\"])\n", True),
        ("setup.py", "# 'scipy'\nsetup()\n", False),
        ("requirements.txt", "numpy\nscipy==1.1  # why\n", True),
        ("requirements-dev.txt", "scipy\n", False),
        ("requirements.in", "-r x\nscipy\n", True),
        ("environment.yml", "dependencies:\n  - scipy=1.1\n", True),
        ("Pipfile", "[packages]\nscipy = '*'\n", True),
        ("Pipfile", "[dev-packages]\nscipy = '*'\n", False),
        ("other.txt", "scipy\n", False),
    ],
)
def test_metadata(tmp_path, name, text, expected):
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    assert project.depends_on(str(tmp_path / "pkg" / "sub" / "a.py"), "scipy") is expected


def test_requirements_in_a_directory(tmp_path):
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("scipy\n")
    assert project.depends_on(str(tmp_path / "a.py"), "scipy")


def test_the_nearest_project_decides(tmp_path):
    (tmp_path / "requirements.txt").write_text("scipy\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert not project.depends_on(str(inner / "a.py"), "scipy")
    assert project.depends_on(str(tmp_path / "a.py"), "scipy")


def test_a_directory_that_is_not_there(tmp_path):
    (tmp_path / ".git").mkdir()
    assert not project.depends_on(str(tmp_path / "no" / "a.py"), "scipy")


def test_metadata_that_cannot_be_read(tmp_path):
    (tmp_path / "setup.py").mkdir()
    assert not project.depends_on(str(tmp_path / "a.py"), "scipy")
