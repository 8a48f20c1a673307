"""A namespace and the mark of who made it in; afterwards it is gone. One with another mark is never touched."""

from __future__ import annotations

import time

from opsbot.core.errors import Blind, PermanentError
from opsbot.practice.guest.cluster import LABEL, Cluster, by_hand, refused

GONE_WITHIN = 90.0
GLANCE = 0.5


def remove(cluster: Cluster, namespace: str, mark: str) -> None:
    """Delete the namespace if it is the one that we made, and wait until it is gone.

    PermanentError with the command for a human, where it may have been left behind.
    """
    until, why = time.monotonic() + GONE_WITHIN, f"it is still being deleted after {GONE_WITHIN:.0f} s"
    try:
        while time.monotonic() < until:
            try:
                if _gone(cluster, namespace, mark):
                    return
            except Blind as error:  # no answer is no news: both questions may be put again
                why = str(error)
            time.sleep(GLANCE)
    except PermanentError as error:
        why = str(error)
    raise PermanentError(
        f"the namespace {namespace} may be left behind: {why}. Remove it: {by_hand(cluster, namespace)}"
    )


def _gone(cluster: Cluster, namespace: str, mark: str) -> bool:
    """Whether there is none of ours any more; asks for its deletion where nobody has yet."""
    status, found = cluster.ask("GET", f"/api/v1/namespaces/{namespace}")
    metadata = found.get("metadata") or {}
    if status == 404 or (status == 200 and (metadata.get("labels") or {}).get(LABEL) != mark):
        return True
    if status != 200:
        raise refused(cluster, f"get the namespace {namespace}", status, found)
    if not metadata.get("deletionTimestamp"):
        _delete(cluster, namespace, str(metadata.get("uid")))
    return False


def _delete(cluster: Cluster, namespace: str, uid: str) -> None:
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
    status, said = cluster.ask("DELETE", f"/api/v1/namespaces/{namespace}", body)
    if status not in (200, 202, 404, 409):  # 409: it is another one by now
        raise refused(cluster, f"delete the namespace {namespace}", status, said)
