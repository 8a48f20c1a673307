"""What the fake API server knows of the shape of objects: field names and types down to the container, and rules.

An object in, what is wrong with it out. A part that the table does not name is taken as it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opsbot.testing.cluster import selectors
from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.quantities import parse
from opsbot.testing.cluster.wire import Json

# Names as in the API's own type definitions (v1.36). `name:type` where the type is checked, a bare name where any
# value passes; `[X]` is a list, `{X}` a mapping, `?` a number or a percentage.
_TYPES = {
    "ObjectMeta": (
        "annotations:{str} creationTimestamp:str deletionGracePeriodSeconds:int deletionTimestamp:str finalizers:[str] "
        "generateName:str generation:int labels:{str} managedFields name:str namespace:str "
        "ownerReferences:[OwnerReference] resourceVersion:str selfLink:str uid:str"
    ),
    "OwnerReference": "apiVersion:str blockOwnerDeletion:bool controller:bool kind:str name:str uid:str",
    "LabelSelector": "matchExpressions:[LabelSelectorRequirement] matchLabels:{str}",
    "LabelSelectorRequirement": "key:str operator:str values:[str]",
    "DeploymentSpec": (
        "minReadySeconds:int paused:bool progressDeadlineSeconds:int replicas:int revisionHistoryLimit:int "
        "selector:LabelSelector strategy:DeploymentStrategy template:PodTemplateSpec"
    ),
    "DeploymentStrategy": "rollingUpdate:RollingUpdate type:str",
    "RollingUpdate": "maxSurge:? maxUnavailable:? partition:int",
    "ReplicaSetSpec": "minReadySeconds:int replicas:int selector:LabelSelector template:PodTemplateSpec",
    "StatefulSetSpec": (
        "minReadySeconds:int ordinals persistentVolumeClaimRetentionPolicy podManagementPolicy:str replicas:int "
        "revisionHistoryLimit:int selector:LabelSelector serviceName:str template:PodTemplateSpec "
        "updateStrategy:DeploymentStrategy volumeClaimTemplates"
    ),
    "DaemonSetSpec": (
        "minReadySeconds:int revisionHistoryLimit:int selector:LabelSelector template:PodTemplateSpec "
        "updateStrategy:DeploymentStrategy"
    ),
    "JobSpec": (
        "activeDeadlineSeconds:int backoffLimit:int backoffLimitPerIndex:int completionMode:str completions:int "
        "managedBy:str manualSelector:bool maxFailedIndexes:int parallelism:int podFailurePolicy "
        "podReplacementPolicy:str scheduling selector:LabelSelector successPolicy suspend:bool "
        "template:PodTemplateSpec ttlSecondsAfterFinished:int"
    ),
    "JobTemplateSpec": "metadata:ObjectMeta spec:JobSpec",
    "CronJobSpec": (
        "concurrencyPolicy:str failedJobsHistoryLimit:int jobTemplate:JobTemplateSpec schedule:str "
        "startingDeadlineSeconds:int successfulJobsHistoryLimit:int suspend:bool timeZone:str"
    ),
    "PodTemplateSpec": "metadata:ObjectMeta spec:PodSpec",
    "PodSpec": (
        "activeDeadlineSeconds:int affinity automountServiceAccountToken:bool containers:[Container] dnsConfig "
        "dnsPolicy:str enableServiceLinks:bool ephemeralContainers hostAliases hostIPC:bool hostNetwork:bool "
        "hostPID:bool hostUsers:bool hostname:str hostnameOverride:str imagePullSecrets "
        "initContainers:[Container] nodeName:str nodeSelector:{str} os overhead preemptionPolicy:str priority:int "
        "priorityClassName:str readinessGates resourceClaims resources:Resources restartPolicy:str "
        "runtimeClassName:str schedulerName:str schedulingGates securityContext serviceAccount:str "
        "serviceAccountName:str setHostnameAsFQDN:bool shareProcessNamespace:bool subdomain:str "
        "terminationGracePeriodSeconds:int tolerations topologySpreadConstraints volumes"
    ),
    "Container": (
        "args:[str] command:[str] env:[EnvVar] envFrom image:str imagePullPolicy:str lifecycle livenessProbe name:str "
        "ports:[ContainerPort] readinessProbe resizePolicy resources:Resources restartPolicy:str restartPolicyRules "
        "securityContext startupProbe stdin:bool stdinOnce:bool terminationMessagePath:str "
        "terminationMessagePolicy:str tty:bool volumeDevices volumeMounts workingDir:str"
    ),
    "Resources": "claims limits requests",
    "EnvVar": "name:str value:str valueFrom",
    "ContainerPort": "containerPort:int hostIP:str hostPort:int name:str protocol:str",
    "NodeSpec": "configSource externalID:str podCIDR:str podCIDRs:[str] providerID:str taints unschedulable:bool",
    "HorizontalPodAutoscalerSpec": "behavior maxReplicas:int metrics minReplicas:int scaleTargetRef:ObjectReference",
    "ObjectReference": "apiVersion:str kind:str name:str",
    "ResourceQuotaSpec": "hard scopeSelector scopes",
    "PodDisruptionBudgetSpec": "maxUnavailable:? minAvailable:? selector:LabelSelector unhealthyPodEvictionPolicy:str",
    "ScaleSpec": "replicas:int",
}
_FIELDS = {
    name: {field: kind for field, _, kind in (item.partition(":") for item in text.split())}
    for name, text in _TYPES.items()
}
_SCALARS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "?": (int, str)}
_GO = {"str": "string", "int": "int32", "bool": "bool", "?": "intstr.IntOrString"}
_SPECS = {"Pod": "PodSpec"}
_ROOT = {"apiVersion", "kind", "metadata", "spec", "status"}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '" + _NAME.pattern + "')"
)
_POD_RULE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations`"
)
_SET_RULE = (
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
    "forbidden"
)
_NEED_SPEC = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the shape of an object is like: fields that nobody knows, and values of a wrong type."""

    unknown: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def shape(kind: Kind, obj: Json) -> Shape:
    """Compare an object with the table; both lists are empty for a good one."""
    found = list(_walk(obj.get("metadata", {}), "ObjectMeta", "metadata", kind.name))
    spec = _SPECS.get(kind.name, f"{kind.name}Spec")
    if spec in _FIELDS:
        found += _walk(obj.get("spec", {}), spec, "spec", kind.name)
        found += [("unknown", key) for key in obj if key not in _ROOT]
    found += [("wrong", what) for what in _amounts_that_are_none(kind, obj)]
    return Shape(
        tuple(f'unknown field "{what}"' for sort, what in found if sort == "unknown"),
        tuple(what for sort, what in found if sort == "wrong"),
    )


