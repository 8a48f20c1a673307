"""A namespace's own account: no pod is made for anybody in a namespace before it is there."""

from __future__ import annotations

from opsbot.testing.cluster.controllers.loop import Loop
from opsbot.testing.cluster.kinds import BY_NAME
from opsbot.testing.cluster.wire import Json


def sync(loop: Loop, namespace: Json) -> None:
    """Make the account `default` where it is missing."""
    name = namespace["metadata"]["name"]
    if loop.objects.find("ServiceAccount", name, "default") is None:
        account = {"metadata": {"name": "default", "namespace": name}}
        loop.objects.put(loop.objects.born(BY_NAME["ServiceAccount"], account))
