"""Secrets of the door: read from files at start, shown by nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from opsbot.core.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Token:
    """A secret that prints as `<secret>` wherever it is printed by mistake."""

    _text: str = field(repr=False)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._text


def read(file: Path | None, what: str, begins: str = "") -> Token:
    """The secret in a file; PermanentError names the file and what it should hold, never what it holds."""
    if file is None:
        raise PermanentError(f"slack.{what} is not given")
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(f"slack.{what}: {file} cannot be read: {type(error).__name__}") from None
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise PermanentError(f"slack.{what}: {file} holds no secret on one line")
    if not text.startswith(begins):
        raise PermanentError(f"slack.{what}: what {file} holds does not begin with {begins}: is it the other token?")
    return Token(text)
