"""The list of faults: one name each, and a hint for a misspelt one."""

import re

import pytest

from opsbot.core.faults import FAMILIES, FAULTS, NAMES, SYMPTOMS, nearest

SIZES = {
    "scheduling": 14, "admission, quota, policy": 13, "start of a container": 16, "running": 15, "storage": 6,
    "network and dependencies": 23, "rollout and scale": 10, "jobs": 5, "nodes": 6, "load": 1,
}  # fmt: skip


def test_nothing_was_lost_or_renamed() -> None:
    """Names are never changed or taken away: a change here is a change of what people's rules refer to."""
    assert {family: len(names) for family, names in FAMILIES.items()} == SIZES
    assert len(SYMPTOMS) == 10


def test_every_name_is_one_snake_case_word_and_stands_once() -> None:
    every = [*(name for names in FAMILIES.values() for name in names), *SYMPTOMS]
    assert len(every) == len(set(every)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in every)


def test_a_symptom_is_no_fault() -> None:
    assert FAULTS.isdisjoint(SYMPTOMS)
    assert frozenset(SYMPTOMS) | FAULTS == NAMES


@pytest.mark.parametrize(
    ("word", "name"),
    [("out_of_memry", "out_of_memory"), ("OOM", ""), ("crashloop", "crash_loop"), ("overlod", "overload"),
     ("image_not_fuond", "image_not_found"), ("", ""), ("zzzz", "")],
)  # fmt: skip
def test_the_nearest_name(word: str, name: str) -> None:
    assert nearest(word) == name
