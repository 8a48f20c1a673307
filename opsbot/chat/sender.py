"""Slack's Web API behind `port.Chat`: each call once, with a time limit, and every way it can end as an error by name.

The package's own retries are off: the outbox decides what is sent again, and when.
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from opsbot.chat.port import Json
from opsbot.chat.tokens import Token
from opsbot.core.errors import OpsbotError, PermanentError, Refused, TemporaryError
from opsbot.core.message import Place

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

TIMEOUT = 10
QUIET = logging.getLogger("opsbot.chat.client")
"""The package logs what it sends and receives, and every failed call beside the error: we tell of those ourselves."""

GONE = ("message_not_found", "thread_not_found", "cannot_reply_to_message", "cant_update_message", "edit_window_closed")
BAD_BODY = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text",
            "invalid_attachments", "markdown_text_conflict", "view_too_large")  # fmt: skip
ODD = (ValueError, TypeError, AttributeError, RecursionError)
"""What the library raises over an answer that is not of the form it takes for granted."""
LATER = ("ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error", "request_timeout",
         "service_unavailable", "team_added_to_org", "accesslimited")  # fmt: skip
# Nothing is linked, unfurled or taken for a mention, whatever the text holds.
SOBER = {"parse": "none", "link_names": False}
QUIET_LINKS = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}


def client(token: Token, url: str, timeout: int = TIMEOUT) -> WebClient:
    """A client of the Web API, without retries of its own."""
    from slack_sdk import WebClient

    QUIET.setLevel(logging.CRITICAL)
    return WebClient(token=token.reveal(), base_url=url, timeout=timeout, retry_handlers=[], logger=QUIET)


class Sender:
    """`port.Chat` for one channel."""

    def __init__(self, web: WebClient, channel: str) -> None:
        self._web, self._channel = web, channel

    def post(self, body: Json, thread: str = "") -> Place:
        """chat.postMessage."""
        where = {"thread_ts": thread} if thread else {}
        made = called(self._web.chat_postMessage, channel=self._channel, **where, **SOBER, **QUIET_LINKS, **body)
        return _place(made)

    def edit(self, place: Place, body: Json) -> Place:
        """chat.update; without blocks the old ones are taken away."""
        whole: Json = {"blocks": []} | body
        return _place(called(self._web.chat_update, channel=place.channel, ts=place.ts, **SOBER, **whole))

    def tell(self, person: str, body: Json, thread: str = "") -> None:
        """chat.postEphemeral."""
        where = {"thread_ts": thread} if thread else {}
        called(self._web.chat_postEphemeral, channel=self._channel, user=person, **where, **SOBER, **body)

    def open(self, trigger: str, view: Json) -> None:
        """views.open."""
        called(self._web.views_open, trigger_id=trigger, view=view)


def called(method: Callable[..., Any], **given: Any) -> Any:
    """What a method of the client answers; every way in which it can fail as an error by name."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        return method(**given)
    except SlackApiError as error:
        raise judged(error) from None
    except (OSError, http.client.HTTPException, *ODD) as error:
        raise TemporaryError(f"Slack cannot be reached: {type(error).__name__}", retry_after=0.0) from None
    except SlackClientError as error:
        raise PermanentError(f"Slack's client refuses: {type(error).__name__}") from None


def _place(made: Any) -> Place:
    data = answered(made)
    channel, ts = data.get("channel"), data.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str):
        raise TemporaryError("Slack's answer names no place", retry_after=0.0)
    return Place(channel, ts)


def answered(answer: Any) -> Mapping[str, Any]:
    """What an answer holds; nothing where something else than an object came in its place."""
    data = getattr(answer, "data", None)
    return data if isinstance(data, dict) else {}


def judged(error: SlackApiError) -> OpsbotError:
    """What a refusal of Slack means for us; its words are kept to a name, for a body may stand in them."""
    status, name = error.response.status_code, _name(answered(error.response).get("error"))
    if status == 429:
        return TemporaryError("Slack says: not so fast", retry_after=_seconds(error.response.headers))
    if status >= 500 or name in LATER or (status == 200 and not name):  # a page of some proxy is no word of Slack's
        return TemporaryError(f"Slack has trouble of its own ({name or status})", retry_after=0.0)
    if name in GONE:
        return Refused("gone", f"Slack says {name}")
    if name in BAD_BODY:
        return Refused("bad_body", f"Slack says {name}")
    return PermanentError(f"Slack says {name or status}")


def _name(error: Any) -> str:
    """An error's name, or nothing where a page or a sentence came in its place."""
    return error if isinstance(error, str) and error.replace("_", "").isalnum() and len(error) < 60 else ""


def _seconds(headers: Any) -> float:
    """What Retry-After asks for; a missing or senseless one counts as a second."""
    for key, value in dict(headers).items():
        if str(key).lower() == "retry-after":
            text = str(value[0] if isinstance(value, list) and value else value)
            return min(float(text), 3600.0) if text.isascii() and text.isdigit() else 1.0
    return 1.0
