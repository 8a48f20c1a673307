"""Prometheus' own files on the command line and in the service: check, test, and rules that change while it runs."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsbot import config as settings
from opsbot.app import Bot, connect
from opsbot.app import agents as agents_module
from opsbot.testing.prometheus import FakePrometheus, vector
from tests.cli.conftest import ALERTS, Terminal

RULES = """\
groups:
  - name: shop
    rules:
      - {record: shop:busy, expr: sum(busy)}
      - alert: ShopBusy
        expr: shop:busy > 1
        labels: {severity: critical}
"""
BAD = RULES.replace("> 1", "> rate(x)")


def checked(terminal: Terminal, *files: str) -> tuple[int, list[dict[str, Any]]]:
    code, answer = terminal.ask("check", *files)
    return code, answer["files"]


def test_check_reads_a_rule_file(terminal: Terminal) -> None:
    (terminal.folder / "x.yaml").write_text(RULES)
    code, (found,) = checked(terminal, "x.yaml")
    assert (code, found["kind"], found["rules"], found["problems"], found["warnings"]) == (
        0,
        "prometheus_rules",
        1,
        [],
        [],
    )
    assert [entry["name"] for entry in found["ignored"]] == ["shop:busy"]


def test_check_shows_the_place_of_what_is_wrong(terminal: Terminal) -> None:
    (terminal.folder / "x.yaml").write_text(BAD)
    code, (found,) = checked(terminal, "x.yaml")
    (problem,) = found["problems"]
    assert (code, problem["line"], problem["rule"], problem["excerpt"]) == (
        1,
        6,
        "ShopBusy",
        "shop:busy > rate(x)\n                 ^",
    )
    _, out, _ = terminal.run("check", "x.yaml")
    assert "x.yaml:6:15: ShopBusy: expr: no PromQL" in out
    assert "    shop:busy > rate(x)\n                     ^" in out


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kind: PrometheusRule\nspec: {groups: []}", "prometheus_rules"), ("tests: []", "rule_tests"),
        ("rule_files: []\ntests: []", "rule_tests"), ("rule_files: []", "alerts"),
        ("alerts: []\nrule_files: []", "alerts"),
        ("kind: List\nitems: [{kind: PrometheusRule}]", "prometheus_rules"), ("kind: List\nitems: [{kind: Pod}]", None),
    ],
)  # fmt: skip
def test_the_kind_of_a_file_is_told_by_its_keys(terminal: Terminal, text: str, kind: str | None) -> None:
    (terminal.folder / "x.yaml").write_text(text)
    assert checked(terminal, "x.yaml")[1][0]["kind"] == kind


def test_check_without_files_reads_those_that_alerts_yaml_names(terminal: Terminal) -> None:
    (terminal.folder / "alerts.yaml").write_text("rule_files: [more/*.yaml]\n" + ALERTS)
    (terminal.folder / "more").mkdir()
    (terminal.folder / "more/x.yaml").write_text(BAD)
    code, found = checked(terminal)
    assert code == 1
    assert [Path(file["path"]).name for file in found if file["problems"]] == ["x.yaml"]


def test_check_tells_of_metrics_that_a_prometheus_does_not_have(terminal: Terminal) -> None:
    fake = FakePrometheus()
    asked = 'count by (__name__) ({__name__=~"response_time|shop:busy"})'
    fake.says(asked, vector(({"__name__": "response_time"}, 1)))
    (terminal.folder / "x.yaml").write_text(RULES)
    with fake.serve() as url:
        config = terminal.folder / "agent_config.yaml"
        config.write_text(config.read_text().replace("http://127.0.0.1:9'", f"{url}'"))
        code, found = checked(terminal, "alerts.yaml", "x.yaml")
    assert (code, [len(file["warnings"]) for file in found]) == (0, [0, 1])
    assert "no series of the metric 'shop:busy'" in found[1]["warnings"][0]["message"]


@pytest.mark.parametrize(
    ("added", "why"),
    [("", "Prometheus"), ("unknown: 1\n", "the config has problems\n")],
    ids=["nobody there", "bad config"],
)
def test_check_tells_why_metrics_were_not_looked_up(terminal: Terminal, added: str, why: str) -> None:
    (terminal.folder / "x.yaml").write_text(RULES)
    with (terminal.folder / "agent_config.yaml").open("a") as config:
        config.write(added)
    code, out, _ = terminal.run("check", "x.yaml")
    assert code == 0
    assert f"metrics were not looked up: {why}" in out
    assert out.endswith("1 file read, 0 problems\n")


@pytest.mark.real("prometheus")
def test_unit_tests_of_promtool(
    terminal: Terminal, prometheus_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", f"{prometheus_program.parent}:{os.environ['PATH']}")
    tests = {
        "rule_files": ["x.yaml"],
        "tests": [
            {
                "input_series": [{"series": "busy", "values": "1 2 3"}],
                "alert_rule_test": [
                    {"eval_time": "0m", "alertname": "ShopBusy"},
                    {
                        "eval_time": "2m",
                        "alertname": "ShopBusy",
                        "exp_alerts": [{"exp_labels": {"severity": "critical"}}],
                    },
                    {"eval_time": "2m", "alertname": "ShopBusy"},
                ],
                "promql_expr_test": [{"expr": "shop:busy", "exp_samples": [{"labels": "shop:busy", "value": 1}]}],
            }
        ],
    }
    (terminal.folder / "x.yaml").write_text(RULES)
    (terminal.folder / "t.yaml").write_text(json.dumps(tests))
    code, answer = terminal.ask("test", "t.yaml")
    assert [case["passed"] for case in answer["cases"]] == [True, True, False, True]
    assert (code, answer["passed"], answer["failed"]) == (1, 3, 1)
    assert [case["name"] for case in answer["cases"]] == [
        "ShopBusy at 0s", "ShopBusy at 2m", "ShopBusy at 2m", "shop:busy at 0s",
    ]  # fmt: skip
    assert answer["cases"][2]["got"][0]["labels"] == {"alertname": "ShopBusy", "severity": "critical"}


def test_unit_tests_of_bad_rules_are_refused(terminal: Terminal, prometheus_program: Path) -> None:
    (terminal.folder / "x.yaml").write_text(BAD)
    (terminal.folder / "t.yaml").write_text("rule_files: [x.yaml]\ntests: [{alert_rule_test: [{alertname: A}]}]")
    code, answer = terminal.ask("test", "t.yaml")
    assert (code, answer["problems"][0]["rule"]) == (2, "ShopBusy")


@pytest.mark.real("prometheus")
def test_a_file_with_problems_keeps_no_other_from_its_cases(
    terminal: Terminal, prometheus_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", f"{prometheus_program.parent}:{os.environ['PATH']}")
    (terminal.folder / "x.yaml").write_text(BAD)
    for name, head in {
        "bad.yaml": "rule_files: [x.yaml]\n",
        "good.yaml": "",
        "odd.yaml": "evaluation_interval: x\n",
    }.items():
        (terminal.folder / name).write_text(f"{head}tests: [{{promql_expr_test: [{{expr: nosuch}}]}}]")
    code, answer = terminal.ask("test", "bad.yaml", "good.yaml", "odd.yaml")
    assert (code, [case["file"] for case in answer["cases"]]) == (2, ["good.yaml"])
    assert {problem["file"] for problem in answer["problems"]} == {"x.yaml", "odd.yaml"}
    assert answer["prometheus"]["path"] == str(prometheus_program)


@pytest.mark.parametrize("tests", ["[]", "[{}]"], ids=["no entry", "an empty one"])
def test_a_unit_test_file_may_have_nothing_to_run(terminal: Terminal, tests: str) -> None:
    (terminal.folder / "t.yaml").write_text(f"rule_files: [gone.yaml]\ntests: {tests}")
    code, answer = terminal.ask("test", "t.yaml")
    assert (code, answer["cases"], answer["prometheus"]) == (0, [], None)
    assert [one["message"] for one in answer["warnings"]] == [
        "rule_files: 'gone.yaml' names no file", "has no case: nothing was compared",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["serve", "check"])
def test_what_is_wrong_names_its_rule_at_each_door(terminal: Terminal, verb: str) -> None:
    (terminal.folder / "alerts.yaml").write_text("rule_files: [x.yaml]\n" + ALERTS)
    (terminal.folder / "x.yaml").write_text(BAD)
    code, out, err = terminal.run(verb)
    assert code == (2 if verb == "serve" else 1)
    assert "x.yaml:6:15: ShopBusy: expr: no PromQL" in out + err
    assert err.endswith("opsbot: did not start: 1 problem\n") is (verb == "serve")


def test_rules_are_taken_up_while_the_bot_is_at_work(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_module, "LOOK", timedelta(seconds=0.1))
    (terminal.folder / "alerts.yaml").write_text("rule_files: [x.yaml]\n" + ALERTS)
    (terminal.folder / "x.yaml").write_text(RULES)
    hands = connect(settings.load())
    bot = Bot(settings.load(), hands)
    bot.start()
    try:
        change(terminal.folder / "x.yaml", RULES.replace("ShopBusy", "ShopFull"))
        until(lambda: [rule.name for rule in bot.agents.rules] == ["High Task Latency", "ShopFull"])
        assert set(bot.agents.every) == {rule.id for rule in bot.agents.rules}
        change(terminal.folder / "x.yaml", BAD)
        until(lambda: any(incident.key == "rules/invalid" for incident in hands.store.incidents(unresolved=True)))
        assert [rule.name for rule in bot.agents.rules] == ["High Task Latency", "ShopFull"]
        change(terminal.folder / "x.yaml", RULES)
        until(lambda: not hands.store.incidents(key="rules/invalid", unresolved=True))
        assert [rule.name for rule in bot.agents.rules] == ["High Task Latency", "ShopBusy"]
    finally:
        bot.stop()
        hands.store.close()


def change(file: Path, text: str) -> None:
    """Another file in its place, as an editor or a mounted ConfigMap does it."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


def until(holds: Any) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)
