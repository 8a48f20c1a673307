"""What people do in the fake Slack: they type, click, fill in modals; and what those do who only pretend to.

Every act comes back as a Delivery that is on its way to the app already. What the app answers with its ack (a reply to
a command, errors for a modal) is carried out here too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsbot.testing.slack import payloads
from opsbot.testing.slack.api import written
from opsbot.testing.slack.deliveries import Deliveries, Delivery
from opsbot.testing.slack.limits import modal
from opsbot.testing.slack.methods import SlackError, numbered
from opsbot.testing.slack.world import SLACKBOT, Json, Message, View, World

TROUBLE = {
    "timeout": "opsbot did not answer in time (operation_timeout).",
    "no_connection": "opsbot is not connected (dispatch_failed).",
}


class Acts:
    """The hands of people. `base` is the URL at which the fake is reached."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self.world, self.deliveries = world, deliveries
        self.base = "http://127.0.0.1:0"

    @property
    def _responses(self) -> str:
        return f"{self.base}/response/"

    def _known(self, user: str, channel: str = "") -> str:
        """The channel that is meant; LookupError for people and channels that do not exist."""
        if user not in self.world.people:
            raise LookupError(f"nobody is called {user!r}: say person({user!r}, name) first")
        meant = channel or self.world.channel
        if meant not in self.world.channels:
            raise LookupError(f"there is no channel {meant!r}")
        return meant

    def _send(self, kind: str, payload: Json, envelope: str = "") -> Delivery:
        return self.deliveries.send(Delivery(kind, payload), envelope)

    def type_command(self, user: str, command: str, text: str = "", channel: str = "") -> Delivery:
        """Type a slash command into the channel."""
        with self.world.lock:
            where = self._known(user, channel)
            return self._send(
                "slash_commands", payloads.command(self.world, user, (command, text), where, self._responses)
            )

    def say(self, user: str, text: str, channel: str = "", thread_ts: str = "") -> Message:
        """Write a message that does not name the bot; the app does not hear of it."""
        with self.world.lock:
            return self.world.post(self._known(user, channel), user, text, thread_ts=thread_ts)

    def mention(self, user: str, text: str, channel: str = "", thread_ts: str = "") -> Delivery:
        """Write a message that names the bot first."""
        with self.world.lock:
            made = self.say(user, f"<@{self.world.bot_user}> {text}", channel, thread_ts)
            return self._send("events_api", payloads.mention(self.world, made))

    def click(self, user: str, ts: str, action_id: str, value: str | None = None) -> Delivery:
        """Press a button of a message (or of an open modal, by its id), or choose an option by its value.

        LookupError where no such thing can be seen by this person.
        """
        with self.world.lock:
            self._known(user)
            view = self.world.views.get(ts)
            if view is not None and view.user == user:
                pressed = payloads.pressed(*self._element(view.blocks, action_id), value)
                return self._send("interactive", payloads.click_in_view(self.world, view, pressed))
            message = self._seen(user, ts)
            pressed = payloads.pressed(*self._element(message.blocks, action_id), value)
            return self._send("interactive", payloads.click(self.world, user, message, pressed, self._responses))

    def _seen(self, user: str, ts: str) -> Message:
        own = (whisper for whisper in self.world.whispers if whisper.only_for == user)
        for found in (*self.world.messages.values(), *own):
            if found.ts == ts:
                return found
        raise LookupError(f"{user} sees no message {ts}")

    @staticmethod
    def _element(blocks: Any, action_id: str) -> tuple[str, Json]:
        for block_id, element in payloads.elements(blocks):
            if element["action_id"] == action_id:
                return block_id, element
        raise LookupError(f"nothing here is called {action_id!r}")

    def submit(self, user: str, view_id: str, values: Mapping[str, str]) -> Delivery:
        """Fill in a modal, by action_id, and send it.

        LookupError for a field that is not there; ValueError for a needed one left empty, as Slack would not send it.
        """
        with self.world.lock:
            view = self._view(user, view_id)
            fields = dict(payloads.elements([block for block in view.blocks if block["type"] == "input"]))
            unknown = set(values) - {element["action_id"] for element in fields.values()}
            if unknown:
                raise LookupError(f"the modal has no field {', '.join(sorted(unknown))}")
            for block in view.blocks:
                if block["type"] == "input" and not block.get("optional"):
                    self._needed(block, values.get(fields[block["block_id"]]["action_id"], ""))
            state = {
                block_id: {element["action_id"]: payloads.filled(element, values.get(element["action_id"], ""))}
                for block_id, element in fields.items()
            }
            self.world.views[view_id] = replace(view, errors={})
            return self._send("interactive", payloads.submission(self.world, view, state))

    @staticmethod
    def _needed(block: Json, text: str) -> None:
        if not text.strip():
            raise ValueError(f"{block['label']['text']}: this field is needed")

    def _view(self, user: str, view_id: str) -> View:
        found = self.world.views.get(view_id)
        if found is None or found.user != user:
            raise LookupError(f"{user} has no modal {view_id} open")
        return found

    def close(self, user: str, view_id: str) -> Delivery | None:
        """Close a modal; the app hears of it only where it asked to (notify_on_close)."""
        with self.world.lock:
            view = self._view(user, view_id)
            del self.world.views[view_id]
            if not view.spec.get("notify_on_close"):
                return None
            return self._send("interactive", payloads.closing(self.world, view))

    # pretending ------------------------------------------------------------------------------------------------------

    def deliver(self, kind: str, payload: Json) -> Delivery:
        """Send the app anything at all, in an envelope of this kind."""
        return self._send(kind, copy.deepcopy(payload))

    def replay(self, delivery: Delivery) -> Delivery:
        """Send the same payload under the same envelope id once more."""
        return self._send(delivery.kind, copy.deepcopy(delivery.payload), delivery.envelopes[0])

    def forge(self, delivery: Delivery, *, team: str = "", app: str = "", channel: str = "", user: str = "",
              value: str | None = None) -> Delivery:  # fmt: skip
        """Send a copy that says it comes from elsewhere, under new ids; `value` is that of the button pressed."""
        with self.world.lock:
            return self._send(delivery.kind, self.forged(
                delivery.payload, {"team": team, "app": app, "channel": channel, "user": user}, value
            ))  # fmt: skip

    def forged(self, payload: Json, others: Mapping[str, str], value: str | None = None) -> Json:
        """The changed copy alone."""
        named = {**payload, **payload.get("event", {})}
        ids = {
            "team": self.world.team, "app": self.world.app,
            "channel": named.get("channel_id") or _id(named.get("channel")),
            "user": named.get("user_id") or _id(named.get("user")),
        }  # fmt: skip
        changes = {ids[key]: other for key, other in others.items() if other and ids[key]}
        made: Json = payloads.renamed(payload, changes)
        if "event_id" in made:
            made["event_id"] = self.world.name("Ev")
        if "trigger_id" in made:
            made["trigger_id"] = self.world.trigger(others.get("user") or ids["user"])
        if value is not None:
            made["actions"] = [{**action, "value": value} for action in made["actions"]]
        return made

    # what the app answers --------------------------------------------------------------------------------------------

    def settled(self, delivery: Delivery) -> None:
        """Carry out what an ack says, or tell the person that nothing came."""
        with self.world.lock:
            if delivery.failed:
                self._in_vain(delivery)
            elif delivery.payload.get("type") == "view_submission":
                self._submitted(delivery)
            elif delivery.kind == "slash_commands" and isinstance(delivery.answer, dict) and delivery.answer:
                self._replied(delivery)

    def _in_vain(self, delivery: Delivery) -> None:
        view = self.world.views.get(_id(delivery.payload.get("view")))
        if view is not None:
            self.world.views[view.id] = replace(view, errors={"": TROUBLE[delivery.failed]})
        user = delivery.payload.get("user_id") or _id(delivery.payload.get("user"))
        channel = delivery.payload.get("channel_id") or _id(delivery.payload.get("channel"))
        if user in self.world.people and channel in self.world.channels:
            self.world.post(channel, SLACKBOT, TROUBLE[delivery.failed], only_for=user)

    def _replied(self, delivery: Delivery) -> None:
        hook = self.world.hooks.get(str(delivery.payload.get("response_url", "")).rpartition("/")[2])
        if hook is None:
            return
        try:
            written(self.world, hook, delivery.answer)
        except SlackError as error:
            self.world.post(hook.channel, SLACKBOT, f"opsbot's answer was refused: {error}", only_for=hook.user)

    def _submitted(self, delivery: Delivery) -> None:
        view = self.world.views.get(_id(delivery.payload.get("view")))
        if view is None:
            return
        told = delivery.answer if isinstance(delivery.answer, dict) else {}
        action = told.get("response_action", "")
        if action == "errors" and isinstance(told.get("errors"), dict):
            errors = {str(key): str(value) for key, value in told["errors"].items()}
            self.world.views[view.id] = replace(view, errors=errors)
        elif action in ("update", "push"):
            self._shown_next(view, told.get("view"))
        else:
            del self.world.views[view.id]

    def _shown_next(self, view: View, spec: Any) -> None:
        wrong = modal(spec)
        if wrong:
            self.world.views[view.id] = replace(view, errors={"": "; ".join(wrong)})
        else:
            blocks = [numbered(block, place) for place, block in enumerate(spec["blocks"])]
            self.world.open(view.user, {**spec, "blocks": blocks}, view.id)


def _id(value: Any) -> str:
    """The id in `{"id": …}`, or an id itself."""
    found = value.get("id", "") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""
