"""An error in, a sentence for a person out, in the same words at every door."""

from __future__ import annotations

from opsbot.core.errors import Blind, Conflict, OpsbotError, TemporaryError, Unknown


def sentence(error: OpsbotError) -> str:
    """An error in words for a person; the name of a refusal is for programs."""
    match error:
        case Conflict():
            return "somebody changed it at the same moment: look again, then repeat"
        case Blind():
            return f"cannot be seen: {error}"
        case Unknown():
            return f"sent, but nobody confirmed it: {error}"
        case TemporaryError():
            return f"not done, try again later: {error}"
        case _:
            return str(error)
