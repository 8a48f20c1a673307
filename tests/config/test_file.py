"""agent_config.yaml: what a good one becomes, and each thing that may be wrong with it, at its place."""

from datetime import timedelta
from pathlib import Path

import pytest

from opsbot import config
from opsbot.config.file import read
from opsbot.core.errors import ConfigError
from opsbot.core.task import Mode, Skill

PATH = Path("/etc/opsbot/agent_config.yaml")


def test_an_empty_mapping_means_all_defaults() -> None:
    found = read("{}", PATH)
    assert (found.limits.mode, found.roles, found.prometheus) == (Mode.PROPOSE, config.ROLES, None)
    assert found.access.permissions == {"everyone": ("read",)}


def test_every_section_reaches_its_value() -> None:
    found = read(
        """
roles:
  - name: all
    skills: [poll_alerts, collect_evidence, match_rules, plan, run_playbook, verify, report]
    max_concurrency: 3
prometheus: {url: 'https://prom:9090/', every: 1m, timeout: 5s, token_file: token, headers: {X-Scope-OrgID: a}}
kubernetes:
  {cluster: prod, namespaces: [a, b], home: ops, read: {kubeconfig: kube, context: r}, write: {context: in-cluster}}
store: {url: 'sqlite:///data/ops.db'}
queue: {order: fifo}
access: {people: [{name: Ana, os_user: ana}], groups: {sre: [Ana]}, permissions: {sre: ['approve:*', close]}}
limits: {mode: observe, changes_per_hour: 2, never_touch: [kube-system, vault], cooldown: 5m, blind_for: 1m}
disable: [some_rule]
slack: {channel: C012AB3CD, team: T01, app: A01, bot_token_file: bot, signing_secret_file: s, mode: http}
model: {base_url: 'http://127.0.0.1:8000/v1', name: m, budget: {usd_per_day: 5, tokens_per_incident: 9000}}
""",
        PATH,
    )
    assert found.roles[0].skills[-1] is Skill.REPORT
    assert found.prometheus
    assert found.prometheus.url == "https://prom:9090"
    assert found.prometheus.every == timedelta(minutes=1)
    assert found.prometheus.token_file == Path("/etc/opsbot/token")
    assert found.kubernetes.read.kubeconfig == Path("/etc/opsbot/kube")
    assert found.kubernetes.write
    assert found.kubernetes.write.in_cluster
    assert config.home(found) == "ops"
    assert config.store_url(found) == "sqlite:////etc/opsbot/data/ops.db"
    assert found.queue.order == "fifo"
    assert found.access.permissions["sre"] == ("approve:*", "close")
    assert found.limits.cooldown == timedelta(minutes=5)
    assert found.disable == ("some_rule",)
    assert found.slack
    assert (found.slack.mode, found.slack.signing_secret_file) == ("http", Path("/etc/opsbot/s"))
    assert found.model
    assert (found.model.usd_per_day, found.model.tokens_per_incident) == (5, 9000)


