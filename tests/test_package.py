"""The wheel, in a fresh environment and an empty folder: rules and playbooks ship inside it and load from anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Installed:
    """A wheel, and a fresh environment in which nothing but it is installed; its dependencies are borrowed."""

    wheel: Path
    bin: Path
    empty: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            cwd=self.empty,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, *words: str) -> tuple[int, Any]:
        said = self.run("opsbot", *words, "--format", "json")
        assert not said.stderr, said.stderr
        return said.returncode, json.loads(said.stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("package")
    fresh, empty = folder / "fresh", folder / "empty"
    empty.mkdir()
    _do([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)])
    (wheel,) = folder.glob("*.whl")
    _do([sys.executable, "-m", "venv", "--without-pip", str(fresh)])
    _do([sys.executable, "-m", "pip", "--python", str(fresh), "install", "--no-deps", "--no-index", str(wheel)])
    (site,) = fresh.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return Installed(wheel, fresh / "bin", empty)


def _do(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def names(kind: str) -> set[str]:
    return {file.name for file in (ROOT / kind).glob("*.yaml")}


def test_it_is_the_wheel_that_runs(installed: Installed) -> None:
    said = installed.run("python", "-c", "import opsbot; print(opsbot.__file__)")
    assert Path(said.stdout.strip()).is_relative_to(installed.bin.parent)


@pytest.mark.parametrize("kind", ["rules", "playbooks"])
def test_the_wheel_holds_the_data(installed: Installed, kind: str) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith(f"opsbot/shipped/{kind}/")}
    assert {Path(name).name for name in inside} == names(kind)


def test_the_wheel_holds_what_the_practice_ground_is_built_from(installed: Installed) -> None:
    files = (ROOT / "opsbot" / "practice").rglob("*.*")
    data = {file.relative_to(ROOT).as_posix() for file in files if file.suffix not in (".py", ".pyc")}
    assert {f"opsbot/practice/{of}/go.{kind}" for of in ("plane", "prometheus") for kind in ("mod", "sum")} < data
    assert "opsbot/practice/go-requirements.txt" in data
    with zipfile.ZipFile(installed.wheel) as wheel:
        assert data - set(wheel.namelist()) == set()


def test_the_wheel_holds_what_belongs_to_the_package_alone(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        inside = wheel.namelist()
    tops = {name.split("/")[0] for name in inside}
    assert {top for top in tops if not top.startswith("opsbot")} == set()
    assert "opsbot/py.typed" in inside
    assert any(name.endswith("/licenses/LICENSE") for name in inside)
    assert [name for name in inside if "__pycache__" in name or "test_" in Path(name).name] == []


def test_shipped_playbooks_load_in_an_empty_folder(installed: Installed) -> None:
    code, data = installed.ask("playbook", "list")
    assert code == 0
    assert {f"{playbook['name']}.yaml" for playbook in data["playbooks"]} == names("playbooks")


def test_shipped_files_have_no_problems(installed: Installed) -> None:
    code, data = installed.ask("check")
    assert (code, data["problems"]) == (0, 0)
    assert {Path(file["path"]).name for file in data["files"]} == names("rules") | names("playbooks")
    assert all(Path(file["path"]).is_relative_to(installed.bin.parent) for file in data["files"])


def test_the_cases_of_rules_and_playbooks_pass(installed: Installed) -> None:
    code, data = installed.ask("test")
    assert (code, data["failed"]) == (0, 0)
    assert {Path(case["file"]).name for case in data["cases"]} == names("rules") | names("playbooks")


def test_a_users_own_files_are_added(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    own = (ROOT / "playbooks" / "restart_workload.yaml").read_text().replace("restart_workload", "restart_gently")
    (tmp_path / "playbooks" / "restart_gently.yaml").write_text(own)
    (tmp_path / "agent_config.yaml").write_text("limits: {mode: observe}\n")
    code, data = installed.ask("playbook", "list", "--config", str(tmp_path / "agent_config.yaml"))
    assert code == 0
    assert {f"{playbook['name']}.yaml" for playbook in data["playbooks"]} == {
        *names("playbooks"),
        "restart_gently.yaml",
    }


def test_nothing_is_left_in_the_folder(installed: Installed) -> None:
    installed.run("opsbot", "--help")
    installed.ask("check")
    assert list(installed.empty.iterdir()) == []
