"""Signatures against the example that Slack publishes, and against slack_sdk's own verifier."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from slack_sdk.signature import Clock, SignatureVerifier

from opsbot.testing.slack import Delivery, FakeSlack, sign

EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class Standing(Clock):
    """Slack's own clock stands where it is put."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> float:
        return self._at.timestamp()


def slack_with_ada() -> FakeSlack:
    slack = FakeSlack()
    slack.person("U1", "ada")
    return slack


def acts(slack: FakeSlack) -> dict[str, Delivery]:
    return {
        "command": slack.type_command("U1", "/opsbot", "show 1 & more"),
        "mention": slack.mention("U1", "help"),
        "anything": slack.deliver("interactive", {"type": "block_actions", "team": {"id": "T9"}}),
    }


def test_the_published_example_comes_out() -> None:
    """docs.slack.dev, "Verifying requests from Slack"."""
    assert sign(SECRET, 1531420618, EXAMPLE) == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.mark.parametrize("act", ["command", "mention", "anything"])
def test_slack_sdk_takes_what_is_signed(act: str) -> None:
    slack = slack_with_ada()
    made = slack.signed_request(acts(slack)[act])
    verifier = SignatureVerifier(slack.signing_secret, Standing(slack.clock()))
    assert verifier.is_valid_request(made.body, dict(made.headers))
    assert not verifier.is_valid_request(made.body + b" ", dict(made.headers))


@pytest.mark.parametrize(
    ("late", "secret", "good"),
    [(0, "", True), (299, "", True), (301, "", False), (-301, "", False), (0, "another", False)],
    ids=["now", "nearly five minutes", "too old", "of the future", "another secret"],
)
def test_time_and_secret_can_be_wrong_on_purpose(late: int, secret: str, good: bool) -> None:
    slack = slack_with_ada()
    made = slack.signed_request(acts(slack)["command"], slack.clock() - timedelta(seconds=late), secret)
    assert (
        SignatureVerifier(slack.signing_secret, Standing(slack.clock())).is_valid_request(made.body, dict(made.headers))
        is good
    )


def test_each_kind_has_the_form_that_slack_gives_it() -> None:
    slack = slack_with_ada()
    done = acts(slack)
    command = slack.signed_request(done["command"])
    assert command.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(command.body.decode())["text"] == ["show 1 & more"]
    click = slack.signed_request(done["anything"])
    assert json.loads(parse_qs(click.body.decode())["payload"][0])["team"]["id"] == "T9"
    mention = slack.signed_request(done["mention"])
    assert mention.headers["Content-Type"] == "application/json"
    assert json.loads(mention.body)["event"]["type"] == "app_mention"
    assert mention.headers["X-Slack-Request-Timestamp"] == str(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()))
