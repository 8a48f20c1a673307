"""OwnSight: what keeps opsbot itself from seeing in, incidents that say so out; each ends by itself.

Prometheus that cannot be read, rule files that cannot, webhooks that refuse what they are sent, and alerts that
should always fire and do not any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from opsbot.config import Incidents, Limits
from opsbot.core.alert import AlertRule
from opsbot.core.errors import Conflict, Problem
from opsbot.core.incident import Incident
from opsbot.core.ports import Store
from opsbot.mask import mask
from opsbot.monitor.looking import heartbeat, incidents
from opsbot.monitor.looking.filer import Filer
from opsbot.monitor.looking.grouping import TITLE, Cause
from opsbot.monitor.looking.heartbeat import Beat
from opsbot.monitor.looking.incidents import BLIND, HEARTBEAT, INVALID, REFUSED, Move
from opsbot.monitor.looking.looker import Sight
from opsbot.monitor.polling.blindness import Blindness
from opsbot.monitor.polling.poller import LONG_AGO
from opsbot.monitor.receiving.hearing import Hearing

NAMED = 3
"""How many rules are named that cannot be read."""


class OwnSight:
    """Incidents about opsbot's own sight. Not for several threads at once."""

    def __init__(self, store: Store, filer: Filer, limits: Limits, calm: Incidents) -> None:
        self._store, self._filer, self._limits, self._calm = store, filer, limits, calm
        self._invalid: datetime | None = None
        self._deaf: set[str] | None = None
        self._started: datetime | None = None
        self._beats: dict[str, Beat] | None = None
        self._kept: dict[str, Beat] = {}

    def files(self, problems: Sequence[Problem], now: datetime) -> None:
        """Open the incident of files that cannot be read, or end it where there are no problems any more."""
        self._invalid = (self._invalid or now) if problems else None
        latest = self._filer.latest(INVALID)
        with suppress(Conflict):
            if self._invalid:
                where = f"{problems[0].rule}: {problems[0]}" if problems[0].rule else str(problems[0])
                title = mask(f"alert rules cannot be read, older ones stay in force: {where}").cut(TITLE)
                self._filer.begin(Cause(INVALID, "warning", title, self._invalid), latest, now)
            else:
                self._filer.end_own(latest, "files_good_again", now)

    # webhooks -------------------------------------------------------------------------------------------------------

    def webhooks(self, hearing: Mapping[str, Hearing], now: datetime) -> None:
        """Open the incident of each webhook that loses alerts; end it once it is well again, or there is none such.

        The store is asked only about those that lose some, or did when it was asked last.
        """
        if self._deaf is None:
            keys = [one.key for one in self._store.due() if one.unresolved and incidents.refused(one.key)]
            self._deaf = {key.removeprefix(REFUSED) for key in keys}
        self._deaf |= {name for name, one in hearing.items() if one.lost(now)}
        for name in sorted(self._deaf):
            with suppress(Conflict):
                if not self._webhook(name, hearing.get(name), now):
                    self._deaf.discard(name)

    def _webhook(self, name: str, hearing: Hearing | None, now: datetime) -> bool:
        """Whether it is to be asked about again."""
        latest = self._filer.latest(REFUSED + name)
        if hearing and hearing.since and hearing.lost(now):
            title = mask(f"{REFUSED}{name}: its notices are refused: {hearing.why}").cut(TITLE)
            self._filer.begin(Cause(REFUSED + name, "critical", title, hearing.since), latest, now)
            return True
        if hearing is None or hearing.well(now):
            self._filer.end_own(latest, "webhook_well_again" if hearing else "webhook_gone", now)
        return latest is not None and latest.unresolved

    # Prometheus -----------------------------------------------------------------------------------------------------

    def late(self, blind: Mapping[str, Blindness], now: datetime) -> dict[str, Blindness]:
        """Rules that have been blind for so long that a human must know, by id."""
        return {rule: one for rule, one in blind.items() if now - one.since >= self._limits.blind_for}

    def blindness(
        self, late: Mapping[str, Blindness], rules: Mapping[str, AlertRule], sees_all: bool, sight: Sight
    ) -> None:  # fmt: skip
        """Open the incident of blindness once it has lasted, and end it once every rule has had a whole answer."""
        with suppress(Conflict):
            if late:
                first = min(late.values(), key=lambda one: one.since)
                which = f"{len(late)} of {len(rules)} rules ({_names(late, rules)})"
                title = mask(f"Prometheus cannot be read for {which}: {first.why}").cut(TITLE)
                cause = Cause(BLIND, "critical", title, first.since)
                self._filer.begin(cause, self._filer.latest(BLIND), sight.now)
            elif sees_all:
                self._filer.end_own(_own(sight, BLIND), "sight_again", sight.now)

    # heartbeats -----------------------------------------------------------------------------------------------------

    def heartbeats(self, rules: Collection[str], blind: Collection[str], sight: Sight) -> None:
        """Open an incident where a heartbeat that was seen stays away, and end it once each is seen again.

        `rules` are the ids of those watched, `blind` of those that cannot be read. While Prometheus cannot be read at
        all nothing is told here: that is the same trouble, and is told of as such. That opsbot was started anew gives
        a heartbeat time before it is missed, but proves none that is missed already.
        """
        now = sight.now
        self._started = self._started or now
        before = self._known()
        beats = heartbeat.seen(before, sight.alerts, self._calm.heartbeats, rules)
        away = heartbeat.missing(beats, now, self._started, self._calm)
        dark = bool(rules) and len(blind) == len(rules)
        news = [] if dark else [beat for beat in away if beat.rule not in blind]
        with suppress(Conflict):
            if news:
                beats = self._tell(news, beats, now)
            elif not away and not heartbeat.missing(beats, now, LONG_AGO, self._calm):
                gone = before.keys() - beats.keys()
                self._filer.end_own(_own(sight, HEARTBEAT), "rule_gone" if gone else "heartbeat_again", now)
        self._beats = beats
        sight.dues += [due for beat in beats.values() if (due := heartbeat.deadline(beat, self._started, self._calm))]
        self._keep(now)

    def _known(self) -> dict[str, Beat]:
        if self._beats is None:
            self._kept = heartbeat.read(self._store.fetch(heartbeat.FACT))
            self._beats = dict(self._kept)
        return self._beats

    def _tell(self, away: Sequence[Beat], beats: dict[str, Beat], now: datetime) -> dict[str, Beat]:
        """What a human closed is known: those heartbeats are missed no more, until they are seen again."""
        move, _ = self._filer.begin(heartbeat.cause(away), self._filer.latest(HEARTBEAT), now)
        if move is not Move.LEAVE:
            return beats
        return {name: beat for name, beat in beats.items() if beat not in away}

    def _keep(self, now: datetime) -> None:
        beats = self._beats or {}
        if heartbeat.newer(beats, self._kept):
            self._store.put(heartbeat.FACT, heartbeat.spelled(beats), now)
            self._kept = dict(beats)


def _names(late: Collection[str], rules: Mapping[str, AlertRule]) -> str:
    names = sorted({rules[rule].name for rule in late if rule in rules})
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _own(sight: Sight, key: str) -> Incident | None:
    return next((one for one in sight.unresolved.values() if one.key == key), None)
