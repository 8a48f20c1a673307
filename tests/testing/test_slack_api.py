"""The fake's Web API, asked without any network: who may call, what is refused, what goes wrong on order."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from opsbot.testing.clock import ManualClock
from opsbot.testing.cluster.wire import Ending, Request, Response
from opsbot.testing.slack import FakeSlack, Fault, dead, hang, lost_answer, rate_limited, server_error, slack_error

FORM = "application/x-www-form-urlencoded"
DIVIDER = {"type": "divider"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def slack(clock: ManualClock) -> FakeSlack:
    made = FakeSlack(clock)
    made.person("U1", "ada")
    return made


def ask(slack: FakeSlack, method: str, token: str | None = None, **args: Any) -> Response:
    body = json.dumps(args).encode()
    return slack.handle(
        Request("POST", f"/api/{method}", body=body, content_type="application/json",
                token=slack.bot_token if token is None else token)
    )  # fmt: skip


def post(slack: FakeSlack, text: str = "incident 1", **args: Any) -> dict[str, Any]:
    return ask(slack, "chat.postMessage", **{"channel": slack.channel, "text": text, **args}).json


# tokens and forms ----------------------------------------------------------------------------------------------------

TOKENS = {
    "none": ("auth.test", "", "not_authed"),
    "made up": ("auth.test", "xoxb-1", "invalid_auth"),
    "bot": ("auth.test", "bot", ""),
    "app": ("auth.test", "app", ""),
    "bot opens a socket": ("apps.connections.open", "bot", "not_allowed_token_type"),
    "app opens a socket": ("apps.connections.open", "app", ""),
    "app posts": ("chat.postMessage", "app", "not_allowed_token_type"),
    "nobody posts": ("chat.postMessage", "", "not_authed"),
    "no such method": ("chat.shout", "bot", "unknown_method"),
    "no method": ("", "bot", "unknown_method"),
}


@pytest.mark.parametrize(("method", "token", "error"), TOKENS.values(), ids=TOKENS)
def test_a_token_opens_its_own_methods_only(slack: FakeSlack, method: str, token: str, error: str) -> None:
    held = {"bot": slack.bot_token, "app": slack.app_token}.get(token, token)
    said = ask(slack, method, held).json
    assert said.get("error", "") == error
    assert said["ok"] is not bool(error)


BODIES: dict[str, tuple[bytes, str, dict[str, str], str]] = {
    "JSON": (b'{"channel": "C0INCIDENT", "text": "a"}', "application/json", {}, ""),
    "a form": (
        urlencode({"channel": "C0INCIDENT", "text": "a", "blocks": json.dumps([DIVIDER])}).encode(),
        FORM,
        {},
        "",
    ),
    "a query": (b"", "", {"channel": "C0INCIDENT", "text": "a"}, ""),
    "by name": (b'{"channel": "#incidents", "text": "a"}', "application/json", {}, ""),
    "broken JSON": (b"{", "application/json", {}, "invalid_json"),
    "a list": (b"[]", "application/json", {}, "invalid_json"),
    "deep JSON": (b"[" * 100_000, "application/json", {}, "invalid_json"),
    "no UTF-8": (b"\xff\xfe", "application/json", {}, "invalid_json"),
    "broken blocks": (urlencode({"channel": "C0INCIDENT", "blocks": "[{"}).encode(), FORM, {}, "invalid_blocks_format"),
    "a channel that is a list": (
        b'{"channel": ["C0INCIDENT"], "text": "a"}',
        "application/json",
        {},
        "channel_not_found",
    ),
    "a text that is an object": (b'{"channel": "C0INCIDENT", "text": {}}', "application/json", {}, "no_text"),
    "blocks that are text": (
        b'{"channel": "C0INCIDENT", "blocks": "x"}',
        "application/json",
        {},
        "invalid_blocks_format",
    ),
    "blocks that are a number": (b'{"channel": "C0INCIDENT", "blocks": 7}', "application/json", {}, "invalid_blocks"),
}


@pytest.mark.parametrize(("body", "kind", "query", "error"), BODIES.values(), ids=BODIES)
def test_arguments_come_in_three_forms(
    slack: FakeSlack, body: bytes, kind: str, query: dict[str, str], error: str
) -> None:
    said = slack.handle(Request("POST", "/api/chat.postMessage", query, body, kind, slack.bot_token))
    assert said.status == 200
    assert said.json.get("error", "") == error
    assert slack.calls[-1].error == error


def test_a_token_may_come_among_the_arguments_and_is_not_remembered(slack: FakeSlack) -> None:
    body = urlencode({"token": slack.bot_token, "channel": slack.channel, "text": "a"}).encode()
    assert slack.handle(Request("POST", "/api/chat.postMessage", body=body, content_type=FORM)).json["ok"]
    assert slack.calls[-1].args == {"channel": slack.channel, "text": "a"}


def test_only_get_and_post_are_known(slack: FakeSlack) -> None:
    assert slack.handle(Request("DELETE", "/api/auth.test", token=slack.bot_token)).status == 405


# messages ------------------------------------------------------------------------------------------------------------


def test_what_is_posted_can_be_looked_at(slack: FakeSlack) -> None:
    root = post(slack, blocks=[DIVIDER], metadata={"event_type": "opsbot", "event_payload": {"message": 7}})["ts"]
    post(slack, "evidence", thread_ts=root)
    (message,) = slack.messages()
    assert (message.ts, message.user, message.text) == (root, slack.bot_user, "incident 1")
    assert message.blocks[0]["type"] == "divider"
    assert message.metadata == {"event_type": "opsbot", "event_payload": {"message": 7}}
    assert [one.text for one in slack.messages(thread_ts=root)] == ["incident 1", "evidence"]


def test_a_reply_to_a_reply_goes_to_the_same_thread(slack: FakeSlack) -> None:
    root = post(slack)["ts"]
    reply = post(slack, "one", thread_ts=root)["ts"]
    assert post(slack, "two", thread_ts=reply)["message"]["thread_ts"] == root


def test_a_reply_whose_root_is_gone_lands_in_the_channel_unsaid(slack: FakeSlack) -> None:
    root = post(slack)["ts"]
    ask(slack, "chat.delete", channel=slack.channel, ts=root)
    said = post(slack, "orphan", thread_ts=root)
    assert said["ok"]
    assert "thread_ts" not in said["message"]
    assert [one.text for one in slack.messages()] == ["orphan"]


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown channel": ("chat.postMessage", {"channel": "C9", "text": "a"}, "channel_not_found"),
    "no channel": ("chat.postMessage", {"text": "a"}, "channel_not_found"),
    "a channel without the bot": ("chat.postMessage", {"channel": "C7", "text": "a"}, "not_in_channel"),
    "nothing": ("chat.postMessage", {}, "no_text"),
    "too much text": ("chat.postMessage", {"text": "x" * 40_001}, "msg_too_long"),
    "too many blocks": ("chat.postMessage", {"blocks": [DIVIDER] * 51}, "invalid_blocks"),
    "too much in blocks": (
        "chat.postMessage",
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2700}}] * 5},
        "msg_blocks_too_long",
    ),
    "edit of nothing": ("chat.update", {"ts": "1.000001", "text": "a"}, "message_not_found"),
    "edit without a time": ("chat.update", {"text": "a"}, "message_not_found"),
    "edit of another's": ("chat.update", {"ts": "theirs", "text": "a"}, "cant_update_message"),
    "deletion of another's": ("chat.delete", {"ts": "theirs"}, "cant_delete_message"),
    "ephemeral to nobody": ("chat.postEphemeral", {"user": "U9", "text": "a"}, "user_not_in_channel"),
    "ephemeral of nothing": ("chat.postEphemeral", {"user": "U1"}, "no_text"),
    "thread of nothing": ("conversations.replies", {"ts": "1.000001"}, "thread_not_found"),
    "link to nothing": ("chat.getPermalink", {"message_ts": "1.000001"}, "message_not_found"),
    "unknown channel's name": ("conversations.info", {"channel": "C9"}, "channel_not_found"),
    "nobody's name": ("users.info", {"user": "U9"}, "user_not_found"),
    "modal without a ticket": ("views.open", {"view": "modal"}, "invalid_trigger_id"),
    "modal that is none": ("views.open", {"view": {"type": "modal"}}, "invalid_arguments"),
    "modal of text": ("views.open", {"view": "x"}, "invalid_arguments"),
    "modal too large": ("views.open", {"view": "large"}, "view_too_large"),
    "edit of no modal": ("views.update", {"view_id": "V9", "view": "modal"}, "not_found"),
}
MODAL = {
    "type": "modal", "title": {"type": "plain_text", "text": "Reason"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "Why?"}}],
}  # fmt: skip
LARGE = {**MODAL, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 90}


@pytest.mark.parametrize(("method", "args", "error"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_has_slacks_own_name(slack: FakeSlack, method: str, args: dict[str, Any], error: str) -> None:
    slack.add_channel("C7", "elsewhere", joined=False)
    theirs = slack.say("U1", "mine").ts
    given = {"channel": slack.channel, **args} if error != "channel_not_found" else args
    given = {key: theirs if value == "theirs" else value for key, value in given.items()}
    if given.get("view") in ("modal", "large"):
        given["view"] = MODAL if given["view"] == "modal" else LARGE
    said = ask(slack, method, **given)
    assert (said.status, said.json["error"]) == (200, error)
    assert [one.text for one in slack.messages()] == ["mine"]


def test_a_refusal_of_blocks_names_each_place(slack: FakeSlack) -> None:
    said = post(slack, blocks=[DIVIDER, {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}])
    assert said["errors"] == ["[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]"]
    assert said["response_metadata"]["messages"] == said["errors"]


def test_ids_that_an_app_left_out_are_filled_in(slack: FakeSlack) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}
    post(slack, blocks=[DIVIDER, {"type": "actions", "elements": [button, button]}])
    block = slack.messages()[0].blocks[1]
    assert [element["action_id"] for element in block["elements"]] == ["a0", "a1"]
    assert block["block_id"] == "b1"


def test_history_is_cut_where_it_is_asked_to_be(slack: FakeSlack, clock: ManualClock) -> None:
    times = []
    for number in range(5):
        times.append(post(slack, str(number))["ts"])
        clock.advance(1)
    said = ask(slack, "conversations.history", channel=slack.channel, limit=2).json
    assert [one["text"] for one in said["messages"]] == ["4", "3"]
    assert said["has_more"]
    said = ask(slack, "conversations.history", channel=slack.channel, oldest=times[1], latest=times[4]).json
    assert [one["text"] for one in said["messages"]] == ["3", "2"]


def test_a_link_names_channel_and_message(slack: FakeSlack) -> None:
    ts = post(slack)["ts"]
    said = ask(slack, "chat.getPermalink", channel=slack.channel, message_ts=ts).json
    assert said["permalink"].endswith(f"/archives/{slack.channel}/p{ts.replace('.', '')}")


# modals --------------------------------------------------------------------------------------------------------------


def trigger(slack: FakeSlack) -> str:
    return str(slack.type_command("U1", "/opsbot").payload["trigger_id"])


@pytest.mark.parametrize(("wait", "error"), [(0, ""), (3, ""), (3.1, "expired_trigger_id")])
def test_a_modal_opens_for_three_seconds(slack: FakeSlack, clock: ManualClock, wait: float, error: str) -> None:
    held = trigger(slack)
    clock.advance(wait)
    assert ask(slack, "views.open", trigger_id=held, view=MODAL).json.get("error", "") == error
    assert (slack.view("U1") is None) is bool(error)


def test_a_trigger_opens_one_modal(slack: FakeSlack) -> None:
    held = trigger(slack)
    opened = ask(slack, "views.open", trigger_id=held, view={**MODAL, "private_metadata": "7"}).json
    assert ask(slack, "views.open", trigger_id=held, view=MODAL).json["error"] == "exchanged_trigger_id"
    view = slack.view("U1")
    assert view is not None
    assert (view.id, view.title, view.private_metadata) == (opened["view"]["id"], "Reason", "7")


def test_a_modal_changes_only_for_who_saw_it_last(slack: FakeSlack) -> None:
    opened = ask(slack, "views.open", trigger_id=trigger(slack), view=MODAL).json["view"]
    other = {**MODAL, "title": {"type": "plain_text", "text": "Later"}}
    changed = ask(slack, "views.update", view_id=opened["id"], hash=opened["hash"], view=other).json["view"]
    assert changed["title"]["text"] == "Later"
    assert (
        ask(slack, "views.update", view_id=opened["id"], hash=opened["hash"], view=MODAL).json["error"]
        == "hash_conflict"
    )


# response_url --------------------------------------------------------------------------------------------------------


def respond(slack: FakeSlack, address: str, **args: Any) -> Response:
    path = address.removeprefix(slack.url)
    return slack.handle(Request("POST", path, body=json.dumps(args).encode(), content_type="application/json"))


def test_a_response_url_whispers_five_times(slack: FakeSlack) -> None:
    address = slack.type_command("U1", "/opsbot").payload["response_url"]
    answers = [respond(slack, address, text=str(number)).status for number in range(6)]
    assert answers == [200] * 5 + [404]
    assert [one.text for one in slack.ephemeral("U1") if one.user == slack.bot_user] == ["0", "1", "2", "3", "4"]


def test_a_response_url_ends_after_half_an_hour(slack: FakeSlack, clock: ManualClock) -> None:
    address = slack.type_command("U1", "/opsbot").payload["response_url"]
    clock.advance(timedelta(minutes=30, seconds=1))
    said = respond(slack, address, text="late")
    assert (said.status, said.json["error"]) == (404, "expired_url")


def test_a_response_url_that_nobody_was_given_leads_nowhere(slack: FakeSlack) -> None:
    assert respond(slack, "/response/H000000099", text="x").status == 404


def test_an_answer_can_be_for_all_replace_its_message_or_take_it_away(slack: FakeSlack) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    ts = post(slack, blocks=[{"type": "actions", "elements": [button]}])["ts"]
    address = slack.click("U1", ts, "go").payload["response_url"]
    assert respond(slack, address, text="for all", response_type="in_channel").json["ok"]
    assert [one.text for one in slack.messages()] == ["incident 1", "for all"]
    assert respond(slack, address, text="done", replace_original=True).json["ok"]
    assert (slack.message(ts).text, slack.message(ts).blocks) == ("done", ())
    assert respond(slack, address, delete_original=True).json["ok"]
    assert [one.text for one in slack.messages()] == ["for all"]
    assert respond(slack, address).json["error"] == "no_text"


# rates and faults ----------------------------------------------------------------------------------------------------


def test_one_post_per_second_and_channel(clock: ManualClock) -> None:
    slack = FakeSlack(clock, rate_limited=True)
    slack.add_channel("C2", "other")
    assert post(slack)["ok"]
    refused = ask(slack, "chat.postMessage", channel=slack.channel, text="again")
    assert (refused.status, refused.headers["Retry-After"], refused.json["error"]) == (429, "1", "ratelimited")
    assert post(slack, channel="C2")["ok"]
    clock.advance(1)
    assert post(slack, "again")["ok"]
    assert [one.text for one in slack.messages()] == ["incident 1", "again"]


def test_fifty_edits_in_a_minute(clock: ManualClock) -> None:
    slack = FakeSlack(clock, rate_limited=True)
    ts = post(slack)["ts"]
    told = [ask(slack, "chat.update", channel=slack.channel, ts=ts, text=str(number)) for number in range(51)]
    assert [one.status for one in told] == [200] * 50 + [429]
    assert told[-1].headers["Retry-After"] == "60"


def test_without_the_switch_there_are_no_rates(slack: FakeSlack) -> None:
    assert all(post(slack)["ok"] for _ in range(100))


FAULTS: dict[str, tuple[Fault, int, Ending, bool]] = {
    "rate limited": (rate_limited(7), 429, Ending.WHOLE, False),
    "broken server": (server_error(), 500, Ending.WHOLE, False),
    "broken after doing it": (server_error(503, applies=True), 503, Ending.WHOLE, True),
    "lost answer": (lost_answer(), 200, Ending.LOST, True),
    "hangs": (hang(), 500, Ending.HANGS, False),
    "hangs after doing it": (hang(applies=True), 200, Ending.HANGS, True),
    "dead": (dead(), 500, Ending.REFUSED, False),
    "refusal": (slack_error("fatal_error"), 200, Ending.WHOLE, False),
}


@pytest.mark.parametrize(("fault", "status", "ending", "applied"), FAULTS.values(), ids=FAULTS)
def test_a_fault_meets_the_next_fitting_call_once(
    slack: FakeSlack, fault: Fault, status: int, ending: Ending, applied: bool
) -> None:
    slack.fail_next(fault, "chat.postMessage")
    assert ask(slack, "auth.test").json["ok"]
    said = ask(slack, "chat.postMessage", channel=slack.channel, text="a")
    assert (said.status, said.ending) == (status, ending)
    assert bool(slack.messages()) is applied
    assert post(slack, "b")["ok"]


def test_while_it_is_down_nothing_is_answered_but_the_page(slack: FakeSlack) -> None:
    slack.down()
    assert ask(slack, "auth.test").ending is Ending.REFUSED
    assert slack.handle(Request("GET", "/")).status == 200
    slack.fail_next(dead(), times=9)
    slack.up()
    assert ask(slack, "auth.test").json["ok"]


def test_a_fault_can_meet_a_response_url(slack: FakeSlack) -> None:
    address = slack.type_command("U1", "/opsbot").payload["response_url"]
    slack.fail_next(server_error(), "response/")
    assert respond(slack, address, text="a").status == 500
    assert respond(slack, address, text="a").json["ok"]
