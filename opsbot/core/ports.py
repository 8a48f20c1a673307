"""The doors between rooms and hands. Rooms name these; `app` passes in what is behind them.

Every call may take its own time limit in seconds, which the hand keeps. Reads that fail raise Blind. Writes end in one
of: a value (done); Conflict, Refused, TemporaryError or PermanentError (not done); Unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from opsbot.core.alert import Alert, Answer
from opsbot.core.audit import AuditEntry, Note
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.evidence import Evidence, Gap, MaskedText
from opsbot.core.incident import Incident
from opsbot.core.message import Draft, Message, Place, Said
from opsbot.core.silence import Silence, Verdict
from opsbot.core.target import Target
from opsbot.core.task import Skill

Clock = Callable[[], datetime]
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """Raw log bytes of one container; `truncated` when the cap cut them (the newest lines are kept)."""

    content: bytes
    truncated: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects of one list; `truncated` when there are more than were asked for."""

    items: tuple[Object, ...]
    truncated: bool = False


class ClusterReader(Protocol):
    """Read verbs only, under the read account. Blind when the answer cannot be trusted to be whole."""

    def get(self, kind: str, namespace: str, name: str, timeout: float = 10.0) -> Object | None:
        """One object, or None where the server says that there is none (404)."""

    def list(
        self, kind: str, namespace: str = "", labels: str = "", fields: str = "", limit: int = 500, timeout: float = 10
    ) -> Listing:
        """Objects of a kind, by selectors; an empty namespace means all of them."""

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, since: datetime | None = None,
        limit_bytes: int = 262_144, timeout: float = 10.0,
    ) -> Log | None:  # fmt: skip
        """The log of a container, with the server's time stamps; None where there is none (no previous one, say)."""

    def may(self, verb: str, kind: str, namespace: str = "", subresource: str = "", timeout: float = 10.0) -> bool:
        """Whether this account may do that (SelfSubjectAccessReview)."""

    def version(self, timeout: float = 10.0) -> str:
        """The server's version, as `v1.36.3`."""


class ClusterWriter(Protocol):
    """The one door for writes, under the write account. Never retries: the caller looks first."""

    def read(self, target: Target, timeout: float = 10.0) -> Object | None:
        """The object just before a write, under the same account; None for 404, Blind otherwise."""

    def patch(self, target: Target, body: Object, *, dry_run: bool = False, timeout: float = 10.0) -> Object:
        """Merge-patch one object. `body.metadata` must hold uid and resourceVersion (else Refused "no_precondition").

        Conflict on 409, Refused with the server's reason on 403, 404, 422, TemporaryError on 429 and on a connection
        that never came about, Unknown when the request was sent and no usable answer came.
        """


class Metrics(Protocol):
    """Prometheus. Only complete and fresh answers come back; everything else is Blind."""

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
        """An instant query for that time (aware UTC)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked, the JSON Schema of the answer, and bounds (tokens, seconds).

    `system` is in words of opsbot's own; `text` holds what comes from outside, and so is masked.
    """

    system: str
    text: MaskedText
    schema: Mapping[str, Any]
    max_tokens: int = 1500
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, and what that cost."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Model(Protocol):
    """A language model behind an OpenAI-compatible address. It is asked once; its retries are the hand's own."""

    def ask(self, question: Question, deadline: float) -> Reply:
        """The answer within `deadline` seconds in all; Blind for none, a broken or an over-long one.

        Refused("over_budget") or Refused("budget_unreadable") where it was not asked for the sake of money.
        """


