"""Maintenance windows of agent_config.yaml while a bot is at work: taken up as the file changes, that key alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot import config as settings
from opsbot.app import agents
from opsbot.app.maintenance import Maintenance
from opsbot.config import Config
from tests.app.test_web import CONFIG, Running, wait
from tests.monitor.receiving.payloads.payload_samples import alertmanager, entry

BASE = "kubernetes: {cluster: prod}\n"
NIGHT = "maintenance: [{name: night, from: '22:00', until: '06:00'}]\n"
ALWAYS = "maintenance: [{name: always, from: '00:00', until: '24:00'}]\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def to_disk(text: str) -> Path:
        """Another file in its place, as an editor or a mounted ConfigMap does it."""
        beside, file = tmp_path / "new", tmp_path / settings.NAME
        beside.write_text(text)
        return beside.replace(file)

    return to_disk


def names(found: Maintenance) -> list[str]:
    return [window.name for window in found.config.maintenance]


CHANGES: dict[str, tuple[str, bool, list[str], str]] = {
    "nothing": (BASE + NIGHT, False, ["night"], ""),
    "the same, spelt otherwise": (BASE + "# at night\n" + NIGHT, False, ["night"], ""),
    "another window": (BASE + ALWAYS, True, ["always"], "INFO maintenance windows were read again: always"),
    "the window is gone": (BASE, True, [], "INFO maintenance windows were read again: none"),
    "another key": (BASE + NIGHT + "limits: {mode: observe}\n", False, ["night"], "taken up by a restart only"),
    "a window that is wrong": (BASE + ALWAYS.replace("24:00", "25:00"), False, ["night"], "until: '25:00' is no time"),
    "another key that is wrong": (BASE + ALWAYS + "limits: {mode: x}\n", False, ["night"], "limits.mode"),
    "no YAML": ("maintenance: [", False, ["night"], "WARNING "),
    "an empty file": ("", False, ["night"], "the maintenance windows of before stay in force"),
}


@pytest.mark.parametrize(("text", "other", "held", "says"), CHANGES.values(), ids=CHANGES)
def test_what_a_changed_file_changes(
    write: Callable[[str], Path], caplog: pytest.LogCaptureFixture, text: str, other: bool, held: list[str], says: str
) -> None:
    found = Maintenance(settings.load(str(write(BASE + NIGHT))))
    assert not found.look()
    write(text)
    with caplog.at_level(logging.INFO, "opsbot.app"):
        looks = [found.look() for _ in range(3)]
    said = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
    assert (looks, names(found)) == ([other, False, False], held)
    assert len(said) == bool(says), "once for each change"
    assert all(says in line for line in said)


def test_a_file_that_is_gone_and_comes_back(write: Callable[[str], Path], caplog: pytest.LogCaptureFixture) -> None:
    file = write(BASE + NIGHT)
    found = Maintenance(settings.load(str(file)))
    file.unlink()
    assert [found.look(), found.look(), len(caplog.records), names(found)] == [False, False, 1, ["night"]]
    write(BASE + ALWAYS)
    assert [found.look(), found.look(), names(found)] == [True, False, ["always"]]


def test_what_changed_between_the_start_and_the_first_look_is_taken_up(write: Callable[[str], Path]) -> None:
    config = settings.load(str(write(BASE)))
    write(BASE + NIGHT)
    found = Maintenance(config)
    assert (found.look(), names(found)) == (True, ["night"])


def test_all_other_keys_stay_as_they_were(write: Callable[[str], Path]) -> None:
    found = Maintenance(settings.load(str(write(BASE))))
    write(BASE.replace("prod", "other") + NIGHT)
    assert (found.look(), names(found), found.config.kubernetes.cluster) == (True, ["night"], "prod")


def test_defaults_have_no_file_to_look_at() -> None:
    assert not Maintenance(Config(folder=Path())).look()


def test_a_bot_at_work_lets_go_of_what_no_window_holds_any_more(
    tmp_path: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "LOOK", timedelta(seconds=0.1))
    with Running(tmp_path, CONFIG + ALWAYS) as run:
        run.ask("POST", "/webhooks/alertmanager", alertmanager({**entry(), "labels": {"alertname": "Odd"}}))
        wait(lambda: [one.reason for one in run.store.verdicts()] == ["maintenance"])
        assert run.store.incidents() == ()
        write(CONFIG + ALWAYS.replace("24:00", "25:00"))
        write(CONFIG + ALWAYS.replace("from:", "match: [alertname=Other], from:"))
        wait(lambda: len(run.store.incidents(unresolved=True)) == 1)
