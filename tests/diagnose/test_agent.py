"""The diagnostic agent on the real store and the official client: an open incident becomes a diagnosed one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.evidence import Gap, MaskedText
from opsbot.core.incident import Incident, State, advance
from opsbot.core.target import Target
from opsbot.core.task import Mode, Skill, next_skills
from opsbot.diagnose.agent import DiagnosticAgent
from opsbot.diagnose.rulefile import load
from opsbot.kube.read import KubeReader
from opsbot.mask import mask
from opsbot.store import SqlStore, open_store
from opsbot.testing import FakeCluster
from opsbot.testing.cluster import faults
from tests.diagnose.diagnosis_world import AGENTS
from tests.diagnose.test_sources import workload

RULES = tuple(rule for file in sorted((Path(__file__).parents[2] / "rules").glob("*.yaml")) for rule in load(file))
BUSY = "WARN task 8f21 timed out after 5000 ms waiting for a free worker (queue 41)\n"


class World:
    """A cluster with one workload, a store, and an incident about it."""

    def __init__(self, store: SqlStore) -> None:
        self.cluster, self.store = FakeCluster(), store
        self.home = ""
        self.cluster.add(workload())
        self.cluster.run(5)
        self.agent = self.fresh_agent()

    @property
    def now(self) -> datetime:
        return self.cluster.clock()

    def fresh_agent(self) -> DiagnosticAgent:
        return DiagnosticAgent(
            KubeReader(self.cluster.connect("reader")), self.store, RULES, ["scale_up_agents", "restart_workload"],
            home=self.home,
        )  # fmt: skip

    def opened(self, target: Target | None = AGENTS, actions: Sequence[str] = ("scale_up_agents",)) -> Incident:
        alert = Alert(
            "rule", "High Task Latency", "f1", "critical", {}, AlertState.FIRING, self.now, actions=tuple(actions)
        )
        self.store.save_alerts("rule", [alert], self.now)
        made = Incident(
            0, target.key if target else "rule", 0, State.OPEN, "critical", mask("High"), self.now, self.now, target
        )
        return self.store.create(made, Note("monitor", "open"), self.now, ["f1"])

    def loaded(self, incident: Incident) -> Incident:
        found = self.store.load(incident.id)
        assert found is not None
        return found

    def walk(self, incident: Incident) -> Incident:
        """Do what is due until the incident is diagnosed, with a new agent each time, as other processes would."""
        for _ in range(5):
            at = self.loaded(incident)
            if at.state is not State.OPEN:
                return at
            skill = next_skills(at, self.now, Mode.OBSERVE)[0]
            agent = self.fresh_agent()
            done = {Skill.COLLECT_EVIDENCE: agent.collect_evidence, Skill.MATCH_RULES: agent.match_rules}[skill]
            assert done(at, self.now) is None
        raise AssertionError("it goes nowhere")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(f"sqlite:///{tmp_path}/ops.db", datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    yield World(store)
    store.close()


def test_an_overloaded_workload_is_diagnosed_and_more_replicas_are_proposed(world: World) -> None:
    world.cluster.set_logs("agents", "agents-*", BUSY * 3)
    found = world.walk(world.opened())
    assert (found.state, found.reason) == (State.DIAGNOSED, "cause_found")
    assert [finding.fault for finding in found.findings if finding.cause] == ["overload"]
    assert [(made.playbook, made.origin) for made in found.proposals] == [("scale_up_agents", "finding")]
    assert found.gaps == ()
    assert found.says is not None
    assert found.says.startswith("overload: agents gets more work than its workers can take: 6 lines")
    assert isinstance(found.says, MaskedText)
    evidence, _ = world.store.evidence(found.id, found.round)
    for cite in found.findings[0].evidence:
        piece = next(item for item in evidence if item.id == cite.id)
        assert piece.text.lines()[cite.line - 1] == cite.text
    assert world.store.verify() == ()
    acts = [(entry.who, entry.act) for entry in world.store.audit(found.id)]
    assert acts[1:] == [("diagnostic", "evidence"), ("diagnostic", "collect"), ("diagnostic", "diagnose")]


def test_checks_work_from_what_was_stored(world: World) -> None:
    name = world.cluster.list("Pod", "agents")[0]["metadata"]["name"]
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:04Z"}
    broken = {"name": "app", "ready": False, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
              "lastState": {"terminated": ended}}  # fmt: skip
    world.cluster.change("Pod", "agents", name, {"status": {"containerStatuses": [broken]}})
    incident = world.opened(actions=["restart_workload"])
    world.agent.collect_evidence(world.loaded(incident), world.now)
    world.cluster.remove("Deployment", "agents", "agents")
    world.fresh_agent().match_rules(world.loaded(incident), world.now)
    found = world.loaded(incident)
    assert [finding.fault for finding in found.findings if finding.cause] == ["out_of_memory"]
    assert any("OOMKilled" in cite.text for cite in found.findings[0].evidence)
    assert [(made.playbook, made.origin) for made in found.proposals] == [("restart_workload", "alert")]


def test_of_an_incident_of_opsbot_s_own_nothing_is_missing(world: World) -> None:
    own = Incident(0, "rules/invalid", 0, State.OPEN, "warning", mask("invalid"), world.now, world.now)
    found = world.walk(world.store.create(own, Note("monitor", "opened"), world.now))
    assert (found.state, found.gaps, found.says) == (State.DIAGNOSED, (), "No cause found.")


def test_an_incident_without_a_target_is_diagnosed_with_a_gap(world: World) -> None:
    found = world.walk(world.opened(target=None))
    assert (found.state, found.reason) == (State.DIAGNOSED, "no_cause_found")
    assert [gap.source for gap in found.gaps] == ["target"]
    assert "no_target" in found.gaps[0].why
    assert found.proposals == ()


def test_a_target_that_could_not_be_read_is_named(world: World) -> None:
    incident = world.opened(target=None)
    (alert,) = world.store.alerts()
    world.store.save_alerts("rule", [replace(alert, annotations={"opsbot_target": mask("Pod/x")})], world.now)
    (gap,) = world.walk(incident).gaps
    assert "no_target: opsbot_target 'Pod/x' names no object of the cluster" in gap.why


def test_of_a_target_in_another_cluster_nothing_is_read_here(world: World) -> None:
    world.home = "prod"
    world.cluster.set_logs("agents", "agents-*", BUSY * 3)
    found = world.walk(world.opened(replace(AGENTS, cluster="elsewhere")))
    assert (found.state, found.reason, found.findings) == (State.DIAGNOSED, "no_cause_found", ())
    assert world.store.evidence(found.id, found.round)[0] == ()
    (gap,) = found.gaps
    assert gap.source == "target"
    assert "the target is in cluster 'elsewhere', and this opsbot reads 'prod'" in gap.why


@pytest.mark.parametrize(
    ("theirs", "home"), [("prod", "prod"), ("elsewhere", ""), ("", "prod")], ids=["ours", "we are unnamed", "unsaid"]
)
def test_a_target_that_is_not_known_to_be_elsewhere_is_read(world: World, theirs: str, home: str) -> None:
    world.home = home
    world.cluster.set_logs("agents", "agents-*", BUSY * 3)
    found = world.walk(world.opened(replace(AGENTS, cluster=theirs)))
    assert (found.reason, found.gaps) == ("cause_found", ())


def test_a_blind_cluster_gives_gaps_and_the_alert_s_own_actions(world: World) -> None:
    world.cluster.fail_next(faults.error(503), times=999)
    found = world.walk(world.opened())
    assert found.state is State.DIAGNOSED
    assert {gap.source for gap in found.gaps} == {"pods", "rollouts", "events", "pod_logs"}
    assert [(made.playbook, made.origin) for made in found.proposals] == [("scale_up_agents", "alert")]
    assert found.says is not None
    assert "Not seen: pods, rollouts, events, pod_logs." in found.says


def test_evidence_that_was_stored_before_a_fall_is_not_gathered_twice(world: World) -> None:
    incident = world.opened()
    at = world.loaded(incident)
    world.store.add_evidence(
        at.id, at.round, (), (Gap("pods", mask("away")),), Note("diagnostic", "evidence"), world.now
    )
    world.cluster.requests.clear()
    assert world.agent.collect_evidence(at, world.now) is None
    assert list(world.cluster.requests) == []
    assert world.loaded(incident).collected_at == world.now
    assert world.store.evidence(at.id, at.round) == ((), (Gap("pods", mask("away")),))


def test_a_record_that_has_moved_on_is_left_alone(world: World) -> None:
    incident = world.opened()
    stale = world.loaded(incident)
    moved = advance(stale, "closed", world.now)
    world.store.save(moved, Note("Ana", "close"), world.now)
    assert world.agent.collect_evidence(stale, world.now) is None
    assert world.agent.match_rules(replace(stale, collected_at=world.now), world.now) is None
    assert world.loaded(incident).state is State.RESOLVED
    assert world.store.verify() == ()


@pytest.mark.parametrize("state", [state for state in State if state is not State.OPEN])
def test_an_incident_that_is_not_open_is_not_touched(world: World, state: State) -> None:
    at = replace(world.loaded(world.opened()), state=state)
    world.cluster.requests.clear()
    assert world.agent.collect_evidence(at, world.now) is None
    assert world.agent.match_rules(replace(at, collected_at=world.now), world.now) is None
    assert world.loaded(at).version == 1
    assert list(world.cluster.requests) == []


def test_doing_a_skill_twice_does_it_once(world: World) -> None:
    incident = world.opened()
    at = world.loaded(incident)
    world.agent.collect_evidence(at, world.now)
    world.agent.collect_evidence(at, world.now)
    world.agent.collect_evidence(world.loaded(incident), world.now)
    evidence, _ = world.store.evidence(incident.id, 1)
    assert len({item.id for item in evidence}) == len(evidence)
    assert world.loaded(incident).version == 2
    at = world.loaded(incident)
    world.agent.match_rules(at, world.now)
    world.agent.match_rules(at, world.now)
    assert world.loaded(incident).version == 3


def test_a_second_round_gathers_anew(world: World) -> None:
    found = world.walk(world.opened())
    again = advance(found, "again", world.now)
    world.store.save(again, Note("Ana", "diagnose_again"), world.now)
    world.cluster.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    world.cluster.set_logs("agents", "agents-*", BUSY * 3)
    second = world.walk(found)
    assert second.round == 2
    assert [finding.fault for finding in second.findings if finding.cause] == ["overload"]
    assert world.store.evidence(found.id, 1) != world.store.evidence(found.id, 2)


def test_the_age_of_lines_counts_from_when_they_were_read(world: World) -> None:
    world.cluster.set_logs("agents", "agents-*", BUSY * 3)
    incident = world.opened()
    world.agent.collect_evidence(world.loaded(incident), world.now)
    world.agent.match_rules(world.loaded(incident), world.now + timedelta(hours=5))
    assert [finding.fault for finding in world.loaded(incident).findings if finding.cause] == ["overload"]
