"""Watch over the store: what a list would hold, and then each change of it, as lines of JSON until the time is over.

The lines are made while somebody reads them; an empty one says that nothing has happened for a moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping

from opsbot.testing.cluster import selectors
from opsbot.testing.cluster.objects import Change, Objects
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, status

IDLE = 0.25
"""Seconds after which a silent watch gives its reader a chance to look up."""

_LONGEST = 1800.0
Holds = Callable[[Json | None], bool]


def watch(objects: Objects, route: Route, request: Request) -> Response:
    """A stream of events; one that begins too far back is told so in its first event (410), and ends."""
    query = request.query
    if query.get("sendInitialEvents") not in (None, "false"):
        raise Failure(501, "the fake API server does not know sendInitialEvents: list first")
    holds = _holds(route, query)
    given = query.get("resourceVersion", "")
    if given and not given.isdecimal():
        said = f'resourceVersion: Invalid value: "{given}": strconv.ParseUint: parsing "{given}": invalid syntax'
        raise Failure(500, said)
    version = int(given or 0)
    if 0 < version < objects.oldest:
        old = Failure(410, f"too old resource version: {version} ({objects.oldest})")
        return Response(200, stream=iter([_line("ERROR", json.loads(status(old).body))]))
    seconds = float(query.get("timeoutSeconds") or _LONGEST)
    lines = _lines(objects, holds, version, time.monotonic() + seconds)
    bookmark = query.get("allowWatchBookmarks") in ("true", "1")
    return Response(200, stream=_ended(lines, objects, route) if bookmark else lines)


def _holds(route: Route, query: Mapping[str, str]) -> Holds:
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(query.get("fieldSelector", ""), route.kind)

    def holds(obj: Json | None) -> bool:
        return (
            obj is not None
            and obj["kind"] == route.kind.name
            and route.namespace in ("", obj["metadata"].get("namespace", ""))
            and by_label(obj["metadata"].get("labels") or {})
            and by_field(obj)
        )

    return holds


def _lines(objects: Objects, holds: Holds, version: int, until: float) -> Iterator[bytes]:
    """Events after a version (0: of all that there is, first); runs in the reader's thread."""
    with objects.news:
        first = [obj for obj in objects.everything() if holds(obj)] if not version else []
        version = version or objects.version
    yield from (_line("ADDED", obj) for obj in first)
    while True:
        with objects.news:
            if objects.version <= version:
                objects.news.wait(min(IDLE, max(until - time.monotonic(), 0.0)))
            found = objects.since(version)
            version = max(version, objects.version)
        yield from (line for change in found for line in _told(change, holds))
        if time.monotonic() >= until:
            return
        yield b""


def _told(change: Change, holds: Holds) -> Iterator[bytes]:
    """What a change means to somebody who sees only what the selectors let through."""
    if holds(change.after) and change.after is not None:
        yield _line("MODIFIED" if holds(change.before) else "ADDED", change.after)
    elif holds(change.before) and change.before is not None:
        meta = {**change.before["metadata"], "resourceVersion": str(change.version)}
        yield _line("DELETED", {**change.before, "metadata": meta})


def _ended(lines: Iterator[bytes], objects: Objects, route: Route) -> Iterator[bytes]:
    """The same, with a bookmark as its last word: a version from which a later watch may go on."""
    yield from lines
    meta = {"resourceVersion": str(objects.version), "creationTimestamp": None}
    yield _line("BOOKMARK", {"kind": route.kind.name, "apiVersion": route.kind.api_version, "metadata": meta})


def _line(kind: str, obj: Json) -> bytes:
    return json.dumps({"type": kind, "object": obj}, separators=(",", ":")).encode() + b"\n"
