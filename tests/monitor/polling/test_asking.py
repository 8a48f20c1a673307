"""Rules asked together: few questions while all is well, one by one where it is not, and never longer than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import AlertRule, Answer
from opsbot.core.errors import Blind, OpsbotError, PermanentError
from opsbot.monitor.polling.asking import APART, MOST_AT_ONCE, MOST_TOGETHER, Asking, Round, is_slow
from opsbot.monitor.polling.row import MANY
from opsbot.testing.prometheus import FakeMetrics
from tests.monitor.monitor_world import START


class Server(FakeMetrics):
    """A Prometheus with a clock of its own: each question takes what its rules take, and may be refused as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.takes: dict[str, float] = {}
        self.refuses: Callable[[str], OpsbotError | None] = lambda _expression: None
        self.timeouts: list[float] = []
        self.most_at_once = 0
        self._inside = 0
        self._lock = threading.Lock()

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
            self.timeouts.append(timeout)
            self.now += sum(seconds for text, seconds in self.takes.items() if text in expression)
        try:
            if (error := self.refuses(expression)) is not None:
                self.asked.append((expression, at))
                raise error
            return super().query(expression, at, timeout)
        finally:
            with self._lock:
                self._inside -= 1

    def questions(self) -> list[str]:
        """What was asked since the last time."""
        asked, self.asked = [expression for expression, _ in self.asked], []
        return asked


def rules(count: int, every: float = 30.0) -> list[AlertRule]:
    return [AlertRule(f"r{at}", f"m{at} > 0", "warning", every=timedelta(seconds=every)) for at in range(count)]


@pytest.fixture
def server() -> Server:
    return Server()


def asking(server: Server, watched: Sequence[AlertRule]) -> tuple[Asking, Callable[[], Round]]:
    for at, rule in enumerate(watched):
        server.says(rule.condition, *([({"pod": rule.name}, 1.0)] if at % 3 == 0 else []))
    made = Asking(server, lambda: server.now)
    return made, lambda: made.ask(watched, START, 10.0)


def right(found: Round, watched: Sequence[AlertRule], *but: AlertRule) -> None:
    """Every rule but these has the answer that is its own."""
    for at, rule in enumerate(watched):
        answer = found.outcomes[rule.id]
        if rule in but:
            assert not isinstance(answer, Answer)
        else:
            assert isinstance(answer, Answer), answer
            assert [s.labels for s in answer.samples] == ([{"pod": rule.name}] if at % 3 == 0 else [])
            assert answer.asked_at == START


@pytest.mark.parametrize(
    ("count", "questions"), [(1, 1), (2, 1), (4, 1), (5, 2), (100, 2), (250, 2), (251, 3), (500, 4)]
)
def test_few_questions_while_all_is_well(server: Server, count: int, questions: int) -> None:
    watched = rules(count)
    _, ask = asking(server, watched)
    found = ask()
    right(found, watched)
    assert len(server.questions()) == found.questions == questions
    assert server.most_at_once <= MOST_AT_ONCE


def test_a_rule_alone_is_asked_in_its_own_words(server: Server) -> None:
    watched = rules(1)
    _, ask = asking(server, watched)
    ask()
    assert server.questions() == ["m0 > 0"]


