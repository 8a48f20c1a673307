"""What a bot can rely on, whoever plays Slack."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.contracts.npm import recent
from tests.contracts.slack.conftest import Workspace

BUTTONS: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "High Task Latency"}},
    {"type": "section", "block_id": "plan", "text": {"type": "mrkdwn", "text": "*scale* 4 -> 6"}},
    {"type": "actions", "block_id": "ask", "elements": [
        {"type": "button", "action_id": "approve", "value": "7", "text": {"type": "plain_text", "text": "Approve"}},
    ]},
]  # fmt: skip


def test_it_says_who_the_token_is(space: Workspace) -> None:
    said = space.client.auth_test()
    assert said["ok"] is True
    assert said["user"] == "opsbot"
    assert re.fullmatch(r"T\w+", said["team_id"])
    assert re.fullmatch(r"U\w+", said["user_id"])
    assert re.fullmatch(r"B\w+", said["bot_id"])


def test_a_message_comes_back_with_its_time_and_place(space: Workspace) -> None:
    said = space.client.chat_postMessage(channel=space.channel, text="incident 1")
    assert said["channel"] == space.channel
    assert re.fullmatch(r"\d{10}\.\d{6}", said["ts"])
    assert said["message"]["text"] == "incident 1"
    assert said["message"]["ts"] == said["ts"]
    assert said["message"]["user"] == space.client.auth_test()["user_id"]


def test_every_message_has_a_time_of_its_own_and_times_rise(space: Workspace) -> None:
    times = [space.client.chat_postMessage(channel=space.channel, text=str(number))["ts"] for number in range(20)]
    assert times == sorted(set(times))


def test_blocks_come_back_as_they_were_sent(space: Workspace) -> None:
    said = space.client.chat_postMessage(channel=space.channel, text="incident 1", blocks=BUTTONS)
    kept = found(space, said["ts"])["blocks"]
    assert [block["type"] for block in kept] == ["header", "section", "actions"]
    assert kept[2]["elements"][0]["value"] == "7"
    assert [block["block_id"] for block in kept[1:]] == ["plan", "ask"]


def test_a_reply_stands_in_its_thread_and_not_in_the_channel(space: Workspace) -> None:
    root = space.client.chat_postMessage(channel=space.channel, text="incident 2")["ts"]
    reply = space.client.chat_postMessage(channel=space.channel, text="evidence", thread_ts=root)
    assert reply["message"]["thread_ts"] == root
    thread = space.client.conversations_replies(channel=space.channel, ts=root)["messages"]
    assert [message["text"] for message in thread] == ["incident 2", "evidence"]
    top = space.client.conversations_history(channel=space.channel)["messages"]
    assert reply["ts"] not in [message["ts"] for message in top]
    assert found(space, root)["reply_count"] == 1


def test_the_newest_message_is_told_first(space: Workspace) -> None:
    first = space.client.chat_postMessage(channel=space.channel, text="one")["ts"]
    second = space.client.chat_postMessage(channel=space.channel, text="two")["ts"]
    newest = space.client.conversations_history(channel=space.channel, limit=2)["messages"]
    assert [message["ts"] for message in newest] == [second, first]


def test_an_edit_changes_the_message_where_it_stands(space: Workspace) -> None:
    ts = space.client.chat_postMessage(channel=space.channel, text="open", blocks=BUTTONS)["ts"]
    said = space.client.chat_update(channel=space.channel, ts=ts, text="resolved", blocks=BUTTONS[:1])
    assert (said["ts"], said["channel"], said["text"]) == (ts, space.channel, "resolved")
    kept = found(space, ts)
    assert kept["text"] == "resolved"
    assert [block["type"] for block in kept["blocks"]] == ["header"]
    assert kept["edited"]["user"] == space.client.auth_test()["user_id"]


def test_a_text_alone_takes_the_blocks_away(space: Workspace) -> None:
    ts = space.client.chat_postMessage(channel=space.channel, text="open", blocks=BUTTONS)["ts"]
    space.client.chat_update(channel=space.channel, ts=ts, text="resolved")
    assert not found(space, ts).get("blocks")


def test_what_one_person_is_told_is_nowhere_else(space: Workspace) -> None:
    said = space.client.chat_postEphemeral(channel=space.channel, user=space.person, text="you may not approve this")
    assert re.fullmatch(r"\d{10}\.\d{6}", said["message_ts"])
    top = space.client.conversations_history(channel=space.channel)["messages"]
    assert said["message_ts"] not in [message["ts"] for message in top]


def test_a_deleted_message_is_gone(space: Workspace) -> None:
    ts = space.client.chat_postMessage(channel=space.channel, text="by mistake")["ts"]
    assert space.client.chat_delete(channel=space.channel, ts=ts)["ts"] == ts
    with pytest.raises(SlackApiError, match="message_not_found"):
        space.client.chat_update(channel=space.channel, ts=ts, text="too late")


def test_people_have_names(space: Workspace) -> None:
    user = space.client.users_info(user=space.person)["user"]
    assert (user["id"], user["name"], user["is_bot"]) == (space.person, "ada", False)


def test_a_thread_that_nobody_began_is_no_error_and_is_not_told(space: Workspace) -> None:
    assert space.client.chat_postMessage(channel=space.channel, text="lost", thread_ts="1.000001")["ok"] is True


def call(space: Workspace, method: str, **args: str) -> Any:
    """A call as the client would not make it: it warns where a text is missing."""
    return space.client.api_call(method, json=args)


Ask = Callable[[Workspace], Any]
REFUSED: dict[str, tuple[str, Ask]] = {
    "no token": ("not_authed", lambda space: space.nobody.auth_test()),
    "no token, a post": ("not_authed", lambda space: space.nobody.chat_postMessage(channel=space.channel, text="x")),
    "an unknown channel": (
        "channel_not_found", lambda space: space.client.chat_postMessage(channel="C0NOWHERE", text="x"),
    ),
    "nothing to say": ("no_text", lambda space: call(space, "chat.postMessage", channel=space.channel, text="")),
    "an edit of nothing": (
        "message_not_found", lambda space: space.client.chat_update(channel=space.channel, ts="1.000001", text="x"),
    ),
    "a deletion of nothing": (
        "message_not_found", lambda space: space.client.chat_delete(channel=space.channel, ts="1.000001"),
    ),
    "history of an unknown channel": (
        "channel_not_found", lambda space: space.client.conversations_history(channel="C0NOWHERE"),
    ),
    "an unknown person": ("user_not_found", lambda space: space.client.users_info(user="U0NOBODY")),
    "an edit without content": (
        "no_text", lambda space: call(
            space, "chat.update", channel=space.channel,
            ts=space.client.chat_postMessage(channel=space.channel, text="x")["ts"],
        ),
    ),
    "a modal without a click": (
        "invalid_trigger_id", lambda space: space.client.views_open(trigger_id="1.2", view={
            "type": "modal", "title": {"type": "plain_text", "text": "Reason"}, "blocks": BUTTONS[:1],
        }),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("error", "ask"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_has_slacks_own_name(space: Workspace, error: str, ask: Ask) -> None:
    with pytest.raises(SlackApiError) as caught:
        ask(space)
    assert caught.value.response["error"] == error
    assert caught.value.response.status_code == 200


def found(space: Workspace, ts: str) -> dict[str, Any]:
    """A message of the channel as history tells it."""
    told = space.client.conversations_history(channel=space.channel, limit=50)["messages"]
    return next(dict(message) for message in told if message["ts"] == ts)


@pytest.mark.parametrize(
    ("said", "good"),
    [("v20.15.0", True), ("v20.14.9", False), ("v24.1.0", True), ("v9.99.0", False), ("", False), ("node", False)],
)
def test_only_a_recent_node_is_taken(said: str, good: bool) -> None:
    assert recent(said) is good
