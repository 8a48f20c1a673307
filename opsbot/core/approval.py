"""Approval: a plan's digest, who said what of it, and whether that is enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opsbot.core.errors import Refused
from opsbot.core.evidence import MaskedText


class ApprovalState(StrEnum):
    """`used` once the run has begun: an approval serves one run."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's yes or no, and through which door it came (`cli`, `slack`, `web`, `auto`)."""

    person: str
    approves: bool
    at: datetime
    door: str
    reason: MaskedText | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """The question put to humans about one plan."""

    id: str
    plan: str
    permission: str
    quorum: int
    asked_at: datetime
    expires_at: datetime
    asked_by: str = ""
    second_person: bool = False
    state: ApprovalState = ApprovalState.WAITING
    decisions: tuple[Decision, ...] = ()

    def expired(self, now: datetime) -> bool:
        """Whether it is too late to use it."""
        return now >= self.expires_at


def decide(approval: Approval, decision: Decision, digest_prefix: str) -> Approval:
    """Add one decision; Refused names why it does not count.

    `digest_prefix` is what the person read (8 characters or more of the plan's digest).
    """
    if approval.state is not ApprovalState.WAITING:
        raise Refused(
            f"approval_{approval.state.value}",
            f"this is answered already: {approval.state.value}; `show` tells the rest",
        )
    if approval.expired(decision.at):
        raise Refused(
            "approval_expired", "the question has expired, and nothing is changed; `diagnose ID` leads to a new plan"
        )
    if len(digest_prefix) < 8 or not approval.plan.startswith(digest_prefix):
        raise Refused("other_plan", "that is not the plan that waits now; `show` tells which one does")
    if any(made.person == decision.person and made.approves for made in approval.decisions) and decision.approves:
        raise Refused("same_person", f"{decision.person} has approved it already, and it takes one more person")
    if approval.second_person and decision.approves and decision.person == approval.asked_by:
        raise Refused("second_person", "who asked for the run may not be the one who approves it")
    made = replace(approval, decisions=(*approval.decisions, decision))
    if not decision.approves:
        return replace(made, state=ApprovalState.REJECTED)
    return replace(made, state=ApprovalState.APPROVED) if enough(made) else made


def enough(approval: Approval, allowed: Collection[str] | None = None) -> bool:
    """Whether enough distinct persons said yes; with `allowed`, only those who still have the right are counted."""
    persons = {made.person for made in approval.decisions if made.approves}
    counted = persons if allowed is None else persons & set(allowed)
    return len(counted) >= approval.quorum
