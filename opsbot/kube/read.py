"""Reading the cluster under the read account: raw objects, logs and rights; whatever is less than whole is Blind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opsbot.core.errors import Blind
from opsbot.core.ports import Listing, Log, Object
from opsbot.kube.call import ask
from opsbot.kube.errors import NoAnswer, NotSent, Reply, blind, is_missing, retry_after, said
from opsbot.kube.kinds import api_version, path, place

PAGE = 250
LINES_PER_KB = 16
_GONE_LOG = b"unable to retrieve container logs for "


class KubeReader:
    """A `ClusterReader` over an `ApiClient` (of `session.connect`, or of a FakeCluster).

    Each call is tried at most twice, both within its time limit; this is the one owner of retries for reads.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    def get(self, kind: str, namespace: str, name: str, timeout: float = 10.0) -> Object | None:
        """One object, or None where the API server itself says that there is none; else Blind."""
        what = f"get {kind}/{name}"
        reply = self._ask("GET", path(kind, namespace, name), timeout, what)
        if is_missing(reply, name):
            return None
        found = _whole(what, reply)
        return _named(kind, found, what)

    def list(
        self, kind: str, namespace: str = "", labels: str = "", fields: str = "", limit: int = 500, timeout: float = 10
    ) -> Listing:
        """Objects of a kind, page by page, up to `limit`; those that are no objects at all are left out and marked."""
        what, until = f"list {kind}", time.monotonic() + timeout
        items: list[Object] = []
        limit = max(limit, 1)
        odd, token = False, ""
        while True:
            query = {"limit": str(min(PAGE, limit - len(items))), "labelSelector": labels, "fieldSelector": fields,
                     "continue": token}  # fmt: skip
            given = {key: value for key, value in query.items() if value}
            reply = self._ask("GET", path(kind, namespace), max(until - time.monotonic(), 0.001), what, query=given)
            page, token = _page(what, _whole(what, reply))
            good = [_filled(kind, item) for item in page if _is_object(item)]
            odd = odd or len(good) < len(page)
            items += good
            if not token or len(items) >= limit or not page:
                return Listing(tuple(items[:limit]), truncated=odd or bool(token) or len(items) > limit)

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, since: datetime | None = None,
        limit_bytes: int = 262_144, timeout: float = 10.0,
    ) -> Log | None:  # fmt: skip
        """The newest lines of a container's log with the server's time stamps; None where there is no log.

        The server's own byte limit cuts the newest lines off, so the number of lines is bounded instead, and asked for
        again with fewer lines where even these are too long.
        """
        what, until = f"log of {pod}/{container}", time.monotonic() + timeout
        lines = max(limit_bytes * LINES_PER_KB // 1024, 1)
        while True:
            cap = 4 * limit_bytes
            query = {"container": container, "timestamps": "true", "tailLines": str(lines), "limitBytes": str(cap)}
            query |= {"previous": "true"} if previous else {}
            query |= {"sinceTime": _zulu(since)} if since else {}
            left = max(until - time.monotonic(), 0.001)
            reply = self._ask("GET", path("Pod", namespace, pod, "log"), left, what, query=query, max_bytes=cap)
            if _has_no_log(reply, pod):
                return None
            content = _log_bytes(what, reply)
            if len(content) < cap or lines == 1:
                return _newest(content, limit_bytes, cut=content.count(b"\n") >= lines or len(content) >= cap)
            lines = max(lines // 8, 1)

    def may(self, verb: str, kind: str, namespace: str = "", subresource: str = "", timeout: float = 10.0) -> bool:
        """Whether this account may do that, by a SelfSubjectAccessReview; anything but a plain yes or no is Blind."""
        group, _version, plural, _namespaced = place(kind)
        wish = {"verb": verb, "group": group, "resource": plural, "subresource": subresource, "namespace": namespace}
        body = {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in wish.items() if value}},
        }  # fmt: skip
        what = f"may I {verb} {kind}"
        place_ = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        found = _whole(what, self._ask("POST", place_, timeout, what, body=body))
        status = found.get("status")
        allowed = status.get("allowed") if isinstance(status, Mapping) else None
        if not isinstance(allowed, bool):
            raise Blind(f"{what}: the answer says neither yes nor no")
        return allowed

    def version(self, timeout: float = 10.0) -> str:
        """The server's version, as `v1.36.3`."""
        found = _whole("version", self._ask("GET", "/version", timeout, "version")).get("gitVersion")
        if not isinstance(found, str) or not found or len(found) > 100:
            raise Blind("version: the answer holds none")
        return found

    def check(self, timeout: float = 5.0) -> str:
        """A sentence for `opsbot doctor`; Blind when the server does not answer or does not know the account."""
        until = time.monotonic() + timeout
        version = self.version(timeout)
        self.may("list", "Pod", timeout=max(until - time.monotonic(), 0.001))
        return f"Kubernetes {version} at {self._api.configuration.host} answers and knows this account"

    def _ask(self, method: str, where: str, timeout: float, what: str, **options: Any) -> Reply:
        """One call, and a second one where the first failed in a way that may pass."""
        until = time.monotonic() + timeout
        for last in (False, True):
            left = max(until - time.monotonic(), 0.001)
            try:
                reply = ask(self._api, method, where, timeout=left, **options)
            except (NotSent, NoAnswer) as error:
                if last or time.monotonic() >= until:
                    raise Blind(f"{what}: {error}") from error
                continue
            pause = retry_after(reply.headers) if reply.status == 429 else 0.0
            if last or not _may_pass(reply) or time.monotonic() + pause >= until:
                return reply
            time.sleep(pause)
        raise AssertionError("the loop above ends by itself")


