"""Strict YAML with marks: text in, plain values and the place of each of them out.

Refused, all at once and each with its place: duplicate keys, keys that are no text, aliases and anchors, tags of our
file formats' own making, files that are too large, too deep or hold too many values, and words that YAML 1.1 silently
turns into something else (`no`, `012`, `1:30`). What is read goes on to a pydantic model, whose complaints get places.
"""

from __future__ import annotations

import difflib
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
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=_Loader) if node is not None]
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_marked(error, file)]) from error
    except yaml.YAMLError as error:
        raise ConfigError([Problem(file, 1, 1, " ".join(str(error).split())[:200])]) from error
    except RecursionError as error:
        raise ConfigError([Problem(file, 1, 1, f"is nested deeper than {MAX_DEPTH} levels")]) from error
    documents = [_Reader(file).document(node) for node in nodes]
    problems = [problem for document in documents for problem in document.problems]
    if problems:
        raise ConfigError(problems)
    return documents


def parse_one(text: str, file: str) -> Document:
    """The one document that a file must hold; ConfigError for none or several."""
    documents = parse(text, file)
    if len(documents) != 1:
        raise ConfigError([Problem(file, 1, 1, f"holds {len(documents)} YAML documents instead of one")])
    return documents[0]


def fit(document: Document, model: type[Model], value: Any = None, where: Where = ()) -> Model:
    """The document (or the part of it at `where`) as a model; ConfigError with each complaint at its place."""
    try:
        return model.model_validate(document.value if value is None else value)
    except ValidationError as error:
        raise ConfigError([_complaint(document, where, item, model) for item in error.errors()]) from error


# reading nodes ------------------------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """The C loader, composing nodes only: values are made by `_Reader`."""


_TAG = "tag:yaml.org,2002:"
_KINDS = {_TAG + kind: kind for kind in ("null", "bool", "int", "float", "str")} | {_TAG + "timestamp": "str"}


class _Reader:
    def __init__(self, file: str) -> None:
        self.found = Document(file)
        self.count = 0
        self.seen: set[int] = set()

    def document(self, node: yaml.Node) -> Document:
        self.found.value = self.value(node, ())
        return self.found

    def complain(self, node: yaml.Node, message: str, hint: str = "") -> Any:
        line, column = _place(node)
        self.found.problems.append(Problem(self.found.file, line, column, message, hint))

    def value(self, node: yaml.Node, where: Where) -> Any:
        self.found.marks[where] = _place(node)
        self.count += 1
        if id(node) in self.seen:
            return self.complain(node, "an alias is not allowed", "write the value out")
        self.seen.add(id(node))
        if len(where) > MAX_DEPTH:
            return self.complain(node, f"is nested deeper than {MAX_DEPTH} levels")
        if self.count > MAX_NODES:
            return self.complain(node, f"holds more than {MAX_NODES} values") if self.count == MAX_NODES + 1 else None
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
        kind, text = _KINDS.get(node.tag), node.value
        if kind is None:
            return self.complain(node, f"the tag {node.tag.rpartition(':')[2]!r} is not allowed")
        if kind == "null":
            return None
        if kind == "str" or node.style in ("'", '"', "|", ">"):
            return text
        return self.word(node, kind, text)

    def word(self, node: yaml.Node, kind: str, text: str) -> Any:
        """A bare word that YAML 1.1 takes for a truth value or a number: only the plain spellings are meant so."""
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        read = {"int": int, "float": float}.get(kind)
        digits = text.lstrip("+-")
        plain = digits != "" and not (kind == "int" and len(digits) > 1 and digits[0] == "0") and "_" not in text
        if read is not None and plain:
            try:
                return read(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            except ValueError:
                pass
        return self.complain(node, f"{text[:40]!r} can be read in two ways", f"put it in quotes: {text[:40]!r}")


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


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
    where = (*base, *item["loc"])
    kind, name = item["type"], ".".join(str(step) for step in item["loc"])
    message = _SAYINGS.get(kind) or item["msg"].removeprefix("Value error, ")
    hint = _near(str(item["loc"][-1]), _known(model, item["loc"])) if kind == "extra_forbidden" else ""
    if kind == "missing":
        return document.problem(where[:-1], f"{name}: {message}")
    return document.problem(where, f"{name}: {message}" if name else message, hint, key=kind == "extra_forbidden")


def _known(model: type[BaseModel], loc: Sequence[Step]) -> list[str]:
    """The keys that the model at this place knows; none where the way there cannot be followed."""
    at: type[BaseModel] | None = model
    for step in loc[:-1]:
        if at is None or isinstance(step, int):
            continue
        found = next((f for n, f in at.model_fields.items() if step in (n, f.alias)), None)
        at = _model_in(found.annotation) if found else None
    return [] if at is None else [f.alias or n for n, f in at.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((part for part in inner if part is not None), None)


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f"did you mean {found[0]!r}?"
    return f"known keys: {', '.join(names)}" if names else ""