def _amounts_that_are_none(kind: Kind, obj: Json) -> Iterator[str]:
    hard = (obj.get("spec") or {}).get("hard") if kind.name == "ResourceQuota" else None
    for amount in hard.values() if isinstance(hard, dict) else ():
        try:
            parse(amount)
        except ValueError as error:
            yield str(error)


def pruned(kind: Kind, obj: Json) -> Json:
    """The object without the fields that nobody knows, as the server stores it where it was not asked to be strict."""
    spec = _SPECS.get(kind.name, f"{kind.name}Spec")
    made = {**obj, "metadata": _prune(obj.get("metadata", {}), "ObjectMeta")}
    if spec in _FIELDS:
        made = {key: value for key, value in made.items() if key in _ROOT}
        if "spec" in made:
            made["spec"] = _prune(made["spec"], spec)
    return made


def _prune(value: Any, kind: str) -> Any:
    if isinstance(value, list) and kind[:1] == "[":
        return [_prune(item, kind[1:-1]) for item in value]
    if isinstance(value, dict) and kind in _FIELDS:
        known = _FIELDS[kind]
        return {key: _prune(item, known[key]) for key, item in value.items() if key in known}
    return value


def _walk(value: Any, kind: str, path: str, owner: str = "") -> Iterator[tuple[str, str]]:
    """`owner` is the type whose field this is, and `path` has no indices: so does Go's decoder put it."""
    if value is None or not kind:
        return
    if kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "bool"):
            yield _misfit(value, kind, path, owner)
    elif kind[0] in "[{":
        yield from _walk_many(value, kind, path, owner)
    elif not isinstance(value, dict):
        yield _misfit(value, kind, path, owner)
    else:
        for key, item in value.items():
            if key in _FIELDS[kind]:
                yield from _walk(item, _FIELDS[kind][key], f"{path}.{key}", kind)
            else:
                yield "unknown", f"{path}.{key}"


