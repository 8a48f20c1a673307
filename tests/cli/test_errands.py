"""What a person on call types, from the first look to the record, on a fake cluster behind the real client."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsbot import config as settings
from opsbot.testing.model import FakeModelServer, Said
from opsbot.testing.slack import FakeSlack
from tests.cli.conftest import Terminal

DEPLOYMENT = ("deploy/agents", "-n", "agents")


def asked(terminal: Terminal) -> str:
    """A manual run, planned: the prefix of the plan that waits."""
    code, answer = terminal.ask("playbook", "run", "scale_up_agents", *DEPLOYMENT, "--set", "add=3")
    assert (code, answer["incident"]["state"]) == (0, "diagnosed")
    terminal.work()
    _, shown = terminal.ask("show", "1")
    assert shown["incident"]["state"] == "awaiting_approval"
    return str(shown["incident"]["plan"]["prefix"])


def test_a_run_is_asked_for_read_approved_and_done(terminal: Terminal) -> None:
    prefix = asked(terminal)
    code, out, _ = terminal.run("show", "1")
    assert code == 0
    for words in ("scale 4 -> 7", f"opsbot approve 1 {prefix}", "kubectl", "Ana", "approve:scale"):
        assert words in out
    assert terminal.ask("approve", "1", prefix)[1]["incident"]["state"] == "approved"
    terminal.work()
    deployment = terminal.cluster.get("Deployment", "agents", "agents")
    assert deployment
    assert deployment["spec"]["replicas"] == 7
    code, shown = terminal.ask("show", "1")
    assert shown["incident"]["run"]["steps"][0]["state"] == "done"
    assert terminal.ask("audit", "verify")[0] == 0


def test_a_wrong_prefix_approves_nothing(terminal: Terminal) -> None:
    asked(terminal)
    code, answer = terminal.ask("approve", "1", "00000000")
    assert code == 2
    assert answer["reason"] == "other_plan"
    assert terminal.stored().state == "awaiting_approval"


def test_a_rejection_needs_no_prefix_and_keeps_its_reason(terminal: Terminal) -> None:
    asked(terminal)
    code, answer = terminal.ask("reject", "1", "--reason", "wrong hour, password=hunter2hunter2")
    assert (code, answer["incident"]["state"]) == (0, "escalated")
    _, out, _ = terminal.run("show", "1")
    assert "wrong hour" in out
    assert "hunter2" not in out


def test_who_is_not_allowed_is_told_whom_to_ask(terminal: Terminal) -> None:
    prefix = asked(terminal)
    terminal.config(members="Ben")
    code, answer = terminal.ask("approve", "1", prefix)
    assert code == 2
    assert "ask Ben" in answer["error"]
    assert "ask Ben" in terminal.ask("close", "1")[1]["error"]
    assert terminal.ask("show", "1")[0] == 0


def test_a_login_is_nobody_s_name(terminal: Terminal) -> None:
    """Who runs this process is unknown here, though a person bears their login as a name."""
    prefix = asked(terminal)
    config = terminal.folder / "agent_config.yaml"
    me = settings.os_user()
    config.write_text(config.read_text().replace(f"{{name: Ana, os_user: {me}}}", f"{{name: {me}, os_user: other}}"))
    config.write_text(config.read_text().replace("sre: [Ana]", f"sre: [{me}]"))
    code, answer = terminal.ask("approve", "1", prefix)
    assert (code, terminal.stored().state) == (2, "awaiting_approval")
    assert f"OS user {me!r} may not approve:scale; ask {me}" in answer["error"]


def test_an_incident_is_closed_by_hand_once(terminal: Terminal) -> None:
    asked(terminal)
    assert terminal.ask("incidents")[1]["incidents"][0]["id"] == 1
    assert terminal.ask("close", "1", "--reason", "known")[1]["incident"]["state"] == "resolved"
    assert terminal.ask("incidents")[1]["incidents"] == []
    assert terminal.ask("incidents", "--all")[1]["incidents"][0]["reason"] == "closed_by_human"
    assert terminal.ask("close", "1")[1]["reason"] == "no_such_edge"


def test_a_second_run_on_the_same_target_is_refused(terminal: Terminal) -> None:
    asked(terminal)
    code, answer = terminal.ask("playbook", "run", "restart_workload", *DEPLOYMENT)
    assert code == 2
    assert answer["reason"] == "incident_open"


def test_where_nothing_can_be_changed_no_run_is_taken(terminal: Terminal) -> None:
    config = terminal.folder / "agent_config.yaml"
    config.write_text(config.read_text() + "limits: {mode: observe}\n")
    code, answer = terminal.ask("playbook", "run", "scale_up_agents", *DEPLOYMENT)
    assert code == 2
    assert "only observes here" in answer["error"]


def test_a_plan_can_be_looked_at_without_asking_for_it(terminal: Terminal) -> None:
    code, answer = terminal.ask("playbook", "plan", "scale_up_agents", *DEPLOYMENT)
    assert (code, answer["plan"]["steps"][0]["says"]) == (0, "scale 4 -> 6")
    code, answer = terminal.ask("playbook", "plan", "scale_up_agents", "deploy/other", "-n", "agents")
    assert (code, answer["plan"], answer["rulings"][-1]["verdict"]) == (1, None, "deny")
    assert terminal.cluster.writes == []
    assert "no store" in terminal.ask("incidents")[1]["error"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("playbook", "show", "nope"), "there is no playbook 'nope'"),
        (("playbook", "plan", "scale_up_agents", "agents"), "is no target"),
        (("playbook", "plan", "scale_up_agents", "deploy/Agents_1", "-n", "agents"), "is no name"),
        (("playbook", "plan", "scale_up_agents", *DEPLOYMENT, "--set", "add=many"), "no integer"),
        (("playbook", "plan", "scale_up_agents", *DEPLOYMENT, "--set", "replicas=9"), "replicas"),
        (("diagnose", "nothing"), "is no target"),
        (("show", "7"), "no store"),
        (("--config", "gone.yaml", "incidents"), "there is no such config file"),
        (("test", "alerts.yaml"), "there is no case"),
    ],
    ids=["playbook", "target", "name", "type of input", "name of input", "diagnose", "no store", "config", "no case"],
)
def test_bad_words_end_in_a_sentence(terminal: Terminal, words: tuple[str, ...], says: str) -> None:
    code, out, err = terminal.run(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_diagnosing_a_target_needs_no_store(terminal: Terminal) -> None:
    code, answer = terminal.ask("diagnose", *DEPLOYMENT)
    assert (code, answer["findings"], answer["target"]["name"]) == (0, [], "agents")
    assert "no cause found" in terminal.run("diagnose", *DEPLOYMENT)[1]


def test_diagnosing_an_incident_again_opens_it(terminal: Terminal) -> None:
    asked(terminal)
    terminal.run("reject", "1")
    assert terminal.ask("diagnose", "1")[1]["incident"]["state"] == "open"


def test_check_names_every_problem_with_its_place(terminal: Terminal) -> None:
    code, answer = terminal.ask("check")
    assert (code, answer["problems"]) == (0, 0)
    assert {file["kind"] for file in answer["files"]} == {"agent_config", "alerts", "diagnosis_rules", "playbook"}
    bad = terminal.folder / "bad.yaml"
    bad.write_text("alerts:\n  - {name: a, condition: 'up ==', severity: x, actions: [fly]}\n")
    code, answer = terminal.ask("check", "bad.yaml", "alerts.yaml")
    assert (code, [len(file["problems"]) for file in answer["files"]]) == (1, [2, 0])
    assert "bad.yaml:2:" in terminal.run("check", "bad.yaml")[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"), ("- 1", "is no file that opsbot reads"), ("a: 1", "is no file that opsbot reads"),
        ("a: [", "not valid YAML"), ("groups: [5]", "a group must be a mapping"),
    ],
    ids=["empty", "a list", "other keys", "no YAML", "Prometheus rules"],
)  # fmt: skip
def test_check_says_what_it_cannot_read(terminal: Terminal, text: str, says: str) -> None:
    (terminal.folder / "x.yaml").write_text(text)
    code, answer = terminal.ask("check", "x.yaml")
    assert code == 1
    assert says in answer["files"][0]["problems"][0]["message"]


BROKEN = {
    "wrong type": "limits: {changes_per_hour: many}\n",
    "key twice": "disable: []\ndisable: []\n",
    "no YAML": "limits: [\n",
    "of another form": "- 1\n",
    "empty": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_config_stops_no_check_of_another_file(terminal: Terminal, text: str) -> None:
    (terminal.folder / "agent_config.yaml").write_text(text)
    code, answer = terminal.ask("check", "alerts.yaml")
    assert (code, answer["problems"], answer["files"][0]["rules"]) == (0, 0, 1)


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_config_is_told_in_the_shape_of_check(terminal: Terminal, text: str) -> None:
    (terminal.folder / "agent_config.yaml").write_text(text)
    for words in (("check",), ("check", "agent_config.yaml"), ("--config", "agent_config.yaml", "check")):
        code, answer = terminal.ask(*words)
        assert (code, answer.keys()) == (1, {"files", "problems", "unasked"})
        told = {file["path"]: file["problems"] for file in answer["files"] if file["problems"]}
        assert list(told) == ["agent_config.yaml"]
        assert answer["problems"] == len(told["agent_config.yaml"]) == 1
    code, out, err = terminal.run("check")
    assert (code, err, "agent_config.yaml" in out) == (1, "", True)


def test_a_config_that_is_not_there_is_bad_usage(terminal: Terminal) -> None:
    code, answer = terminal.ask("--config", "gone.yaml", "check", "alerts.yaml")
    assert (code, answer["problems"][0]["message"]) == (2, "there is no such config file")


def test_cases_run_beside_a_broken_config(terminal: Terminal) -> None:
    own = terminal.folder / "playbooks"
    own.mkdir()
    shipped = json.loads(terminal.run("playbook", "show", "scale_up_agents", "--format", "json")[1])["playbook"]["file"]
    (own / "mine.yaml").write_text(Path(shipped).read_text())
    (terminal.folder / "agent_config.yaml").write_text("limits: 5\n")
    code, answer = terminal.ask("test", "playbooks/mine.yaml")
    assert (code, answer["failed"]) == (0, 0)
    assert terminal.ask("test")[0] == 2


def test_a_name_is_known_even_of_a_file_with_problems(terminal: Terminal) -> None:
    own = terminal.folder / "playbooks"
    own.mkdir()
    (own / "mine.yaml").write_text("name: mine\nname: mine\nsteps: []\n")
    alerts = terminal.folder / "alerts.yaml"
    alerts.write_text(alerts.read_text().replace("[scale_up_agents]", "[mine, scale_up_agents]"))
    assert terminal.ask("check", "alerts.yaml")[0] == 0
    _, answer = terminal.ask("check")
    assert [Path(file["path"]).name for file in answer["files"] if file["problems"]] == ["mine.yaml"]


def test_a_finding_of_a_shipped_rule_is_known(terminal: Terminal) -> None:
    shipped = json.loads(terminal.run("check", "--format", "json")[1])["files"]
    path = next(file["path"] for file in shipped if file["kind"] == "diagnosis_rules")
    name = next(line.split("name: ")[1] for line in Path(path).read_text().splitlines() if "- name: " in line)
    rule = """\
