"""The contracts of .importlinter hold, and bite."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp

import opsbot

PACKAGE = Path(opsbot.__file__).parent
CONTRACTS = Path(__file__).parent.parent / ".importlinter"
HANDS = ("kube", "prometheus", "redis", "http", "llm", "store")


def lint(folder: Path) -> dict[str, str]:
    """Contract -> KEPT or BROKEN, for the package `opsbot` in this folder."""
    command = ["env", "COLUMNS=200", str(Path(sys.executable).with_name("lint-imports")), "--config", str(CONTRACTS),
               "--no-cache"]  # fmt: skip
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    found = dict(re.findall(r"^(.+?) +(KEPT|BROKEN)$", said.stdout, re.MULTILINE))
    assert found, said.stdout + said.stderr
    return found


def names() -> set[str]:
    config = configparser.ConfigParser()
    config.read(CONTRACTS)
    return {config[section]["name"] for section in config.sections() if ":contract:" in section}


def test_every_contract_holds() -> None:
    assert lint(PACKAGE.parent) == dict.fromkeys(names(), "KEPT")


TRESPASSES = {
    "core/target.py": "import opsbot.config",
    "diagnose/agent.py": "import opsbot.store, opsbot.testing",
    "kube/read.py": "import opsbot.kube.write",
    "commands/check.py": "import opsbot.practice, starlette, uvicorn",
    "monitor/state.py": "import opsbot.monitor.looking",
    "monitor/agent.py": "import kubernetes, prometheus_api_client, requests, urllib3, sqlalchemy, apscheduler, cel",
    "tasks/team.py": "import promql_parser, re2, regex, yaml, pydantic, rich, slack_bolt, slack_sdk, openai, httpx2",
}


def test_every_contract_bites(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "opsbot", ignore=shutil.ignore_patterns("__pycache__"))
    for name, trespass in TRESPASSES.items():
        with (tmp_path / "opsbot" / name).open("a") as file:
            file.write(f"\n\ndef _trespass() -> None:\n    {trespass}\n")
    assert lint(tmp_path) == dict.fromkeys(names(), "BROKEN")


def test_a_new_room_needs_a_layer(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "opsbot", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "opsbot" / "attic.py").write_text('"""A room that no layer names."""\n')
    assert lint(tmp_path)["Each room knows only what is below it"] == "BROKEN"


def test_every_hand_is_protected() -> None:
    config = configparser.ConfigParser()
    config.read(CONTRACTS)
    there = {f"opsbot.{hand}" for hand in HANDS if (PACKAGE / hand).is_dir() or (PACKAGE / f"{hand}.py").is_file()}
    assert set(config["importlinter:contract:hands"]["protected_modules"].split()) == there


def test_remediation_cannot_reach_a_model() -> None:
    graph = grimp.build_graph("opsbot", include_external_packages=True, cache_dir=None)
    models = {"opsbot.llm", "openai"} & graph.modules
    reached = {found for model in models for found in graph.find_downstream_modules(model, as_package=True)}
    assert not {module for module in reached if module.startswith("opsbot.remediate")}
