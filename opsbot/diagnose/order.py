"""In which order rules are tried: one that asks for another's finding comes after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from opsbot.core.diagnosis import DiagnosisRule, FindingIs


def ordered(rules: Sequence[DiagnosisRule]) -> tuple[DiagnosisRule, ...]:
    """The rules with those that others ask for first, else as they were; CycleError where they go in a circle."""
    by_name = {rule.name: rule for rule in rules}
    return tuple(by_name[name] for name in TopologicalSorter(_before(rules)).static_order())


def cycle(rules: Sequence[DiagnosisRule]) -> tuple[DiagnosisRule, ...]:
    """The rules of one circle, or none."""
    by_name = {rule.name: rule for rule in rules}
    try:
        TopologicalSorter(_before(rules)).prepare()
    except CycleError as error:
        return tuple(by_name[name] for name in dict.fromkeys(error.args[1]))
    return ()


def _before(rules: Sequence[DiagnosisRule]) -> Mapping[str, list[str]]:
    """For each rule the others that it asks for, by their names or by their faults; its own fault is not itself."""
    return {
        rule.name: [
            other.name for other in rules if other.name != rule.name and {other.name, other.fault} & asked(rule)
        ]
        for rule in rules
    }  # fmt: skip


def asked(rule: DiagnosisRule) -> set[str]:
    """The names of rules and faults that its `finding` conditions ask for."""
    conditions = (*rule.when.all, *rule.when.any, *rule.when.none)
    return {item.finding for item in conditions if isinstance(item, FindingIs)}
