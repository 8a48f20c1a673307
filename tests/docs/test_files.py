"""docs/files.md explains each key of each format, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from opsbot.config import forms as config_forms
from opsbot.core import faults
from opsbot.core.task import Skill
from opsbot.diagnose.rulemodel import RuleModel
from opsbot.diagnose.sources import KINDS
from opsbot.monitor.rules import rulefile
from opsbot.remediate import facts, playbookfile
from opsbot.remediate.steps import BY_NAME

DOCS = Path(__file__).parents[2] / "docs"


def section(title: str) -> str:
    return (DOCS / "files.md").read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def explained(title: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE))


def keys(model: type[BaseModel], lead: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = lead + (field.alias or name)
        yield key
        inner, named = inner_model(field.annotation)
        if inner:
            yield from keys(inner, f"{key}.*." if named else f"{key}.")


def inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    parts = get_args(annotation)
    named = getattr(annotation, "__origin__", None) is dict
    for part in parts:
        found, deeper = inner_model(part)
        if found:
            return found, named or deeper
    return None, False


def rule_keys() -> set[str]:
    found = {"rules", *keys(RuleModel, "rules.")}
    return {re.sub(r"when\.(all|any|none)\.", "when.*.", key) for key in found}


FORMATS = {
    "agent_config.yaml": set(keys(config_forms.FileModel)),
    "alerts.yaml": {*keys(rulefile.FileModel), *keys(rulefile.AlertModel, "alerts.")},
    "rules/NAME.yaml": rule_keys(),
    "playbooks/NAME.yaml": set(keys(playbookfile._File)),
}


@pytest.mark.parametrize("title", FORMATS, ids=str)
def test_each_key_is_explained_and_no_other(title: str) -> None:
    assert explained(title) == FORMATS[title]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("agent_config.yaml", {skill.value for skill in Skill}),
        ("rules/NAME.yaml", {source.NAME for source in KINDS}),
        ("playbooks/NAME.yaml", {*facts.BOUND, *facts.STATUS, *BY_NAME}),
    ],
    ids=["skills", "sources", "facts and steps"],
)
def test_what_a_value_may_be_is_told(title: str, words: set[str]) -> None:
    assert {word for word in words if f"`{word}`" not in section(title)} == set()


def test_every_fault_stands_in_its_list() -> None:
    assert set(re.findall(r"`(\w+)`", (DOCS / "faults.md").read_text())) == faults.NAMES


def test_every_verb_stands_in_the_commands() -> None:
    from opsbot.commands import VERBS

    text = (DOCS / "commands.md").read_text()
    assert [row.words for row in VERBS if f"`{row.words}" not in text] == []
