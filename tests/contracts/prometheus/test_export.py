"""What `export prometheus` writes beside the real programs: promtool accepts it, Prometheus loads the same rules."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from opsbot.core.alert import AlertRule
from opsbot.lab import export
from opsbot.monitor.rules import extras
from opsbot.practice.prometheus import command
from tests.lab import odd_rules


def written(folder: Path, rules: list[AlertRule]) -> Path:
    path = folder / "rules.yml"
    path.write_text(export.text(rules, "alerts.yaml"), encoding="utf-8")
    return path


def every_text() -> list[AlertRule]:
    """Each odd text once as a label and as an annotation, and rules by chance."""
    one = AlertRule("Texts", "up == 0", "critical")
    texts = [
        AlertRule(one.name, one.condition, one.severity, labels={"n": str(n), "text": text}, annotations={"yes": text})
        for n, text in enumerate(odd_rules.TEXTS)
    ]
    return texts + [rule for seed in range(5) for rule in odd_rules.rules(seed)]


def checked(program: Path, path: Path) -> tuple[int, str]:
    order = [str(program.with_name("promtool")), "check", "rules", str(path)]
    ran = subprocess.run(order, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_promtool_accepts_it(a_program: Path, tmp_path: Path) -> None:
    rules = list({(rule.name, rule.severity, *rule.labels.items()): rule for rule in every_text()}.values())
    code, said = checked(a_program, written(tmp_path, rules))
    assert (code, f"SUCCESS: {len(rules)} rules found" in said) == (0, True), said


def test_promtool_advises_against_rules_of_one_name_and_refuses_nothing(a_program: Path, tmp_path: Path) -> None:
    twins = [AlertRule("A", "up == 0", "critical"), AlertRule("A", "up == 1", "critical")]
    code, said = checked(a_program, written(tmp_path, twins))
    assert (code, "duplicate rule(s) found" in said) == (0, True), said


def test_prometheus_loads_the_same_texts(a_program: Path, tmp_path: Path) -> None:
    rules = list({rule.id: rule for rule in every_text()}.values())
    written(tmp_path, rules)
    want = [as_told(rule) for bundle in export.bundles(rules) for rule in bundle.rules]
    with loaded(a_program, tmp_path) as groups:
        assert [group["name"] for group in groups] == [bundle.name for bundle in export.bundles(rules)]
        assert [group["interval"] for group in groups] == [b.every.total_seconds() for b in export.bundles(rules)]
        assert [told(rule) for group in groups for rule in group["rules"]] == want


def as_told(rule: AlertRule) -> dict[str, Any]:
    """A rule of ours as Prometheus should tell it; conditions are spelt anew there."""
    return {
        "name": rule.name, "for": rule.hold_for.total_seconds(), "keep": rule.keep_firing_for.total_seconds(),
        "labels": {"severity": rule.severity, **rule.labels},
        "annotations": {**rule.annotations, **extras.written(rule.actions, export.plain(rule).target)},
    }  # fmt: skip


def told(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": rule["name"], "for": rule["duration"], "keep": rule["keepFiringFor"], "labels": rule["labels"],
        "annotations": rule["annotations"],
    }  # fmt: skip


@contextmanager
def loaded(program: Path, folder: Path) -> Iterator[list[dict[str, Any]]]:
    """The groups that a Prometheus has loaded from the folder."""
    (folder / "prometheus.yml").write_text(f"rule_files: [{folder}/rules.yml]\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command(program, folder, port), stdout=log, stderr=log)
        try:
            yield _groups(f"http://127.0.0.1:{port}", running, folder / "log")
        finally:
            running.terminate()
            running.wait(20)


def _groups(url: str, running: subprocess.Popen[bytes], log: Path) -> list[dict[str, Any]]:
    until = time.monotonic() + 30
    while time.monotonic() < until and running.poll() is None:
        try:
            answer = requests.get(f"{url}/api/v1/rules", timeout=5)
            found: list[dict[str, Any]] = answer.json()["data"]["groups"] if answer.ok else []
        except requests.ConnectionError:
            found = []
        if found:  # it answers before it has read its rules, and 503 before that
            return found
        time.sleep(0.1)
    pytest.fail(f"no rules: {re.sub(r'ts=[^ ]* ', '', log.read_text())[-2000:]}")
