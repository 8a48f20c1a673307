from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from opsbot.core.evidence import MaskedText, Picture
from opsbot.core.faults import FAULTS, NAMES, SYMPTOMS
from opsbot.diagnose import checks
from opsbot.diagnose.checks.scheduling import reasons
from tests.diagnose.diagnosis_world import (
    AGENTS,
    Json,
    ago,
    deployment,
    ended,
    event,
    found,
    log,
    pending,
    picture,
    pod,
    status,
    waiting,
)  # fmt: skip

LIMIT = {"resources": {"limits": {"memory": "256Mi"}}}
REFUSED = 'Get "http://10.0.0.7:8081/ready": dial tcp 10.0.0.7:8081: connect: connection refused'
OOM = ended(137, "OOMKilled")


def crashed(end: Json, restarts: int = 4) -> Json:
    return waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts, end)


def crash(code: int, reason: str = "Error", *, text: str = "", **given: Any) -> Picture:
    """A pod in a crash loop, and the log of the container that ended."""
    logs = [log(text, previous=True)] if text else []
    return picture([pod(statuses=[crashed(ended(code, reason, **given))])], logs=logs)


def pull(message: str, **spec: Any) -> Picture:
    image = {"image": "registry.example.com/agents:8"}
    return picture([pod(statuses=[waiting("ImagePullBackOff", message)], spec=spec, container=image)])


def uncreated(message: str, reason: str = "CreateContainerConfigError") -> Picture:
    return picture([pod(statuses=[waiting(reason, message)])])


def unmounted(reason: str, message: str) -> Picture:
    stuck = pod(statuses=[waiting("ContainerCreating")], phase="Pending")
    return picture([stuck], events=[event(reason, message)])


def unplaced(why: str, **spec: Any) -> Picture:
    return picture([pending(f"0/9 nodes are available: {why}. preemption: 0/9 nodes are available.", **spec)])


def refused(message: str, kind: str = "ReplicaSet", name: str = "agents-5f6d") -> Picture:
    return picture(events=[event("FailedCreate", f"Error creating: {message}", kind, name)])


def unready(message: str, **container: Any) -> Picture:
    asked = [event("Unhealthy", f"Readiness probe failed: {message}")]
    return picture([pod(statuses=[status(ready=False)], container=container)], events=asked)


def unlively(message: str, **end: Any) -> Picture:
    asked = [event("Unhealthy", f"Liveness probe failed: {message}")]
    return picture([pod(statuses=[crashed(ended(137, **end))])], events=asked)


def stopped(kind: str, condition: str, reason: str) -> Picture:
    state = {"type": condition, "status": "True" if condition == "Failed" else "False", "reason": reason}
    about = {"name": "agents", "namespace": "agents"}
    return picture(workload=[{"kind": kind, "metadata": about, "spec": {}, "status": {"conditions": [state]}}])


def evicted() -> Picture:
    low = "The node was low on resource: ephemeral-storage. Threshold was 1Gi."
    return picture([pod(reason="Evicted", phase="Failed", message=low)])


TRACE = """starting
Traceback (most recent call last):
  File "a.py", line 3
ValueError: bad port
bye
"""
EITHER = "pull access denied, repository does not exist or may require authorization"
TIGHT = "container init was OOM-killed (memory limit too low?)"
QUOTA = 'pods "a" is forbidden: exceeded quota: team, requested: requests.cpu=2, used: requests.cpu=9, limited: 10'
LATEST = 'Failed to pull image "agents:7": rpc error: code = NotFound desc = failed to resolve: agents:7: not found'
YOUNG = {"startedAt": ago(seconds=100), "finishedAt": ago(seconds=60)}
MIGRATE = {**crashed(ended(1, message="no schema")), "name": "migrate"}
PREEMPTED = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
ANY_NODE = "9 node(s) didn't match Pod's node affinity/selector"
AWAY = "9 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"
CONF = 'MountVolume.SetUp failed for volume "conf" : configmap "files" not found'
HELD = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a-0'
SRVE = 'exec: "srve": executable file not found in $PATH'

