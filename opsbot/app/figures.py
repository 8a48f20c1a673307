"""What the running bot tells of itself in figures: its parts in, metric families out. Cheap: nothing is read whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from opsbot import __version__
from opsbot.app.agents import Agents
from opsbot.core.ports import Store
from opsbot.tasks.worker import Worker
from opsbot.web.exposition import Family, Labels, family


def families(agents: Agents, store: Store, worker: Worker, ticks: Mapping[str, float]) -> Iterator[Family]:
    """All figures but those of the webhooks themselves; the store's errors come through."""
    yield family("opsbot_build_info", "gauge", "The version that runs.", {(("version", __version__),): 1})
    yield from _of_rules(agents)
    yield from _of_polls(agents.monitor.figures())
    if "missed" in ticks:
        says = "Polls that were skipped, because the one before still ran, or broken off."
        yield family("opsbot_polls_missed_total", "counter", says, ticks["missed"])
    yield from _of_tasks(worker)
    yield from _of_store(store)


def _of_rules(agents: Agents) -> Iterator[Family]:
    found = agents.book.figures
    bad = found["rule_files_invalid"]
    files: dict[Labels, float] = {(("state", "valid"),): found["rule_files"] - bad, (("state", "invalid"),): bad}
    yield family(
        "opsbot_rule_files", "gauge", "Files of alert rules; an invalid one leaves its old rules in force.", files
    )
    yield family("opsbot_alert_rules", "gauge", "Alert rules in force.", found["alert_rules"])


def _of_polls(found: Mapping[str, float]) -> Iterator[Family]:
    said = (
        ("opsbot_rules_blind", "blind", "Rules whose condition has had no whole answer."),
        ("opsbot_rules_slow", "slow", "Rules that take too long to answer."),
        ("opsbot_poll_last_seconds", "seconds", "How long the last poll took."),
        ("opsbot_poll_last_questions", "questions", "Questions that the last poll asked."),
        ("opsbot_poll_last_alone", "alone", "Rules that the last poll asked one by one."),
    )
    for name, key, says in said:
        if key in found:
            yield family(name, "gauge", says, found[key])


def _of_tasks(worker: Worker) -> Iterator[Family]:
    running: Counter[Labels] = Counter(
        (("role", pick.role.name), ("skill", pick.task.skill.value)) for pick in worker.running
    )
    yield family("opsbot_tasks_running", "gauge", "Tasks that are being done.", dict(running))
    yield family("opsbot_tasks_waiting", "gauge", "Tasks that were due and found no free slot.", worker.waiting)


def _of_store(store: Store) -> Iterator[Family]:
    found = store.figures()
    alerts: dict[Labels, float] = {
        (("severity", severity), ("state", state)): count for (state, severity), count in found.alerts.items()
    }
    incidents: dict[Labels, float] = {(("state", state),): count for state, count in found.incidents.items()}
    yield family("opsbot_alerts", "gauge", "Alerts by state and severity.", alerts)
    yield family("opsbot_incidents", "gauge", "Unresolved incidents by state.", incidents)
    yield family("opsbot_incidents_opened_total", "counter", "Incidents that were ever opened.", found.opened)
    yield family("opsbot_messages_waiting", "gauge", "Messages that wait to be sent to chat.", found.messages)
    yield family("opsbot_store_bytes", "gauge", "Size of the store.", found.size)
    yield family("opsbot_store_schema_version", "gauge", "Version of the store's schema.", found.version)
