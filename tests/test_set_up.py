"""The set-up of a checkout: which Python it takes, when it starts anew, and what is said when it cannot go on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from opsbot.core.errors import PermanentError

ROOT = Path(__file__).parent.parent


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up as if for a checkout in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("set_up_environment", ROOT / ".ci" / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOCK", tmp_path / "requirements.lock")
    return module


def set_up(folder: Path, *pythons: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """Run .ci/setup with these programs (name, what they are in shell) on PATH."""
    (folder / "bin").mkdir()
    for name, text in pythons:
        program = folder / "bin" / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    for name in ("dirname", "sh"):
        (folder / "bin" / name).symlink_to(f"/usr/bin/{name}")
    command = ["/usr/bin/env", "-i", f"PATH={folder / 'bin'}", "/bin/sh", str(ROOT / ".ci" / "setup")]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


NEW = 'if [ "$1" = -c ]; then exit 0; fi; echo "$0 $*"'
OLD = "exit 1"


@pytest.mark.parametrize(("pythons", "taken"), [
    pytest.param([("python3.11", NEW), ("python3", NEW)], "python3.11", id="3.11 first"),
    pytest.param([("python3", NEW)], "python3", id="the usual one"),
    pytest.param([("python3", OLD), ("python3.13", NEW)], "python3.13", id="the usual one is too old"),
])  # fmt: skip
def test_which_python(tmp_path: Path, pythons: list[tuple[str, str]], taken: str) -> None:
    said = set_up(tmp_path, *pythons)
    assert said.returncode == 0, said.stderr
    assert said.stdout.split() == [str(tmp_path / "bin" / taken), "-B", str(ROOT / ".ci" / "environment.py")]


@pytest.mark.parametrize("pythons", [[], [("python3", OLD)]], ids=["none", "too old"])
def test_no_python(tmp_path: Path, pythons: list[tuple[str, str]]) -> None:
    said = set_up(tmp_path, *pythons)
    assert said.returncode == 1
    assert "there is no Python 3.11 or later" in said.stderr
    assert "apt-get install python3" in said.stderr


@pytest.mark.parametrize(("said", "words"), [
    pytest.param("OSError: [Errno 28] No space left on device", ["the disk is full", "make room"], id="disk"),
    pytest.param("NewConnectionError(... Temporary failure in name resolution)", ["cannot be reached", "HTTPS_PROXY"],
                 id="no network"),
    pytest.param("ERROR: Could not find a version that satisfies x (from versions: none)", ["cannot be reached"],
                 id="an index that answers nothing"),
    pytest.param("SSLError(CERTIFICATE_VERIFY_FAILED)", ["cannot be trusted", "PIP_CERT"], id="certificates"),
    pytest.param("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", ["not the one that was locked"], id="hash"),
    pytest.param("one\ntwo\nthree\nfour", ["two | three | four"], id="anything else"),
])  # fmt: skip
def test_a_failure_is_told_with_a_way_on(environment: ModuleType, tmp_path: Path, said: str, words: list[str]) -> None:
    (tmp_path / "cache" / "opsbot").mkdir(parents=True)
    told = environment.explain(said, "downloading")
    assert all(word in told for word in ["downloading failed", *words])
    assert (tmp_path / "cache" / "opsbot" / "set-up.log").read_text() == said


def test_a_cache_that_cannot_be_made(environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(environment, "NEEDED", {tmp_path / "file" / "cache": 1})
    with pytest.raises(PermanentError, match="set XDG_CACHE_HOME"):
        environment.room()


def test_a_disk_without_room(environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "NEEDED", {tmp_path: 10**9})
    with pytest.raises(PermanentError, match="the disk is full"):
        environment.room()


def test_a_command_that_fails_is_explained(environment: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "cache" / "opsbot").mkdir(parents=True)
    fails = [sys.executable, "-c", "raise SystemExit('No space left on device')"]
    assert environment.run(fails, "trying", fails=False) is False
    with pytest.raises(PermanentError, match="trying failed: the disk is full"):
        environment.run(fails, "trying")


def test_pip_hears_nothing_that_would_lead_it_elsewhere(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment.MISLEADING:
        monkeypatch.setenv(name, "/elsewhere")
    told = [
        sys.executable,
        "-c",
        f"import os, sys; sys.exit(any(name in os.environ for name in {environment.MISLEADING}))",
    ]
    assert environment.run(told, "looking") is True


@pytest.mark.parametrize(("name", "old", "new", "anew"), [
    pytest.param("requirements.lock", "mypy==", "mypy==0.", True, id="another lock"),
    pytest.param("pyproject.toml", 'opsbot = "opsbot.cli:main"', 'o = "opsbot.cli:main"', True, id="other programs"),
    pytest.param("pyproject.toml", "line-length = 120", "line-length = 100", False, id="a setting of a tool"),
])  # fmt: skip
def test_what_makes_a_new_environment(
    environment: ModuleType, tmp_path: Path, name: str, old: str, new: str, anew: bool
) -> None:
    before = environment.stamp()
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    assert (environment.stamp() != before) is anew


def test_a_moved_checkout_makes_a_new_environment(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = environment.stamp()
    assert before.splitlines()[1] == str(tmp_path)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "pyproject.toml").write_text((tmp_path / "pyproject.toml").read_text())
    monkeypatch.setattr(environment, "ROOT", moved)
    assert environment.stamp() != before


def test_progress_counts_packages(environment: ModuleType) -> None:
    said = "Collecting attrs==26.1.0\n  Downloading attrs.whl\nCollecting click==8.5.1\n"
    whole = (ROOT / "requirements.lock").read_text().count("==") - (ROOT / "requirements.lock").read_text().count(
        " == "
    )
    told = environment.far(said)
    assert told.startswith(" 2 of ")
    assert told.endswith("packages, click")
    assert 50 < int(told.split()[2]) <= whole
    assert environment.far("nothing yet") == ""


def test_the_lock_names_no_host_and_hashes_everything() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    blocks = [block for block in text.replace("\\\n", " ").splitlines() if block and block[0].isalnum()]
    assert len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)
