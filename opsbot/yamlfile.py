"""Strict YAML with marks: text in, plain values and the place of each of them out.

Refused, all at once and each with its place: duplicate keys, keys that are no text, aliases, tags, files that are
too large, too deep or hold too many values, and words that YAML 1.1 silently turns into something else (`no`, `012`,
`1:30`). What is read goes on to a pydantic model, whose complaints get places.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from opsbot.core.errors import ConfigError, Problem

MAX_BYTES = 4_000_000
MAX_DEPTH = 40
MAX_NODES = 200_000

Step = str | int
Where = tuple[Step, ...]


class Strict(BaseModel):
    """The base of every file model: unknown keys and quiet conversions are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Document:
    """One YAML document: its plain value, and where each value and key stands (line and column from 1)."""

    file: str
    value: Any = None
    marks: dict[Where, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Where, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, where: Sequence[Step], *, key: bool = False) -> tuple[int, int]:
        """The place of a value (or of its key), or of the nearest thing around it."""
        path = tuple(where)
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, (1, 1))

    def problem(
        self, where: Sequence[Step], message: str, hint: str = "", rule: str = "", *, key: bool = False
    ) -> Problem:
        """A problem at the place of a value, to be raised or gathered by the caller."""
        line, column = self.at(where, key=key)
        return Problem(self.file, line, column, message, hint, rule)


