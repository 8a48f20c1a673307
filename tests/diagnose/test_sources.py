"""Sources through the official client, on a cluster that answers as an API server does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.evidence import Evidence, MaskedText, Picture
from opsbot.core.target import Target
from opsbot.diagnose import sources
from opsbot.diagnose.collect import collect
from opsbot.diagnose.diagnosis import diagnose
from opsbot.kube.read import KubeReader
from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Rule, faults
from tests.diagnose.diagnosis_world import AGENTS, Json, crash_loop, owner

SECRET = "Tr0ub4dor-and-3-horses"


def workload(kind: str = "Deployment", name: str = "agents", **template: Any) -> Json:
    container = {"name": "app", "image": "agents:1", "env": [{"name": "DB_PASSWORD", "value": SECRET}]}
    spec: Json = {
        "replicas": 2, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **template}},
    }  # fmt: skip
    return {"kind": kind, "metadata": {"namespace": "agents", "name": name}, "spec": spec}


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add(workload())
    made.add(workload(name="shop"))
    made.run(5)
    return made


def look(cluster: FakeCluster, target: Target | None = AGENTS, account: str = "reader") -> Picture:
    return collect(KubeReader(cluster.connect(account)), target, cluster.clock())


def owned(kind: str, by: Json) -> list[Json]:
    return [{**owner(kind, by["metadata"]["name"]), "uid": by["metadata"]["uid"]}]


def of(picture: Picture, source: str) -> Evidence:
    (found,) = picture.of(source)
    return found


def test_one_picture_with_numbered_masked_evidence_of_each_source(cluster: FakeCluster) -> None:
    cluster.set_logs("agents", "agents-*", f"logging in with password={SECRET}\n")
    picture = look(cluster)
    assert picture.gaps == ()
    assert [item.id for item in picture.evidence] == [f"e{n}" for n in range(1, len(picture.evidence) + 1)]
    assert {item.source for item in picture.evidence} == set(sources.NAMES)
    for item in picture.evidence:
        assert isinstance(item.text, MaskedText)
        assert isinstance(item.origin, MaskedText)
        assert SECRET not in item.text
        assert SECRET not in str(item.objects)
        assert item.taken_at == cluster.clock()


def test_lines_of_objects_can_be_grepped(cluster: FakeCluster) -> None:
    pods = of(look(cluster), "pods")
    name = pods.objects[0]["metadata"]["name"]
    lines = pods.text.lines()
    assert f"Pod/{name} status.containerStatuses[app].restartCount: 0" in lines
    assert f"Pod/{name} status.conditions[Ready].status: True" in lines
    assert f"Pod/{name} spec.containers[app].image: agents:1" in lines
    assert any(line.startswith(f"Pod/{name} spec.containers[app].env[DB_PASSWORD].value: ") for line in lines)


def test_pods_of_another_workload_stay_out_of_it(cluster: FakeCluster) -> None:
    shop = next(pod for pod in cluster.list("Pod", "agents") if pod["metadata"]["labels"]["app"] == "shop")
    cluster.change("Pod", "agents", shop["metadata"]["name"], {"metadata": {"labels": {"app": "agents"}}})
    picture = look(cluster)
    assert len(of(picture, "pods").objects) == 2
    assert "shop-" not in of(picture, "pods").text
    assert "shop-" not in of(picture, "events").text


def test_each_question_is_asked_once(cluster: FakeCluster) -> None:
    cluster.requests.clear()
    look(cluster)
    asked = [(request.method, request.path) for request in cluster.requests]
    assert len(asked) == len(set(asked))


def test_an_unready_pod_comes_first_with_what_its_last_run_said(cluster: FakeCluster) -> None:
    name = cluster.list("Pod", "agents")[1]["metadata"]["name"]
    broken = crash_loop()["status"]
    cluster.change("Pod", "agents", name, {"status": broken})
    cluster.set_logs("agents", name, "old words\n", previous=True)
    cluster.set_logs("agents", name, "new words\n")
    picture = look(cluster)
    assert of(picture, "pods").objects[0]["metadata"]["name"] == name
    first, second = picture.of("pod_logs")[:2]
    assert first.origin == f"kubectl logs {name} -n agents -c app --previous"
    assert first.text.endswith("old words\n")
    assert second.origin == f"kubectl logs {name} -n agents -c app"
    assert (first.about.kind, first.about.name) == ("Pod", name)


def test_only_the_last_hour_of_a_ready_pod_is_read(cluster: FakeCluster) -> None:
    now = cluster.clock()
    lines = [(now - timedelta(hours=3), "long ago"), (now - timedelta(minutes=3), "just now")]
    cluster.set_logs("agents", "agents-*", lines)
    texts = [item.text for item in look(cluster).of("pod_logs")]
    assert texts
    assert all("just now" in text and "long ago" not in text for text in texts)


def test_the_newest_lines_of_a_long_log_are_kept_and_the_cut_is_marked(cluster: FakeCluster) -> None:
    now = cluster.clock()
    lines = [(now - timedelta(seconds=3600 - n / 4), f"line {n} " + "x" * 90) for n in range(9000)]
    cluster.set_logs("agents", "agents-*", lines)
    found = look(cluster).of("pod_logs")[0]
    assert found.truncated
    assert "line 8999 " in found.text
    assert "line 0 " not in found.text
    assert len(found.text.encode()) <= sources.pod_logs.ONE_LOG
    assert found.text.lines()[0].startswith("20")


def test_bytes_that_are_no_text_lose_no_line(cluster: FakeCluster) -> None:
    cluster.set_logs("agents", "agents-*", b"good\n\xff\xfe\x00bad\r\nlast\n")
    text = look(cluster).of("pod_logs")[0].text
    assert [line.partition(" ")[2] for line in text.lines()] == ["good", "\ufffd\ufffd\ufffdbad", "last"]


def test_what_changed_from_revision_to_revision_is_told_with_its_time(cluster: FakeCluster) -> None:
    changed = workload()
    container = changed["spec"]["template"]["spec"]["containers"][0]
    container |= {
        "image": "agents:2",
        "env": [{"name": "DB_PASSWORD", "value": SECRET + "-new"}, {"name": "REGION", "value": "eu"}],
    }
    cluster.change("Deployment", "agents", "agents", {"spec": changed["spec"]})
    cluster.run(5)
    text = of(look(cluster), "rollouts").text
    assert "Change/agents@2 template.spec.containers[app].image: agents:1 -> agents:2\n" in text
    assert "Change/agents@2 template.spec.containers[app].env[REGION].value: (none) -> eu\n" in text
    assert "Change/agents@2 template.spec.containers[app].env[DB_PASSWORD].value: " in text
    assert SECRET not in text
    assert "Change/agents@2 at: 2026-01-01T00:00:05Z\n" in text


def test_events_stand_line_by_line_oldest_first(cluster: FakeCluster) -> None:
    cluster.add({
        "kind": "Event", "metadata": {"namespace": "agents", "name": "x"}, "type": "Warning", "reason": "BackOff",
        "count": 7, "message": "Back-off\nrestarting", "lastTimestamp": "2026-01-01T00:00:04Z",
        "involvedObject": {"kind": "Pod", "name": cluster.list("Pod", "agents")[0]["metadata"]["name"]},
    })  # fmt: skip
    events = of(look(cluster), "events")
    lines = events.text.lines()
    assert len(lines) == len(events.objects)
    assert lines == sorted(lines, key=lambda line: line[:20])
    assert any(line.startswith("2026-01-01T00:00:04Z Warning BackOff Pod/agents-") for line in lines)
    assert any(line.endswith(r" (x7): Back-off\nrestarting") for line in lines)


def test_events_of_pods_that_are_gone_are_kept(cluster: FakeCluster) -> None:
    replica_set = next(
        rs for rs in cluster.list("ReplicaSet", "agents") if rs["metadata"]["name"].startswith("agents-")
    )
    gone = f"{replica_set['metadata']['name']}-zzzzz"
    for name in (gone, f"{gone}-not-mine", "agents-of-another-kind"):
        cluster.add({
            "kind": "Event", "metadata": {"namespace": "agents", "name": name}, "reason": "Evicted", "message": name,
            "lastTimestamp": "2026-01-01T00:00:04Z", "involvedObject": {"kind": "Pod", "name": name},
        })  # fmt: skip
    told = [line for line in of(look(cluster), "events").text.lines() if "Evicted" in line]
    assert [line.rpartition(": ")[2] for line in told] == [gone]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_workloads_are_read_too(cluster: FakeCluster, kind: str) -> None:
    made = workload(kind, "store")
    if kind == "DaemonSet":  # the fake has no controller that makes its pods
        del made["spec"]["replicas"]
    born = cluster.add(made)
    cluster.run(8)
    if kind == "DaemonSet":
        about = {"name": "store-abcde", "labels": {"app": "store"}, "ownerReferences": owned(kind, born)}
        cluster.add({**crash_loop(), "metadata": {"namespace": "agents", **about}})
    picture = look(cluster, Target("agents", kind, "store"))
    assert picture.gaps == ()
    assert {"pods", "rollouts"} <= {item.source for item in picture.evidence}
    assert len(of(picture, "pods").objects) >= 1
    assert f"{kind}/store spec.template.spec.containers[app].image: agents:1\n" in of(picture, "rollouts").text


def test_a_bare_pod_is_read_without_a_rollout(cluster: FakeCluster) -> None:
    name = cluster.list("Pod", "agents")[0]["metadata"]["name"]
    cluster.set_logs("agents", name, "words\n")
    picture = look(cluster, Target("agents", "Pod", name))
    assert {item.source for item in picture.evidence} == {"pods", "events", "pod_logs"}
    assert picture.gaps == ()


def test_jobs_of_a_cron_job_and_their_pods_belong_to_it(cluster: FakeCluster) -> None:
    about = {"namespace": "agents", "name": "load"}
    cron = cluster.add({"kind": "CronJob", "metadata": about, "spec": {"schedule": "@daily"}})
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
    below = {"namespace": "agents", "name": "load-1", "ownerReferences": owned("CronJob", cron)}
    job = cluster.add({"kind": "Job", "metadata": below, "spec": {}, "status": failed})
    pod = crash_loop()
    pod["metadata"] |= {"name": "load-1-abc", "ownerReferences": owned("Job", job)}
    cluster.add(pod)
    picture = look(cluster, Target("agents", "CronJob", "load"))
    assert [item["metadata"]["name"] for item in of(picture, "pods").objects] == ["load-1-abc"]
    assert "Job/load-1 status.conditions[Failed].reason: BackoffLimitExceeded\n" in of(picture, "rollouts").text


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (None, "no_target"),
        (Target("agents", "Deployment", "gone"), "Deployment/gone -n agents is not there"),
        (Target("agents", "Service", "agents"), "a Service has no pods of its own"),
    ],
    ids=["no target", "not there", "no workload"],
)
def test_what_cannot_be_looked_at_is_a_gap_with_a_reason(cluster: FakeCluster, target: Target | None, why: str) -> None:
    picture = look(cluster, target)
    assert picture.evidence == ()
    assert picture.gaps
    assert all(why in gap.why for gap in picture.gaps)


BROKEN: dict[str, tuple[Callable[[FakeCluster], None], set[str]]] = {
    "logs": (lambda c: c.fail_next(faults.error(503), times=99, path="/log"), {"pod_logs"}),
    "events": (lambda c: c.fail_next(faults.error(500), times=99, path="/events"), {"events"}),
    "pods": (lambda c: c.fail_next(faults.error(500), times=99, path="/pods"), set(sources.NAMES)),
    "all of it": (lambda c: c.fail_next(faults.lost_answer(), times=99), set(sources.NAMES)),
}  # fmt: skip


@pytest.mark.parametrize(("break_it", "gaps"), BROKEN.values(), ids=BROKEN)
def test_a_source_that_fails_leaves_the_others_alone(
    cluster: FakeCluster, break_it: Callable[[FakeCluster], None], gaps: set[str]
) -> None:
    cluster.set_logs("agents", "agents-*", "words\n")
    break_it(cluster)
    picture = look(cluster)
    assert {gap.source for gap in picture.gaps} == gaps
    assert all(isinstance(gap.why, MaskedText) and gap.why for gap in picture.gaps)
    assert {item.source for item in picture.evidence} == set(sources.NAMES) - gaps
    assert diagnose(picture, ()).gaps == picture.gaps


def test_one_log_that_cannot_be_read_hides_no_other(cluster: FakeCluster) -> None:
    cluster.set_logs("agents", "agents-*", "words\n")
    name = cluster.list("Pod", "agents")[0]["metadata"]["name"]
    cluster.fail_next(faults.error(500), times=9, path=f"{name}/log")
    picture = look(cluster)
    assert len(picture.of("pod_logs")) == 1
    assert [f"kubectl logs {name} -n agents -c app: " in gap.why for gap in picture.gaps] == [True]


def test_an_account_without_a_right_sees_a_gap_that_names_it(cluster: FakeCluster) -> None:
    cluster.account("narrow", [Rule(("get", "list"), ("pods", "deployments", "replicasets"))])
    picture = look(cluster, account="narrow")
    assert {gap.source for gap in picture.gaps} == {"events", "pod_logs"}
    assert any("forbidden" in gap.why for gap in picture.gaps)
    assert {item.source for item in picture.evidence} == {"pods", "rollouts"}


def test_the_stated_verbs_are_enough_and_all_reads(cluster: FakeCluster) -> None:
    cluster.set_logs("agents", "agents-*", "words\n")
    rules = [
        Rule((verb,), (resource.partition(".")[0],), (resource.partition(".")[2],))
        for verb, resource in sources.verbs()
    ]
    cluster.account("stated", rules)
    picture = look(cluster, account="stated")
    assert picture.gaps == ()
    assert {item.source for item in picture.evidence} == set(sources.NAMES)
    assert {verb for verb, _ in sources.verbs()} <= {"get", "list"}
    assert not any("secrets" in resource for _, resource in sources.verbs())
    assert cluster.writes == []


ODD_PODS: tuple[Json, ...] = (
    {"status": "gone"}, {"status": {"containerStatuses": "none", "conditions": [1, None]}}, {"spec": [], "status": []},
    {"status": {"containerStatuses": [{"name": 7, "restartCount": "many", "state": []}], "phase": {}}},
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD_PODS, ids=["status", "lists", "all", "values"])
def test_one_odd_pod_does_not_blind_the_others(cluster: FakeCluster, odd: Json) -> None:
    replica_set = next(
        rs for rs in cluster.list("ReplicaSet", "agents") if rs["metadata"]["name"].startswith("agents-")
    )
    mine = owned("ReplicaSet", replica_set)
    about = {"namespace": "agents", "name": "agents-odd", "labels": {"app": "agents"}, "ownerReferences": mine}
    cluster.add({"kind": "Pod", "metadata": about, **odd}, odd=True)
    picture = look(cluster)
    assert {gap.source for gap in picture.gaps} <= {"pod_logs"}
    assert len(of(picture, "pods").objects) == 3
    assert [finding for finding in diagnose(picture, ()).findings if finding.cause] == []


def test_sources_are_listed_with_what_they_state() -> None:
    assert sources.NAMES == ("pods", "rollouts", "events", "pod_logs")
    for source in sources.KINDS:
        assert 0 < source.DEADLINE <= 60
        assert 0 < source.BYTE_CAP <= 2_000_000
        assert source.VERBS
