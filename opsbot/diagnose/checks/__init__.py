"""Checks, one per failure family: a snapshot in, signs of faults out. Pure; they never read the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Picture
from opsbot.diagnose.checks import (
    admission,
    app_crash,
    config,
    evicted,
    image,
    out_of_memory,
    probes,
    rollout,
    scheduling,
    symptoms,
)  # fmt: skip
from opsbot.diagnose.checks.frame import Sign, findings
from opsbot.diagnose.snapshot import Snapshot


class Check(Protocol):
    """What a check's file states."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module is the check, and this is its constant
        """Its name."""

    @property
    def FAULTS(self) -> tuple[str, ...]:  # noqa: N802
        """The faults that it may find."""

    @property
    def EXPLAINS(self) -> tuple[str, ...]:  # noqa: N802
        """What they account for, at the most."""

    def look(self, snapshot: Snapshot) -> Iterator[Sign]:
        """The signs that it sees."""


KINDS: tuple[Check, ...] = (
    out_of_memory, app_crash, image, config, scheduling, admission, probes, rollout, evicted, symptoms,
)  # fmt: skip
NAMES: tuple[str, ...] = tuple(dict.fromkeys(fault for check in KINDS for fault in check.FAULTS))


def run(picture: Picture) -> tuple[Finding, ...]:
    """What all checks find in a picture. A finding of a check bears its fault's name as its rule."""
    snapshot = Snapshot(picture)
    return tuple(finding for check in KINDS for finding in findings(snapshot, check.look(snapshot)))