def read_text(path: Path) -> str:
    """The text of a file; ConfigError when it cannot be read, is no UTF-8 or is too large."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, f"cannot be read: {error.strerror or error}")]) from error
    if len(raw) > MAX_BYTES:
        raise ConfigError([Problem(str(path), 0, 0, f"is larger than {MAX_BYTES // 1_000_000} MB")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, 1, "is not UTF-8 text", "save the file as UTF-8")]) from error


def parse(text: str, file: str) -> list[Document]:
    """All documents of a text, empty ones left out; ConfigError with every problem of syntax and form."""
    problems = _guard(text, file)
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=_Loader) if node is not None and not _empty(node)]
    except yaml.MarkedYAMLError as error:
        raise ConfigError([*problems, _marked(error, file)]) from error
    except yaml.YAMLError as error:
        raise ConfigError([*problems, Problem(file, 1, 1, " ".join(str(error).split())[:200])]) from error
    documents = [_Reader(file).document(node) for node in nodes]
    problems += [problem for document in documents for problem in document.problems]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return documents


def parse_one(text: str, file: str) -> Document:
    """The one document that a file must hold; ConfigError for none or several."""
    documents = parse(text, file)
    if len(documents) != 1:
        raise ConfigError([Problem(file, 1, 1, f"holds {len(documents)} YAML documents instead of one")])
    return documents[0]


def fit(document: Document, model: type[Model], value: Any = None, where: Where = ()) -> Model:
    """The document (or its part `value` at `where`) as a model; ConfigError with each complaint at its place."""
    try:
        return model.model_validate(value if where else document.value if value is None else value)
    except ValidationError as error:
        raise ConfigError([_complaint(document, where, item, model) for item in error.errors()]) from error


# before reading ----------------------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """The C loader, composing nodes only: values are made by `_Reader`."""


_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2, c-printable


def _guard(text: str, file: str) -> list[Problem]:
    """What may not be in a text, seen before any node is composed; ConfigError at once where reading on is pointless.

    Composing recurses in C: a text that is nested deep enough would end the process.
    """
    found = _UNREADABLE.search(text)
    if found:
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        raise ConfigError([Problem(file, line, column, f"holds the unreadable character U+{ord(found[0]):04X}")])
    problems: list[Problem] = []
    depth = count = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.NodeEvent):
                count += 1
                problems += _out_of_bounds(event, file, depth, count)
            depth += isinstance(event, yaml.CollectionStartEvent)
    except yaml.YAMLError:
        pass  # composing stumbles on the same place, and what it says is told
    return problems


def _out_of_bounds(event: yaml.NodeEvent, file: str, depth: int, count: int) -> list[Problem]:
    line, column = _place(event)
    if depth > MAX_DEPTH:
        raise ConfigError([Problem(file, line, column, f"is nested deeper than {MAX_DEPTH} levels")])
    if count > MAX_NODES:
        raise ConfigError([Problem(file, line, column, f"holds more than {MAX_NODES} keys and values")])
    if isinstance(event, yaml.AliasEvent):
        return [Problem(file, line, column, "an alias is not allowed", "write the value out")]
    tag = getattr(event, "tag", None)
    return [Problem(file, line, column, f"the tag {tag.removeprefix(_TAG)!r} is not allowed")] if tag else []


# reading nodes ------------------------------------------------------------------------------------------------------


_TAG = "tag:yaml.org,2002:"
_KINDS = {_TAG + kind: kind for kind in ("null", "bool", "int", "float", "str", "value", "merge")} | {
    _TAG + "timestamp": "str"
}


class _Reader:
    def __init__(self, file: str) -> None:
        self.found = Document(file)
        self.seen: set[int] = set()

    def document(self, node: yaml.Node) -> Document:
        self.found.value = self.value(node, ())
        return self.found

    def complain(self, node: yaml.Node, message: str, hint: str = "") -> Any:
        line, column = _place(node)
        self.found.problems.append(Problem(self.found.file, line, column, message, hint))

    def value(self, node: yaml.Node, where: Where) -> Any:
        if id(node) in self.seen:
            return None  # an alias, complained of already; what it stands for may be huge
        self.seen.add(id(node))
        self.found.marks[where] = _place(node)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, place)) for place, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key is None:
                continue
            if key in values:
                first = self.found.keys[(*where, key)][0]
                self.complain(key_node, f"key {key!r} is given twice", f"the first one is in line {first}")
                continue
            self.found.keys[(*where, key)] = _place(key_node)
            values[key] = self.value(value_node, (*where, key))
        return values

    def key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.complain(node, "a key must be text")
            return None
        if node.tag == _TAG + "merge":
            self.complain(node, "a merge key `<<` is not allowed", "write the keys out")
            return None
        return str(node.value)

    def scalar(self, node: Any) -> Any:
        kind, text = _KINDS.get(node.tag, "null"), node.value  # any other tag was complained of already
        if kind == "str" or node.style in ("'", '"', "|", ">"):
            return text
        return None if kind == "null" else self.word(node, kind, text)

    def word(self, node: yaml.Node, kind: str, text: str) -> Any:
        """A bare word that YAML 1.1 takes for a truth value or a number: only the plain spellings are meant so."""
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        digits = text.lstrip("+-")
        plain = (
            digits[:1].isdigit() and not (kind == "int" and len(digits) > 1 and digits[0] == "0") and "_" not in text
        )
        number = _number(kind, text) if plain else None
        if number is not None:
            return number
        return self.complain(node, f"{text[:40]!r} can be read in two ways", f"put it in quotes: {text[:40]!r}")


def _number(kind: str, text: str) -> int | float | None:
    try:
        number = {"int": int, "float": float}[kind](text)
    except (KeyError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _empty(node: yaml.Node) -> bool:
    """Whether there is nothing at all between two document marks."""
    return isinstance(node, yaml.ScalarNode) and node.value == "" and node.tag == _TAG + "null"


def _place(node: yaml.Node | yaml.NodeEvent) -> tuple[int, int]:
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _marked(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(file, line, column, f"not valid YAML: {message}")


# complaints of models -----------------------------------------------------------------------------------------------

_SAYINGS = {
    "missing": "is missing", "extra_forbidden": "is not a known key", "string_type": "must be text",
    "int_type": "must be a whole number", "bool_type": "must be true or false", "float_type": "must be a number",
    "dict_type": "must be a mapping", "list_type": "must be a list", "tuple_type": "must be a list",
    "model_type": "must be a mapping", "mapping_type": "must be a mapping",
}  # fmt: skip


def _complaint(document: Document, base: Where, item: Mapping[str, Any], model: type[BaseModel]) -> Problem:
    kind, missing = item["type"], item["type"] == "missing"
    loc = _in_document(document, base, item["loc"], missing)
    name = ".".join(str(step) for step in loc)
    message = _SAYINGS.get(kind) or item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    said = f"{name}: {message}" if name else message
    if missing:
        return document.problem((*base, *loc[:-1]), said)
    hint = _near(str(loc[-1]), _known(model, item["loc"])) if kind == "extra_forbidden" else ""
    return document.problem((*base, *loc), said, hint, key=kind == "extra_forbidden")


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


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f"did you mean {found[0]!r}?"
    return f"known keys: {', '.join(names)}" if names else ""
