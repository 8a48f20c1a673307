"""get and list over the store, and what every verb needs: finding an object, reading a body, spotting a dry run."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from opsbot.testing.cluster import selectors
from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.objects import Objects, key_of
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer


def not_found(kind: Kind, name: str) -> Failure:
    """404 for an object."""
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return Failure(404, f'{kind.resource} "{name}" not found', details=details)


def find(objects: Objects, route: Route) -> Json:
    """The object that a route names; 404 where there is none."""
    found = objects.find(route.kind.name, route.namespace, route.name)
    if found is None:
        raise not_found(route.kind, route.name)
    return found


def is_dry(request: Request) -> bool:
    """Whether this is a dry run; 400 for a value other than All."""
    asked = request.query.get("dryRun")
    if asked not in (None, "All"):
        raise Failure(400, f'Invalid value: "{asked}": dryRun must be one of: All')
    return asked == "All"


def read_body(request: Request) -> Any:
    """The JSON of a body; 415 for another type (YAML, protobuf), 400 for what is no JSON."""
    if request.content_type not in ("", "application/json"):
        raise Failure(415, "the body of the request was in an unknown format - accepted media types include: "
                           "application/json, application/yaml, application/vnd.kubernetes.protobuf")  # fmt: skip
    return parse(request.body)


def read_object(request: Request) -> Json:
    """As `read_body`; 400 where the JSON is no object."""
    found = read_body(request)
    if not isinstance(found, dict):
        raise Failure(400, "the body of the request is no object")
    return found


def parse(body: bytes) -> Any:
    """JSON, or 400."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failure(400, f"couldn't get version/kind; json parse error: {error}") from error


def get(objects: Objects, route: Route, _request: Request) -> Response:
    """One object."""
    return answer(find(objects, route))


def list_(objects: Objects, route: Route, request: Request) -> Response:
    """Objects by selectors, in pages. Items bear neither kind nor apiVersion, as in the real lists."""
    query = request.query
    if query.get("watch", "false") not in ("false", "0", ""):
        raise Failure(501, "the fake API server does not know watch: list again instead")
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(query.get("fieldSelector", ""), route.kind)
    found = [
        obj for obj in objects.each(route.kind.name, route.namespace)
        if by_label(obj["metadata"].get("labels") or {}) and by_field(obj)
    ]  # fmt: skip
    page, meta = _page(found, query)
    items = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in page]
    return answer({
        "kind": f"{route.kind.name}List", "apiVersion": route.kind.api_version,
        "metadata": {"resourceVersion": str(objects.version), **meta}, "items": items,
    })  # fmt: skip


def _page(found: list[Json], query: Mapping[str, str]) -> tuple[list[Json], Json]:
    start = _start(query.get("continue", ""))
    left = [obj for obj in found if key_of(obj) > start] if start else found
    try:
        limit = int(query.get("limit") or 0)
    except ValueError as error:
        raise Failure(400, f"strconv.ParseInt: parsing {query['limit']!r}: invalid syntax") from error
    if limit <= 0 or len(left) <= limit:
        return left, {}
    token = base64.urlsafe_b64encode(json.dumps(key_of(left[limit - 1])).encode()).decode()
    return left[:limit], {"continue": token, "remainingItemCount": len(left) - limit}


def _start(token: str) -> tuple[str, ...]:
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token))) if token else ()
    except (ValueError, binascii.Error) as error:
        raise Failure(400, f"continue key is not valid: {error}") from error
