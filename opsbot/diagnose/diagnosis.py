"""A picture in, a diagnosis out: checks, then rules, then ranking, then proposals. Pure; asks nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from opsbot.core.alert import Alert
from opsbot.core.diagnosis import DiagnosisRule, Finding, Proposal
from opsbot.core.evidence import Gap, MaskedText, Picture
from opsbot.diagnose import checks
from opsbot.diagnose.match import match
from opsbot.diagnose.propose import propose
from opsbot.diagnose.rank import rank
from opsbot.diagnose.snapshot import Snapshot
from opsbot.mask import mask


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a picture means: findings by rank, what was not seen, playbooks to consider, and all of it in a sentence."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    proposals: tuple[Proposal, ...]
    says: MaskedText

    @property
    def causes(self) -> tuple[Finding, ...]:
        """The findings that nothing else explains."""
        return tuple(finding for finding in self.findings if finding.cause)


def diagnose(
    picture: Picture, rules: Sequence[DiagnosisRule], playbooks: Collection[str] = (), alerts: Sequence[Alert] = ()
) -> Diagnosis:
    """All that checks and rules find, ranked; nothing is proposed for a picture without a target."""
    snapshot = Snapshot(picture)
    seen = checks.run(picture)
    read, late = match(picture, rules, seen)
    findings = rank((*seen, *read), snapshot.root)
    gaps = (*picture.gaps, *late)
    proposals = propose(findings, alerts, playbooks) if picture.target else ()
    return Diagnosis(findings, gaps, proposals, _sentence(findings, gaps))


def _sentence(findings: Sequence[Finding], gaps: Sequence[Gap]) -> MaskedText:
    causes = [finding for finding in findings if finding.cause]
    blind = f" Not seen: {', '.join(dict.fromkeys(gap.source for gap in gaps))}." if gaps else ""
    if not causes:
        symptoms = ", ".join(dict.fromkeys(finding.fault for finding in findings))
        return mask(f"No cause found{f' for {symptoms}' if symptoms else ''}.{blind}")
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    return mask(f"{causes[0].fault}: {causes[0].says}{more}.{blind}")
