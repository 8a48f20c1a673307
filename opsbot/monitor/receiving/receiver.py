"""Receiver: pushed alerts in, alerts in the store out, all of one call in one transaction.

A push that fits a watched rule is the alert that polls see, whoever of the two comes first. Masked, capped, and never
resolved because of an absence.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from opsbot.config import Webhooks
from opsbot.core.alert import POLLED, Alert, AlertRule, AlertState, Push, fingerprint
from opsbot.core.canonical import digest
from opsbot.core.evidence import MaskedText
from opsbot.core.ports import Store
from opsbot.core.target import Target
from opsbot.mask import mask, mask_tree
from opsbot.monitor.receiving.merging import KEEP, begun, decide, merged, normal
from opsbot.monitor.rules import extras
from opsbot.monitor.state import LONGEST, target_of

LOG = logging.getLogger("opsbot.monitor")
UNSAID = "warning"
"""The severity of a push that says none."""

MISREAD = "misread"
"""Counted besides its outcome: a new alert with an annotation to opsbot that cannot be followed."""

QUIET = timedelta(minutes=1)
"""How often such alerts of one source are worth a line of the log."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What pushed alerts are read by. `playbooks` are the names that an annotation `opsbot_actions` may use.

    `cluster` is this cluster's name, `cluster_label` the label by which a sender says another one.
    """

    cluster: str = ""
    cluster_label: str = "cluster"
    external_labels: Mapping[str, str] = field(default_factory=dict)
    ignores: frozenset[str] = frozenset(Webhooks().identity_ignores)
    playbooks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Identity:
    """Which alert a push may be: of which rule, with which labels; `rule` is None for one that nobody watches."""

    id: str
    fingerprint: str
    labels: Mapping[str, str]
    rule: AlertRule | None = None


class Receiver:
    """Takes pushed alerts. Threads may share it; `rules` are those watched now, `blind` the ids of those unreadable."""

    def __init__(
        self, store: Store, how: Reception, rules: Callable[[], Collection[AlertRule]],
        blind: Callable[[], Collection[str]],
    ) -> None:  # fmt: skip
        self._store = store
        self._how = how
        self._rules = rules
        self._blind = blind
        self._lock = threading.Lock()
        self._told: dict[str, datetime] = {}
        self._named: tuple[Collection[AlertRule], dict[str, list[tuple[str, AlertRule]]]] = ((), {})

    def receive(self, pushes: Sequence[Push], now: datetime) -> Counter[tuple[str, str]]:
        """Keep what these pushes change; how many of each source had which outcome. The store's errors come through."""
        with self._lock:
            maybe = [list(self._identities(push)) for push in pushes]
            known = {one.fingerprint: one for one in self._store.known({i.fingerprint for ids in maybe for i in ids})}
            changed, blind = dict[str, Alert](), self._blind()
            counts: Counter[tuple[str, str]] = Counter()
            odd: list[tuple[Push, str]] = []
            for push, ids in zip(pushes, maybe, strict=True):
                identity = next((one for one in ids if one.fingerprint in known), ids[0])
                before = known.get(identity.fingerprint)
                outcome = decide(before, push, now, polls_see=identity.rule is not None and identity.id not in blind)
                counts[push.source, outcome.value] += 1
                if outcome.writes:
                    after = merged(before, push, outcome, self._alert(identity, push, before, now), now)
                    known[identity.fingerprint] = changed[identity.fingerprint] = after
                    if before is None and push.firing:
                        wrong = self._misread(identity.rule, push, after.target)
                        odd += [(push, "; ".join(wrong.values()))] if wrong else []
            if changed:
                self._store.receive(list(changed.values()))
            self._complain(odd, now)
            return counts + Counter((push.source, MISREAD) for push, _ in odd)

    def tidy(self, now: datetime) -> int:
        """Let go of resolved alerts that are remembered long enough, and see to rules that came or went meanwhile.

        How many alerts were let go. To be called now and then, and when the rules have changed.
        """
        with self._lock:
            pushed = [alert for alert in self._store.alerts() if alert.source != POLLED]
            old = {one.fingerprint for one in pushed if one.resolved_at and now - one.resolved_at > KEEP}
            moved = {
                one.fingerprint: other for one in pushed if one.fingerprint not in old for other in self._moved(one)
            }
            if moved:
                self._store.receive(list(moved.values()))
            if old or moved:
                self._store.forget(old | moved.keys())
            return len(old)

    # which alert it is ----------------------------------------------------------------------------------------------

    def _identities(self, push: Push) -> Iterator[_Identity]:
        """The alerts that a push may be, the likeliest first.

        Who pushed cannot be asked whether a label is the series' own or was added to all: both are looked for.
        """
        how = self._how
        labels = {"alertname": push.name, **push.labels}
        forms = [normal(labels, how.ignores, how.external_labels)]
        fitting = list(self._fitting(push.name, labels))
        if fitting:
            forms += [normal(labels, how.ignores, {}), normal(labels, frozenset(), {})]
        seen = set()
        for identity, rule in fitting:
            for form in forms:
                name = fingerprint(identity, form)
                if name not in seen:
                    seen.add(name)
                    yield _Identity(identity, name, form, rule)
        if not fitting:
            identity = unwatched(push.source, push.name)
            yield _Identity(identity, fingerprint(identity, forms[0]), forms[0])

    def _fitting(self, name: str, labels: Mapping[str, str]) -> Iterator[tuple[str, AlertRule]]:
        """The watched rules whose alert this may be, the most particular first."""
        return (one for one in self._by_name().get(name, ()) if _fits(one[1], labels))

    def _by_name(self) -> Mapping[str, Sequence[tuple[str, AlertRule]]]:
        rules = self._rules()
        if self._named[0] is not rules:
            found: dict[str, list[tuple[str, AlertRule]]] = {}
            for rule in sorted(rules, key=lambda rule: -len(rule.labels)):
                found.setdefault(rule.name, []).append((rule.id, rule))
            self._named = (rules, found)
        return self._named[1]

    def _moved(self, alert: Alert) -> Iterator[Alert]:
        """The same alert under the rule that it belongs to since rules came or went; nothing where it is at home."""
        fitting = dict(self._fitting(alert.name, alert.labels))
        home = next(iter(fitting), unwatched(alert.source, alert.name))
        if alert.rule != home and alert.rule not in fitting:
            yield replace(alert, rule=home, fingerprint=fingerprint(home, alert.labels))

    # what it says ---------------------------------------------------------------------------------------------------

    def _alert(self, identity: _Identity, push: Push, before: Alert | None, now: datetime) -> Alert:
        """The push alone as a firing alert."""
        said, rule = extras.read(push.annotations), identity.rule
        target = self._target(rule, said, push)
        raw = {name: said.given[name] for name in self._misread(rule, push, target)}
        labels, notes = masked(identity.labels, {**said.left, **raw})
        actions = rule.actions if rule else tuple(name for name in said.actions if name in self._how.playbooks)
        since = begun(push, now)
        return Alert(
            rule=identity.id, name=push.name, fingerprint=identity.fingerprint,
            severity=labels.get("severity", UNSAID), labels=before.labels if before else labels,
            state=AlertState.FIRING, active_at=since, fired_at=since, held_at=now, holds_since=since,
            annotations=notes, actions=actions, target=target, source=push.source,
            cluster_said=rule is not None or bool(push.labels.get(self._how.cluster_label)),
        )  # fmt: skip

    def _target(self, rule: AlertRule | None, said: extras.Extras, push: Push) -> Target | None:
        """The object that it is about; in another cluster where the sender's label says so."""
        spec = rule.target if rule and rule.target else said.target
        return target_of(spec, push.labels, push.labels.get(self._how.cluster_label) or self._how.cluster)

    def _misread(self, rule: AlertRule | None, push: Push, target: Target | None) -> Mapping[str, str]:
        """What of its annotations cannot be followed; what a watched rule says itself is not looked for there."""
        if not {extras.ACTIONS, extras.TARGET} & push.annotations.keys():
            return {}
        wrong = extras.misread(extras.read(push.annotations), target is not None, self._how.playbooks)
        moot = {extras.ACTIONS, *([extras.TARGET] if rule.target else [])} if rule else set()
        return {name: says for name, says in wrong.items() if name not in moot}

    def _complain(self, odd: Sequence[tuple[Push, str]], now: datetime) -> None:
        """A line a minute for each webhook: alerts with such annotations are kept, and come by the thousand."""
        counts = Counter(push.source for push, _ in odd)
        for push, wrong in odd:
            source = push.source
            if source not in self._told or now - self._told[source] >= QUIET:
                self._told[source] = now
                more = f"; so it is with {counts[source] - 1} more alerts" if counts[source] > 1 else ""
                LOG.warning("webhook %s: alert %r is kept, but %s%s", source, push.name[:100], mask(wrong), more)


