"""ConfigMaps, Secrets and keys that a pod asks for and that are not there; and users that may not be root."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.core.evidence import Citation
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import SURE, UNSTARTED, Sign, containers
from opsbot.diagnose.snapshot import Snapshot

NAME = "config"
FAULTS = ("config_map_missing", "secret_missing", "config_key_missing", "privileged_or_user_refused",
          "volume_mount_failing", "volume_attached_elsewhere")  # fmt: skip
EXPLAINS = (*UNSTARTED, "init_container_failing")

# Messages of the kubelet: container waiting reason CreateContainerConfigError, and Events FailedMount.
_READINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("config_key_missing", re.compile(r"couldn't find key \S+ in (?:ConfigMap|Secret) \S+|"
                                      r"references non-existent (?:config|secret) key: \S+", re.IGNORECASE)),
    ("config_map_missing", re.compile(r"configmaps? \"[^\"]+\" not found", re.IGNORECASE)),
    ("secret_missing", re.compile(r"secrets? \"[^\"]+\" not found", re.IGNORECASE)),
    ("privileged_or_user_refused", re.compile(r"container has runAsNonRoot and (?:image will run as root|image has "
                                              r"non-numeric user)[^\n]*|must not run as root[^\n]*")),
)  # fmt: skip
_MOUNT: tuple[tuple[str, re.Pattern[str]], ...] = (
    *_READINGS,
    ("volume_attached_elsewhere", re.compile(r"Multi-Attach error for volume [^\n]*")),
    ("volume_mount_failing", re.compile(r"MountVolume\.\w+ failed for volume [^\n]*|Unable to attach or mount "
                                        r"volumes: [^\n]*")),
)  # fmt: skip


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """Containers that cannot be created, then volumes that cannot be mounted."""
    for container in containers(snapshot):
        message = shape.word(container.waiting, "message")
        if container.why in ("CreateContainerConfigError", "CreateContainerError"):
            path = f"{container.path}.state.waiting"
            cites = container.pod.cite(f"{path}.message", f"{path}.reason")
            yield from _read(_READINGS, container.pod.target, f"container {container.name}", message, cites)
    for pod in snapshot.pods:
        if pod.word("status", "phase") == "Pending":
            for event in snapshot.happened(pod.target, "FailedMount", "FailedAttachVolume")[-4:]:
                yield from _read(_MOUNT, pod.target, "a volume", event.message, (event.citation,))


def _read(
    readings: tuple[tuple[str, re.Pattern[str]], ...], pod: Target, what: str, message: str,
    cites: tuple[Citation, ...],
) -> Iterator[Sign]:  # fmt: skip
    for fault, pattern in readings:
        found = pattern.search(message)
        if found:
            yield Sign(fault, pod, f"{what} cannot be set up: {found[0][:300]}", cites, SURE, EXPLAINS, key=found[0])
            return
