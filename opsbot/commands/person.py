"""Who asks, and may they: the one check before a verb, at every door."""

from __future__ import annotations

from opsbot.access import Access
from opsbot.core.errors import Refused


def person(access: Access, door: str, identity: str, permission: str) -> str:
    """The person behind an identity: their name, or `DOOR:IDENTITY` for an unknown one, which is nobody's name.

    Refused("not_allowed") where they lack the permission (empty: none is needed) says whom to ask.
    """
    name = access.person(door, identity)
    who = name or f"{door}:{identity}"
    if permission and not access.may(name, permission):
        raise refusal(access, door, who, permission)
    return who


def refusal(access: Access, door: str, who: str, permission: str) -> Refused:
    """What somebody is told who lacks a permission; `who` is as `person` names them."""
    stranger = who.removeprefix(f"{door}:") if who.startswith(f"{door}:") else ""
    called = ("you" if door == "slack" else f"OS user {stranger!r}") if stranger else who
    hint = f" (access.people knows no {stranger} here)" if stranger else ""
    return Refused("not_allowed", f"{called} may not {permission}; {access.whom_to_ask(permission)}{hint}")
