"""The Stage files: whole, each with a selector, and every text of a kubelet with the file that it comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsbot.practice.plane.programs import STAGES

FILES = sorted(STAGES.glob("*.yaml"))
DOCUMENTS = [
    pytest.param(found, id=f"{file.stem}: {found['metadata']['name']}")
    for file in FILES
    for found in yaml.safe_load_all(file.read_text())
]
FILE = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
STAGE = pytest.mark.parametrize("stage", DOCUMENTS)


def templates(stage: dict[str, Any]) -> list[str]:
    steps = (step.get("patch") or step.get("apply") or {} for step in stage["spec"]["steps"])
    return [step["template"] for step in steps if "template" in step]


def test_all_stages_are_there() -> None:
    assert {file.stem for file in FILES} == {"crash", "evict", "node", "pod", "probe", "start"}


def test_no_name_is_there_twice() -> None:
    names = [param.values[0]["metadata"]["name"] for param in DOCUMENTS]  # type: ignore[index]
    assert len(names) == len(set(names))


@STAGE
def test_it_is_a_stage_for_a_pod_or_a_node(stage: dict[str, Any]) -> None:
    assert (stage["apiVersion"], stage["kind"]) == ("kwok.x-k8s.io/v1alpha1", "Stage")
    assert stage["spec"]["resourceRef"]["kind"] in ("Pod", "Node")
    assert stage["spec"]["selector"]["matchExpressions"]


@STAGE
def test_nothing_is_executed_and_no_finalizer_taken_away(stage: dict[str, Any]) -> None:
    assert all(set(step) <= {"patch", "apply", "event", "delete"} for step in stage["spec"]["steps"])


@STAGE
def test_only_the_status_is_changed(stage: dict[str, Any]) -> None:
    patches = [step["patch"] for step in stage["spec"]["steps"] if "patch" in step]
    assert all((patch["subresource"], patch["root"]) == ("status", "status") for patch in patches)


@STAGE
def test_what_is_applied_is_an_event_of_the_kubelet(stage: dict[str, Any]) -> None:
    for step in stage["spec"]["steps"]:
        if "apply" in step:
            text = step["apply"]["template"]
            assert "kind: Event" in text
            assert "component: kubelet" in text


@STAGE
def test_blocks_of_its_templates_are_closed(stage: dict[str, Any]) -> None:
    for text in templates(stage):
        words = re.findall(r"{{ (if|range|with|end)\b", text)
        assert words.count("end") == len(words) - words.count("end")


@STAGE
def test_annotations_may_be_missing(stage: dict[str, Any]) -> None:
    """A node or pod that has none has no map of them, and a template that indexes nothing fails."""
    asked = "\n".join(str(one) for one in stage["spec"]["selector"]["matchExpressions"])
    for text in templates(stage):
        if "get .metadata.annotations" in text or "$said := .metadata.annotations" in text:
            assert "practice.opsbot/" in asked


@FILE
def test_it_says_what_it_reads_and_where_its_texts_come_from(file: Path) -> None:
    text = file.read_text()
    head = text.split("apiVersion:")[0]
    read = set(re.findall(r'"practice\.opsbot/([\w-]+)"', text))
    others = "".join(other.read_text().split("apiVersion:")[0] for other in FILES)
    assert "pkg/kubelet/" in head
    assert {name for name in read if f"practice.opsbot/{name}" not in others and f", {name}" not in others} == set()


@FILE
def test_lines_can_be_read(file: Path) -> None:
    assert [line for line in file.read_text().split("\n") if len(line) > 120] == []