@dataclass(frozen=True, slots=True)
class Claim:
    """A task taken (until `lease` ends) or put off (until `again_at`)."""

    incident: int
    skill: Skill
    worker: str
    lease: datetime | None
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class PastRun:
    """What guardrails count: one run of a playbook on a target, by key.

    `outcome` is empty until the incident is resolved or escalated, then the incident's reason at that time.
    """

    incident: int
    playbook: str
    key: str
    started_at: datetime
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept, counted. `alerts` by state and severity, `incidents` the unresolved ones by state.

    `opened` is how many incidents there ever were, `messages` how many wait to be sent, `size` is in bytes, `version`
    that of the schema.
    """

    alerts: Mapping[tuple[str, str], int]
    incidents: Mapping[str, int]
    opened: int
    messages: int
    size: int
    version: int


class Store(Protocol):
    """The truth. Every change of an incident appends its audit entry in the same transaction."""

    def create(self, incident: Incident, note: Note, now: datetime, alerts: Sequence[str] = ()) -> Incident:
        """A new incident, version 1, owning these saved alerts; Conflict where its key has an unresolved one."""

    def load(self, incident: int) -> Incident | None:
        """One incident with its alerts, hypotheses and last report."""

    def save(self, incident: Incident, note: Note, now: datetime) -> Incident:
        """Compare-and-set on `version` as loaded; comes back one version later. Conflict where it has moved on."""

    def incidents(
        self, *, unresolved: bool = False, key: str | None = None, limit: int = 50, before: int | None = None
    ) -> tuple[Incident, ...]:
        """Newest first; `before` is an id to page on from."""

    def due(self, news_since: datetime | None = None) -> tuple[Incident, ...]:
        """Unresolved incidents, and resolved ones not reported yet: all for which a skill may be due, oldest first.

        Who can tell (skill `notify`) gives `news_since` and also gets the resolved ones whose `told` is not their
        `mark`: those that were told of before, however old, and the others if they were resolved since then. So where
        nobody tells nothing piles up, and a chat that is connected later is not flooded with the past.
        One that cannot be read back is left out and logged, so that it cannot stop the others.
        """

    def note(self, incident: int, note: Note, now: datetime) -> None:
        """Append to the audit alone."""

    def add_evidence(
        self, incident: int, round: int, evidence: Sequence[Evidence], gaps: Sequence[Gap], note: Note, now: datetime
    ) -> None:
        """Rows of their own: audit is appended, the version stays."""

    def evidence(self, incident: int, round: int) -> tuple[tuple[Evidence, ...], tuple[Gap, ...]]:
        """What was gathered in one round."""

    def add_report(self, incident: int, version: int, text: str, now: datetime) -> None:
        """The report of this version of the incident; telling it twice is harmless."""

    def reports(self, incident: int) -> tuple[tuple[int, str], ...]:
        """Versions and texts, oldest first."""

    def add_hypotheses(
        self, incident: int, round: int, hypotheses: Sequence[Hypothesis], note: Note, now: datetime
    ) -> None:
        """What a model thinks of one round, even where that is nothing: the question counts as asked from now on.

        Rows of their own: audit is appended, the version stays. `load` fills in those of the present round; what was
        added last for a round counts.
        """

    def add_messages(self, incident: int, drafts: Sequence[Draft], mark: str, now: datetime) -> None:
        """Drafts to be sent, in this order after those that wait already; `mark` is the incident's, as told by them.

        A note whose key the incident has had already is left out, for ever. A card replaces an unsent card and takes
        its place in the order, its tries and its putting-off; one that says what the newest card says is left out.
        """

    def next_messages(self, now: datetime, limit: int = 50) -> tuple[Message, ...]:
        """For each incident its oldest unsent message, unless that is put off: cards before notes, oldest first.

        While the incident's card stands nowhere the card comes first, and notes wait for it.
        """

    def message_sent(self, message: int, place: Place, now: datetime) -> None:
        """It stands there now; a card's place is that of its incident from now on. Saying it again is harmless.

        Where a newer card has replaced this one meanwhile, the newer one still waits, to be put in that place.
        """

    def message_put_off(self, message: int, again_at: datetime) -> None:
        """It could not be sent: try again then, one try more. It holds for the card that has replaced it, too."""

    def card(self, incident: int) -> Place | None:
        """Where the incident's card stands."""

    def incident_at(self, place: Place) -> int | None:
        """The incident whose card stands there (the newest place of a card counts)."""

    def take(self, said: Said, now: datetime) -> bool:
        """Keep what was said, durably; False for an id that was taken already (known for 30 days once treated).

        PermanentError for what is no plain JSON or too long to be something that a person said (64 KiB).
        """

    def untreated(self) -> tuple[Said, ...]:
        """What was said and not treated yet, oldest first."""

    def treated(self, said: str, now: datetime) -> None:
        """It was carried out, or refused: not again."""

    def save_alerts(self, rule: str, alerts: Sequence[Alert], answered_at: datetime) -> None:
        """All active and just resolved alerts of one rule after a complete answer, and the time of that answer.

        An alert that is in the store under this rule and not in `alerts` is forgotten (if it was resolved, its incident
        still shows it), unless its source is another than Prometheus: it may have been pushed just now, so leave such
        ones out rather than hand back old copies. The time only rises: Conflict where a later answer is known, and
        nothing is saved.
        """

    def save_answers(self, answers: Mapping[str, Sequence[Alert]], answered_at: datetime) -> frozenset[str]:
        """`save_alerts` for many rules (by id) in one transaction; which of them were saved.

        A rule for which a later answer is known is left as it is.
        """

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Keep pushed alerts in one transaction, each in place of the one of its fingerprint; others stay."""

    def forget(self, fingerprints: Collection[str]) -> None:
        """Let alerts go, as `save_alerts` does with those that it is not given."""

    def known(self, fingerprints: Collection[str]) -> tuple[Alert, ...]:
        """Those of these alerts that are there, as last saved."""

    def alerts(self, rule: str | None = None) -> tuple[Alert, ...]:
        """Alerts as last saved, of one rule or of all."""

    def answered(self, rule: str) -> datetime | None:
        """The time of the last complete answer for this rule."""

    def answers(self) -> Mapping[str, datetime]:
        """The time of the last complete answer, by rule."""

    def owners(self) -> Mapping[str, int]:
        """Which unresolved incident an alert belongs to, by fingerprint; alerts that are nobody's are not in it."""

    def add_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Keep what became of alerts. The last hundred of each alert stay, and all are kept for 30 days at least."""

    def verdicts(self, fingerprints: Collection[str] | None = None) -> tuple[Verdict, ...]:
        """What became of these alerts, oldest first.

        Without fingerprints, the newest verdict of every alert that is in the store.
        """

    def add_silence(self, silence: Silence) -> Silence:
        """Keep a new silence; it comes back with its id. PermanentError for one without matchers."""

    def silences(self, ending_after: datetime | None = None) -> tuple[Silence, ...]:
        """All silences by id, or those that end later than that."""

    def expire_silence(self, silence: int, by: str, now: datetime) -> Silence:
        """End it now; PermanentError where there is none, or where it has ended already."""

    def attach(self, incident: int, fingerprints: Sequence[str], note: Note, now: datetime) -> None:
        """Give alerts that have been saved to an incident; audit is appended, the version stays."""

    def claim(self, task: tuple[int, Skill], worker: str, now: datetime, lease: timedelta) -> bool:
        """Take a task unless somebody holds it or it is put off; False when lost."""

    def renew(self, task: tuple[int, Skill], worker: str, now: datetime, lease: timedelta) -> bool:
        """Hold on to a task; False when it was lost meanwhile."""

    def release(self, task: tuple[int, Skill], worker: str, again_at: datetime | None) -> None:
        """Give a task back, put off until `again_at` (or until the incident is saved, if that is sooner), or free."""

    def claims(self, now: datetime) -> tuple[Claim, ...]:
        """Claims that still hold and puttings-off that are not over."""

    def past_runs(self, since: datetime) -> tuple[PastRun, ...]:
        """Runs started since then, newest first."""

    def audit(self, incident: int | None = None) -> tuple[AuditEntry, ...]:
        """Audit entries in order, of one incident or of all (by incident, then seq)."""

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the audit: broken chains, records that differ from their last entry. Empty is good."""

    def put(self, key: str, value: str, now: datetime) -> None:
        """A small fact that survives restarts (a switch, a server's start time)."""

    def fetch(self, key: str) -> str | None:
        """A small fact, or None."""

    def changed(self) -> int:
        """A number that differs once the store has been changed by another process (or by this one: look again)."""

    def figures(self) -> Figures:
        """What is in it, counted; cheap enough to be asked every few seconds."""

    def check(self, timeout: float = 5.0) -> str:
        """A sentence on what is in it; PermanentError where it cannot be used."""

    def close(self) -> None:
        """Give back connections and files."""
