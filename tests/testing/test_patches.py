"""The three kinds of patch, against the examples of their standards and of the API's own conventions."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from opsbot.testing.cluster.patches import json_patch, merge, strategic
from opsbot.testing.cluster.wire import Failure

# The test cases of RFC 7386, appendix A.
RFC_7386: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}), ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}), ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}), ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), (["a", "b"], ["c", "d"], ["c", "d"]), ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"), ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "patch", "want"), RFC_7386, ids=[str(n) for n in range(len(RFC_7386))])
def test_merge(value: Any, patch: Any, want: Any) -> None:
    before = copy.deepcopy(value)
    assert merge(value, patch) == want
    assert value == before


TWO = {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}
STRATEGIC: dict[str, tuple[Any, Any, Any]] = {
    "by name": (TWO, {"containers": [{"name": "b", "image": "b:2"}]},
                {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}]}),
    "a new one": ({"containers": []}, {"containers": [{"name": "c"}]}, {"containers": [{"name": "c"}]}),
    "delete": (TWO, {"containers": [{"name": "a", "$patch": "delete"}]},
               {"containers": [{"name": "b", "image": "b:1"}]}),
    "delete none": (TWO, {"containers": [{"name": "z", "$patch": "delete"}]}, TWO),
    "replace a list": (TWO, {"containers": [{"$patch": "replace"}, {"name": "z"}]}, {"containers": [{"name": "z"}]}),
    "replace a map": ({"a": {"x": 1}}, {"a": {"$patch": "replace", "y": 2}}, {"a": {"y": 2}}),
    "atomic list": ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    "finalizers add up": ({"finalizers": ["a"]}, {"finalizers": ["a", "b"]}, {"finalizers": ["a", "b"]}),
    "ports of a container": ({"ports": [{"containerPort": 1, "name": "x"}]},
                             {"ports": [{"containerPort": 1, "name": "y"}]},
                             {"ports": [{"containerPort": 1, "name": "y"}]}),
    "ports of a service": ({"ports": [{"port": 1}]}, {"ports": [{"port": 2}]}, {"ports": [{"port": 1}, {"port": 2}]}),
    "null": ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    "order marks": ({"a": 1}, {"$setElementOrder/containers": [{"name": "a"}], "a": 2}, {"a": 2}),
    "env by name": ({"env": [{"name": "X", "value": "1"}]}, {"env": [{"name": "X", "value": "2"}]},
                    {"env": [{"name": "X", "value": "2"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", STRATEGIC)
def test_strategic(name: str) -> None:
    value, patch, want = STRATEGIC[name]
    before = copy.deepcopy(value)
    assert strategic(value, patch) == want
    assert value == before


@pytest.mark.parametrize(
    ("patch", "code"),
    [({"containers": [{"image": "x"}]}, 400), ({"$retainKeys": ["a"]}, 501)],
    ids=["no key", "directive"],
)
def test_strategic_refuses_what_it_cannot_do(patch: Any, code: int) -> None:
    with pytest.raises(Failure) as refusal:
        strategic({}, patch)
    assert refusal.value.code == code


VALUE = {"a": {"b": [1, 2, 3]}, "c~d": 1, "e/f": 2}
JSON: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "add": ([{"op": "add", "path": "/x", "value": 1}], {**VALUE, "x": 1}),
    "add to a list": ([{"op": "add", "path": "/a/b/1", "value": 9}], {**VALUE, "a": {"b": [1, 9, 2, 3]}}),
    "add to the end": ([{"op": "add", "path": "/a/b/-", "value": 9}], {**VALUE, "a": {"b": [1, 2, 3, 9]}}),
    "remove": ([{"op": "remove", "path": "/a/b/0"}], {**VALUE, "a": {"b": [2, 3]}}),
    "replace": ([{"op": "replace", "path": "/a/b/2", "value": 7}], {**VALUE, "a": {"b": [1, 2, 7]}}),
    "escapes": ([{"op": "replace", "path": "/c~0d", "value": 5}, {"op": "remove", "path": "/e~1f"}],
                {"a": {"b": [1, 2, 3]}, "c~d": 5}),
    "move": ([{"op": "move", "from": "/a/b/0", "path": "/x"}], {**VALUE, "a": {"b": [2, 3]}, "x": 1}),
    "copy": ([{"op": "copy", "from": "/a/b", "path": "/x"}], {**VALUE, "x": [1, 2, 3]}),
    "test": ([{"op": "test", "path": "/a/b/0", "value": 1}], VALUE),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_json_patch(name: str) -> None:
    operations, want = JSON[name]
    before = copy.deepcopy(VALUE)
    assert json_patch(VALUE, operations) == want
    assert before == VALUE


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/b/0", "value": 2}, {"op": "remove", "path": "/none"},
        {"op": "remove", "path": "/a/b/3"},
        {"op": "replace", "path": "/none", "value": 1}, {"op": "add", "path": "/no/such", "value": 1},
        {"op": "add", "path": "/a/b/9", "value": 1}, {"op": "add", "path": "/a/b/x", "value": 1},
        {"op": "jump", "path": "/a"},
        {"op": "add", "path": "a", "value": 1}, {"op": "add", "path": "/x"}, {"path": "/x"},
        {"op": "move", "path": "/x"},
        {"op": "replace", "path": "", "value": 5}, "remove",
    ],
    ids=["test fails", "remove none", "remove beyond", "replace none", "add below none", "add beyond", "no index",
         "unknown", "no slash", "no value", "no op", "no from", "no object left", "no operation"],
)  # fmt: skip
def test_json_patch_refuses(operation: Any) -> None:
    with pytest.raises(Failure) as refusal:
        json_patch(VALUE, [operation])
    assert refusal.value.code == 422


def test_a_json_patch_is_a_list() -> None:
    with pytest.raises(Failure) as refusal:
        json_patch(VALUE, {"op": "remove"})
    assert refusal.value.code == 400
