"""What every API server says when it refuses: the code, the reason, who is meant, and words that people will read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contracts.cluster.ground import (
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE,
    PLAIN,
    PODS,
    STRATEGIC,
    Ground,
    deployment,
    pod,
)  # fmt: skip

WEB = f"{DEPLOYMENTS}/web"
NOBODY = "00000000-0000-0000-0000-000000000000"
INVALID, BAD, CONFLICT = (422, "Invalid"), (400, "BadRequest"), (409, "Conflict")
REJECTED = "the server rejected our request due to an error in our request"


def cause(place: str, message: str, reason: str = "FieldValueInvalid") -> dict[str, str]:
    return {"field": place, "message": message, "reason": reason}


# fmt: off
ROWS: dict[str, tuple[Any, str, tuple[int, str | None], str]] = {
    "another uid": (
        {"metadata": {"uid": NOBODY}}, MERGE, INVALID,
        f'Deployment.apps "web" is invalid: metadata.uid: Invalid value: "{NOBODY}": field is immutable'),
    "stale version": (
        {"metadata": {"resourceVersion": "1"}}, MERGE, CONFLICT,
        ('Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your '
        "changes to the latest version and try again")),
    "version is no number": (
        {"metadata": {"resourceVersion": "x"}}, MERGE, (500, None), 'strconv.ParseUint: parsing "x": invalid syntax'),
    "negative": (
        {"spec": {"replicas": -1}}, MERGE, INVALID,
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
    "two at once": (
        {"spec": {"replicas": -1, "minReadySeconds": -2}}, MERGE, INVALID,
        ('Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, '
        "spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0]")),
    "selector": (
        {"spec": {"selector": {"matchLabels": {"app": "x"}}}}, MERGE, INVALID,
        ('Deployment.apps "web" is invalid: [spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` '
        'does not match template `labels`, spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is '
        "immutable]")),
    "another name": (
        {"metadata": {"name": "other"}}, MERGE, BAD,
        "the name of the object (other) does not match the name on the URL (web)"),
    "a list as merge patch": (
        [], MERGE, BAD, ("error decoding patch: json: cannot unmarshal array into Go value of type "
        "map[string]interface {}")),
    "test fails": ([{"op": "test", "path": "/spec/replicas", "value": 7}], JSON_PATCH, INVALID, REJECTED),
    "no such place": ([{"op": "replace", "path": "/spec/no/more", "value": 7}], JSON_PATCH, INVALID, REJECTED),
    "no such operation": ([{"op": "jump", "path": "/spec/replicas", "value": 7}], JSON_PATCH, INVALID, REJECTED),
    "plain JSON": ({"spec": {"replicas": 9}}, PLAIN, (415, "UnsupportedMediaType"), "415: Unsupported Media Type"),
}
# fmt: on


@pytest.mark.parametrize(("body", "sort", "want", "said"), ROWS.values(), ids=list(ROWS))
def test_a_patch_is_refused_in_these_words(
    ground: Ground, web: dict[str, Any], body: Any, sort: str, want: tuple[int, str | None], said: str
) -> None:
    found = ground.refused("PATCH", WEB, body, content_type=sort)
    assert (found["code"], found.get("reason"), found["message"]) == (*want, said)
    assert ground.good("GET", WEB) == web


def test_the_details_name_the_object_and_each_field(ground: Ground, web: dict[str, Any]) -> None:
    body = {"spec": {"replicas": -1, "minReadySeconds": -2}}
    found = ground.refused("PATCH", WEB, body, content_type=MERGE)["details"]
    rule = "must be greater than or equal to 0"
    assert found == {
        "name": "web", "group": "apps", "kind": "Deployment",
        "causes": [cause("spec.replicas", f"Invalid value: -1: {rule}"),
                   cause("spec.minReadySeconds", f"Invalid value: -2: {rule}")],
    }  # fmt: skip
    stale = ground.refused("PATCH", WEB, {"metadata": {"resourceVersion": "1"}}, content_type=MERGE)
    assert stale["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


@pytest.mark.parametrize("sort", [MERGE, STRATEGIC], ids=["merge", "strategic"])
@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        ({"spec": {"replicsa": 9}}, {"fieldValidation": "Strict"},
         'strict decoding error: unknown field "spec.replicsa"'),
        ({"spec": {"replicas": "two"}}, {},
         "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec": {"template": {"spec": {"nodeSelector": {"a": 1}}}}}, {},
         "json: cannot unmarshal number into Go struct field PodSpec.spec.template.spec.nodeSelector of type string"),
        ({"metadata": {"labels": {"a": 1}}}, {},
         "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"),
    ],
    ids=["unknown field", "text for a number", "in the template", "label"],
)  # fmt: skip
def test_what_does_not_fit_is_told_last_after_the_whole_object(
    ground: Ground, web: dict[str, Any], sort: str, body: Any, query: dict[str, str], said: str
) -> None:
    found = ground.refused("PATCH", WEB, body, content_type=sort, **query)
    assert (found["code"], found["reason"]) == INVALID
    assert found["message"].startswith(' "" is invalid: patch: Invalid value: "')
    assert [item["field"] for item in found["details"]["causes"]] == ["patch"]
    if sort == MERGE:  # of a strategic patch it says less, in words of its own
        assert found["message"].endswith(f": {said}")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"dryRun": "Some"},
         'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        ({"fieldValidation": "Perhaps"},
         ('PatchOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Perhaps": supported values: '
         '"", "Ignore", "Strict", "Warn"')),
    ],
    ids=["dry run", "field validation"],
)  # fmt: skip
def test_an_option_that_is_none_is_refused_before_anything_is_done(
    ground: Ground, web: dict[str, Any], query: dict[str, str], said: str
) -> None:
    found = ground.refused("PATCH", WEB, {"spec": {"replicas": 9}}, content_type=MERGE, **query)
    assert (found["code"], found["reason"], found["message"]) == (*INVALID, said)
    assert [item["reason"] for item in found["details"]["causes"]] == ["FieldValueNotSupported"]
    assert ground.good("GET", WEB) == web


def broken(**spec: Any) -> dict[str, Any]:
    made = deployment()
    made["spec"] |= spec
    return made


# fmt: off
CREATED: dict[str, tuple[str, Any, tuple[int, str | None], str]] = {
    "no selector": (
        DEPLOYMENTS, broken(selector=None, template={}), INVALID,
        (r'Deployment\.apps "web" is invalid: \[spec\.selector: Required value, spec\.template\.metadata\.labels: '
        r"Invalid value: null: `selector` does not match template `labels`, spec\.template\.spec\.containers: Required "
        r"value\]")),
    "name": (
        PODS, pod("Not_A_Name"), INVALID,
        (r'Pod "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain .*'
        r" \(e\.g\. 'example\.com', regex used for validation is '.*'\)")),
    "type": (
        PODS, pod("a", nodeSelector={"a": 1}), BAD,
        (r'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field '
        r"PodSpec\.spec\.nodeSelector of type string")),
    "type in a list": (
        PODS, {**pod("a"), "spec": {"containers": [{"name": 5, "image": "x"}]}}, BAD,
        (r'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field '
        r"Container\.spec\.containers\.name of type string")),
    "another kind": (
        DEPLOYMENTS, {**deployment(), "kind": "Pod"}, BAD,
        r'Pod in version "v1" cannot be handled as a Deployment: no kind "Pod" is registered for version "apps/v1" .*'),
    "another namespace": (
        DEPLOYMENTS, {**deployment(), "metadata": {"name": "web", "namespace": "default"}}, BAD,
        "the namespace of the provided object does not match the namespace sent on the request"),
    "a version": (
        DEPLOYMENTS, {**deployment(), "metadata": {"name": "web", "resourceVersion": "5"}}, (500, None),
        "resourceVersion should not be set on objects to be created"),
    "nowhere": (
        "/apis/apps/v1/namespaces/nowhere/deployments", deployment(), (404, "NotFound"),
        r'namespaces "nowhere" not found'),
}
# fmt: on


@pytest.mark.parametrize(("path", "body", "want", "said"), CREATED.values(), ids=list(CREATED))
def test_a_new_object_is_refused_in_these_words(
    ground: Ground, path: str, body: Any, want: tuple[int, str | None], said: str
) -> None:
    found = ground.refused("POST", path, body)
    assert (found["code"], found.get("reason")) == want
    assert re.fullmatch(said, found["message"]), found["message"]


def test_a_field_that_nobody_knows_is_dropped_from_a_new_object_or_refused_as_asked(ground: Ground) -> None:
    body = {**deployment(), "spex": 1}
    found = ground.refused("POST", DEPLOYMENTS, body, fieldValidation="Strict")
    said = 'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spex"'
    assert (found["code"], found["reason"], found["message"]) == (*BAD, said)
    assert "spex" not in ground.good("POST", DEPLOYMENTS, body)


def test_a_name_that_is_taken(ground: Ground, web: dict[str, Any]) -> None:
    found = ground.refused("POST", DEPLOYMENTS, deployment())
    assert (found["code"], found["reason"]) == (409, "AlreadyExists")
    assert found["message"] == 'deployments.apps "web" already exists'
    assert found["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_a_delete_that_is_meant_for_another_object(ground: Ground, web: dict[str, Any]) -> None:
    uid, version = web["metadata"]["uid"], web["metadata"]["resourceVersion"]
    found = ground.refused("DELETE", WEB, {"preconditions": {"uid": NOBODY}})
    assert (found["code"], found["reason"]) == CONFLICT
    assert found["message"] == (
        f'Operation cannot be fulfilled on Deployment.apps "web": the UID in the precondition ({NOBODY}) does not '
        f"match the UID in record ({uid}). The object might have been deleted and then recreated"
    )
    found = ground.refused("DELETE", WEB, {"preconditions": {"resourceVersion": "1"}})
    assert found["message"] == (
        'Operation cannot be fulfilled on Deployment.apps "web": the ResourceVersion in the precondition (1) does not '
        f"match the ResourceVersion in record ({version}). The object might have been modified"
    )
    assert ground.good("GET", WEB) == web


@pytest.mark.parametrize(
    ("body", "want", "said"),
    [
        ({"spec": {"replicas": -1}}, INVALID,
         r'Scale\.autoscaling "web" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0'),
        ({"metadata": {"uid": NOBODY}}, CONFLICT,
         (rf'Operation cannot be fulfilled on deployments/scale\.apps "web": Precondition failed: UID in precondition: '
         rf"{NOBODY}, UID in object meta: [0-9a-f-]{{36}}")),
        ({"metadata": {"resourceVersion": "1"}}, CONFLICT,
         r'Operation cannot be fulfilled on deployments\.apps "web": the object has been modified; .*'),
    ],
    ids=["negative", "uid", "stale"],
)  # fmt: skip
def test_a_scale_is_refused_in_these_words(
    ground: Ground, web: dict[str, Any], body: Any, want: tuple[int, str], said: str
) -> None:
    found = ground.refused("PATCH", f"{WEB}/scale", body, content_type=MERGE)
    assert (found["code"], found["reason"]) == want
    assert re.fullmatch(said, found["message"]), found["message"]
