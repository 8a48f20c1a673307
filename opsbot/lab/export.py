"""Alert rules in, the text of a Prometheus rule file out: one that promtool accepts, and that loads back equal.

Nothing is lost on the way without a word: what was written is read again, and a rule that came back as another one is
a problem. It asks nobody and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsbot.core import duration
from opsbot.core.alert import AlertRule
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.escape import visible
from opsbot.monitor.rules import extras, promfile
from opsbot.monitor.rules.vetting import is_label

HEAD = "# Made by `opsbot export prometheus` from {0}: change that file, and make this one anew.\n"
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Words that are something else than text for one reader of YAML or another."""

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rules that are evaluated together: what makes them a group of Prometheus."""

    every: timedelta
    limit: int
    query_offset: timedelta
    rules: tuple[AlertRule, ...]

    @property
    def name(self) -> str:
        """A name that no other bundle of a file has."""
        limit = f" limit {self.limit}" if self.limit else ""
        offset = f" offset {duration.spell(self.query_offset)}" if self.query_offset else ""
        return f"opsbot every {duration.spell(self.every)}{limit}{offset}"


def bundles(rules: Sequence[AlertRule]) -> tuple[Bundle, ...]:
    """The rules by how they are evaluated, those asked most often first; within a bundle the order stays."""
    found: dict[tuple[timedelta, int, timedelta], list[AlertRule]] = {}
    for rule in rules:
        found.setdefault((rule.every, rule.limit, rule.query_offset), []).append(rule)
    return tuple(Bundle(*key, tuple(found[key])) for key in sorted(found))


def text(rules: Sequence[AlertRule], source: str) -> str:
    """The rule file; `source` is what its first line says it was made from.

    ConfigError names each rule that a Prometheus rule file cannot hold, with its file and line.
    """
    problems = [problem for rule in rules if (problem := _problem(rule))]
    made = "".join(_file(bundles([plain(rule) for rule in rules]), source))
    if problems := problems or _strayed(rules, made):
        raise ConfigError(problems)
    return made


def plain(rule: AlertRule) -> AlertRule:
    """The rule in the spelling in which it comes back: without its place, and its target as the annotation says it."""
    said = extras.read(extras.written(rule.actions, rule.target))
    return replace(rule, target=said.target, file="", line=0, twin=0)


# what cannot be said ------------------------------------------------------------------------------------------------


def _problem(rule: AlertRule) -> Problem | None:
    for name in (extras.ACTIONS, extras.TARGET):
        if name in rule.annotations:
            why = f"annotations: {name!r} speaks to opsbot in a Prometheus rule file"
            return Problem(rule.file, rule.line, 1, why, "use the keys `actions` and `target`", rule.name)
    said = extras.read(extras.written(rule.actions, rule.target))
    if said.problems:
        return Problem(rule.file, rule.line, 1, f"cannot be said in a Prometheus rule file: {said.problems[0][1]}",
                       said.problems[0][2], rule.name)  # fmt: skip
    return None


def _strayed(rules: Sequence[AlertRule], made: str) -> list[Problem]:
    """The rules that would come back as others."""
    want = [rule for bundle in bundles(rules) for rule in bundle.rules]
    got = promfile.parse(made, "the exported file").alerts
    pairs = zip(want, got, strict=True)
    return [
        Problem(rule.file, rule.line, 1, "would not come back equal from a Prometheus rule file", "", rule.name)
        for rule, back in pairs
        if plain(rule) != replace(back, file="", line=0)
    ]


# writing YAML -------------------------------------------------------------------------------------------------------


def _file(found: Sequence[Bundle], source: str) -> Iterator[str]:
    yield HEAD.format(visible(source).replace("\n", "\\n"))
    yield "groups:\n" if found else "groups: []\n"
    for bundle in found:
        yield f"  - name: {bundle.name}\n    interval: {duration.spell(bundle.every)}\n"
        yield f"    limit: {bundle.limit}\n" if bundle.limit else ""
        yield f"    query_offset: {duration.spell(bundle.query_offset)}\n" if bundle.query_offset else ""
        yield "    rules:\n"
        for rule in bundle.rules:
            yield from _rule(rule)


def _rule(rule: AlertRule) -> Iterator[str]:
    labels = {**({"severity": rule.severity} if rule.severity else {}), **rule.labels}
    yield f"      - alert: {_scalar(rule.name, 8)}\n"
    yield f"        expr: {_scalar(rule.condition, 8)}\n"
    for key, length in (("for", rule.hold_for), ("keep_firing_for", rule.keep_firing_for)):
        yield f"        {key}: {duration.spell(length)}\n" if length else ""
    yield from _mapping("labels", labels)
    yield from _mapping("annotations", {**rule.annotations, **extras.written(rule.actions, rule.target)})


def _mapping(key: str, named: Mapping[str, str]) -> Iterator[str]:
    if named:
        yield f"        {key}:\n"
    for name, value in named.items():
        yield f"          {_key(name)}: {_scalar(value, 10)}\n"


def _key(name: str) -> str:
    if is_label(name):
        return f"'{name}'" if name.lower() in _RESERVED else name
    return _quoted(name)


def _scalar(value: str, indent: int) -> str:
    """A text as YAML that every reader takes for that text: a block where it has lines, else in quotes."""
    if _shown(value):
        return _quoted(value)
    lines = value.removesuffix("\n").split("\n")
    if lines[0] and all(_shown(line) and line == line.strip() for line in lines) and lines[-1]:
        pad = " " * (indent + 2)
        block = "\n".join(pad + line if line else "" for line in lines)
        return ("|" if value.endswith("\n") else "|-") + f"\n{block}"
    return _quoted(value)


def _quoted(value: str) -> str:
    if _shown(value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _shown(value: str) -> bool:
    """Whether all of a text can be seen, on one line."""
    return value.isprintable() and visible(value) == value


def _escaped(letter: str) -> str:
    if letter in _SHORT or _shown(letter):
        return _SHORT.get(letter, letter)
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
