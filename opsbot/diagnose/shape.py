"""Careful looks into objects of outside: whatever stands at a path, these give back the type that was asked for.

One odd object must not blind a source nor stop a check, so nobody here takes a shape on trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(value: Any, *path: str) -> Any:
    """What stands at a path; None where there is nothing."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping at a path; an empty one for anything else."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else {}


def items(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings of the list at a path; none for anything else."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []


def word(value: Any, *path: str) -> str:
    """The text at a path; empty for anything else."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: Any, *path: str) -> int:
    """The whole number at a path; 0 for anything else."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
