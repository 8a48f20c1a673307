"""Slack's own clients against the fake: WebClient, the builtin SocketModeClient and slack-bolt's SocketModeHandler."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from slack_bolt import Ack, App, Say
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from opsbot.testing.slack import FakeSlack, hang, lost_answer, rate_limited

pytestmark = pytest.mark.leaves_sockets

LOOK = 0.2
"""Seconds between two looks of the client at its socket."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Clients tell of every lost connection."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def served(**settings: Any) -> Iterator[FakeSlack]:
    made = FakeSlack(**settings)
    made.person("U1", "ada")
    with made.serve():
        yield made


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """One with much patience: whoever does not ack here is broken, not slow."""
    with served(ack_within=20.0) as made:
        yield made


@pytest.fixture
def hasty() -> Iterator[FakeSlack]:
    """One that gives up soon."""
    with served(ack_within=1.0, retries=(0.0, 0.2)) as made:
        yield made


def web(slack: FakeSlack, **more: Any) -> WebClient:
    return WebClient(slack.bot_token, base_url=f"{slack.url}/api/", **more)


class Client:
    """A builtin client that writes down what it gets, and acknowledges it or not."""

    def __init__(
        self, slack: FakeSlack, ack: Callable[[SocketModeRequest], dict[str, Any] | None] | None = None
    ) -> None:
        self.got: list[SocketModeRequest] = []
        self._ack = ack or (lambda _request: {})
        self.client = SocketModeClient(slack.app_token, web_client=web(slack), ping_interval=LOOK)
        self.client.socket_mode_request_listeners.append(self._hear)

    def _hear(self, client: Any, request: SocketModeRequest) -> None:
        self.got.append(request)
        answer = self._ack(request)
        if answer is not None:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=answer))


@contextmanager
def connected(slack: FakeSlack, *clients: Client) -> Iterator[None]:
    before = slack.connections
    try:
        for client in clients:
            client.client.connect()
        slack.wait_connected(before + len(clients))
        yield
    finally:
        leave(slack, *(client.client for client in clients))


def leave(slack: FakeSlack, *clients: SocketModeClient) -> None:
    """Close clients from the server's side first: from theirs they wait until they have read for three seconds."""
    for client in clients:
        client.auto_reconnect_enabled = False
    slack.deliveries.goodbye()
    for client in clients:
        slack.wait_for(lambda client=client: not client.is_connected())  # type: ignore[misc]
        client.close()


def test_the_web_client_talks_to_it(slack: FakeSlack) -> None:
    client = web(slack)
    assert client.auth_test()["user_id"] == slack.bot_user
    ts = client.chat_postMessage(channel=slack.channel, text="a", blocks=[{"type": "divider"}], unfurl_links=False)[
        "ts"
    ]
    client.chat_update(channel=slack.channel, ts=ts, text="b", blocks=[])
    assert slack.message(ts).text == "b"
    assert client.conversations_replies(channel=slack.channel, ts=ts)["messages"][0]["text"] == "b"
    assert [call.method for call in slack.calls] == [
        "auth.test", "chat.postMessage", "chat.update", "conversations.replies",
    ]  # fmt: skip


def test_the_web_client_hears_how_long_to_wait(slack: FakeSlack) -> None:
    slack.fail_next(rate_limited(7), "chat.postMessage")
    with pytest.raises(SlackApiError) as caught:
        web(slack).chat_postMessage(channel=slack.channel, text="a")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("fault", "posted"), [(lost_answer(), True), (hang(applies=True), True), (hang(), False)],
    ids=["lost answer", "hangs after it", "hangs"],
)  # fmt: skip
def test_an_answer_that_never_comes(slack: FakeSlack, fault: Any, posted: bool) -> None:
    slack.fail_next(fault, "chat.postMessage", times=5)
    with pytest.raises(OSError, match=r".*"):
        web(slack, timeout=1, retry_handlers=[]).chat_postMessage(channel=slack.channel, text="a")
    assert bool(slack.messages()) is posted


def test_an_envelope_arrives_and_its_ack_is_timed(slack: FakeSlack) -> None:
    client = Client(slack, lambda _request: {"text": "heard"})
    with connected(slack, client):
        done = slack.type_command("U1", "/opsbot", "show 1")
        assert done.wait()
        assert client.got[0].type == "slash_commands"
        assert client.got[0].payload == done.payload
        assert client.got[0].accepts_response_payload is True
        assert done.answer == {"text": "heard"}
        assert done.acked_after is not None
        assert slack.ack_times == [done.acked_after]
        assert [one.text for one in slack.ephemeral("U1")] == ["heard"]


def test_each_envelope_goes_to_one_of_two_sockets(slack: FakeSlack) -> None:
    one, two = Client(slack), Client(slack)
    with connected(slack, one, two):
        done = [slack.type_command("U1", "/opsbot", str(number)) for number in range(20)]
        assert all(act.wait() for act in done)
    assert len(one.got) == len(two.got) == 10
    assert {request.payload["text"] for request in (*one.got, *two.got)} == {str(number) for number in range(20)}


