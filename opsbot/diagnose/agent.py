"""The diagnostic agent: an open incident in, evidence rows and a diagnosed incident out. It holds no writer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from opsbot.core.audit import Note
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import Conflict
from opsbot.core.evidence import Picture
from opsbot.core.incident import Incident, State, advance
from opsbot.core.ports import ClusterReader, Store
from opsbot.core.target import NOTE
from opsbot.core.task import Again
from opsbot.diagnose.analyze import needed
from opsbot.diagnose.collect import collect
from opsbot.diagnose.diagnosis import Diagnosis, diagnose

WHO = "diagnostic"


class DiagnosticAgent:
    """Two skills, each of which may be cut short at any point and begun again.

    With `always_ask` every diagnosis leaves a question open for a model, not only one that explains too little. `home`
    is the name of the cluster that is read: no evidence is gathered for a target in another one.
    """

    def __init__(
        self, cluster: ClusterReader, store: Store, rules: Sequence[DiagnosisRule], playbooks: Collection[str], *,
        always_ask: bool = False, home: str = "",
    ) -> None:  # fmt: skip
        self._cluster, self._store = cluster, store
        self._rules, self._playbooks = tuple(rules), playbooks
        self._always_ask, self._home = always_ask, home

    def collect_evidence(self, incident: Incident, now: datetime) -> Again | None:
        """Gather evidence for this round and say so in the record.

        Evidence that is there already, because a worker fell over after storing it, is not gathered twice.
        """
        if incident.state is not State.OPEN or incident.collected_at:
            return None
        evidence, gaps = self._store.evidence(incident.id, incident.round)
        if not evidence and not gaps:
            meant = next((alert.annotations[NOTE] for alert in incident.alerts if NOTE in alert.annotations), "")
            picture = self._picture(incident, meant, now)
            evidence, gaps = picture.evidence, picture.gaps
            note = Note(WHO, "evidence", "", _counts(picture))
            self._store.add_evidence(incident.id, incident.round, evidence, gaps, note, now)
        detail = {"evidence": str(len(evidence)), "gaps": str(len(gaps))}
        self._save(replace(incident, collected_at=now), Note(WHO, "collect", "collected", detail), now)
        return None

    def _picture(self, incident: Incident, meant: str, now: datetime) -> Picture:
        """What is to be seen. An incident of opsbot's own has neither alert nor target: nothing is missing there."""
        if incident.target is None and not incident.alerts:
            return Picture(None, now)
        return collect(self._cluster, incident.target, now, home=self._home, meant=meant)

    def match_rules(self, incident: Incident, now: datetime) -> Again | None:
        """Diagnose from the stored evidence of this round, as of the time when it was gathered."""
        if incident.state is not State.OPEN or incident.collected_at is None:
            return None
        evidence, gaps = self._store.evidence(incident.id, incident.round)
        picture = Picture(incident.target, incident.collected_at, evidence, gaps)
        found = diagnose(picture, self._rules, self._playbooks, incident.alerts)
        moved = advance(incident, "diagnosed", now, reason=_reason(found))
        diagnosed = replace(
            moved, findings=found.findings, gaps=found.gaps, proposals=found.proposals, says=found.says,
            diagnosed_at=now, open_question=needed(found.findings, incident.firing, self._always_ask),
        )  # fmt: skip
        self._save(diagnosed, Note(WHO, "diagnose", _reason(found), _detail(found)), now)
        return None

    def _save(self, incident: Incident, note: Note, now: datetime) -> None:
        try:
            self._store.save(incident, note, now)
        except Conflict:
            return  # somebody moved the incident on meanwhile: the loop looks again and sees what is due now


def _reason(found: Diagnosis) -> str:
    return "cause_found" if found.causes else "no_cause_found"


def _counts(picture: Picture) -> dict[str, str]:
    """How many pieces each source brought, and which sources are gaps."""
    counts: dict[str, int] = {}
    for item in picture.evidence:
        counts[item.source] = counts.get(item.source, 0) + 1
    missing = {f"gap {number}": f"{gap.source}: {gap.why}" for number, gap in enumerate(picture.gaps, 1)}
    return {**{source: str(count) for source, count in counts.items()}, **missing}


def _detail(found: Diagnosis) -> dict[str, str]:
    return {
        "causes": ", ".join(finding.fault for finding in found.causes),
        "proposals": ", ".join(proposal.playbook for proposal in found.proposals),
        "says": found.says,
    }
