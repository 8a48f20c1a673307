"""What every API server promises of long lists: pages that hold everything once, as it was at the first of them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contracts.cluster.ground import PODS, Ground, pod


@pytest.fixture
def pods(ground: Ground) -> Ground:
    for name in "abcd":
        ground.good("POST", PODS, pod(name, {"all": "yes"}, schedulerName="nobody"))
    return ground


def names(found: dict[str, Any]) -> str:
    return "".join(item["metadata"]["name"] for item in found["items"])


def token(found: dict[str, Any]) -> str:
    return str(found["metadata"].get("continue", ""))


def aged(text: str) -> str:
    """The token of a list that began long ago. (A server may still know the last seconds when its store does not.)"""
    found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return base64.urlsafe_b64encode(json.dumps({**found, "rv": 2}).encode()).decode().rstrip("=")


def test_pages_hold_everything_once(pods: Ground) -> None:
    first = pods.good("GET", PODS, limit="3")
    assert (names(first), first["metadata"]["remainingItemCount"]) == ("abc", 1)
    second = pods.good("GET", PODS, **{"limit": "3", "continue": token(first)})
    assert (names(second), token(second)) == ("d", "")
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_how_many_are_left_is_not_told_where_a_selector_hides_some(pods: Ground) -> None:
    first = pods.good("GET", PODS, limit="3", labelSelector="all=yes")
    assert token(first)
    assert "remainingItemCount" not in first["metadata"]


def test_the_next_pages_are_as_the_first_one_was(pods: Ground) -> None:
    first = pods.good("GET", PODS, limit="2")
    pods.good("DELETE", f"{PODS}/d")
    pods.good("POST", PODS, pod("bb", schedulerName="nobody"))
    assert names(pods.good("GET", PODS, **{"limit": "2", "continue": token(first)})) == "cd"
    assert names(pods.good("GET", PODS)) == "abbbc"


def test_a_list_that_took_too_long_may_go_on_with_what_there_is_now(pods: Ground) -> None:
    first = pods.good("GET", PODS, limit="2")
    pods.good("DELETE", f"{PODS}/d")
    pods.forget()
    found = pods.refused("GET", PODS, **{"limit": "2", "continue": aged(token(first))})
    assert (found["code"], found["reason"]) == (410, "Expired")
    assert found["message"].startswith("The provided continue parameter is too old to display a consistent list result")
    assert names(pods.good("GET", PODS, **{"limit": "2", "continue": token(found)})) == "c"


@pytest.mark.parametrize(
    "bad", ["nonsense", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0"],
    ids=["no token", "an empty one", "version 0"],
)  # fmt: skip
def test_a_page_token_that_is_none_is_refused(pods: Ground, bad: str) -> None:
    found = pods.refused("GET", PODS, **{"limit": "3", "continue": bad})
    assert (found["code"], "continue" in found["message"]) == (400, True)
