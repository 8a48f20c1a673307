"""The alert states of Prometheus as a pure function.

A rule, the samples of one complete answer and the alerts so far walk in, the alerts afterwards walk out. It asks
nobody, reads no clock and never sees an answer that failed. The states are those of prometheus/rules/alerting.go
(AlertingRule.Eval); `carried` adds what a bot needs that is restarted and keeps its alerts in a store.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from opsbot.core import target as targets
from opsbot.core import template
from opsbot.core.alert import Alert, AlertRule, AlertState, Sample, TargetSpec, fingerprint
from opsbot.core.errors import PermanentError
from opsbot.core.target import Target
from opsbot.mask import mask, mask_tree
from opsbot.monitor import gotemplate
from opsbot.monitor.gotemplate import NOWHERE, UNFILLED, Scope, Server, TemplateError

RETENTION = timedelta(minutes=15)
"""How long a resolved alert is remembered (rules/alerting.go, resolvedRetention)."""

OUTAGE = timedelta(hours=1)
"""How long nobody may have looked before the `for` clock starts anew (flag rules.alert.for-outage-tolerance)."""

LONGEST = 4_000
"""Characters of a rendered label or annotation; more is cut."""


class SameLabelsError(PermanentError):
    """Two samples end up with the same labels once the rule's own are applied: the rule must be changed."""


