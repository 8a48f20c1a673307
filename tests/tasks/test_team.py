"""Which task a free slot takes: own work first, lent slots, fifo and weights, and nobody waits for ever."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.config.values import ROLES, Queue
from opsbot.core.task import Role, Skill, Task
from opsbot.tasks.team import Pick, Slots, check_team, first, pick

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FIFO, WEIGHTED = Queue(order="fifo"), Queue()
COLLECT, MATCH, PLAN, RUN, REPORT = (
    Skill.COLLECT_EVIDENCE, Skill.MATCH_RULES, Skill.PLAN, Skill.RUN_PLAYBOOK, Skill.REPORT,
)  # fmt: skip
DIAGNOSTIC = Role("diagnostic", (COLLECT, MATCH), 4, lends=(REPORT,))
REMEDIATION = Role("remediation", (PLAN, RUN), 2)
REPORTER = Role("reporter", (REPORT,), 2, lends=(COLLECT, MATCH))


def _task(incident: int, skill: Skill, severity: str = "warning", waited: float = 0) -> Task:
    return Task(incident, skill, severity, NOW - timedelta(minutes=waited))


def _free(diagnostic: int = 0, remediation: int = 0, reporter: int = 0) -> list[Slots]:
    return [Slots(DIAGNOSTIC, diagnostic), Slots(REMEDIATION, remediation), Slots(REPORTER, reporter)]


@pytest.mark.parametrize(
    ("waiting", "slots", "queue", "want"),
    [
        ([], _free(4, 2, 2), WEIGHTED, None),
        ([(1, COLLECT)], [], WEIGHTED, None),
        ([(1, COLLECT)], _free(0, 2, 0), WEIGHTED, None),
        ([(1, RUN)], _free(4, 0, 2), WEIGHTED, None),
        ([(1, COLLECT)], _free(1), WEIGHTED, (1, COLLECT, "diagnostic", False)),
        ([(1, PLAN), (2, COLLECT)], _free(1), WEIGHTED, (2, COLLECT, "diagnostic", False)),
        ([(1, REPORT), (2, COLLECT)], _free(1), WEIGHTED, (2, COLLECT, "diagnostic", False)),
        ([(1, REPORT, "critical", 99), (2, COLLECT, "info")], _free(1), WEIGHTED, (2, COLLECT, "diagnostic", False)),
        ([(1, REPORT)], _free(1), WEIGHTED, (1, REPORT, "diagnostic", True)),
        ([(1, REPORT)], _free(1, 0, 1), WEIGHTED, (1, REPORT, "reporter", False)),
        ([(1, COLLECT), (2, MATCH), (3, MATCH)], _free(0, 0, 1), WEIGHTED, (2, MATCH, "reporter", True)),
        ([(1, COLLECT, "critical", 60), (2, MATCH), (3, MATCH)], _free(0, 0, 1), FIFO, (2, MATCH, "reporter", True)),
        ([(1, MATCH), (2, COLLECT)], _free(0, 0, 1), FIFO, (2, COLLECT, "reporter", True)),
        ([(1, COLLECT, "info", 5), (2, MATCH, "critical", 1)], _free(1), FIFO, (1, COLLECT, "diagnostic", False)),
        ([(1, COLLECT, "info", 5), (2, MATCH, "critical", 1)], _free(1), WEIGHTED, (2, MATCH, "diagnostic", False)),
        ([(1, COLLECT, "info", 11), (2, MATCH, "critical", 1)], _free(1), WEIGHTED, (1, COLLECT, "diagnostic", False)),
        ([(1, COLLECT, "strange", 1), (2, COLLECT, "info", 2)], _free(1), WEIGHTED, (1, COLLECT, "diagnostic", False)),
        ([(9, COLLECT), (8, COLLECT)], _free(1), WEIGHTED, (8, COLLECT, "diagnostic", False)),
    ],
    ids=[
        "nothing waits", "no slots", "only slots of others", "never lent", "own", "own, not the other role's",
        "own before lent", "own before heavier lent", "lent when idle", "the owner before the lender",
        "lent to the longest queue", "lent to the longest queue, however old the other", "queues as long: by name",
        "fifo", "heavier first", "but not before what has waited long enough", "unknown severity as warning",
        "the same in all: lower number first",
    ],
)  # fmt: skip
def test_what_a_free_slot_takes(
    waiting: list[tuple[int, Skill]], slots: list[Slots], queue: Queue, want: tuple[int, Skill, str, bool] | None
) -> None:
    got = pick([_task(*each) for each in waiting], slots, queue)
    assert (got and (got.task.incident, got.task.skill, got.role.name, got.lent)) == want


def test_the_order_of_waiting_does_not_matter() -> None:
    chance = random.Random(7)
    tasks = [_task(n, chance.choice([COLLECT, MATCH]), chance.choice(["critical", "info"]), n % 5) for n in range(30)]
    got = set()
    for _ in range(10):
        chance.shuffle(tasks)
        got.add(pick(tasks, _free(1), WEIGHTED))
    assert len(got) == 1


def test_a_slot_that_was_lent_comes_back_when_own_work_has_come() -> None:
    reports = [_task(n, REPORT, "critical", 60) for n in range(20)]
    lent = pick(reports, _free(1), WEIGHTED)
    assert lent is not None
    assert lent.lent
    back = pick([*reports, _task(99, COLLECT, "info")], _free(1), WEIGHTED)
    assert back == Pick(_task(99, COLLECT, "info"), DIAGNOSTIC, lent=False)


@pytest.mark.parametrize("arriving", [1, 3], ids=["as fast as served", "three times as fast"])
def test_a_light_task_is_served_however_many_heavy_ones_arrive(arriving: int) -> None:
    light = Task(0, COLLECT, "info", NOW)
    tasks = [light]
    for minute in range(60):
        now = NOW + timedelta(minutes=minute)
        tasks += [Task(1 + minute * arriving + n, COLLECT, "critical", now) for n in range(arriving)]
        taken = first(tasks, WEIGHTED)
        if taken == light:
            assert 9 <= minute <= 30
            return
        tasks.remove(taken)
    pytest.fail("it was never served")


def test_weights_of_a_users_own_and_tasks_without_a_time() -> None:
    queue = Queue(weights={"page": 1000, "critical": 1})
    assert first([_task(1, PLAN, "critical", 500), _task(2, PLAN, "page")], queue).incident == 2
    huge = Queue(weights={"warning": 10**9})
    assert first([_task(2, PLAN, "warning"), Task(1, PLAN)], huge).incident == 1


@pytest.mark.parametrize(
    ("roles", "needed", "want"),
    [
        (ROLES, set(Skill), []),
        ((REMEDIATION,), {PLAN}, []),
        ((REMEDIATION,), {PLAN, REPORT, COLLECT}, [("skill_without_role", ""), ("skill_without_role", "")]),
        ((REMEDIATION, REMEDIATION), {PLAN}, [("duplicate_role", "remediation")]),
        ((Role("lazy", (PLAN,), 0),), {PLAN}, [("no_slots", "lazy")]),
        ((Role("lent only", (), 1, (REPORT,)),), {REPORT}, [("no_skills", "lent only"), ("skill_without_role", "")]),
        ((), set(), []),
    ],
    ids=["the default team", "enough", "skills nobody has", "a role twice", "no slots", "no skill", "nobody"],
)
def test_problems_of_a_team_have_names(
    roles: tuple[Role, ...], needed: set[Skill], want: list[tuple[str, str]]
) -> None:
    found = check_team(roles, needed)
    assert [(problem.reason, problem.role) for problem in found] == want
    assert all(problem.says for problem in found)
