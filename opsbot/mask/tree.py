"""Walks through values that are no text but hold some: cluster objects, JSON, arguments. Keys and shape stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsbot.mask.words import is_secret, names_secret

See = Callable[[str, bool], str]
_NAMES = ("name", "key", "Name", "Key")
_HIDDEN = ("data", "stringData")


def walk(value: Any, see: See, *, secret: bool = False, kind: str = "") -> Any:
    """The value with `see(text, secret)` in place of each text; `secret` says that its place alone makes it one."""
    if isinstance(value, str):
        return see(value, secret)
    if isinstance(value, Mapping):
        return _mapping(value, see, secret, str(value.get("kind") or kind.removesuffix("List")))
    if isinstance(value, list | tuple):
        return _sequence(value, see, secret, kind)
    if secret and value is not None and not isinstance(value, bool):
        return see(str(value), True)
    return value


def _mapping(value: Mapping[str, Any], see: See, secret: bool, kind: str) -> dict[str, Any]:
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), "")
    walked = {}
    for key, item in value.items():
        hidden = kind == "Secret" and key in _HIDDEN
        called = name if key in ("value", "Value") else str(key)
        walked[key] = walk(item, see, secret=secret or hidden or _called(called, item), kind=kind)
    return walked


def _called(name: str, item: Any) -> bool:
    """Whether a name makes a plain value (or a list of plain values) a secret; `secret: {secretName: x}` is none."""
    if isinstance(item, list | tuple):
        return bool(item) and not any(isinstance(part, Mapping | list | tuple) for part in item) and names_secret(name)
    return isinstance(item, str | int | float) and is_secret(name, str(item), quoted=True)


def _sequence(value: Sequence[Any], see: See, secret: bool, kind: str) -> list[Any]:
    """Items one by one; what follows a flag such as `--password` is a secret."""
    walked, flagged = [], False
    for item in value:
        walked.append(walk(item, see, secret=secret or flagged, kind=kind))
        flagged = isinstance(item, str) and item.startswith("-") and "=" not in item and names_secret(item)
    return walked
