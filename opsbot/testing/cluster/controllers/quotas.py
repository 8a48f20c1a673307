"""ResourceQuotas: what is used of them right now. Until this has been worked out once, a quota is not in force."""

from __future__ import annotations

from opsbot.testing.cluster.controllers.loop import Loop
from opsbot.testing.cluster.quotas import total
from opsbot.testing.cluster.wire import Json


def sync(loop: Loop, quota: Json) -> None:
    """Work the quota's status out anew."""
    hard = dict((quota.get("spec") or {}).get("hard") or {})
    used = total(loop.objects, quota["metadata"]["namespace"], hard)
    loop.objects.update(quota, status={"hard": hard, "used": used})
