import pickle

import pytest

from pytest_lse.lint.config import DEFAULT_EXCLUDE, ConfigError, Resolver, Settings


def configured(path, body: str):
    path.mkdir(parents=True, exist_ok=True)
    (path / "pyproject.toml").write_text(f"[tool.pytest-lse]\n{body}\n")
    return str(path)


def test_without_a_file_everything_is_as_ruff_has_it(tmp_path):
    settings = Resolver(isolated=True).settings(str(tmp_path))
    assert settings.exclude.patterns == DEFAULT_EXCLUDE
    assert settings.respect_gitignore
    assert not settings.force_exclude
    assert settings.prefer_scipy is None
    assert settings.frameworks is None
    assert settings.enabled("LSE001", "/a.py")
    assert not settings.enabled("LSE013", "/a.py")


def test_the_nearest_file_with_a_table_counts(tmp_path):
    outer = configured(tmp_path, "select = ['LSE001']")
    inner = configured(tmp_path / "a" / "b", "select = ['LSE002']")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'pytest-lse-user'\n")
    (tmp_path / "a" / "b" / "c").mkdir()
    resolver = Resolver()
    assert resolver.settings(outer).selection.select == ("LSE001",)
    assert resolver.settings(str(tmp_path / "a")).selection.select == ("LSE001",)
    assert resolver.settings(inner).selection.select == ("LSE002",)
    assert resolver.settings(str(tmp_path / "a" / "b" / "c")) is resolver.settings(inner)
    assert Resolver(isolated=True).settings(inner).selection.select is None


def test_one_file_for_everything(tmp_path):
    inner = configured(tmp_path / "a", "select = ['LSE002']")
    outer = configured(tmp_path, "select = ['LSE001']")
    resolver = Resolver(config=f"{outer}/pyproject.toml")
    assert resolver.settings(inner).selection.select == ("LSE001",)
    assert resolver.settings(inner).root == outer


def test_every_key(tmp_path):
    root = configured(
        tmp_path,
        """
        select = ["LSE0"]
        ignore = ["LSE002"]
        extend-select = ["LSE100"]
        per-file-ignores = { "tests/*" = ["LSE001", "LSE000"], "!src/*" = ["LSE003"] }
        exclude = ["vendored"]
        extend-exclude = ["*_pb2.py"]
        respect-gitignore = false
        force-exclude = true
        prefer-scipy = true
        frameworks = ["torch", "jax"]
        """,
    )
    settings = pickle.loads(pickle.dumps(Resolver().settings(root)))
    assert isinstance(settings, Settings)
    assert settings.exclude.patterns == ("vendored", "*_pb2.py")
    assert not settings.respect_gitignore
    assert settings.force_exclude
    assert settings.prefer_scipy
    assert settings.frameworks == {"torch", "jax"}
    source, test = f"{root}/src/a.py", f"{root}/tests/a.py"
    assert settings.enabled("LSE001", source)
    assert settings.enabled("LSE100", source)
    assert settings.enabled("LSE003", source)
    assert settings.enabled("LSE000", source)
    assert not settings.enabled("LSE002", source)
    assert not settings.enabled("LSE001", test)
    assert not settings.enabled("LSE003", test)
    assert not settings.enabled("LSE000", test)
    assert settings.enabled("LSE004", test)


def test_the_command_line_wins(tmp_path):
    root = configured(
        tmp_path,
        """
        select = ["LSE001"]
        ignore = ["LSE002"]
        extend-select = ["LSE003"]
        exclude = ["a"]
        extend-exclude = ["b"]
        respect-gitignore = false
        per-file-ignores = { "*" = ["LSE004"] }
        """,
    )
    only = Resolver({"select": ["LSE002"]}).settings(root)
    assert only.enabled("LSE002", "/a.py")
    assert not only.enabled("LSE001", "/a.py")
    assert not only.enabled("LSE003", "/a.py")
    more = Resolver({"ignore": ["LSE001"], "extend-select": ["LSE005"]}).settings(root)
    assert [c for c in ("LSE001", "LSE002", "LSE003", "LSE005") if more.enabled(c, "/")] == ["LSE003", "LSE005"]
    excluded = Resolver({"exclude": ["c"], "extend-exclude": ["d"], "respect-gitignore": True}).settings(root)
    assert excluded.exclude.patterns == ("c", "b", "d")
    assert excluded.respect_gitignore
    ignores = Resolver({"select": ["ALL"], "per-file-ignores": {"*.py": ["LSE006"]}}).settings(root)
    assert ignores.enabled("LSE004", "/a.py")
    assert not ignores.enabled("LSE006", "/a.py")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("selct = []", "unknown key 'selct' in [tool.pytest-lse]: did you mean select?"),
        ("zzz = 1", "unknown key 'zzz' in [tool.pytest-lse]: the keys are select, ignore"),
        ("select = 'LSE001'", "'select' in [tool.pytest-lse] must be a list of strings"),
        ("select = ['LSE999']", "unknown code 'LSE999' in 'select': did you mean"),
        ("per-file-ignores = []", "'per-file-ignores' in [tool.pytest-lse] must be a table of lists of codes"),
        ("per-file-ignores = {a = ['Q']}", "unknown code 'Q' in 'per-file-ignores'"),
        ("respect-gitignore = 1", "'respect-gitignore' in [tool.pytest-lse] must be true or false"),
        ("frameworks = ['caffe']", "'frameworks' in [tool.pytest-lse] must be a list of autograd, chainer, cupy"),
        ("exclude = ['[z-a]']", "invalid glob pattern '[z-a]'"),
        ("broken", "the configuration is not valid TOML"),
        ("a = " + "[" * 100_000, "the configuration is not valid TOML"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path, body, message):
    root = configured(tmp_path, body)
    with pytest.raises(ConfigError) as caught:
        Resolver().settings(root)
    assert str(caught.value).startswith(f"{root}/pyproject.toml: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot read the configuration: Is a directory"):
        Resolver().settings(str(tmp_path))
    with pytest.raises(ConfigError, match="cannot read the configuration: No such file"):
        Resolver(config=str(tmp_path / "no.toml"))


def test_a_file_that_is_not_utf8(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.pytest-lse]\n# \xff\n")
    with pytest.raises(ConfigError, match="the configuration is not UTF-8"):
        Resolver().settings(str(tmp_path))


def test_the_table_must_be_a_table(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool]\npytest-lse = 3\n")
    with pytest.raises(ConfigError, match="must be a table"):
        Resolver().settings(str(tmp_path))


def test_a_file_without_our_table_is_not_even_parsed(tmp_path):
    (tmp_path / "pyproject.toml").write_text("broken")
    assert Resolver().settings(str(tmp_path)).selection.select is None
