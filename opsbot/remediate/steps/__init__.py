"""Every step kind that a playbook may name. To add one: a file here, its line below, and a test."""

from opsbot.remediate.steps import restart, scale, wait
from opsbot.remediate.steps.kind import ACTION, Facts, Look, Moment, StepKind, Subject

KINDS: tuple[StepKind, ...] = (scale.KIND, restart.KIND, wait.KIND)
BY_NAME = {kind.name: kind for kind in KINDS}

__all__ = ["ACTION", "BY_NAME", "KINDS", "Facts", "Look", "Moment", "StepKind", "Subject"]
