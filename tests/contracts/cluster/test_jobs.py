"""What every cluster promises of Jobs: pods until they have done it, and why they have not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import EVENTS, MERGE, PODS, Ground

JOBS = "/apis/batch/v1/namespaces/{ns}/jobs"
ONCE = f"{JOBS}/once"


def job(**spec: Any) -> dict[str, Any]:
    """A Job whose pods get no node, so that this test alone decides how they end."""
    template = {"spec": {"restartPolicy": "Never", "schedulerName": "nobody",
                         "containers": [{"name": "main", "image": "x:1"}]}}  # fmt: skip
    return {"metadata": {"name": "once"}, "spec": {"template": template, **spec}}


def end_pods(ground: Ground, phase: str, count: int = 1) -> None:
    """Wait for so many pods, and say of each what a kubelet would say at its end."""
    found = ground.until(PODS, lambda found: len(found["items"]) == count)
    for pod in found["items"]:
        where = f"{PODS}/{pod['metadata']['name']}/status"
        ground.good("PATCH", where, {"status": {"phase": phase}}, content_type=MERGE)


def conditions(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    said = (found.get("status") or {}).get("conditions") or []
    return [(item["type"], item["status"], item["reason"]) for item in said]


def told(ground: Ground, *events: tuple[str, str, str]) -> None:
    """These Events of the Job come: controllers send them a moment after they have changed the status."""

    def there(found: dict[str, Any]) -> bool:
        items = [item for item in found["items"] if item["involvedObject"]["kind"] == "Job"]
        return {*events} <= {(item["type"], item["reason"], item["message"]) for item in items}

    ground.until(EVENTS, there)


def test_its_pods_bear_its_name_and_its_uid(ground: Ground) -> None:
    made = ground.good("POST", JOBS, job())
    uid = made["metadata"]["uid"]
    marks = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "once",
             "controller-uid": uid, "job-name": "once"}  # fmt: skip
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert made["spec"]["template"]["metadata"]["labels"] == marks
    (pod,) = ground.until(PODS, lambda found: len(found["items"]) == 1)["items"]
    assert pod["metadata"]["labels"] == marks
    assert pod["metadata"]["ownerReferences"][0]["uid"] == uid
    found = ground.until(ONCE, lambda found: (found.get("status") or {}).get("active") == 1)["status"]
    assert (found["ready"], "succeeded" in found, "failed" in found) == (0, False, False)
    told(ground, ("Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}"))


def test_it_is_complete_when_enough_pods_have_succeeded(ground: Ground) -> None:
    ground.good("POST", JOBS, job(completions=2, parallelism=2))
    end_pods(ground, "Succeeded", 2)
    found = ground.until(ONCE, lambda found: len(conditions(found)) == 2)
    assert conditions(found) == [
        ("SuccessCriteriaMet", "True", "CompletionsReached"), ("Complete", "True", "CompletionsReached")
    ]  # fmt: skip
    status = found["status"]
    assert (status["succeeded"], status.get("failed"), status.get("active"), status["ready"]) == (2, None, None, 0)
    assert status["completionTime"] >= status["startTime"]
    told(ground, ("Normal", "Completed", "Job completed"))


def test_it_has_failed_when_more_pods_failed_than_may(ground: Ground) -> None:
    ground.good("POST", JOBS, job(backoffLimit=0))
    end_pods(ground, "Failed")
    found = ground.until(ONCE, lambda found: len(conditions(found)) == 2)
    assert conditions(found) == [
        ("FailureTarget", "True", "BackoffLimitExceeded"), ("Failed", "True", "BackoffLimitExceeded")
    ]  # fmt: skip
    said = "Job has reached the specified backoff limit"
    assert found["status"]["conditions"][1]["message"] == said
    assert (found["status"]["failed"], found["status"].get("active")) == (1, None)
    assert "completionTime" not in found["status"]
    told(ground, ("Warning", "BackoffLimitExceeded", said))


def test_it_has_failed_when_its_time_is_over(ground: Ground) -> None:
    ground.good("POST", JOBS, job(activeDeadlineSeconds=1))
    found = ground.until(ONCE, lambda found: len(conditions(found)) == 2)
    assert conditions(found)[1] == ("Failed", "True", "DeadlineExceeded")
    said = "Job was active longer than specified deadline"
    assert found["status"]["conditions"][1]["message"] == said
    assert found["status"]["failed"] == 1
    told(ground, ("Warning", "DeadlineExceeded", said))
    ground.until(PODS, lambda found: not found["items"])


def test_one_that_is_suspended_waits(ground: Ground) -> None:
    ground.good("POST", JOBS, job(suspend=True))
    found = ground.until(ONCE, lambda found: bool(conditions(found)))
    assert conditions(found) == [("Suspended", "True", "JobSuspended")]
    assert ground.good("GET", PODS)["items"] == []
    ground.good("PATCH", ONCE, {"spec": {"suspend": False}}, content_type=MERGE)
    found = ground.until(ONCE, lambda found: (found.get("status") or {}).get("active") == 1)
    assert conditions(found) == [("Suspended", "False", "JobResumed")]
    told(ground, ("Normal", "Suspended", "Job suspended"), ("Normal", "Resumed", "Job resumed"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"template": {"spec": {"containers": [{"name": "main", "image": "x:1"}]}}},
         'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'),
        ({"parallelism": -1}, "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        ({"backoffLimit": -1}, "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"),
    ],
    ids=["always again", "parallel", "backoff"],
)  # fmt: skip
def test_one_that_cannot_be_is_refused(ground: Ground, spec: dict[str, Any], said: str) -> None:
    found = ground.refused("POST", JOBS, job(**spec))
    assert (found["code"], found["message"]) == (422, f'Job.batch "once" is invalid: {said}')
