"""What people do in the fake Slack, and what the app would be told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opsbot.testing.slack import Delivery, FakeSlack

PLAIN = {"type": "plain_text", "text": "Go"}
CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "plan"},
     "accessory": {"type": "button", "action_id": "details", "text": PLAIN}},
    {"type": "actions", "block_id": "ask", "elements": [
        {"type": "button", "action_id": "approve", "value": "7", "style": "primary", "text": PLAIN},
        {"type": "static_select", "action_id": "mute", "options": [{"text": PLAIN, "value": "1h"}]},
    ]},
]  # fmt: skip
MODAL = {
    "type": "modal", "callback_id": "reject", "title": PLAIN, "submit": PLAIN, "notify_on_close": True,
    "private_metadata": "7",
    "blocks": [
        {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Reason"},
         "element": {"type": "plain_text_input", "action_id": "reason"}},
        {"type": "input", "block_id": "more", "optional": True, "label": PLAIN,
         "element": {"type": "static_select", "action_id": "kind", "options": [{"text": PLAIN, "value": "wrong"}]}},
        {"type": "actions", "elements": [{"type": "button", "action_id": "help", "text": PLAIN}]},
    ],
}  # fmt: skip


@pytest.fixture
def slack() -> FakeSlack:
    made = FakeSlack()
    made.person("U1", "ada")
    made.person("U2", "grace")
    return made


def card(slack: FakeSlack, **more: Any) -> str:
    from opsbot.testing.slack.methods import post_message

    return str(post_message(slack.world, {"channel": slack.channel, "text": "card", "blocks": CARD, **more})["ts"])


def modal(slack: FakeSlack) -> str:
    from opsbot.testing.slack.methods import open_view

    held = slack.type_command("U1", "/opsbot").payload["trigger_id"]
    return str(open_view(slack.world, {"trigger_id": held, "view": MODAL})["view"]["id"])


def test_a_command_says_who_what_and_where(slack: FakeSlack) -> None:
    told = slack.type_command("U1", "/opsbot", "show 1").payload
    wanted = {"user_id": "U1", "user_name": "ada", "command": "/opsbot", "text": "show 1", "team_id": slack.team,
              "api_app_id": slack.app, "channel_id": slack.channel, "channel_name": "incidents"}  # fmt: skip
    assert {key: told[key] for key in wanted} == wanted
    assert told["response_url"].startswith(f"{slack.url}/response/")
    assert all(isinstance(value, str) for value in told.values())


def test_a_mention_is_a_message_and_an_event(slack: FakeSlack) -> None:
    root = card(slack)
    told = slack.mention("U1", "show 1", thread_ts=root).payload
    event = told["event"]
    assert (told["type"], event["type"], event["user"], event["channel"]) == (
        "event_callback", "app_mention", "U1", slack.channel,
    )  # fmt: skip
    assert event["text"] == f"<@{slack.bot_user}> show 1"
    assert event["thread_ts"] == root
    assert slack.messages(thread_ts=root)[-1].ts == event["ts"]


def test_a_click_carries_the_button_and_the_message(slack: FakeSlack) -> None:
    ts = card(slack)
    told = slack.click("U1", ts, "approve").payload
    (action,) = told["actions"]
    assert (action["action_id"], action["value"], action["block_id"], action["type"]) == (
        "approve", "7", "ask", "button",
    )  # fmt: skip
    assert told["container"] == {
        "type": "message", "message_ts": ts, "channel_id": slack.channel, "is_ephemeral": False,
    }  # fmt: skip
    assert (told["user"]["id"], told["team"]["id"], told["api_app_id"]) == ("U1", slack.team, slack.app)
    assert told["message"]["text"] == "card"


def test_a_click_in_a_thread_names_the_thread(slack: FakeSlack) -> None:
    root = card(slack)
    ts = card(slack, thread_ts=root)
    assert slack.click("U1", ts, "details").payload["container"]["thread_ts"] == root


def test_a_choice_carries_its_option(slack: FakeSlack) -> None:
    told = slack.click("U1", card(slack), "mute", "1h").payload
    assert told["actions"][0]["selected_option"]["value"] == "1h"


def test_a_button_of_a_modal_can_be_pressed(slack: FakeSlack) -> None:
    view = modal(slack)
    told = slack.click("U1", view, "help").payload
    assert told["container"] == {"type": "view", "view_id": view}


def test_a_modal_is_sent_with_its_state(slack: FakeSlack) -> None:
    told = slack.submit("U1", modal(slack), {"reason": "not now", "kind": "wrong"}).payload
    values = told["view"]["state"]["values"]
    assert values["why"]["reason"] == {"type": "plain_text_input", "value": "not now"}
    assert values["more"]["kind"]["selected_option"]["value"] == "wrong"
    assert (told["type"], told["view"]["private_metadata"]) == ("view_submission", "7")


def test_an_optional_field_may_stay_empty(slack: FakeSlack) -> None:
    values = slack.submit("U1", modal(slack), {"reason": "x"}).payload["view"]["state"]["values"]
    assert values["more"]["kind"]["selected_option"] is None


def test_a_closed_modal_is_gone_and_told(slack: FakeSlack) -> None:
    done = slack.close("U1", modal(slack))
    assert done is not None
    assert done.payload["type"] == "view_closed"
    assert slack.view("U1") is None


def send_empty(slack: FakeSlack) -> object:
    return slack.submit("U1", modal(slack), {})


WRONG: dict[str, tuple[type[Exception], Callable[[FakeSlack], object]]] = {
    "a stranger": (LookupError, lambda slack: slack.type_command("U9", "/opsbot")),
    "an unknown channel": (LookupError, lambda slack: slack.say("U1", "x", "C9")),
    "no such message": (LookupError, lambda slack: slack.click("U1", "1.000001", "approve")),
    "no such button": (LookupError, lambda slack: slack.click("U1", card(slack), "explode")),
    "no such option": (LookupError, lambda slack: slack.click("U1", card(slack), "mute", "9h")),
    "another's modal": (LookupError, lambda slack: slack.submit("U2", modal(slack), {"reason": "x"})),
    "no such field": (LookupError, lambda slack: slack.submit("U1", modal(slack), {"reason": "x", "tip": "y"})),
    "no such modal": (LookupError, lambda slack: slack.close("U1", "V9")),
    "nothing in a needed field": (ValueError, send_empty),
    "no such message to look at": (LookupError, lambda slack: slack.message("1.000001")),
}


@pytest.mark.parametrize(("error", "do"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_an_error_of_the_test(
    slack: FakeSlack, error: type[Exception], do: Callable[[FakeSlack], object]
) -> None:
    with pytest.raises(error):
        do(slack)


def test_what_one_person_is_shown_another_cannot_click(slack: FakeSlack) -> None:
    slack.world.post(slack.channel, slack.bot_user, "", blocks=slack.message(card(slack)).blocks, only_for="U1")
    (whisper,) = slack.ephemeral("U1")
    assert slack.click("U1", whisper.ts, "approve").payload["container"]["is_ephemeral"] is True
    with pytest.raises(LookupError):
        slack.click("U2", whisper.ts, "approve")


def test_an_act_that_nobody_hears_is_remembered_and_the_person_is_told(slack: FakeSlack) -> None:
    done = slack.type_command("U1", "/opsbot")
    assert (done.failed, done.acked, done.wait(0)) == ("no_connection", False, False)
    assert slack.failed == [done]
    assert "dispatch_failed" in slack.ephemeral("U1")[0].text


# pretending ----------------------------------------------------------------------------------------------------------


def deliveries(slack: FakeSlack) -> dict[str, Delivery]:
    return {
        "command": slack.type_command("U1", "/opsbot", "show 1"),
        "mention": slack.mention("U1", "show 1"),
        "click": slack.click("U1", card(slack), "approve"),
        "submission": slack.submit("U1", modal(slack), {"reason": "x"}),
    }


@pytest.mark.parametrize("act", ["command", "mention", "click", "submission"])
def test_a_replay_is_the_same_in_every_way(slack: FakeSlack, act: str) -> None:
    first = deliveries(slack)[act]
    again = slack.replay(first)
    assert again is not first
    assert (again.kind, again.payload, again.envelopes) == (first.kind, first.payload, first.envelopes[:1])


@pytest.mark.parametrize("act", ["command", "mention", "click", "submission"])
@pytest.mark.parametrize(("what", "other"), [("team", "T9"), ("app", "A9"), ("user", "U2")])
def test_a_forgery_differs_in_what_it_was_told_to(slack: FakeSlack, act: str, what: str, other: str) -> None:
    first = deliveries(slack)[act]
    made = slack.forge(first, **{what: other})
    before = {"team": slack.team, "app": slack.app, "user": "U1"}[what]
    assert before in strings(first.payload)
    assert before not in strings(made.payload)
    assert other in strings(made.payload)
    assert made.envelopes != first.envelopes


@pytest.mark.parametrize("act", ["command", "mention", "click"])
def test_a_forgery_can_come_from_another_channel(slack: FakeSlack, act: str) -> None:
    made = slack.forge(deliveries(slack)[act], channel="C9")
    assert slack.channel not in strings(made.payload)
    assert "C9" in strings(made.payload)


def test_a_forged_event_and_a_forged_click_are_new(slack: FakeSlack) -> None:
    done = deliveries(slack)
    assert slack.forge(done["mention"]).payload["event_id"] != done["mention"].payload["event_id"]
    assert slack.forge(done["click"]).payload["trigger_id"] != done["click"].payload["trigger_id"]


def test_a_forged_click_can_carry_another_value(slack: FakeSlack) -> None:
    done = deliveries(slack)["click"]
    assert slack.forge(done, value="8").payload["actions"][0]["value"] == "8"
    assert done.payload["actions"][0]["value"] == "7"


def strings(payload: Any) -> list[str]:
    """Every string in a payload."""
    if isinstance(payload, dict):
        return [found for value in payload.values() for found in strings(value)]
    if isinstance(payload, list):
        return [found for value in payload for found in strings(value)]
    return [payload] if isinstance(payload, str) else []
