"""The API server's own audit log in, the writes that it saw and the rights that were used out.

The log is the server's, so it judges what was done whatever the one who did it says. A line that is no event of it, a
half-written last one say, is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from opsbot.testing.cluster import Write
from opsbot.testing.cluster.kinds import KINDS

WRITES = ("create", "update", "patch", "delete", "deletecollection")
_KINDS = {(kind.group, kind.plural): kind.name for kind in KINDS}

Event = Mapping[str, Any]


def events(folder: Path) -> Iterator[Event]:
    """All events of the log, rotated parts first."""
    # A rotated part is called audit-<time>.log, and its name sorts before that of the present one.
    for file in sorted(folder.glob("audit*.log")):
        yield from _read(file)


def _read(file: Path) -> Iterator[Event]:
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("stage") == "ResponseComplete":
            yield found


def writes(found: Iterable[Event]) -> tuple[Write, ...]:
    """The writes among the events in the order in which they came, dry runs and refused ones too.

    `account` is the name of the user whom the server knew the sender as. What is refused before its body is read (403)
    has none.
    """
    made = [_write(event) for event in found if event.get("verb") in WRITES and "objectRef" in event]
    return tuple(sorted(made, key=lambda write: write.at))


def _write(event: Event) -> Write:
    about, body = event["objectRef"], event.get("requestObject")
    given = (body.get("metadata") or {}) if isinstance(body, dict) else {}
    resource = str(about.get("resource", ""))
    return Write(
        account=_user(event), verb=event["verb"], kind=_KINDS.get((about.get("apiGroup", ""), resource), resource),
        namespace=about.get("namespace", ""), name=about.get("name") or given.get("name") or "",
        subresource=about.get("subresource", ""), dry_run=_is_dry(event, body), body=body,
        at=datetime.fromisoformat(event["requestReceivedTimestamp"]),
        status=int((event.get("responseStatus") or {}).get("code", 0)),
    )  # fmt: skip


def _user(event: Event) -> str:
    return str((event.get("user") or {}).get("username", ""))


def _is_dry(event: Event, body: Any) -> bool:
    """Dry runs say so in the query; a delete may also say it in its body."""
    query = parse_qs(urlsplit(str(event.get("requestURI", ""))).query)
    options = isinstance(body, dict) and body.get("kind") == "DeleteOptions" and body.get("dryRun")
    return bool(query.get("dryRun") or options)


def used(found: Iterable[Event], account: str) -> frozenset[tuple[str, str]]:
    """The rights that an account made use of and was granted, in the spelling of `kubectl auth can-i`."""
    return frozenset(
        (str(event["verb"]), _resource(event["objectRef"]))
        for event in found
        if _user(event) == account and "objectRef" in event and _was_granted(event)
    )


def _was_granted(event: Event) -> bool:
    return bool((event.get("annotations") or {}).get("authorization.k8s.io/decision") == "allow")


def _resource(about: Mapping[str, Any]) -> str:
    group = f".{about['apiGroup']}" if about.get("apiGroup") else ""
    part = f"/{about['subresource']}" if about.get("subresource") else ""
    return f"{about['resource']}{group}{part}"
