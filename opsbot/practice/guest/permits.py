"""The name of a namespace in; PermanentError where it cannot be used, before anything has been made."""

from __future__ import annotations

import re

from opsbot.core.errors import PermanentError
from opsbot.practice.guest.cluster import LABEL, RBAC, Cluster, by_hand, refused

_ACCESS = "authorization.k8s.io"
SYSTEM = re.compile(r"default|kube-.*|openshift(-.*)?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Wish = tuple[str, str, str, str]

WISHES: tuple[Wish, ...] = (
    ("create", "", "namespaces", ""), ("get", "", "namespaces", ""), ("delete", "", "namespaces", ""),
    ("create", "", "serviceaccounts", ""), ("create", "", "serviceaccounts", "token"), ("create", "", "services", ""),
    ("create", RBAC, "roles", ""), ("create", RBAC, "rolebindings", ""), ("create", "apps", "deployments", ""),
    ("get", "apps", "deployments", ""), ("list", "", "pods", ""),
)  # fmt: skip
"""Verb, group, resource, subresource: what the user must be allowed to do."""


def fits(namespace: str) -> None:
    """PermanentError for what is no name of a namespace, or one of the system's own."""
    if not _NAME.fullmatch(namespace):
        rule = "a-z, 0-9 and -, at most 63"
        raise PermanentError(f"--namespace {namespace[:80]!r}: no namespace can be called that ({rule})")
    if SYSTEM.fullmatch(namespace):
        raise PermanentError(f"--namespace {namespace}: that is a system namespace; name a new one, say opsbot-demo")


def free(cluster: Cluster, namespace: str) -> None:
    """PermanentError where it exists; for one of an earlier demo it says how to remove it."""
    status, found = cluster.ask("GET", f"/api/v1/namespaces/{namespace}")
    if status == 404:
        return
    if status != 200:
        raise refused(cluster, f"get the namespace {namespace}", status, found)
    metadata, named = found.get("metadata") or {}, f"{cluster.named}: the namespace {namespace}"
    if LABEL not in (metadata.get("labels") or {}):
        raise PermanentError(f"{named} exists already, and no demo made it. To go on: name one that does not exist.")
    if metadata.get("deletionTimestamp"):
        raise PermanentError(f"{named} of an earlier demo is still being deleted. To go on: try again in a minute.")
    raise PermanentError(
        f"{named} was made by a demo at {metadata.get('creationTimestamp')} that was killed, or still runs."
        f" To remove it: {by_hand(cluster, namespace)}"
    )


def allowed(cluster: Cluster, namespace: str) -> None:
    """PermanentError with everything that the user may not do."""
    missing = [_words(wish) for wish in WISHES if not _may(cluster, namespace, wish)]
    if missing:
        raise PermanentError(
            f"{cluster.named}: you may not {', '.join(missing)}; the demo needs that for its namespace"
        )


def _may(cluster: Cluster, namespace: str, wish: Wish) -> bool:
    verb, group, resource, part = wish
    where = {"name": namespace} if resource == "namespaces" else {"namespace": namespace}
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, **where}
    body = {"apiVersion": f"{_ACCESS}/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}}
    status, said = cluster.ask("POST", f"/apis/{_ACCESS}/v1/selfsubjectaccessreviews", body)
    if status != 201:
        raise refused(cluster, "ask what you may do", status, said)
    return bool((said.get("status") or {}).get("allowed"))


def _words(wish: Wish) -> str:
    verb, _group, resource, part = wish
    return f"{verb} {resource}/{part}" if part else f"{verb} {resource}"
