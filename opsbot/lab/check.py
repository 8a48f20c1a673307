"""Files in, what is wrong with them out: each file by what its top-level keys say it is, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from opsbot.config import Config, holding
from opsbot.config import file as config_file
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.playbook import Playbook
from opsbot.diagnose import rulefile as diagnosis_rules
from opsbot.lab import library, promtests, rulebook
from opsbot.monitor.rules import promfile
from opsbot.monitor.rules import rulefile as alert_rules
from opsbot.monitor.rules.promfile import Ignored
from opsbot.remediate import playbookfile
from opsbot.yamlfile import Document, parse, read_text

KINDS: Mapping[str, frozenset[str]] = {
    "alerts": frozenset({"alerts", "rule_files", "inhibit"}),
    "prometheus_rules": frozenset({"groups"}),
    "rule_tests": promtests.KEYS,
    "diagnosis_rules": frozenset({"rules"}),
    "playbook": frozenset({"steps", "inputs", "approval"}),
    "agent_config": frozenset(config_file.KEYS),
}

EMPTY = "is empty"


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: what kind it is (None where it cannot be told), how many items would be in force, and what is wrong."""

    path: Path
    kind: str | None = None
    rules: int = 0
    ignored: tuple[Ignored, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    items: tuple[Any, ...] = field(default=(), repr=False)


def found_in(paths: Iterable[Path]) -> list[Path]:
    """The files that these paths name: a folder stands for every YAML file in and below it."""
    files: list[Path] = []
    for path in paths:
        files += sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")]) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def check(paths: Iterable[Path], config: Config, now: datetime | None = None) -> list[Checked]:
    """Every file, in order. Names of playbooks and rules are known from these files and from those in force.

    A name is known even of a file with problems: these are told at the file, not at all who name it. Where `now` is
    given, what is over by then is advised upon.
    """
    named = {path.resolve() for path in rulebook.named(config.alerts_file)}
    opened = [_placed(_open(path), config, named) for path in dict.fromkeys(paths)]
    readers = _readers(config, _known("playbooks", _playbook_names, opened, config), now)
    judged = [_judge(each, readers.get(each.kind or "")) for each in opened]
    return _together(judged, _known("rules", _rule_names, opened, config))


def kind_of(document: Document) -> str | None:
    """What a document is, by its top-level keys: the kind that shares most of them; None where none does."""
    if promfile.is_rules(document.value):
        return "prometheus_rules"
    keys = set(document.value) if isinstance(document.value, dict) else set()
    best = max(KINDS, key=lambda kind: len(KINDS[kind] & keys))
    return best if KINDS[best] & keys else None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file as read: its kind, text and plain value, or why it cannot be told or read."""

    path: Path
    kind: str | None = None
    text: str = ""
    value: Any = None
    problems: tuple[Problem, ...] = ()


def _open(path: Path) -> _Opened:
    try:
        text = read_text(path)
        documents = parse(text, str(path), foreign=True)
    except ConfigError as error:
        return _Opened(path, problems=error.problems)
    if not documents:
        return _Opened(path, problems=(Problem(str(path), 1, 1, EMPTY),))
    kinds = [(kind_of(document), document) for document in documents]
    kind, document = next(((kind, document) for kind, document in kinds if kind), kinds[0])
    if kind is None:
        hint = "the kinds are told by their keys: alerts, groups, rules, steps, tests, or those of agent_config.yaml"
        document.note([document.problem((), "is no file that opsbot reads", hint)])
        return _Opened(path, problems=tuple(document.told()))
    return _Opened(path, kind, text, document.value)


def _placed(found: _Opened, config: Config, named: Collection[Path]) -> _Opened:
    """The file as the place where it lies takes it: rule_files may name an empty one, rules/ alone takes no alerts."""
    if found.path.resolve() in named:
        empty = found.kind is None and [problem.message for problem in found.problems] == [EMPTY]
        if empty:
            return replace(found, kind="prometheus_rules", problems=())
        odd = found.kind not in (None, "prometheus_rules")
        return replace(found, problems=(*found.problems, _misnamed(found.path))) if odd else found
    lies_among_rules = found.kind == "prometheus_rules" and any(
        found.path.resolve() == path.resolve() for path, _ in config.data_files("rules")
    )
    return replace(found, problems=(*found.problems, library.unnamed(found.path))) if lies_among_rules else found


def _misnamed(path: Path) -> Problem:
    words = "is named in rule_files of alerts.yaml, and is no Prometheus rule file"
    return Problem(str(path), 1, 1, words, "name there only files with groups, or lay it elsewhere")


def _known(
    kind: str, names: Callable[[_Opened], list[str]], opened: Sequence[_Opened], config: Config
) -> frozenset[str]:
    """The names in the files at hand and in those in force, less what config disables of the shipped ones."""
    known = {name for each in opened for name in names(each)}
    at_hand = {each.path for each in opened}
    for path, shipped in config.data_files(kind):
        found = names(_open(path)) if path not in at_hand else []
        known.update(name for name in found if not (shipped and name in config.disable))
    return frozenset(known)


def _playbook_names(opened: _Opened) -> list[str]:
    return _names([opened.value]) if opened.kind == "playbook" else []


def _rule_names(opened: _Opened) -> list[str]:
    items = opened.value.get("rules") if opened.kind == "diagnosis_rules" else None
    return _names(items if isinstance(items, list) else [])


def _names(items: Iterable[Any]) -> list[str]:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return [name for name in names if isinstance(name, str)]


class Read(NamedTuple):
    """What a file holds, what is advised, what is left out, and how many rules would be in force (None: all items)."""

    items: tuple[Any, ...]
    warnings: tuple[Problem, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    rules: int | None = None


Reader = Callable[[str, str], Read]


def _readers(config: Config, known: Collection[str], now: datetime | None) -> dict[str, Reader]:
    def alerts(text: str, file: str) -> Read:
        return Read(*alert_rules.parse(text, file, known, library.every(config)))

    def prometheus(text: str, file: str) -> Read:
        found = promfile.parse(text, file, known, library.every(config))
        return Read(found.alerts, found.warnings, found.ignored)

    def rules(text: str, file: str) -> Read:
        return Read(diagnosis_rules.parse(text, file, known))

    def settings(text: str, file: str) -> Read:
        found = config_file.read(text, Path(file))
        return Read((found,), holding.outdated(text, file, found.maintenance, now) if now else ())

    return {
        "alerts": alerts, "prometheus_rules": prometheus, "diagnosis_rules": rules, "playbook": _playbook,
        "agent_config": settings, "rule_tests": _tests,
    }  # fmt: skip


def _playbook(text: str, file: str) -> Read:
    return Read((playbookfile.parse(text, file),))


def _tests(text: str, file: str) -> Read:
    return Read((promtests.parse(text, file),), rules=0)


def _judge(found: _Opened, read: Reader | None) -> Checked:
    if found.problems or read is None:
        return Checked(found.path, found.kind, problems=found.problems)
    try:
        got = read(found.text, str(found.path))
    except ConfigError as error:
        return Checked(found.path, found.kind, problems=error.problems)
    rules = len(got.items) if got.rules is None else got.rules
    return Checked(found.path, found.kind, rules, got.ignored, warnings=got.warnings, items=got.items)


def _together(judged: list[Checked], known_rules: Collection[str]) -> list[Checked]:
    """Names given twice and the like, each told at the file where it stands."""
    playbooks = [item for found in judged for item in found.items if isinstance(item, Playbook)]
    rules = [item for found in judged for item in found.items if isinstance(item, DiagnosisRule)]
    across = [*library.doubles(playbooks), *diagnosis_rules.together(rules, known_rules)]
    if not across:
        return judged
    return [
        replace(found, problems=(*found.problems, *(p for p in across if p.file == str(found.path))))
        for found in judged
    ]
