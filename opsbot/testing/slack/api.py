"""The Web API's door: an HTTP request in, Slack's envelope out. Tokens, formats, rates and ordered faults live here."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from opsbot.testing.cluster.wire import Request, Response, answer
from opsbot.testing.slack.faults import Fault, Order, dead, refused
from opsbot.testing.slack.methods import METHODS, Args, SlackError, content, said
from opsbot.testing.slack.world import Hook, Json, World

OPEN = "apps.connections.open"
JSON_ARGUMENTS = ("attachments", "blocks", "metadata", "view")
RATES = {
    "chat.postMessage": (1, timedelta(seconds=1)), "chat.update": (50, timedelta(minutes=1)),
    "views.open": (100, timedelta(minutes=1)), "conversations.history": (50, timedelta(minutes=1)),
}  # fmt: skip
"""So many calls in so long a time, per channel for posts (docs.slack.dev, "Rate limits": special, tiers 3 and 4)."""
KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call that came in, without its token. `error` is empty when it was answered with ok."""

    method: str
    args: Json
    ok: bool
    error: str = ""


@dataclass(slots=True)
class Tokens:
    """What proves who calls: each method takes one of the two, auth.test takes both."""

    bot: str = "xoxb-0000-opsbot-test"
    app: str = "xapp-1-A0OPSBOT1-opsbot-test"

    def wrong_for(self, method: str, token: str) -> str:
        """Slack's name of what is wrong with a token; empty when it will do."""
        if not token:
            return "not_authed"
        if token not in (self.bot, self.app):
            return "invalid_auth"
        fitting = self.app if method == OPEN else self.bot
        return "" if token == fitting or method == "auth.test" else "not_allowed_token_type"


class WebApi:
    """`handle` answers calls of methods and posts to response_urls; it never raises."""

    def __init__(self, world: World, tokens: Tokens, open_socket: Callable[[], str], *, rate_limited: bool) -> None:
        self.world, self.tokens, self.rate_limited = world, tokens, rate_limited
        self.calls: deque[Call] = deque(maxlen=KEPT)
        self.orders: list[Order] = []
        self.is_down = False
        self._open_socket = open_socket
        self._times: dict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def handle(self, request: Request) -> Response:
        """One request, and what was ordered for it."""
        with self.world.lock:
            fault = dead() if self.is_down else self._ordered(request)
            made = self._made(request) if fault is None or fault.applies else None
            return fault.bend(made) if fault is not None else made or Response(500)

    def _ordered(self, request: Request) -> Fault | None:
        for order in self.orders:
            if order.fits(request.method, request.path, request.query):
                order.times -= 1
                return order.fault
        return None

    def _made(self, request: Request) -> Response:
        if request.path.startswith("/response/"):
            return self._respond(request)
        method = request.path.removeprefix("/api/")
        args = arguments(request)
        if args is None:
            return self._noted(method, {}, refused("invalid_json"))
        token = request.token or said(args, "token")
        given = {key: value for key, value in args.items() if key != "token"}
        return self._noted(method, given, self._called(method, given, token))

    def _called(self, method: str, args: Args, token: str) -> Response:
        wrong = "" if method in (*METHODS, OPEN) else "unknown_method"
        wrong = wrong or self.tokens.wrong_for(method, token)
        if wrong:
            return refused(wrong)
        wait = self._wait(method, said(args, "channel"))
        if wait:
            return refused("ratelimited", 429, {"Retry-After": str(wait)})
        if method == "auth.test" and token == self.tokens.app:
            return answer({"ok": True, "app_name": "opsbot", "app_id": self.world.app})
        if method == OPEN:
            return answer({"ok": True, "url": self._open_socket()})
        try:
            return answer({"ok": True, **METHODS[method](self.world, args)})
        except SlackError as error:
            return refused(str(error), **error.more)

    def _noted(self, method: str, args: Json, made: Response) -> Response:
        told = made.json
        self.calls.append(Call(method, args, told["ok"], told.get("error", "")))
        return made

    def _wait(self, method: str, channel: str) -> int:
        """How many seconds a call must wait, 0 for none."""
        if not self.rate_limited or method not in RATES:
            return 0
        most, within = RATES[method]
        times = self._times[method, channel if method == "chat.postMessage" else ""]
        now = self.world.clock()
        while times and now - times[0] >= within:
            times.popleft()
        if len(times) < most:
            times.append(now)
            return 0
        left = within - (now - times[0])
        return max(1, -(-left // timedelta(seconds=1)))

    # response_url ----------------------------------------------------------------------------------------------------

    def _respond(self, request: Request) -> Response:
        name, args = request.path.removeprefix("/response/"), arguments(request)
        hook = self.world.hooks.get(name)
        if hook is None or args is None or hook.ends < self.world.clock() or not hook.left:
            wrong = "invalid_payload" if args is None else "expired_url" if hook is None or hook.left else "used_url"
            return self._noted("response_url", args or {}, refused(wrong, 404))
        self.world.hooks[name] = replace(hook, left=hook.left - 1)
        try:
            written(self.world, hook, args)
        except SlackError as error:
            return self._noted("response_url", dict(args), refused(str(error), **error.more))
        return self._noted("response_url", dict(args), answer({"ok": True}))


def written(world: World, hook: Hook, args: Args) -> None:
    """What a post to a response_url, or the answer in an ack of a command, does to the channel."""
    text, blocks = content(args)
    old = world.messages.get((hook.channel, hook.message_ts))
    if args.get("delete_original") is True and old is not None:
        del world.messages[old.channel, old.ts]
    elif args.get("replace_original") is True and old is not None:
        world.edit(old, text=text, blocks=blocks or ())
    elif text or blocks:
        only_for = "" if args.get("response_type") == "in_channel" else hook.user
        root = said(args, "thread_ts") or hook.thread_ts
        world.post(hook.channel, world.bot_user, text, blocks=blocks or (), thread_ts=root, only_for=only_for)
    else:
        raise SlackError("no_text")


def arguments(request: Request) -> Json | None:
    """The arguments of a call, from query and body; None where the body is not what it says it is."""
    found: dict[str, Any] = dict(request.query)
    text = request.body.decode("utf-8", "replace")
    if request.content_type != "application/json":
        found |= dict(parse_qsl(text, keep_blank_values=True))
        return {key: _decoded(value) if key in JSON_ARGUMENTS else value for key, value in found.items()}
    parsed = _decoded(text) if text.strip() else {}
    return found | parsed if isinstance(parsed, dict) else None


def _decoded(text: str) -> Any:
    """JSON, or the text as it is where it is none: its reader says what is wrong then."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
