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
        others = access.who_may(permission)
        hint = f"ask {', '.join(others)}" if others else "nobody in access.people has it"
        raise Refused("not_allowed", f"{name or called or identity} may not {permission}; {hint}")
    return name or f"{door}:{identity}"
