"""Which file is in force, and what the environment may say."""

from pathlib import Path

import pytest

from opsbot import config
from opsbot.config import environment
from opsbot.core.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSBOT_CONFIG", raising=False)
    return tmp_path


def test_the_named_file_wins_over_the_environment_and_that_over_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config.find(None) is None
    (folder / config.NAME).write_text("{}")
    assert config.find(None) == Path(config.NAME)
    (folder / "other.yaml").write_text("{}")
    monkeypatch.setenv("OPSBOT_CONFIG", str(folder / "other.yaml"))
    assert config.find(None) == folder / "other.yaml"
    assert config.find(config.NAME) == Path(config.NAME)


@pytest.mark.parametrize("named", [True, False], ids=["on the line", "in the environment"])
def test_a_named_file_must_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    monkeypatch.setenv("OPSBOT_CONFIG", "gone.yaml")
    with pytest.raises(ConfigError, match=r"gone.yaml: there is no such config file"):
        config.load("gone.yaml" if named else None)


def test_without_a_file_there_are_defaults(folder: Path) -> None:
    found = config.load()
    assert (found.file, config.store_url(found)) == (None, f"sqlite:///{folder}/opsbot.db")


def test_kubeconfig_is_what_kubectl_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a/one:/b/two")
    assert config.kubeconfig() == Path("/a/one")
    monkeypatch.delenv("KUBECONFIG")
    assert config.kubeconfig() == Path.home() / ".kube" / "config"


@pytest.mark.parametrize(("read", "named", "home"), [
    ("in-cluster", "", "ops"), ("in-cluster", "other", "other"), ("reader", "", ""), ("reader", "other", "other"),
], ids=["in a pod", "in a pod, named", "elsewhere", "elsewhere, named"])  # fmt: skip
def test_home_is_what_config_says_or_the_pod_knows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, read: str, named: str, home: str
) -> None:
    (folder / "namespace").write_text("ops\n")
    monkeypatch.setattr(environment, "POD_NAMESPACE", folder / "namespace")
    (folder / config.NAME).write_text(f"kubernetes: {{home: '{named}', read: {{context: {read}}}}}")
    assert config.home(config.load()) == home


@pytest.mark.parametrize("content", [None, b"", b"\xff"], ids=["no file", "empty", "no text"])
def test_outside_of_a_pod_there_is_no_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (folder / "namespace").write_bytes(content)
    monkeypatch.setattr(environment, "POD_NAMESPACE", folder / "namespace")
    assert environment.pod_namespace() == ""


def test_the_cache_lies_outside_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert config.cache_folder() == Path("/var/cache/opsbot")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert config.cache_folder() == Path.home() / ".cache" / "opsbot"


def test_own_rules_come_after_the_shipped_ones(folder: Path) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "mine.yaml").write_text("rules: []")
    files = config.load().data_files("rules")
    assert files[-1] == (Path("rules/mine.yaml"), False)
    assert all(shipped for _, shipped in files[:-1])