rules:
  - name: mine
    fault: overload
    says: x
    when: {{all: [{{source: events, pattern: x}}], none: [{{finding: {name}}}]}}
    source: here
    cases:
      - {{name: a, evidence: {{events: x}}, finds: {{}}}}
      - {{name: b, evidence: {{events: y}}, finds: nothing}}
"""
    (terminal.folder / "mine.yaml").write_text(rule.format(name=name))
    assert terminal.ask("check", "mine.yaml") == (0, terminal.ask("check", "mine.yaml")[1])
    (terminal.folder / "mine.yaml").write_text(rule.format(name="nobodys"))
    code, answer = terminal.ask("check", "mine.yaml")
    assert (code, "is of no rule or check" in answer["files"][0]["problems"][0]["message"]) == (1, True)


def test_what_is_said_of_a_file_holds_all_that_is_wrong_with_it(terminal: Terminal) -> None:
    text = "alerts:\n  - {name: a, name: b, condition: 'up{', severity: no, actions: [fly], for: 5}\n"
    (terminal.folder / "bad.yaml").write_text(text)
    code, out, _ = terminal.run("check", "bad.yaml")
    assert code == 1
    for words in ("given twice", "no PromQL", "two ways", "no playbook 'fly'", "must be a duration such as"):
        assert words in out


def test_names_given_twice_are_found_across_files(terminal: Terminal) -> None:
    own = terminal.folder / "playbooks"
    own.mkdir()
    shipped = json.loads(terminal.run("playbook", "show", "scale_up_agents", "--format", "json")[1])["playbook"]["file"]
    (own / "mine.yaml").write_text(Path(shipped).read_text())
    code, answer = terminal.ask("check")
    assert code == 1
    assert "already" in answer["files"][-1]["problems"][0]["message"]
    config = terminal.folder / "agent_config.yaml"
    config.write_text(config.read_text() + "disable: [scale_up_agents]\n")
    assert terminal.ask("playbook", "show", "scale_up_agents")[1]["playbook"]["file"] == "playbooks/mine.yaml"


def test_all_shipped_cases_pass(terminal: Terminal) -> None:
    code, answer = terminal.ask("test")
    assert (code, answer["failed"]) == (0, 0)
    assert answer["passed"] > 50


def test_doctor_looks_at_everything_and_says_what_is_wrong(terminal: Terminal) -> None:
    code, answer = terminal.ask("doctor")
    found = {probe["name"]: probe for probe in answer["probes"]}
    assert code == 1
    assert {name: probe["state"] for name, probe in found.items()} == {
        "config": "good", "person": "good", "files": "good", "store": "bad", "prometheus": "bad", "read": "good",
        "write": "good",
    }  # fmt: skip
    assert "no store" in found["store"]["says"]


def test_doctor_looks_at_a_model_that_is_configured(terminal: Terminal) -> None:
    with FakeModelServer(Said("{}")).serve() as url:
        with (terminal.folder / "agent_config.yaml").open("a") as file:
            file.write(f"model: {{base_url: '{url}/v1', name: fake}}\n")
        found = probe(terminal, "model")
        assert found == {"name": "model", "state": "good", "says": f"the model fake at {url} is there"}
    found = probe(terminal, "model")
    assert found["state"] == "bad"
    assert "refuses the connection" in found["says"]
    assert "refuses the connection" in terminal.run("doctor")[1]


def test_doctor_looks_at_slack_where_it_is_configured(terminal: Terminal) -> None:
    slack = FakeSlack()
    with slack.serve() as url:
        (terminal.folder / "bot").write_text(slack.bot_token)
        (terminal.folder / "app").write_text(slack.app_token)
        with (terminal.folder / "agent_config.yaml").open("a") as file:
            file.write(f"slack: {{channel: {slack.channel}, team: {slack.team}, app: {slack.app}, ")
            file.write(f"bot_token_file: bot, app_token_file: app, api_url: '{url}/api/'}}\n")
        assert probe(terminal, "slack")["state"] == "good"
        (terminal.folder / "bot").write_text("xoxb-another")
        assert probe(terminal, "slack") == {
            "name": "slack", "state": "bad", "says": "the bot token: Slack says invalid_auth",
        }  # fmt: skip
        assert "invalid_auth" in terminal.run("doctor")[1]
        (terminal.folder / "bot").write_text(slack.bot_token)
    assert "cannot be reached" in probe(terminal, "slack")["says"]


def probe(terminal: Terminal, name: str) -> dict[str, str]:
    (found,) = [row for row in terminal.ask("doctor")[1]["probes"] if row["name"] == name]
    return dict(found)


def test_telemetry_cannot_drive_the_terminal(terminal: Terminal) -> None:
    terminal.run("playbook", "run", "scale_up_agents", *DEPLOYMENT, "--reason", "\x1b]0;owned\x07 [bold]x[/bold]")
    out = terminal.run("show", "1")[1]
    assert "\x1b" not in out
    assert "\\x1b]0;owned\\x07 [bold]x[/bold]" in out


def test_a_cluster_that_cannot_be_seen_is_not_called_healthy(terminal: Terminal) -> None:
    kube = json.loads((terminal.folder / "kube.json").read_text())
    kube["users"][0]["user"]["token"] = "wrong"
    (terminal.folder / "kube.json").write_text(json.dumps(kube))
    code, answer = terminal.ask("diagnose", *DEPLOYMENT)
    assert code == 2
    assert "cannot be seen" in answer["error"]
    assert "pods" in answer["error"]


def test_serve_says_all_that_it_lacks_and_leaves_nothing_behind(terminal: Terminal) -> None:
    (terminal.folder / "alerts.yaml").unlink()
    config = terminal.folder / "agent_config.yaml"
    config.write_text(config.read_text().split("\n", 1)[1])
    code, _, err = terminal.run("serve")
    assert code == 2
    assert "prometheus.url is missing" in err
    assert "alerts.yaml: there is no such file" in err
    assert not (terminal.folder / "opsbot.db").exists()
