"""Text in, documents out: the strict reader, and the door through which whatever is made of a file must go."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from opsbot.core.errors import ConfigError, Problem
from opsbot.yamlfile.document import Document, Place, Where

MAX_BYTES = 4_000_000
MAX_DEPTH = 40
MAX_NODES = 200_000


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


def parse(text: str, file: str, *, foreign: bool = False) -> list[Document]:
    """All documents of a text, empty ones left out, each with its problems of form; ConfigError for bad syntax.

    A document with problems is good for telling what kind of file it is, and to be judged inside `reading`. `foreign`
    files are another program's: every scalar comes back as the text that is written there (None for nothing), and
    aliases and merge keys mean what they mean in YAML.
    """
    problems, aliases = _guard(text, file, foreign=foreign)
    try:
        nodes = [node for node in _composed(text, foreign=foreign) if node is not None and not _empty(node)]
    except yaml.MarkedYAMLError as error:
        raise ConfigError([*problems, _marked(error, file)]) from error
    except yaml.YAMLError as error:
        raise ConfigError([*problems, Problem(file, 1, 1, " ".join(str(error).split())[:200])]) from error
    if problems and not nodes:
        raise ConfigError(problems)
    places = iter(aliases)
    documents = [(_ForeignReader if foreign else _Reader)(file, places).document(node) for node in nodes]
    if problems:
        documents[0].problems += problems
    return documents


@contextmanager
def reading(text: str, file: str) -> Iterator[Document]:
    """The one document that a text must hold, to be judged and made into something inside the `with`.

    Leaving it raises ConfigError where there is any problem: of the reader, noted on the document meanwhile, or in a
    ConfigError of the block; all of them at once, in the order of the file.
    """
    documents = parse(text, file)
    if len(documents) != 1:
        found = [problem for document in documents for problem in document.told()]
        raise ConfigError([Problem(file, 1, 1, f"holds {len(documents)} YAML documents instead of one"), *found])
    document = documents[0]
    document.open = True
    try:
        yield document
    except ConfigError as error:
        document.note(error.problems)
        raise ConfigError(document.told()) from error
    finally:
        document.open = False
    if document.problems:
        raise ConfigError(document.told())


# before reading ----------------------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """The C loader, composing nodes only: values are made by `_Reader`."""


class _Renaming(yaml.SafeLoader):
    """Slower, and an anchor may be given again: an alias means the last one before it, as in YAML 1.2 and in Go."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if not self.check_event(yaml.AliasEvent):
            self.anchors.pop(self.peek_event().anchor, None)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)


def _composed(text: str, *, foreign: bool) -> list[yaml.Node | None]:
    """The documents of a text; in our own files, where no alias can stand, no anchor is given twice either."""
    try:
        return list(yaml.compose_all(text, Loader=_Loader))
    except yaml.composer.ComposerError:
        if not foreign:
            raise
        return list(yaml.compose_all(text, Loader=_Renaming))


_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2, c-printable


def _guard(text: str, file: str, *, foreign: bool) -> tuple[list[Problem], list[Place]]:
    """What may not be in a text, seen before any node is composed, and the place of each alias, which nodes forget.

    ConfigError at once where reading on is pointless.

    Composing recurses in C: a text that is nested deep enough would end the process.
    """
    found = _UNREADABLE.search(text)
    if found:
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        raise ConfigError([Problem(file, line, column, f"holds the unreadable character U+{ord(found[0]):04X}")])
    problems: list[Problem] = []
    aliases: list[Place] = []
    depth = count = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.NodeEvent):
                count += 1
                _out_of_bounds(event, file, depth, count)
                problems += () if foreign else _not_ours(event, file)
            if isinstance(event, yaml.AliasEvent):
                aliases.append(_place(event))
            depth += isinstance(event, yaml.CollectionStartEvent)
    except yaml.YAMLError:
        pass  # composing stumbles on the same place, and what it says is told
    return problems, aliases


def _out_of_bounds(event: yaml.NodeEvent, file: str, depth: int, count: int) -> None:
    line, column = _place(event)
    if depth > MAX_DEPTH:
        raise ConfigError([Problem(file, line, column, f"is nested deeper than {MAX_DEPTH} levels")])
    if count > MAX_NODES:
        raise ConfigError([Problem(file, line, column, f"holds more than {MAX_NODES} keys and values")])


def _not_ours(event: yaml.NodeEvent, file: str) -> list[Problem]:
    line, column = _place(event)
    if isinstance(event, yaml.AliasEvent):
        return [Problem(file, line, column, "an alias is not allowed", "write the value out")]
    tag = getattr(event, "tag", None)
    return [Problem(file, line, column, f"the tag {tag.removeprefix(_TAG)!r} is not allowed")] if tag else []


# reading nodes ------------------------------------------------------------------------------------------------------


