"""The section `incidents` of agent_config.yaml: how alerts become incidents, and few of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsbot.config.values import Incidents
from opsbot.core.errors import Problem
from opsbot.yamlfile import Document, Duration, Strict, Title, Where

DEFAULT = Incidents()
SHORTEST = {"storm.within": 1, "flapping.within": 60, "heartbeat.within": 60}
"""Seconds below which a time makes no sense."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class StormModel(Strict):
    """What a storm is, and how long what is too much waits."""

    above: Annotated[int, Field(ge=1, le=1000)] = DEFAULT.storm_above
    within: Duration = DEFAULT.storm_within
    debounce: Duration = DEFAULT.debounce
    max_wait: Duration = DEFAULT.max_wait


class FlappingModel(Strict):
    """What flapping is, and when it is over."""

    refires: Annotated[int, Field(ge=1, le=50)] = DEFAULT.flaps
    within: Duration = DEFAULT.flaps_within
    calm: Duration = DEFAULT.calm


class HeartbeatModel(Strict):
    """Alerts that must always fire."""

    alerts: list[Title] = Field(default=list(DEFAULT.heartbeats))
    within: Duration = DEFAULT.heartbeat_within


class IncidentsModel(Strict):
    """The section as it stands in the file."""

    group_by: list[str] = Field(default=[])
    storm: StormModel = StormModel()
    flapping: FlappingModel = FlappingModel()
    heartbeat: HeartbeatModel = HeartbeatModel()


def problems(document: Document, found: IncidentsModel) -> Iterator[Problem]:
    """What the form alone cannot say."""
    for place, name in enumerate(found.group_by):
        if not _LABEL.fullmatch(name):
            where: Where = ("incidents", "group_by", place)
            yield document.problem(where, f"incidents.group_by: {name[:60]!r} is no name of a label")
    yield from _twice(document, found.group_by, ("incidents", "group_by"))
    yield from _twice(document, found.heartbeat.alerts, ("incidents", "heartbeat", "alerts"))
    for name, least in SHORTEST.items():
        section, key = name.split(".")
        if getattr(getattr(found, section), key) < timedelta(seconds=least):
            yield document.problem(("incidents", section, key), f"incidents.{name}: must be {least}s or more")
    if found.storm.max_wait < found.storm.debounce:
        place_of = ("incidents", "storm", "max_wait")
        yield document.problem(place_of, "incidents.storm.max_wait: is shorter than debounce", "at least as long")


def _twice(document: Document, names: list[str], where: Where) -> Iterator[Problem]:
    for place, name in enumerate(names):
        if name in names[:place]:
            yield document.problem((*where, place), f"{'.'.join(map(str, where))}: {name[:60]!r} is there twice")


def incidents(found: IncidentsModel) -> Incidents:
    """As plain values."""
    storm, flapping, heartbeat = found.storm, found.flapping, found.heartbeat
    return Incidents(
        group_by=tuple(found.group_by), storm_above=storm.above, storm_within=storm.within, debounce=storm.debounce,
        max_wait=storm.max_wait, flaps=flapping.refires, flaps_within=flapping.within, calm=flapping.calm,
        heartbeats=tuple(heartbeat.alerts), heartbeat_within=heartbeat.within,
    )  # fmt: skip
