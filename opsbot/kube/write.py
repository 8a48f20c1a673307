"""The one door for writes: a merge patch bound to uid and resourceVersion, sent once and never again by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opsbot.core.errors import Blind, PermanentError, Refused, TemporaryError, Unknown
from opsbot.core.ports import Object
from opsbot.core.target import Target
from opsbot.kube.call import ask
from opsbot.kube.errors import NoAnswer, NotSent, Reply, blind, failed_write, is_missing
from opsbot.kube.kinds import path

MERGE = "application/merge-patch+json"


class KubeWriter:
    """A `ClusterWriter` over an `ApiClient` of the write account. It looks and writes; it never tries twice."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def read(self, target: Target, timeout: float = 10.0) -> Object | None:
        """The object as it is now; None where the API server says that there is none, Blind for anything else."""
        what = f"read {target}"
        try:
            reply = ask(self._api, "GET", _path(target), timeout=timeout)
        except (NotSent, NoAnswer) as error:
            raise Blind(f"{what}: {error}") from error
        if is_missing(reply, target.name):
            return None
        found = reply.parsed()
        if reply.status != 200:
            raise blind(what, reply)
        if found is None or reply.cut or not _meta(found).get("uid"):
            raise Blind(f"{what}: the answer is no {target.kind}")
        return {"kind": target.kind, **found}

    def patch(self, target: Target, body: Object, *, dry_run: bool = False, timeout: float = 10.0) -> Object:
        """Merge-patch one object, all or nothing, under the lock in `body.metadata`; comes back as it then is.

        Refused "no_precondition" without uid and resourceVersion, "other_object" where the uid is not the target's.
        Conflict on 409; Refused with the server's reason on what it clearly refuses (403, 404, 422 and the like);
        TemporaryError on 429 and where no connection came about; Unknown when the request went out and no usable
        answer came, a 5xx or a proxy's page included.
        """
        uid = _lock(target, body)
        what = f"{'dry run of a patch' if dry_run else 'patch'} of {target}"
        query = {"fieldManager": "opsbot", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        content = _plain(body, what)
        try:
            reply = ask(self._api, "PATCH", _path(target), timeout=timeout, query=query, body=content,
                        content_type=MERGE)  # fmt: skip
        except NotSent as error:
            raise TemporaryError(f"{what}: {error}") from error
        except NoAnswer as error:
            raise Unknown(f"{what}: {error}") from error
        return _patched(what, reply, uid)


def _path(target: Target) -> str:
    if not target.name:
        raise PermanentError("a target without a name would mean all of its kind")
    return path(target.kind, target.namespace, target.name)


def _lock(target: Target, body: Object) -> str:
    """The uid that the patch is bound to.

    An empty resourceVersion is no lock at all to the server, so it is refused here; so is one that is no number, which
    the server answers with a 500.
    """
    meta = _meta(body)
    uid, version = meta.get("uid"), meta.get("resourceVersion")
    if not isinstance(uid, str) or not uid:
        raise Refused("no_precondition", f"the patch of {target} holds no uid")
    if not isinstance(version, str) or not version.isascii() or not version.isdecimal():
        raise Refused("no_precondition", f"the patch of {target} holds no resourceVersion")
    if target.uid and target.uid != uid:
        raise Refused("other_object", f"the patch is not for the {target} that was planned for: its uid is another one")
    return uid


def _meta(body: Object) -> Mapping[str, Any]:
    found = body.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _plain(body: Object, what: str) -> Any:
    try:
        return json.loads(json.dumps(body, allow_nan=False, default=dict))
    except (TypeError, ValueError) as error:
        raise Refused("no_json", f"{what}: the patch is no JSON: {error}") from error


def _patched(what: str, reply: Reply, uid: str) -> Object:
    if reply.status != 200:
        raise failed_write(what, reply)
    found = None if reply.cut else reply.parsed()
    if found is None or _meta(found).get("uid") != uid:
        raise Unknown(f"{what}: the answer was 200, but not the object")
    return found