def _may_pass(reply: Reply) -> bool:
    return reply.status == 429 or reply.status >= 500


def _whole(what: str, reply: Reply) -> dict[str, Any]:
    """The JSON object of a good answer; Blind for every other one."""
    if reply.status not in (200, 201):
        raise blind(what, reply)
    if reply.cut:
        raise Blind(f"{what}: the answer is larger than {len(reply.body) // 1_000_000} MB")
    found = reply.parsed()
    if found is None:
        raise Blind(f"{what}: the answer is no JSON object")
    return found


def _is_object(item: Any) -> bool:
    meta = item.get("metadata") if isinstance(item, dict) else None
    return isinstance(meta, dict) and isinstance(meta.get("name"), str)


def _named(kind: str, found: dict[str, Any], what: str) -> Object:
    if not _is_object(found):
        raise Blind(f"{what}: the answer is no {kind}")
    return _filled(kind, found)


def _filled(kind: str, item: dict[str, Any]) -> Object:
    """Items of lists say neither their kind nor their version: they get both back."""
    return {"apiVersion": api_version(kind), "kind": kind, **item}


def _page(what: str, found: dict[str, Any]) -> tuple[list[Any], str]:
    items, meta = found.get("items"), found.get("metadata")
    if items is None and str(found.get("kind", "")).endswith("List"):
        items = []
    if not isinstance(items, list) or not isinstance(meta, dict | None):
        raise Blind(f"{what}: the answer is no list")
    token = (meta or {}).get("continue") or ""
    if not isinstance(token, str):
        raise Blind(f"{what}: the answer is no list")
    return items, token


# logs ---------------------------------------------------------------------------------------------------------------


def _zulu(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _has_no_log(reply: Reply, pod: str) -> bool:
    """The pod is gone, the container has not run yet, or it has not run before (the kubelet's and server's words)."""
    if is_missing(reply, pod):
        return True
    text = said(reply) if reply.status == 400 and reply.refusal() else ""
    return "is waiting to start" in text or ("previous terminated container" in text and "not found" in text)


def _log_bytes(what: str, reply: Reply) -> bytes:
    if reply.status != 200:
        raise blind(what, reply)
    if reply.body.startswith(_GONE_LOG):
        # A log file that was rotated away under the kubelet is told of with 200 and this sentence as the log.
        raise Blind(f"{what}: the node no longer has it")
    return reply.body


def _newest(content: bytes, limit: int, *, cut: bool) -> Log:
    """The last lines that fit into `limit` bytes; one line longer than that is kept as its end."""
    if len(content) <= limit:
        return Log(content, truncated=cut)
    kept = content[-limit:]
    first = kept.find(b"\n")
    if content[-limit - 1 : -limit] != b"\n" and 0 <= first < len(kept) - 1:
        kept = kept[first + 1 :]
    return Log(kept, truncated=True)