class TooManyError(PermanentError):
    """A rule has more alerts than its group allows; nothing has changed then."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a rule makes of one sample: final labels, annotations, and the sample's value; nothing is masked."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float


def step(
    rule: AlertRule, samples: Iterable[Sample], active: Sequence[Alert], now: datetime, cluster: str = "",
    server: Server = NOWHERE,
) -> list[Alert]:  # fmt: skip
    """The alerts of a rule after one complete answer for the time `now`, resolved ones included.

    An alert that is absent is inactive. A sample counts whatever its value is, NaN included: that it is there at all is
    what the condition says. SameLabelsError where two samples would be the same alert, TooManyError where there are
    more than the rule's limit; nothing has changed then. `server` is what templates may ask.
    """
    return walk(rule, words(rule, samples, server), active, now, cluster)


def words(rule: AlertRule, samples: Iterable[Sample], server: Server = NOWHERE) -> dict[str, Words]:
    """What the rule makes of each sample, by fingerprint."""
    own = {**rule.labels, **({"severity": rule.severity} if rule.severity else {})}
    parsed = {name: gotemplate.parse(text) for name, text in own.items()}
    notes = {name: gotemplate.parse(text) for name, text in rule.annotations.items()}
    found: dict[str, Words] = {}
    identity = rule.id
    for sample in samples:
        scope = Scope(sample.labels, float(sample.value), server)
        labels = _labels(rule, sample, {name: _rendered(text, scope) for name, text in parsed.items()})
        name = fingerprint(identity, labels)
        if name in found:
            raise SameLabelsError(f"two results of {rule.name!r} have the same labels after the rule's own are applied")
        found[name] = Words(labels, {note: _rendered(text, scope) for note, text in notes.items()}, float(sample.value))
    return found


def walk(
    rule: AlertRule, said: Mapping[str, Words], active: Sequence[Alert], now: datetime, cluster: str = ""
) -> list[Alert]:
    """The alerts afterwards, given what the rule makes of the samples."""
    before = {alert.fingerprint: alert for alert in active}
    fresh = (_begun(rule, name, one, before.get(name), now, cluster) for name, one in said.items())
    held = [_held(rule, alert, before.get(alert.fingerprint), now) for alert in fresh]
    gone = [_not_held(rule, alert, now) for name, alert in before.items() if name not in said]
    alerts = held + [alert for alert in gone if alert is not None]
    count = sum(alert.state is not AlertState.RESOLVED for alert in alerts)
    if 0 < rule.limit < count:
        raise TooManyError(f"{rule.name!r} has {count} alerts, more than the limit of {rule.limit} of its group")
    return alerts


def carried(active: Sequence[Alert], answered: datetime | None, now: datetime) -> list[Alert]:
    """The alerts as an earlier process (or an earlier hour) left them, as far as they still count now.

    Pending ones keep their clock over an outage of up to an hour, and start anew after a longer one, as a Prometheus
    does that restores its alerts. Firing ones stay up until an answer says otherwise: people have been told of them.
    (Prometheus lets those start anew too, and does not restore a `for` of less than 10 minutes.)
    """
    if answered is None or now - answered <= OUTAGE:
        return list(active)
    return [alert for alert in active if alert.state is not AlertState.PENDING]


# one sample ---------------------------------------------------------------------------------------------------------


def _begun(
    rule: AlertRule, name: str, said: Words, before: Alert | None, now: datetime, cluster: str
) -> Alert:  # fmt: skip
    """A sample as the pending alert that it would begin; labels that are masked already are not masked again."""
    return Alert(
        rule=rule.id, name=rule.name, fingerprint=name, severity=_masked(said.labels.get("severity", "")),
        labels=before.labels if before else mask_tree(said.labels), state=AlertState.PENDING, active_at=now,
        value=said.value if math.isfinite(said.value) else None, held_at=now, holds_since=now,
        annotations={note: _masked(text) for note, text in said.annotations.items()}, actions=rule.actions,
        target=target_of(rule.target, said.labels, cluster),
    )  # fmt: skip


_masked = lru_cache(maxsize=10_000)(mask)


def _labels(rule: AlertRule, sample: Sample, own: Mapping[str, str]) -> dict[str, str]:
    """The final labels: the sample's without its name, the rule's over them, an empty one means none."""
    merged = {**sample.labels, **own, "alertname": rule.name}
    return {name: merged[name] for name in sorted(merged) if merged[name] and name != "__name__"}


def _rendered(parsed: gotemplate.Template, scope: Scope) -> str:
    """The text, or in its place what Prometheus says there when a template cannot be filled."""
    try:
        return parsed.render(scope)[:LONGEST]
    except TemplateError as error:
        return f"{UNFILLED}{error}>"[:LONGEST]


def target_of(spec: TargetSpec | None, labels: Mapping[str, str], cluster: str) -> Target | None:
    """The object that is meant; None where a label is missing or cannot be a name: nothing is proposed then."""
    if spec is None:
        return None
    try:
        filled = template.render(
            {"kind": spec.kind, "namespace": spec.namespace, "name": spec.name}, {"labels": labels}
        )
        return targets.named(filled["kind"], filled["namespace"], filled["name"], cluster)
    except (KeyError, ValueError):
        return None


# one alert ----------------------------------------------------------------------------------------------------------


def _held(rule: AlertRule, seen: Alert, before: Alert | None, now: datetime) -> Alert:
    """The condition holds: begin, go on, and fire once it has held long enough."""
    alert = seen
    if before is not None and before.state is not AlertState.RESOLVED:
        since = before.holds_since if before.holds else now
        alert = replace(
            seen, state=before.state, active_at=before.active_at, fired_at=before.fired_at, holds_since=since
        )
    if alert.state is AlertState.PENDING and now - alert.active_at >= rule.hold_for:
        return replace(alert, state=AlertState.FIRING, fired_at=now)
    return alert


def _not_held(rule: AlertRule, before: Alert, now: datetime) -> Alert | None:
    """The condition does not hold: a pending alert goes, a firing one is kept up for a while or resolved."""
    if before.state is AlertState.PENDING:
        return None
    if before.state is AlertState.RESOLVED:
        old = before.resolved_at is not None and now - before.resolved_at > RETENTION
        return None if old else before
    since = now if before.holds or before.holds_since is None else before.holds_since
    still = replace(before, holds=False, holds_since=since)
    if now - since < rule.keep_firing_for:
        return still
    return replace(still, state=AlertState.RESOLVED, resolved_at=now)