def unwatched(source: str, name: str) -> str:
    """The rule id of pushed alerts that no watched rule fits."""
    return digest(["pushed", source, name])[:16]


def _fits(rule: AlertRule, labels: Mapping[str, str]) -> bool:
    """Whether a rule may have made these labels: what it says outright is there, what it computes may be anything."""
    own = {**rule.labels, **({"severity": rule.severity} if rule.severity else {})}
    return all(labels.get(name, "") == word or "{{" in word for name, word in own.items())


# masking ------------------------------------------------------------------------------------------------------------

_PAIRED = {"value", "Value", "data", "stringData"}
"""Keys whose text may be a secret because of what stands beside them."""


def masked(
    labels: Mapping[str, str], annotations: Mapping[str, str]
) -> tuple[dict[str, MaskedText], dict[str, MaskedText]]:
    """Labels and annotations, masked and capped; what one of their texts gives away is masked in all of them.

    Most alerts hold no secret, and most of their texts have been seen before: those are looked up, one by one. Where a
    single text is changed by that, the alert is masked as a whole, from which the masker learns more.
    """
    labels = {name: text[:LONGEST] for name, text in labels.items()}
    annotations = {name: text[:LONGEST] for name, text in annotations.items()}
    alone = {name: _alone(name, text) for name, text in labels.items()}
    notes = {name: _alone(name, text) for name, text in annotations.items()}
    if alone == labels and notes == annotations and not _PAIRED & (labels.keys() | annotations.keys()):
        return alone, notes
    whole = mask_tree({"labels": labels, "annotations": annotations})
    return whole["labels"], whole["annotations"]


@lru_cache(maxsize=20_000)
def _alone(name: str, text: str) -> MaskedText:
    found: MaskedText = mask_tree({name: text})[name]
    return found
