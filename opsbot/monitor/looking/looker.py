"""Looker: what the store says of all alerts in, incidents in the store that fit it out, and a verdict on each alert.

Level-triggered: it takes no events, it looks at all that is so, whoever left it so. A crash in between loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from opsbot.config import Incidents, Limits
from opsbot.core.alert import POLLED, QUIET, Alert, AlertState, rank
from opsbot.core.errors import Conflict
from opsbot.core.incident import Incident
from opsbot.core.ports import Store
from opsbot.core.silence import Inhibition, Window
from opsbot.monitor.looking import flapping, grouping, holding, incidents, storms
from opsbot.monitor.looking.filer import Filer
from opsbot.monitor.looking.grouping import Cause
from opsbot.monitor.looking.holding import Holding
from opsbot.monitor.looking.incidents import HEARTBEAT, Move, own
from opsbot.monitor.looking.ledger import CLEARED, Ledger
from opsbot.monitor.looking.storms import STORM

PAGE = 20
"""How many more of the newest incidents are read than may open in a storm: others open incidents too."""

MISSING = "heartbeat_missing"
"""The verdict on a heartbeat that has cleared while an incident says so."""

OVER = "it was over when opsbot first looked at it"

_SAYS = {Move.OPEN: "opened", Move.JOIN: "joined", Move.REOPEN: "reopened"}


@dataclass(slots=True)
class Sight:
    """What one look sees, and the times at which something will be due that nobody writes down."""

    now: datetime
    alerts: tuple[Alert, ...]
    owners: Mapping[str, int]
    unresolved: dict[int, Incident]
    holding: Holding
    dues: list[datetime] = field(default_factory=list)

    @property
    def by_key(self) -> dict[str, int]:
        """Unresolved incidents that alerts may join, by key; the storm's is joined in its own way."""
        return {one.key: one.id for one in self.unresolved.values() if not (own(one.key) or one.key == STORM)}


