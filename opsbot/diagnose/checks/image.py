"""Images that cannot be had: wrong name, not there, no right to it, never pulled, registry out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.core.evidence import Citation
from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import GUESS, LIKELY, SURE, UNSTARTED, Container, Sign, containers
from opsbot.diagnose.snapshot import Snapshot

NAME = "image"
FAULTS = ("image_not_found", "image_access_denied", "image_name_invalid", "image_never_pull",
          "image_wrong_architecture", "rate_limited", "dependency_unreachable")  # fmt: skip
EXPLAINS = (*UNSTARTED, "image_pull_backoff")

_PULLING = ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable")
_EVENTS = ("Failed", "FailedToPull", "InspectFailed", "ErrImageNeverPull")

# What containerd, CRI-O and Docker pass on from registries; the first that matches decides.
_READINGS: tuple[tuple[str, str, str], ...] = (
    ("rate_limited", "the registry's pull limit is reached", r"toomanyrequests|too many requests|429|pull rate limit"),
    ("image_wrong_architecture", "no such image for this kind of node", r"no match for platform|no matching manifest"),
    ("image_access_denied", "the registry refuses access",
     r"unauthorized|401|403 ?forbidden|no basic auth credentials|authentication required|denied: |403"),
    ("image_not_found", "the registry's host name does not exist", r"no such host|server misbehaving"),
    ("dependency_unreachable", "the registry cannot be reached",
     r"i/o timeout|refused|no route to host|handshake timeout|deadline exceeded|request canceled|unreachable|x509: "),
    ("image_not_found", "the registry has no such image", r"not found|manifest unknown|name unknown|does not exist"),
)  # fmt: skip
_EITHER_WAY = re.compile(r"pull access denied|does not exist or may require|insufficient_scope", re.IGNORECASE)


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """The reason why a container waits names the kind of trouble; its message, or the Event's, the cause."""
    for container in containers(snapshot):
        reason = container.why
        if reason == "ErrImageNeverPull":
            yield _sign(container, "image_never_pull", "is not on the node, and may not be pulled", (), SURE)
        elif reason == "InvalidImageName":
            yield _sign(container, "image_name_invalid", "has a name that cannot be read", (), SURE)
        elif reason in _PULLING:
            yield _pull(snapshot, container)


def _pull(snapshot: Snapshot, container: Container) -> Sign:
    image = container.image
    happened = [
        event for event in snapshot.happened(container.pod.target, *_EVENTS)
        if image in event.message or container.name in event.field
    ]  # fmt: skip
    detailed = [event for event in happened if len(event.message) > len(image) + 40][-1:]
    words = " ".join([shape.word(container.waiting, "message"), *(event.message for event in detailed)])
    fault, why, confidence = _read(words.replace(image, ""), bool(container.pod.items("spec", "imagePullSecrets")))
    return _sign(container, fault, f"cannot be pulled: {why}", tuple(e.citation for e in detailed), confidence)


def _read(words: str, has_secret: bool) -> tuple[str, str, float]:
    if _EITHER_WAY.search(words) and not re.search(r"unauthorized|401|no basic auth", words, re.IGNORECASE):
        # Docker Hub says one and the same of a private and of a missing repository; a pod that brings no credentials
        # was not meant for a private one.
        fault = "image_access_denied" if has_secret else "image_not_found"
        return fault, "the repository does not exist, or the pod may not read it", LIKELY
    for fault, why, pattern in _READINGS:
        if re.search(pattern, words, re.IGNORECASE):
            return fault, why, SURE
    return "image_not_found", "the kubelet does not say why", GUESS


def _sign(container: Container, fault: str, why: str, more: tuple[Citation, ...], confidence: float) -> Sign:
    image = container.image
    path = f"{container.path}.state.waiting"
    cites = (*more, *container.pod.cite(f"{path}.message", f"{path}.reason", f"{container.asked}.image"))
    says = f"image {image} of container {container.name} {why}"
    return Sign(fault, container.pod.target, says, cites, confidence, EXPLAINS, key=f"{container.name} {image}")
