"""npm's aimock, with the answers that it is to give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsbot.config import cache_folder
from opsbot.core.errors import PermanentError
from tests.contracts.model import aimock
from tests.contracts.model.aimock import Aimock

EMPTY = json.dumps({"hypotheses": []})


def _answer(user: str, content: str, **match: str) -> dict[str, Any]:
    return {"match": {"userMessage": user, **match}, "response": {"content": content}}


def _error(user: str, status: int, why: str, **match: str) -> dict[str, Any]:
    return {"match": {"userMessage": user, **match}, "response": {"error": {"message": why}, "status": status}}


COUNTED = {"content": EMPTY, "usage": {"prompt_tokens": 321, "completion_tokens": 12}}
FIXTURES = [
    _answer("by schema", EMPTY, responseFormat="json_schema"),
    _error("as an object", 400, "json_schema is not supported", responseFormat="json_schema"),
    _answer("as an object", EMPTY, responseFormat="json_object"),
    _answer("not the JSON object that was asked for", EMPTY),
    _answer("in prose", "It looks to me as if it were overloaded."),
    _answer("in a fence", f"```json\n{EMPTY}\n```"),
    _error("broken", 500, "the engine fell over"),
    {"match": {"userMessage": "counted"}, "response": COUNTED},
]


@pytest.fixture(scope="session")
def served_aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    """The real aimock. Where it cannot be had, its tests are skipped, and the end of the run says so loudly."""
    try:
        node, folder = aimock.install(cache_folder())
    except PermanentError as error:
        pytest.skip(f"NO REAL COMPONENT: {error}")
    here: Path = tmp_path_factory.mktemp("aimock")
    (here / "answers.json").write_text(json.dumps({"fixtures": FIXTURES}))
    with aimock.running(node, folder, here / "answers.json", here / "log") as server:
        yield server


@pytest.fixture
def mock(served_aimock: Aimock) -> Iterator[Aimock]:
    served_aimock.journal()
    yield served_aimock
    served_aimock.chaos()
