"""Signatures: the published example, the client library as a second opinion, and everything that is not signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.signature import Clock, SignatureVerifier

from opsbot.chat.signing import fault, signed

# The worked example of "Verifying requests from Slack" on docs.slack.dev.
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
STAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
THEN = datetime.fromtimestamp(int(STAMP), UTC)
HEADERS = {"x-slack-request-timestamp": STAMP, "x-slack-signature": SIGNATURE}


def test_the_published_example_holds() -> None:
    assert signed(SECRET, STAMP, BODY) == SIGNATURE
    assert fault(HEADERS, BODY, SECRET, THEN) == ""


def test_the_client_library_agrees() -> None:
    class Then(Clock):
        def now(self) -> float:
            return THEN.timestamp()

    verifier = SignatureVerifier(SECRET, Then())
    for body in (BODY, b"", b"{}", "ü".encode()):
        assert verifier.is_valid(body, STAMP, signed(SECRET, STAMP, body))
        assert not verifier.is_valid(body + b" ", STAMP, signed(SECRET, STAMP, body))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"x-slack-request-timestamp": "soon"}, "no_timestamp"),
        ({"x-slack-request-timestamp": ""}, "no_timestamp"),
        ({"x-slack-request-timestamp": "-1531420618"}, "no_timestamp"),
        ({"x-slack-request-timestamp": "1531420618.0"}, "no_timestamp"),
        ({"x-slack-request-timestamp": "\u0661\u0665\u0663"}, "no_timestamp"),
        ({"x-slack-request-timestamp": "9" * 5000}, "no_timestamp"),
        ({"x-slack-request-timestamp": "99999999999"}, "stale"),
        ({"x-slack-request-timestamp": "1531420617"}, "forged"),
        ({"x-slack-signature": ""}, "no_signature"),
        ({"x-slack-signature": "v1" + SIGNATURE[2:]}, "no_signature"),
        ({"x-slack-signature": SIGNATURE.upper()}, "no_signature"),
        ({"x-slack-signature": SIGNATURE[:-1] + "4"}, "forged"),
        ({"x-slack-signature": "v0=" + "\u00e9" * 64}, "no_signature"),
    ],
    ids=[
        "words for a time", "no time", "negative", "a fraction", "other digits", "endless", "far ahead", "another time",
        "no signature", "another version", "capitals", "another signature", "not ASCII",
    ],
)  # fmt: skip
def test_what_is_not_signed_is_not_believed(change: dict[str, str], why: str) -> None:
    assert fault(HEADERS | change, BODY, SECRET, THEN) == why


@pytest.mark.parametrize(
    ("late", "why"),
    [(-301, "stale"), (-300, ""), (0, ""), (300, ""), (301, "stale"), (86_400, "stale")],
    ids=["ahead", "just ahead", "now", "just fresh", "stale", "a day"],
)
def test_only_what_is_fresh_is_believed(late: int, why: str) -> None:
    assert fault(HEADERS, BODY, SECRET, THEN + timedelta(seconds=late)) == why


def test_another_body_or_secret_is_forged() -> None:
    assert fault(HEADERS, BODY + b"&x=1", SECRET, THEN) == "forged"
    assert fault(HEADERS, BODY, SECRET[:-1] + "6", THEN) == "forged"
    assert fault({}, BODY, SECRET, THEN) == "no_timestamp"
