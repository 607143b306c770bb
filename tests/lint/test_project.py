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
        ("setup.py", "setup(setup_requires=['scipy'], extras_require={'x': ['scipy']}, keywords='scipy')\n", False),
        ("setup.py", "R = ['numpy']\nR += ['scipy']\nsetup(install_requires=R + S)\n", True),
        ("setup.py", "R: list = []\nR.append('scipy')\nR.sort('x')\nsetup(install_requires=list(R))\n", True),
        ("setup.py", "R: list\nR = ['x']\nR.remove('scipy')\nsetup(install_requires=R)\n", False),
        ("setup.py", "def f():\n    return '\\nnumpy\\nscipy'.split()\nsetup(install_requires=f())\n", True),
        ("setup.py", "c = {'install_requires': ['scipy'], **d}\nsetup(**c)\n", True),
        ("setup.py", "c['install_requires'] = ['scipy']\nc['tests_require'] = 3\nsetup(**c)\n", True),
        ("setup.py", "print 'scipy'\nsetup(install_requires=['numpy',  # 'scipy'\n 'six'])\n", False),
        ("setup.py", "print 'x'\nsetup(install_requires=['numpy', 'scipy'])\n", True),
        ("setup.py", "setup(install_requires=R)\nR = R or R\nwith R: R[0] = 1\n", False),
        ("PKG-INFO", "Name: x\nRequires-Dist: scipy>=1\n\nRequires-Dist: y\n", True),
        ("PKG-INFO", "Name: x\nRequires-Dist: scipy ; extra == 'all'\n\nRequires-Dist: scipy\n", False),
        ("pyproject.toml", "[tool.flit.metadata]\nmodule = 'x'\nrequires = ['scipy']\n", True),
        ("pyproject.toml", "[tool.poetry.dependencies]\nscipy = {version = '1', optional = true}\n", False),
        ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\nscipy = '1'\n", False),
        ("pyproject.toml", "[tool.pixi.pypi-dependencies]\nscipy = '*'\n", True),
        ("pyproject.toml", "[tool.hatch.envs.default]\ndependencies = ['scipy']\n", False),
        ("Pipfile", "[dev-packages]\nscipy = '*'\n[packages]\nnumpy = '*'\n", False),
        ("requirements.txt", "numpy\nscipy==1.1  # why\n", True),
        ("requirements-dev.txt", "scipy\n", False),
        ("requirements-optional.txt", "scipy\n", False),
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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.setuptools.dynamic]\ndependencies = {file = ['deps/run.txt', 3]}\n"),
        ("pyproject.toml", "[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['deps/run.txt']\n"),
        ("setup.cfg", "[options]\ninstall_requires = file: deps/run.txt\n"),
        ("setup.py", "with open('deps/run.txt') as f:\n    R = f.read()\nsetup(install_requires=R.splitlines())\n"),
        ("setup.py", "R = lines('deps/run.txt')\nsetup(install_requires=R)\n"),
        ("requirements.txt", "-r deps/run.txt\n-r nowhere.txt\n"),
    ],
)
def test_a_file_that_names_another(tmp_path, name, text):
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "run.txt").write_text("numpy\n-r run.txt\nscipy\n")
    (tmp_path / name).write_text(text)
    assert project.depends_on(str(tmp_path / "a.py"), "scipy")
    assert not project.depends_on(str(tmp_path / "a.py"), "jax")


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
