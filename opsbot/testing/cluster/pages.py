"""Pages of a list: a consistent view over all of them by a token, as long as the server remembers what was.

The token is the API server's own form (k8s.io/apiserver, pkg/storage/continue.go): base64 of version and last key.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from opsbot.testing.cluster.objects import Objects, key_of
from opsbot.testing.cluster.wire import Failure, Json

_FORM = "meta.k8s.io/v1"
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after this key, as the objects were at this version."""

    version: int
    after: tuple[str, str] = ("", "")


def place(objects: Objects, query: Mapping[str, str]) -> Place:
    """What the query asks for; 400 for a token that is none, 410 (with another token) for one that is too old."""
    token = query.get("continue", "")
    if not token:
        return Place(objects.version)
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start = int(found["rv"]), str(found["start"])
        good = found["v"] == _FORM and version != 0 and start.endswith("\0")
    except (ValueError, KeyError, TypeError, binascii.Error):
        good = False
    if not good:
        raise Failure(400, "invalid continue token: continue key is not valid")
    space, _, name = start[:-1].rpartition("/")
    if version < 0:
        return Place(objects.version, (space, name))
    if version < objects.oldest:
        raise Failure(410, _TOO_OLD, more={"metadata": {"continue": _token(-1, start)}})
    return Place(version, (space, name))


def page(found: list[Json], asked: Place, query: Mapping[str, str]) -> tuple[list[Json], Json]:
    """The objects of one page, and what the list's metadata says of the others."""
    left = [obj for obj in found if key_of(obj)[1:] > asked.after]
    try:
        limit = int(query.get("limit") or 0)
    except ValueError as error:
        raise Failure(400, f'strconv.ParseInt: parsing "{query["limit"]}": invalid syntax') from error
    if limit <= 0 or len(left) <= limit:
        return left, {}
    _, space, name = key_of(left[limit - 1])
    meta: Json = {"continue": _token(asked.version, f"{space}/{name}\0")}
    if not query.get("labelSelector") and not query.get("fieldSelector"):
        meta["remainingItemCount"] = len(left) - limit
    return left[:limit], meta


def _token(version: int, start: str) -> str:
    said = json.dumps({"v": _FORM, "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
