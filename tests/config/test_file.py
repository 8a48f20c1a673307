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
kubernetes: {cluster: prod, namespaces: [a, b], read: {kubeconfig: kube, context: r}, write: {context: in-cluster}}
store: {url: 'sqlite:///data/ops.db'}
queue: {order: fifo}
access: {people: [{name: Ana, os_user: ana}], groups: {sre: [Ana]}, permissions: {sre: ['approve:*', close]}}
limits: {mode: observe, changes_per_hour: 2, never_touch: [kube-system, vault], cooldown: 5m, blind_for: 1m}
disable: [some_rule]
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
    assert config.store_url(found) == "sqlite:////etc/opsbot/data/ops.db"
    assert found.queue.order == "fifo"
    assert found.access.permissions["sre"] == ("approve:*", "close")
    assert found.limits.cooldown == timedelta(minutes=5)
    assert found.disable == ("some_rule",)


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
    "no slot": ("roles: [{name: a, skills: [plan], max_concurrency: 0}]", "1:52", "greater than or equal to 1", ""),
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
    "server without token": ("kubernetes: {read: {server: 'https://k'}}", "1:14", "needs a token_file", ""),
    "two ways in": (
        "kubernetes: {read: {server: 'https://k', token_file: t, context: c}}",
        "1:14", "give server and token_file", "",
    ),
    "not yet": ("slack: {channel: x}", "1:1", "no Slack yet", "leave the key out"),
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


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read("store: {url: x}\nqueue: {order: y}\nlimits: {mode: act}\n", PATH)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


def test_the_shipped_example_is_good() -> None:
    example = config.shipped_folder() / "agent_config.yaml"
    assert read(example.read_text(), example).kubernetes.write is None
