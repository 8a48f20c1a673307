"""Containers that end with an error of their own, with their last words; and commands that cannot be run at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from opsbot.core.evidence import Citation
from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import CRASHING, GUESS, LIKELY, OLD, SURE, Container, Sign, containers, long_ago
from opsbot.diagnose.snapshot import Snapshot, cited

NAME = "app_crash"
FAULTS = ("app_crash", "wrong_command", "init_container_failing")
EXPLAINS = CRASHING

# 128 + n is the end by signal n (POSIX shells); 126 and 127 are what a shell returns for a command that it cannot run.
_SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}
_NOT_RUN = ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError")
_NO_COMMAND = re.compile(r"exec(?: user process caused|: |format)|executable file not found|no such file or directory|"
                         r"permission denied|no command specified|not a directory|is a directory")  # fmt: skip
_TELLING = re.compile(r"[Ee]rror\b|[Ee]xception\b|\bpanic\b|\b(?:fatal|FATAL|Fatal|critical|CRITICAL)\b|Traceback|"
                      r"Segmentation fault|\b[Ff]ailed\b|\bundefined\b|\bnot (?:set|found)\b")  # fmt: skip
_FRAME = re.compile(r"(?:\S+Z )?\s+(?:at |File \"|\.{3} \d+ more)")
_LOOKED_AT = 400


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """One sign for each container that ended with an error, or that ends again and again without one."""
    for container in containers(snapshot):
        sign = _never_ran(container) or _ended(snapshot, container)
        if sign:
            yield sign


def _never_ran(container: Container) -> Sign | None:
    found = [*container.ends, (f"{container.path}.state.waiting", container.waiting)]
    for path, state in found:
        message = shape.word(state, "message")
        if state.get("reason") in _NOT_RUN and _NO_COMMAND.search(message):
            return Sign(
                "wrong_command", container.pod.target, f"container {container.name} cannot run its command: {message}",
                container.pod.cite(f"{path}.message", f"{path}.reason"), SURE, (*EXPLAINS, "app_crash"),
                key=container.name,
            )  # fmt: skip
    return None


def _ended(snapshot: Snapshot, container: Container) -> Sign | None:
    for path, end in container.ends:
        if end.get("reason") == "OOMKilled":
            return None
        if not _is_crash(snapshot, container, end):
            continue
        fault = "init_container_failing" if container.init else "app_crash"
        words = _last_words(snapshot, container, path, end)
        cites = (*words, *container.pod.cite(f"{path}.exitCode", f"{path}.reason", f"{container.path}.restartCount"))
        tail = f": {_bare(words[0].text)}" if words else ""
        return Sign(
            fault, container.pod.target, f"{_how(container, end)}{tail}"[:500], cites,
            _confidence(snapshot, container, end), EXPLAINS if fault == "app_crash" else (*EXPLAINS, "app_crash"),
            key=f"{container.name} {end.get('exitCode')}",
        )  # fmt: skip
    return None


def _is_crash(snapshot: Snapshot, container: Container, end: Mapping[str, Any]) -> bool:
    code = end.get("exitCode")
    if code == 0:  # a service that ends without an error is restarted all the same
        return container.why == "CrashLoopBackOff"
    if code in (137, 143):  # killed from outside: by the kubelet after a failed probe, or for a move to another node
        probe = snapshot.happened(container.pod.target, "Killing", "Unhealthy")
        return not container.ready and not any("liveness" in event.message.lower() for event in probe)
    return isinstance(code, int)


def _how(container: Container, end: Mapping[str, Any]) -> str:
    code = shape.number(end, "exitCode")
    kind = "init container" if container.init else "container"
    if code == 0:
        return f"{kind} {container.name} ends with exit code 0 as soon as it has started, and is restarted"
    signal = f" ({_SIGNALS[code]})" if code in _SIGNALS else ""
    return f"{kind} {container.name} ends with exit code {code}{signal}"


def _confidence(snapshot: Snapshot, container: Container, end: Mapping[str, Any]) -> float:
    if long_ago(snapshot, container, end):
        return OLD
    return GUESS if end.get("exitCode") in (0, 137, 143) else LIKELY


def _last_words(snapshot: Snapshot, container: Container, path: str, end: Mapping[str, Any]) -> tuple[Citation, ...]:
    """The termination message, else the last telling line of the log of the container that ended."""
    if shape.word(end, "message").strip():
        return container.pod.cite(f"{path}.message")
    for log in snapshot.logs(container.pod.target.name, container.name):
        lines = [(number, text) for number, text in enumerate(log.text.lines(), 1) if text.strip()][-_LOOKED_AT:]
        telling = [(n, text) for n, text in lines if _TELLING.search(text) and not _FRAME.match(text)]
        if telling or lines:
            number, text = (telling or lines)[-1]
            return (cited(log, number, text),)
    return ()


def _bare(text: str) -> str:
    """A cited line without the time that the server put before it, or without its path."""
    stamped = re.match(r"\d{4}-\d\d-\d\dT\S+Z ", text)
    if stamped:
        return text[stamped.end() :].strip()
    return re.sub(r"^Pod/\S+ \S+\.message: ", "", text).strip()
