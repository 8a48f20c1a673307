"""Dotted references and nothing more."""

from typing import Any

import pytest

from opsbot.core.template import look_up, references, render

VALUES = {"target": {"name": "web", "replicas": 4}, "pool": "p-1", "list": [1]}


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        ("{{ target.replicas }}", 4), ("{{target}}", VALUES["target"]), ("{{list}}", [1]),
        ("scale {{ target.name }} to {{ target.replicas }}", "scale web to 4"), ("plain", "plain"), (7, 7),
         (None, None),
        ({"a": ["{{ pool }}", {"b": "{{ target.replicas }}"}]}, {"a": ["p-1", {"b": 4}]}), (" {{ pool }} ", " p-1 "),
        ("{ pool }}", "{ pool }}"), ("", ""), (("{{ pool }}",), ["p-1"]),
    ],
    ids=str,
)  # fmt: skip
def test_rendering_keeps_the_type_of_a_lone_reference(value: Any, rendered: Any) -> None:
    assert render(value, VALUES) == rendered


@pytest.mark.parametrize("path", ["nope", "target.nope", "pool.x", "list.0x", "target.name.first"])
def test_a_reference_that_leads_nowhere_names_its_path(path: str) -> None:
    with pytest.raises(KeyError, match=path):
        look_up(path, VALUES)


@pytest.mark.parametrize(
    "text",
    ["{{ 1 + 1 }}", "{{ a | upper }}", "{{ a() }}", "{{}}", "{{ a..b }}", "{{ a.1 }}", "{{ __import__('os') }}",
     "{{ é }}",
     "{{ unclosed", "x {{ a }} {{ b", "{{{{ a }}}}"],
)  # fmt: skip
def test_anything_but_a_dotted_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no reference|unclosed"):
        list(references(text))


def test_references_are_found_however_deep() -> None:
    assert sorted(references({"a": ["{{ x.y }} {{ z }}", {"b": "{{ w }}"}], "{{ key }}": 1})) == ["w", "x.y", "z"]


def test_a_value_that_looks_like_a_reference_is_not_rendered_again() -> None:
    assert render("name {{ a }}", {"a": "{{ b }}", "b": "secret"}) == "name {{ b }}"


def test_a_hostile_template_takes_linear_time() -> None:
    with pytest.raises(ValueError, match=r"no reference|unclosed"):
        list(references("{{ a " * 50_000))
