"""get and list over the store, and what every verb needs: finding an object, reading a body, spotting a dry run."""

from __future__ import annotations

import json
from typing import Any

from opsbot.testing.cluster import pages, selectors
from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer, invalid


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
    """Whether this is a dry run; 422 for a value other than All."""
    asked = request.query.get("dryRun")
    if asked not in (None, "All"):
        what = f'Unsupported value: ["{asked}"]: supported values: "All"'
        options = {"POST": "Create", "PUT": "Update", "PATCH": "Patch"}.get(request.method, "Delete")
        raise invalid(f"{options}Options.meta.k8s.io", "", [("dryRun", what)])
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
    query, kind = request.query, route.kind
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(query.get("fieldSelector", ""), kind)
    asked = pages.place(objects, query)
    found = [
        obj for obj in objects.at(asked.version, kind.name, route.namespace)
        if by_label(obj["metadata"].get("labels") or {}) and by_field(obj)
    ]  # fmt: skip
    page, meta = pages.page(found, asked, query)
    items = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in page]
    return answer({
        "kind": f"{kind.name}List", "apiVersion": kind.api_version,
        "metadata": {"resourceVersion": str(asked.version), **meta}, "items": items,
    })  # fmt: skip


def is_watch(request: Request) -> bool:
    """Whether a list is asked for as a watch."""
    return request.query.get("watch", "false") not in ("false", "0", "")
