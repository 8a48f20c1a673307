"""alerts.yaml and the rule files that it names, read again as they change: files in, the rules in force out.

A file that cannot be read, or has problems, leaves in force what it held before; the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from opsbot.core.alert import AlertRule, apart
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.silence import Inhibition
from opsbot.monitor.rules import promfile, rulefile
from opsbot.yamlfile import parse as documents
from opsbot.yamlfile import read_text

EMPTIED = "to end its rules write `groups: []`, or take the file away"
_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class _Held:
    """What is known of one file: how it looked on disk, what it held when it was good last, and what is wrong now."""

    look: tuple[int, ...]
    rules: tuple[AlertRule, ...] = ()
    patterns: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()


class RuleBook:
    """The rules and inhibitions in force; `look` reads what has changed on disk since the last time.

    Where alerts.yaml is not `needed` it may be missing, as long as it never was there.
    """

    def __init__(self, alerts: Path, playbooks: Collection[str], every: timedelta, *, needed: bool = True) -> None:
        self._alerts = alerts
        self._needed = needed
        self._playbooks = playbooks
        self._every = every
        self._held: dict[Path, _Held] = {}
        self.rules: tuple[AlertRule, ...] = ()
        self.inhibitions: tuple[Inhibition, ...] = ()
        self.problems: tuple[Problem, ...] = ()

    def look(self) -> bool:
        """Read the files that have changed; whether rules, inhibitions or problems are others now."""
        before = (self.rules, self.inhibitions, self.problems)
        main = self._file(self._alerts)
        paths, lacking = _matching(self._alerts, main.patterns)
        held = {self._alerts: main, **{path: self._file(path) for path in paths if path != self._alerts}}
        for path in lacking:  # what a file held that is named and gone stays in force
            held[path] = self._file(path)
        self._held = held
        self.rules = tuple(apart(rule for one in held.values() for rule in one.rules))
        self.inhibitions = main.inhibitions
        self.problems = tuple(problem for one in held.values() for problem in one.problems)
        return (self.rules, self.inhibitions, self.problems) != before

    @property
    def figures(self) -> Mapping[str, int]:
        """What a metric can tell: files in force, those of them with problems, and rules."""
        bad = sum(bool(one.problems) for one in self._held.values())
        return {"rule_files": len(self._held), "rule_files_invalid": bad, "alert_rules": len(self.rules)}

    def _file(self, path: Path) -> _Held:
        before = self._held.get(path, _Held(()))
        look = on_disk(path)
        if before.look == look:
            return before
        if path == self._alerts and not self._needed and before == _Held(()) and not path.exists():
            return before
        try:
            return self._read(path, look)
        except ConfigError as error:
            return replace(before, look=look, problems=error.problems)

    def _read(self, path: Path, look: tuple[int, ...]) -> _Held:
        if not path.is_file():
            raise ConfigError([missing(path)])
        text = read_text(path)
        if path != self._alerts:
            self._filled(path, text)
            return _Held(look, promfile.parse(text, str(path), self._playbooks, self._every).alerts)
        rules, _ = rulefile.parse(text, str(path), self._playbooks, self._every)
        patterns, inhibitions = rulefile.patterns(text, str(path)), rulefile.inhibitions(text, str(path))
        return _Held(look, rules, patterns, inhibitions=inhibitions)

    def _filled(self, path: Path, text: str) -> None:
        """A file without a word that held rules was caught half-written: ConfigError, so that they stay."""
        before = self._held.get(path)
        if before is None or not before.rules:
            return
        if all(document.value in (None, {"groups": None}) for document in documents(text, str(path), foreign=True)):
            raise ConfigError([Problem(str(path), 0, 0, "is empty; what it held stays in force", EMPTIED)])


def named(alerts: Path) -> Iterator[Path]:
    """The rule files that an alerts.yaml names, those included that are not there; none where it cannot be read."""
    try:
        patterns = rulefile.patterns(read_text(alerts), str(alerts))
    except ConfigError:
        return
    found, lacking = _matching(alerts, patterns)
    yield from (path for path in [*found, *lacking] if path != alerts)


def globbed(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern names, counted from a folder where it is not absolute."""
    path = Path(pattern)
    if not pattern or path == Path(path.anchor):
        return []
    hits = Path(path.anchor).glob(str(path.relative_to(path.anchor))) if path.anchor else folder.glob(pattern)
    return sorted(hit for hit in hits if hit.is_file())


def missing(path: Path) -> Problem:
    """What to say of a file that is named and not there."""
    hint = "write one, or name a config file beside one with --config"
    return Problem(str(path), 0, 0, "there is no such file", hint if path.name == "alerts.yaml" else "")


def _matching(alerts: Path, patterns: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """The files that patterns name, counted from the folder of alerts.yaml, and plain names of which there is none."""
    found: list[Path] = []
    lacking: list[Path] = []
    for pattern in patterns:
        hits = globbed(alerts.parent, pattern)
        found += hits
        if not hits and not any(letter in pattern for letter in _MAGIC):
            lacking.append(alerts.parent / pattern)
    return list(dict.fromkeys(found)), list(dict.fromkeys(lacking))


def on_disk(path: Path) -> tuple[int, ...]:
    """How a file looks on disk: other bytes, another look. One that is not there looks like nothing else."""
    try:
        stat = path.stat()
    except OSError:
        return (-1,)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
