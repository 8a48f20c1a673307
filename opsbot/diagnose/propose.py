"""Findings and alerts in, playbooks to consider out, in order of preference. Chooses names; parameters come later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from opsbot.core.alert import Alert, AlertState, rank
from opsbot.core.diagnosis import Finding, Proposal
from opsbot.mask import mask

FIRST_CAUSES = 3


def propose(findings: Sequence[Finding], alerts: Sequence[Alert], playbooks: Collection[str]) -> tuple[Proposal, ...]:
    """What the first-ranked causes suggest, then what the alerts name as their actions; each known playbook once."""
    proposals: dict[str, Proposal] = {}
    for proposal in (*_of_findings(findings), *_of_alerts(alerts)):
        if proposal.playbook in playbooks:
            proposals.setdefault(proposal.playbook, proposal)
    return tuple(proposals.values())


def _of_findings(findings: Sequence[Finding]) -> Iterator[Proposal]:
    causes = sorted((finding for finding in findings if finding.cause), key=lambda finding: finding.rank)
    for finding in causes[:FIRST_CAUSES]:
        for name in finding.suggests:
            yield Proposal(name, mask(f"{finding.fault}: {finding.says}").cut(600), "finding")


def _of_alerts(alerts: Sequence[Alert]) -> Iterator[Proposal]:
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
    for alert in sorted(firing, key=lambda alert: rank(alert.severity)):
        for name in alert.actions:
            yield Proposal(name, mask(f"the alert {alert.name} names it among its actions").cut(600), "alert")