def test_two_hundred_commands_are_each_acked_once(slack: FakeSlack) -> None:
    client = Client(slack)
    with connected(slack, client):
        done = [slack.type_command("U1", "/opsbot", str(number)) for number in range(200)]
        slack.wait_for(lambda: len(slack.ack_times) == 200, timeout=20)
    assert sorted(int(request.payload["text"]) for request in client.got) == list(range(200))
    assert not [act for act in done if act.failed]


def test_a_command_that_nobody_acks_fails_and_is_not_sent_again(hasty: FakeSlack) -> None:
    client = Client(hasty, lambda _request: None)
    with connected(hasty, client):
        done = hasty.type_command("U1", "/opsbot")
        hasty.wait_for(lambda: done.failed)
        assert not done.wait()
    assert (done.failed, done.attempts, len(client.got)) == ("timeout", 1, 1)
    assert "operation_timeout" in hasty.ephemeral("U1")[0].text
    assert hasty.failed == [done]


def test_an_event_that_nobody_acks_is_sent_again_under_another_envelope(hasty: FakeSlack) -> None:
    client = Client(hasty, lambda request: {} if request.retry_attempt == 2 else None)
    with connected(hasty, client):
        done = hasty.mention("U1", "help")
        hasty.wait_for(lambda: done.acked)
    assert [request.retry_attempt for request in client.got] == [0, 1, 2]
    assert [request.retry_reason for request in client.got] == ["", "timeout", "timeout"]
    assert len({request.envelope_id for request in client.got}) == 3
    assert len({request.payload["event_id"] for request in client.got}) == 1
    assert done.failed == ""


def test_an_event_waits_for_somebody_to_connect() -> None:
    with served(retries=(0.1,) * 500) as slack:
        done = slack.mention("U1", "help")
        assert done.failed == "no_connection"
        client = Client(slack)
        with connected(slack, client):
            slack.wait_for(lambda: done.acked)
        assert client.got[-1].payload == done.payload


def test_a_late_ack_is_timed_and_still_a_failure(hasty: FakeSlack) -> None:
    go = threading.Event()
    client = Client(hasty, lambda _request: {"text": "late"} if go.wait(10) else None)
    with connected(hasty, client):
        done = hasty.type_command("U1", "/opsbot")
        hasty.wait_for(lambda: done.failed)
        go.set()
        hasty.wait_for(lambda: done.acked)
    assert done.failed == "timeout"
    assert done.acked_after is not None
    assert done.acked_after > 1.0
    assert "late" not in [one.text for one in hasty.ephemeral("U1")]


def test_an_ack_may_come_twice_and_an_unknown_one_is_no_harm(slack: FakeSlack) -> None:
    client = Client(slack)
    with connected(slack, client):
        done = slack.type_command("U1", "/opsbot")
        assert done.wait()
        for text in (
            '{"envelope_id": "nobody"}', "no JSON", "[]", '{"envelope_id": 7}', "[" * 50_000,
            f'{{"envelope_id": "{done.envelopes[0]}", "payload": {{"text": "twice"}}}}',
        ):  # fmt: skip
            client.client.send_message(text)
        assert slack.type_command("U1", "/opsbot").wait()
    assert done.answer == {}


def test_a_replayed_envelope_reaches_the_app_again(slack: FakeSlack) -> None:
    client = Client(slack)
    with connected(slack, client):
        done = slack.type_command("U1", "/opsbot")
        assert done.wait()
        again = slack.replay(done)
        assert again.wait()
    assert [request.envelope_id for request in client.got] == done.envelopes * 2
    assert again.acked_after is not None


def test_clients_come_again_when_asked_to(slack: FakeSlack) -> None:
    client = Client(slack)
    with connected(slack, client):
        first = client.client.session_id()
        slack.disconnect()
        assert slack.connections == 0
        slack.wait_connected()
        slack.wait_for(lambda: client.client.session_id() != first)
        assert slack.type_command("U1", "/opsbot").wait()


@pytest.mark.parametrize("how", ["drop", "down"])
def test_clients_find_back_after_a_break(slack: FakeSlack, how: str) -> None:
    client = Client(slack)
    with connected(slack, client):
        if how == "down":
            slack.down()
            assert slack.type_command("U1", "/opsbot").failed == "no_connection"
            slack.up()
        else:
            slack.drop()
        slack.wait_connected(timeout=30)
        slack.wait_for(lambda: slack.type_command("U1", "/opsbot").wait(1), timeout=10)


# slack-bolt ----------------------------------------------------------------------------------------------------------

PLAIN = {"type": "plain_text", "text": "Go"}
CARD = [{"type": "actions", "elements": [{"type": "button", "action_id": "reject", "value": "7", "text": PLAIN}]}]
MODAL = {
    "type": "modal", "callback_id": "why", "title": PLAIN, "submit": PLAIN,
    "blocks": [{"type": "input", "block_id": "why", "label": PLAIN,
                "element": {"type": "plain_text_input", "action_id": "reason"}}],
}  # fmt: skip


