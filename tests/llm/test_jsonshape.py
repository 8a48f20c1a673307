"""A model's text becomes a value of the wanted shape, or a sentence that says what is wrong and where."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.llm.jsonshape import check, read

THING = {
    "type": "object", "required": ["name", "parts"], "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "enum": ["a", "b"]},
        "parts": {"type": "array", "items": {"type": "object", "required": ["size"],
                                             "properties": {"size": {"type": "number"}}}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a", "parts": []}, {"name": "b", "parts": [{"size": 1}, {"size": 0.5, "more": 1}], "note": None},
        {"name": "a", "parts": [], "note": "x"}, {"name": "not on the list", "parts": [], "extra": 1},
    ],
    ids=["least", "whole", "note", "lists are for who asked"],
)  # fmt: skip
def test_the_shape_is_what_counts(value: Any) -> None:
    check(value, THING)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "answer must be of type object"), (None, "answer must be of type object"),
        ({"name": "a"}, r"answer\.parts is missing"), ({"parts": []}, r"answer\.name is missing"),
        ({"name": 1, "parts": []}, r"answer\.name must be of type string"),
        ({"name": "a", "parts": {}}, r"answer\.parts must be of type array"),
        ({"name": "a", "parts": [{"size": "1"}]}, r"answer\.parts\[0\]\.size must be of type number"),
        ({"name": "a", "parts": [{"size": 1}, {}]}, r"answer\.parts\[1\]\.size is missing"),
        ({"name": "a", "parts": [{"size": True}]}, r"size must be of type number"),
        ({"name": "a", "parts": [], "note": 1}, r"answer\.note must be of type string or null"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check(value, THING)


@pytest.mark.parametrize(
    "text",
    ["1", " 1 ", "```json\n1\n```", "```\n1```", "<think>\n```json\n2\n```</think>1", "\t```JSON  \n1\n  ```\n"],
    ids=["bare", "blanks", "fence", "tight fence", "thoughts with a fence", "odd fence"],
)
def test_json_is_found(text: str) -> None:
    assert read(text, {"type": "number"}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "1 2",
        "It is 1",
        "```json\n1",
        "<think>1",
        "NaN",
        "Infinity",
        "```python\n1\n```",
        "{'a': 1}",
        "[" * 5000,
    ],
    ids=["empty", "word", "two", "prose", "open fence", "open thought", "nan", "infinity", "code", "quotes", "deep"],
)
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        read(text, {"type": "number"})


def test_a_long_text_of_no_json_is_soon_read() -> None:
    for text in ("<think>" * 20_000, "```json\n" * 20_000, " " * 100_000 + "x", "```" + " " * 100_000):
        with pytest.raises(ValueError, match="not JSON"):
            read(text, {"type": "number"})
