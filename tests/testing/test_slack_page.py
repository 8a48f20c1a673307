"""The page of the fake Slack: what a person sees, what they may do, and what a message can never do."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from typing import Any

import pytest

from opsbot.testing.cluster.wire import Request, Response
from opsbot.testing.slack import FakeSlack
from opsbot.testing.slack.page import FILES

FOLDER = Path(__file__).parents[2] / "opsbot" / "testing" / "slack"
PLAIN = {"type": "plain_text", "text": "Go"}
CARD = [{"type": "actions", "elements": [{"type": "button", "action_id": "approve", "value": "7", "text": PLAIN}]}]


@pytest.fixture
def slack() -> FakeSlack:
    made = FakeSlack()
    made.person("U1", "ada")
    made.person("U2", "grace")
    return made


def state(slack: FakeSlack, person: str = "U1", channel: str = "") -> dict[str, Any]:
    return slack.handle(Request("GET", "/state", {"person": person, "channel": channel})).json


def act(slack: FakeSlack, kind: str = "application/json", **what: Any) -> Response:
    return slack.handle(Request("POST", "/act", body=json.dumps(what).encode(), content_type=kind))


def card(slack: FakeSlack) -> str:
    return slack.world.post(slack.channel, slack.bot_user, "card", blocks=[{"block_id": "b", **CARD[0]}]).ts


# seeing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES)
def test_each_file_is_served_and_may_load_nothing_from_elsewhere(slack: FakeSlack, path: str) -> None:
    said = slack.handle(Request("GET", path))
    assert said.status == 200
    assert said.content_type == FILES[path][1]
    policy = said.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/favicon.ico", "/page.html", "/../page.py", "/state/", "/api", "/act"])
def test_there_is_nothing_else(slack: FakeSlack, path: str) -> None:
    assert slack.handle(Request("GET", path)).status == 404


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js"])
def test_no_file_names_another_address_or_makes_markup_of_text(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert not re.search(r"https?:|//[a-z0-9]+\.[a-z]", text)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|new Function|srcdoc", text
    )
    assert not re.search(r"\son[a-z]+=|style=|\.href\s*=|javascript:", text)


def test_a_person_sees_the_channel_and_what_is_for_them(slack: FakeSlack) -> None:
    root = card(slack)
    slack.say("U2", "looking", thread_ts=root)
    slack.world.post(slack.channel, slack.bot_user, "you may not", only_for="U1")
    slack.world.post(slack.channel, slack.bot_user, "nor may you", only_for="U2")
    told = state(slack)
    assert [one["text"] for one in told["messages"]] == ["card", "looking", "you may not"]
    assert [one["root"] for one in told["messages"]] == ["", root, ""]
    assert [one["private"] for one in told["messages"]] == [False, False, True]
    assert told["messages"][0]["reply_count"] == 1
    assert [one["name"] for one in told["people"] if not one["bot"]] == ["ada", "grace"]
    assert told["connections"] == 0


def test_another_channel_is_another_page(slack: FakeSlack) -> None:
    slack.add_channel("C2", "payments")
    slack.say("U1", "there", "C2")
    assert [one["text"] for one in state(slack, channel="C2")["messages"]] == ["there"]
    assert state(slack)["messages"] == []
    assert state(slack, channel="C9")["channel"] == slack.channel


def test_a_stranger_sees_only_what_all_see(slack: FakeSlack) -> None:
    slack.world.post(slack.channel, slack.bot_user, "for ada", only_for="U1")
    assert state(slack, person="U9")["messages"] == []


def test_only_the_newest_messages_are_told(slack: FakeSlack) -> None:
    for number in range(510):
        slack.say("U1", str(number))
    told = state(slack)["messages"]
    assert (len(told), told[0]["text"], told[-1]["text"]) == (500, "10", "509")


# doing ---------------------------------------------------------------------------------------------------------------


TYPED: dict[str, tuple[str, str, str]] = {
    "command": ("/opsbot show 1", "slash_commands", "show 1"),
    "bare command": ("/opsbot", "slash_commands", ""),
    "mention": ("@opsbot show 1", "events_api", "show 1"),
    "bare mention": ("@opsbot", "events_api", ""),
    "words": ("good morning", "", ""),
    "a longer name": ("@opsbots show", "", ""),
}


@pytest.mark.parametrize(("text", "kind", "words"), TYPED.values(), ids=TYPED)
def test_what_is_typed_goes_where_it_belongs(slack: FakeSlack, text: str, kind: str, words: str) -> None:
    assert act(slack, do="write", person="U1", text=text).json == {"ok": True}
    assert [one.kind for one in slack.sent] == ([kind] if kind else [])
    if kind == "slash_commands":
        assert slack.sent[0].payload["text"] == words
    elif kind:
        assert slack.sent[0].payload["event"]["text"] == f"<@{slack.bot_user}> {words}"
    else:
        assert slack.messages()[0].text == text


def test_what_is_typed_is_escaped_as_slack_does(slack: FakeSlack) -> None:
    act(slack, do="write", person="U1", text="@opsbot <!channel> & <b>")
    assert slack.messages()[0].text == f"<@{slack.bot_user}> &lt;!channel&gt; &amp; &lt;b&gt;"


def test_a_mention_in_a_thread_stays_there(slack: FakeSlack) -> None:
    root = card(slack)
    assert act(slack, do="write", person="U1", text="@opsbot ack", thread=root).json["ok"]
    assert slack.sent[0].payload["event"]["thread_ts"] == root


def test_a_click_and_a_modal(slack: FakeSlack) -> None:
    assert act(slack, do="click", person="U1", ts=card(slack), action="approve").json["ok"]
    assert slack.sent[0].payload["actions"][0]["value"] == "7"
    field = {
        "type": "input",
        "block_id": "why",
        "label": PLAIN,
        "element": {"type": "plain_text_input", "action_id": "r"},
    }
    spec = {"type": "modal", "title": PLAIN, "submit": PLAIN, "blocks": [field]}
    view = slack.world.open("U1", spec)
    told = state(slack)["view"]
    assert (told["id"], told["errors"]) == (view.id, {})
    assert state(slack, person="U2")["view"] is None
    assert "needed" in act(slack, do="submit", person="U1", view=view.id, values={"r": " "}).json["error"]
    assert act(slack, do="submit", person="U1", view=view.id, values={"r": "no"}).json["ok"]
    assert "dispatch_failed" in state(slack)["view"]["errors"][""]
    assert act(slack, do="close", person="U1", view=view.id).json["ok"]
    assert state(slack)["view"] is None


NONSENSE: dict[str, tuple[int, dict[str, Any]]] = {
    "nothing": (400, {}),
    "an unknown act": (400, {"do": "explode"}),
    "an act that is a list": (400, {"do": ["write"]}),
    "a stranger": (200, {"do": "write", "person": "U9", "text": "x"}),
    "nobody": (200, {"do": "write", "text": "x"}),
    "no words": (200, {"do": "write", "person": "U1", "text": "  "}),
    "words that are a number": (200, {"do": "write", "person": "U1", "text": 7}),
    "a command in a thread": (200, {"do": "write", "person": "U1", "text": "/opsbot", "thread": "1.000001"}),
    "an unknown channel": (200, {"do": "write", "person": "U1", "text": "x", "channel": "C9"}),
    "a click on nothing": (200, {"do": "click", "person": "U1", "ts": "1.000001", "action": "approve"}),
    "a click by nobody": (200, {"do": "click", "ts": "1.000001", "action": "approve"}),
    "no modal": (200, {"do": "submit", "person": "U1", "view": "V9", "values": {}}),
    "values that are a list": (200, {"do": "submit", "person": "U1", "view": "V9", "values": []}),
    "a value that is a number": (200, {"do": "submit", "person": "U1", "view": "V9", "values": {"r": 7}}),
    "no modal to close": (200, {"do": "close", "person": "U1", "view": "V9"}),
}


@pytest.mark.parametrize(("status", "what"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_answered_and_does_nothing(slack: FakeSlack, status: int, what: dict[str, Any]) -> None:
    said = act(slack, **what)
    assert said.status == status
    if status == 200:
        assert said.json["ok"] is False
        assert said.json["error"]
    assert slack.sent == []
    assert slack.messages() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_another_sites_page_could_send_is_refused(slack: FakeSlack, kind: str) -> None:
    assert act(slack, kind, do="write", person="U1", text="x").status == 400
    assert slack.messages() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_what_is_no_object_is_refused(slack: FakeSlack, body: bytes) -> None:
    assert slack.handle(Request("POST", "/act", body=body, content_type="application/json")).status == 400


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("localhost:1", 200), ("rebound.example", 421), ("", 421)]
)
def test_a_name_of_another_site_does_not_lead_here(slack: FakeSlack, host: str, status: int) -> None:
    with slack.serve() as url:
        connection = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]), timeout=5)
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
