"""All that opsbot says in Slack, against golden files, Slack's own validators, and the limits of the fake."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from opsbot.testing.slack import limits
from tests.chat.golden import FOLDER, bodies, file_of, text_of

BODIES = bodies()


def messages() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in BODIES.items():
        if name.startswith("thread"):
            yield from ((f"{name} {key}", note) for key, note in body.items())
        elif not name.startswith("form"):
            yield name, body


MESSAGES = dict(messages())


@pytest.mark.parametrize("name", BODIES)
def test_it_looks_as_it_did(name: str) -> None:
    """`python -m tests.chat.golden` writes the files anew; read the difference before you keep it."""
    file = file_of(name)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    changed = difflib.unified_diff(
        before.splitlines(), text_of(BODIES[name]).splitlines(), file.name, "now", lineterm=""
    )
    assert "\n".join(changed) == ""


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {file_of(name).name for name in BODIES}


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_would_take_it(name: str) -> None:
    body = MESSAGES[name]
    assert set(body) == {"text", "blocks"}
    assert body["text"].strip()
    assert [block.to_dict() for block in Block.parse_all(body["blocks"])] == body["blocks"]
    assert limits.message(body["blocks"]) == []


def test_slack_would_take_the_form() -> None:
    form = BODIES["form reject"]
    View(**form).to_dict()
    assert limits.modal(form) == []
    assert len(form["private_metadata"]) == 16


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_hangs_on_colour_or_emoji(name: str) -> None:
    text = text_of(MESSAGES[name])
    assert all(letter.isascii() or letter == "…" for letter in text)
    assert ":" + "red_circle" not in text


@pytest.mark.parametrize("name", [name for name in BODIES if name.startswith("card")])
def test_only_a_plan_that_waits_has_buttons(name: str) -> None:
    has = any(block["type"] == "actions" for block in BODIES[name]["blocks"])
    assert has == ("waiting" in name)