# name: (picture, fault, words that must stand in a line that is cited)
CASES: dict[str, tuple[Picture, str, str]] = {
    "memory, last time": (picture([pod(statuses=[crashed(OOM)], container=LIMIT)]), "out_of_memory", "OOMKilled"),
    "memory, just now": (
        picture([pod(statuses=[status(ready=False, state={"terminated": OOM})])]), "out_of_memory", "reason: OOMKilled"
    ),
    "memory, runs again since minutes": (
        picture([pod(statuses=[status(restartCount=3, lastState={"terminated": OOM})])]), "out_of_memory",
        "lastState.terminated.reason: OOMKilled",
    ),
    "memory limit too small": (crash(128, "StartError", message=TIGHT), "memory_limit_below_minimum", "too low"),
    "crash with a message": (crash(3, message="cannot read /etc/agents.yaml"), "app_crash", "/etc/agents.yaml"),
    "crash told by the log": (crash(1, text=TRACE), "app_crash", "ValueError: bad port"),
    "ends well, again and again": (crash(0, "Completed", text="nothing to do\n"), "app_crash", "nothing to do"),
    "init": (picture([pod(initContainerStatuses=[MIGRATE], phase="Pending")]), "init_container_failing", "no schema"),
    "no such program": (crash(128, "StartError", message=SRVE), "wrong_command", "srve"),
    "no such tag": (pull("registry.example.com/agents:8: not found"), "image_not_found", "agents:8"),
    "no such registry": (pull("dial tcp: lookup registry.example.com: no such host"), "image_not_found", "such host"),
    "no right": (pull("failed to authorize: unexpected status: 401 Unauthorized"), "image_access_denied", "401"),
    "hub, no credentials": (pull(EITHER), "image_not_found", "may require"),
    "hub, credentials": (pull(EITHER, imagePullSecrets=[{"name": "hub"}]), "image_access_denied", "may require"),
    "pull limit": (pull("toomanyrequests: You have reached your pull rate limit"), "rate_limited", "toomanyrequests"),
    "registry is silent": (pull("dial tcp 10.1.1.1:443: i/o timeout"), "dependency_unreachable", "i/o timeout"),
    "other processor": (pull("no match for platform in manifest"), "image_wrong_architecture", "platform"),
    "never pulled": (uncreated("is not present", "ErrImageNeverPull"), "image_never_pull", "ErrImageNeverPull"),
    "name that is none": (uncreated("couldn't parse", "InvalidImageName"), "image_name_invalid", "parse"),
    "image, told by the Event": (
        picture([pod(statuses=[waiting("ImagePullBackOff", "Back-off")])], events=[event("Failed", LATEST)]),
        "image_not_found", "NotFound",
    ),
    "config map": (uncreated('configmap "agents-config" not found'), "config_map_missing", "agents-config"),
    "secret": (uncreated('secret "agents-tls" not found'), "secret_missing", "agents-tls"),
    "key": (uncreated("couldn't find key region in ConfigMap agents/conf"), "config_key_missing", "region"),
    "root": (uncreated("container has runAsNonRoot and image will run as root"), "privileged_or_user_refused", "root"),
    "config map of a volume": (unmounted("FailedMount", CONF), "config_map_missing", "files"),
    "volume of another node": (unmounted("FailedAttachVolume", HELD), "volume_attached_elsewhere", "Multi-Attach"),
    "cpu": (unplaced("9 Insufficient cpu"), "insufficient_cpu", "9 Insufficient cpu"),
    "memory": (unplaced("9 Insufficient memory"), "insufficient_memory", "Insufficient memory"),
    "graphics card": (unplaced("9 Insufficient nvidia.com/gpu"), "insufficient_gpu", "nvidia"),
    "full nodes": (unplaced("9 Too many pods"), "too_many_pods", "Too many pods"),
    "taint": (unplaced("9 node(s) had untolerated taint {team: data}"), "taint_not_tolerated", "team: data"),
    "taint, in older words": (
        unplaced("9 node(s) had taint {team: data}, that the pod didn't tolerate"), "taint_not_tolerated", "team: data"
    ),
    "cordoned": (unplaced("9 node(s) were unschedulable"), "node_cordoned", "unschedulable"),
    "node away": (unplaced(AWAY), "node_not_ready", "unreachable"),
    "selector": (
        unplaced(ANY_NODE, nodeSelector={"disk": "nvme"}), "node_selector_mismatch", "spec.nodeSelector.disk: nvme"
    ),
    "affinity": (unplaced(ANY_NODE), "node_affinity_mismatch", "affinity"),
    "anti-affinity": (unplaced("9 node(s) didn't match pod anti-affinity rules"), "pod_anti_affinity", "anti-affinity"),
    "pod affinity": (unplaced("9 node(s) didn't match pod affinity rules"), "pod_affinity_mismatch", "pod affinity"),
    "volume elsewhere": (unplaced("9 node(s) had volume node affinity conflict"), "volume_affinity_conflict", "volume"),
    "host port": (unplaced("9 node(s) didn't have free ports for the requested pod ports"), "port_conflict", "ports"),
    "scheduler, Event alone": (
        picture([pending("")], events=[event("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")]),
        "insufficient_cpu", "Insufficient cpu",
    ),
    "gated": (picture([pending("", schedulingGates=[{"name": "quota-gate"}])]), "scheduling_gated", "quota-gate"),
    "quota of cpu": (refused(QUOTA), "quota_cpu", "exceeded quota"),
    "quota of memory": (refused(QUOTA.replace("cpu", "memory")), "quota_memory", "exceeded quota"),
    "quota of pods": (refused(QUOTA.replace("requests.cpu", "pods")), "quota_objects", "exceeded quota"),
    "quota wants limits": (refused("failed quota: team: must specify limits.cpu"), "quota_requires_limits", "specify"),
    "limit range": (refused("maximum memory usage per Container is 1Gi"), "limit_range_max_memory", "maximum"),
    "pod security": (refused('violates PodSecurity "restricted:latest"'), "pod_security_refused", "PodSecurity"),
    "webhook away": (refused('failed calling webhook "v.example.com": refused'), "webhook_unavailable", "calling"),
    "webhook says no": (refused('admission webhook "v.example.com" denied the request'), "webhook_refused", "denied"),
    "no account": (refused('serviceaccount "bot" not found'), "service_account_missing", "bot"),
    "refused for no known reason": (refused("the moon is full"), "replica_create_failing", "moon"),
    "readiness, no such path": (unready("HTTP probe failed with statuscode: 404"), "readiness_probe_wrong", "404"),
    "readiness, other port": (unready(REFUSED, ports=[{"containerPort": 8080}]), "readiness_probe_wrong", "8081"),
    "readiness, nobody listens": (unready(REFUSED), "readiness_probe_wrong", "8081"),
    "readiness, app says no": (unready("HTTP probe failed with statuscode: 503"), "app_error", "503"),
    "liveness, no such path": (unlively("HTTP probe failed with statuscode: 404"), "liveness_probe_wrong", "404"),
    "liveness, hangs": (unlively('Get "http://10.0.0.7/": context deadline exceeded'), "deadlock_or_hang", "deadline"),
    "liveness, too early": (unlively(REFUSED, **YOUNG), "startup_too_slow", "refused"),
    "rollout over its deadline": (
        stopped("Deployment", "Progressing", "ProgressDeadlineExceeded"), "rollout_stuck", "ProgressDeadlineExceeded"
    ),
    "scaled to zero": (picture(workload=[deployment({"replicas": 0})]), "replicas_zero", "spec.replicas: 0"),
    "job out of tries": (stopped("Job", "Failed", "BackoffLimitExceeded"), "job_failed", "BackoffLimitExceeded"),
    "job out of time": (stopped("Job", "Failed", "DeadlineExceeded"), "job_deadline_exceeded", "DeadlineExceeded"),
    "evicted": (evicted(), "evicted", "ephemeral-storage"),
    "node short of disk": (evicted(), "node_disk_pressure", "ephemeral-storage"),
    "preempted": (picture([pod(conditions=[PREEMPTED])]), "preempted", "PreemptionByScheduler"),
    "symptom, crash loop": (crash(1), "crash_loop", "CrashLoopBackOff"),
    "symptom, pull back-off": (pull("not found"), "image_pull_backoff", "ImagePullBackOff"),
    "symptom, pending": (unplaced("9 Insufficient cpu"), "pod_pending", "phase: Pending"),
    "symptom, few replicas": (picture(workload=[deployment({"replicas": 3})]), "replicas_unavailable", "replicas"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "fault", "words"), CASES.values(), ids=CASES)
