"""Runs that a human asks for: an incident of origin `manual`, and a look at what a playbook would do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opsbot.config import Limits
from opsbot.core.diagnosis import Proposal
from opsbot.core.errors import Refused
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Input, Playbook, Scalar
from opsbot.core.ports import ClusterReader
from opsbot.core.target import Target
from opsbot.core.task import Mode
from opsbot.mask import mask
from opsbot.remediate import facts
from opsbot.remediate.drafting import Draft, Seen, draft
from opsbot.remediate.guardrails import Surroundings
from opsbot.remediate.plan import Order, Terms, settle


def read_inputs(playbook: Playbook, given: Mapping[str, str]) -> dict[str, Scalar]:
    """Inputs as typed (`add=3`) in their types; Refused("bad_input") says what is wrong with one."""
    known = {item.name: item for item in playbook.inputs if item.type != "target"}
    read = {name: _typed(known[name], text) if name in known else text for name, text in given.items()}
    settle(playbook, read)
    return read


def incident(
    playbook: Playbook, target: Target, inputs: Mapping[str, Scalar], person: str, why: str, now: datetime
) -> Incident:
    """The incident of a run that a person asks for, to be given to `Store.create`; its plan waits for approval.

    `Store.create` raises Conflict where the target has an unresolved incident already.
    """
    settle(playbook, inputs)
    reason = mask(why or f"{person} asked for it")
    return Incident(
        id=0, key=target.key, version=0, state=State.DIAGNOSED, severity="warning",
        title=mask(f"{playbook.name} on {target}"), opened_at=now, since=now, target=target, origin="manual",
        reason="asked_for", asked_by=person, inputs=inputs, diagnosed_at=now,
        proposals=(Proposal(playbook.name, reason, "human"),),
    )  # fmt: skip


def preview(
    playbook: Playbook,
    target: Target,
    inputs: Mapping[str, Scalar],
    reader: ClusterReader,
    limits: Limits,
    now: datetime,
) -> Draft:
    """What the playbook would do to a target now, judged as a proposal is; nothing is saved, nobody is asked.

    The kill switch and past runs are left out: they are no matter of the plan. Blind where the cluster cannot be read.
    """
    found = facts.read(reader, target)
    around = Surroundings(limits, Mode.PROPOSE, target.cluster, "", (), now)
    order = Order(playbook, target, inputs, mask("a preview"), "human")
    return draft(order, Seen(*found) if found else None, around, Terms(limits.digest, now, "preview"))


def _typed(item: Input, text: str) -> Scalar:
    words: Mapping[str, Any] = {"true": True, "false": False}
    try:
        match item.type:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return bool(words[text.lower()])
    except (ValueError, KeyError):
        raise Refused("bad_input", f"input {item.name}: {text[:40]!r} is no {item.type}") from None
    return text
