"""Slack's limits on what an app shows: blocks or a modal in, complaints out, each with the place it is about.

Figures are those of docs.slack.dev, "Blocks", "Block elements", "Composition objects" and "Views". Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MESSAGE_BLOCKS, MODAL_BLOCKS = 50, 100
TEXT = 40_000
ALL_BLOCK_TEXT = 13_200
"""Undocumented: about here chat.postMessage says msg_blocks_too_long."""
ID = 255

ELEMENTS = {
    "actions": 25, "context": 10,
}  # fmt: skip
INTERACTIVE = (
    "button", "checkboxes", "datepicker", "datetimepicker", "multi_static_select", "multi_users_select", "overflow",
    "plain_text_input", "radio_buttons", "static_select", "timepicker", "users_select",
)  # fmt: skip
BLOCKS = ("actions", "context", "divider", "header", "image", "input", "rich_text", "section")
CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}

Complaints = Iterator[str]


def complaint(what: str, place: str) -> str:
    """A complaint as Slack words it."""
    return f"[ERROR] {what} [json-pointer:{place}]"


def message(blocks: Any) -> list[str]:
    """What is wrong with a message's blocks."""
    return list(_blocks(blocks, MESSAGE_BLOCKS, "/blocks"))


def modal(view: Any) -> list[str]:
    """What is wrong with a modal."""
    if not isinstance(view, Mapping):
        return [complaint("must be an object", "/view")]
    return list(_modal(view))


def _modal(view: Mapping[str, Any]) -> Complaints:
    if view.get("type") != "modal":
        yield complaint("unsupported type: only modals are known here", "/view/type")
    yield from _plain(view.get("title"), 24, "/view/title")
    for key in ("submit", "close"):
        if key in view:
            yield from _plain(view[key], 24, f"/view/{key}")
    yield from _word(view, "private_metadata", 3000, "/view")
    yield from _word(view, "callback_id", ID, "/view")
    yield from _blocks(view.get("blocks"), MODAL_BLOCKS, "/view/blocks")
    if "submit" not in view and any(_type(block) == "input" for block in _many(view.get("blocks"))):
        yield complaint("missing required field: submit", "/view")


def words(blocks: Any) -> int:
    """How many characters of text blocks hold in all."""
    if isinstance(blocks, Mapping):
        own = blocks.get("text")
        rest = (value for key, value in blocks.items() if key != "text" or not isinstance(own, str))
        return (len(own) if isinstance(own, str) else 0) + sum(words(value) for value in rest)
    return sum(words(value) for value in blocks) if isinstance(blocks, list) else 0


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _type(value: Any) -> str:
    return str(value.get("type", "")) if isinstance(value, Mapping) else ""


def _blocks(blocks: Any, most: int, place: str) -> Complaints:
    if not isinstance(blocks, list):
        yield complaint("must be an array", place)
        return
    if len(blocks) > most:
        yield complaint(f"no more than {most} items allowed", place)
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        yield from _block(block, f"{place}/{number}")
        name = block.get("block_id") if isinstance(block, Mapping) else None
        if isinstance(name, str) and name and name in seen:
            yield complaint(f"`block_id` {name} already exists", f"{place}/{number}/block_id")
        seen.add(name if isinstance(name, str) else "")


def _block(block: Any, place: str) -> Complaints:
    kind = _type(block)
    if kind not in BLOCKS:
        yield complaint(f"unsupported type: {kind or 'none'}", f"{place}/type")
        return
    yield from _word(block, "block_id", ID, place)
    look = {"section": _section, "header": _header, "input": _input, "image": _image}.get(kind)
    if look is not None:
        yield from look(block, place)
    elif kind in ELEMENTS:
        yield from _elements(block, ELEMENTS[kind], place)


