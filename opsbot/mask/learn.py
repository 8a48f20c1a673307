"""Values learnt as secret, found again: as they are, and as base64. Values in, places in a text out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from opsbot.mask.words import MASK, placeholder

_SHORTEST, _LONGEST = 6, 4096
_MOST_FORMS = 64  # of values that share their longest word, by place and length: bounds the work for each word
_WORD = re.compile(r"[^\W_]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
# Words that serve as default passwords and as names of users, images and databases too: known, so no secret elsewhere.
_ORDINARY = frozenset({
    "admin", "administrator", "password", "passwd", "secret", "changeme", "default", "example", "postgres",
    "postgresql", "mysql", "mariadb", "mongodb", "redis", "rabbitmq", "elastic", "wordpress", "minioadmin",
    "guest", "public", "private", "production", "staging", "development", "localhost", "amd64", "arm64",
})  # fmt: skip


class Learnt:
    """The secrets learnt so far. A text is searched word by word, so the time does not grow with their number."""

    def __init__(self) -> None:
        self._by_word: dict[str, dict[tuple[int, int], set[str]]] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._by_word)

    def add(self, value: str) -> None:
        """Learn a value in its usual forms; a short or ordinary one is not looked for elsewhere."""
        for form in {value, _encoded(value), _decoded(value)}:
            if (
                _SHORTEST <= len(form) <= _LONGEST
                and form.lower() not in _ORDINARY
                and not placeholder(form)
                and MASK not in form
            ):
                self._index(form)

    def _index(self, value: str) -> None:
        longest = max(_WORD.finditer(value), key=lambda found: len(found[0]), default=None)
        if longest is not None:
            forms = self._by_word.setdefault(longest[0], {})
            form = (longest.start(), len(value))
            if form in forms or len(forms) < _MOST_FORMS:
                forms.setdefault(form, set()).add(value)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Every place where a learnt value stands."""
        if not self._by_word:
            return
        for word in _WORD.finditer(text):
            for (offset, length), values in self._by_word.get(word[0], {}).items():
                start = word.start() - offset
                if start >= 0 and text[start : start + length] in values:
                    yield start, start + length


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _decoded(value: str) -> str:
    """What a value says as base64, or nothing where it says no printable text."""
    if not _BASE64.fullmatch(value):
        return ""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text.isprintable() else ""
