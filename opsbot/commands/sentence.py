"""An error in, a sentence for a person out, in the same words at every door."""

from __future__ import annotations

from opsbot.core.errors import Blind, Conflict, OpsbotError, Refused, TemporaryError, Unknown


def sentence(error: OpsbotError) -> str:
    """An error in words for a person."""
    match error:
        case Conflict():
            return "somebody changed it at the same moment: look again, then repeat"
        case Blind():
            return f"cannot be seen: {error}"
        case Unknown():
            return f"sent, but nobody confirmed it: {error}"
        case TemporaryError():
            return f"not done, try again later: {error}"
        case Refused():
            return f"refused ({error.reason}): {error}"
        case _:
            return str(error)
