"""The workspace itself: people, channels, messages, modals, and the tickets that acts hand out.

Values in, values out; `now` comes from the clock it was given. It knows nothing of HTTP, tokens or sockets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

SLACKBOT = "USLACKBOT"
TRIGGER_LIFE = timedelta(seconds=3)
"""How long a modal may be opened after an act (docs.slack.dev, "Handling user interaction")."""
HOOK_LIFE = timedelta(minutes=30)
HOOK_USES = 5
"""How long and how often a response_url may be used (docs.slack.dev, same page)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or the bot itself."""

    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; the bot can read and write in it only when it has `joined`."""

    id: str
    name: str
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands now. `thread_ts` is empty at the channel's top level; `only_for` names who sees it."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: Sequence[Json] = ()
    thread_ts: str = ""
    edited: bool = False
    metadata: Json | None = None
    only_for: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A modal that somebody has open. `errors` are by block_id, as the app's last answer gave them."""

    id: str
    user: str
    spec: Json
    hash: str
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def callback_id(self) -> str:
        """What the app calls this kind of modal."""
        return str(self.spec.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the app hid in it."""
        return str(self.spec.get("private_metadata", ""))

    @property
    def title(self) -> str:
        """The words at its top."""
        return str(self.spec["title"]["text"])

    @property
    def blocks(self) -> Sequence[Json]:
        """What it shows."""
        return list(self.spec["blocks"])


@dataclass(frozen=True, slots=True)
class Hook:
    """What a response_url leads to."""

    user: str
    channel: str
    ends: datetime
    message_ts: str = ""
    thread_ts: str = ""
    left: int = HOOK_USES


class World:
    """What there is. Callers hold `lock` while they read and write."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.team, self.app, self.bot = "T0OPSBOT1", "A0OPSBOT1", "B0OPSBOT1"
        self.bot_user, self.channel = "U0OPSBOT1", "C0INCIDENT"
        self.people = {SLACKBOT: Person(SLACKBOT, "Slackbot", bot=True)}
        self.people[self.bot_user] = Person(self.bot_user, "opsbot", bot=True)
        self.channels = {self.channel: Channel(self.channel, "incidents")}
        self.messages: dict[tuple[str, str], Message] = {}
        self.whispers: list[Message] = []
        self.views: dict[str, View] = {}
        self.hooks: dict[str, Hook] = {}
        self._triggers: dict[str, tuple[str, datetime] | None] = {}
        self._last, self._made = 0, 0

    def stamp(self) -> str:
        """A ts of its own for each call: the clock's time, and a little later where that is taken."""
        self._last = max(int(self.clock().timestamp() * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def name(self, prefix: str) -> str:
        """An id that nothing else has."""
        self._made += 1
        return f"{prefix}{self._made:09d}"

    # messages --------------------------------------------------------------------------------------------------------

    def post(self, channel: str, user: str, text: str, **more: Any) -> Message:
        """Put a message into a channel, or before one person's eyes only (`only_for`)."""
        made = Message(self.stamp(), channel, user, text, **more)
        if made.only_for:
            self.whispers.append(made)
        else:
            self.messages[channel, made.ts] = made
        return made

    def edit(self, message: Message, **changes: Any) -> Message:
        """The message with something else in it, marked as edited."""
        made = replace(message, edited=True, **changes)
        self.messages[made.channel, made.ts] = made
        return made

    def top(self, channel: str) -> list[Message]:
        """What stands in the channel itself, oldest first."""
        return [found for found in self.messages.values() if found.channel == channel and not found.thread_ts]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A thread with its root first; empty where there is no such root."""
        root = self.messages.get((channel, ts))
        return [] if root is None else [root, *self._replies(channel, ts)]

    def _replies(self, channel: str, ts: str) -> Iterator[Message]:
        return (found for found in self.messages.values() if (found.channel, found.thread_ts) == (channel, ts))

    # tickets ---------------------------------------------------------------------------------------------------------

    def trigger(self, user: str) -> str:
        """A trigger_id with which an app may open one modal for this person."""
        made = self.name("") + "." + self.name("")
        self._triggers[made] = (user, self.clock() + TRIGGER_LIFE)
        return made

    def spend(self, trigger: str) -> tuple[str, str]:
        """Use up a trigger: (whose it was, ""), or ("", Slack's name of what is wrong with it)."""
        if trigger not in self._triggers:
            return "", "invalid_trigger_id"
        held = self._triggers[trigger]
        if held is None:
            return "", "exchanged_trigger_id"
        if held[1] < self.clock():
            return "", "expired_trigger_id"
        self._triggers[trigger] = None
        return held[0], ""

    def hook(self, user: str, channel: str, message_ts: str = "", thread_ts: str = "") -> str:
        """A new response_url's own part."""
        made = self.name("H")
        self.hooks[made] = Hook(user, channel, self.clock() + HOOK_LIFE, message_ts, thread_ts)
        return made

    # modals ----------------------------------------------------------------------------------------------------------

    def open(self, user: str, spec: Json, view_id: str = "") -> View:
        """Show a modal (in place of the one of this id)."""
        made = View(view_id or self.name("V"), user, spec, self.stamp())
        self.views[made.id] = made
        return made

    def view_of(self, user: str) -> View | None:
        """The modal that lies on top for this person."""
        return next((view for view in reversed(self.views.values()) if view.user == user), None)
