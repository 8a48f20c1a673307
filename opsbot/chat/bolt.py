"""slack-bolt's listeners around the inbox, and the gate before them: only what the inbox would hear gets to Bolt.

What comes of a delivery is a reply by its status: 400 and 403 for what is odd or foreign, 503 for a fault of ours.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from opsbot.chat import payload
from opsbot.chat.card import APPROVE, REJECT
from opsbot.chat.http import Reply
from opsbot.chat.inbox import Inbox
from opsbot.config import Slack
from opsbot.mask import mask

if TYPE_CHECKING:
    from slack_bolt import App, BoltRequest, BoltResponse
    from slack_sdk import WebClient

LOG = logging.getLogger("opsbot.chat")
QUIET = logging.getLogger("opsbot.chat.bolt")
"""Bolt writes whole deliveries into its log at INFO and WARNING: only its errors, by our own name, a line for each."""
AGAIN = "x-slack-retry-num"


def made(settings: Slack, web: WebClient, inbox: Inbox) -> App:
    """The app with its listeners. It asks Slack nothing by itself; signatures are checked before it (`http`)."""
    from slack_bolt import App, BoltResponse
    from slack_bolt.authorization import AuthorizeResult

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=settings.team, bot_token=web.token)

    def stumbled(error: Exception) -> BoltResponse:
        return BoltResponse(status=_fault(error).status)

    def listen(ack: Callable[..., BoltResponse], body: Mapping[str, Any], request: BoltRequest) -> BoltResponse:
        found = inbox.hear(body, again=AGAIN in request.headers)
        if found.status != 200:
            return BoltResponse(status=found.status)
        return ack(found.text) if found.text else ack()

    QUIET.setLevel(logging.ERROR)  # Bolt sets the level of the logger called like the app, too: they must be one
    QUIET.addFilter(_on_one_line)
    app = App(
        name=QUIET.name, logger=QUIET, client=web, authorize=authorize, process_before_response=True,
        request_verification_enabled=False, ssl_check_enabled=False, ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False, attaching_conversation_kwargs_enabled=False,
    )  # fmt: skip
    app.error(stumbled)
    app.command(payload.SLASH)(listen)
    app.event("app_mention")(listen)
    for action in (APPROVE, REJECT):
        app.action(action)(listen)
    app.view(REJECT)(listen)
    return app


class Gate:
    """What a delivery must pass, however it comes, and what is said to it."""

    def __init__(self, app: App, inbox: Inbox) -> None:
        self._app, self._inbox = app, inbox

    def posted(self, body: str, headers: Mapping[str, str]) -> Reply:
        """A signed body; ValueError for one that cannot be parsed."""
        return self.passed(_parsed(body, headers.get("content-type", "")), headers)

    def passed(self, body: Any, headers: Mapping[str, str]) -> Reply:
        """A delivery: refused here, or dispatched to its listener."""
        if not isinstance(body, Mapping):
            raise ValueError("no object")
        if body.get("type") == "url_verification":
            return _here(body)
        refused = self._inbox.refusal(body)
        if refused:
            return Reply(refused.status, refused.text)
        again = {name: value for name, value in headers.items() if name == AGAIN}
        try:
            return self._dispatched(payload.judged(body), again)
        except Exception as error:  # noqa: BLE001 - the body was good: Slack shall send it again, and the door stays open
            return _fault(error)

    def _dispatched(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        from slack_bolt import BoltRequest

        told = self._app.dispatch(BoltRequest(body=body, headers=dict(headers), mode="socket_mode"))
        status = 503 if told.status == 500 else told.status
        return Reply(status, told.body if isinstance(told.body, str) else json.dumps(told.body))


def _here(body: Mapping[str, Any]) -> Reply:
    """Slack asks whether the address is ours, and wants its word back (docs.slack.dev, "url_verification")."""
    word = body.get("challenge")
    if not isinstance(word, str):
        raise ValueError("no challenge")
    return Reply(200, json.dumps({"challenge": word}), "application/json")


def _parsed(body: str, content_type: str) -> Any:
    """What a body holds: JSON, a form, or a form with JSON in it."""
    if body[:1] in ("{", "[") or content_type.startswith("application/json"):
        return json.loads(body)
    form = dict(parse_qsl(body, keep_blank_values=True))
    return json.loads(form["payload"]) if "payload" in form else form


def _fault(error: Exception) -> Reply:
    LOG.error("a delivery of Slack was not kept, by a fault of opsbot's: %s", _words(error))
    return Reply(503)


def _words(error: BaseException) -> str:
    return str(mask(f"{type(error).__name__}: {error}").cut(300))


def _on_one_line(record: logging.LogRecord) -> bool:
    """The library's own errors, masked, without a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    text = " ".join(record.getMessage().split())
    record.msg = str(mask(f"{text} ({type(error).__name__}: {error})" if error else text).cut(300))
    record.args, record.exc_info, record.exc_text = (), None, None
    return True
