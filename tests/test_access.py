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


STRICT = Access(
    people=(Person("Ana"), Person("Cy"), Person("Dee")),
    groups={"approvers": ("Cy",), "night": ("Dee",), "sre": ("Ana",)},
    permissions={"approvers": ("approve:scale",), "night": ("ack",), "sre": ("*",)},
)


@pytest.mark.parametrize(
    ("person", "may"), [("Ana", True), ("Cy", True), ("Dee", False), ("", False)],
    ids=["all", "an approver", "no approver", "a stranger"],
)  # fmt: skip
def test_who_may_approve_may_read_what_they_answer_for(person: str, may: bool) -> None:
    assert STRICT.may(person, "read") is may


@pytest.mark.parametrize(
    ("permission", "besides", "says"),
    [
        ("approve:scale", "", "ask Ana (sre), Cy (approvers)"),
        ("approve:scale", "Ana", "ask Cy (approvers)"),
        ("ack", "", "ask Ana (sre), Dee (night)"),
        ("close", "Ana", "nobody else has that permission: `access` in the config gives it to a group"),
    ],
)
def test_it_says_whom_to_ask_and_of_which_group(permission: str, besides: str, says: str) -> None:
    assert STRICT.whom_to_ask(permission, besides) == says


def test_few_names_stand_for_many() -> None:
    people = tuple(Person(f"P{n}") for n in range(9))
    many = Access(people, {"all": tuple(p.name for p in people)}, {"all": ("close",)})
    assert many.whom_to_ask("close").endswith("P4 (all) or 4 more")
    assert Access().whom_to_ask("close").startswith("nobody has that permission")
