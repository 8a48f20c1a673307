"""Plain values into pydantic models: what does not fit is said in plain words at its place, and the rest judged on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from opsbot.core import duration
from opsbot.core.errors import ConfigError, Problem
from opsbot.yamlfile.document import Document, Step, Where

LONGEST_TITLE = 200


class Strict(BaseModel):
    """The base of every file model: unknown keys and quiet conversions are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


Model = TypeVar("Model", bound=BaseModel)


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("must be a duration such as 30s, 5m or 1h30m")
    return duration.parse(value)


def _length(value: Any) -> Any:
    _duration(value)
    return value


def _title(text: str) -> str:
    odd = next((letter for letter in text[:LONGEST_TITLE] if not letter.isprintable()), "")
    if not text.strip():
        raise ValueError("must not be empty")
    if odd:
        raise ValueError(f"holds the character U+{ord(odd):04X}, which cannot be printed")
    if len(text) > LONGEST_TITLE:
        raise ValueError(f"is {len(text)} characters long: at most {LONGEST_TITLE}")
    return text


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Length = Annotated[str, BeforeValidator(_length)]  # a duration, kept as written
Title = Annotated[str, AfterValidator(_title)]  # a name for people: printable, of one line, not too long


def fit(document: Document, model: type[Model], value: Any = None, where: Where = ()) -> Model:
    """The document (or its part `value` at `where`) as a model; ConfigError with each complaint at its place.

    A document with problems fits nothing, except inside `reading`, which lets nothing out.
    """
    if document.problems and not document.open:
        raise ConfigError(document.told())
    try:
        return model.model_validate(_part(document, value, where))
    except ValidationError as error:
        raise ConfigError(_complaints(document, where, error, model)) from error


def sound(
    document: Document, model: type[Model], value: Any = None, where: Where = (), blank: Mapping[str, Any] | None = None
) -> tuple[Document, Model] | None:
    """What is of the right form in a document or its part, for judging what it means; None where nothing is.

    Complains of nothing: that is for `fit`. `blank` stands for what must be there and is not. The document that comes
    back has marks for what is left of the part, and knows what was cut.
    """
    left, value = document, _part(document, value, where)
    while isinstance(value, dict):
        try:
            return left, model.model_validate({**(blank or {}), **value})
        except ValidationError as error:
            bad = {_culprit(left, where, item) for item in error.errors()}
        if where in bad:
            break
        left = left.without(bad, where, value)
        value = left.value
    return None


def _part(document: Document, value: Any, where: Where) -> Any:
    return value if where else document.value if value is None else value


def _culprit(document: Document, base: Where, item: Mapping[str, Any]) -> Where:
    """What has to go for a complaint to end: a value, or what lacks one."""
    return (*base, *_in_document(document, base, item["loc"], missing=False))


# complaints -----------------------------------------------------------------------------------------------------

SAYINGS = {
    "missing": "is missing", "extra_forbidden": "is not a known key", "string_type": "must be text",
    "int_type": "must be a whole number", "bool_type": "must be true or false", "float_type": "must be a number",
    "dict_type": "must be a mapping", "list_type": "must be a list", "model_type": "must be a mapping",
    "literal_error": "must be {expected}", "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less", "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}", "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have {max_length} or fewer characters",
    "too_short": "must have {min_length} or more items", "too_long": "must have {max_length} or fewer items",
    "value_error": "{error}",
}  # fmt: skip


def _complaints(document: Document, base: Where, error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """One problem for each thing that is wrong, even where it is wrong in the eyes of several types to choose from."""
    found: dict[tuple[Where, bool], list[Mapping[str, Any]]] = {}
    for item in error.errors():
        alone = item["type"] in ("missing", "extra_forbidden")
        found.setdefault((_in_document(document, base, item["loc"], item["type"] == "missing"), alone), []).append(item)
    return [_complaint(document, (base, loc), items, model) for (loc, _), items in found.items()]


def _complaint(
    document: Document, where: tuple[Where, Where], items: Sequence[Mapping[str, Any]], model: type[BaseModel]
) -> Problem:
    (base, loc), kind = where, items[0]["type"]
    name = ".".join(str(step)[:60] for step in loc)
    message = _either([_said(item) for item in items])
    said = f"{name}: {message}" if name else message
    if kind == "missing":
        return document.problem((*base, *loc[:-1]), said)
    hint = known_keys(str(loc[-1])[:60], _known(model, items[0]["loc"])) if kind == "extra_forbidden" else ""
    return document.problem((*base, *loc), said, hint, key=kind == "extra_forbidden")


def _said(item: Mapping[str, Any]) -> str:
    given = item.get("ctx", {})
    if given.get("min_length") == 1:
        return "must not be empty"
    return SAYINGS.get(item["type"], "has a form that is not known here").format(**given)


def _either(messages: Sequence[str]) -> str:
    first, *more = dict.fromkeys(messages)
    return " or ".join([first, *(message.removeprefix("must be ") for message in more)])


def _in_document(document: Document, base: Where, loc: Sequence[Step], missing: bool) -> Where:
    """The part of a complaint's place that the file has: of a choice between types, pydantic names the type too."""
    kept: Where = ()
    for place, step in enumerate(loc):
        if (*base, *kept, step) in document.marks or (missing and place == len(loc) - 1):
            kept = (*kept, step)
    return kept


def _known(model: type[BaseModel], loc: Sequence[Step]) -> list[str]:
    """The keys that the model (or the models to choose from) at this place knows."""
    models = [model]
    for step in loc[:-1]:
        chosen = [one for one in models if one.__name__ == step]
        fields = [field for one in models for name, field in one.model_fields.items() if step in (name, field.alias)]
        models = chosen or [inner for field in fields for inner in _models_in(field.annotation)] or models
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for part in getattr(annotation, "__args__", ()) for inner in _models_in(part)]


def known_keys(word: str, known: Iterable[str]) -> str:
    """A hint for a key that is not known: the nearest one that is, else all of them."""
    names = sorted(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f"did you mean {found[0]!r}?"
    return f"known keys: {', '.join(names)}" if names else ""
