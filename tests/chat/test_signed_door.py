"""The door over HTTP: fifty requests that are not to be believed, and the few that are."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from opsbot.chat.http import PATH
from opsbot.chat.slack import SlackDoor
from opsbot.core.incident import Incident
from opsbot.testing.slack.deliveries import Delivery
from opsbot.testing.slack.signing import sign
from tests.chat.chat_world import ANA, Office

Headers = Mapping[str, str]


@pytest.fixture
def door(office: Office) -> Iterator[SlackDoor]:
    with office.open(mode="http", listen="127.0.0.1:0") as opened:
        yield opened


@pytest.fixture
def incident(office: Office) -> Incident:
    return office.add()


def post(door: SlackDoor, body: bytes, headers: Headers) -> tuple[int, str]:
    way: Any = door.way
    connection = http.client.HTTPConnection("127.0.0.1", way.port, timeout=10)
    try:
        connection.request("POST", PATH, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def acts(office: Office, incident: Incident) -> dict[str, Delivery]:
    """One delivery of each kind, none of them sent."""
    ts = office.card_ts(incident)
    return {
        "command": office.slack.type_command(ANA, "/opsbot", "ack 1"),
        "mention": office.slack.mention(ANA, "ack 1"),
        "click": office.slack.click(ANA, ts, "approve"),
    }


def test_what_slack_signs_is_carried_out(office: Office, door: SlackDoor, incident: Incident) -> None:
    for name, act in acts(office, incident).items():
        sent = office.slack.signed_request(act)
        status, _ = post(door, sent.body, sent.headers)
        assert (name, status) == (name, 200)
    office.slack.wait_for(lambda: len(office.slack.ephemeral(ANA)) >= 3 and not office.store.untreated())
    found = office.load(incident.id)
    assert found.acked_by == "Ana"
    assert found.approval
    assert [said.person for said in found.approval.decisions] == ["Ana"]


def test_the_form_comes_over_http_too(office: Office, door: SlackDoor, incident: Incident) -> None:
    sent = office.slack.signed_request(office.slack.click(ANA, office.card_ts(incident), "reject"))
    assert post(door, sent.body, sent.headers)[0] == 200
    view = office.modal(ANA)
    sent = office.slack.signed_request(office.slack.submit(ANA, view.id, {"reason": "no"}))
    assert post(door, sent.body, sent.headers) == (200, "")
    office.slack.wait_for(lambda: not office.load(incident.id).plan or office.load(incident.id).reason == "rejected")


def test_slack_may_ask_whether_we_are_here(office: Office, door: SlackDoor) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "c-1"}).encode()
    stamp = str(int(office.clock().timestamp()))
    headers = {
        "Content-Type": "application/json", "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(office.slack.signing_secret, stamp, body),
    }  # fmt: skip
    status, said = post(door, body, headers)
    assert status == 200
    assert "c-1" in said


def not_to_be_believed(office: Office, acts: Mapping[str, Delivery]) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    slack, now = office.slack, office.clock()
    for name, act in acts.items():
        right = slack.signed_request(act)
        headers = dict(right.headers)
        for what, change in {
            "unsigned": {"X-Slack-Signature": ""},
            "another version": {"X-Slack-Signature": "v1=" + headers["X-Slack-Signature"][3:]},
            "not ASCII": {"X-Slack-Signature": "v0=\xe9"},
            "zeroes": {"X-Slack-Signature": "v0=" + "0" * 64},
            "no number": {"X-Slack-Request-Timestamp": "yesterday"},
            "no time": {"X-Slack-Request-Timestamp": ""},
            "a fraction": {"X-Slack-Request-Timestamp": "1.5"},
            "endless": {"X-Slack-Request-Timestamp": "9" * 400},
            "not a digit": {"X-Slack-Request-Timestamp": "\xb2"},
        }.items():
            yield f"{name} {what}", right.body, headers | change
        for late in (301, 3600, -301):
            old = slack.signed_request(act, at=now - timedelta(seconds=late))
            yield f"{name} {late} s old", old.body, dict(old.headers)
        wrong = slack.signed_request(act, secret="another-secret")
        yield f"{name} another secret", wrong.body, dict(wrong.headers)
        yield f"{name} another body", right.body + b" ", headers
        for key, other in (("team", "T0OTHER"), ("app", "A0OTHER")):
            copy = Delivery(act.kind, slack.forged(act.payload, {key: other}))
            foreign = slack.signed_request(copy)
            yield f"{name} of another {key}", foreign.body, dict(foreign.headers)
    stamp = str(int(now.timestamp()))
    for place, nonsense in enumerate((b"payload=%7B", b"payload=null", b"{", b"[]", b"", b"payload=[]", b"\xff")):
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(slack.signing_secret, stamp, nonsense)}
        yield f"signed nonsense {place}", nonsense, signed
    unheard = urlencode({"command": "/other", "team_id": slack.team, "api_app_id": slack.app}).encode()
    yield "signed, another command", unheard, {
        "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(slack.signing_secret, stamp, unheard),
    }  # fmt: skip


def test_of_fifty_requests_that_are_not_slacks_none_is_accepted(
    office: Office, door: SlackDoor, incident: Incident
) -> None:
    made = acts(office, incident)
    requests = list(not_to_be_believed(office, made))
    statuses = {name: post(door, body, headers)[0] for name, body, headers in requests}
    assert len(statuses) >= 50
    assert {name: status for name, status in statuses.items() if not 400 <= status < 500} == {}
    assert office.store.untreated() == ()
    assert office.load(incident.id).record == incident.record


def test_the_same_bytes_count_once(office: Office, door: SlackDoor, incident: Incident) -> None:
    for name, act in acts(office, incident).items():
        sent = office.slack.signed_request(act)
        statuses = [post(door, sent.body, sent.headers)[0] for _ in range(4)]
        assert (name, statuses) == (name, [200, 409, 409, 409])
        again = post(door, sent.body, {**sent.headers, "X-Slack-Retry-Num": "1"})[0]
        assert again == 200
    office.slack.wait_for(lambda: not office.store.untreated())
    found = office.load(incident.id)
    assert found.approval
    assert len(found.approval.decisions) == 1
    assert sum(entry.act == "acked" for entry in office.store.audit(incident.id)) == 1


def test_a_replay_is_known_after_a_restart(office: Office, incident: Incident) -> None:
    with office.open(mode="http", listen="127.0.0.1:0") as first:
        sent = office.slack.signed_request(acts(office, incident)["click"])
        assert post(first, sent.body, sent.headers)[0] == 200
    with office.open(mode="http", listen="127.0.0.1:0") as second:
        assert post(second, sent.body, sent.headers)[0] == 409
