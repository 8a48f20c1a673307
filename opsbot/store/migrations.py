"""How the tables came to be, step by step. Only ever append: a step that a database has taken is never edited."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Migration(NamedTuple):
    """One step: statements separated by semicolons, all in one transaction with the record that it was taken."""

    number: int
    name: str
    sql: str

    @property
    def statements(self) -> tuple[str, ...]:
        """Its statements, one by one; a trigger is one, with all that is in it."""
        found, begun = [], ""
        for part in self.sql.split(";"):
            begun += f"{part};"
            if sqlite3.complete_statement(begun):
                found.append(begun.strip().removesuffix(";").strip())
                begun = ""
        return tuple(statement for statement in found if statement)


MIGRATIONS = (
    Migration(
        1,
        "start",
        """
        CREATE TABLE incidents (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
            severity TEXT NOT NULL, unresolved BOOLEAN NOT NULL, opened_at TEXT NOT NULL, since TEXT NOT NULL,
            reported INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL, record TEXT NOT NULL
        );
        CREATE UNIQUE INDEX incidents_one_unresolved ON incidents (key) WHERE unresolved = 1;
        CREATE INDEX incidents_unreported ON incidents (id) WHERE reported < version;
        CREATE INDEX incidents_key ON incidents (key, id);
        CREATE TABLE audit (
            incident INTEGER NOT NULL REFERENCES incidents (id), seq INTEGER NOT NULL, at TEXT NOT NULL,
            who TEXT NOT NULL, act TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
            version INTEGER NOT NULL, record TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (incident, seq)
        );
        CREATE TABLE evidence (
            incident INTEGER NOT NULL, seq INTEGER NOT NULL, round INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (incident, seq), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
        CREATE TABLE reports (
            incident INTEGER NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (incident, version), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
        CREATE TABLE alerts (
            fingerprint TEXT PRIMARY KEY, rule TEXT NOT NULL, incident INTEGER REFERENCES incidents (id),
            gone BOOLEAN NOT NULL, body TEXT NOT NULL
        );
        CREATE INDEX alerts_rule ON alerts (rule);
        CREATE INDEX alerts_incident ON alerts (incident);
        CREATE TABLE answers (rule TEXT PRIMARY KEY, at TEXT NOT NULL);
        CREATE TABLE claims (
            incident INTEGER NOT NULL REFERENCES incidents (id), skill TEXT NOT NULL, worker TEXT NOT NULL, lease TEXT,
            again_at TEXT, PRIMARY KEY (incident, skill)
        );
        CREATE TABLE runs (
            incident INTEGER NOT NULL REFERENCES incidents (id), id TEXT NOT NULL, playbook TEXT NOT NULL,
            key TEXT NOT NULL, started_at TEXT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (incident, id)
        );
        CREATE INDEX runs_started ON runs (started_at);
        CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL)
        """,
    ),
    Migration(
        2,
        "messages and hypotheses",
        """
        ALTER TABLE incidents ADD COLUMN mark TEXT NOT NULL DEFAULT '';
        ALTER TABLE incidents ADD COLUMN told TEXT NOT NULL DEFAULT '';
        UPDATE incidents SET mark = version || '.0.0';
        CREATE INDEX incidents_stale ON incidents (id) WHERE unresolved = 0 AND told <> '' AND told <> mark;
        CREATE INDEX incidents_untold ON incidents (since) WHERE unresolved = 0 AND told = '';
        CREATE TABLE hypotheses (
            incident INTEGER NOT NULL, seq INTEGER NOT NULL, round INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (incident, seq), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents (id),
            turn INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL,
            again_at TEXT, at TEXT NOT NULL, sent_at TEXT, channel TEXT, ts TEXT, body TEXT NOT NULL
        );
        CREATE INDEX messages_waiting ON messages (incident, turn) WHERE state = 'waiting';
        CREATE INDEX messages_incident ON messages (incident, kind, id);
        CREATE UNIQUE INDEX messages_one_waiting_card ON messages (incident) WHERE state = 'waiting' AND kind = 'card';
        CREATE UNIQUE INDEX messages_note_key ON messages (incident, key) WHERE kind = 'note';
        CREATE TABLE cards (
            incident INTEGER PRIMARY KEY REFERENCES incidents (id), channel TEXT NOT NULL, ts TEXT NOT NULL
        );
        CREATE UNIQUE INDEX cards_place ON cards (channel, ts);
        CREATE TABLE said (
            turn INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, taken_at TEXT NOT NULL,
            treated_at TEXT, what TEXT NOT NULL
        );
        CREATE INDEX said_treated ON said (treated_at)
        """,
    ),
    Migration(
        3,
        "silences and verdicts",
        """
        CREATE TABLE silences (
            id INTEGER PRIMARY KEY AUTOINCREMENT, matchers TEXT NOT NULL, author TEXT NOT NULL, comment TEXT NOT NULL,
            made_at TEXT NOT NULL, starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, expired_by TEXT NOT NULL
        );
        CREATE INDEX silences_ends ON silences (ends_at);
        CREATE TABLE verdicts (
            turn INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
            says TEXT NOT NULL, incident INTEGER REFERENCES incidents (id)
        );
        CREATE INDEX verdicts_fingerprint ON verdicts (fingerprint, turn);
        CREATE TABLE alert_changes (turn INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL);
        CREATE TRIGGER alerts_made AFTER INSERT ON alerts BEGIN
            INSERT INTO alert_changes (fingerprint) VALUES (NEW.fingerprint);
        END;
        CREATE TRIGGER alerts_changed AFTER UPDATE ON alerts BEGIN
            INSERT INTO alert_changes (fingerprint) SELECT OLD.fingerprint UNION SELECT NEW.fingerprint;
        END;
        CREATE TRIGGER alerts_dropped AFTER DELETE ON alerts BEGIN
            INSERT INTO alert_changes (fingerprint) VALUES (OLD.fingerprint);
        END
        """,
    ),
)
NEWEST = MIGRATIONS[-1].number