def _walk_many(value: Any, kind: str, path: str, owner: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and kind[0] == "[":
        for place, item in enumerate(value):
            found = list(_walk(item, kind[1:-1], path, owner))
            # Fields that nobody knows are told with the index, values of a wrong type without.
            yield from ((sort, what.replace(path, f"{path}[{place}]", 1) if sort == "unknown" else what)
                        for sort, what in found)  # fmt: skip
    elif isinstance(value, dict) and kind[0] == "{":
        for item in value.values():
            yield from _walk(item, kind[1:-1], path, owner)
    else:
        yield _misfit(value, kind, path, owner)


def _misfit(value: Any, kind: str, path: str, owner: str) -> tuple[str, str]:
    place = f"{owner}.{path}" if owner else path
    return "wrong", f"json: cannot unmarshal {_go(value)} into Go struct field {place} of type {_go_type(kind)}"


def _go_type(kind: str) -> str:
    if kind[0] in "[{":
        return ("[]" if kind[0] == "[" else "map[string]") + _go_type(kind[1:-1])
    return _GO.get(kind, f"v1.{kind}")


def _go(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array", dict: "object"}.get(type(value), "null")


def faults(kind: Kind, obj: Json, old: Json | None) -> list[tuple[str, str]]:
    """What the rules of this kind say against an object, as (field, message); empty for a valid one."""
    return [*_name(obj), *_counts(obj), *_workload(kind, obj), *_immutable(kind, obj, old)]


def _name(obj: Json) -> Iterator[tuple[str, str]]:
    name = obj["metadata"].get("name", "")
    if len(name) > 253 or not _NAME.fullmatch(name):
        yield "metadata.name", f'Invalid value: "{name}": {_NAME_RULE}'


def _counts(obj: Json) -> Iterator[tuple[str, str]]:
    spec = obj.get("spec") or {}
    for key in ("replicas", "minReadySeconds", "parallelism", "completions", "backoffLimit"):
        if isinstance(spec.get(key), int) and spec[key] < 0:
            yield f"spec.{key}", f"Invalid value: {spec[key]}: must be greater than or equal to 0"
    if obj["kind"] == "HorizontalPodAutoscaler":
        yield from _bounds(spec)
    if obj["kind"] == "ResourceQuota":
        yield from _amounts(obj)


def _bounds(spec: Json) -> Iterator[tuple[str, str]]:
    """Of an autoscaler."""
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield "spec.minReplicas", f"Invalid value: {least}: must be greater than or equal to 1"
    if most == 0:
        yield "spec.maxReplicas", "Required value: must be set and greater than 0"
    elif most < 0:
        yield "spec.maxReplicas", f"Invalid value: {most}: must be greater than or equal to 1"
    if most < least:
        yield "spec.maxReplicas", f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if not target.get(key):
            yield f"spec.scaleTargetRef.{key}", "Required value"


def _amounts(obj: Json) -> Iterator[tuple[str, str]]:
    """Of a quota."""
    for name, amount in ((obj.get("spec") or {}).get("hard") or {}).items():
        if parse(amount).value < 0:
            rule = "must be greater than or equal to 0"
            yield f"spec.hard[{name}]", f'Invalid value: "{amount}": {rule}'


def _workload(kind: Kind, obj: Json) -> Iterator[tuple[str, str]]:
    if kind.name == "Pod" and not obj.get("spec", {}).get("containers"):
        yield "spec.containers", "Required value"
    if kind.name not in _NEED_SPEC:
        return
    spec = obj.get("spec") or {}
    template = spec.get("template") or {}
    if kind.name != "Job":
        yield from _chosen(spec, template)
    if not (template.get("spec") or {}).get("containers"):
        yield "spec.template.spec.containers", "Required value"
    if kind.name == "Job" and (template.get("spec") or {}).get("restartPolicy") not in ("OnFailure", "Never"):
        yield "spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"'


def _chosen(spec: Json, template: Json) -> Iterator[tuple[str, str]]:
    """The selector of a workload has to take its own pods."""
    if not spec.get("selector"):
        yield "spec.selector", "Required value"
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selectors.matches(spec.get("selector"), labels):
        said = f"Invalid value: {_spelt(labels or None)}: `selector` does not match template `labels`"
        yield "spec.template.metadata.labels", said


def _immutable(kind: Kind, obj: Json, old: Json | None) -> Iterator[tuple[str, str]]:
    if old is None:
        return
    if obj["metadata"].get("uid") not in (None, "", old["metadata"]["uid"]):
        yield "metadata.uid", f'Invalid value: "{obj["metadata"]["uid"]}": field is immutable'
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    if kind.name in _NEED_SPEC and spec.get("selector") != before.get("selector"):
        yield "spec.selector", f"Invalid value: {_spelt(spec.get('selector'))}: field is immutable"
    if kind.name == "Job" and spec.get("template") != before.get("template"):
        yield "spec.template", f"Invalid value: {_spelt(spec.get('template'))}: field is immutable"
    if kind.name == "Pod" and _bare(spec) != _bare(before):
        yield "spec", _POD_RULE
    yield from _stateful(kind, spec, before)


def _spelt(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _stateful(kind: Kind, spec: Json, before: Json) -> Iterator[tuple[str, str]]:
    fixed = ("serviceName", "podManagementPolicy", "volumeClaimTemplates")
    if kind.name == "StatefulSet" and any(spec.get(key) != before.get(key) for key in fixed):
        yield "spec", _SET_RULE


def _bare(spec: Json) -> Json:
    """A pod's spec without what may change."""
    open_fields = ("activeDeadlineSeconds", "tolerations", "containers", "initContainers", "nodeName")
    held = {key: value for key, value in spec.items() if key not in open_fields}
    for key in ("containers", "initContainers"):
        held[key] = [{k: v for k, v in item.items() if k != "image"} for item in spec.get(key) or []]
    return held
