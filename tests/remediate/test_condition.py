"""Conditions: what they see, what is refused, and that no text stops the process or costs much."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.core.errors import Refused
from opsbot.remediate import condition

VALUES = {
    "target": {"replicas": 4, "paused": False, "images": ["app:1", "proxy:2"], "labels": {"app.io/tier": "front"}},
    "inputs": {"add": 2, "rate": 0.5, "word": "x"},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True),
        ("target.replicas > 3 && inputs.add < 3", True),
        ("target.replicas + inputs.add == 6", True),
        ("!target.paused", True),
        ("target.labels['app.io/tier'] == 'front'", True),
        ("has(target.labels.missing)", False),
        ("target.images.exists(i, i.startsWith('proxy'))", True),
        ("target.images.all(i, i.startsWith('proxy'))", False),
        ("'proxy:2' in target.images", True),
        ("inputs.rate < 1.0", True),
        ("target.replicas > 4 || target.replicas == 4", True),
    ],
)
def test_holds(text: str, holds: bool) -> None:
    assert condition.check(text, ("target", "inputs")) == ""
    assert condition.holds(text, VALUES) is holds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "condition_syntax"),
        ("  ", "condition_syntax"),
        ("target.replicas >", "condition_syntax"),
        ("\x00", "condition_syntax"),
        ('"\\', "condition_syntax"),
        ("9" * 100, "condition_syntax"),
        ("🤯 == 1", "condition_syntax"),
        ("x == 1", "condition_name"),
        ("nofunc(1)", "condition_name"),
        ("'a'.matches('(')", "condition_name"),
        ("target.missing == 1", "condition_field"),
        ("[1][5] == 1", "condition_field"),
        ("target.replicas == 'a' + 1", "condition_type"),
        ("1 / 0 == 1", "condition_type"),
        ("9223372036854775807 + 1 > 0", "condition_type"),
        ("target.replicas", "condition_no_bool"),
        ("'true'", "condition_no_bool"),
        ("null", "condition_no_bool"),
        ("true || " * 80 + "true", "condition_long"),
        ("(" * 13 + "true" + ")" * 13, "condition_deep"),
        ("[[[[[[[[[[[[[1]]]]]]]]]]]]] == []", "condition_deep"),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "condition_costly"),
        ("[1] . map ( a, [1].filter(b, [1].exists(c, true)))==[]", "condition_costly"),
    ],
)
def test_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        condition.holds(text, VALUES)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("replicas > 1", "names unknown variables: replicas; known: target, inputs"),
        ("target.replicas >", "column 18: mismatched input '<EOF>'"),
        ("target.images.all(i, i == x)", "names unknown variables: x; known: target, inputs"),
        ("", "the condition is empty"),
    ],
)
def test_check_says_what_is_wrong(text: str, says: str) -> None:
    assert condition.check(text, ("target", "inputs")) == says


@pytest.mark.parametrize(
    ("large", "part"),
    [
        ({"labels": {str(n): "x" for n in range(61)}}, "more than 60 items"),
        ({"images": [["x"] * 61]}, "more than 60 items"),
        ({"name": "x" * 4001}, "longer than 4000 characters"),
    ],
    ids=["many", "many within", "long"],
)
def test_large_values_are_refused_before_they_are_walked(large: dict[str, Any], part: str) -> None:
    with pytest.raises(Refused, match=part) as caught:
        condition.holds("true", {"target": large})
    assert caught.value.reason == "condition_large"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("target.replicas > target.ready_replicas", ("replicas", "ready_replicas")),
        ("target['replicas'] > 1", ("*",)),
        ("size(target) > 1", ("*",)),
        ("'target.x' == \"target.y\"", ()),
        ("'it\\'s target.x' == target . labels.app", ("labels",)),
        ("inputs.target > 1", ()),
        ("targets.x", ()),
    ],
)
def test_fields_that_a_condition_names(text: str, fields: tuple[str, ...]) -> None:
    assert condition.fields(text, "target") == fields


def test_values_are_not_changed() -> None:
    before = repr(VALUES)
    condition.holds("target.images.map(i, i + 'x') == []", VALUES)
    assert repr(VALUES) == before
