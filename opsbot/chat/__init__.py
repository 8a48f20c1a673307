"""Slack: incidents told as cards and threads, and what people say and click carried out under their own names.

Pure: `blocks`, `card`, `notes`, `replies`, `words`, `payload`, `signing`. At the edge: `slack` and `sender` (the only
ones that know Slack's packages), `http`, `outbox`.
"""
