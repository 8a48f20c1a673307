"""The desk of the terminal: parts of opsbot, each made when a verb first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType

from opsbot import config as settings
from opsbot.access import Access
from opsbot.app import doctor, hands
from opsbot.app.agents import access
from opsbot.app.hands import Hands
from opsbot.commands.desk import Probe
from opsbot.commands.person import person
from opsbot.config import Config
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import PermanentError
from opsbot.core.playbook import Playbook
from opsbot.core.ports import ClusterReader, Metrics, Model, Store
from opsbot.lab import library


class TerminalDesk:
    """`commands.desk.Desk` for the CLI: the person is who runs this process."""

    door = "cli"

    def __init__(self, named: str | None = None) -> None:
        self._named = named
        self._opened: list[Store] = []

    def __enter__(self) -> TerminalDesk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for store in self._opened:
            store.close()

    def person(self, permission: str) -> str:
        """Who asks: their name, or `cli:LOGIN` for an unknown one, which is nobody's name.

        Refused("not_allowed") where they lack the permission of the verb. A verb that needs none asks no config who
        they are, so that `check` can look at one with problems.
        """
        user = settings.os_user()
        if not permission:
            return f"{self.door}:{user}"
        return person(self.access, self.door, user, permission)

    @cached_property
    def config(self) -> Config:
        """The settings in force."""
        return settings.load(self._named)

    @property
    def config_file(self) -> Path | None:
        """The file of the settings, whatever is in it."""
        return settings.find(self._named)

    @cached_property
    def access(self) -> Access:
        """Who may do what."""
        return access(self.config)

    @property
    def now(self) -> datetime:
        """The time, aware UTC."""
        return hands.clock()

    @cached_property
    def record(self) -> Store:
        """The store that is there, to be read only."""
        return self._kept(hands.store(self.config, create=False, write=False))

    @cached_property
    def store(self) -> Store:
        """The store that is there, to be changed."""
        return self._kept(hands.store(self.config, create=False))

    @cached_property
    def made_store(self) -> Store:
        """The store, made where there is none."""
        return self._kept(hands.store(self.config, create=True))

    def _kept(self, store: Store) -> Store:
        self._opened.append(store)
        return store

    @cached_property
    def reader(self) -> ClusterReader:
        """The cluster, read account."""
        return hands.reader(self.config)

    @cached_property
    def metrics(self) -> Metrics | None:
        """Prometheus, where config names one."""
        return hands.metrics(self.config)

    @cached_property
    def model(self) -> Model | None:
        """The language model, where config names one; what it costs is counted where there is a store."""
        kept = None
        if self.config.model:
            with suppress(PermanentError):
                kept = self.store
        return hands.model(self.config, kept)

    @cached_property
    def playbooks(self) -> Mapping[str, Playbook]:
        """All playbooks in force, by name."""
        return library.playbooks(self.config)

    @cached_property
    def rules(self) -> tuple[DiagnosisRule, ...]:
        """All diagnosis rules in force."""
        return library.rules(self.config, self.playbooks)

    def probes(self) -> Iterator[Callable[[], Probe]]:
        """What `doctor` looks at, one after the other."""
        return iter([partial(probe, self) for probe in doctor.probes(self)])


class ServiceDesk(TerminalDesk):
    """The desk of a door of the running service: the same parts on hands that are open already."""

    def __init__(self, config: Config, made: Hands, door: str) -> None:
        super().__init__()
        self.config, self.door = config, door
        self.record = self.store = self.made_store = made.store
        self.model = made.model
        self.metrics = made.metrics
        if made.reader is not None:
            self.reader = made.reader
