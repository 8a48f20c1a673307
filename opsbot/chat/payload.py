"""What Slack delivers in, what was said out: of the right workspace, app and channel, or Refused by name. Pure.

Shapes are those of docs.slack.dev: slash commands, app_mention events, block_actions and view_submission payloads. Of
each only the few words are kept that are needed to carry it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsbot.chat.card import APPROVE, REJECT
from opsbot.core.errors import Refused
from opsbot.core.message import Said

COMMAND, MENTION, CLICK, FORM = "command", "mention", "click", "form"
EVENT, PRESSED, SUBMITTED = "event_callback", "block_actions", "view_submission"
SLASH = "/opsbot"
REASON = "reason"
"""The one field of the form that asks why."""
_ID = re.compile(r"[A-Z][A-Z0-9]{1,24}", re.ASCII)
_DELIVERY = re.compile(r"[!-~]{1,150}", re.ASCII)
_TS = re.compile(r"\d{1,12}\.\d{1,9}", re.ASCII)
_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
LONGEST = 4000

Body = Mapping[str, Any]
Form = Mapping[str, Any]
"""Names of parts, each with the names of its own parts."""


@dataclass(frozen=True, slots=True)
class Pins:
    """The one workspace, app and channel that are listened to."""

    team: str
    app: str
    channel: str


def read(body: Body, pins: Pins, now: datetime) -> Said:
    """What was said; Refused: malformed, other_team, other_app, other_channel, not_a_person, unknown."""
    if body.get("type") == EVENT:
        return _mention(body, pins, now)
    if body.get("type") == PRESSED:
        return _click(body, pins, now)
    if body.get("type") == SUBMITTED:
        return _form(body, pins, now)
    if "command" in body:
        return _command(body, pins, now)
    raise Refused("unknown", "that is nothing that opsbot listens to")


def _command(body: Body, pins: Pins, now: datetime) -> Said:
    if body.get("command") != SLASH:
        raise Refused("unknown", f"only {SLASH} is listened to")
    _pinned(body, pins, team=body.get("team_id"), channel=body.get("channel_id"))
    what = _what(COMMAND, body.get("user_id"), pins, text=_text(body.get("text", "")))
    return Said(_delivery(COMMAND, body.get("trigger_id")), what, now)


def _mention(body: Body, pins: Pins, now: datetime) -> Said:
    event = _part(body, "event")
    if event.get("type") != "app_mention":
        raise Refused("unknown", "only mentions are listened to")
    if event.get("bot_id") or event.get("subtype"):
        raise Refused("not_a_person", "bots are not listened to")
    _pinned(body, pins, team=body.get("team_id"), channel=event.get("channel"))
    _same(event.get("user_team", pins.team), pins.team, "other_team")
    thread = event.get("thread_ts", "")
    text = _MENTION.sub(" ", _text(event.get("text", "")), count=1).strip()
    what = _what(MENTION, event.get("user"), pins, text=text, thread=_ts(thread) if thread else "")
    return Said(_delivery(MENTION, body.get("event_id")), what, now)


def _click(body: Body, pins: Pins, now: datetime) -> Said:
    container, user = _part(body, "container"), _part(body, "user")
    _pinned(body, pins, team=_part(body, "team").get("id"), channel=container.get("channel_id"))
    _same(user.get("team_id", pins.team), pins.team, "other_team")
    clicked = body.get("actions")
    if not isinstance(clicked, list) or len(clicked) != 1 or not isinstance(clicked[0], Mapping):
        raise Refused("malformed", "one button is clicked at a time")
    action = clicked[0].get("action_id")
    if action not in (APPROVE, REJECT):
        raise Refused("unknown", "that is no button of opsbot's")
    trigger = body.get("trigger_id")
    what = _what(
        CLICK, user.get("id"), pins, action=action, value=_value(clicked[0].get("value")), trigger=trigger,
        ts=_ts(container.get("message_ts")),
    )  # fmt: skip
    return Said(_delivery(CLICK, trigger), what, now)


def _form(body: Body, pins: Pins, now: datetime) -> Said:
    view, user = _part(body, "view"), _part(body, "user")
    _pinned(body, pins, team=_part(body, "team").get("id"), channel=pins.channel)
    _same(user.get("team_id", pins.team), pins.team, "other_team")
    if view.get("type") != "modal" or view.get("callback_id") != REJECT:
        raise Refused("unknown", "that is no form of opsbot's")
    fields = _part(_part(_part(view, "state"), "values"), REASON)
    reason = _text(_part(fields, REASON).get("value") or "")
    what = _what(FORM, user.get("id"), pins, value=_value(view.get("private_metadata")), reason=reason)
    return Said(_delivery(FORM, body.get("trigger_id")), what, now)


# what `read` has judged -----------------------------------------------------------------------------------------------

_PERSON: Form = {"type": {}, "team": {"id": {}}, "user": {"id": {}, "team_id": {}}, "trigger_id": {}}
_FIELDS: Form = {REASON: {REASON: {"value": {}}}}
_FORMS: Mapping[str, Form] = {
    EVENT: {"type": {}, "team_id": {}, "event_id": {}, "event": {
        "type": {}, "user": {}, "user_team": {}, "channel": {}, "text": {}, "thread_ts": {},
    }},
    PRESSED: {**_PERSON, "container": {"channel_id": {}, "message_ts": {}}, "actions": {"action_id": {}, "value": {}}},
    SUBMITTED: {**_PERSON, "view": {
        "type": {}, "callback_id": {}, "private_metadata": {}, "state": {"values": _FIELDS},
    }},
    COMMAND: {"command": {}, "text": {}, "team_id": {}, "channel_id": {}, "user_id": {}, "trigger_id": {}},
}  # fmt: skip


def judged(body: Body) -> dict[str, Any]:
    """Those parts of a delivery that `read` has looked at: nothing that nobody judged goes on to a library."""
    kind = next((kind for kind in _FORMS if body.get("type") == kind), COMMAND)
    found: dict[str, Any] = _kept(body, {"api_app_id": {}, **_FORMS[kind]})
    return found


def _kept(value: Any, form: Form) -> Any:
    if isinstance(value, list):
        return [_kept(item, form) for item in value]
    if not form or not isinstance(value, Mapping):
        return value
    return {name: _kept(value[name], form[name]) for name in form if name in value}


# parts ----------------------------------------------------------------------------------------------------------------


def _pinned(body: Body, pins: Pins, *, team: Any, channel: Any) -> None:
    _same(team, pins.team, "other_team")
    _same(body.get("api_app_id"), pins.app, "other_app")
    _same(channel, pins.channel, "other_channel")


def _same(given: Any, pinned: str, reason: str) -> None:
    if not isinstance(given, str) or given != pinned:
        raise Refused(reason, f"opsbot listens to one {reason.removeprefix('other_')} only, and this is another")


def _what(kind: str, user: Any, pins: Pins, **more: Any) -> dict[str, Any]:
    if not isinstance(user, str) or not _ID.fullmatch(user):
        raise Refused("malformed", "it names no person")
    return {"kind": kind, "user": user, "channel": pins.channel, **more}


def _part(body: Body, name: str) -> Body:
    found = body.get(name)
    if not isinstance(found, Mapping):
        raise Refused("malformed", f"{name} is missing")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise Refused("malformed", f"text must be at most {LONGEST} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Refused("malformed", "text holds half of a letter")  # JSON can spell it, UTF-8 and the store cannot
    return value


def _value(value: Any) -> str:
    if not isinstance(value, str) or not _DELIVERY.fullmatch(value):
        raise Refused("malformed", "it names no approval")
    return value


def _ts(value: Any) -> str:
    if not isinstance(value, str) or not _TS.fullmatch(value):
        raise Refused("malformed", "it names no message")
    return value


def _delivery(kind: str, value: Any) -> str:
    """The id of a delivery: Slack gives each click, command and form a trigger of its own, each event an id."""
    if not isinstance(value, str) or not _DELIVERY.fullmatch(value):
        raise Refused("malformed", "it has no id of its own")
    return f"{kind}:{value}"
