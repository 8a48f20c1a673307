"""`silence add`, `silence list` and `silence expire`: keep alerts from opening incidents for a while, by hand."""

from __future__ import annotations

import logging
import re
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsbot import matchers
from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.commands.person import refusal
from opsbot.core import duration
from opsbot.core.alert import Alert, rank
from opsbot.core.canonical import plain
from opsbot.core.errors import PermanentError, Refused
from opsbot.core.ports import Store
from opsbot.core.silence import Match, Matcher, Silence
from opsbot.mask import mask
from opsbot.matchers import MatcherError
from opsbot.monitor.looking import silences

PERMISSION = "silence"
MOST = 100
LISTED = 1000
_BLANKS = "the name of an alert that has blanks needs quotation marks"
LOG = logging.getLogger("opsbot.commands")
_ORDER = ("active", "pending", "expired")
_NAME_ALONE = re.compile(r"(?=.*\S)(?!')[^=~{}\"`]+", re.DOTALL)
"""No operator and nothing that begins or ends a list or a quotation: the name of an alert, blanks and all."""


def add(desk: Desk, person: str, args: Namespace) -> Answer:
    """{silence, alerts, more, firing, incidents, overlaps}; with --preview silence is null and nothing is kept.

    Refused("not_allowed") where the person may not silence: looking ahead is for all who may read. Refused names what
    else is wrong.
    """
    wanted = _matchers(args.matchers)
    silences.narrow(wanted)
    if args.preview:
        return Answer({"silence": None, **_hidden(desk.record, wanted), "overlaps": []})
    if not desk.access.may(person, PERMISSION):
        raise refusal(desk.access, desk.door, person, PERMISSION)
    now = desk.now
    begins, lasting = _begins(args.begins, now), _lasting(args.lasting)
    asked = silences.silence(wanted, person, mask(args.comment), now, begins, lasting)
    made = desk.store.add_silence(asked)
    overlaps = silences.overlapping(made, desk.store.silences(now))
    LOG.info("silence %d added by %s until %s: %s", made.id, person, plain(made.ends_at), mask(_spelt(made)))
    data = {"silence": silence(made, now), **_hidden(desk.store, wanted), "overlaps": [one.id for one in overlaps]}
    return Answer(data)


def listed(desk: Desk, person: str, args: Namespace) -> Answer:
    """{silences: [SILENCE …], more}: what holds now, what will, and with --all what is over, the newest first."""
    now = desk.now
    found = sorted(desk.record.silences(None if args.all else now), key=lambda one: _rank(one, now))
    return Answer({"silences": [silence(one, now) for one in found[:LISTED]], "more": len(found) > LISTED})


def expire(desk: Desk, person: str, args: Namespace) -> Answer:
    """{silence}; Refused("over") where it has ended already, PermanentError where there is none."""
    now, number = desk.now, args.silence
    found = next((one for one in desk.store.silences() if one.id == number), None)
    if found is None:
        raise PermanentError(f"there is no silence {number}; `silence list --all` lists them")
    if silences.state(found, now) == "expired":
        by = f", expired by {found.expired_by}" if found.expired_by else ""
        raise Refused("over", f"silence {number} is over already: it ended at {found.ends_at:%Y-%m-%d %H:%M} UTC{by}")
    ended = desk.store.expire_silence(number, person, now)
    LOG.info("silence %d expired by %s: %s", number, person, mask(_spelt(ended)))
    return Answer({"silence": silence(ended, now)})


def silence(value: Silence, now: datetime) -> dict[str, Any]:
    """A silence as JSON."""
    spelt = [matchers.spell(one) for one in value.matchers]
    return {
        "id": value.id, "state": silences.state(value, now), "matchers": spelt,
        "author": value.author, "comment": value.comment, "made_at": plain(value.made_at),
        "starts_at": plain(value.starts_at), "ends_at": plain(value.ends_at), "expired_by": value.expired_by,
    }  # fmt: skip


def _rank(one: Silence, now: datetime) -> tuple[int, float]:
    """What ends next first, then what begins next, then what ended last."""
    state = silences.state(one, now)
    at = {"active": one.ends_at, "pending": one.starts_at}.get(state)
    return _ORDER.index(state), at.timestamp() if at else -one.ends_at.timestamp()


def _hidden(store: Store, wanted: Sequence[Matcher]) -> dict[str, Any]:
    """The alerts that fire and match, worst first, and the open incidents to which they belong: these stay open."""
    found = sorted(silences.hidden(wanted, store.alerts()), key=lambda one: (rank(one.severity), one.fingerprint))
    owners = store.owners() if found else {}
    incidents = Counter(owners[one.fingerprint] for one in found if one.fingerprint in owners)
    return {
        "matchers": [matchers.spell(one) for one in wanted],
        "alerts": [_alert(one, owners.get(one.fingerprint)) for one in found[:MOST]],
        "more": len(found) > MOST,
        "firing": len(found),
        "incidents": sorted(incidents),
    }


def _alert(alert: Alert, incident: int | None) -> dict[str, Any]:
    return {**shape.alert(alert), "incident": incident}


def _spelt(one: Silence) -> str:
    return matchers.spell_all(one.matchers)


# what was typed -----------------------------------------------------------------------------------------------------


def _matchers(words: Sequence[str]) -> tuple[Matcher, ...]:
    """One matcher a word, the first of which may be the name of an alert alone, blanks and all; or a list in braces."""
    try:
        if words and words[0].startswith("{"):
            return matchers.parse(" ".join(words))
        return tuple(one for place, word in enumerate(words) for one in _word(word, first=not place))
    except MatcherError as error:
        more = f"; {_BLANKS}" if len(words) > 1 and _NAME_ALONE.fullmatch(words[0]) else ""
        raise Refused("no_matcher", f"{error} ({error.hint}{more})") from error


def _word(word: str, *, first: bool) -> tuple[Matcher, ...]:
    if first and _NAME_ALONE.fullmatch(word):
        return (Matcher("alertname", Match.IS, word.strip()),)
    try:
        return (matchers.parse_one(word),)
    except MatcherError:
        return matchers.parse(word)


def _lasting(text: str) -> timedelta:
    if not text:
        raise Refused("no_time", "for how long? for example: --for 2h")
    try:
        return duration.parse(text)
    except ValueError as error:
        raise Refused("no_time", f"--for: {error}") from error


def _begins(text: str, now: datetime) -> datetime:
    """A time as typed; UTC where it names no zone."""
    if not text:
        return now
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        example = "2026-12-01T20:00+01:00; UTC where it names no zone"
        raise Refused("no_time", f"--from: {text[:40]!r} is no time: write {example}") from error
