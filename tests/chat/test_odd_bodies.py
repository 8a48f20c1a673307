"""Bodies that are signed as Slack would, and are not what Slack sends: refused, never an error of ours, never kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from opsbot.chat.http import LARGEST
from opsbot.chat.slack import SlackDoor
from opsbot.testing.slack.signing import sign
from tests.chat.chat_world import ANA, Office
from tests.chat.test_signed_door import post

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
DEEP = "[" * 50_000
HUGE = "x" * (LARGEST - 5_000)


@pytest.fixture
def door(office: Office) -> Iterator[SlackDoor]:
    with office.open(mode="http", listen="127.0.0.1:0") as opened:
        yield opened


def pay(value: Any) -> bytes:
    return urlencode({"payload": value if isinstance(value, str) else json.dumps(value)}).encode()


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def plain(value: Any) -> bytes:
    return json.dumps(value).encode()


IDS = {"team_id": "{team}", "api_app_id": "{app}", "channel_id": "{channel}", "user_id": ANA}
Json = dict[str, Any]
BODY: Json = {"type": "block_actions", "api_app_id": "{app}", "team": {"id": "{team}"}, "user": {"id": ANA},
        "container": {"channel_id": "{channel}", "message_ts": "1.1"}, "trigger_id": "1.2.x",
        "actions": [{"action_id": "approve", "value": "v"}]}  # fmt: skip
EVENT: Json = {"type": "event_callback", "api_app_id": "{app}", "team_id": "{team}", "event_id": "Ev1",
         "event": {"type": "app_mention", "user": ANA, "channel": "{channel}", "text": "status"}}  # fmt: skip
VIEW: Json = {
    "type": "view_submission",
    "api_app_id": "{app}",
    "team": {"id": "{team}"},
    "user": {"id": ANA},
    "trigger_id": "1.2.y",
    "view": {"type": "modal", "callback_id": "reject", "private_metadata": "v", "state": {"values": {}}},
}

ODD: dict[str, tuple[str, bytes]] = {
    "nothing": (FORM, b""),
    "nothing as JSON": (JSON, b""),
    "bytes that are no text": (FORM, b"\xff\xfe\xfd"),
    "half a letter in JSON": (JSON, b'{"type": "\xc3"}'),
    "a bad escape in a form": (FORM, b"command=%ZZ&team_id=%"),
    "no UTF-8 behind an escape": (FORM, b"payload=%FF%FE"),
    "only separators": (FORM, b"&&&===&"),
    "a form without a command": (FORM, form(**IDS)),
    "a NUL": (FORM, b"\x00"),
    "a payload that is no JSON": (FORM, pay("{")),
    "a payload that is empty": (FORM, b"payload="),
    "a payload of a list": (FORM, pay([])),
    "a payload of a text": (FORM, pay('"x"')),
    "a payload of null": (FORM, pay("null")),
    "a payload of a number": (FORM, pay("1e999")),
    "a payload that is endless": (FORM, pay(DEEP)),
    "a payload nested without end": (FORM, pay('{"a":' * 20_000)),
    "two payloads": (FORM, pay({}) + b"&" + pay({})),
    "JSON that is cut off": (JSON, b'{"type": "event_callback"'),
    "JSON of a list": (JSON, b"[1, 2]"),
    "JSON of null": (JSON, b"null"),
    "JSON of NaN": (JSON, b"NaN"),
    "JSON nested without end": (JSON, DEEP.encode()),
    "objects nested without end": (JSON, b'{"a":' * 20_000),
    "a form that says it is JSON": (JSON, form(command="/opsbot", **IDS)),
    "JSON that says it is a form": (FORM, plain({"type": 7})),
    "no type": (JSON, plain({"team_id": "{team}"})),
    "a type that nobody knows": (JSON, plain({**EVENT, "type": "app_rate_limited"})),
    "a type that is a list": (JSON, plain({**EVENT, "type": ["event_callback"]})),
    "a type that is a number": (FORM, pay({**BODY, "type": 7})),
    "an event that nobody knows": (JSON, plain({**EVENT, "event": {"type": "team_join"}})),
    "an event that is a text": (JSON, plain({**EVENT, "event": "app_mention"})),
    "an event that is null": (JSON, plain({**EVENT, "event": None})),
    "an event without an id": (JSON, plain({**EVENT, "event_id": None})),
    "an event by a number": (JSON, plain({**EVENT, "event": {**EVENT["event"], "user": 7}})),
    "an event whose text is an object": (
        JSON, plain({**EVENT, "event": {**EVENT["event"], "text": {}}}),
    ),
    "a click on nothing": (FORM, pay({**BODY, "actions": []})),
    "clicks that are no list": (FORM, pay({**BODY, "actions": {"0": 1}})),
    "a click that is a text": (FORM, pay({**BODY, "actions": ["approve"]})),
    "a click on an unknown button": (FORM, pay({**BODY, "actions": [{"action_id": "drop", "value": "v"}]})),
    "a click with an object for a value": (FORM, pay({**BODY, "actions": [{"action_id": "approve", "value": {}}]})),
    "a click by nobody": (FORM, pay({**BODY, "user": None})),
    "a click by a list": (FORM, pay({**BODY, "user": [ANA]})),
    "a click nowhere": (FORM, pay({**BODY, "container": 7})),
    "a click without a trigger": (FORM, pay({**BODY, "trigger_id": ""})),
    "a click with a trigger of control characters": (FORM, pay({**BODY, "trigger_id": "1\n2"})),
    "an unknown kind of payload": (FORM, pay({**BODY, "type": "shortcut", "callback_id": "x"})),
    "a dialog of old": (FORM, pay({**BODY, "type": "dialog_submission", "callback_id": "x"})),
    "a form of nobody's": (FORM, pay({**VIEW, "view": {"type": "modal", "callback_id": "other"}})),
    "a form without a view": (FORM, pay({**VIEW, "view": None})),
    "a form with a list for fields": (
        FORM, pay({**VIEW, "view": {**VIEW["view"], "state": {"values": []}}}),
    ),
    "a command with too much to say": (
        FORM, form(command="/opsbot", text="x" * 5_000, trigger_id="1.2.z", **IDS),
    ),
    "a command of nobody's": (
        FORM, form(command="/opsbot", text="status", trigger_id="1.2", **{**IDS, "user_id": "-"}),
    ),
    "a command without a trigger": (FORM, form(command="/opsbot", text="status", **IDS)),
    "another command": (FORM, form(command="/deploy", text="status", trigger_id="1.2", **IDS)),
    "a huge text": (FORM, form(command="/opsbot", text=HUGE, trigger_id="1.2", **IDS)),
    "a click with a huge value": (FORM, pay({**BODY, "actions": [{"action_id": "approve", "value": HUGE[:99_999]}]})),
    "a click of a huge trigger": (FORM, pay({**BODY, "trigger_id": HUGE[:99_999]})),
    "many fields": (FORM, b"&".join(b"a%d=1" % n for n in range(5_000))),
    "half of a pair said": (JSON, plain({**EVENT, "event": {**EVENT["event"], "text": "\ud800"}})),
    "half of a pair as a value": (FORM, pay({**BODY, "actions": [{"action_id": "approve", "value": "\ud800"}]})),
    "half of a pair as a reason": (FORM, pay({**VIEW, "view": {
        "type": "modal", "callback_id": "reject", "private_metadata": "v",
        "state": {"values": {"reason": {"reason": {"value": "\udc00"}}}},
    }})),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "body"), ODD.values(), ids=ODD)
def test_an_odd_body_is_refused_and_not_kept(office: Office, door: SlackDoor, kind: str, body: bytes) -> None:
    for name in ("team", "app", "channel"):
        named = getattr(office.slack, name)
        body = body.replace(b"{%s}" % name.encode(), named.encode()).replace(
            b"%%7B%s%%7D" % name.encode(), named.encode()
        )
    stamp = str(int(office.clock().timestamp()))
    headers = {
        "Content-Type": kind, "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(office.slack.signing_secret, stamp, body),
    }  # fmt: skip
    kept: list[object] = []
    take = office.store.take
    office.store.take = lambda *given: kept.append(given) or take(*given)  # type: ignore[method-assign,func-returns-value]
    status, said = post(door, body, headers)
    assert status in (400, 403, 413), said
    assert "Traceback" not in said
    assert kept == []
    assert office.store.untreated() == ()
