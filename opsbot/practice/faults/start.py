"""Containers that cannot be started: image, configuration, command. What the kubelet says is in the stages of kwok."""

from __future__ import annotations

import re
from typing import Any

from opsbot.practice.faults.fault import NAMESPACE, Fault
from opsbot.practice.faults.parts import deployment, ended, event, made, told, waiting

# What containerd says of a pull: core/remotes/docker/resolver.go and pusher.go ("failed to resolve reference").
_RESOLVE = 'rpc error: code = {0} desc = failed to pull and unpack image "{1}": failed to resolve reference "{1}": {2}'
_LOST = "registry.example/shop:2.4.0-rc9"
_SECRET = "registry.example/private/shop:2.3.1"  # noqa: S105 - an image
_WRONG = "registry.example/Shop:2.3.1:latest"

# What runc says of a container that it cannot start (libcontainer/process_linux.go, init_linux.go), through containerd.
_RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


def _pull(name: str, summary: str, image: str, code: str, why: str) -> Fault:
    said = _RESOLVE.format(code, image, why)
    return Fault(
        name, summary, (deployment(name, told(waits="ErrImagePull", message=said), {"image": image}),),
        (waiting("ImagePullBackOff", "Back-off pulling image .*ErrImagePull: rpc error"),
         event("Failed", f"Failed to pull image .*{why[:20]}"), event("Failed", "Error: ErrImagePull"),
         event("BackOff", "Back-off pulling image")),
    )  # fmt: skip


def _unset(name: str, summary: str, message: str, env: dict[str, Any], *objects: Any, **more: Any) -> Fault:
    """A container that the kubelet cannot configure; words: pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables."""
    notes, said = told(waits="CreateContainerConfigError", message=message), re.escape(message.partition("{")[0])
    with_ = {"env": [{"name": "SETTING", **env}]} if env else {}
    return Fault(
        name, summary, (*objects, deployment(name, notes, with_, **more)),
        (waiting("CreateContainerConfigError", said), event("Failed", f"Error: {said}")),
    )  # fmt: skip


def _cannot_run(name: str, summary: str, why: str, with_: dict[str, Any]) -> Fault:
    notes = told(exit_code="128", exit_reason="StartError", exit_message=f"{_RUNC}{why}: unknown")
    return Fault(
        name, summary, (deployment(name, notes, with_),),
        (ended("StartError", 128), event("Failed", "Error: failed to create containerd task"),
         event("BackOff", "Back-off restarting failed container")),
    )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    _pull("image_not_found", "its image has a tag that the registry does not know", _LOST, "NotFound",
          f"{_LOST}: not found"),
    _pull("image_access_denied", "the registry does not let its image be pulled without a password", _SECRET, "Unknown",
          "pull access denied, repository does not exist or may require authorization: server message: "
          "insufficient_scope: authorization failed"),
    Fault(
        "image_name_invalid", "the name of its image is none",
        (deployment("image_name_invalid", told(
            waits="InvalidImageName", event="InspectFailed",
            message=f'Failed to apply default image tag "{_WRONG}": couldn\'t parse image name "{_WRONG}": '
                    "invalid reference format"), {"image": _WRONG}),),
        (waiting("InvalidImageName", "invalid reference format"), event("InspectFailed", "couldn't parse image name"),
         event("Failed", "Error: InvalidImageName")),
    ),
    Fault(
        "image_never_pull", "it may not pull its image, and the node does not have it",
        (deployment("image_never_pull", told(
            waits="ErrImageNeverPull", event="ErrImageNeverPull",
            message='Container image "registry.example/shop:2.3.1" is not present with pull policy of Never'),
            {"imagePullPolicy": "Never"}),),
        (waiting("ErrImageNeverPull", "pull policy of Never"), event("ErrImageNeverPull", "is not present"),
         event("Failed", "Error: ErrImageNeverPull")),
    ),
    Fault(
        "image_wrong_architecture", "its image is made for another kind of processor",
        (deployment("image_wrong_architecture", told(exit_code="255", runs_for="300ms")),),
        (ended("Error", 255), event("BackOff", "Back-off restarting failed container")),
        # The shim of runc writes this to the log of the container: libcontainer/standard_init_linux.go.
        logs=("exec /usr/local/bin/shop: exec format error",),
        previous=("exec /usr/local/bin/shop: exec format error",),
    ),
    _unset("config_map_missing", "it wants a ConfigMap that is not there", 'configmap "shop-settings" not found',
           {"valueFrom": {"configMapKeyRef": {"name": "shop-settings", "key": "mode"}}}),
    _unset("secret_missing", "it wants a Secret that is not there", 'secret "shop-credentials" not found',
           {"valueFrom": {"secretKeyRef": {"name": "shop-credentials", "key": "user"}}}),
    _unset("config_key_missing", "its ConfigMap lacks a key that it wants",
           f"couldn't find key mode in ConfigMap {NAMESPACE}/config-key-missing",
           {"valueFrom": {"configMapKeyRef": {"name": "config-key-missing", "key": "mode"}}},
           made("v1", "ConfigMap", "config_key_missing", data={"Mode": "fast"})),
    # pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot.
    _unset("privileged_or_user_refused", "it must not run as root, and its image does",
           'container has runAsNonRoot and image will run as root (pod: "{pod}", container: '
           "privileged-or-user-refused)", {}, securityContext={"runAsNonRoot": True}),
    _cannot_run("wrong_command", "its command is no program of the image",
                'error during container init: exec: "shopd": executable file not found in $PATH',
                {"command": ["shopd"]}),
    _cannot_run("memory_limit_below_minimum", "its memory limit is too small for a container to be made",
                "container init was OOM-killed (memory limit too low?)",
                {"resources": {"requests": {"memory": "2Mi"}, "limits": {"memory": "2Mi"}}}),
    Fault(
        "init_container_failing", "its init container ends with an error",
        (deployment("init_container_failing", told(in_="init", exit_code="1", runs_for="800ms"), initContainers=[
            {"name": "migrate", "image": "registry.example/shop-migrate:2.3.1", "command": ["migrate", "up"]}]),),
        (ended("Error", 1, "initContainerStatuses"),
         waiting("CrashLoopBackOff", "container=migrate", "initContainerStatuses"),
         event("BackOff", "failed container migrate")),
        container="migrate", logs=("migrate: 14 migrations to apply",),
        previous=("migrate: 14 migrations to apply", 'migrate: error: relation "orders" already exists'),
    ),
    Fault(
        "volume_mount_failing", "one of its volumes cannot be mounted",
        (deployment("volume_mount_failing", told(
            # pkg/volume/util/operationexecutor/operation_generator.go and the mount(8) of the node.
            mount_fails='MountVolume.SetUp failed for volume "files" : mount failed: exit status 32\n'
                        "Mounting command: mount\nMounting arguments: -t nfs files.example:/export "
                        "/var/lib/kubelet/pods/volumes/kubernetes.io~nfs/files\n"
                        "Output: mount.nfs: Connection timed out"),
            volumes=[{"name": "files", "nfs": {"server": "files.example", "path": "/export"}}]),),
        (event("FailedMount", "MountVolume.SetUp failed for volume \"files\""), waiting("ContainerCreating", "")),
    ),
)  # fmt: skip
