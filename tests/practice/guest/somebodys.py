"""Somebody's cluster in memory, as a demo sees it: it keeps what it is sent, and can be told to be difficult."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from opsbot.core.errors import Blind

Json = dict[str, Any]
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Answer = tuple[int, Json]


class Somebodys:
    """Objects by path. `denied` are verbs with resources that the user lacks; pods come up unless `stuck` says why not.

    `before` hears of each request first, and may answer it itself or raise.
    """

    named = "kubeconfig theirs, context prod"
    kubectl: tuple[str, ...] = ("kubectl", "--kubeconfig", "their s", "--context", "prod")
    server = "https://127.0.0.1:1"
    ca = "PEM"

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.denied: set[tuple[str, str]] = set()
        self.stuck: Json = {}
        self.glances_to_go = 1
        self.before: Callable[[str, str, Any], Answer | None] = lambda *_request: None
        self._uids = itertools.count(1)
        self.add("/api/v1/namespaces", {"metadata": {"name": "prod"}})

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        self.requests.append((method, path, body))
        said = self.before(method, path, body)
        if said:
            return said
        if path == REVIEW:
            return 201, {"status": {"allowed": _wish(body) not in self.denied}}
        if path.endswith("/token"):
            return 201, {"status": {"token": f"token of {path.split('/')[-2]}"}}
        return {"GET": self._get, "POST": self._post, "DELETE": self._delete}[method](path, body)

    def add(self, path: str, obj: Json) -> Json:
        kept = {**obj, "metadata": {**obj["metadata"], "uid": f"uid-{next(self._uids)}"}}
        self.objects[f"{path}/{obj['metadata']['name']}"] = kept
        return kept

    @property
    def namespaces(self) -> list[str]:
        return [found[1] for path in self.objects if (found := re.fullmatch(r"/api/v1/namespaces/([^/]+)", path))]

    def sent(self, method: str) -> list[str]:
        return [path for used, path, _ in self.requests if used == method and path != REVIEW]

    def _get(self, path: str, _body: Any) -> Answer:
        if path.endswith(("/pods", "/deployments")):
            inside = [obj for at, obj in self.objects.items() if at.rpartition("/")[0] == path]
            pods = [{"status": self.stuck}] if self.stuck and path.endswith("/pods") else []
            return 200, {"items": [*pods, *inside]}
        found = self.objects.get(path)
        if found is None:
            return 404, {"kind": "Status", "message": "not found"}
        self._move(path, found)
        return 200, found

    def _move(self, path: str, found: Json) -> None:
        """What controllers do in the meantime: pods become ready, and a namespace goes after some glances."""
        if found.get("kind") == "Deployment" and not self.stuck:
            found["status"] = {"readyReplicas": found["spec"]["replicas"]}
        if "deletionTimestamp" in found["metadata"]:
            self.glances_to_go -= 1
            if self.glances_to_go < 0:
                inside = f"/namespaces/{path.rpartition('/')[2]}/"
                self.objects = {at: obj for at, obj in self.objects.items() if inside not in f"{at}/"}

    def _post(self, path: str, body: Any) -> Answer:
        if f"{path}/{body['metadata']['name']}" in self.objects:
            return 409, {"message": "already exists"}
        return 201, self.add(path, body)

    def _delete(self, path: str, body: Any) -> Answer:
        found = self.objects[path]
        if body["preconditions"]["uid"] != found["metadata"]["uid"]:
            return 409, {"message": "the UID in the precondition does not match"}
        found["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z"
        return 200, found


def _wish(body: Json) -> tuple[str, str]:
    asked = body["spec"]["resourceAttributes"]
    part = f"/{asked['subresource']}" if asked["subresource"] else ""
    return asked["verb"], asked["resource"] + part


def silent_for(times: int, method: str) -> Callable[[str, str, Any], Answer | None]:
    """No answer to so many requests of this method."""
    left = [times]

    def before(used: str, _path: str, _body: Any) -> Answer | None:
        if used == method and left[0] > 0:
            left[0] -= 1
            raise Blind("no answer in time")
        return None

    return before
