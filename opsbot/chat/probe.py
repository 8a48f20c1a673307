"""Settings of the door in, a sentence on what Slack says to its tokens out. Nothing is posted, no scope is needed.

Whether the bot is in its channel would take the scope `channels:read`, which opsbot does not ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opsbot.chat import sender, tokens
from opsbot.config import Slack
from opsbot.core.errors import PermanentError

UNSEEN = "that the bot is in the channel cannot be seen with its scopes: the first card shows it"


def check(settings: Slack, timeout: int) -> str:
    """Whose the tokens are; an OpsbotError says what is wrong. Each call may take `timeout` seconds."""
    bot = tokens.read(settings.bot_token_file, "bot_token_file", "xoxb-")
    known = _asked("the bot token", bot, settings, timeout)
    _same("the bot token is of workspace", known.get("team_id"), "slack.team", settings.team)
    way = _signed(settings) if settings.mode == "http" else _line(settings, timeout)
    return f"the bot token is of workspace {settings.team}; {way}; {UNSEEN}"


def _line(settings: Slack, timeout: int) -> str:
    """Socket Mode: whose the app token is, and whether a line may be opened with it (none is)."""
    token = tokens.read(settings.app_token_file, "app_token_file", "xapp-")
    known = _asked("the app token", token, settings, timeout)
    if known.get("app_id"):  # docs.slack.dev names it for no token; Slack's own Java client does, for this kind
        _same("the app token is of app", known["app_id"], "slack.app", settings.app)
    web = sender.client(token, settings.api_url, timeout)
    _named("the app token", partial(web.apps_connections_open, app_token=token.reveal()))
    which = f"app {settings.app}" if known.get("app_id") else "whether its app is slack.app cannot be seen"
    return f"the app token may open a line ({which})"


def _signed(settings: Slack) -> str:
    tokens.read(settings.signing_secret_file, "signing_secret_file")
    return "there is a signing secret; the first request shows whether it is the right one, and of which app"


def _asked(what: str, token: tokens.Token, settings: Slack, timeout: int) -> Mapping[str, Any]:
    """auth.test: who a token is."""
    web = sender.client(token, settings.api_url, timeout)
    return sender.answered(_named(what, web.auth_test))


def _named(what: str, method: Callable[..., Any]) -> Any:
    """What Slack answers; what it has against a token, with the token's name before it."""
    try:
        return sender.called(method)
    except PermanentError as error:
        raise PermanentError(f"{what}: {error}") from None


def _same(what: str, found: Any, key: str, given: str) -> None:
    if found != given:
        shown = found if isinstance(found, str) and len(found) < 30 and found.isalnum() else "another name"
        raise PermanentError(f"{what} {shown}, and {key} says {given}")
