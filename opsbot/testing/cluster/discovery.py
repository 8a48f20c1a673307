"""What a server says of itself: version, health, groups and resources."""

from __future__ import annotations

from opsbot.testing.cluster.kinds import KINDS, VERBS, Kind
from opsbot.testing.cluster.wire import Json, Response, answer, text

_REVIEWS = "authorization.k8s.io"
PUBLIC = ("/readyz", "/livez", "/healthz", "/version")  # what system:public-info-viewer lets anybody see


def answer_for(path: str, version: str) -> Response | None:
    """The answer to a request about the server itself; None for a path that is about objects."""
    clean = path.rstrip("/")
    if clean in ("/readyz", "/livez", "/healthz"):
        return text("ok")
    if clean == "/version":
        return answer(_version(version))
    if clean == "/api":
        return answer({"kind": "APIVersions", "versions": ["v1"]})
    if clean == "/apis":
        return answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _groups()]})
    return _resources(clean)


def _version(version: str) -> Json:
    major, minor = version.lstrip("v").split(".")[:2]
    return {
        "major": major, "minor": minor, "gitVersion": version, "gitCommit": "0" * 40, "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.26.8", "compiler": "gc", "platform": "linux/amd64",
    }  # fmt: skip


def _groups() -> list[str]:
    return sorted({kind.group for kind in KINDS if kind.group} | {_REVIEWS})


def _group(name: str) -> Json:
    versions = sorted({kind.version for kind in KINDS if kind.group == name} or {"v1"})
    named = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": named, "preferredVersion": named[0]}


def _resources(path: str) -> Response | None:
    found = [kind for kind in KINDS if path == _base(kind)]
    resources = [item for kind in found for item in _described(kind)]
    if path == f"/apis/{_REVIEWS}/v1":
        resources = [{"name": "selfsubjectaccessreviews", "singularName": "", "namespaced": False,
                      "kind": "SelfSubjectAccessReview", "verbs": ["create"]}]  # fmt: skip
    if not resources:
        return None
    version = path.removeprefix("/apis/").removeprefix("/api/")
    return answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})


def _base(kind: Kind) -> str:
    return f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"


def _described(kind: Kind) -> list[Json]:
    base: Json = {"name": kind.plural, "singularName": kind.name.lower(), "namespaced": kind.namespaced,
                  "kind": kind.name, "verbs": list(VERBS), "shortNames": list(kind.short)}  # fmt: skip
    below = [
        {"name": f"{kind.plural}/{sub}", "singularName": "", "namespaced": kind.namespaced, "kind": kind.name,
         "verbs": ["get"] if sub == "log" else ["create"] if sub == "eviction" else ["get", "patch", "update"]}
        for sub in kind.subresources
    ]  # fmt: skip
    return [base, *below]
