"""One spelling for one value, so that a digest means the content and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from opsbot.core.duration import spell

LATER = {"later": True}
"""Metadata of a dataclass field that joined when values had been digested already.

While it has its default it is left out of the canonical form, so that what was digested before still has its digest.
"""


def plain(value: Any) -> Any:
    """Reduce a value to what JSON knows: dataclasses become objects, times UTC texts, sets sorted lists."""
    if isinstance(value, str):
        return str.__str__(value.value if isinstance(value, Enum) else value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return spell(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        there = [field for field in dataclasses.fields(value) if not _unsaid(field, getattr(value, field.name))]
        return {field.name: plain(getattr(value, field.name)) for field in there}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _unsaid(field: dataclasses.Field[Any], value: Any) -> bool:
    return bool(field.metadata.get("later")) and value == field.default


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value: sorted keys, no blanks, UTF-8. NaN and infinity are refused (ValueError)."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
