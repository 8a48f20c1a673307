"""Slack's Web API through the real client: what is sent, and what each way to fail is called."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.chat import sender, tokens
from opsbot.chat.sender import Sender
from opsbot.core.errors import OpsbotError, PermanentError, Refused, TemporaryError
from opsbot.core.message import Place
from opsbot.testing.slack import FakeSlack
from opsbot.testing.slack.faults import Fault, dead, lost_answer, rate_limited, server_error, slack_error
from tests.chat.chat_world import ANA

BODY = {"text": "hello", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "hello"}}]}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    made = FakeSlack()
    made.person(ANA, "ana")
    with made.serve():
        yield made


def sends(slack: FakeSlack, folder: Path, url: str = "") -> Sender:
    file = folder / "bot"
    file.write_text(slack.bot_token)
    return Sender(sender.client(tokens.read(file, "x", "xoxb-"), url or f"{slack.url}/api/"), slack.channel)


@pytest.fixture
def chat(slack: FakeSlack, tmp_path: Path) -> Sender:
    return sends(slack, tmp_path)


def test_a_message_is_posted_edited_and_answered(slack: FakeSlack, chat: Sender) -> None:
    place = chat.post(BODY)
    chat.post({"text": "below"}, place.ts)
    assert chat.edit(place, BODY | {"text": "other"}) == place
    chat.tell(ANA, {"text": "for you"})
    assert [message.text for message in slack.messages(thread_ts=place.ts)] == ["other", "below"]
    assert [message.text for message in slack.ephemeral(ANA)] == ["for you"]


def test_nothing_is_unfurled_linked_or_marked_up(slack: FakeSlack, chat: Sender) -> None:
    place = chat.post(BODY)
    chat.edit(place, BODY)
    posted, edited = (call.args for call in slack.calls[-2:])
    for name in ("unfurl_links", "unfurl_media", "mrkdwn", "link_names"):
        assert str(posted[name]) in ("False", "0", "false")
    assert posted["parse"] == edited["parse"] == "none"


def test_text_alone_takes_the_old_blocks_away(slack: FakeSlack, chat: Sender) -> None:
    place = chat.post(BODY)
    chat.edit(place, {"text": "plain"})
    assert not slack.message(place.ts).blocks


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (rate_limited(7), TemporaryError, "not so fast"),
        (server_error(500), TemporaryError, "500"),
        (server_error(503), TemporaryError, "503"),
        (slack_error("internal_error"), TemporaryError, "internal_error"),
        (slack_error("fatal_error"), TemporaryError, "fatal_error"),
        (dead(), TemporaryError, "cannot be reached"),
        (lost_answer(), TemporaryError, "cannot be reached"),
        (slack_error("channel_not_found"), PermanentError, "channel_not_found"),
        (slack_error("invalid_auth"), PermanentError, "invalid_auth"),
        (slack_error("invalid_blocks"), Refused, "invalid_blocks"),
        (slack_error("message_not_found"), Refused, "message_not_found"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:20]),
)
def test_each_way_to_fail_has_a_name(
    slack: FakeSlack, chat: Sender, fault: Fault, kind: type[OpsbotError], says: str
) -> None:
    slack.fail_next(fault, times=1)
    with pytest.raises(kind, match=says):
        chat.post(BODY)
    chat.post(BODY)


def test_a_call_is_made_once(slack: FakeSlack, chat: Sender) -> None:
    """The package's own retries are off: with them the second call would go through unasked."""
    slack.fail_next(lost_answer())
    with pytest.raises(TemporaryError):
        chat.post(BODY)
    assert len(slack.messages()) == 1


def test_retry_after_is_kept(slack: FakeSlack, chat: Sender) -> None:
    slack.fail_next(rate_limited(7))
    with pytest.raises(TemporaryError) as error:
        chat.post(BODY)
    assert error.value.retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0), ({"retry-after": ["12"]}, 12.0), ({}, 1.0), ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "-5"}, 1.0), ({"Retry-After": "9" * 30}, 3600.0), ({"Retry-After": "\u0663"}, 1.0),
        ({"Retry-After": []}, 1.0),
    ],
    ids=["seconds", "a list", "none", "words", "negative", "for ever", "other digits", "an empty list"],
)  # fmt: skip
def test_a_senseless_retry_after_is_a_second(headers: dict[str, object], seconds: float) -> None:
    assert sender._seconds(headers) == seconds


def test_a_message_that_is_gone_is_refused_by_name(slack: FakeSlack, chat: Sender) -> None:
    with pytest.raises(Refused) as error:
        chat.edit(Place(slack.channel, "1.000001"), BODY)
    assert error.value.reason == "gone"


def test_nobody_there(slack: FakeSlack, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="cannot be reached"):
        sends(slack, tmp_path, "http://127.0.0.1:9/api/").post(BODY)


def test_the_token_is_in_no_log_and_no_error(
    slack: FakeSlack, chat: Sender, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    chat.post(BODY)
    for fault in (slack_error("invalid_auth"), server_error(500), dead()):
        slack.fail_next(fault)
        with pytest.raises(OpsbotError) as error:
            chat.post(BODY)
        assert slack.bot_token not in f"{error.value!r}{error.value}"
        assert error.value.__cause__ is None
    assert slack.bot_token not in caplog.text
    assert slack.bot_token not in repr(vars(chat)["_channel"])
