"""The page's side: its files out, what the chosen person sees out as JSON, what they do in.

Acts are taken as application/json only: another site's page cannot send that without asking first, and is not answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from opsbot.testing.cluster.wire import Request, Response, answer, text
from opsbot.testing.slack.methods import shown, view_shown
from opsbot.testing.slack.world import Json, Message

if TYPE_CHECKING:
    from opsbot.testing.slack.fake import FakeSlack

FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
}  # fmt: skip
MOST = 500
"""Messages told at once, the newest ones."""


def handle(slack: FakeSlack, request: Request) -> Response:
    """Answer the browser."""
    if request.method == "GET" and request.path in FILES:
        name, content_type = FILES[request.path]
        return Response(200, files(__package__).joinpath(name).read_bytes(), content_type, POLICY)
    if request.method == "GET" and request.path == "/state":
        return answer(state(slack, request.query.get("person", ""), request.query.get("channel", "")))
    if request.method == "POST" and request.path == "/act":
        return act(slack, request)
    return text("there is nothing here", 404)


def state(slack: FakeSlack, person: str, channel: str) -> Json:
    """All that a person sees in a channel."""
    world = slack.world
    with world.lock:
        where = channel if channel in world.channels else world.channel
        seen = [message for message in world.messages.values() if message.channel == where]
        seen += [whisper for whisper in world.whispers if (whisper.channel, whisper.only_for) == (where, person)]
        view = world.view_of(person)
        return {
            "team": world.team, "bot": world.bot_user, "connections": slack.connections, "channel": where,
            "people": [{"id": one.id, "name": one.name, "bot": one.bot} for one in world.people.values()],
            "channels": [{"id": one.id, "name": one.name} for one in world.channels.values()],
            "messages": [_told(slack, message) for message in sorted(seen, key=lambda message: message.ts)[-MOST:]],
            "view": None if view is None else {**view_shown(view, world), "errors": dict(view.errors)},
        }  # fmt: skip


def _told(slack: FakeSlack, message: Message) -> Json:
    return {**shown(message, slack.world), "root": message.thread_ts, "private": bool(message.only_for)}


def act(slack: FakeSlack, request: Request) -> Response:
    """Do what a person does in the page."""
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError):
        asked = None
    if request.content_type != "application/json" or not isinstance(asked, dict):
        return text("an act is a JSON object", 400)
    do = ACTS.get(str(asked.get("do")))
    if do is None:
        return text("nobody can do that here", 400)
    try:
        do(slack, {str(key): value for key, value in asked.items()})
    except (LookupError, ValueError) as error:
        return answer({"ok": False, "error": str(error.args[0] if error.args else error)})
    return answer({"ok": True})


def _word(asked: Json, key: str) -> str:
    value = asked.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text")
    return value


def _write(slack: FakeSlack, asked: Json) -> None:
    """Text as it was typed: a command, a mention, or words among people."""
    words, user = _word(asked, "text").strip(), _word(asked, "person")
    channel, root = _word(asked, "channel"), _word(asked, "thread")
    named = f"@{slack.world.people[slack.bot_user].name}"
    if not words:
        raise ValueError("there is nothing to send")
    if words.startswith("/"):
        if root:
            raise ValueError("commands cannot be used in threads: write @opsbot and the words")
        command, _, rest = words.partition(" ")
        slack.type_command(user, command, rest.strip(), channel)
    elif words.startswith(named) and words[len(named) :][:1] in ("", " "):
        slack.mention(user, escaped(words[len(named) :].strip()), channel, root)
    else:
        slack.say(user, escaped(words), channel, root)


def escaped(words: str) -> str:
    """What people type, as Slack passes it on."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _click(slack: FakeSlack, asked: Json) -> None:
    value = asked.get("value")
    chosen = value if isinstance(value, str) else None
    slack.click(_word(asked, "person"), _word(asked, "ts"), _word(asked, "action"), chosen)


def _submit(slack: FakeSlack, asked: Json) -> None:
    values: Any = asked.get("values")
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ValueError("values are texts by field")
    slack.submit(_word(asked, "person"), _word(asked, "view"), values)


def _close(slack: FakeSlack, asked: Json) -> None:
    slack.close(_word(asked, "person"), _word(asked, "view"))


ACTS: dict[str, Callable[[FakeSlack, Json], None]] = {
    "write": _write, "click": _click, "submit": _submit, "close": _close,
}  # fmt: skip
