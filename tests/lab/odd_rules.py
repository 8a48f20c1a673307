"""Alert rules as hostile as alerts.yaml lets them be, made by chance from a seed."""

from __future__ import annotations

import random
from datetime import timedelta

from opsbot.core.alert import AlertRule, TargetSpec

TEXTS = (
    "", " ", "plain", "yes", "null", "~", "12", "1e3", "0x1F", "2026-01-01", "- a", "a: b", "a #b", "#", "&a *b !c",
    "@a", "`b`", "%x", "it's", '"quoted"', "back\\slash", "{{ $value | humanize }}", "[a, b]", "{a: b}", "a,b", "on",
    "{{ $labels.pod }} 'of' {{ .Labels.job }}", "{{ if gt $value 5.0 -}}\n  many\n{{- else -}}\n  few\n{{- end }}",
    "two\nlines", "a line\n", "\n", "\n\n", " first\nsecond", "first \nsecond", "first\n\n  third", "end\n\n",
    "tab\there", "\u00e4\u00f6\u00fc \u4e2d\u6587 \U0001f525", "\u202eright", "zero\u200bwidth", "nel\x85here",
    "ls\u2028here", "\x07bell", "no-break\u00a0space", "\ufeffbom", "cr\rlf\r\n", "---\nnew\n...", "x" * 300,
    "a" + " " * 90 + "b", "? a", "| a", "> a", "trailing ",
)  # fmt: skip
"""Texts that some reader or writer of YAML takes for something else."""

NAMES = (
    "High Task Latency",
    "A",
    "it's: #1",
    "yes",
    "{{ not a template }}",
    "\u00dcberlast \U0001f525",
    "- x",
    "12",
    "'",
    '"',
)
LABELS = ("team", "y", "on", "null", "_x", "Severity", "exported_job", "true", "a1")
CONDITIONS = (
    "up == 0", "avg(response_time) > 5000", 'absent(up{job="a # b: c"})', "sum(x)\n  / sum(y)\n> 0.5\n", "x > 1 ",
    'sum by (job) (rate(http_requests_total{code=~"5..",path!~"/a|b\'c"}[5m])) > 0.1', "# a comment\nup == 0",
    'up{a="\\n\\"\u00e4\\\\"} == 0',
)  # fmt: skip
TARGETS = (
    None, TargetSpec("Deployment", "web", "shop"), TargetSpec("Node", "{{ labels.node }}"),
    TargetSpec("Node", "n1", "ignored"), TargetSpec("{{ labels.kind }}", "{{ labels.name }}"),
    TargetSpec("Deployment", "{{labels.deployment}}", "{{  labels.namespace  }}"),
    TargetSpec("StatefulSet", "db-{{ labels.n }}", "x"), TargetSpec("{{ labels.kind }}", "a", "{{ labels.namespace }}"),
)  # fmt: skip
SPANS = tuple(
    timedelta(milliseconds=number)
    for number in (0, 0, 1, 1_000, 1_500, 90_000, 3_600_000, 86_400_000, 694_861_001, 31_536_000_000)
)


def rules(seed: int, count: int = 20) -> list[AlertRule]:
    """Rules of which no two are one."""
    chance = random.Random(seed)
    made = {rule.id: rule for rule in (_rule(chance) for _ in range(count))}
    return list(made.values())


def _rule(chance: random.Random) -> AlertRule:
    return AlertRule(
        name=chance.choice(NAMES), condition=chance.choice(CONDITIONS),
        severity=chance.choice(["critical", "warning", "info", "none", "page", "{{ $labels.severity }}", "it's"]),
        actions=tuple(chance.sample(["restart_workload", "scale_up_agents", "a"], chance.randrange(4))),
        hold_for=chance.choice(SPANS), keep_firing_for=chance.choice(SPANS),
        every=chance.choice([timedelta(seconds=1), timedelta(seconds=30), timedelta(milliseconds=1_001)]),
        labels={name: chance.choice(TEXTS) for name in chance.sample(LABELS, chance.randrange(4))},
        annotations={name: chance.choice(TEXTS) for name in chance.sample([*LABELS, "summary"], chance.randrange(5))},
        target=chance.choice(TARGETS), file="alerts.yaml", line=chance.randrange(1, 99),
    )  # fmt: skip
