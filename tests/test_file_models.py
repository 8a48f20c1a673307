"""Every complaint that a model of our files can raise is said in words of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from opsbot.config import forms as config_forms
from opsbot.diagnose import rulemodel
from opsbot.monitor.rules import rulefile
from opsbot.remediate import playbookfile, steps
from opsbot.yamlfile import SAYINGS, Strict

READERS = (config_forms, rulemodel, rulefile, playbookfile, steps)  # whoever has models for files

# What pydantic may say of each kind of schema (https://docs.pydantic.dev/latest/errors/validation_errors/).
OF_KIND: dict[str, set[str]] = {
    "any": set(), "bool": {"bool_type"}, "int": {"int_type"}, "float": {"float_type"}, "str": {"string_type"},
    "dict": {"dict_type"}, "list": {"list_type"}, "literal": {"literal_error"}, "model": {"model_type"},
    "model-fields": {"missing", "extra_forbidden"}, "model-field": set(), "nullable": set(), "union": set(),
    "default": set(), "definitions": set(), "definition-ref": set(), "function-before": {"value_error"},
    "function-after": {"value_error"}, "function-plain": {"value_error"},
    "timedelta": set(), "enum": set(),  # behind a validator that gives the value itself, or a complaint
}  # fmt: skip
OF_BOUND: dict[str, dict[str, str]] = {
    "int": {"ge": "greater_than_equal", "le": "less_than_equal", "gt": "greater_than", "lt": "less_than"},
    "float": {"ge": "greater_than_equal", "le": "less_than_equal", "gt": "greater_than", "lt": "less_than"},
    "str": {"min_length": "string_too_short", "max_length": "string_too_long"},
    "list": {"min_length": "too_short", "max_length": "too_long"},
}
HARMLESS = {
    "type", "strict", "schema", "items_schema", "keys_schema", "values_schema", "function", "metadata", "ref",
    "serialization", "expected", "fields", "model_name", "choices", "default", "default_factory", "cls", "config",
    "custom_init", "root_model", "computed_fields", "extra_behavior", "validation_alias", "serialization_alias", "mode",
    "post_init", "members", "missing", "sub_type", "schema_ref", "definitions", "copy_default",
    "default_factory_takes_data", "microseconds_precision", "validate_default", "frozen", "generic_origin",
    "from_attributes",
}  # fmt: skip


def models(base: type[Strict] = Strict) -> Iterator[type[Strict]]:
    """Every model of our files."""
    for model in base.__subclasses__():
        if model.__module__.startswith("opsbot."):
            yield model
        yield from models(model)


MODELS = {f"{model.__module__}.{model.__name__}".removeprefix("opsbot."): model for model in models()}


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and value["type"] not in ("no-info", "with-info"):  # kinds of function
            yield value
        for key, inner in value.items():
            yield from schemas(inner) if key not in ("metadata", "serialization", "config", "default") else ()
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from schemas(inner)


def complaints(model: type[Strict]) -> set[str]:
    """The types of error that a model can raise; a KeyError or assertion where this test does not know its schema."""
    found: set[str] = set()
    for schema in schemas(model.__pydantic_core_schema__):
        kind = schema["type"]
        bounds = OF_BOUND.get(kind, {})
        assert schema.keys() - HARMLESS - bounds.keys() == set(), kind
        found |= OF_KIND[kind] | {error for key, error in bounds.items() if key in schema}
    return found


def test_there_are_models_of_every_format() -> None:
    assert len(READERS) == 5
    assert len(MODELS) > 20


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_each_complaint_of_a_model_has_words_of_ours(model: type[Strict]) -> None:
    assert complaints(model) - SAYINGS.keys() == set()


ODD: list[Any] = [None, True, 5, 0.5, -1, 10**30, "", "x", "x" * 500, [], [None], [[]], {}, {"a": None}, {"": 5}]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_odd_value_brings_other_words(model: type[Strict]) -> None:
    said = set()
    for name, field in model.model_fields.items():
        for value in ODD:
            try:
                model.model_validate({field.alias or name: value})
            except ValidationError as error:
                said |= {item["type"] for item in error.errors()}
    assert said - SAYINGS.keys() == set()


def test_no_saying_is_for_nothing() -> None:
    wanted = {error for model in MODELS.values() for error in complaints(model)}
    bounds = {error for of in OF_BOUND.values() for error in of.values()}
    assert SAYINGS.keys() - wanted - bounds == set()
