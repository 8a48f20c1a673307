"""What `doctor` is told of Slack: whose the tokens are, and what is wrong with them, for the least that is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsbot.chat import probe
from opsbot.core.errors import OpsbotError, PermanentError, TemporaryError
from opsbot.testing.slack.faults import Fault, dead, rate_limited
from tests.chat.chat_world import Office

ALLOWED = {"auth.test", "apps.connections.open"}
"""Methods that take no scope but the one of the app token itself."""


def test_all_is_well(office: Office) -> None:
    said = probe.check(office.settings(), 5)
    assert said.startswith(f"the bot token is of workspace {office.slack.team}; the app token may open a line (app ")
    assert "in the channel cannot be seen" in said
    assert {call.method for call in office.slack.calls} == ALLOWED
    assert office.slack.connections == 0


def test_over_http_no_app_token_is_needed(office: Office) -> None:
    said = probe.check(office.settings(mode="http", app_token_file=None), 5)
    assert "there is a signing secret" in said
    assert {call.method for call in office.slack.calls} == {"auth.test"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"team": "T0OTHER"}, r"the bot token is of workspace T\w+, and slack\.team says T0OTHER"),
        ({"app": "A0OTHER"}, r"the app token is of app A\w+, and slack\.app says A0OTHER"),
        ({"bot_token_file": Path("none")}, r"slack\.bot_token_file: none cannot be read"),
        ({"app_token_file": None}, r"slack\.app_token_file is not given"),
        ({"mode": "http", "signing_secret_file": None}, r"slack\.signing_secret_file is not given"),
    ],
    ids=["workspace", "app", "no file", "no app token", "no secret"],
)
def test_what_does_not_fit_the_config(office: Office, given: dict[str, Any], why: str) -> None:
    with pytest.raises(PermanentError, match=why):
        probe.check(office.settings(**given), 5)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("bot", "xoxb-another", "the bot token: Slack says invalid_auth"),
        ("bot", "xapp-1-A", "does not begin with xoxb-: is it the other token"),
        ("app", "xapp-another", "the app token: Slack says invalid_auth"),
    ],
)
def test_a_token_that_slack_does_not_take(office: Office, name: str, text: str, why: str) -> None:
    settings = office.settings()
    (office.folder / name).write_text(text)
    with pytest.raises(PermanentError, match=why) as error:
        probe.check(settings, 5)
    assert text not in str(error.value)


@pytest.mark.parametrize("method", sorted(ALLOWED))
@pytest.mark.parametrize("fault", [dead(), rate_limited(30)], ids=["dead", "rate limited"])
def test_trouble_of_slacks_is_told(office: Office, method: str, fault: Fault) -> None:
    settings = office.settings()
    office.slack.fail_next(fault, method, times=2)
    with pytest.raises(OpsbotError) as error:
        probe.check(settings, 5)
    assert isinstance(error.value, TemporaryError)
