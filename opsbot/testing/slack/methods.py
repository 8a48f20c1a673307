"""The Web API's methods: a world and arguments in, the answer's fields out, or SlackError with Slack's own word.

Words are those of docs.slack.dev, "Methods". What the bot may not do here it may not do there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from opsbot.testing.slack import limits
from opsbot.testing.slack.world import Channel, Json, Message, View, World

Args = Mapping[str, Any]


class SlackError(Exception):
    """A refusal; `more` goes into the answer beside the error's name."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.more = more


def said(args: Args, key: str) -> str:
    """An argument as text; empty where it is missing or no scalar."""
    value = args.get(key, "")
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def channel_of(world: World, args: Args) -> Channel:
    """The channel that is meant, by id or by #name, where the bot may write."""
    wanted = said(args, "channel")
    for found in world.channels.values():
        if wanted and wanted in (found.id, f"#{found.name}"):
            if not found.joined:
                raise SlackError("not_in_channel")
            return found
    raise SlackError("channel_not_found")


def shown(message: Message, world: World) -> Json:
    """A message as the Web API tells it."""
    made: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": world.team}
    if message.user == world.bot_user:
        made |= {"bot_id": world.bot, "app_id": world.app}
    if message.blocks:
        made["blocks"] = list(message.blocks)
    if message.metadata is not None:
        made["metadata"] = message.metadata
    if message.edited:
        made["edited"] = {"user": message.user, "ts": message.ts}
    replies = [] if message.thread_ts or message.only_for else world.thread(message.channel, message.ts)[1:]
    if replies:
        made |= {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
    elif message.thread_ts:
        made["thread_ts"] = message.thread_ts
    return made


def view_shown(view: View, world: World) -> Json:
    """A modal as the Web API tells it."""
    spec = {"private_metadata": "", "callback_id": "", "submit": None, "close": None, **view.spec}
    rest: Json = {
        "id": view.id, "team_id": world.team, "app_id": world.app, "bot_id": world.bot, "hash": view.hash,
        "root_view_id": view.id, "previous_view_id": None, "external_id": "", "state": {"values": {}},
        "clear_on_close": False, "notify_on_close": False,
    }  # fmt: skip
    return {**rest, **spec}


def content(args: Args) -> tuple[str, list[Json] | None]:
    """Text and blocks of a message that Slack would take; blocks None where the call names none."""
    text, blocks = said(args, "text"), args.get("blocks")
    if len(text) > limits.TEXT:
        raise SlackError("msg_too_long")
    if blocks is None or blocks == "":
        return text, None
    if isinstance(blocks, str):
        raise SlackError("invalid_blocks_format")
    wrong = limits.message(blocks)
    if wrong:
        raise SlackError("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
    if limits.words(blocks) > limits.ALL_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")
    return text, [numbered(block, place) for place, block in enumerate(blocks)]


def numbered(block: Json, place: int) -> Json:
    """A block with ids where the app gave none: Slack fills them in too."""
    named = {"block_id": f"b{place}", **block}
    if block["type"] == "actions":
        named["elements"] = [{"action_id": f"a{n}", **element} for n, element in enumerate(block["elements"])]
    return named


def auth_test(world: World, _args: Args) -> Json:
    """Who the token is."""
    return {
        "url": "https://opsbot-test.slack.example/", "team": "opsbot test", "user": "opsbot", "team_id": world.team,
        "user_id": world.bot_user, "bot_id": world.bot, "is_enterprise_install": False,
    }  # fmt: skip


def post_message(world: World, args: Args) -> Json:
    """A new message, in the channel or in a thread."""
    channel, (text, blocks) = channel_of(world, args), content(args)
    if not text and not blocks:
        raise SlackError("no_text")
    root = root_of(world, channel.id, said(args, "thread_ts"))
    metadata = args.get("metadata") if isinstance(args.get("metadata"), dict) else None
    made = world.post(channel.id, world.bot_user, text, blocks=blocks or (), thread_ts=root, metadata=metadata)
    return {"channel": channel.id, "ts": made.ts, "message": shown(made, world)}


def root_of(world: World, channel: str, ts: str) -> str:
    """The thread that a reply goes to: where its root is gone, Slack posts to the channel and says nothing of it.

    Seen in the answer alone, which has no `thread_ts` then (github.com/slack-go/slack, issue 1571).
    """
    found = world.messages.get((channel, ts))
    return "" if found is None else found.thread_ts or found.ts


def own_message(world: World, args: Args, refusal: str) -> Message:
    """The bot's own message that is meant; SlackError with this word where it is somebody else's."""
    found = world.messages.get((channel_of(world, args).id, said(args, "ts")))
    if found is None:
        raise SlackError("message_not_found")
    if found.user != world.bot_user:
        raise SlackError(refusal)
    return found


def update(world: World, args: Args) -> Json:
    """Something else in its place. A text without blocks removes the old blocks."""
    found, (text, blocks) = own_message(world, args, "cant_update_message"), content(args)
    if not text and not blocks:
        raise SlackError("no_text")
    metadata = args["metadata"] if isinstance(args.get("metadata"), dict) else found.metadata
    made = world.edit(found, text=text, blocks=blocks or (), metadata=metadata)
    return {"channel": made.channel, "ts": made.ts, "text": text, "message": shown(made, world)}


def delete(world: World, args: Args) -> Json:
    """Take an own message away."""
    found = own_message(world, args, "cant_delete_message")
    del world.messages[found.channel, found.ts]
    return {"channel": found.channel, "ts": found.ts}


def post_ephemeral(world: World, args: Args) -> Json:
    """A message that one person sees."""
    channel, (text, blocks), user = channel_of(world, args), content(args), said(args, "user")
    if not text and not blocks:
        raise SlackError("no_text")
    if user not in world.people:
        raise SlackError("user_not_in_channel")
    root = said(args, "thread_ts")
    made = world.post(channel.id, world.bot_user, text, blocks=blocks or (), thread_ts=root, only_for=user)
    return {"message_ts": made.ts}


def permalink(world: World, args: Args) -> Json:
    """The address of a message."""
    channel, ts = channel_of(world, args).id, said(args, "message_ts")
    if (channel, ts) not in world.messages:
        raise SlackError("message_not_found")
    return {
        "channel": channel,
        "permalink": f"https://opsbot-test.slack.example/archives/{channel}/p{ts.replace('.', '')}",
    }


def _limit(args: Args) -> int:
    wanted = said(args, "limit")
    return min(int(wanted), 999) if wanted.isdecimal() and int(wanted) else 100


def history(world: World, args: Args) -> Json:
    """What stands in a channel, newest first."""
    found = world.top(channel_of(world, args).id)[::-1]
    oldest, latest = said(args, "oldest") or "0", said(args, "latest") or "9"
    found = [message for message in found if oldest < message.ts < latest]
    most = _limit(args)
    return {"messages": [shown(message, world) for message in found[:most]], "has_more": len(found) > most}


def replies(world: World, args: Args) -> Json:
    """A thread, its root first."""
    found = world.thread(channel_of(world, args).id, said(args, "ts"))
    if not found:
        raise SlackError("thread_not_found")
    most = _limit(args)
    return {"messages": [shown(message, world) for message in found[:most]], "has_more": len(found) > most}


def channel_info(world: World, args: Args) -> Json:
    """A channel's name."""
    found = next((one for one in world.channels.values() if one.id == said(args, "channel")), None)
    if found is None:
        raise SlackError("channel_not_found")
    return {"channel": {"id": found.id, "name": found.name, "is_channel": True, "is_member": found.joined}}


def user_info(world: World, args: Args) -> Json:
    """A person's name."""
    found = world.people.get(said(args, "user"))
    if found is None:
        raise SlackError("user_not_found")
    profile = {"real_name": found.name, "display_name": found.name}
    rest = {"team_id": world.team, "is_bot": found.bot, "deleted": False, "profile": profile}
    return {"user": {"id": found.id, "name": found.name, "real_name": found.name, **rest}}


def _spec(args: Args) -> Json:
    view = args.get("view")
    wrong = limits.modal(view)
    if wrong or not isinstance(view, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": wrong})
    if len(json.dumps(view)) > 250_000:
        raise SlackError("view_too_large")
    return {**view, "blocks": [numbered(block, place) for place, block in enumerate(view["blocks"])]}


def open_view(world: World, args: Args) -> Json:
    """Open a modal with a trigger_id."""
    spec = _spec(args)
    user, wrong = world.spend(said(args, "trigger_id"))
    if wrong:
        raise SlackError(wrong)
    return {"view": view_shown(world.open(user, spec), world)}


def update_view(world: World, args: Args) -> Json:
    """Show something else in an open modal."""
    spec, found = _spec(args), world.views.get(said(args, "view_id"))
    if found is None:
        raise SlackError("not_found")
    if said(args, "hash") not in ("", found.hash):
        raise SlackError("hash_conflict")
    return {"view": view_shown(world.open(found.user, spec, found.id), world)}


METHODS: dict[str, Callable[[World, Args], Json]] = {
    "auth.test": auth_test,
    "chat.delete": delete,
    "chat.getPermalink": permalink,
    "chat.postEphemeral": post_ephemeral,
    "chat.postMessage": post_message,
    "chat.update": update,
    "conversations.history": history,
    "conversations.info": channel_info,
    "conversations.replies": replies,
    "users.info": user_info,
    "views.open": open_view,
    "views.update": update_view,
}
"""What a bot token can call; apps.connections.open, for the app token, belongs to the sockets."""
