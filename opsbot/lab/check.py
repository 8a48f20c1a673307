"""Files in, what is wrong with them out: each file by what its top-level keys say it is, and all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from opsbot.config import Config
from opsbot.config import file as config_file
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.playbook import Playbook
from opsbot.diagnose import rulefile as diagnosis_rules
from opsbot.lab import library
from opsbot.monitor import rulefile as alert_rules
from opsbot.remediate import playbookfile
from opsbot.yamlfile import Document, parse, read_text

KINDS: Mapping[str, frozenset[str]] = {
    "alerts": frozenset({"alerts"}),
    "prometheus_rules": frozenset({"groups"}),
    "diagnosis_rules": frozenset({"rules"}),
    "playbook": frozenset({"steps", "inputs", "approval"}),
    "agent_config": frozenset(config_file.KEYS),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: what kind it is (None where it cannot be told), how many items would be in force, and what is wrong."""

    path: Path
    kind: str | None = None
    rules: int = 0
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    items: tuple[Any, ...] = field(default=(), repr=False)


def found_in(paths: Iterable[Path]) -> list[Path]:
    """The files that these paths name: a folder stands for every YAML file in and below it."""
    files: list[Path] = []
    for path in paths:
        files += sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")]) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def check(paths: Iterable[Path], config: Config) -> list[Checked]:
    """Every file, in order. Names of playbooks are known from these files and from those in force."""
    opened = [_open(path) for path in paths]
    playbooks = {each.path: _judge(each, _playbook) for each in opened if each.kind == "playbook"}
    known = {playbook.name for found in playbooks.values() for playbook in found.items} | _in_force(config)
    readers = _readers(config, known)
    return _together([playbooks.get(each.path) or _judge(each, readers.get(each.kind or "")) for each in opened])


def kind_of(document: Document) -> str | None:
    """What a document is, by its top-level keys: the kind that shares most of them; None where none does."""
    keys = set(document.value) if isinstance(document.value, dict) else set()
    best = max(KINDS, key=lambda kind: len(KINDS[kind] & keys))
    return best if KINDS[best] & keys else None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file as read: its kind and text, or why it cannot be told or read."""

    path: Path
    kind: str | None = None
    text: str = ""
    problems: tuple[Problem, ...] = ()


def _open(path: Path) -> _Opened:
    try:
        text = read_text(path)
        documents = parse(text, str(path))
    except ConfigError as error:
        return _Opened(path, problems=error.problems)
    if not documents:
        return _Opened(path, problems=(Problem(str(path), 1, 1, "is empty"),))
    kind = kind_of(documents[0])
    if kind is None:
        hint = "the kinds are told by their keys: alerts, groups, rules, steps, or those of agent_config.yaml"
        return _Opened(path, problems=(documents[0].problem((), "is no file that opsbot reads", hint),))
    return _Opened(path, kind, text)


Reader = Callable[[str, str], tuple[tuple[Any, ...], tuple[Problem, ...]]]


def _readers(config: Config, known: set[str]) -> dict[str, Reader]:
    def alerts(text: str, file: str) -> tuple[tuple[Any, ...], tuple[Problem, ...]]:
        return alert_rules.parse(text, file, known, library.every(config))

    def rules(text: str, file: str) -> tuple[tuple[Any, ...], tuple[Problem, ...]]:
        return diagnosis_rules.parse(text, file, known), ()

    return {"alerts": alerts, "prometheus_rules": _prometheus_rules, "diagnosis_rules": rules, "agent_config": _config}


def _playbook(text: str, file: str) -> tuple[tuple[Any, ...], tuple[Problem, ...]]:
    return (playbookfile.parse(text, file),), ()


def _config(text: str, file: str) -> tuple[tuple[Any, ...], tuple[Problem, ...]]:
    return (config_file.read(text, Path(file)),), ()


def _prometheus_rules(_text: str, file: str) -> tuple[tuple[Any, ...], tuple[Problem, ...]]:
    hint = "write its alerts into alerts.yaml"
    raise ConfigError([Problem(file, 1, 1, "this version does not read Prometheus rule files yet", hint)])


def _judge(found: _Opened, read: Reader | None) -> Checked:
    if found.problems or read is None:
        return Checked(found.path, found.kind, problems=found.problems)
    try:
        items, warnings = read(found.text, str(found.path))
    except ConfigError as error:
        return Checked(found.path, found.kind, problems=error.problems)
    return Checked(found.path, found.kind, len(items), warnings=warnings, items=items)


def _in_force(config: Config) -> set[str]:
    """Names of playbooks beside the files at hand; of files with problems the name is told where they are checked."""
    try:
        return set(library.playbooks(config))
    except ConfigError:
        return set()


def _together(judged: list[Checked]) -> list[Checked]:
    """Names given twice and the like, each told at the file where it stands."""
    playbooks = [item for found in judged for item in found.items if isinstance(item, Playbook)]
    rules = [item for found in judged for item in found.items if isinstance(item, DiagnosisRule)]
    across = [*library.doubles(playbooks), *diagnosis_rules.together(rules)]
    if not across:
        return judged
    return [
        replace(found, problems=(*found.problems, *(p for p in across if p.file == str(found.path))))
        for found in judged
    ]
