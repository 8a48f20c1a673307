"""Who may do what: a person is one however they come in, and an unknown one has what everyone has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

EVERYONE = "everyone"


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
        """Whether this person (empty: an unknown one) has the permission."""
        return any(fnmatchcase(permission, granted) for granted in self._granted(person))

    def who_may(self, permission: str) -> list[str]:
        """The names of all who have the permission, for a refusal that says whom to ask."""
        return sorted(p.name for p in self.people if self.may(p.name, permission))

    def _granted(self, person: str) -> Iterable[str]:
        known = any(p.name == person for p in self.people)
        for group, granted in self.permissions.items():
            if group == EVERYONE or (known and person in self.groups.get(group, ())):
                yield from granted