def test_a_check_finds_the_fault_and_cites_the_line(given: Picture, fault: str, words: str) -> None:
    findings = found(given)
    assert fault in findings, f"found {sorted(findings)}"
    finding = findings[fault]
    assert any(words in cite.text for cite in finding.evidence), [cite.text for cite in finding.evidence]
    for cite in finding.evidence:
        evidence = next(item for item in given.evidence if item.id == cite.id)
        assert evidence.text.lines()[cite.line - 1].cut(500) == cite.text
        assert cite.source == evidence.source
    assert isinstance(finding.says, MaskedText)
    assert 0 < finding.confidence <= 1


ROLE = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
LONG_OVER = {"terminated": ended(137, "OOMKilled", finishedAt=ago(days=2))}
GOING = {"name": "a", "namespace": "agents", "deletionTimestamp": ago(seconds=1)}
FAILED = event("FailedCreate", 'serviceaccount "bot" not found', "Job", "load", lastTimestamp=ago(minutes=9))
MADE = event("SuccessfulCreate", "Created pod: load-x", "Job", "load", lastTimestamp=ago(minutes=8))
DONE = status(ready=False, state={"terminated": ended(0, "Completed")})

# name: (picture, the fault that it might be taken for, or nothing for any at all)
NOTHING: dict[str, tuple[Picture, str]] = {
    "healthy": (picture([pod(), pod("agents-5f6d-bbbbb")], workload=[deployment()]), ""),
    "memory, long over": (picture([pod(statuses=[status(restartCount=1, lastState=LONG_OVER)])]), "out_of_memory"),
    "stopped on purpose": (
        picture([pod(statuses=[status(lastState={"terminated": ended(143)}, restartCount=1)])]), "app_crash"
    ),
    "a Job that is done": (picture([pod(phase="Succeeded", statuses=[DONE])]), "app_crash"),
    "being deleted": (picture([{**pod(statuses=[crashed(ended(1))]), "metadata": GOING}]), "crash_loop"),
    "killed by its probe": (unlively("HTTP probe failed with statuscode: 404"), "app_crash"),
    "the control plane's own taint": (unplaced(f"{ROLE}, 8 Insufficient cpu"), "taint_not_tolerated"),
    "refused first, made since": (picture(events=[FAILED, MADE]), "service_account_missing"),
    "not ready for a moment": (
        picture([pod()], events=[event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")]),
        "readiness_probe_wrong",
    ),
    "placed by now": (
        picture([pod()], events=[event("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")]),
        "insufficient_cpu",
    ),
    "mounted by now": (picture([pod()], events=[event("FailedMount", CONF)]), "config_map_missing"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "fault"), NOTHING.values(), ids=NOTHING)
def test_a_near_miss_finds_nothing_that_could_be_a_cause(given: Picture, fault: str) -> None:
    sure = [finding.fault for finding in checks.run(given) if finding.confidence >= 0.5]
    assert (fault not in sure) if fault else (sure == [])


def test_pods_of_one_workload_make_one_finding_about_it() -> None:
    pods = [pod(f"agents-5f6d-{letter * 5}", [crashed(ended(137, "OOMKilled"))]) for letter in "abcd"]
    finding = found(picture(pods))["out_of_memory"]
    assert finding.target == AGENTS
    assert "4 pods: agents-5f6d-aaaaa, agents-5f6d-bbbbb, agents-5f6d-ccccc, …" in finding.says
    assert found(picture(pods[:1]))["out_of_memory"].target.name == "agents-5f6d-aaaaa"


def test_without_a_target_the_workload_is_read_off_the_pods() -> None:
    pods = [pod(f"agents-5f6d-{letter * 5}", [crashed(ended(1))]) for letter in "ab"]
    finding = found(picture(pods, target=None))["app_crash"]
    assert (finding.target.kind, finding.target.name) == ("Deployment", "agents")


def test_containers_of_one_pod_are_told_apart() -> None:
    first, second = crashed(ended(1, message="first")), crashed(ended(2, message="second"))
    both = [{**first, "name": "app"}, {**second, "name": "side"}]
    told = [finding.says for finding in checks.run(picture([pod(statuses=both)])) if finding.fault == "app_crash"]
    assert len(told) == 2
    assert any("side" in text and "second" in text for text in told)


def test_what_checks_say_is_masked() -> None:
    given = picture([pod(statuses=[crashed(ended(1, message="cannot log in with password=Tr0ub4dor-and-3"))])])
    finding = found(given)["app_crash"]
    assert "Tr0ub4dor" not in finding.says
    assert all("Tr0ub4dor" not in cite.text for cite in finding.evidence)


UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
TWO = "0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods. preemption: 0/3 nodes are available: 3 x."


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (TWO, [(1, "Insufficient cpu"), (2, "Too many pods")]),
        ("0/2 nodes are available: 2 had taint {a: b, c}.", [(2, "had taint {a: b, c}")]),
        (UNBOUND, [(0, UNBOUND)]),
        ("", [(0, "")]),
    ],
    ids=["two reasons", "comma in a taint", "no count", "nothing"],
)
def test_scheduler_messages_are_taken_apart(message: str, read: list[tuple[int, str]]) -> None:
    assert reasons(message) == read


