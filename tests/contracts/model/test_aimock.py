"""The model's hand against a server that somebody else wrote."""

from __future__ import annotations

import pytest

from opsbot.core.errors import Blind
from opsbot.core.ports import Reply
from tests.contracts.model.aimock import Aimock
from tests.llm.model_world import EMPTY, model, question

pytestmark = pytest.mark.real("aimock")


def ask(mock: Aimock, text: str) -> Reply:
    return model(mock.url).ask(question(text), 10.0)


@pytest.mark.parametrize("text", ["by schema", "as an object", "in a fence"])
def test_an_answer_of_the_wanted_shape_comes_through(mock: Aimock, text: str) -> None:
    assert ask(mock, text).text == EMPTY


def test_the_schema_goes_along_and_nothing_is_streamed(mock: Aimock) -> None:
    ask(mock, "by schema")
    (seen,) = mock.journal()
    assert seen["response_format"]["type"] == "json_schema"
    assert seen["response_format"]["json_schema"]["schema"] == question().schema
    assert [message["role"] for message in seen["messages"]] == ["system", "user"]
    assert seen["stream"] is False


def test_a_server_without_schemas_is_asked_for_an_object(mock: Aimock) -> None:
    ask(mock, "as an object")
    assert [seen["response_format"]["type"] for seen in mock.journal()] == ["json_schema", "json_object"]


def test_prose_is_mended_in_one_more_turn(mock: Aimock) -> None:
    assert ask(mock, "in prose").text == EMPTY
    first, second = mock.journal()
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]
    assert second["messages"][:2] == first["messages"]


def test_tokens_are_those_that_the_server_counts(mock: Aimock) -> None:
    reply = ask(mock, "counted")
    assert (reply.prompt_tokens, reply.completion_tokens) == (321, 12)


@pytest.mark.parametrize(
    ("rates", "why", "requests"),
    [
        ({"dropRate": 1.0}, "answered 500", 1),
        ({"malformedRate": 1.0}, "no JSON object", 1),
        ({"disconnectRate": 1.0}, "broke the connection off", 1),
        ({"rateLimitRate": 1.0}, "answered 429", 2),
    ],
    ids=["500", "malformed", "disconnected", "429"],
)
def test_chaos_is_blind_and_asked_again_only_after_a_429(
    mock: Aimock, rates: dict[str, float], why: str, requests: int
) -> None:
    mock.chaos(**rates)
    with pytest.raises(Blind, match=why):
        ask(mock, "by schema")
    assert len(mock.journal()) == requests


def test_an_error_of_the_server_is_told_in_its_words(mock: Aimock) -> None:
    with pytest.raises(Blind, match="answered 500: the engine fell over"):
        ask(mock, "broken")
    assert len(mock.journal()) == 1