WRONG = {
    "unknown key": ("prometeus: {url: x}", "1:1", "prometeus", "did you mean 'prometheus'"),
    "unknown inner key": ("prometheus: {url: 'http://p', evry: 5s}", "1:31", "evry", "did you mean 'every'"),
    "bad duration": ("prometheus: {url: 'http://p', every: 5 minutes}", "1:38", "no duration", ""),
    "no address": ("prometheus: {url: prom}", "1:19", "no http address", "http://prometheus:9090"),
    "bad port": ("prometheus: {url: 'http://p:99999'}", "1:19", "no http address", ""),
    "password in address": ("prometheus: {url: 'http://a:b@p'}", "1:19", "holds a password", "password_file"),
    "two ways to say who": (
        "prometheus: {url: 'http://p', token_file: a, basic: {username: u, password_file: f}}", "1:46", "not both", "",
    ),
    "unknown skill": ("roles: [{name: a, skills: [fly], max_concurrency: 1}]", "1:28", "'fly' is none of", ""),
    "no slot": ("roles: [{name: a, skills: [plan], max_concurrency: 0}]", "1:52", "must be 1 or more", ""),
    "skill of nobody": ("roles: [{name: a, skills: [plan], max_concurrency: 1}]", "1:8", "no role has the skill", ""),
    "role twice": (
        "roles:\n- {name: a, skills: [plan], max_concurrency: 1}\n- {name: a, skills: [plan], max_concurrency: 1}",
        "3:10", "there twice", "",
    ),
    "other store": ("store: {url: 'mysql://x'}", "1:14", "only sqlite", ""),
    "other queue": ("queue: {url: 'redis://x'}", "1:14", "only 'embedded'", ""),
    "order": ("queue: {order: random}", "1:16", "fifo or weighted", ""),
    "unknown mode": ("limits: {mode: yolo}", "1:16", "'yolo' is none of", ""),
    "acting unasked": ("limits: {mode: act}", "1:16", "does not act unasked", "observe or propose"),
    "a person twice": (
        "access: {people: [{name: A, os_user: a}, {name: B, os_user: a}]}", "1:61", "belongs to two people", "",
    ),
    "stranger in a group": ("access: {groups: {g: [Bob]}}", "1:23", "'Bob' is not among", ""),
    "permission of no group": ("access: {permissions: {g: [read]}}", "1:24", "no group 'g'", ""),
    "no permission": ("access: {permissions: {everyone: [fly]}}", "1:35", "'fly' is no permission", "approve"),
    "no namespace": ("kubernetes: {home: 'opsbot/x'}", "1:20", "is no name of a namespace", ""),
    "server without token": ("kubernetes: {read: {server: 'https://k'}}", "1:14", "needs a token_file", ""),
    "two ways in": (
        "kubernetes: {read: {server: 'https://k', token_file: t, context: c}}",
        "1:14", "give server and token_file", "",
    ),
    "not yet": ("notify: []", "1:1", "no notifications by webhook yet", "leave the key out"),
    "no channel id": ("slack: {channel: ops, team: T01, app: A01, bot_token_file: t}",
        "1:18", "must be an id, not a name", "C012AB3CD"),
    "socket without token": (
        "slack: {channel: C01, team: T01, app: A01, bot_token_file: t}", "1:1", "mode socket needs app_token_file", "",
    ),
    "http without secret": (
        "slack: {channel: C01, team: T01, app: A01, bot_token_file: t, mode: http}",
        "1:1", "mode http needs signing_secret_file", "",
    ),
    "unknown slack mode": (
        "slack: {channel: C01, team: T01, app: A01, bot_token_file: t, mode: x}", "1:69", "socket or http", "",
    ),
    "no listen address": (
        "slack: {channel: C01, team: T01, app: A01, bot_token_file: t, app_token_file: a, listen: here}",
        "1:90", "HOST:PORT", "127.0.0.1:3000",
    ),
    "no model address": ("model: {base_url: here, name: m}", "1:19", "no http address", ""),
    "when to ask": ("model: {base_url: 'http://m', name: m, ask: never}", "1:45", "unexplained or always", ""),
    "a budget below zero": ("model: {base_url: 'http://m', name: m, budget: {usd_per_day: -1.0}}", "1:62", "", ""),
    "not a mapping": ("- a", "1:1", "must be a mapping", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_says_what_and_where(text: str, place: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, PATH)
    words = str(caught.value)
    assert f"{PATH}:{place}: " in words
    assert message in words
    assert hint in words


ROLE = "{name: a, skills: [plan], max_concurrency: 1}"
TOGETHER = {
    "three sections": ("store: {url: x}\nqueue: {order: y}\nlimits: {mode: act}\n", ["1:14", "2:16", "3:16"]),
    "a key twice and a section": ("disable: []\ndisable: []\nstore: {url: x}\n", ["2:1", "3:14"]),
    "a wrong type and another section": (
        "limits: {changes_per_hour: many}\nprometheus: {url: prom}\naccess: {groups: {g: [Bob]}}\n",
        ["1:28", "2:19", "3:23"],
    ),
    "a wrong person and the others": (
        "access:\n  people: [{name: 5},\n    {name: A, os_user: a}, {name: B, os_user: a}]\n  groups: {g: [A, Bob]}\n",
        ["2:19", "3:47", "4:19"],
    ),
    "a wrong role and the others": (
        f"roles:\n- {ROLE.replace('plan', 'fly')}\n- {ROLE}\n- {ROLE}\n", ["2:22", "3:10", "4:10"],
    ),
    "an unknown key beside a bad address": ("prometheus: {url: prom, evry: 5s}\n", ["1:19", "1:25"]),
    "an unknown section and a mode": ("limtis: {}\nlimits: {mode: act}\nnotify: 5\n", ["1:1", "2:16", "3:1"]),
    "a wrong write account and the read one": (
        "kubernetes:\n  write: {server: 5}\n  read: {server: 'https://k'}\n", ["2:19", "3:3"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "places"), TOGETHER.values(), ids=TOGETHER)
def test_all_problems_come_at_once(text: str, places: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, PATH)
    assert [f"{problem.line}:{problem.column}" for problem in caught.value.problems] == places


@pytest.mark.parametrize(
    "word", ["approve:*", "approve", "approve:scale", "run", "close", "diagnose", "read:*"], ids=str
)
def test_everyone_may_read_and_no_more(word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"access: {{permissions: {{everyone: [read, '{word}']}}}}", PATH)
    (problem,) = caught.value.problems
    assert problem.message == "everyone includes unknown people, who may only read"
    assert (problem.column, problem.hint) == (41, f"give {word!r} to a group")


def test_everyone_may_be_allowed_nothing() -> None:
    assert read("access: {permissions: {everyone: []}}", PATH).access.permissions == {"everyone": ()}


@pytest.mark.parametrize(
    "text",
    ["prometheus: {url: 'http://p', every: 5}", "prometheus: {url: 'http://p', timeout: 0.5}",
     "kubernetes: {timeout: 10}", "limits: {cooldown: 300}", "limits: {blind_for: true}"],
)  # fmt: skip
def test_a_number_is_no_duration(text: str) -> None:
    with pytest.raises(ConfigError, match="must be a duration such as 30s, 5m or 1h30m"):
        read(text, PATH)


@pytest.mark.parametrize(
    "text",
    ['roles: [{name: "a\\0", skills: [plan], max_concurrency: 1}]', 'access: {people: [{name: "a\\nb"}]}'],
    ids=["role", "person"],
)
def test_names_can_be_printed(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be printed"):
        read(text, PATH)


def test_the_shipped_example_is_good() -> None:
    example = config.shipped_folder() / "agent_config.yaml"
    assert read(example.read_text(), example).kubernetes.write is None
