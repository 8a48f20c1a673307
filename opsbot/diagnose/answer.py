"""A model's answer in, hypotheses that can be shown out, with what was dropped and why. Nothing is taken on trust.

Names must stand on a list, quotes word for word in the evidence. A hypothesis without a good quote is no hypothesis.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsbot.core.diagnosis import Hypothesis, Quote
from opsbot.core.faults import FAULTS
from opsbot.diagnose import shape
from opsbot.diagnose.case import MOST_OBJECTS, Case
from opsbot.diagnose.quotes import Words, flat
from opsbot.mask import mask

MOST = 3
MOST_QUOTES = 5
LONGEST_ANSWER = 20_000
LONGEST_WORDS = 600
LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of an answer; `dropped` counts the rest by reason."""

    hypotheses: tuple[Hypothesis, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


class _Dropped(ValueError):
    """Why something is not taken: its reason as the one argument."""


def schema(case: Case) -> dict[str, Any]:
    """The JSON Schema of an answer: only what every server that takes schemas knows."""
    quote = _object({"id": _choice([item.id for item in case.evidence]), "quote": {"type": "string"}})
    books = [_choice(list(case.playbooks))] if case.playbooks else []
    hypothesis = _object(
        {
            "fault": _choice(sorted(FAULTS)),
            "object": _choice(list(case.objects)[:MOST_OBJECTS]),
            "confidence": {"type": "number"},
            "says": {"type": "string"},
            "evidence": {"type": "array", "items": quote},
            "playbook": {"anyOf": [*books, {"type": "null"}]},
        }
    )
    return _object({"hypotheses": {"type": "array", "items": hypothesis}})


def _object(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(members), "properties": dict(members)}


def _choice(values: list[str]) -> dict[str, Any]:
    return {"type": "string", "enum": values} if values else {"type": "string"}


def check(text: str, case: Case) -> Checked:
    """What of an answer may be shown."""
    reader = _Reader(case)
    found: list[Hypothesis] = []
    try:
        for item in _items(text):
            if len(found) < MOST:
                found += reader.hypothesis(item)
            else:
                reader.dropped["too_many"] += 1
    except _Dropped as reason:
        reader.dropped[str(reason)] += 1
    return Checked(tuple(found), dict(sorted(reader.dropped.items())))


def _items(text: str) -> Iterator[Any]:
    if len(text) > LONGEST_ANSWER:
        raise _Dropped("over_long")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _Dropped("not_json") from None
    listed = found.get("hypotheses") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise _Dropped("wrong_shape")
    yield from listed


class _Reader:
    """One answer being read against one case; `dropped` counts what was not taken."""

    def __init__(self, case: Case) -> None:
        self.dropped: Counter[str] = Counter()
        self._objects, self._playbooks = case.objects, case.playbooks or {}
        self._pieces = {piece.id: Words(piece.text) for piece in case.evidence}
        self._telemetry = [*self._pieces.values(), *(Words(text) for text in case.said)]

    def hypothesis(self, item: Any) -> list[Hypothesis]:
        """The hypothesis, or nothing."""
        try:
            return [self._taken(item)]
        except _Dropped as reason:
            self.dropped[str(reason)] += 1
            return []

    def _taken(self, item: Any) -> Hypothesis:
        if not isinstance(item, dict):
            raise _Dropped("wrong_shape")
        fault, target = shape.word(item, "fault"), self._objects.get(shape.word(item, "object"))
        if fault not in FAULTS:
            raise _Dropped("unknown_fault")
        if target is None:
            raise _Dropped("unknown_object")
        says = mask(flat(shape.word(item, "says"))).cut(LONGEST_WORDS)
        if not says:
            raise _Dropped("no_words")
        sure, quotes = _confidence(item.get("confidence")), tuple(self._quotes(item))
        if not quotes:
            raise _Dropped("unsupported")
        return Hypothesis(fault, target, says, sure, quotes, self._playbook(item.get("playbook")))

    def _quotes(self, item: Mapping[str, Any]) -> Iterator[Quote]:
        """The quotes that stand where they are said to; without one there is nothing to go by."""
        for given in shape.items(item, "evidence")[:MOST_QUOTES]:
            piece, quote = self._pieces.get(shape.word(given, "id")), shape.word(given, "quote")
            if piece is None:
                self.dropped["unknown_evidence"] += 1
            elif not piece.hold(quote):
                self.dropped["quote_not_found"] += 1
            else:
                yield Quote(given["id"], mask(flat(quote)).cut(LONGEST_QUOTE))

    def _playbook(self, value: Any) -> str | None:
        """A name from the list. One that some text of outside names is not taken: that is no matter of telemetry."""
        if value is None:
            return None
        reason = ""
        if not isinstance(value, str) or value not in self._playbooks:
            reason = "unknown_playbook"
        elif any(words.name(value) for words in self._telemetry):
            reason = "playbook_named_in_evidence"
        if reason:
            self.dropped[reason] += 1
        return None if reason else str(value)


def _confidence(value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:  # a whole number of hundreds of digits is valid JSON
        number = math.nan
    if not math.isfinite(number):
        raise _Dropped("bad_confidence")
    return min(max(number, 0.0), 1.0)
