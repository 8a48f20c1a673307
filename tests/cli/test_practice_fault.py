"""`opsbot practice fault` on the command line: names, hints, and one fault from its setting to its end."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsbot.cli import main
from opsbot.cli.practice.fault import looks
from opsbot.config import cache_folder
from opsbot.practice.faults import ALL, BY_NAME
from opsbot.practice.recipes import PLANE, built

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def no_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str) -> tuple[int, str, str]:
        code = main(["practice", "fault", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_they_are_listed_without_a_plane(run: Run, no_plane: None) -> None:
    code, out, err = run("--list")
    assert (code, err) == (0, "")
    assert [name for name in BY_NAME if f"  {name} " not in out] == []
    assert out.endswith("none is set\n")


def test_the_list_is_for_programs_too(run: Run, no_plane: None) -> None:
    code, out, _ = run("--list", "--format", "json")
    rows = json.loads(out)["faults"]
    assert code == 0
    assert [row["name"] for row in rows] == [fault.name for fault in ALL]
    assert not any(row["set"] for row in rows)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "which fault? `opsbot practice fault --list` shows them"),
        (("out_of_memori",), "'out_of_memori' is no fault to practise on (did you mean out_of_memory?)"),
        (("zzz",), "'zzz' is no fault to practise on (`opsbot practice fault --list` shows them)"),
        (("../../etc", "--heal"), "'../../etc' is no fault to practise on"),
        (("dns_failing",), "'dns_failing' is no fault to practise on"),
        (("x" * 5000,), f"'{'x' * 60}' is no fault"),
        (("out_of_memory",), "no plane is up. To go on: `opsbot practice up`"),
        (("out_of_memory", "--heal"), "no plane is up. To go on: `opsbot practice up`"),
        (("--heal",), "no plane is up. To go on: `opsbot practice up`"),
    ],
    ids=["nothing", "near", "far", "a path", "known, not here", "long", "no plane", "heal", "heal all"],
)
def test_what_cannot_be_done_is_a_sentence(words: tuple[str, ...], hint: str, run: Run, no_plane: None) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert hint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("app_crash", "describe pods -l practice.opsbot/fault=app_crash"),
        ("app_crash", "logs deploy/app-crash -c app-crash --previous"),
        ("init_container_failing", "logs deploy/init-container-failing -c migrate --previous"),
        ("node_not_ready", "describe node/practice-node-node-not-ready"),
        ("replicas_zero", "describe deploy/replicas-zero"),
        ("service_selects_nothing", "describe service/service-selects-nothing"),
    ],
)
def test_it_says_what_to_look_at(name: str, words: str) -> None:
    assert words in looks(BY_NAME[name])


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plane that `practice up` has raised, in a cache of its own."""
    if built(PLANE, cache_folder()) is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build plane` makes it")
    home = PLANE.home(cache_folder())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder().mkdir()
    (cache_folder() / home.name).symlink_to(home)
    assert main(["practice", "up"]) == 0
    yield
    assert main(["practice", "down"]) == 0


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_one_is_set_looked_at_diagnosed_and_healed(run: Run, plane: None, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code, out, _ = run("config-map-missing", "--format", "json")
    said: dict[str, Any] = json.loads(out)
    assert (code, said["set"]) == (0, "config_map_missing")
    for command in said["kubectl"]:
        asked = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
        assert (asked.returncode, asked.stderr) == (0, "")
    assert main([*shlex.split(said["diagnose"])[1:], "--format", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert (findings[0]["fault"], findings[0]["cause"]) == ("config_map_missing", True)
    assert "* config_map_missing" in run("--list")[1]
    assert run("config_map_missing")[:2] == (0, run("config_map_missing")[1])
    assert run("replicas_zero")[0] == 0
    assert run("config_map_missing", "--heal")[1] == "config_map_missing is healed\n"
    assert run("config_map_missing", "--heal")[:2] == (0, "config_map_missing is not set\n")
    assert run("--heal")[1] == "replicas_zero is healed\n"
    assert run("--heal")[1] == "no fault is set\n"
    assert "* " not in run("--list")[1]
