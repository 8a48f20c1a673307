"""The parts that payloads are made of: plain JSON values in, texts, labels and times out, or Refused with the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsbot.core.alert import Push
from opsbot.core.errors import Refused
from opsbot.monitor.receiving.payloads.reading import shown

BAD_SCHEMA = "bad_schema"
MOST_ALERTS = 20_000
MOST_LABELS = 200
LONGEST_NAME = 200
"""Characters of the name of an alert or of a label."""
LONGEST_ALERT = 100_000
"""Characters of all labels and annotations of one alert together."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was not taken: where it stands (`alerts[3].labels.x`), and why not."""

    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}" if self.place else self.says


@dataclass(frozen=True, slots=True)
class Payload:
    """What can be taken of a payload, and what cannot; `cut` counts alerts that the sender left out."""

    pushes: tuple[Push, ...]
    faults: tuple[Fault, ...] = ()
    cut: int = 0


class BadPlaceError(Refused):
    """What is wrong, and where."""

    def __init__(self, place: str, says: str) -> None:
        self.fault = Fault(place, says)
        super().__init__(BAD_SCHEMA, str(self.fault))


def each(items: Sequence[Any], place: str, read: Callable[[Any, str], Push]) -> Payload:
    """Every alert of a list by itself, so that a bad one costs no other; Refused where there is no good one at all."""
    if len(items) > MOST_ALERTS:
        raise BadPlaceError(place, f"has {len(items)} entries: at most {MOST_ALERTS}")
    pushes, faults = [], []
    for number, item in enumerate(items):
        try:
            pushes.append(read(item, f"{place}[{number}]"))
        except BadPlaceError as error:
            faults.append(error.fault)
    if faults and not pushes:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused(BAD_SCHEMA, f"{faults[0]}{more}")
    return Payload(tuple(pushes), tuple(faults))


def inner(place: str, key: str) -> str:
    """The place of a key's value."""
    name = key if key.isidentifier() else shown(key)
    return f"{place}.{name}" if place else name


def mapping(found: Any, place: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(found, dict):
        raise BadPlaceError(place or "the payload", "must be an object")
    return found


def sequence(item: Mapping[str, Any], key: str) -> Sequence[Any]:
    """A list under a key that must be there."""
    found = item.get(key)
    if not isinstance(found, list):
        raise BadPlaceError(key, "must be a list" if key in item else "is missing")
    return found


def text(item: Mapping[str, Any], key: str, place: str) -> str:
    """A text under a key; empty where it is null or not there."""
    found = item.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadPlaceError(inner(place, key), "must be text")
    return found


def texts(item: Mapping[str, Any], key: str, place: str) -> dict[str, str]:
    """A mapping of texts under a key, such as labels; empty where it is null or not there."""
    found = item.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadPlaceError(inner(place, key), "must be an object of texts")
    return checked(found, inner(place, key))


def checked(found: Mapping[str, Any], place: str) -> dict[str, str]:
    """Labels or annotations with names and values as they must be."""
    if len(found) > MOST_LABELS:
        raise BadPlaceError(place, f"has {len(found)} entries: at most {MOST_LABELS}")
    for name, word in found.items():
        if not isinstance(word, str):
            raise BadPlaceError(inner(place, name), "must be text")
        named(name, place)
    return dict(found)


def named(name: str, place: str) -> str:
    """The name of an alert or of a label."""
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadPlaceError(place, f"a name of {len(name)} characters: from 1 to {LONGEST_NAME}")
    if not name.isprintable():
        raise BadPlaceError(place, f"the name {shown(name)} cannot be printed")
    return name


def bounded(labels: Mapping[str, str], annotations: Mapping[str, str], place: str) -> None:
    """BadPlaceError where an alert says more than anybody reads."""
    size = sum(len(word) for part in (labels, annotations) for word in part.values())
    if size > LONGEST_ALERT:
        raise BadPlaceError(place, f"holds {size} characters: at most {LONGEST_ALERT}")


def moment(found: Any, place: str) -> datetime | None:
    """A time of RFC 3339; None where there is none, or where it is the year 1, as senders in Go spell that."""
    if found is None or found == "":
        return None
    if not isinstance(found, str) or len(found) > 40 or "T" not in found:
        raise BadPlaceError(place, "must be a time such as 2026-05-04T12:00:00Z")
    try:
        at = datetime.fromisoformat(found)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at.astimezone(UTC) if at.year > 1 else None
    except (ValueError, OverflowError):
        raise BadPlaceError(place, "must be a time such as 2026-05-04T12:00:00Z") from None


def status(found: Any, firing: Sequence[str], resolved: Sequence[str], place: str) -> bool:
    """Whether a word says that an alert fires."""
    if found in firing and isinstance(found, str):
        return True
    if found in resolved and isinstance(found, str):
        return False
    raise BadPlaceError(place, f"must be one of {', '.join([*firing, *resolved])}")
