"""All rules and playbooks in force: the shipped ones without those that config disables, and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from opsbot.config import NAME, Config, Prometheus
from opsbot.core.alert import AlertRule
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.playbook import Playbook
from opsbot.diagnose import rulefile as diagnosis_rules
from opsbot.lab import rulebook
from opsbot.lab.rulebook import RuleBook
from opsbot.monitor.rules import promfile
from opsbot.remediate import playbookfile
from opsbot.yamlfile import parse, read_text

Named = TypeVar("Named", Playbook, DiagnosisRule)


def playbooks(config: Config) -> dict[str, Playbook]:
    """Every playbook in force by name; ConfigError with the problems of all files."""
    found = _kept(config, "playbooks", lambda path: [playbookfile.load(path)])
    problems = doubles(found)
    if problems:
        raise ConfigError(problems)
    return {playbook.name: playbook for playbook in found}


def rules(config: Config, known: Collection[str]) -> tuple[DiagnosisRule, ...]:
    """Every diagnosis rule in force; `known` are the playbooks that a rule may suggest."""
    named = {path.resolve() for path in rulebook.named(config.alerts_file)}
    found = tuple(_kept(config, "rules", lambda path: _diagnosis(path, known, named)))
    problems = diagnosis_rules.together(found)
    if problems:
        raise ConfigError(problems)
    return found


def unnamed(path: Path) -> Problem:
    """What to say of a Prometheus rule file among the diagnosis rules that alerts.yaml does not name."""
    return Problem(str(path), 1, 1, "is a Prometheus rule file", "name it in rule_files of alerts.yaml")


def alerts(config: Config, known: Mapping[str, Playbook]) -> tuple[AlertRule, ...]:
    """The alert rules of alerts.yaml and of the files that it names; ConfigError with all problems of all of them."""
    return rulebook_of(config, known).rules


def rulebook_of(config: Config, known: Mapping[str, Playbook]) -> RuleBook:
    """The same rules, in a book that takes up changes of the files."""
    book = RuleBook(config.alerts_file, known, every(config), needed=config.web is None)
    book.look()
    if book.problems:
        raise ConfigError(book.problems)
    return book


def needed(config: Config) -> None:
    """ConfigError for what `serve` cannot do without, all of it at once.

    That is a Prometheus and rules to ask it for, or the server through which alerts are pushed.
    """
    if config.web:
        return
    lacking = [] if config.prometheus else [no_prometheus(config)]
    if not config.alerts_file.is_file():
        lacking.append(rulebook.missing(config.alerts_file))
    if lacking:
        raise ConfigError(lacking)


def no_prometheus(config: Config) -> Problem:
    """What to say where nobody says which Prometheus to ask."""
    file = str(config.file or config.folder / NAME)
    return Problem(file, 0, 0, "prometheus.url is missing", "for example prometheus: {url: 'http://prometheus:9090'}")


def doubles(found: Sequence[Playbook]) -> list[Problem]:
    """Playbooks of one name: a problem at each but the first."""
    first: dict[str, Playbook] = {}
    return [
        Problem(
            playbook.file, playbook.line, 1, f"there is a playbook {playbook.name!r} already",
            f"the first one is in {first[playbook.name].file}; `disable:` in the config leaves a shipped one out",
            playbook.name,
        )
        for playbook in found
        if first.setdefault(playbook.name, playbook) is not playbook
    ]  # fmt: skip


def _kept(config: Config, kind: str, read: Callable[[Path], Sequence[Named]]) -> list[Named]:
    """What all files of a kind hold, less the shipped items that config disables; every problem at once."""
    kept: list[Named] = []
    problems: list[Problem] = []
    for path, shipped in config.data_files(kind):
        try:
            kept += [item for item in read(path) if not (shipped and item.name in config.disable)]
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return kept


def _diagnosis(path: Path, known: Collection[str], named: Collection[Path]) -> Sequence[DiagnosisRule]:
    """The rules of a file; none of one that holds alert rules of Prometheus and is named where those are named."""
    try:
        return diagnosis_rules.load(path, known)
    except ConfigError:
        values = _values(path)
        if values is None or not all(map(promfile.is_rules, values)):
            raise
        if path.resolve() in named:
            return ()
        if not values:
            raise
        raise ConfigError([unnamed(path)]) from None


def _values(path: Path) -> list[Any] | None:
    """The documents of a file; None where it cannot be read."""
    try:
        return [document.value for document in parse(read_text(path), str(path), foreign=True)]
    except ConfigError:
        return None


def files(config: Config) -> Iterator[Path]:
    """All files that the config names: itself, its alerts, and every rule and playbook in force."""
    if config.file:
        yield config.file
    if config.alerts_file.is_file():
        yield config.alerts_file
        yield from rulebook.named(config.alerts_file)
    for kind in ("rules", "playbooks"):
        yield from (path for path, _ in config.data_files(kind))


def every(config: Config) -> timedelta:
    """How often a rule is asked that does not say."""
    return config.prometheus.every if config.prometheus else Prometheus("").every