def test_each_check_states_names_that_are_known() -> None:
    for check in checks.KINDS:
        assert set(check.FAULTS) <= NAMES
        assert set(check.EXPLAINS) <= NAMES
        assert (check.NAME == "symptoms") == (set(check.FAULTS) <= set(SYMPTOMS))
    for given, fault, _words in CASES.values():
        for finding in checks.run(given):
            assert finding.fault in {name for check in checks.KINDS for name in check.FAULTS}
            assert set(finding.explains) <= NAMES
        assert fault in FAULTS or fault in SYMPTOMS


ODD: tuple[Any, ...] = (None, "", "word", 0, -1, 3.5, True, [], {}, [None], ["x"], [{}], {"x": []}, [[1]], "\x00\n")


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from _places(value[place], (*path, place))


def _changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    made = copy.deepcopy(value)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return made


@pytest.mark.parametrize("seed", range(8))
def test_no_odd_object_stops_the_checks(seed: int) -> None:
    """One value of an object replaced by something that no server should send: a finding is lost at the most."""
    chance = random.Random(seed)
    for given, _fault, _words in CASES.values():
        for item in given.evidence:
            for place in range(len(item.objects)):
                thing = copy.deepcopy(dict(item.objects[place]))
                path = chance.choice(list(_places(thing)))
                odd = _changed(thing, path, chance.choice(ODD))
                rebuilt = picture([odd], events=[odd], workload=[odd])
                checks.run(rebuilt)
