"""Fields of another program's file, whose scalars are all text: mappings in, values of the right type out.

What does not fit is noted on the document at its place, and an empty value stands for it, so that the rest is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from opsbot.core import duration
from opsbot.yamlfile.document import Document, Where
from opsbot.yamlfile.form import known_keys


class Fields:
    """A document that was read as `foreign`, field by field. Each method names the mapping, its place and the key."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def bad(self, where: Where, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at a place."""
        self.document.note([self.document.problem(where, message, hint, key=key)])

    def keys(self, item: Mapping[str, Any], where: Where, known: Collection[str]) -> None:
        """Note the keys that are not known."""
        for key in item:
            if key not in known:
                self.bad((*where, key), f"{key[:60]}: is not a known key", known_keys(key[:60], known), key=True)

    def listed(self, item: Mapping[str, Any], where: Where, key: str) -> list[tuple[Any, Where]]:
        """The items of a list, each with its place."""
        value = item.get(key)
        if value is not None and not isinstance(value, list):
            self.bad((*where, key), f"{key}: must be a list")
        return [(one, (*where, key, place)) for place, one in enumerate(value if isinstance(value, list) else [])]

    def text(self, item: Mapping[str, Any], where: Where, key: str) -> str:
        """A text; empty where there is none. Where it is none at all, that is all that is said of the value."""
        value = item.get(key)
        if isinstance(value, dict | list):
            self.bad((*where, key), f"{key}: must be text")
            self.document.misread.add(self.document.at((*where, key)))
        return value if isinstance(value, str) else ""

    def texts(self, item: Mapping[str, Any], where: Where, key: str) -> dict[str, str]:
        """A mapping of texts."""
        value = item.get(key)
        if value is not None and not isinstance(value, dict):
            self.bad((*where, key), f"{key}: must be a mapping")
        found = value if isinstance(value, dict) else {}
        return {name: self.text(found, (*where, key), name) for name in found}

    def length(self, item: Mapping[str, Any], where: Where, key: str) -> timedelta | None:
        """A duration; None where there is none."""
        if item.get(key) is None:
            return None
        try:
            return duration.parse(self.text(item, where, key))
        except ValueError as error:
            self.bad((*where, key), f"{key}: {error}")
            return None
