"""Who may do what: a person is one however they come in, and an unknown one has what everyone has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

EVERYONE = "everyone"
READ, APPROVE = "read", "approve:"
MOST = 5
"""Names in one refusal."""


class Known(Protocol):
    """A person as config names them: by their name and by what each door calls them."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def os_user(self) -> str: ...  # noqa: D102
    @property
    def slack(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Access:
    """People, their groups, and the groups' permissions; `approve:*` covers every permission that it matches."""

    people: Collection[Known] = ()
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    permissions: Mapping[str, Collection[str]] = field(default_factory=dict)

    def person(self, door: str, identity: str) -> str:
        """The name of the person whom a door (`cli`, `slack`) calls so; empty for an unknown one."""
        field_of = {"cli": "os_user", "slack": "slack"}[door]
        return next((p.name for p in self.people if identity and getattr(p, field_of) == identity), "")

    def may(self, person: str, permission: str) -> bool:
        """Whether this person (empty: an unknown one) has the permission. Who may approve anything may read."""
        return _covered(permission, self._granted(person))

    def who_may(self, permission: str) -> list[str]:
        """The names of all who have the permission, for a refusal that says whom to ask."""
        return sorted(p.name for p in self.people if self.may(p.name, permission))

    def whom_to_ask(self, permission: str, besides: str = "") -> str:
        """What whoever lacks a permission can do next; `besides` is the one person whom it helps nobody to ask."""
        others = [name for name in self.who_may(permission) if name != besides]
        if not others:
            return f"nobody{' else' if besides else ''} has that permission: `access` in the config gives it to a group"
        more = f" or {len(others) - MOST} more" if len(others) > MOST else ""
        return f"ask {', '.join(f'{name}{self._of(name, permission)}' for name in others[:MOST])}{more}"

    def _of(self, person: str, permission: str) -> str:
        """The first group that gives a person the permission."""
        for group, members in self.groups.items():
            if person in members and _covered(permission, self.permissions.get(group, ())):
                return f" ({group})"
        return ""

    def _granted(self, person: str) -> Iterable[str]:
        known = any(p.name == person for p in self.people)
        for group, granted in self.permissions.items():
            if group == EVERYONE or (known and person in self.groups.get(group, ())):
                yield from granted


def _covered(permission: str, granted: Iterable[str]) -> bool:
    answers = permission == READ
    return any(fnmatchcase(permission, one) or (answers and one.startswith(APPROVE)) for one in granted)
