"""The tables as queries see them; how they came to be stands in `migrations`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError


class Time(sa.types.TypeDecorator[datetime]):
    """An aware time, kept as UTC text with microseconds, so that it sorts; a naive one is refused (ValueError)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        """What goes in."""
        return None if value is None else spelled(value)

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """What comes out; PermanentError for what is no time."""
        return None if value is None else moment(value)


def spelled(at: datetime) -> str:
    """A time as it stands in the tables."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(value: object) -> datetime:
    """The time that stands in a table; PermanentError for anything but a time as `spelled` writes it."""
    try:
        at = datetime.fromisoformat(str(value))
        if spelled(at) == value:
            return at
    except (ValueError, OverflowError):
        pass
    raise PermanentError(f"is no time: {value!r:.40}")


METADATA = sa.MetaData()

schema_versions = sa.Table(
    "schema_versions", METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("applied_at", Time, nullable=False),
)  # fmt: skip

# `record` is the truth; the columns beside it are for finding it. `seq` and `head` are the end of its audit chain,
# `mark` is what there is to tell and `told` what was told.
incidents = sa.Table(
    "incidents", METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("unresolved", sa.Boolean, nullable=False),
    sa.Column("opened_at", Time, nullable=False),
    sa.Column("since", Time, nullable=False),
    sa.Column("reported", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
)  # fmt: skip

audit = sa.Table(
    "audit", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)  # fmt: skip

# What one call added is one row, told of by the audit entry `seq`.
evidence = sa.Table(
    "evidence", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

reports = sa.Table(
    "reports", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)  # fmt: skip

# `gone`: no longer among its rule's alerts, kept because it tells what its incident was about.
alerts = sa.Table(
    "alerts", METADATA,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("incident", sa.Integer),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

# Which alerts were written, in order; triggers see to it.
alert_changes = sa.Table(
    "alert_changes", METADATA,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
)  # fmt: skip

answers = sa.Table(
    "answers", METADATA,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("at", Time, nullable=False),
)  # fmt: skip

# A row is a lease, or a putting-off; saving the incident ends the latter.
claims = sa.Table(
    "claims", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("skill", sa.Text, primary_key=True),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("lease", Time),
    sa.Column("again_at", Time),
)  # fmt: skip

runs = sa.Table(
    "runs", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("playbook", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("started_at", Time, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
)  # fmt: skip

facts = sa.Table(
    "facts", METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
)  # fmt: skip

# As evidence. A row with no hypotheses in it says that a model was asked.
hypotheses = sa.Table(
    "hypotheses", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

# `turn` orders those of an incident; a card that replaces another takes its turn. `state`: waiting, sent or replaced.
messages = sa.Table(
    "messages", METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident", sa.Integer, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("again_at", Time),
    sa.Column("at", Time, nullable=False),
    sa.Column("sent_at", Time),
    sa.Column("channel", sa.Text),
    sa.Column("ts", sa.Text),
    sa.Column("body", sa.Text, nullable=False),
)  # fmt: skip

cards = sa.Table(
    "cards", METADATA,
    sa.Column("incident", sa.Integer, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
)  # fmt: skip

said = sa.Table(
    "said", METADATA,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("taken_at", Time, nullable=False),
    sa.Column("treated_at", Time),
    sa.Column("what", sa.Text, nullable=False),
)  # fmt: skip

silences = sa.Table(
    "silences", METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("matchers", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("made_at", Time, nullable=False),
    sa.Column("starts_at", Time, nullable=False),
    sa.Column("ends_at", Time, nullable=False),
    sa.Column("expired_by", sa.Text, nullable=False),
)  # fmt: skip

# `turn` orders those of an alert.
verdicts = sa.Table(
    "verdicts", METADATA,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("says", sa.Text, nullable=False),
    sa.Column("incident", sa.Integer),
)  # fmt: skip
