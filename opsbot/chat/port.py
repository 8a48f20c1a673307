"""What the room needs of a chat: said here, done by `sender`, and by fakes in tests."""

from __future__ import annotations

from typing import Any, Protocol

from opsbot.core.message import Place

Json = dict[str, Any]


class Chat(Protocol):
    """One channel of one workspace. Each call is made once; nothing is retried in here.

    TemporaryError (with `retry_after`) where it may work later; Refused("gone") where the message or thread is no more;
    Refused("bad_body") where the chat does not take what was to be shown; PermanentError for anything else.
    """

    def post(self, body: Json, thread: str = "") -> Place:
        """A new message, in the thread below `thread` where that is given."""

    def edit(self, place: Place, body: Json) -> Place:
        """Another text and other blocks for a message."""

    def tell(self, person: str, body: Json, thread: str = "") -> None:
        """A message that one person alone sees."""

    def open(self, trigger: str, view: Json) -> None:
        """A form for whoever caused the trigger, which lasts 3 seconds."""
