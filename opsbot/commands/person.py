"""Who asks, and may they: the one check before a verb, at every door."""

from __future__ import annotations

from opsbot.access import Access
from opsbot.core.errors import Refused


def person(access: Access, door: str, identity: str, permission: str, called: str = "") -> str:
    """The person behind an identity: their name, or `DOOR:IDENTITY` for an unknown one, which is nobody's name.

    Refused("not_allowed") where they lack the permission (empty: none is needed) says whom to ask.
    `called` is how an unknown one is spoken of.
    """
    name = access.person(door, identity)
    if permission and not access.may(name, permission):
        stranger = "" if name else f" (access.people knows no {identity} here)"
        who = f"{name or called or identity} may not {permission}"
        raise Refused("not_allowed", f"{who}; {access.whom_to_ask(permission)}{stranger}")
    return name or f"{door}:{identity}"
