"""The gate before Bolt: what is odd is refused with one line, what is a fault of ours asks Slack to come again."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsbot.chat import bolt, payload, sender
from opsbot.chat.bolt import Gate
from opsbot.chat.inbox import Inbox
from opsbot.chat.tokens import Token
from opsbot.core.message import Said
from opsbot.testing.slack import FakeSlack
from tests.chat.chat_world import ANA, Office

Json = dict[str, Any]
ODD_VALUES: tuple[Any, ...] = (None, 1, -1.5, True, [], ["x"], {}, {"id": 7}, "", "x" * 5000, "\x00", "\ud800")
MORE = (
    "channel", "message", "response_url", "is_enterprise_install", "enterprise", "enterprise_id", "view", "state",
    "token", "callback_id", "function_data", "bot_access_token", "authorizations", "is_ext_shared_channel", "item",
    "assistant_thread", "command", "event", "actions", "type",
)  # fmt: skip
"""What Bolt looks into besides, of which opsbot needs nothing."""


@pytest.fixture
def treated() -> list[Said]:
    return []


@pytest.fixture
def inbox(office: Office, treated: list[Said]) -> Iterator[Inbox]:
    pins = payload.Pins(office.slack.team, office.slack.app, office.slack.channel)
    made = Inbox(office.store, pins, office.clock, treated.append)
    yield made
    made.close()


@pytest.fixture
def gate(office: Office, inbox: Inbox) -> Gate:
    web = sender.client(Token(office.slack.bot_token), office.slack.url + "/api/")
    return Gate(bolt.made(office.settings(), web, inbox), inbox)


def deliveries(slack: FakeSlack) -> dict[str, Json]:
    """One of each kind, as Slack sends it or a little less."""
    person = {"api_app_id": slack.app, "team": {"id": slack.team}, "user": {"id": ANA}, "trigger_id": "1.1.x"}
    modal = {"type": "modal", "callback_id": "reject", "private_metadata": "a" * 16,
             "state": {"values": {"reason": {"reason": {"value": "no"}}}}}  # fmt: skip
    event = {"type": "app_mention", "user": ANA, "channel": slack.channel, "text": "<@U0> status", "ts": "1.1"}
    return {
        "command": {
            "command": "/opsbot", "text": "status", "team_id": slack.team, "api_app_id": slack.app,
            "channel_id": slack.channel, "user_id": ANA, "trigger_id": "1.1.x",
        },
        "mention": {
            "type": "event_callback", "team_id": slack.team, "api_app_id": slack.app, "event_id": "Ev1", "event": event,
        },
        "click": {
            **person, "type": "block_actions", "container": {"channel_id": slack.channel, "message_ts": "1.1"},
            "actions": [{"action_id": "approve", "value": "a" * 16}],
        },
        "form": {**person, "type": "view_submission", "view": modal},
    }  # fmt: skip


KINDS = ("command", "mention", "click", "form")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_kept(gate: Gate, office: Office, kind: str) -> None:
    assert gate.passed(deliveries(office.slack)[kind], {}).status == 200
    assert [said.what["kind"] for said in office.store.untreated()] == [kind]


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        yield from paths(item, (*before, key))


def changed(body: Json, path: tuple[Any, ...], value: Any) -> Json:
    made: Any = copy.deepcopy(body)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return dict(made)


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_part_is_no_fault_of_ours(
    gate: Gate, office: Office, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever stands in any one place: it is kept or refused, in one line without a traceback."""
    whole = deliveries(office.slack)[kind]
    places = [*paths(whole), *((name,) for name in MORE if name not in whole)]
    for path in places:
        for value in ODD_VALUES:
            caplog.clear()
            status = gate.passed(changed(whole, path, value), {"x-slack-retry-num": "1"}).status
            lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
            assert (path, value, status) == (path, value, status if status in (200, 400, 403) else 0)
            assert len(lines) == (0 if not lines and status == 200 else 1)
            assert all(record.levelno == logging.WARNING and not record.exc_info for record in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_ours_asks_slack_to_come_again(
    gate: Gate, office: Office, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError("password=hunter2hunter2")

    body = deliveries(office.slack)[kind]
    with monkeypatch.context() as patched:
        patched.setattr(office.store, "take", broken)
        assert gate.passed(body, {}).status == 503
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.levelname, line.exc_info) == ("ERROR", None)
    assert "ZeroDivisionError" in line.getMessage()
    assert "hunter2" not in caplog.text
    assert gate.passed(body, {"x-slack-retry-num": "1"}).status == 200


def test_a_fault_in_bolt_is_one_of_ours_too(
    gate: Gate, office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise TypeError("no")

    monkeypatch.setattr(gate._app, "dispatch", broken)
    assert gate.passed(deliveries(office.slack)["click"], {}).status == 503
    assert [record.levelname for record in caplog.records if record.levelno >= logging.WARNING] == ["ERROR"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_slack_sends_again_is_harmless(gate: Gate, office: Office, kind: str) -> None:
    body = deliveries(office.slack)[kind]
    again = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    assert [gate.passed(body, headers).status for headers in ({}, again, {}, again)] == [200, 200, 409, 200]


@pytest.mark.parametrize("body", [None, 1, "x", [], [{}], True], ids=repr)
def test_what_is_no_object_cannot_be_read(gate: Gate, body: Any) -> None:
    with pytest.raises(ValueError, match="no object"):
        gate.passed(body, {})


@pytest.mark.parametrize("word", [None, 1, {"a": 1}, ["c"]], ids=repr)
def test_a_question_without_a_word_is_none(gate: Gate, word: Any) -> None:
    with pytest.raises(ValueError, match="no challenge"):
        gate.passed({"type": "url_verification", "challenge": word}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_nobody_judged_gets_to_bolt(
    gate: Gate, office: Office, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Json] = []
    dispatch: Callable[..., Any] = gate._app.dispatch

    def watched(request: Any) -> Any:
        seen.append(request.body)
        return dispatch(request)

    monkeypatch.setattr(gate._app, "dispatch", watched)
    body = deliveries(office.slack)[kind]
    gate.passed({**{name: {"id": "E1"} for name in MORE if name not in body and name != "type"}, **body}, {})
    (found,) = seen
    assert set(found) <= set(body)


def test_the_librarys_own_errors_take_one_line(caplog: pytest.LogCaptureFixture, gate: Gate) -> None:
    try:
        raise RuntimeError("token=xoxb-123456789012-abcdefghijkl")
    except RuntimeError:
        bolt.QUIET.exception("Failed to run\na listener: %s", "x")
    (line,) = caplog.records
    assert line.exc_info is None
    assert line.getMessage().startswith("Failed to run a listener: x (RuntimeError: ")
    assert "abcdefghijkl" not in caplog.text


@pytest.fixture
def unset() -> Iterator[list[logging.Logger]]:
    """Our loggers without a level, whatever a command that logs has left them."""
    found = [logging.getLogger(name) for name in ("opsbot", "opsbot.chat")]
    before = [logger.level for logger in found]
    for logger in found:
        logger.setLevel(logging.NOTSET)
    yield found
    for logger, level in zip(found, before, strict=True):
        logger.setLevel(level)


def test_bolt_changes_no_logger_but_its_own(unset: list[logging.Logger], gate: Gate) -> None:
    """It gives the logger of the app's name the level of its own."""
    assert gate
    assert [logger.level for logger in unset] == [logging.NOTSET] * 2
