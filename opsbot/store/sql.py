"""The store over SQL: each method is one transaction; what happens inside it stands in the modules beside this one."""

# ruff: noqa: D102  (what each method means is said once, in `core.ports.Store`)

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from opsbot.core.alert import Alert
from opsbot.core.audit import AuditEntry, Note
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import Incident
from opsbot.core.message import Draft, Message, Place, Said
from opsbot.core.ports import Claim, Figures, PastRun
from opsbot.core.silence import Silence, Verdict
from opsbot.core.task import Skill
from opsbot.store import active, chain, engine, figures, inbox, leases, outbox, records, rows, silences, verify
from opsbot.store import verdicts as became
from opsbot.store.mirror import Mine, Mirror
from opsbot.store.tables import incidents
from opsbot.store.turns import Turns


class SqlStore:
    """`core.ports.Store` over one database. Threads may share it; processes share the database."""

    def __init__(self, base: sa.Engine, where: str, *, memory: bool) -> None:
        self.where = where
        self._reads, self._writes = base, engine.writing(base)
        one_at_a_time = threading.RLock()  # in memory there is one connection, for reading and writing
        self._one_writer: AbstractContextManager[Any] = one_at_a_time if memory else Turns()
        self._reader: AbstractContextManager[Any] = one_at_a_time if memory else nullcontext()
        self._watch = None if memory else base.raw_connection()
        self._watching = threading.Lock()
        self._mirror = Mirror()

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._reader, engine.told(self.where), self._reads.begin() as db:
            yield db

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        """One transaction. Threads of this process queue at a lock of their own: SQLite's waiting is not fair."""
        with self._one_writer, engine.told(self.where), self._writes.begin() as db:
            yield db

    def _alerts_of(self, db: sa.Connection, ids: Collection[int]) -> Mapping[int, Mine]:
        """Those of incidents; who asks for a few only, as a command does, need not know all alerts there are."""
        return self._mirror.of(db, ids) if self._mirror.begun else records.alerts_of(db, ids)

    # incidents

    def create(self, incident: Incident, note: Note, now: datetime, alerts: Sequence[str] = ()) -> Incident:
        with self._write() as db, _one_per_key(incident.key):
            return records.create(db, incident, note, now, alerts)

    def load(self, incident: int) -> Incident | None:
        with self._read() as db:
            return records.load(db, incident, self._alerts_of)

    def save(self, incident: Incident, note: Note, now: datetime) -> Incident:
        with self._write() as db, _one_per_key(incident.key):
            return records.save(db, incident, note, now)

    def incidents(
        self, *, unresolved: bool = False, key: str | None = None, limit: int = 50, before: int | None = None
    ) -> tuple[Incident, ...]:
        with self._read() as db:
            return records.listed(db, records.page(unresolved, key, limit, before), self._alerts_of)

    def due(self, news_since: datetime | None = None) -> tuple[Incident, ...]:
        with self._read() as db:
            return records.listed(db, records.due(news_since), self._mirror.of)

    def attach(self, incident: int, fingerprints: Sequence[str], note: Note, now: datetime) -> None:
        with self._write() as db:
            chain.append(db, incident, note, now)
            records.own(db, incident, fingerprints)

    def past_runs(self, since: datetime) -> tuple[PastRun, ...]:
        with self._read() as db:
            return records.past_runs(db, since)

    # rows beside them

    def note(self, incident: int, note: Note, now: datetime) -> None:
        with self._write() as db:
            chain.append(db, incident, note, now)

    def add_evidence(
        self, incident: int, round: int, evidence: Sequence[Evidence], gaps: Sequence[Gap], note: Note, now: datetime
    ) -> None:
        with self._write() as db:
            rows.add_evidence(db, incident, round, (tuple(evidence), tuple(gaps)), note, now)

    def evidence(self, incident: int, round: int) -> tuple[tuple[Evidence, ...], tuple[Gap, ...]]:
        with self._read() as db:
            return rows.evidence_of(db, incident, round)

    def add_hypotheses(
        self, incident: int, round: int, hypotheses: Sequence[Hypothesis], note: Note, now: datetime
    ) -> None:
        with self._write() as db:
            records.add_hypotheses(db, incident, round, tuple(hypotheses), note, now)

    def add_report(self, incident: int, version: int, text: str, now: datetime) -> None:
        with self._write() as db:
            rows.add_report(db, incident, version, text, now)

    def reports(self, incident: int) -> tuple[tuple[int, str], ...]:
        with self._read() as db:
            return rows.reports_of(db, incident)

    def put(self, key: str, value: str, now: datetime) -> None:
        with self._write() as db:
            rows.put(db, key, value, now)

    def fetch(self, key: str) -> str | None:
        with self._read() as db:
            return rows.fetch(db, key)

    # what is told and what is said

    def add_messages(self, incident: int, drafts: Sequence[Draft], mark: str, now: datetime) -> None:
        with self._write() as db:
            outbox.add(db, incident, drafts, mark, now)

    def next_messages(self, now: datetime, limit: int = 50) -> tuple[Message, ...]:
        with self._read() as db:
            return outbox.first(db, now, limit)

    def message_sent(self, message: int, place: Place, now: datetime) -> None:
        with self._write() as db:
            outbox.sent(db, message, place, now)

    def message_put_off(self, message: int, again_at: datetime) -> None:
        with self._write() as db:
            outbox.put_off(db, message, again_at)

    def card(self, incident: int) -> Place | None:
        with self._read() as db:
            return outbox.card(db, incident)

    def incident_at(self, place: Place) -> int | None:
        with self._read() as db:
            return outbox.incident_at(db, place)

    def take(self, said: Said, now: datetime) -> bool:
        with self._write() as db:
            return inbox.take(db, said, now)

    def untreated(self) -> tuple[Said, ...]:
        with self._read() as db:
            return inbox.untreated(db)

    def treated(self, said: str, now: datetime) -> None:
        with self._write() as db:
            inbox.treated(db, said, now)

    # alerts

    def save_alerts(self, rule: str, alerts: Sequence[Alert], answered_at: datetime) -> None:
        with self._write() as db:
            active.save(db, rule, alerts, answered_at)

    def alerts(self, rule: str | None = None) -> tuple[Alert, ...]:
        with self._read() as db:
            return self._mirror.alerts(db) if rule is None else active.listed(db, rule)

    def answered(self, rule: str) -> datetime | None:
        with self._read() as db:
            return active.answered(db, rule)

    def save_answers(self, answers: Mapping[str, Sequence[Alert]], answered_at: datetime) -> frozenset[str]:
        with self._write() as db:
            return active.save_all(db, answers, answered_at)

    def answers(self) -> Mapping[str, datetime]:
        with self._read() as db:
            return active.times(db)

    def receive(self, alerts: Sequence[Alert]) -> None:
        with self._write() as db:
            active.receive(db, alerts)

    def known(self, fingerprints: Collection[str]) -> tuple[Alert, ...]:
        with self._read() as db:
            return (self._mirror if self._mirror.begun else active).known(db, fingerprints)

    def forget(self, fingerprints: Collection[str]) -> None:
        with self._write() as db:
            active.forget(db, fingerprints)

    def owners(self) -> Mapping[str, int]:
        with self._read() as db:
            return self._mirror.owners(db)

    # what holds them back, and what became of them

    def add_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        with self._write() as db:
            became.add(db, verdicts)

    def verdicts(self, fingerprints: Collection[str] | None = None) -> tuple[Verdict, ...]:
        with self._read() as db:
            return became.newest(db) if fingerprints is None else became.of(db, fingerprints)

    def add_silence(self, silence: Silence) -> Silence:
        with self._write() as db:
            return silences.add(db, silence)

    def silences(self, ending_after: datetime | None = None) -> tuple[Silence, ...]:
        with self._read() as db:
            return silences.listed(db, ending_after)

    def expire_silence(self, silence: int, by: str, now: datetime) -> Silence:
        with self._write() as db:
            return silences.expire(db, silence, by, now)

    # claims

    def claim(self, task: tuple[int, Skill], worker: str, now: datetime, lease: timedelta) -> bool:
        with self._write() as db:
            return leases.claim(db, task, worker, now, lease)

    def renew(self, task: tuple[int, Skill], worker: str, now: datetime, lease: timedelta) -> bool:
        with self._write() as db:
            return leases.renew(db, task, worker, now, lease)

    def release(self, task: tuple[int, Skill], worker: str, again_at: datetime | None) -> None:
        with self._write() as db:
            leases.release(db, task, worker, again_at)

    def claims(self, now: datetime) -> tuple[Claim, ...]:
        with self._read() as db:
            return leases.listed(db, now)

    # the whole

    def audit(self, incident: int | None = None) -> tuple[AuditEntry, ...]:
        with self._read() as db:
            return tuple(chain.entries(db, incident))

    def verify(self) -> tuple[str, ...]:
        with self._read() as db:
            return tuple(verify.faults(db))

    def changed(self) -> int:
        """SQLite's own count of commits by other connections, those of this process included; 0 in memory."""
        if self._watch is None:
            return 0
        with self._watching, engine.told(self.where):
            cursor = self._watch.cursor()
            found: int = cursor.execute("PRAGMA data_version").fetchone()[0]
            cursor.close()
            return found

    def figures(self) -> Figures:
        with self._read() as db:
            return figures.read(db)

    def check(self, timeout: float = 5.0) -> str:  # noqa: ARG002
        """A sentence on what is in the store, for `opsbot doctor`."""
        with self._read() as db:
            count = db.execute(sa.select(sa.func.count()).select_from(incidents)).scalar()
            return f"the store at {self.where} answers: schema {engine.version(db)}, {count} incidents"

    def close(self) -> None:
        """Give back connections and files."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._reads.dispose()


@contextmanager
def _one_per_key(key: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is an unresolved incident of {key} already") from error


def open_store(url: str, now: datetime, *, create: bool = True, write: bool = True) -> SqlStore:
    """The store at an address (`sqlite:///PATH`, or `sqlite://` for one in memory that ends with the process).

    With `create` a missing file is made and an older schema brought up to date; without it the store must be there and
    of this program's schema. With `write` false nothing can be changed, and files that may only be read will do.
    PermanentError says in a sentence what is wrong; TemporaryError when another process holds the store for long.
    """
    place = engine.place_of(url)
    where = str(place) if place else "memory"
    base = engine.connect(url, create=create, write=write)
    try:
        _prepare(base, where, now, create=create)
        return SqlStore(base, where, memory=place is None)
    except BaseException:
        base.dispose()
        raise


def _prepare(base: sa.Engine, where: str, now: datetime, *, create: bool) -> None:
    try:
        with engine.told(where), base.begin() as db:
            have = engine.version(db)
            (engine.refuse_newer if create else engine.refuse_other)(have)
        if create:
            _bring_up(base, where, now)
    except PermanentError as error:
        said = str(error)
        raise PermanentError(said if where in said else f"the store at {where} {said}") from error.__cause__


def _bring_up(base: sa.Engine, where: str, now: datetime) -> None:
    """Only now that the file is known for an opsbot store (or is empty) is anything about it changed."""
    with engine.told(where):
        engine.keep_log(base)
        with engine.writing(base).begin() as db:
            engine.migrate(db, now)
            inbox.forget(db, now)