_TAG = "tag:yaml.org,2002:"
_QUOTED = ("'", '"', "|", ">")
_NOWHERE = -1  # a step that no path of a value has: what stands below is read for its problems alone
_KINDS = {_TAG + kind: kind for kind in ("null", "bool", "int", "float", "str", "value", "merge")} | {
    _TAG + "timestamp": "str"
}


class _Reader:
    """Visits every node once and in the order of the text, so that the places of aliases fall to the right ones."""

    def __init__(self, file: str, aliases: Iterator[Place]) -> None:
        self.found = Document(file)
        self.aliases = aliases
        self.seen: set[int] = set()

    def document(self, node: yaml.Node) -> Document:
        self.found.value = self.value(node, ())
        return self.found

    def complain(self, node: yaml.Node, message: str, hint: str = "") -> None:
        line, column = _place(node)
        self.found.problems.append(Problem(self.found.file, line, column, message, hint))

    def place(self, node: yaml.Node) -> Place | None:
        """The place of an alias, which is a node seen before and was complained of already; None for another node."""
        if id(node) in self.seen:
            return next(self.aliases, _place(node))
        self.seen.add(id(node))
        return None

    def value(self, node: yaml.Node, where: Where) -> Any:
        alias = self.place(node)
        self.found.marks[where] = alias or _place(node)
        if alias:
            self.found.misread.add(alias)
            return None  # what it stands for may be huge
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, place)) for place, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for place, (key_node, value_node) in enumerate(node.value):
            key = self.key(key_node, where)
            if key in values:
                first = self.found.keys[(*where, key)][0]
                self.complain(key_node, f"key {key[:60]!r} is given twice", f"the first one is in line {first}")
            if key is None or key in values:
                self.value(value_node, (*where, _NOWHERE, place))
                continue
            self.found.keys[(*where, key)] = _place(key_node)
            values[key] = self.value(value_node, (*where, key))
        return values

    def key(self, node: yaml.Node, where: Where) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.complain(node, "a key must be text")
            self.value(node, (*where, _NOWHERE))
            return None
        if self.place(node):
            return None
        if node.tag == _TAG + "merge":
            self.complain(node, "a merge key `<<` is not allowed", "write the keys out")
            return None
        return str(node.value)

    def scalar(self, node: Any) -> Any:
        kind, text = _KINDS.get(node.tag), node.value
        if kind is None:  # a tag, complained of already
            self.found.misread.add(_place(node))
            return text
        if kind == "str" or node.style in _QUOTED:
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
        self.complain(node, f"{text[:40]!r} can be read in two ways", f"put it in quotes: {text[:40]!r}")
        self.found.misread.add(_place(node))
        return text


class _ForeignReader(_Reader):
    """Values as another program wrote them; what an alias stands for is read again where it stands."""

    def __init__(self, file: str, aliases: Iterator[Place]) -> None:
        super().__init__(file, aliases)
        self.count = 0
        self.depth = 0

    def place(self, node: yaml.Node) -> Place | None:
        self.count += 1
        if self.count > MAX_NODES:
            line, column = _place(node)
            problem = f"holds more than {MAX_NODES} keys and values once its aliases are written out"
            raise ConfigError([Problem(self.found.file, line, column, problem)])
        return None

    def value(self, node: yaml.Node, where: Where) -> Any:
        with self.deeper(node):
            return super().value(node, where)

    @contextmanager
    def deeper(self, node: yaml.Node) -> Iterator[None]:
        """One level down, and no further than bounds allow: an alias may stand inside what it stands for."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            line, column = _place(node)
            raise ConfigError([Problem(self.found.file, line, column, f"is nested deeper than {MAX_DEPTH} levels")])
        yield
        self.depth -= 1

    def mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        merges = [key for key, _ in node.value if key.tag == _TAG + "merge"]
        if len(merges) > 1:
            self.complain(merges[1], "key '<<' is given twice", "merge a list: `<<: [*a, *b]`")
        merged = [value for key, value in node.value if key.tag == _TAG + "merge"]
        own = [(key, value) for key, value in node.value if key.tag != _TAG + "merge"]
        values = super().mapping(yaml.MappingNode(node.tag, own, node.start_mark, node.end_mark), where)
        for item in merged:
            for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                if not isinstance(source, yaml.MappingNode):
                    self.complain(source, "only a mapping can be merged")
                    continue
                left = [(key, value) for key, value in source.value if getattr(key, "value", None) not in values]
                rest = yaml.MappingNode(source.tag, left, source.start_mark, source.end_mark)
                with self.deeper(source):
                    values.update(self.mapping(rest, where))
        return values

    def scalar(self, node: Any) -> Any:
        if node.style in _QUOTED:
            self.found.quoted.add(_place(node))
            return str(node.value)
        return None if node.tag == _TAG + "null" else str(node.value)


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
