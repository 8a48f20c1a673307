"""Probes that fail: asked in the wrong place, asked too early, or answered by an app that is not well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import CRASHING, GUESS, LIKELY, UNREADY, Container, Sign, containers, moment
from opsbot.diagnose.snapshot import Happened, Snapshot

NAME = "probes"
FAULTS = ("readiness_probe_wrong", "liveness_probe_wrong", "startup_too_slow", "deadlock_or_hang", "app_error")
EXPLAINS = CRASHING

_PROBE = re.compile(r"^(Readiness|Liveness|Startup) probe (?:failed|errored)", re.IGNORECASE)
_PORT = re.compile(r":(\d{2,5}): connect: connection refused|port (\d{2,5})\D+[Cc]onnection refused|"
                   r"https?://[^\s/\"]+:(\d{2,5})\S*: .*refused")  # fmt: skip
# 404 and its like: something answers there, and knows no such path, method or right.
_WRONG = re.compile(r"statuscode: (?:400|401|403|404|405|406|410|415)\b|gave HTTP response to HTTPS client|"
                    r"malformed HTTP|executable file not found|no such file or directory|unsupported protocol|"
                    r"service unknown|invalid port|couldn't find port")  # fmt: skip
_UNWELL = re.compile(r"statuscode: 5\d\d\b|NOT_SERVING")
_LATE = re.compile(r"deadline exceeded|Client\.Timeout|i/o timeout|timed out|timeout: failed")
_REFUSED = re.compile(r"connection refused", re.IGNORECASE)


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """For each container that is not ready, or was killed over it: what the latest failure of each probe says."""
    for container in containers(snapshot):
        latest: dict[str, Happened] = {}
        for event in snapshot.happened(container.pod.target, "Unhealthy", "ProbeError"):
            found = _PROBE.match(event.message)
            if found and (not event.field or f"{{{container.name}}}" in event.field):
                latest[found[1].lower()] = event
        for probe, event in latest.items():
            if _matters(container, probe):
                yield from _sign(container, probe, event)


def _matters(container: Container, probe: str) -> bool:
    """A failing readiness probe counts while the pod runs and is not ready; the others count once they have killed."""
    if probe == "readiness":
        running = shape.at(container.status, "state", "running") is not None
        return not container.ready and running and container.restarts == 0
    return container.restarts > 0


def _sign(container: Container, probe: str, event: Happened) -> Iterator[Sign]:
    fault, why, confidence = _read(container, probe, event.message)
    if not fault:
        return
    spec = f"{container.asked}.{probe}Probe"
    paths = [path for path in container.pod.lines if path.startswith(spec)]
    cites = (event.citation, *container.pod.cite(*paths[:4]))
    says = f"{probe} probe of container {container.name}: {why}: {event.message}"
    explains = UNREADY if probe == "readiness" else EXPLAINS
    yield Sign(fault, container.pod.target, says[:400], cites, confidence, explains, key=f"{container.name} {probe}")


def _read(container: Container, probe: str, message: str) -> tuple[str, str, float]:
    wrong = "readiness_probe_wrong" if probe == "readiness" else "liveness_probe_wrong"
    if _WRONG.search(message):
        return wrong, "it asks for something that the app does not serve", LIKELY
    if _REFUSED.search(message):
        return _refused(container, probe, wrong, message)
    if _UNWELL.search(message):
        return "app_error", "the app says of itself that it is not well", GUESS
    if _LATE.search(message) and probe != "readiness":
        return "deadlock_or_hang", "the app does not answer in time", GUESS
    return "", "", 0.0


def _refused(container: Container, probe: str, wrong: str, message: str) -> tuple[str, str, float]:
    found = _PORT.search(message)
    port = next((part for part in found.groups() if part), "") if found else ""
    declared = {str(item.get("containerPort")) for item in shape.items(container.spec, "ports")}
    if port and declared and port not in declared:
        return wrong, f"it asks port {port}, and the container declares {', '.join(sorted(declared))}", LIKELY
    if probe != "readiness" and _killed_young(container, probe):
        return "startup_too_slow", "it kills the app before the app listens", GUESS
    return wrong, f"nothing listens on port {port or 'that it asks'}", GUESS


def _killed_young(container: Container, probe: str) -> bool:
    """Whether the last run ended about when the probe gave up for the first time."""
    asked = shape.mapping(container.spec, f"{probe}Probe")
    period, failures = shape.number(asked, "periodSeconds") or 10, shape.number(asked, "failureThreshold") or 3
    patience = shape.number(asked, "initialDelaySeconds") + period * failures
    for _, end in container.ends:
        begun, ended = moment(end.get("startedAt")), moment(end.get("finishedAt"))
        if begun and ended:
            # A killed container may take its grace period (30 s by default) to go.
            return (ended - begun).total_seconds() <= patience * 1.5 + 30
    return False
