"""What opsbot says of itself: log records walk in, one masked line each walks out. It never lets a record through raw.

A line is `TIME LEVEL name message key=value …`. Extra fields are given as `log.info("…", extra={"fields": {…}})`. What
would break a line or steer a terminal is written out as an escape, so that one record is always one line.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from opsbot.mask import mask, mask_tree

_ROOT = "opsbot"


class MaskedLine(logging.Formatter):
    """Formats any record, of opsbot or of a library, as one masked line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; an exception follows as a field."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {"message": _message(record), **_fields(record)}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        masked = mask_tree(fields)
        said = " ".join((masked.pop("message"), *(f"{key}={_spelt(value)}" for key, value in masked.items())))
        return f"{at} {record.levelname} {record.name} {_one_line(said)}"


def logger(name: str) -> logging.Logger:
    """The logger of one part of opsbot; silent until `start` has been called."""
    found = logging.getLogger(f"{_ROOT}.{name}" if name else _ROOT)
    root = logging.getLogger(_ROOT)
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return found


def start(level: str = "INFO", stream: TextIO | None = None) -> logging.Handler:
    """Let all loggers speak, libraries' from WARNING on, each record as one masked line on the stream (stderr).

    Called again, it replaces what it set up before. ValueError for an unknown level.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(MaskedLine())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, MaskedLine)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger(_ROOT).setLevel(level)
    logging.captureWarnings(True)
    return handler


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    found = getattr(record, "fields", None)
    return {str(key): value for key, value in found.items() if key != "message"} if isinstance(found, Mapping) else {}


def _spelt(value: object) -> str:
    """A field's value: bare where it is one plain word, else as JSON."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None
    if text is not None and text and not any(c in text for c in ' "=\\') and text.isprintable():
        return text
    return json.dumps(value, ensure_ascii=False, default=lambda other: mask(str(other)))


def _one_line(text: str) -> str:
    """The text with everything that is no printable character written as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
