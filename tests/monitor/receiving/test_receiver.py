"""Pushed alerts on a real store: which alert each is, what is kept of it, and who has the say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import POLLED, Alert, AlertRule, AlertState, Push, Sample, TargetSpec
from opsbot.core.audit import Note
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State
from opsbot.core.target import Target
from opsbot.monitor.receiving.merging import KEEP
from opsbot.monitor.receiving.receiver import Receiver, Reception, masked, unwatched
from opsbot.monitor.state import LONGEST, step
from opsbot.store import SqlStore
from tests.monitor.monitor_world import START

RULE = AlertRule(
    name="Slow", condition="latency > 5", severity="critical", actions=("scale_up",), labels={"team": "web"},
    target=TargetSpec("Deployment", "{{ labels.app }}", "{{ labels.namespace }}"),
)  # fmt: skip
HOW = Reception("prod", "cluster", {"cluster": "prod", "region": "eu"}, frozenset({"replica"}), frozenset({"restart"}))
SERIES = {"app": "shop", "namespace": "live"}
SENT = {**SERIES, "severity": "critical", "team": "web", "alertname": "Slow"}


@dataclass
class Post:
    """A receiver whose rules and blindness tests set, on a store of its own."""

    store: SqlStore
    rules: tuple[AlertRule, ...] = (RULE,)
    blind: set[str] = field(default_factory=set)
    how: Reception = HOW

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.store, self.how, lambda: self.rules, lambda: self.blind)

    def push(
        self, seconds: float, labels: Mapping[str, str] = SENT, *, starts: float = 0, ends: float | None = None,
        source: str = "alertmanager", notes: Mapping[str, str] | None = None,
    ) -> list[str]:  # fmt: skip
        """Push one alert at a second; the outcomes."""
        now = START + timedelta(seconds=seconds)
        ended = None if ends is None else START + timedelta(seconds=ends)
        one = Push(
            labels.get("alertname", "Slow"), labels, notes or {}, ends is None, START + timedelta(seconds=starts), now,
            source, ended,
        )  # fmt: skip
        return [outcome for _, outcome in self.receiver.receive([one], now)]

    def poll(self, seconds: float, *series: Mapping[str, str]) -> datetime:
        """What a poll makes of series of the first rule."""
        now, rule = START + timedelta(seconds=seconds), self.rules[0]
        before = [alert for alert in self.store.alerts(rule.id) if alert.source == POLLED]
        samples = [Sample(labels, 7.0, now) for labels in series]
        self.store.save_alerts(rule.id, step(rule, samples, before, now, "prod"), now)
        return now

    @property
    def one(self) -> Alert:
        (found,) = self.store.alerts()
        return found


@pytest.fixture
def post(store: SqlStore) -> Post:
    return Post(store)


# which alert it is --------------------------------------------------------------------------------------------------

FORMS = {
    "as it is": SENT,
    "with external labels": {**SENT, "cluster": "prod", "region": "eu"},
    "of another replica": {**SENT, "replica": "b", "cluster": "prod"},
    "without the alert's name": {name: word for name, word in SENT.items() if name != "alertname"},
    "with an empty label": {**SENT, "zone": ""},
}


@pytest.mark.parametrize("labels", FORMS.values(), ids=FORMS.keys())
def test_pushed_and_polled_are_one_alert(post: Post, labels: Mapping[str, str]) -> None:
    assert post.push(5, labels) == ["fired"]
    pushed = post.one
    post.poll(6, SERIES)
    assert post.one.fingerprint == pushed.fingerprint
    assert post.one.rule == pushed.rule == RULE.id
    assert post.one.labels == pushed.labels


@pytest.mark.parametrize("labels", FORMS.values(), ids=FORMS.keys())
def test_polled_and_pushed_are_one_alert(post: Post, labels: Mapping[str, str]) -> None:
    post.poll(5, SERIES)
    polled = post.one
    assert post.push(6, labels) == ["left_to_polls"]
    assert post.one == polled


@pytest.mark.parametrize(
    "own",
    [{"region": "eu"}, {"region": "eu", "replica": "b"}, {"replica": "b"}],
    ids=["an external one", "both", "an ignored one"],
)
def test_a_label_that_series_have_of_their_own_is_found_too(post: Post, own: Mapping[str, str]) -> None:
    post.poll(5, {**SERIES, **own})
    assert post.push(6, {**SENT, **own}) == ["left_to_polls"]


@pytest.mark.parametrize(
    "labels",
    [
        {**SENT, "severity": "warning"}, {**SENT, "team": "data"}, {**SENT, "alertname": "Slower"},
        {name: word for name, word in SENT.items() if name != "team"},
    ],
    ids=["severity", "label of the rule", "name", "label missing"],
)  # fmt: skip
def test_what_does_not_fit_the_rule_is_an_alert_of_its_own(post: Post, labels: Mapping[str, str]) -> None:
    post.push(5, labels)
    assert post.one.rule == unwatched("alertmanager", labels["alertname"])
    assert post.one.actions == ()


def test_what_a_rule_computes_may_be_anything(store: SqlStore) -> None:
    post = Post(store, (replace(RULE, severity="{{ $labels.level }}", labels={"team": "{{ $labels.owner }}"}),))
    post.push(5, {**SENT, "severity": "info", "team": "x", "level": "info", "owner": "x"})
    assert post.one.rule == post.rules[0].id


def test_of_two_rules_of_one_name_the_more_particular_one_is_meant(store: SqlStore) -> None:
    plain = replace(RULE, labels={}, condition="latency > 9")
    post = Post(store, (plain, RULE))
    post.push(5)
    assert post.one.rule == RULE.id


def test_of_two_rules_that_fit_the_one_that_has_the_alert_is_meant(store: SqlStore) -> None:
    twin = replace(RULE, condition="latency > 9")
    post = Post(store, (twin, RULE))
    post.poll(5, SERIES)
    assert post.push(6) == ["left_to_polls"]


def test_the_same_name_of_two_sources_is_two_alerts(post: Post) -> None:
    labels = {"alertname": "Odd"}
    post.push(5, labels)
    post.push(6, labels, source="grafana")
    assert len(post.store.alerts()) == 2


# who has the say ----------------------------------------------------------------------------------------------------


def test_a_resolved_notice_of_what_polls_see_changes_nothing(post: Post) -> None:
    post.poll(5, SERIES)
    assert post.push(9, ends=8) == ["left_to_polls"]
    assert post.one.state is AlertState.FIRING


def test_while_polls_are_blind_pushes_count(post: Post) -> None:
    post.poll(5, SERIES)
    post.blind = {RULE.id}
    assert post.push(9, ends=8) == ["resolved"]
    assert (post.one.state, post.one.source) == (AlertState.RESOLVED, "alertmanager")


def test_a_poll_that_does_not_see_a_pushed_alert_leaves_it(post: Post) -> None:
    post.push(5)
    post.poll(6)
    assert post.one.state is AlertState.FIRING


def test_a_pushed_alert_ends_by_its_notice_and_is_not_fired_again_by_an_older_one(post: Post) -> None:
    assert post.push(5) == ["fired"]
    assert post.push(70, ends=60) == ["resolved"]
    assert post.push(75) == ["older"]
    assert post.one.state is AlertState.RESOLVED
    assert post.push(100, starts=90) == ["refired"]
    assert (post.one.state, post.one.fired_at) == (AlertState.FIRING, START + timedelta(seconds=90))


def test_repetitions_write_nothing(post: Post) -> None:
    post.push(5)
    before = post.one
    assert [post.push(5 + second) for second in range(1, 60, 10)] == [["duplicate"]] * 6
    assert post.one == before
    assert post.push(65) == ["renewed"]
    assert post.one == replace(before, held_at=START + timedelta(seconds=65))


def test_in_one_batch_the_order_counts(post: Post) -> None:
    now = START + timedelta(seconds=90)
    first = Push("Slow", SENT, {}, True, START, now, "alertmanager")
    gone = replace(first, firing=False, ends_at=START + timedelta(seconds=60))
    counts = post.receiver.receive([first, gone, first, first], now)
    assert counts == {("alertmanager", "fired"): 1, ("alertmanager", "resolved"): 1, ("alertmanager", "older"): 2}
    assert post.one.state is AlertState.RESOLVED


def test_nothing_is_resolved_because_it_is_absent(post: Post) -> None:
    for app in ("a", "b"):
        post.push(5, {**SENT, "app": app})
    post.push(60, {**SENT, "app": "a"})
    assert [alert.state for alert in post.store.alerts()] == [AlertState.FIRING] * 2


# what is kept of it -------------------------------------------------------------------------------------------------


def test_it_fires_at_once_since_the_sender_says_so(post: Post) -> None:
    post.push(30, starts=-60)
    began = START - timedelta(seconds=60)
    assert (post.one.state, post.one.active_at, post.one.fired_at, post.one.holds) == (
        AlertState.FIRING, began, began, True,
    )  # fmt: skip
    assert post.one.held_at == START + timedelta(seconds=30)


def test_a_sender_whose_clock_is_ahead_fires_now(post: Post) -> None:
    post.push(30, starts=4_000)
    assert post.one.fired_at == START + timedelta(seconds=30)


def test_secrets_are_masked_wherever_they_stand(post: Post) -> None:
    post.push(
        5, {**SENT, "dsn": "postgres://app:hunter2secret@db/x"}, notes={"summary": "cannot log in with hunter2secret"}
    )
    told = str(post.one)
    assert "hunter2secret" not in told
    assert isinstance(post.one.annotations["summary"], MaskedText)


def test_a_secret_by_its_name_beside_its_value_is_masked() -> None:
    labels, _ = masked({"name": "DB_PASSWORD", "value": "correct-horse-battery"}, {})
    assert "correct-horse-battery" not in labels["value"]


def test_masking_one_by_one_is_masking_all() -> None:
    from opsbot.mask import mask_tree

    labels, notes = {"app": "shop", "pod": "shop-1"}, {"summary": "shop-1 is slow", "description": "look at it"}
    assert masked(labels, notes) == (mask_tree(labels), mask_tree(notes))


def test_long_texts_are_cut_but_tell_alerts_apart(post: Post) -> None:
    for end in "ab":
        post.push(5, {**SENT, "path": "x" * 9_000 + end}, notes={"summary": "y" * 9_000})
    alerts = post.store.alerts()
    assert len(alerts) == 2
    assert {len(alert.labels["path"]) for alert in alerts} == {LONGEST}
    assert {len(alert.annotations["summary"]) for alert in alerts} == {LONGEST}


@pytest.mark.parametrize(
    ("labels", "annotations", "target"),
    [
        (SENT, {}, Target("live", "Deployment", "shop", "prod")),
        ({**SENT, "cluster": "prod"}, {}, Target("live", "Deployment", "shop", "prod")),
        ({**SENT, "cluster": "other"}, {}, Target("live", "Deployment", "shop", "other")),
        ({**SENT, "app": "No Name"}, {}, None),
        ({"alertname": "Odd"}, {"opsbot_target": "StatefulSet/live/db"}, Target("live", "StatefulSet", "db", "prod")),
        ({"alertname": "Odd", "x": "db"}, {"opsbot_target": "sts/live/{{ $labels.x }}"},
         Target("live", "StatefulSet", "db", "prod")),
        ({"alertname": "Odd"}, {"opsbot_target": "Node/n1"}, Target("", "Node", "n1", "prod")),
        ({"alertname": "Odd"}, {"opsbot_target": "Secret/live/db"}, None),
        ({"alertname": "Odd"}, {"opsbot_target": "../../etc"}, None),
        ({"alertname": "Odd"}, {}, None),
    ],
    ids=["of the rule", "our cluster", "another cluster", "no name", "annotation", "with a label", "a node", "odd kind",
         "nonsense", "none"],
)  # fmt: skip
def test_targets(post: Post, labels: Mapping[str, str], annotations: dict[str, str], target: Target | None) -> None:
    post.push(5, labels, notes=annotations)
    assert post.one.target == target
    assert post.one.annotations == ({} if target else annotations)  # what could not be read is kept to be shown


MISREAD = {
    "no path": ("opsbot_target", "nonsense", "'nonsense' is no KIND/NAMESPACE/NAME"),
    "four parts": ("opsbot_target", "Deployment/a/b/c", "'Deployment/a/b/c' is no KIND/NAMESPACE/NAME"),
    "no namespace": ("opsbot_target", "Pod/x", "'Pod/x' lacks a namespace"),
    "no kind": ("opsbot_target", "Secret/live/db", "'Secret' is no kind that opsbot knows"),
    "no name": ("opsbot_target", "Pod/live/X.", "'Pod/live/X.' names no object that can be"),
    "no such label": ("opsbot_target", "Pod/live/{{ $labels.nope }}", "names no object that can be"),
    "no playbook": ("opsbot_actions", "restart, burn, drown", "there is no playbook 'burn', 'drown'"),
}


@pytest.mark.parametrize(("name", "text", "why"), MISREAD.values(), ids=MISREAD.keys())
def test_what_an_alert_says_to_opsbot_in_vain_is_logged_counted_and_kept(
    post: Post, caplog: pytest.LogCaptureFixture, name: str, text: str, why: str
) -> None:
    assert post.push(5, {"alertname": "Odd"}, notes={name: text}) == ["fired", "misread"]
    assert post.one.annotations == {name: text}
    (line,) = caplog.messages
    assert line.startswith(f"webhook alertmanager: alert 'Odd' is kept, but {name}: ")
    assert why in line
    assert post.push(70, {"alertname": "Odd"}, notes={name: text}) == ["renewed"]
    assert len(caplog.messages) == 1


def test_of_many_such_alerts_one_is_logged_in_a_minute(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    def some(second: float, count: int) -> int:
        labels = [{"x": f"{second}-{place}"} for place in range(count)]
        when = START + timedelta(seconds=second)
        many = [Push("Odd", one, {"opsbot_target": "x"}, True, when, when, "grafana") for one in labels]
        return post.receiver.receive(many, when)["grafana", "misread"]

    assert [some(0, 300), some(30, 5), some(60, 1)] == [300, 5, 1]
    first, later = caplog.messages
    assert first.endswith("; so it is with 299 more alerts")
    assert "more alerts" not in later


def test_a_secret_in_such_an_annotation_is_not_logged(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.push(5, {"alertname": "Odd"}, notes={"opsbot_target": "password=hunter2secret\nx"})
    assert "hunter2secret" not in caplog.text
    assert "hunter2secret" not in post.one.annotations["opsbot_target"]
    assert "\n" not in caplog.messages[0]


def test_what_a_watched_rule_says_itself_is_not_looked_for_in_its_alerts(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.push(5, notes={"opsbot_target": "x", "opsbot_actions": "burn"})
    assert (post.one.annotations, caplog.messages) == ({}, [])
    assert post.one.target == Target("live", "Deployment", "shop", "prod")


@pytest.mark.parametrize(
    ("labels", "said"),
    [({"alertname": "Odd", "cluster": "prod"}, True), ({"alertname": "Odd"}, False), (SENT, True)],
    ids=["said", "not said", "of a rule that we watch"],
)
def test_whether_the_cluster_was_said_is_kept(post: Post, labels: Mapping[str, str], said: bool) -> None:
    post.push(5, labels)
    assert post.one.cluster_said is said


@pytest.mark.parametrize(
    ("labels", "actions"),
    [(SENT, ("scale_up",)), ({"alertname": "Odd"}, ("restart",))],
    ids=["those of the rule alone", "known playbooks alone"],
)
def test_actions(post: Post, labels: Mapping[str, str], actions: tuple[str, ...]) -> None:
    post.push(5, labels, notes={"opsbot_actions": "drop_database, restart, ../x"})
    assert post.one.actions == actions
    assert ("opsbot_actions" in post.one.annotations) is (labels is not SENT)  # kept to be shown where it is unknown


@pytest.mark.parametrize(
    ("labels", "severity"),
    [({"severity": "info"}, "info"), ({"severity": "none"}, "none"), ({"severity": "P1"}, "P1"), ({}, "warning")],
    ids=["known", "none", "odd", "not said"],
)
def test_severity(post: Post, labels: Mapping[str, str], severity: str) -> None:
    post.push(5, {"alertname": "Odd", **labels})
    assert post.one.severity == severity


# letting go ---------------------------------------------------------------------------------------------------------


def test_resolved_alerts_are_let_go_after_some_hours_and_no_others(post: Post) -> None:
    post.push(5, {**SENT, "app": "a"})
    post.push(5, {**SENT, "app": "b"})
    post.push(60, {**SENT, "app": "b"}, ends=50)
    post.poll(70, {**SERIES, "app": "c"})
    late = START + timedelta(seconds=50) + KEEP
    assert post.receiver.tidy(late) == 0
    assert post.receiver.tidy(late + timedelta(seconds=1)) == 1
    assert sorted(alert.labels["app"] for alert in post.store.alerts()) == ["a", "c"]


def test_an_alert_goes_along_when_a_rule_comes_that_it_fits(store: SqlStore) -> None:
    post = Post(store, ())
    post.push(5)
    post.rules = (RULE,)
    post.receiver.tidy(START + timedelta(seconds=10))
    assert post.one.rule == RULE.id
    assert post.push(20) == ["duplicate"]


def test_an_alert_goes_along_when_its_rule_goes(post: Post) -> None:
    post.push(5)
    post.rules = ()
    post.receiver.tidy(START + timedelta(seconds=10))
    assert post.one.rule == unwatched("alertmanager", "Slow")
    assert post.push(20, ends=15) == ["resolved"]


def test_an_alert_that_an_incident_owns_stays_with_it_when_it_is_let_go(post: Post) -> None:
    post.push(5)
    new = Incident(0, "k", 0, State.OPEN, "critical", MaskedText("t"), START, START)
    made = post.store.create(new, Note("test", "opened"), START, [post.one.fingerprint])
    post.push(60, ends=50)
    post.receiver.tidy(START + timedelta(hours=7))
    assert post.store.alerts() == ()
    loaded = post.store.load(made.id)
    assert loaded
    assert [alert.state for alert in loaded.alerts] == [AlertState.RESOLVED]
