"""What Slack tells an app about an act: a world and who did what in, the payload out.

Shapes are those of docs.slack.dev: "Slash commands", "block_actions payload", "view_submission payload", "app_mention".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsbot.testing.slack.methods import shown, view_shown
from opsbot.testing.slack.world import Json, Message, View, World

DOMAIN = "opsbot-test"
TOKEN = "verification-token-of-old"  # noqa: S105 - Slack still sends it, and nobody should trust it


def _user(world: World, user: str) -> Json:
    name = world.people[user].name
    return {"id": user, "username": name, "name": name, "team_id": world.team}


def _base(world: World, user: str) -> Json:
    return {
        "user": _user(world, user), "api_app_id": world.app, "token": TOKEN, "trigger_id": world.trigger(user),
        "team": {"id": world.team, "domain": DOMAIN}, "enterprise": None, "is_enterprise_install": False,
    }  # fmt: skip


def command(world: World, user: str, words: tuple[str, str], channel: str, responses: str) -> Json:
    """A slash command; `words` are the command and its text, `responses` the URL below which hooks answer."""
    return {
        "token": TOKEN, "team_id": world.team, "team_domain": DOMAIN, "channel_id": channel,
        "channel_name": world.channels[channel].name, "user_id": user, "user_name": world.people[user].name,
        "command": words[0], "text": words[1], "api_app_id": world.app, "is_enterprise_install": "false",
        "response_url": responses + world.hook(user, channel), "trigger_id": world.trigger(user),
    }  # fmt: skip


def click(world: World, user: str, message: Message, pressed: Json, responses: str) -> Json:
    """A click on an element of a message."""
    root = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    where = {"message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": bool(message.only_for)}
    hook = world.hook(user, message.channel, message.ts, message.thread_ts)
    return {
        "type": "block_actions", **_base(world, user), "container": {"type": "message", **where, **root},
        "channel": {"id": message.channel, "name": world.channels[message.channel].name},
        "message": shown(message, world), "state": {"values": {}}, "response_url": responses + hook,
        "actions": [{**pressed, "action_ts": world.stamp()}],
    }  # fmt: skip


def click_in_view(world: World, view: View, pressed: Json) -> Json:
    """A click on an element of a modal."""
    return {
        "type": "block_actions", **_base(world, view.user), "container": {"type": "view", "view_id": view.id},
        "view": view_shown(view, world), "actions": [{**pressed, "action_ts": world.stamp()}],
    }  # fmt: skip


def submission(world: World, view: View, values: Mapping[str, Mapping[str, Any]]) -> Json:
    """A modal that was filled in; `values` by block_id and action_id, as in `state.values`."""
    held = {**view_shown(view, world), "state": {"values": values}}
    return {"type": "view_submission", **_base(world, view.user), "view": held, "response_urls": []}


def closing(world: World, view: View) -> Json:
    """A modal that was closed without being sent."""
    base = {key: value for key, value in _base(world, view.user).items() if key != "trigger_id"}
    return {"type": "view_closed", **base, "view": view_shown(view, world), "is_cleared": False}


def mention(world: World, message: Message) -> Json:
    """A message that names the bot."""
    root = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    event = {
        "type": "app_mention", "user": message.user, "text": message.text, "ts": message.ts, "team": world.team,
        "channel": message.channel, "event_ts": message.ts, "client_msg_id": world.name("m"), **root,
    }  # fmt: skip
    return {**_event(world, int(message.ts.partition(".")[0])), "event": event}


def _event(world: World, seconds: int) -> Json:
    bot = {"enterprise_id": None, "team_id": world.team, "user_id": world.bot_user, "is_bot": True}
    return {
        "token": TOKEN, "team_id": world.team, "api_app_id": world.app, "type": "event_callback",
        "event_id": world.name("Ev"), "event_time": seconds, "is_ext_shared_channel": False,
        "authorizations": [{**bot, "is_enterprise_install": False}], "event_context": world.name("4-"),
    }  # fmt: skip


def elements(blocks: Any) -> Iterator[tuple[str, Json]]:
    """Everything in blocks that can be pressed or filled in, with the block_id it stands in."""
    for block in blocks:
        for found in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if isinstance(found, dict) and "action_id" in found:
                yield block["block_id"], found


def pressed(block_id: str, element: Json, value: str | None = None) -> Json:
    """A press on a button, or a choice in a menu (`value` is the option's)."""
    made = {"block_id": block_id, "action_id": element["action_id"], "type": element["type"]}
    if element["type"] == "button":
        made |= {key: element[key] for key in ("text", "value", "style") if key in element}
        return made if value is None else {**made, "value": value}
    return {**made, "selected_option": chosen(element, value or "")}


def chosen(element: Json, value: str) -> Json:
    """The option of a menu with this value; LookupError where there is none."""
    for option in element.get("options", ()):
        if option.get("value") == value:
            return dict(option)
    raise LookupError(f"{element['action_id']} has no option {value!r}")


def filled(element: Json, text: str) -> Json:
    """The state of a field with this in it; nothing for an empty one."""
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": text or None}
    return {"type": element["type"], "selected_option": chosen(element, text) if text else None}


def renamed(payload: Any, names: Mapping[str, str]) -> Any:
    """A copy of a payload in which every string that is one of `names` became another."""
    if isinstance(payload, dict):
        return {key: renamed(value, names) for key, value in payload.items()}
    if isinstance(payload, list):
        return [renamed(value, names) for value in payload]
    return names.get(payload, payload) if isinstance(payload, str) else payload
