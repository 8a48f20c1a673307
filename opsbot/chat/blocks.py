"""Slack's blocks, built so that its limits hold and that text of outside stays text.

What telemetry, models and people wrote goes into `plain` or into code, never into markup: no mention, link, emoji or
format can come of it. Nothing here sends anything.

Limits are those of docs.slack.dev, "Blocks" and "Composition objects"; the one on all text of a message (about 13,200
characters) is not documented, so that less is used. Characters count as UTF-16 has them, the larger way to count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsbot.core.escape import visible

Json = dict[str, Any]
BLOCKS = 50
ALL_TEXT = 12_000
SECTION, HEADER, BUTTON, VALUE, FALLBACK = 3000, 150, 75, 2000, 3000
MODAL_TITLE, METADATA, HINT = 24, 3000, 150
FENCE = 2400
"""Less than a section takes: the rest of a card wants room too."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BROADCAST = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
_NO_BREAK = "\u2060"


def length(text: str) -> int:
    """How many UTF-16 units a text takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """At most so many units, the last of them an ellipsis where something is missing; no entity is cut in two."""
    if len(text) <= limit and length(text) <= limit:
        return text
    left, end = limit - 1, 0
    for letter in text:
        left -= 1 + (letter > "\uffff")
        if left < 0:
            break
        end += 1
    head = text[:end]
    entity = head.rfind("&")
    return (head[:entity] if entity >= 0 and ";" not in head[entity:] else head) + "…"


def one_line(text: str) -> str:
    """Text of outside on one line, nothing hidden in it; a dash where there is none."""
    return " ".join(visible(text).split()) or "-"


def reason(word: str) -> str:
    """A named reason in words, safe in `words` too: letters, digits and blanks are all that is left of it."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", word.lower()).split())[:80]


# text that is ours, with data in it as code ---------------------------------------------------------------------------


def code(text: str, limit: int = 300) -> str:
    """Text of outside as inline code, for use in `words`: nothing in it is markup."""
    return f"`{cut(_quoted(one_line(text)), limit)}`"


def _quoted(text: str) -> str:
    return text.replace("`", "'").translate(_ENTITIES)


def moment(time: datetime) -> str:
    """A time in each reader's own zone, for use in `words`; in UTC where Slack's date form is not understood."""
    return f"<!date^{int(time.timestamp())}^{{date_short_pretty}} {{time}}|{utc(time)}>"


def utc(time: datetime) -> str:
    """A time in plain words."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def fallback(text: str) -> str:
    """The text for where no blocks are shown (notifications, screen readers): no mention, no link comes of it."""
    safe = visible(text).translate(_ENTITIES).replace("`", "'")
    return cut(_BROADCAST.sub(f"@{_NO_BREAK}", safe), FALLBACK) or "-"


# text objects ---------------------------------------------------------------------------------------------------------


def plain(text: str, limit: int = SECTION) -> Json:
    """A text object in which nothing is markup."""
    return {"type": "plain_text", "text": cut(visible(text).strip() or "-", limit), "emoji": False}


def words(text: str, limit: int = SECTION) -> Json:
    """A text object of our own words; data in it must have been through `code` or `moment`."""
    return {"type": "mrkdwn", "text": cut(text, limit), "verbatim": True}


# blocks ---------------------------------------------------------------------------------------------------------------


def header(text: str) -> Json:
    """A title."""
    return {"type": "header", "text": plain(one_line(text), HEADER)}


def section(text: Json) -> Json:
    """A paragraph."""
    return {"type": "section", "text": text}


def context(*texts: Json) -> Json:
    """Small print."""
    return {"type": "context", "elements": list(texts[:10])}


def fence(lines: Sequence[str], limit: int = FENCE) -> Json:
    """Lines of outside as a block of code; where they do not fit, the first ones are shown and the rest is counted."""
    shown: list[str] = []
    left = limit - length("```\n\n```\n… and 9999999 more lines")
    for line in lines:
        text = cut(_quoted(visible(line.replace("\n", " "))), 400)
        left -= length(text) + 1
        if left < 0:
            break
        shown.append(text)
    more = len(lines) - len(shown)
    tail = [f"… and {more} more line{'s' if more > 1 else ''}"] if more else []
    return section(words("\n".join(["```", *shown, *tail, "```"])))


def button(text: str, action: str, value: str, style: str) -> Json:
    """A button; its value is an id, never an order."""
    return {
        "type": "button", "text": plain(text, BUTTON), "action_id": action, "value": cut(value, VALUE), "style": style,
    }  # fmt: skip


def actions(name: str, *buttons: Json) -> Json:
    """A row of buttons."""
    return {"type": "actions", "block_id": name, "elements": list(buttons)}


# messages -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A block and how readily it is left out where a message grows too large: the highest rank goes first."""

    block: Json
    rank: int = 0


def message(text: str, parts: Iterable[Part], more: str) -> Json:
    """A message within Slack's limits; where parts had to be left out, a line with `more` stands in their place."""
    kept = list(parts)
    if _too_much(kept):
        kept = _fewer(kept, Part(_more(more)))
    return {"text": fallback(text), "blocks": [part.block for part in kept]}


def _fewer(kept: list[Part], more: Part) -> list[Part]:
    """The parts that fit, beside the line that says that there are more; it stands where the last one went."""
    place = len(kept)
    while _too_much([*kept, more]):
        place = max(range(len(kept)), key=lambda place: (kept[place].rank, place))
        del kept[place]
    return [*kept[:place], more, *kept[place:]]


def _more(text: str) -> Json:
    return context(plain(f"… more: {text}", SECTION))


def _too_much(parts: Sequence[Part]) -> bool:
    return len(parts) > BLOCKS or sum(weight(part.block) for part in parts) > ALL_TEXT


def weight(block: Any) -> int:
    """How many units of text a block holds."""
    if isinstance(block, dict):
        own = block.get("text")
        return (length(own) if isinstance(own, str) else weight(own)) + weight(block.get("elements"))
    return sum(weight(item) for item in block) if isinstance(block, list) else 0
