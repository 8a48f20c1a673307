"""What every API server promises of a watch: each change once, in order, and a way to go on after the line was cut."""

from __future__ import annotations

from itertools import islice
from typing import Any

from tests.contracts.cluster.ground import CONFIG_MAPS, MERGE, Ground

Events = list[tuple[str, str, Any]]


def make(ground: Ground, name: str, **labels: str) -> dict[str, Any]:
    return ground.good("POST", CONFIG_MAPS, {"metadata": {"name": name, "labels": {"mine": "yes", **labels}}})


def change(ground: Ground, name: str, **data: str) -> dict[str, Any]:
    return ground.good("PATCH", f"{CONFIG_MAPS}/{name}", {"data": data}, content_type=MERGE)


def version(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["resourceVersion"])


def seen(ground: Ground, count: int, **query: str) -> list[dict[str, Any]]:
    """So many events of a watch, which is cut after them."""
    with ground.watch(CONFIG_MAPS, account="reader", **{"labelSelector": "mine=yes", **query}) as events:
        return list(islice(events, count))


def told(events: list[dict[str, Any]]) -> Events:
    return [(event["type"], event["object"]["metadata"]["name"], event["object"].get("data")) for event in events]


def test_it_tells_each_change_after_a_version_in_order(ground: Ground) -> None:
    start = version(ground.good("GET", CONFIG_MAPS))
    make(ground, "a")
    change(ground, "a", x="1")
    make(ground, "b")
    ground.good("DELETE", f"{CONFIG_MAPS}/a")
    events = seen(ground, 4, resourceVersion=start)
    assert told(events) == [
        ("ADDED", "a", None), ("MODIFIED", "a", {"x": "1"}), ("ADDED", "b", None), ("DELETED", "a", {"x": "1"})
    ]  # fmt: skip
    versions = [int(version(event["object"])) for event in events]
    assert versions == sorted(set(versions))
    assert {(event["object"]["kind"], event["object"]["apiVersion"]) for event in events} == {("ConfigMap", "v1")}


def test_a_watch_that_was_cut_goes_on_where_it_was(ground: Ground) -> None:
    start = version(ground.good("GET", CONFIG_MAPS))
    make(ground, "a")
    (first,) = seen(ground, 1, resourceVersion=start)
    change(ground, "a", x="1")
    change(ground, "a", x="2")
    assert told(seen(ground, 2, resourceVersion=version(first["object"]))) == [
        ("MODIFIED", "a", {"x": "1"}), ("MODIFIED", "a", {"x": "2"})
    ]  # fmt: skip


def test_it_tells_what_happens_while_it_is_open(ground: Ground) -> None:
    start = version(ground.good("GET", CONFIG_MAPS))
    with ground.watch(CONFIG_MAPS, labelSelector="mine=yes", resourceVersion=start) as events:
        make(ground, "a")
        assert told(list(islice(events, 1))) == [("ADDED", "a", None)]
        change(ground, "a", x="1")
        assert told(list(islice(events, 1))) == [("MODIFIED", "a", {"x": "1"})]


def test_without_a_version_it_begins_with_what_there_is(ground: Ground) -> None:
    make(ground, "a")
    make(ground, "b")
    assert sorted(told(seen(ground, 2))) == [("ADDED", "a", None), ("ADDED", "b", None)]


def test_what_a_selector_lets_go_is_gone_and_what_it_takes_in_is_new(ground: Ground) -> None:
    start = version(ground.good("GET", CONFIG_MAPS))
    make(ground, "a", tier="front")
    make(ground, "b", tier="back")
    for name, tier in (("a", "back"), ("b", "front")):
        body = {"metadata": {"labels": {"tier": tier}}}
        ground.good("PATCH", f"{CONFIG_MAPS}/{name}", body, content_type=MERGE)
    events = seen(ground, 3, resourceVersion=start, labelSelector="tier=front")
    assert [(kind, name) for kind, name, _ in told(events)] == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "b")]


def test_one_object_is_watched_by_its_name(ground: Ground) -> None:
    start = version(ground.good("GET", CONFIG_MAPS))
    make(ground, "a")
    make(ground, "b")
    change(ground, "b", x="1")
    events = seen(ground, 2, resourceVersion=start, fieldSelector="metadata.name=b")
    assert told(events) == [("ADDED", "b", None), ("MODIFIED", "b", {"x": "1"})]


def test_a_version_that_is_forgotten_is_told_as_an_error_and_ends_the_watch(ground: Ground) -> None:
    with ground.watch(ground.young, resourceVersion="1") as events:
        (event,) = events
    said = event["object"]
    assert (event["type"], said["kind"], said["code"], said["reason"]) == ("ERROR", "Status", 410, "Expired")
    assert said["message"].startswith("too old resource version: 1 (")


def test_it_ends_when_its_time_is_over_and_a_bookmark_says_from_where_to_go_on(ground: Ground) -> None:
    start = version(make(ground, "a"))
    query = {"timeoutSeconds": str(ground.bookmark_after), "allowWatchBookmarks": "true", "resourceVersion": start}
    with ground.watch(CONFIG_MAPS, **query) as events:
        change(ground, "a", x="1")
        *_, last = events
    mark = last["object"]
    assert (last["type"], mark["kind"], mark["apiVersion"]) == ("BOOKMARK", "ConfigMap", "v1")
    assert int(version(mark)) > int(start)
    make(ground, "b")
    assert told(seen(ground, 1, resourceVersion=version(mark))) == [("ADDED", "b", None)]


def test_a_version_that_is_no_number_is_refused(ground: Ground) -> None:
    found = ground.refused("GET", CONFIG_MAPS, watch="true", resourceVersion="x", timeoutSeconds="1")
    assert (found["code"], "strconv.ParseUint" in found["message"]) == (500, True)