def _section(block: Mapping[str, Any], place: str) -> Complaints:
    if "text" not in block and "fields" not in block:
        yield complaint("missing required field: text or fields", place)
    if "text" in block:
        yield from _text(block["text"], 3000, f"{place}/text")
    if "fields" in block:
        fields = _many(block["fields"])
        if not 1 <= len(fields) <= 10:
            yield complaint("must have 1 to 10 items", f"{place}/fields")
        for number, field in enumerate(fields):
            yield from _text(field, 2000, f"{place}/fields/{number}")
    if "accessory" in block:
        yield from _element(block["accessory"], f"{place}/accessory")


def _header(block: Mapping[str, Any], place: str) -> Complaints:
    yield from _plain(block.get("text"), 150, f"{place}/text")


def _input(block: Mapping[str, Any], place: str) -> Complaints:
    yield from _plain(block.get("label"), 2000, f"{place}/label")
    if "hint" in block:
        yield from _plain(block["hint"], 2000, f"{place}/hint")
    yield from _element(block.get("element"), f"{place}/element")


def _image(block: Mapping[str, Any], place: str) -> Complaints:
    yield from _word(block, "alt_text", 2000, place, needed=True)


def _elements(block: Mapping[str, Any], most: int, place: str) -> Complaints:
    found = _many(block.get("elements"))
    if not 1 <= len(found) <= most:
        yield complaint(f"must have 1 to {most} items", f"{place}/elements")
    seen: set[str] = set()
    for number, element in enumerate(found):
        here = f"{place}/elements/{number}"
        yield from _word_of_context(element, here) if _type(block) == "context" else _element(element, here)
        name = str(element.get("action_id", "")) if isinstance(element, Mapping) else ""
        if name and name in seen:
            yield complaint(f"`action_id` {name} already exists", f"{here}/action_id")
        seen.add(name)


def _word_of_context(element: Any, place: str) -> Complaints:
    if _type(element) == "image":
        yield from _image(element, place)
    else:
        yield from _text(element, 3000, place)


def _element(element: Any, place: str) -> Complaints:
    kind = _type(element)
    if kind not in (*INTERACTIVE, "image"):
        yield complaint(f"unsupported type: {kind or 'none'}", f"{place}/type")
        return
    yield from _word(element, "action_id", ID, place)
    if kind == "button":
        yield from _button(element, place)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{place}/confirm")


def _button(button: Mapping[str, Any], place: str) -> Complaints:
    yield from _plain(button.get("text"), 75, f"{place}/text")
    yield from _word(button, "value", 2000, place)
    yield from _word(button, "url", 3000, place)
    yield from _word(button, "accessibility_label", 75, place)
    if button.get("style", "primary") not in ("primary", "danger"):
        yield complaint("must be primary or danger", f"{place}/style")


def _confirm(confirm: Any, place: str) -> Complaints:
    for key, most in CONFIRM.items():
        part = confirm.get(key) if isinstance(confirm, Mapping) else None
        yield from (_text if key == "text" else _plain)(part, most, f"{place}/{key}")


def _plain(text: Any, most: int, place: str) -> Complaints:
    if isinstance(text, Mapping) and text.get("type") != "plain_text":
        yield complaint("must be plain_text", f"{place}/type")
    else:
        yield from _text(text, most, place)


def _text(text: Any, most: int, place: str) -> Complaints:
    if not isinstance(text, Mapping):
        yield complaint("missing required field: text", place)
        return
    if text.get("type") not in ("plain_text", "mrkdwn"):
        yield complaint("unsupported type of text", f"{place}/type")
    yield from _word(text, "text", most, place, needed=True)


def _word(owner: Mapping[str, Any], key: str, most: int, place: str, *, needed: bool = False) -> Complaints:
    if key not in owner and not needed:
        return
    value = owner.get(key)
    if not isinstance(value, str):
        yield complaint("must be a string", f"{place}/{key}")
    elif needed and not value:
        yield complaint("must be more than 0 characters", f"{place}/{key}")
    elif len(value) > most:
        yield complaint(f"must be less than {most + 1} characters", f"{place}/{key}")
