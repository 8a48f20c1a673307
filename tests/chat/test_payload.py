"""Deliveries of any shape: what is for us becomes what was said, everything else a refusal by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from opsbot.chat.payload import Pins, read
from opsbot.core.errors import Refused
from opsbot.core.message import Said
from tests.chat.chat_world import ANA, NOW

PINS = Pins("T01", "A01", "C01")
COMMAND: dict[str, Any] = {
    "command": "/opsbot", "text": "show 1", "user_id": ANA, "channel_id": "C01", "team_id": "T01", "api_app_id": "A01",
    "trigger_id": "1.2.abc", "response_url": "https://hooks.example/x",
}  # fmt: skip
MENTION: dict[str, Any] = {
    "type": "event_callback", "team_id": "T01", "api_app_id": "A01", "event_id": "Ev1",
    "event": {"type": "app_mention", "user": ANA, "text": "<@U0BOT> show <@U9> 1", "channel": "C01", "ts": "1.1",
              "thread_ts": "1.0"},
}  # fmt: skip
CLICK: dict[str, Any] = {
    "type": "block_actions", "api_app_id": "A01", "trigger_id": "1.2.def", "user": {"id": ANA, "team_id": "T01"},
    "team": {"id": "T01"}, "container": {"channel_id": "C01", "message_ts": "1.5"}, "channel": {"id": "C01"},
    "actions": [{"action_id": "approve", "value": "70acd621ad098cfb"}],
}  # fmt: skip
FORM: dict[str, Any] = {
    "type": "view_submission", "api_app_id": "A01", "trigger_id": "1.2.ghi", "user": {"id": ANA}, "team": {"id": "T01"},
    "view": {"type": "modal", "callback_id": "reject", "private_metadata": "70acd621ad098cfb",
             "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": "wrong hour"}}}}},
}  # fmt: skip
ALL = {"command": COMMAND, "mention": MENTION, "click": CLICK, "form": FORM}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (COMMAND, Said("command:1.2.abc", {"kind": "command", "user": ANA, "channel": "C01", "text": "show 1"}, NOW)),
        (MENTION, Said("mention:Ev1", {"kind": "mention", "user": ANA, "channel": "C01", "text": "show <@U9> 1",
                                       "thread": "1.0"}, NOW)),
        (CLICK, Said("click:1.2.def", {"kind": "click", "user": ANA, "channel": "C01", "action": "approve",
                                       "value": "70acd621ad098cfb", "trigger": "1.2.def", "ts": "1.5"}, NOW)),
        (FORM, Said("form:1.2.ghi", {"kind": "form", "user": ANA, "channel": "C01", "value": "70acd621ad098cfb",
                                     "reason": "wrong hour"}, NOW)),
    ],
    ids=list(ALL),
)  # fmt: skip
def test_what_is_for_us_is_understood(body: dict[str, Any], said: Said) -> None:
    assert read(body, PINS, NOW) == said


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(ALL[name])
    *way, last = path.split(".")
    where: Any = made
    for step in way:
        where = where[int(step) if step.isdigit() else step]
    where[last] = value
    return made


@pytest.mark.parametrize(
    ("name", "path", "value", "reason"),
    [
        ("command", "team_id", "T02", "other_team"),
        ("command", "team_id", None, "other_team"),
        ("command", "team_id", ["T01"], "other_team"),
        ("command", "api_app_id", "A02", "other_app"),
        ("command", "api_app_id", "", "other_app"),
        ("command", "channel_id", "C02", "other_channel"),
        ("command", "channel_id", "D01", "other_channel"),
        ("command", "user_id", "", "malformed"),
        ("command", "user_id", "U1'; drop", "malformed"),
        ("command", "user_id", {"id": ANA}, "malformed"),
        ("command", "text", "x" * 4001, "malformed"),
        ("command", "text", 7, "malformed"),
        ("command", "trigger_id", None, "malformed"),
        ("command", "trigger_id", "x" * 151, "malformed"),
        ("command", "trigger_id", "a b", "malformed"),
        ("mention", "team_id", "T02", "other_team"),
        ("mention", "api_app_id", "A02", "other_app"),
        ("mention", "event.channel", "C02", "other_channel"),
        ("mention", "event.user_team", "T02", "other_team"),
        ("mention", "event.bot_id", "B01", "not_a_person"),
        ("mention", "event.subtype", "bot_message", "not_a_person"),
        ("mention", "event.type", "message", "unknown"),
        ("mention", "event", "text", "malformed"),
        ("mention", "event_id", "", "malformed"),
        ("mention", "event.thread_ts", "1.0'", "malformed"),
        ("mention", "event.user", None, "malformed"),
        ("click", "team", {"id": "T02"}, "other_team"),
        ("click", "team", None, "malformed"),
        ("click", "user.team_id", "T02", "other_team"),
        ("click", "api_app_id", "A02", "other_app"),
        ("click", "container.channel_id", "C02", "other_channel"),
        ("click", "container", {}, "other_channel"),
        ("click", "container.message_ts", "soon", "malformed"),
        ("click", "actions", [], "malformed"),
        ("click", "actions", "approve", "malformed"),
        ("click", "actions", [{"action_id": "approve"}] * 2, "malformed"),
        ("click", "actions", [{"action_id": "run", "value": "x"}], "unknown"),
        ("click", "actions", [{"action_id": "approve"}], "malformed"),
        ("click", "actions", [{"action_id": "approve", "value": "two words"}], "malformed"),
        ("click", "actions", [{"action_id": ["approve"], "value": "x"}], "unknown"),
        ("form", "team", {"id": "T02"}, "other_team"),
        ("form", "api_app_id", None, "other_app"),
        ("form", "view.callback_id", "approve", "unknown"),
        ("form", "view.type", "home", "unknown"),
        ("command", "command", "/deploy", "unknown"),
        ("form", "view.private_metadata", "", "malformed"),
        ("form", "view.state", {}, "malformed"),
        ("form", "view.state", {"values": {"reason": {"reason": {"value": 7}}}}, "malformed"),
        ("form", "view", None, "malformed"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_not_for_us_is_refused_by_name(name: str, path: str, value: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read(changed(name, path, value), PINS, NOW)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "body", [{}, {"type": "shortcut"}, {"type": ["block_actions"]}, {"payload": "{}"}, {"type": None}]
)
def test_what_nobody_listens_to(body: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read(body, PINS, NOW)
    assert refused.value.reason == "unknown"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("odd", [None, 7, [], {}, "", True, [[]], "x" * 9000, "\x00\u202e"], ids=repr)
def test_any_value_in_any_place_is_refused_or_understood(name: str, odd: Any) -> None:
    """Nothing but Refused ever comes out, whatever stands where."""
    for path in places(ALL[name]):
        try:
            said = read(changed(name, path, odd), PINS, NOW)
        except Refused:
            continue
        assert said.id == read(ALL[name], PINS, NOW).id


def places(value: dict[str, Any], before: str = "") -> list[str]:
    found = []
    for key, inner in value.items():
        found.append(before + key)
        found += places(inner, f"{before}{key}.") if isinstance(inner, dict) else []
    return found


def test_a_form_without_a_reason_is_one() -> None:
    body = changed("form", "view.state", {"values": {"reason": {"reason": {"value": None}}}})
    assert read(body, PINS, NOW).what["reason"] == ""