class Looker:
    """Makes incidents fit alerts. Not for several threads at once."""

    def __init__(
        self, store: Store, limits: Limits, calm: Incidents, windows: Sequence[Window] = (),
    ) -> None:  # fmt: skip
        self._store, self._calm, self.windows = store, calm, windows
        self.filer = Filer(store, limits, calm)
        self._ledger = Ledger(store)
        self.inhibitions: Sequence[Inhibition] = ()

    def see(self, now: datetime) -> Sight:
        """What the store says now: four questions, however many alerts there are."""
        alerts, owners = self._store.alerts(), self._store.owners()
        unresolved = {one.id: one for one in self._store.due() if one.unresolved}
        held = Holding(
            silences=self._store.silences(ending_after=now), windows=self.windows, inhibitions=self.inhibitions,
            alerts=alerts, now=now,
        )  # fmt: skip
        return Sight(now, alerts, owners, unresolved, held)

    def look(self, sight: Sight, rules: Collection[str]) -> None:
        """Open, join, reopen, fold and end incidents, the worst first; `rules` are the ids of those watched."""
        groups, fresh = self._placed(sight)
        touched = sorted(groups.items(), key=lambda item: rank(sight.unresolved[item[0]].severity))
        for number, group in touched:
            with suppress(Conflict):  # somebody was faster: the next look sees what they made of it
                self._join(sight.unresolved[number], group, sight)
        self._begin(fresh, sight)
        for incident in sight.unresolved.values():
            if incident.id not in groups and incidents.cleared(incident):
                with suppress(Conflict):
                    self._end(incident, rules, sight)
        self._ledger.keep({alert.fingerprint for alert in sight.alerts}, sight.now)

    def look_at_heartbeats(self, sight: Sight) -> None:
        """What became of heartbeats that have cleared; called once OwnSight has opened or ended their incident."""
        down = [one for one in sight.alerts if one.state is AlertState.RESOLVED and self._beats(one)]
        latest = self.filer.latest(HEARTBEAT) if down else None
        missed = latest if latest and latest.unresolved else None
        for alert in down:
            last = self._ledger.said.get(alert.fingerprint)
            seen = last and (last.reason == MISSING or (last.incident is None and last.says != OVER))
            if missed and seen:
                says = f"it must always fire; incident {missed.id} says so"
                self._ledger.say(alert.fingerprint, sight.now, MISSING, says, missed.id)
            else:
                self._cleared(alert, sight.now)
        self._ledger.write()

    def _beats(self, alert: Alert) -> bool:
        return alert.name in self._calm.heartbeats

    # where alerts belong --------------------------------------------------------------------------------------------

    def _placed(self, sight: Sight) -> tuple[dict[int, list[Alert]], list[Alert]]:
        """Alerts that are up by the unresolved incident that they belong to, and those that belong to none."""
        groups: dict[int, list[Alert]] = {}
        fresh: list[Alert] = []
        keys, closed = sight.by_key, self._closed(sight)
        for alert in sight.alerts:
            if self._left(alert, sight):
                continue
            owner = sight.owners.get(alert.fingerprint)
            if owner is not None:
                if owner in sight.unresolved:  # else it came to be or ended since the alerts were read
                    groups.setdefault(owner, []).append(alert)
            elif not self._kept_back(alert, sight, closed):
                number = keys.get(grouping.key(alert, self._calm.group_by))
                (fresh if number is None else groups.setdefault(number, [])).append(alert)
        return groups, fresh

    def _left(self, alert: Alert, sight: Sight) -> bool:
        """Whether an alert is no reason for anything, with the verdict that says so."""
        if alert.state is not AlertState.FIRING:
            self._down(alert, sight)
            return True
        if self._beats(alert):
            self._ledger.say(alert.fingerprint, sight.now, "heartbeat")
        elif alert.severity == QUIET:
            self._ledger.say(alert.fingerprint, sight.now, holding.SEVERITY_NONE)
        return not grouping.up(alert) or self._beats(alert)

    def _down(self, alert: Alert, sight: Sight) -> None:
        if alert.state is AlertState.RESOLVED and self._beats(alert):
            return  # OwnSight comes first
        last = self._ledger.said.get(alert.fingerprint)
        owner = sight.unresolved.get(sight.owners.get(alert.fingerprint, 0))
        if owner and owner.flapping and last and last.reason != CLEARED:
            self._ledger.say(alert.fingerprint, sight.now, "flapping", "it has cleared; calm ends it", owner.id)
        else:
            self._cleared(alert, sight.now)

    def _cleared(self, alert: Alert, now: datetime) -> None:
        """An alert is over; of one that was never seen to fire it is said that it was over already."""
        last = self._ledger.said.get(alert.fingerprint)
        if last and last.reason != CLEARED:
            self._ledger.say(alert.fingerprint, now, CLEARED, incident=last.incident)
        elif last is None and alert.state is AlertState.RESOLVED:
            self._ledger.say(alert.fingerprint, now, CLEARED, OVER)

    def _kept_back(self, alert: Alert, sight: Sight, closed: Mapping[int, datetime]) -> bool:
        """Whether something keeps an alert that belongs to no incident from opening or joining one."""
        last = self._ledger.said.get(alert.fingerprint)
        number = last.incident if last else None
        if number is not None and number in closed and grouping.begun(alert) <= closed[number]:
            self._leave(alert.fingerprint, number, sight.now)
            return True
        hold = sight.holding.of(alert)
        if hold is None:
            return False
        self._ledger.say(alert.fingerprint, sight.now, hold.reason, hold.says)
        sight.dues += [sight.holding.changes] if sight.holding.changes else []
        return True

    def _closed(self, sight: Sight) -> dict[int, datetime]:
        """Incidents that a human closed and that are the last ones of alerts which still fire: when they ended."""
        firing = (alert.fingerprint for alert in sight.alerts if alert.state is AlertState.FIRING)
        lone = (self._ledger.said.get(name) for name in firing if name not in sight.owners)
        numbers = {last.incident for last in lone if last and last.incident is not None and last.reason != CLEARED}
        found = (self._store.load(number) for number in numbers if number not in sight.unresolved)
        return {one.id: one.resolved_at or one.since for one in found if one and incidents.by_hand(one)}

    def _leave(self, fingerprint: str, number: int | None, now: datetime) -> None:
        says = f"incident {number} was closed by a human while it fired"
        self._ledger.say(fingerprint, now, "closed_by_human", says, number)

    # incidents that are there ---------------------------------------------------------------------------------------

    def _join(self, incident: Incident, group: Sequence[Alert], sight: Sight) -> None:
        """Alerts that are up under an unresolved incident: new ones join it, and all may open it again."""
        there = {alert.fingerprint: alert for alert in incident.alerts}
        worst = min(rank(alert.severity) for alert in group)
        new = [alert for alert in group if alert.fingerprint not in there]
        move, now = Move.JOIN, incident
        if new or worst < rank(incident.severity) or self._may_refire(incident):
            cause = grouping.cause(incident.key, group)
            at = flapping.refired([*there.values(), *new], self._ledger.said) if incident.flapping else None
            move, found = self.filer.begin(cause, incident, sight.now)
            now = found or incident
            if at and incidents.clearable(now):
                now = self.filer.refired(now, at, sight.now)
        self._said_up(group, _SAYS[move], incident, now, sight)

    def _may_refire(self, incident: Incident) -> bool:
        return incident.flapping or incidents.may_refire(incident)

    def _said_up(
        self, group: Iterable[Alert], word: str, before: Incident, after: Incident, sight: Sight
    ) -> None:  # fmt: skip
        for alert in group:
            last = self._ledger.said.get(alert.fingerprint)
            known = last is not None and last.incident == after.id and last.reason in flapping.YES
            if not known or word != "joined":
                raised = word == "joined" and rank(alert.severity) < rank(before.severity)
                self._ledger.say(alert.fingerprint, sight.now, "raised" if raised else word, incident=after.id)

    def _end(self, incident: Incident, rules: Collection[str], sight: Sight) -> None:
        at = incidents.calm_at(incident, self._calm)
        if at and sight.now < at:
            sight.dues.append(at)
            return
        watched = any(alert.source != POLLED or alert.rule in rules for alert in incident.alerts)
        self.filer.end(incident, ("calm_again" if at else "alert_cleared") if watched else "rule_gone", sight.now)
        for alert in incident.alerts:
            if alert.fingerprint in self._ledger.said:  # else it is forgotten, and all is said of it
                self._cleared(alert, sight.now)

    # new ones -------------------------------------------------------------------------------------------------------

    def _begin(self, fresh: Sequence[Alert], sight: Sight) -> None:
        """Open one for each cause while it is calm; what is too much for one time waits and is folded."""
        if not fresh:
            return
        alerts = {alert.fingerprint: alert for alert in fresh}
        page = self._store.incidents(limit=self._calm.storm_above + PAGE)
        known = {one.id: one for one in (*page, *sight.unresolved.values())}
        times = storms.opened(one for one in known.values() if not own(one.key))
        room = storms.room(times, sight.now, self._calm)
        rest = [] if room else list(fresh)
        for cause in grouping.causes(fresh, self._calm.group_by) if room else ():
            if room <= 0:
                rest += [alerts[name] for name in cause.alerts]
                continue
            with suppress(Conflict):
                room -= self._opened(cause, sight)
        if rest:
            with suppress(Conflict):
                self._fold(rest, sight)

    def _opened(self, cause: Cause, sight: Sight) -> bool:
        """Whether a cause opened an incident, or one again."""
        move, incident = self.filer.begin(cause, self.filer.latest(cause.key), sight.now)
        for name in cause.alerts:
            if move is Move.LEAVE:
                self._leave(name, incident.id if incident else None, sight.now)
            else:
                self._ledger.say(name, sight.now, _SAYS[move], incident=incident.id if incident else None)
        return move in (Move.OPEN, Move.REOPEN)

    def _fold(self, rest: Sequence[Alert], sight: Sight) -> None:
        """What is too much: it waits for the storm to settle, and then becomes, or joins, the storm's incident."""
        since = [self._waiting_since(alert, sight.now) for alert in rest]
        if not storms.settled(since, sight.now, self._calm):
            for alert in rest:
                self._ledger.say(alert.fingerprint, sight.now, "waiting", "for a storm to settle")
            sight.dues.append(storms.until(since, self._calm))
            return
        incident = self._into_storm(rest, sight)
        for alert in rest:
            self._ledger.say(alert.fingerprint, sight.now, "folded", incident=incident.id)

    def _into_storm(self, rest: Sequence[Alert], sight: Sight) -> Incident:
        latest = self.filer.latest(STORM)
        if latest and latest.unresolved:
            cause = storms.fold(rest, latest.firing)
            return self.filer.join(cause, latest, sight.now, cause.title)
        if latest and incidents.by_hand(latest):  # what it held is left; this is another storm
            return self.filer.open(storms.fold(rest), sight.now)
        return self.filer.begin(storms.fold(rest), latest, sight.now)[1] or self.filer.open(
            storms.fold(rest), sight.now
        )

    def _waiting_since(self, alert: Alert, now: datetime) -> datetime:
        last = self._ledger.said.get(alert.fingerprint)
        return last.at if last and last.reason == "waiting" else now
