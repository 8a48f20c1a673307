"""From a URL path to what it names: kind, namespace, name, subresource."""

from __future__ import annotations

from dataclasses import dataclass

from opsbot.testing.cluster.kinds import BY_PLURAL, Kind
from opsbot.testing.cluster.wire import Failure

_VERBS = {
    "GET": ("list", "get"), "POST": ("create", ""), "PUT": ("", "update"), "PATCH": ("", "patch"),
    "DELETE": ("deletecollection", "delete"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is about; a list has no name."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def verb(self, method: str) -> str:
        """The verb as RBAC names it; 405 where the method makes no sense here."""
        if self.subresource == "eviction":
            verb = "create" if method == "POST" else ""
        elif self.subresource == "log":
            verb = "get" if method == "GET" else ""
        elif self.subresource and method not in ("GET", "PUT", "PATCH"):
            verb = ""
        else:
            verb = _VERBS.get(method, ("", ""))[bool(self.name)]
        if not verb or (verb == "create" and self.kind.namespaced and not self.namespace):
            raise Failure(405, "the server does not allow this method on the requested resource")
        return verb


def route(path: str) -> Route:
    """Read `/api/v1/...` or `/apis/GROUP/VERSION/...`; 501 for a resource that the fake does not know."""
    steps = [step for step in path.split("/") if step]
    if steps[:1] == ["api"] and len(steps) >= 3:
        group, version, rest = "", steps[1], steps[2:]
    elif steps[:1] == ["apis"] and len(steps) >= 4:
        group, version, rest = steps[1], steps[2], steps[3:]
    else:
        raise unknown(path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and (group, version, rest[2]) in BY_PLURAL:
        namespace, rest = rest[1], rest[2:]
    kind = BY_PLURAL.get((group, version, rest[0]))
    if kind is None or len(rest) > 3 or kind.namespaced < bool(namespace):
        raise unknown(path)
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and subresource not in kind.subresources:
        raise unknown(path)
    if name and kind.namespaced and not namespace:
        raise unknown(path)
    return Route(kind, namespace, name, subresource)


def unknown(path: str) -> Failure:
    """501, with the path: better loud than wrong."""
    return Failure(501, f"the fake API server does not know {path}: see FakeCluster.knows()")
