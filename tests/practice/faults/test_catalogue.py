"""The table of faults: names that are known, objects that an API server takes, annotations that a Stage reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from opsbot.core import faults as known
from opsbot.practice import paths
from opsbot.practice.faults import ALL, BY_NAME, FAMILIES
from opsbot.practice.faults.fault import CLUSTER_WIDE, LABEL, NAMESPACE, Fault, Obj, node_name
from opsbot.practice.faults.parts import PREFIX
from opsbot.practice.plane.programs import STAGES

ONE = pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
STAGED = "\n".join(file.read_text() for file in STAGES.glob("*.yaml"))
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def objects(fault: Fault) -> list[Obj]:
    return [*fault.made(), *(act.body for act in fault.then if act.do == "create")]


def notes_of(found: Any) -> set[str]:
    if isinstance(found, dict):
        own = set(found["annotations"]) if isinstance(found.get("annotations"), dict) else set()
        return own.union(*(notes_of(value) for value in found.values()), set())
    return set().union(*(notes_of(item) for item in found)) if isinstance(found, (list, tuple)) else set()


def test_there_are_enough_to_practise_on() -> None:
    assert len(ALL) >= 70


def test_no_fault_is_there_twice() -> None:
    assert len(BY_NAME) == len(ALL)


@ONE
def test_its_name_is_one_of_the_known(fault: Fault) -> None:
    assert fault.name in known.FAULTS


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_those_of_the_known_faults(family: str) -> None:
    of_core = next(names for title, names in known.FAMILIES.items() if title.startswith(family))
    strangers = {fault.name for fault in FAMILIES[family]} - set(of_core)
    moved = {"port_conflict", "wrong_env", "sidecar_blocks_job"}  # they stand with those that they look like
    assert strangers <= moved


@ONE
def test_no_other_fault_could_be_taken_for_it(fault: Fault) -> None:
    """Events are told apart by the names that they are about."""
    assert [other.name for other in ALL if other.slug.startswith(f"{fault.slug}-")] == []


@ONE
def test_it_says_what_is_wrong_and_what_is_seen(fault: Fault) -> None:
    assert fault.summary
    assert fault.summary[0].islower()
    assert not fault.summary.endswith(".")
    assert fault.shows


@ONE
def test_its_objects_are_whole(fault: Fault) -> None:
    for obj in objects(fault):
        api, _, namespaced = paths.KINDS[obj["kind"]]
        assert api.endswith(obj["apiVersion"])
        assert namespaced is (obj["kind"] not in CLUSTER_WIDE)
        assert NAME.fullmatch(obj["metadata"]["name"])
        json.dumps(obj)


@ONE
def test_all_that_it_makes_bears_its_label_and_lives_in_its_namespace(fault: Fault) -> None:
    for obj in fault.made():
        assert obj["metadata"]["labels"][LABEL] == fault.name
        if obj["kind"] not in CLUSTER_WIDE:
            assert obj["metadata"]["namespace"] == fault.namespace
        if obj["kind"] in ("Deployment", "Job"):
            assert obj["spec"]["template"]["metadata"]["labels"][LABEL] == fault.name


@ONE
def test_what_concerns_a_whole_namespace_or_node_has_one_of_its_own(fault: Fault) -> None:
    found = {obj["kind"]: obj for obj in objects(fault)}
    if found.keys() & {"ResourceQuota", "LimitRange", "ValidatingWebhookConfiguration"} or fault.room:
        assert fault.namespace != NAMESPACE
    if "Node" in found:
        assert found["Node"]["metadata"]["name"] == node_name(fault.name)
        assert found["Node"]["spec"]["taints"]


@ONE
def test_each_annotation_is_read_by_a_stage(fault: Fault) -> None:
    used = notes_of([*fault.objects, *(act.body for act in fault.then)])
    ours = {name for name in used if name.startswith(PREFIX)}
    assert {name for name in ours if f'"{name}"' not in STAGED} == set()


def test_each_annotation_that_a_stage_reads_is_of_use() -> None:
    """What only the base life of pods reads may serve others than faults."""
    used = set().union(*(notes_of([*f.objects, *(act.body for act in f.then)]) for f in ALL))
    read = set(re.findall(rf'"({re.escape(PREFIX)}[\w-]+)"', STAGED))
    assert read - used <= {f"{PREFIX}memory", f"{PREFIX}ready-after"}


@ONE
def test_each_look_can_be_made(fault: Fault) -> None:
    for look in (*fault.shows, *(act.once for act in fault.then if act.once)):
        assert look.kind in paths.KINDS
        for pattern in look.where.values():
            re.compile(pattern)


@ONE
def test_what_is_done_later_concerns_its_own_objects(fault: Fault) -> None:
    made = {(obj["kind"], obj["metadata"]["name"]) for obj in objects(fault)}
    for act in fault.then:
        assert act.kind in paths.KINDS
        assert act.do == "create" or act.name == "*" or (act.kind, act.name) in made


@ONE
def test_a_log_from_before_has_one_from_now(fault: Fault) -> None:
    assert fault.logs or not fault.previous
    assert not any("\n" in line for line in (*fault.logs, *fault.previous))


@ONE
def test_its_container_is_there_where_it_has_a_log(fault: Fault) -> None:
    pods = [obj["spec"]["template"]["spec"] for obj in fault.made() if obj["kind"] in ("Deployment", "Job")]
    names = {one["name"] for pod in pods for one in [*pod["containers"], *pod.get("initContainers", ())]}
    assert not fault.logs or fault.speaks in names


DOCS = Path(__file__).parents[3] / "docs" / "practice.md"


def test_the_page_lists_each_fault_with_what_is_wrong_and_what_is_seen() -> None:
    section = DOCS.read_text().split("\n## Faults\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows == [(fault.name, fault.summary, fault.signs) for fault in ALL]