FAILURES = {
    "refused": PermanentError("Prometheus refuses the expression: 1:1: parse error"),
    "warned": Blind("Prometheus warns that its answer may not be whole: store-2"),
    "partial": Blind("Prometheus says that its answer is partial"),
    "too much": Blind("Prometheus answered HTTP 422: execution: query processing would load too many samples"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_rule_that_fails_hides_no_other_and_is_asked_alone_for_a_while(server: Server, failure: OpsbotError) -> None:
    watched = rules(20)
    _, ask = asking(server, watched)
    server.fails("m7 > 0", failure)
    found = ask()
    right(found, watched, watched[7])
    assert found.outcomes[watched[7].id] is failure
    server.questions()
    right(ask(), watched, watched[7])
    assert len(server.questions()) == 3
    server.says("m7 > 0")
    right(ask(), watched)
    assert server.questions().count("m7 > 0") == 1
    server.now += APART + 1
    right(ask(), watched)
    assert len(server.questions()) == 2


def test_several_rules_that_fail(server: Server) -> None:
    watched = rules(40)
    _, ask = asking(server, watched)
    bad = watched[3:17]
    for rule in bad:
        server.fails(rule.condition, Blind("no"))
    right(ask(), watched, *bad)
    right(ask(), watched, *bad)


WARNED = "Prometheus warns that its answer may not be whole: store-{} is down"


def half_there(text: str) -> OpsbotError | None:
    """A server that has no trouble with numbers, and gives a warning with all that it reads."""
    return None if text == "vector(1)" else Blind(WARNED.format(len(text)))


@pytest.mark.parametrize("count", [2, 4, 30, 302])
def test_a_server_that_is_half_there_is_asked_as_before_once_it_is_whole(server: Server, count: int) -> None:
    watched = rules(count, every=2.0)
    _, ask = asking(server, watched)
    few = ask().questions
    for at in range(4):
        server.refuses = half_there
        server.questions()
        found = ask()
        assert all(str(got).startswith("Prometheus warns") for got in found.outcomes.values()), at
        assert len(found.outcomes) == count
        assert len(server.questions()) <= 1 + 4 * (1 + MANY + MOST_AT_ONCE)
        server.now += 2
    server.refuses = lambda _expression: None
    right(ask(), watched)
    right(ask(), watched)
    server.questions()
    right(ask(), watched)
    assert len(server.questions()) == few


def test_rules_that_a_half_there_server_can_answer_are_soon_found_and_stay_in_sight(server: Server) -> None:
    watched = rules(120)
    _, ask = asking(server, watched)
    bad = [rule for at, rule in enumerate(watched) if at % 10]
    for rule in bad:
        server.fails(rule.condition, Blind(WARNED.format(rule.name)))
    for _ in range(2 * len(watched) // MANY):  # at the worst; each poll begins with others
        ask()
    server.questions()
    right(ask(), watched, *bad)
    assert len(server.questions()) <= 4 + MANY + MOST_AT_ONCE
    for rule in bad:
        server.says(rule.condition)
    ask()
    server.questions()
    assert all(isinstance(got, Answer) for got in ask().outcomes.values())
    assert len(server.questions()) == 2


def test_a_half_there_server_does_not_hide_a_rule_that_is_wrong(server: Server) -> None:
    watched = rules(20)
    _, ask = asking(server, watched)
    server.fails("m7 > 0", PermanentError("1:1: parse error"))
    right(ask(), watched, watched[7])
    server.refuses = half_there
    ask()
    server.refuses = lambda _expression: None
    right(ask(), watched, watched[7])
    server.questions()
    right(ask(), watched, watched[7])
    assert len(server.questions()) == 3


def test_refusals_that_are_alike_are_each_asked_for(server: Server) -> None:
    """The place in it is that of its own condition."""
    watched = rules(30)
    _, ask = asking(server, watched)
    for at, rule in enumerate(watched):
        server.fails(rule.condition, PermanentError(f"1:{at}: parse error"))
    for _ in range(2):
        found = ask()
        assert [str(found.outcomes[rule.id]) for rule in watched] == [f"1:{at}: parse error" for at in range(30)]


def test_a_condition_that_cannot_stand_among_others_is_asked_alone(server: Server) -> None:
    watched = [*rules(8), AlertRule("odd", "m0) or (m1", "warning")]
    _, ask = asking(server, watched)
    server.fails("m0) or (m1", PermanentError("bad"))
    right(ask(), watched, watched[8])
    assert len(server.questions()) == 3


def test_where_nobody_answers_rules_are_not_asked_one_by_one(server: Server) -> None:
    watched = rules(100)
    _, ask = asking(server, watched)
    server.refuses = lambda _expression: Blind("Prometheus refuses the connection")
    found = ask()
    assert {str(answer) for answer in found.outcomes.values()} == {"Prometheus refuses the connection"}
    assert len(found.outcomes) == 100
    assert len(server.questions()) == 3
    server.refuses = lambda _expression: None
    right(ask(), watched)
    assert len(server.questions()) == 2


def test_an_answer_that_cannot_be_taken_apart_is_no_answer(server: Server) -> None:
    """A far side that drops the label, or makes up one, confuses nobody."""
    watched = rules(6)

    class Dropping(Server):
        def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
            found = super().query(expression, at, timeout)
            plain = [type(s)({k: v for k, v in s.labels.items() if k != "opsbot_rule"}, s.value, s.at)
                     for s in found.samples]  # fmt: skip
            return Answer(tuple(plain), found.asked_at)

    dropping = Dropping()
    _, ask = asking(dropping, watched)
    right(ask(), watched)
    assert sum(question.startswith("m") for question in dropping.questions()) == 6


def test_too_much_at_once_is_asked_in_smaller_questions_for_a_while(server: Server) -> None:
    watched = rules(100)
    _, ask = asking(server, watched)
    server.refuses = lambda expression: Blind("too large") if expression.count("label_replace") > 20 else None
    sizes = []
    for _ in range(4):
        right(ask(), watched)
        sizes.append(max(question.count("label_replace") for question in server.questions()))
    assert sizes == [50, 25, 12, 12]
    server.now += APART + 1
    server.refuses = lambda _expression: None
    right(ask(), watched)
    assert len(server.questions()) == 2
    assert MOST_TOGETHER > 50


def test_the_time_is_kept_whatever_hangs(server: Server) -> None:
    """Half of it goes to questions for many; what is left goes to single ones; then the rest is blind, and told so."""
    watched = rules(30)
    _, ask = asking(server, watched)
    server.takes = {"m4 > 0": 4.0, "m5 > 0": 4.0}
    server.refuses = lambda text: Blind("no whole answer within 4s") if "m4 > 0" in text or "m5 > 0" in text else None
    found = ask()
    assert max(server.timeouts) <= 10.0
    assert server.timeouts[0] == 5.0
    assert set(found.outcomes) == {rule.id for rule in watched}
    late = [answer for answer in found.outcomes.values() if str(answer) == "there was no time left to ask"]
    assert len(late) < 30
    server.now += 10
    for _ in range(3):  # the guilty ones are known after a poll or two, and the others are answered
        found = ask()
        server.now += 10
    right(found, watched, watched[4], watched[5])


def test_a_slow_rule_is_found_by_asking_each_alone_once(server: Server) -> None:
    watched = rules(20)
    _, ask = asking(server, watched)
    server.takes = {"m9 > 0": 6.0}
    assert ask().alone == {}
    server.questions()
    server.now += 30
    timed = ask()
    right(timed, watched)
    assert len(timed.alone) >= 10
    slow = [rule.name for rule in watched if is_slow(timed.alone.get(rule.id, 0.0), rule.every)]
    assert "r9" in slow
    server.questions()
    server.now += 30
    right(ask(), watched)
    assert server.questions().count("m9 > 0") == 1


@pytest.mark.parametrize(
    ("seconds", "every", "slow"),
    [(5.0, 60, False), (5.1, 60, True), (5.1, 3600, True), (3.75, 15, False), (3.8, 15, True), (0.3, 1, True)],
)
def test_slow(seconds: float, every: float, slow: bool) -> None:
    assert is_slow(seconds, timedelta(seconds=every)) is slow


def test_what_is_known_of_rules_that_are_gone_is_forgotten(server: Server) -> None:
    watched = rules(6)
    made, ask = asking(server, watched)
    server.fails("m2 > 0", Blind("no"))
    ask()
    server.says("m2 > 0")
    server.questions()
    made.forget([])
    right(ask(), watched)
    assert len(server.questions()) == 2
