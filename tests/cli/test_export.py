"""`opsbot export prometheus` on the command line: the rule file on stdout, as JSON, or in a file that is never half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsbot.monitor.rules import promfile
from tests.cli.conftest import Terminal

HEAD = "# Made by `opsbot export prometheus` from alerts.yaml"


def names(text: str) -> list[str]:
    return [rule.name for rule in promfile.parse(text, "x").alerts]


def test_the_file_is_printed_as_it_is(terminal: Terminal) -> None:
    long = "x" * 500 + " \U0001f525 [bold]é"
    (terminal.folder / "alerts.yaml").write_text(
        f"alerts: [{{name: A, condition: up == 0, severity: info, annotations: {{summary: '{long}'}}}}]\n"
    )
    code, out, err = terminal.run("export", "prometheus")
    assert (code, err, names(out)) == (0, "", ["A"])
    assert out == terminal.ask("export", "prometheus")[1]["text"]
    assert f"summary: '{long}'" in out


def test_as_json(terminal: Terminal) -> None:
    code, answer = terminal.ask("export", "prometheus")
    assert (code, answer["rules"], answer["output"]) == (0, 1, None)
    assert answer["groups"] == [{"name": "opsbot every 30s", "interval": "30s", "rules": 1}]
    assert names(answer["text"]) == ["High Task Latency"]


def test_into_a_file(terminal: Terminal) -> None:
    code, out, _ = terminal.run("export", "prometheus", "--output", "rules.yml")
    path = terminal.folder / "rules.yml"
    assert (code, out) == (0, f"1 rule in 1 group written to {path.resolve()}\n")
    assert path.read_text().startswith(HEAD)
    assert path.read_text() == terminal.ask("export", "prometheus")[1]["text"]


def test_anew_over_an_older_one_whose_mode_and_links_stay(terminal: Terminal) -> None:
    path, link = terminal.folder / "old.yml", terminal.folder / "link.yml"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    assert terminal.run("export", "prometheus", "--output", "link.yml")[0] == 0
    assert (link.is_symlink(), path.stat().st_mode & 0o777, names(path.read_text())) == (
        True, 0o640, ["High Task Latency"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "name", "awaited"),
    [
        ("more/*.yaml", "more/new.yaml", True), ("more/*.yaml", "more/new.yml", False), ("**/*.yaml", "new.yaml", True),
        ("more/*.yaml", "more/deep/new.yaml", False), ("**/*.yaml", "more/deep/new.yaml", True),
        ("more/**/n*.yaml", "more/new.yaml", True), ("./more/../new.y?ml", "new.yaml", True),
        ("new.yaml", "new.yaml", True), ("more/*.yaml", "rules/new.yaml", True), ("*.yml", "playbooks/new.yml", True),
        ("/nowhere/*.yaml", "new.yaml", False), ("more/**/*.yaml", "new.yaml", False),
    ],
)  # fmt: skip
def test_no_file_is_made_where_opsbot_would_read_it(terminal: Terminal, pattern: str, name: str, awaited: bool) -> None:
    alerts = terminal.folder / "alerts.yaml"
    for folder in ("more/deep", "rules", "playbooks"):
        (terminal.folder / folder).mkdir(parents=True)
    alerts.write_text(f"rule_files: ['{pattern}']\n" + alerts.read_text())
    code, _, err = terminal.run("export", "prometheus", "--output", name)
    assert (code, "is a file that opsbot reads itself" in err) == ((2, True) if awaited else (0, False)), err
    assert (terminal.folder / name).exists() is not awaited


@pytest.mark.parametrize("name", ["alerts.yaml", "./alerts.yaml", "agent_config.yaml", "link.yaml", "more/a.yaml"])
def test_files_that_opsbot_reads_are_left_alone(terminal: Terminal, name: str) -> None:
    folder = terminal.folder
    alerts = folder / "alerts.yaml"
    alerts.write_text("rule_files: [more/*.yaml]\n" + alerts.read_text())
    (folder / "more").mkdir()
    (folder / "more/a.yaml").write_text("groups: []\n")
    (folder / "link.yaml").symlink_to(alerts)
    before = (folder / name).read_text()
    code, out, err = terminal.run("export", "prometheus", "--output", name)
    assert (code, out, "is a file that opsbot reads itself" in err) == (2, "", True)
    assert (folder / name).read_text() == before


@pytest.mark.parametrize("name", ["none/x.yml", ".", "pipe", "a\0b", "x" * 300, "loop"])
def test_what_is_no_place_for_a_file(terminal: Terminal, name: str) -> None:
    os.mkfifo(terminal.folder / "pipe")
    (terminal.folder / "loop").symlink_to("loop")
    before = set(terminal.folder.iterdir())
    code, answer = terminal.ask("export", "prometheus", "--output", name)
    assert (code, list(answer)) == (2, ["error"])
    assert set(terminal.folder.iterdir()) == before


def test_nothing_is_left_of_a_write_that_fails(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    (terminal.folder / "rules.yml").write_text("old")
    before = set(terminal.folder.iterdir())
    monkeypatch.setattr(os, "fsync", full)
    code, answer = terminal.ask("export", "prometheus", "--output", "rules.yml")
    assert (code, answer["error"].endswith("cannot be written: No space left on device")) == (2, True)
    assert set(terminal.folder.iterdir()) == before
    assert (terminal.folder / "rules.yml").read_text() == "old"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alerts: [{name: A, condition: up ==, severity: info}]", "alerts.yaml:1:31: A: condition: no PromQL"),
        ("alerts: [{name: A, condition: up == 0, severity: info, annotations: {opsbot_target: b}}]", "to opsbot"),
        ("alerts: [{name: A, condition: up == 0, severity: info, actions: [nosuch]}]", "no playbook 'nosuch'"),
        (None, "there is no such file"),
    ],
    ids=["condition", "annotation", "playbook", "missing"],
)  # fmt: skip
def test_problems_refuse_the_export(terminal: Terminal, text: str | None, says: str) -> None:
    alerts: Path = terminal.folder / "alerts.yaml"
    alerts.unlink()
    if text:
        alerts.write_text(text)
    code, out, err = terminal.run("export", "prometheus", "--output", "rules.yml")
    assert (code, out, says in err) == (2, "", True), err
    assert not (terminal.folder / "rules.yml").exists()
