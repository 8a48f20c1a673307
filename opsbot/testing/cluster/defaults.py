"""What the API server fills in where an object does not say: a small, useful part of the real defaults."""

from __future__ import annotations

import copy
from typing import Any

from opsbot.testing.cluster.wire import Json

_DEFAULTS: dict[str, Json] = {
    "Deployment": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                   "strategy": {"type": "RollingUpdate"}},
    "ReplicaSet": {"replicas": 1},
    "StatefulSet": {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
    "DaemonSet": {"revisionHistoryLimit": 10, "updateStrategy": {
        "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}},
    "Job": {"parallelism": 1, "completions": 1, "backoffLimit": 6, "suspend": False, "completionMode": "NonIndexed",
            "manualSelector": False, "podReplacementPolicy": "TerminatingOrFailed"},
    "CronJob": {"concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1},
    "HorizontalPodAutoscaler": {"minReplicas": 1},
    "Service": {"type": "ClusterIP", "sessionAffinity": "None"},
    "PersistentVolumeClaim": {"volumeMode": "Filesystem"},
}  # fmt: skip
_POD: Json = {
    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler", "securityContext": {},
}  # fmt: skip
_CONTAINER: Json = {
    "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
}  # fmt: skip


def filled(obj: Json) -> Json:
    """The object with its defaults; parts of an unexpected type are left as they are."""
    made = copy.deepcopy(obj)
    spec = made.get("spec")
    if made["kind"] in _DEFAULTS and isinstance(spec, dict | None):
        made["spec"] = spec = _under(spec or {}, _DEFAULTS[made["kind"]])
        _strategy(made)
    if made["kind"] == "Pod" and isinstance(spec, dict):
        made["spec"] = _requested(_pod(spec))
    if isinstance(spec, dict) and isinstance(spec.get("template"), dict):
        _template(spec["template"])
    job = spec.get("jobTemplate") if isinstance(spec, dict) else None
    if isinstance(job, dict) and isinstance(job.get("spec"), dict) and isinstance(job["spec"].get("template"), dict):
        _template(job["spec"]["template"])
    return made


def _template(template: Json) -> None:
    template.setdefault("metadata", {})
    if isinstance(template.get("spec"), dict):
        template["spec"] = _pod(template["spec"])


def _under(value: Json, defaults: Json) -> Json:
    return {**copy.deepcopy(defaults), **{key: item for key, item in value.items() if item is not None}}


def _strategy(obj: Json) -> None:
    strategy = obj["spec"].get("strategy")
    if obj["kind"] == "Deployment" and isinstance(strategy, dict) and strategy.get("type") == "RollingUpdate":
        rolling = _under(strategy.get("rollingUpdate") or {}, {"maxSurge": "25%", "maxUnavailable": "25%"})
        obj["spec"]["strategy"] = {**strategy, "rollingUpdate": rolling}


def _pod(spec: Json) -> Json:
    made = _under(spec, _POD)
    for key in ("containers", "initContainers"):
        if isinstance(made.get(key), list):
            made[key] = [_container(item) for item in made[key]]
    return made


def _requested(spec: Json) -> Json:
    """A container that states a limit and no request asks for its limit."""
    for key in ("containers", "initContainers"):
        for item in spec[key] if isinstance(spec.get(key), list) else []:
            stated = item.get("resources") if isinstance(item, dict) else None
            if isinstance(stated, dict) and isinstance(stated.get("limits"), dict):
                item["resources"] = {**stated, "requests": {**stated["limits"], **(stated.get("requests") or {})}}
    return spec


def _container(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    image = item.get("image", "")
    tag = image.rpartition("/")[2].partition(":")[2] if isinstance(image, str) and "@" not in image else "pinned"
    return _under(item, {**_CONTAINER, "imagePullPolicy": "Always" if tag in ("", "latest") else "IfNotPresent"})
