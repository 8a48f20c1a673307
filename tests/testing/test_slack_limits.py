"""Slack's limits, by our table and by slack_sdk's validators, which were written by Slack."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ContextBlock, HeaderBlock, SectionBlock
from slack_sdk.models.views import View

from opsbot.testing.slack import limits

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Approve"), **more}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn("words"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def field() -> Json:
    return {"type": "input", "label": plain("Reason"), "element": {"type": "plain_text_input", "action_id": "r"}}


GOOD: dict[str, list[Any]] = {
    "nothing": [],
    "fifty blocks": [{"type": "divider"}] * 50,
    "long section": [section(text=mrkdwn("x" * 3000))],
    "ten fields": [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    "long header": [{"type": "header", "text": plain("x" * 150)}],
    "25 buttons": [actions(*(button(action_id=str(number)) for number in range(25)))],
    "long button": [actions(button(text=plain("x" * 75), value="v" * 2000, style="danger"))],
    "ten in a context": [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    "accessory": [section(accessory=button())],
    "named": [section(block_id="x" * 255), section(block_id="y")],
    "confirm": [actions(button(confirm={
        "title": plain("Sure?"), "text": mrkdwn("x" * 300), "confirm": plain("Yes"), "deny": plain("No")}))],
    "field": [field()],
}  # fmt: skip
BAD: dict[str, tuple[Any, str]] = {
    "no list": ({"type": "divider"}, "/blocks"),
    "text": ("blocks", "/blocks"),
    "a block that is none": (["x"], "/blocks/0/type"),
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks"),
    "unknown block": ([{"type": "hologram"}], "/blocks/0/type"),
    "section of nothing": ([{"type": "section"}], "/blocks/0"),
    "section too long": ([section(text=mrkdwn("x" * 3001))], "/blocks/0/text/text"),
    "section empty": ([section(text=mrkdwn(""))], "/blocks/0/text/text"),
    "section without words": ([section(text="words")], "/blocks/0/text"),
    "text of a number": ([section(text=mrkdwn(7))], "/blocks/0/text/text"),  # type: ignore[arg-type]
    "eleven fields": ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "/blocks/0/fields"),
    "field too long": ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "/blocks/0/fields/0/text"),
    "header too long": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    "header of mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "/blocks/0/text/type"),
    "no button": ([actions()], "/blocks/0/elements"),
    "26 buttons": ([actions(*(button(action_id=str(number)) for number in range(26)))], "/blocks/0/elements"),
    "button too long": ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "value too long": ([actions(button(value="v" * 2001))], "/blocks/0/elements/0/value"),
    "value of a number": ([actions(button(value=7))], "/blocks/0/elements/0/value"),
    "action id too long": ([actions(button(action_id="a" * 256))], "/blocks/0/elements/0/action_id"),
    "style": ([actions(button(style="loud"))], "/blocks/0/elements/0/style"),
    "button of mrkdwn": ([actions(button(text=mrkdwn("x")))], "/blocks/0/elements/0/text/type"),
    "unknown element": ([actions({"type": "lever", "action_id": "a"})], "/blocks/0/elements/0/type"),
    "twice the same action": ([actions(button(), button())], "/blocks/0/elements/1/action_id"),
    "twice the same block": ([section(block_id="a"), section(block_id="a")], "/blocks/1/block_id"),
    "block id too long": ([section(block_id="a" * 256)], "/blocks/0/block_id"),
    "eleven in a context": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "/blocks/0/elements"),
    "bad accessory": ([section(accessory=button(text=plain("x" * 76)))], "/blocks/0/accessory/text/text"),
    "bad confirm": ([actions(button(confirm={"title": plain("x")}))], "/blocks/0/elements/0/confirm/text"),
    "field without label": ([{**field(), "label": None}], "/blocks/0/label"),
    "picture without words": ([{"type": "image", "image_url": "x"}], "/blocks/0/alt_text"),
}  # fmt: skip


@pytest.mark.parametrize("blocks", GOOD.values(), ids=GOOD)
def test_what_fits_is_taken(blocks: list[Any]) -> None:
    assert limits.message(blocks) == []


@pytest.mark.parametrize(("blocks", "place"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_with_its_place(blocks: Any, place: str) -> None:
    assert [said for said in limits.message(blocks) if said.endswith(f"[json-pointer:{place}]")]


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("Reject"), "submit": plain("Reject"), "blocks": [field()], **more}


MODALS: dict[str, tuple[Any, str]] = {
    "no object": ("modal", "/view"),
    "home": (modal(type="home"), "/view/type"),
    "no title": (modal(title=None), "/view/title"),
    "long title": (modal(title=plain("x" * 25)), "/view/title/text"),
    "long submit": (modal(submit=plain("x" * 25)), "/view/submit/text"),
    "long metadata": (modal(private_metadata="x" * 3001), "/view/private_metadata"),
    "long callback": (modal(callback_id="x" * 256), "/view/callback_id"),
    "no blocks": (modal(blocks=None), "/view/blocks"),
    "101 blocks": (modal(blocks=[{"type": "divider"}] * 101), "/view/blocks"),
    "no way to send": ({key: value for key, value in modal().items() if key != "submit"}, "/view"),
    "bad block": (modal(blocks=[section(text=mrkdwn("x" * 3001))]), "/view/blocks/0/text/text"),
}


@pytest.mark.parametrize(("view", "place"), MODALS.values(), ids=MODALS)
def test_a_modal_that_does_not_fit_is_refused(view: Any, place: str) -> None:
    assert [said for said in limits.modal(view) if said.endswith(f"[json-pointer:{place}]")]


def test_a_modal_that_fits_is_taken() -> None:
    assert limits.modal(modal(private_metadata="x" * 3000, callback_id="why", title=plain("x" * 24))) == []


# slack_sdk as the judge ----------------------------------------------------------------------------------------------

JUDGED: dict[str, tuple[Any, list[Any]]] = {
    "section": (SectionBlock(text="x" * 3001), [section(text=mrkdwn("x" * 3001))]),
    "section of nothing": (SectionBlock(), [{"type": "section"}]),
    "header": (HeaderBlock(text="x" * 151), [{"type": "header", "text": plain("x" * 151)}]),
    "fields": (SectionBlock(fields=["x"] * 11), [{"type": "section", "fields": [mrkdwn("x")] * 11}]),
    "context": (
        ContextBlock(elements=[{"type": "mrkdwn", "text": "x"}] * 11),
        [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    ),
    "actions": (
        ActionsBlock(elements=[ButtonElement(text="x", action_id=str(number)) for number in range(26)]),
        [actions(*(button(action_id=str(number)) for number in range(26)))],
    ),
    "button": (ButtonElement(text="x" * 76, action_id="a"), [actions(button(text=plain("x" * 76)))]),
    "value": (ButtonElement(text="x", action_id="a", value="v" * 2001), [actions(button(value="v" * 2001))]),
    "block id": (SectionBlock(text="x", block_id="b" * 256), [section(block_id="b" * 256)]),
    "style": (ButtonElement(text="x", action_id="a", style="loud"), [actions(button(style="loud"))]),
}


@pytest.mark.parametrize(("theirs", "ours"), JUDGED.values(), ids=JUDGED)
def test_what_slack_sdk_refuses_is_refused_here(theirs: Any, ours: list[Any]) -> None:
    with pytest.raises(SlackObjectFormationError):
        theirs.to_dict()
    assert limits.message(ours)


@pytest.mark.parametrize("name", [name for name in GOOD if name not in ("nothing", "confirm", "field")])
def test_what_is_taken_here_slack_sdk_takes_too(name: str) -> None:
    for block in Block.parse_all(GOOD[name]):
        block.validate_json()


@pytest.mark.parametrize(
    "view", [modal(title=plain("x" * 25)), modal(private_metadata="x" * 3001), modal(callback_id="x" * 256)]
)
def test_what_slack_sdk_refuses_in_a_modal_is_refused_here(view: Json) -> None:
    with pytest.raises(SlackObjectFormationError):
        View(**view).to_dict()
    assert limits.modal(view)


@pytest.mark.parametrize(
    ("blocks", "count"),
    [([], 0), ([section(text=mrkdwn("12345"))], 5), ([{"type": "divider"}], 0), ("text", 0),
     ([actions(button(), button())], 14), ([section(fields=[mrkdwn("12"), mrkdwn("3")])], 8)],
)  # fmt: skip
def test_the_words_of_blocks_are_counted(blocks: Any, count: int) -> None:
    assert limits.words(blocks) == count
