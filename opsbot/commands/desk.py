"""What a verb may reach: filled lazily by whoever opens the door, so that a verb pays only for what it uses."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from opsbot.access import Access
from opsbot.config import Config
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.playbook import Playbook
from opsbot.core.ports import ClusterReader, Metrics, Model, Store


class Answer(NamedTuple):
    """What a verb says: plain data of a documented shape, and the exit code (0 good, 1 found something)."""

    data: dict[str, Any]
    code: int = 0


class Probe(NamedTuple):
    """One line of `doctor`: what was looked at, how it went (`good`, `bad`, `warn`), and a sentence."""

    name: str
    state: str
    says: str


class Desk(Protocol):
    """The parts of opsbot as a verb sees them. Each raises PermanentError or ConfigError where it cannot be had."""

    @property
    def config(self) -> Config:
        """The settings in force."""

    @property
    def config_file(self) -> Path | None:
        """The file of the settings, None where there is none; ConfigError where the one that was named is missing."""

    @property
    def access(self) -> Access:
        """Who may do what."""

    @property
    def door(self) -> str:
        """Through which door the verb came, such as `cli`."""

    @property
    def now(self) -> datetime:
        """The time, aware UTC."""

    @property
    def record(self) -> Store:
        """The store that is there, to be read only: who may not change its file may still look."""

    @property
    def store(self) -> Store:
        """The store that is there, to be changed."""

    @property
    def made_store(self) -> Store:
        """The store, made where there is none."""

    @property
    def reader(self) -> ClusterReader:
        """The cluster, read account."""

    @property
    def metrics(self) -> Metrics | None:
        """Prometheus, where config names one."""

    @property
    def model(self) -> Model | None:
        """The language model, where config names one."""

    @property
    def rules(self) -> tuple[DiagnosisRule, ...]:
        """All diagnosis rules in force."""

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        """All playbooks in force, by name."""

    def probes(self) -> Iterator[Callable[[], Probe]]:
        """What `doctor` looks at, one after the other."""


Run = Callable[[Desk, str, Namespace], Answer]
