"""Playbook files: the shipped ones hold, and every mistake is told at its place with a hint."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.core.errors import ConfigError
from opsbot.core.playbook import Input
from opsbot.remediate import cases, playbookfile
from tests.remediate.remediation_world import SHIPPED

GOOD = """\
name: grow
summary: Add a replica
inputs:
  target: {type: target, kinds: [Deployment]}
  add: {type: integer, default: 1, minimum: 1, maximum: 5}
  word: {type: string, default: a, one_of: [a, b]}
approval: {permission: 'approve:scale'}
guardrails: {max_replicas: 9, not_if: [hpa_owns_target]}
when: 'target.replicas > 0'
steps:
  - {do: scale, with: {target: '{{ inputs.target }}', by: '{{ inputs.add }}'}}
  - {do: wait, with: {until: rollout_complete}}
verify: {alert_clears_within: 10m}
undo:
  - {do: scale, with: {to: '{{ before.replicas }}'}}
cases:
  - {name: one more, cluster: {replicas: 4}, plans: [scale 4 -> 5]}
"""


def parsed(old: str = "", new: str = "") -> list[str]:
    """The problems of the good file with one part of it replaced."""
    assert old in GOOD
    try:
        playbookfile.parse(GOOD.replace(old, new, 1) if old else GOOD, "p.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_good_file() -> None:
    made = playbookfile.parse(GOOD, "p.yaml")
    assert (made.name, made.file, made.line, made.when) == ("grow", "p.yaml", 1, "target.replicas > 0")
    assert made.inputs[1] == Input("add", "integer", default=1, minimum=1, maximum=5)
    assert made.approval.expires_in == timedelta(minutes=15)
    assert [(step.do, step.timeout, step.line) for step in made.steps] == [
        ("scale", timedelta(seconds=30), 11), ("wait", timedelta(minutes=5), 12)]  # fmt: skip
    assert [result.passed for result in cases.run(made)] == [True]


COMPARE = "write what must be true, such as `avg(response_time) < 1000`"
MISTAKES = {
    "unknown key": ("summary: Add", "sumary: Add", [
        "p.yaml:1:1: summary: is missing", "p.yaml:2:1: sumary: is not a known key (did you mean 'summary'?)"]),
    "duplicate key": ("summary: Add a replica", "summary: a\nsummary: b", [
        "p.yaml:3:1: key 'summary' is given twice (the first one is in line 2)"]),
    "bad name": ("name: grow", "name: 'a b'", [
        "p.yaml:1:7: name: 'a b' is no name: letters, digits, _ and -, at most 63, a letter first"]),
    "step kind": ("do: wait", "do: wayt", ["p.yaml:12:10: 'wayt' is no step kind (did you mean 'wait'?)"]),
    "step argument": ("{until: rollout_complete}", "{untl: rollout_complete}", [
        "p.yaml:12:23: untl: is not a known key (did you mean 'until'?)"]),
    "type of a step's argument": ("by: '{{ inputs.add }}'", "by: '{{ inputs.word }}'", [
        "p.yaml:11:59: by: must be a whole number"]),
    "reference": ("inputs.add", "inputs.ad", ["p.yaml:11:59: there is no 'inputs.ad' (did you mean 'inputs.add'?)"]),
    "before outside undo": ("'{{ inputs.add }}'", "'{{ before.replicas }}'", [
        "p.yaml:11:59: there is no 'before.replicas' (known: inputs.add, inputs.target, inputs.word)"]),
    "status before": ("before.replicas", "before.ready_replicas", [
        "p.yaml:15:28: there is no 'before.ready_replicas' (did you mean 'before.replicas'?)"]),
    "no reference": ("'{{ inputs.add }}'", "'{{ 1 + 1 }}'", [
        "p.yaml:11:59: {{ 1 + 1 }} is no reference: write a dotted name, {{ a.b }}"]),
    "another target": ("'{{ inputs.target }}'", "Deployment/other", [
        "p.yaml:11:32: must be the target input (write '{{ inputs.target }}')"]),
    "no target input": ("{type: target, kinds: [Deployment]}", "{type: string, default: x}", [
        "p.yaml:3:1: needs one input of type target, and has 0",
        "p.yaml:11:32: must be the target input (write '{{ inputs.target }}')"]),
    "kind": ("[Deployment]", "[Deploymnt]", [
        "p.yaml:4:34: 'Deploymnt' is no kind to act on (did you mean 'Deployment'?)"]),
    "no kinds": (", kinds: [Deployment]", "", [
        "p.yaml:4:11: kinds: is missing (one or more of Deployment, StatefulSet, DaemonSet)"]),
    "type of an input": ("type: integer", "type: int", [
        "p.yaml:5:15: 'int' is no type of an input (did you mean 'integer'?)"]),
    "minimum above maximum": ("minimum: 1, maximum: 5", "minimum: 6, maximum: 5", [
        "p.yaml:5:33: default: 1 is below the minimum 6", "p.yaml:5:45: minimum 6 is above maximum 5"]),
    "default out of bounds": ("default: 1", "default: 7", ["p.yaml:5:33: default: 7 is above the maximum 5"]),
    "default of another type": ("default: 1", "default: one", ["p.yaml:5:33: default: 'one' is no integer"]),
    "default not in the list": ("default: a", "default: c", ["p.yaml:6:33: default: 'c' is none of a, b"]),
    "permission": ("'approve:scale'", "'approve:*'", [
        "p.yaml:7:24: approval.permission: 'approve:*' is no permission: write one as approve:scale"]),
    "no permission": ("{permission: 'approve:scale'}", "{}", ["p.yaml:7:11: approval.permission: is missing"]),
    "guardrail": ("[hpa_owns_target]", "[hpa_owns]", [
        "p.yaml:8:40: 'hpa_owns' is not known (did you mean 'hpa_owns_target'?)"]),
    "duration": ("10m", "10 minutes", [
        "p.yaml:13:31: verify.alert_clears_within: '10 minutes' is no duration: write 30s, 5m, 1h30m or 2d"]),
    "no time": ("10m", "0s", ["p.yaml:13:31: verify.alert_clears_within: must be longer than 0s"]),
    "a number for a duration": ("10m", "10", [
        "p.yaml:13:31: verify.alert_clears_within: must be a duration such as 30s, 5m or 1h30m"]),
    "condition syntax": ("target.replicas > 0", "target.replicas >", [
        "p.yaml:9:7: when: column 18: mismatched input '<EOF>'"]),
    "condition name": ("target.replicas > 0", "replicas > 0", [
        "p.yaml:9:7: when: names unknown variables: replicas; known: target, inputs"]),
    "condition field": ("target.replicas > 0", "target.replcas > 0", [
        "p.yaml:9:7: when: there is no target.replcas (did you mean 'replicas'?)"]),
    "condition input": ("target.replicas > 0", "inputs.more > 0", [
        "p.yaml:9:7: when: there is no inputs.more (known: add, target, word)"]),
    "condition function": ("target.replicas > 0", "foo(target.replicas)", [
        "p.yaml:9:7: when: Undefined variable or function: 'foo'"]),
    "condition type": ("target.replicas > 0", "target.name + 1 > 0", [
        "p.yaml:9:7: when: Unsupported operation: string + int"]),
    "condition without a truth": ("target.replicas > 0", "target.replicas", [
        "p.yaml:9:7: when: the condition gives int, not true or false"]),
    "no verify": ("verify: {alert_clears_within: 10m}\n", "", ["p.yaml:1:1: verify: is missing"]),
    "empty verify": ("{alert_clears_within: 10m}", "{}", [
        "p.yaml:13:9: needs alert_clears_within, or a condition with within"]),
    "condition without an end": ("{alert_clears_within: 10m}", "{condition: up == 1}", [
        "p.yaml:13:9: within: is missing (how long the condition may take to come true)"]),
    "a while longer than the end": ("{alert_clears_within: 10m}", "{condition: up > 0, within: 1m, holds_for: 2m}", [
        "p.yaml:13:52: holds_for is longer than within, so it could never be seen"]),
    "a condition that is no PromQL": ("{alert_clears_within: 10m}", "{condition: 'up >', within: 1m}", [
        "p.yaml:13:21: condition: ends too early: something must follow"]),
    "a condition that proves nothing": ("{alert_clears_within: 10m}", "{condition: up, within: 1m}", [
        f"p.yaml:13:21: condition: compares nothing, so it proves nothing ({COMPARE})"]),
    "a while for an alert": ("10m}", "10m, holds_for: 1m}", ["p.yaml:13:36: holds_for belongs to a condition"]),
    "no steps": ("steps:\n", "steps: []\nstep_:\n", [
        "p.yaml:10:8: steps: must not be empty",
        "p.yaml:11:1: step_: is not a known key (did you mean 'steps'?)"]),
    "case with both": ("plans: [scale 4 -> 5]", "plans: [scale 4 -> 5], refuses: when", [
        "p.yaml:17:5: give either `plans` or `refuses`"]),
    "case with neither": (", plans: [scale 4 -> 5]", "", ["p.yaml:17:5: give either `plans` or `refuses`"]),
    "case reason": ("plans: [scale 4 -> 5]", "refuses: max_replica", [
        "p.yaml:17:55: 'max_replica' is no reason of a refusal (did you mean 'max_replicas'?)"]),
    "case fact": ("{replicas: 4}", "{replica: 4}", ["p.yaml:17:32: 'replica' is no fact (did you mean 'replicas'?)"]),
    "case fact's type": ("{replicas: 4}", "{replicas: '4'}", ["p.yaml:17:42: replicas must be like 1"]),
    "case input": ("{replicas: 4}", "{replicas: 4}, inputs: {ad: 1}", [
        "p.yaml:17:55: there is no input 'ad' (did you mean 'add'?)"]),
    "a choice of types": ("default: 1,", "default: [1],", [
        "p.yaml:5:33: inputs.add.default: must be text or a whole number or a number or true or false"]),
    "a case's name": ("name: one more", 'name: "one\\0more"', [
        "p.yaml:17:12: cases.0.name: holds the character U+0000, which cannot be printed"]),
    "the reader, the model and the meaning": ("summary: Add a replica\n", "summary: 5\nsummary: no\nwhen: x\n", [
        "p.yaml:2:10: summary: must be text", "p.yaml:3:1: key 'summary' is given twice (the first one is in line 2)",
        "p.yaml:3:10: 'no' can be read in two ways (put it in quotes: 'no')",
        "p.yaml:4:7: when: names unknown variables: x; known: target, inputs",
        "p.yaml:11:1: key 'when' is given twice (the first one is in line 4)"]),
    "an alias": ("[Deployment]", "&a [Deployment]\nrunbook: *a", None),
    "a word that YAML bends": ("summary: Add a replica", "summary: 012", [
        "p.yaml:2:10: '012' can be read in two ways (put it in quotes: '012')"]),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problems"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_at_its_place(old: str, new: str, problems: list[str] | None) -> None:
    found = parsed(old, new)
    assert found
    if problems is not None:
        assert found == problems


def test_two_cases_of_one_name() -> None:
    twice = GOOD + "  - {name: one more, cluster: {}, plans: []}\n"
    with pytest.raises(ConfigError) as caught:
        playbookfile.parse(twice, "p.yaml")
    assert [str(problem) for problem in caught.value.problems] == [
        "p.yaml:18:12: a case 'one more' is there already"]  # fmt: skip


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    bad = GOOD.replace("type: integer", "type: integr").replace("do: wait", "do: wayt").replace("10m", "soon")
    with pytest.raises(ConfigError) as caught:
        playbookfile.parse(bad.replace("target.replicas > 0", "x"), "p.yaml")
    assert [problem.line for problem in caught.value.problems] == [5, 9, 12, 13]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "x", "null", "a: b\n---\na: b", "{", "\x00", "inputs: 3\nsteps: {}\ncases: x\nverify: []\nguardrails: 1",
     "inputs: {a: 1, b: [], '': {type: 3}}\nsteps: [1, {do: 2}, {do: scale, with: 3}]\ncases: [1, {cluster: 2}]",
     "when: 3\nundo: x\nname: {}\ninputs: {target: {type: target, kinds: x}}", "- " * 60 + "x",
     "steps: [{do: scale, with: {by: '{{'}}]", "steps: [{do: scale, with: {by: [['{{ inputs.x }}']]}}]",
     "inputs: {n: {type: integer, minimum: .nan, maximum: .inf, default: true}}"],
)  # fmt: skip
def test_no_text_is_more_than_a_list_of_problems(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        playbookfile.parse(text, "p.yaml")
    assert caught.value.problems
    for problem in caught.value.problems:
        assert problem.file == "p.yaml"
        assert "Traceback" not in problem.message


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_playbook_loads_and_its_cases_pass(path: Path) -> None:
    made = playbookfile.load(path)
    assert made.name == path.stem
    assert [result for result in cases.run(made) if not result.passed] == []
    assert {result.expected.startswith("refuses") for result in cases.run(made)} == {True, False}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        playbookfile.load(tmp_path / "none.yaml")


def test_the_digest_is_of_what_a_run_does() -> None:
    one = playbookfile.parse(GOOD, "p.yaml").digest
    assert playbookfile.parse("# a comment\n\n" + GOOD, "elsewhere.yaml").digest == one
    assert playbookfile.parse(GOOD.replace("one more", "another name"), "p.yaml").digest == one
    for old, new in (("default: 1", "default: 2"), ("max_replicas: 9", "max_replicas: 8"), ("> 0", "> 1")):
        assert playbookfile.parse(GOOD.replace(old, new), "p.yaml").digest != one
