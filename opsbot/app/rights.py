"""What the two accounts must be granted on a cluster: no more than what evidence sources, facts and steps state."""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.diagnose import sources
from opsbot.kube.kinds import place
from opsbot.remediate import facts, steps

Right = tuple[str, str]
"""Verb and resource, as `kubectl auth can-i` spells them: `get`, `deployments.apps`."""


def rights() -> dict[str, tuple[Right, ...]]:
    """By account, `reader` and `writer`; each once, in order."""
    return {"reader": tuple(dict.fromkeys(_read())), "writer": tuple(dict.fromkeys(_written()))}


def _read() -> Iterator[Right]:
    yield from sources.verbs()
    yield from (("get", _resource(kind)) for kind in facts.KINDS)
    yield from ((verb, _resource(kind)) for verb, kind in facts.ALSO_READ)


def _written() -> Iterator[Right]:
    for step in steps.KINDS:
        yield from ((verb, _resource(kind)) for kind in step.kinds for verb in step.verbs)


def _resource(kind: str) -> str:
    group, _version, plural, _namespaced = place(kind)
    return f"{plural}.{group}" if group else plural