def bolt(slack: FakeSlack) -> App:
    app = App(client=web(slack))

    @app.command("/opsbot")
    def command(ack: Ack, command: dict[str, Any], respond: Callable[..., Any]) -> None:
        ack(f"working on {command['text']}")
        respond("done")

    @app.action("reject")
    def reject(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("why")
    def why(ack: Ack, view: dict[str, Any]) -> None:
        reason = view["state"]["values"]["why"]["reason"]["value"]
        if reason == "no":
            ack(response_action="errors", errors={"why": "say more"})
        elif reason == "next":
            ack(response_action="update", view={**MODAL, "title": {"type": "plain_text", "text": "Then"}})
        elif reason == "odd":
            ack(response_action="update", view={"type": "modal"})
        else:
            ack()

    @app.event("app_mention")
    def mention(event: dict[str, Any], say: Say) -> None:
        say(f"heard: {event['text']}", thread_ts=event.get("thread_ts") or event["ts"])

    return app


@pytest.fixture
def app(slack: FakeSlack) -> Iterator[App]:
    made = bolt(slack)
    handler = SocketModeHandler(made, slack.app_token, ping_interval=LOOK)
    handler.connect()  # type: ignore[no-untyped-call]
    slack.wait_connected()
    yield made
    assert isinstance(handler.client, SocketModeClient)
    leave(slack, handler.client)


@pytest.mark.usefixtures("app")
def test_bolt_answers_a_command(slack: FakeSlack) -> None:
    assert slack.type_command("U1", "/opsbot", "show 1").wait()
    slack.wait_for(lambda: {one.text for one in slack.ephemeral("U1")} == {"working on show 1", "done"})


@pytest.mark.usefixtures("app")
def test_bolt_answers_a_mention_in_its_thread(slack: FakeSlack) -> None:
    done = slack.mention("U1", "help")
    assert done.wait()
    ts = done.payload["event"]["ts"]
    reply = slack.wait_for(lambda: slack.messages(thread_ts=ts)[1:])[0]
    assert reply.text == f"heard: <@{slack.bot_user}> help"


@pytest.mark.usefixtures("app")
def test_bolt_asks_for_a_reason_and_gets_it(slack: FakeSlack) -> None:
    ts = web(slack).chat_postMessage(channel=slack.channel, text="card", blocks=CARD)["ts"]
    assert slack.click("U1", ts, "reject").wait()
    view = slack.wait_for(lambda: slack.view("U1"))
    assert view is not None
    assert slack.submit("U1", view.id, {"reason": "no"}).wait()
    shown = slack.view("U1")
    assert shown is not None
    assert shown.errors == {"why": "say more"}
    assert slack.submit("U1", view.id, {"reason": "odd"}).wait()
    shown = slack.view("U1")
    assert shown is not None
    assert "/view/title" in shown.errors[""]
    assert slack.submit("U1", view.id, {"reason": "next"}).wait()
    shown = slack.view("U1")
    assert shown is not None
    assert (shown.title, shown.errors) == ("Then", {})
    assert slack.submit("U1", view.id, {"reason": "too risky today"}).wait()
    assert slack.view("U1") is None


# the wire itself -----------------------------------------------------------------------------------------------------

UPGRADE = (
    "GET /link/?{query} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def handshake(slack: FakeSlack, query: str, key: str = KEY, host: str = "127.0.0.1") -> str:
    port = int(slack.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 5) as made:
        made.sendall(UPGRADE.format(query=query, key=key, host=host).encode())
        return made.recv(64).decode("latin-1").split("\r\n")[0]


def ticket(slack: FakeSlack) -> str:
    client = WebClient(slack.app_token, base_url=f"{slack.url}/api/")
    address = str(client.apps_connections_open(app_token=slack.app_token)["url"])
    assert address.startswith("ws://127.0.0.1:")
    return address.partition("?")[2]


def test_a_ticket_opens_one_socket(slack: FakeSlack) -> None:
    held = ticket(slack)
    assert " 101 " in handshake(slack, held)
    assert " 403 " in handshake(slack, held)


@pytest.mark.parametrize(
    ("query", "key", "host"),
    [("", KEY, "127.0.0.1"), ("ticket=ticket-9", KEY, "127.0.0.1"), ("good", "no key", "127.0.0.1")],
    ids=["no ticket", "made up", "no key"],
)
def test_a_handshake_that_is_none_is_refused(slack: FakeSlack, query: str, key: str, host: str) -> None:
    assert " 403 " in handshake(slack, ticket(slack) if query == "good" else query, key, host)


def test_no_other_host_leads_here(slack: FakeSlack) -> None:
    assert " 421 " in handshake(slack, ticket(slack), host="slack.example")


def test_a_request_without_a_length_is_refused(slack: FakeSlack) -> None:
    port = int(slack.url.rpartition(":")[2])
    for head in ("Content-Length: 99999999", "Content-Length: x", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", port), 5) as made:
            made.sendall(f"POST /api/auth.test HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n\r\n".encode())
            assert b" 413 " in made.recv(64)


def test_it_listens_on_loopback_only(slack: FakeSlack) -> None:
    assert slack.url.startswith("http://127.0.0.1:")
