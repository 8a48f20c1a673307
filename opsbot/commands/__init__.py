"""The verb table: all that a human may ask, whatever door they come through.

A row names the words, who may say them, what must be given, and which function answers. Nothing heavy is imported
here: a door that prints help pays for a table and no more.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any, NamedTuple


class Argument(NamedTuple):
    """One argument, as argparse takes it: `names` with dashes are options; `form` holds the rest."""

    names: tuple[str, ...]
    help: str
    form: dict[str, Any] = {}  # noqa: RUF012 - never changed


class Verb(NamedTuple):
    """One row. `door` says who carries it out: `any` through `run(desk, person, args)`, `cli` on the terminal alone.

    `spoken` rows are for chat too: they reach no file and no setting of whoever runs opsbot.
    """

    words: str
    summary: str
    example: str
    permission: str
    module: str
    arguments: tuple[Argument, ...] = ()
    door: str = "any"
    function: str = "run"
    spoken: bool = False


_CONFIG_FILES = "files or folders; without one, all that the config names"


def _incident_or_alert(text: str) -> int | str:
    """A number, or the beginning of a fingerprint; ValueError for anything else."""
    if text.isascii() and text.isdigit() and (text[0] != "0" or len(text) < 6):
        return int(text)
    if 6 <= len(text) <= 16 and set(text.lower()) <= set("0123456789abcdef"):
        return text.lower()
    raise ValueError(text)


def _positive(text: str) -> int:
    """A whole number of 1 or more; ArgumentTypeError for anything else."""
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not found:
        raise ArgumentTypeError(f"{text[:40]!r} is no whole number from 1 on")
    return found


_incident_or_alert.__name__ = "ID"
_ID = Argument(("incident",), "number of the incident", {"type": int, "metavar": "ID"})
_ID_OR_ALERT = Argument(("incident",), "number of the incident, or the first 6 characters of an alert's fingerprint",
                        {"type": _incident_or_alert, "metavar": "ID"})  # fmt: skip
_NAMESPACE = Argument(("-n", "--namespace"), "namespace of the target", {"default": ""})
_REASON = Argument(("--reason",), "why, for the record", {"default": ""})
_TARGET = Argument(("target",), "KIND/NAME, for example deploy/agents", {"metavar": "TARGET"})
_TARGET_OR_ID = Argument(
    ("target",), "KIND/NAME, or the number of an incident to diagnose again", {"metavar": "TARGET"}
)
_PLAYBOOK = Argument(("name",), "name of the playbook", {"metavar": "NAME"})
_INPUT = Argument(("--set",), "an input of the playbook", {"action": "append", "default": [], "metavar": "KEY=VALUE"})
_FILES = Argument(("files",), _CONFIG_FILES, {"nargs": "*", "metavar": "FILE"})
_PLAN = Argument(("plan",), "first 8 characters of the plan's digest, as `show` prints it", {"metavar": "PLAN"})
_PLAN_IF_ANY = Argument(("plan",), _PLAN.help, {"metavar": "PLAN", "nargs": "?", "default": ""})
_SLACK = Argument(("--slack",), "in a chat of its own too, on a page that it prints", {"action": "store_true"})
_MODEL = Argument(("--model",), "ask a language model at this address too", {"metavar": "URL", "default": ""})
_CLUSTER = Argument(("--cluster",), "simulated (if nothing else is said), or real: a control plane on this machine",
                    {"choices": ("simulated", "real"), "default": ""})  # fmt: skip
_KUBECONFIG = Argument(("--kubeconfig",), "a cluster of yours, in a namespace that the demo makes and removes",
                       {"metavar": "FILE", "default": ""})  # fmt: skip
_CONTEXT = Argument(("--context",), "which context of the kubeconfig", {"metavar": "NAME", "default": ""})
_NEW_NAMESPACE = Argument(("--namespace",), "which namespace to make there", {"metavar": "NAME", "default": ""})
_YES = Argument(("--yes",), "approve in the human's place", {"action": "store_true"})
_LASTING = Argument(("--for",), "stop by itself after this time, such as 10m", {"dest": "lasting", "default": ""})
_ALL = Argument(("--all",), "resolved ones too", {"action": "store_true"})
_ALL_ALERTS = Argument(("--all",), "pending and just resolved ones too", {"action": "store_true"})
_LIMIT = Argument(("--limit",), "at most this many, 20 if nothing is said", {"type": _positive, "default": 20})
_EVIDENCE = Argument(("--evidence",), "all evidence, line by line", {"action": "store_true"})
_ASK_MODEL = Argument(("--ask-model",), "ask the configured model, whatever the rules find", {"action": "store_true"})
_RULES_ONLY = Argument(("--rules-only",), "ask no model", {"action": "store_true"})
_PROMPT = Argument(("--prompt",), "print what a model would be sent, and ask nobody", {"action": "store_true"})
_WHAT = Argument(
    ("what",), "plane or prometheus; both by default",
    {"nargs": "?", "choices": ("all", "plane", "prometheus"), "default": "all", "metavar": "WHAT"},
)  # fmt: skip
_FAULT = Argument(
    ("name",), "name of the fault; with --heal alone, all that are set",
    {"nargs": "?", "default": "", "metavar": "NAME"},
)  # fmt: skip
_HEAL = Argument(("--heal",), "take it away again", {"action": "store_true"})
_LIST = Argument(("--list",), "which there are", {"action": "store_true"})
_FORMAT = Argument(
    ("--format",), "text for people, json for programs", {"choices": ("text", "json"), "default": "text"}
)
_OUTPUT = Argument(("--output",), "write it to this file, whole or not at all; else it is printed",
                   {"default": "", "metavar": "FILE"})  # fmt: skip
_MATCHERS = Argument(
    ("matchers",), "such as alertname=HighLatency namespace=~'shop-.*'; the first may be an alert's name alone",
    {"nargs": "*", "metavar": "MATCHER"},
)  # fmt: skip
_FOR = Argument(("--for",), "how long, such as 2h", {"dest": "lasting", "default": "", "metavar": "TIME"})
_FROM = Argument(("--from",), "when it begins, such as 2026-12-01T20:00+01:00 (UTC where no zone is named)",
                 {"dest": "begins", "default": "", "metavar": "TIME"})  # fmt: skip
_COMMENT = Argument(("--comment",), "why, for those who wonder", {"default": ""})
_PREVIEW = Argument(("--preview",), "only say which firing alerts it would hide", {"action": "store_true"})
_SILENCE = Argument(("silence",), "number of the silence", {"type": int, "metavar": "ID"})
_OVER = Argument(("--all",), "those that are over too", {"action": "store_true"})
_WORDS = Argument(("words",), "a verb; without one, all of them", {"nargs": "*", "metavar": "VERB"})

VERBS: tuple[Verb, ...] = (
    Verb("serve", "watch, diagnose and propose, until stopped", "opsbot serve",
         "", "opsbot.cli.serve", (_LASTING,), door="cli"),
    Verb("demo", "one incident from alert to recovery, on a cluster of its own", "opsbot demo --yes",
         "", "opsbot.cli.demo", (_YES, _SLACK, _MODEL, _CLUSTER, _KUBECONFIG, _CONTEXT, _NEW_NAMESPACE),
         door="cli"),
    Verb("check", "problems in alerts, rules, playbooks and config", "opsbot check alerts.yaml rules/",
         "", "opsbot.commands.check", (_FILES,)),
    Verb("test", "run the cases of rules and playbooks, and unit tests of promtool", "opsbot test playbooks/",
         "", "opsbot.commands.test", (_FILES,)),
    Verb("diagnose", "gather evidence on a target now and say what is wrong", "opsbot diagnose deploy/agents -n agents",
         "diagnose", "opsbot.commands.diagnose",
         (_TARGET_OR_ID, _NAMESPACE, _ASK_MODEL, _RULES_ONLY, _PROMPT), spoken=True),
    Verb("status", "how things stand: what is open, what waits for whom", "opsbot status",
         "read", "opsbot.commands.status", spoken=True),
    Verb("incidents", "the incidents, newest first", "opsbot incidents --all",
         "read", "opsbot.commands.incidents", (_ALL, _LIMIT), spoken=True),
    Verb("alerts", "the alerts that fire, and the incident of each or why it has none", "opsbot alerts --all",
         "read", "opsbot.commands.alerts", (_ALL_ALERTS, _LIMIT), spoken=True),
    Verb("show", "one incident: findings, plan, what was done; or one alert", "opsbot show 42",
         "read", "opsbot.commands.show", (_ID_OR_ALERT, _EVIDENCE), spoken=True),
    Verb("ack", "say that you look into an incident", "opsbot ack 42",
         "ack", "opsbot.commands.ack", (_ID,), spoken=True),
    Verb("approve", "say yes to the plan that you have read", "opsbot approve 42 1f0c22ab",
         "read", "opsbot.commands.decide", (_ID, _PLAN, _REASON), function="approve", spoken=True),
    Verb("reject", "say no to the plan that waits", "opsbot reject 42 --reason 'wrong hour'",
         "read", "opsbot.commands.decide", (_ID, _PLAN_IF_ANY, _REASON), function="reject", spoken=True),
    Verb("close", "end an incident by hand", "opsbot close 42 --reason 'known maintenance'",
         "close", "opsbot.commands.close", (_ID, _REASON), spoken=True),
    Verb("silence add", "keep matching alerts from opening incidents for a while",
         "opsbot silence add HighLatency namespace=shop --for 2h --comment 'load test'",
         "read", "opsbot.commands.silence", (_MATCHERS, _FOR, _FROM, _COMMENT, _PREVIEW), function="add", spoken=True),
    Verb("silence list", "the silences that hold or will", "opsbot silence list --all",
         "read", "opsbot.commands.silence", (_OVER,), function="listed", spoken=True),
    Verb("silence expire", "end a silence now", "opsbot silence expire 3",
         "silence", "opsbot.commands.silence", (_SILENCE,), function="expire", spoken=True),
    Verb("playbook list", "the playbooks and what they need", "opsbot playbook list",
         "", "opsbot.commands.playbook", function="list_all"),
    Verb("playbook show", "one playbook, step by step", "opsbot playbook show scale_up_agents",
         "", "opsbot.commands.playbook", (_PLAYBOOK,), function="show"),
    Verb("playbook plan", "what a playbook would do to a target; nothing is changed",
         "opsbot playbook plan scale_up_agents deploy/agents -n agents",
         "diagnose", "opsbot.commands.playbook", (_PLAYBOOK, _TARGET, _NAMESPACE, _INPUT), function="plan"),
    Verb("playbook run", "ask for a playbook to be run on a target; it still needs its approval",
         "opsbot playbook run restart_workload deploy/agents -n agents",
         "run", "opsbot.commands.playbook", (_PLAYBOOK, _TARGET, _NAMESPACE, _INPUT, _REASON), function="run"),
    Verb("audit verify", "prove that the record was not changed afterwards", "opsbot audit verify",
         "read", "opsbot.commands.audit", function="verify"),
    Verb("export prometheus", "alerts.yaml as a rule file for Prometheus",
         "opsbot export prometheus --output opsbot.rules.yml",
         "", "opsbot.commands.export", (_OUTPUT,), function="prometheus"),
    Verb("practice build", "build a control plane and Prometheus for practice, once", "opsbot practice build plane",
         "", "opsbot.cli.practice.build", (_WHAT,), door="cli"),
    Verb("practice up", "start a control plane on this machine and leave it running", "opsbot practice up",
         "", "opsbot.cli.practice.plane", (_FORMAT,), door="cli", function="up"),
    Verb("practice down", "end the control plane, with all that it left", "opsbot practice down",
         "", "opsbot.cli.practice.plane", (_FORMAT,), door="cli", function="down"),
    Verb("practice status", "what runs in the control plane, and how to reach it", "opsbot practice status",
         "", "opsbot.cli.practice.plane", (_FORMAT,), door="cli", function="status"),
    Verb("practice fault", "set a fault on the control plane, or heal it", "opsbot practice fault out_of_memory",
         "", "opsbot.cli.practice.fault", (_FAULT, _HEAL, _LIST, _FORMAT), door="cli"),
    Verb("doctor", "is everything there that opsbot needs?", "opsbot doctor",
         "read", "opsbot.commands.doctor"),
    Verb("help", "the verbs, or one of them with what it takes", "opsbot help approve",
         "", "opsbot.commands.help", (_WORDS,), spoken=True),
)  # fmt: skip


def verb(words: str) -> Verb | None:
    """The row of these words."""
    return next((row for row in VERBS if row.words == words), None)
