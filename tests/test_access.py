"""People and permissions."""

import pytest

from opsbot.access import Access
from opsbot.config import Person

ACCESS = Access(
    people=(Person("Ana", os_user="ana", slack="U1"), Person("Ben", os_user="ben"), Person("everyone")),
    groups={"sre": ("Ana",), "dev": ("Ana", "Ben")},
    permissions={"sre": ("approve:*", "close"), "dev": ("diagnose", "approve:restart"), "everyone": ("read",)},
)


@pytest.mark.parametrize(
    ("door", "identity", "name"),
    [
        ("cli", "ana", "Ana"),
        ("slack", "U1", "Ana"),
        ("cli", "U1", ""),
        ("cli", "eve", ""),
        ("slack", "", ""),
        ("cli", "", ""),
    ],
    ids=["os user", "slack id", "wrong door", "stranger", "no id", "no user"],
)
def test_a_person_is_one_however_they_come_in(door: str, identity: str, name: str) -> None:
    assert ACCESS.person(door, identity) == name


@pytest.mark.parametrize(
    ("person", "permission", "may"),
    [
        ("Ana", "approve:scale", True), ("Ana", "close", True), ("Ana", "read", True), ("Ana", "pause", False),
        ("Ben", "approve:restart", True), ("Ben", "approve:scale", False), ("Ben", "diagnose", True),
        ("", "read", True), ("", "diagnose", False), ("Eve", "read", True), ("Eve", "close", False),
        ("everyone", "close", False), ("sre", "close", False),
    ],
)  # fmt: skip
def test_permissions_come_from_groups(person: str, permission: str, may: bool) -> None:
    assert ACCESS.may(person, permission) is may


def test_a_refusal_can_say_whom_to_ask() -> None:
    assert ACCESS.who_may("approve:restart") == ["Ana", "Ben"]
