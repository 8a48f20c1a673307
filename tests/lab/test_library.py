"""Prometheus rule files among the diagnosis rules: what is in force, and that `check` says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsbot.config import Config
from opsbot.core.errors import ConfigError
from opsbot.lab import check, library

RULES = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n"
OBJECT = "kind: PrometheusRule\nspec: {groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]}\n"
NAMED = "rule_files: ['rules/*.yaml']\n"
OTHERS = "alerts: []\n"
OWN = "rules: []\n"

PLACED: dict[str, tuple[str, str, str]] = {
    "named": (NAMED, RULES, ""),
    "an object, named": (NAMED, OBJECT, ""),
    "two documents, named": (NAMED, RULES + "---\n" + OBJECT, ""),
    "by its plain name": ("rule_files: [rules/a.yaml]\n", RULES, ""),
    "empty, named": (NAMED, "# soon\n", ""),
    "not named": (OTHERS, RULES, "is a Prometheus rule file"),
    "an object, not named": (OTHERS, OBJECT, "is a Prometheus rule file"),
    "empty, not named": (OTHERS, "", "is empty"),
    "no YAML": (NAMED, "groups: [", "flow"),
    "diagnosis rules that are named": (NAMED, OWN, "is no Prometheus rule file"),
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "rules").mkdir()
    return Config(folder=tmp_path)


def judged(config: Config) -> list[str]:
    """What `check` has to say of the file among the rules."""
    found = check.check(library.files(config), config)
    return [problem.message for each in found if each.path.name == "a.yaml" for problem in each.problems]


def served(config: Config) -> list[str]:
    """What `serve` has to say of it before it begins."""
    said: list[str] = []
    for read in (lambda: library.rules(config, library.playbooks(config)), lambda: library.alerts(config, {})):
        try:
            read()
        except ConfigError as error:
            said += [problem.message for problem in error.problems if problem.file.endswith("a.yaml")]
    return said


@pytest.mark.parametrize(("alerts", "text", "says"), PLACED.values(), ids=PLACED.keys())
def test_check_and_serve_agree(config: Config, alerts: str, text: str, says: str) -> None:
    config.alerts_file.write_text(alerts)
    (config.folder / "rules" / "a.yaml").write_text(text)
    found = judged(config)
    assert bool(found) == bool(served(config))
    assert says in " ".join(found)
    assert says or not found


def test_a_rule_file_is_asked_for_once_and_the_diagnosis_rules_stay(config: Config) -> None:
    known = library.playbooks(config)
    before = library.rules(config, known)
    config.alerts_file.write_text(NAMED)
    (config.folder / "rules" / "a.yaml").write_text(RULES)
    assert library.rules(config, known) == before
    assert [rule.name for rule in library.alerts(config, known)] == ["A"]


def test_what_is_wrong_says_what_to_do(config: Config) -> None:
    config.alerts_file.write_text(OTHERS)
    (config.folder / "rules" / "a.yaml").write_text(RULES)
    with pytest.raises(ConfigError) as caught:
        library.rules(config, library.playbooks(config))
    assert str(caught.value).endswith("a.yaml:1:1: is a Prometheus rule file (name it in rule_files of alerts.yaml)")
