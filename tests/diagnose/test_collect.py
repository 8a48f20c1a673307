"""The frame around sources: side by side, each within its deadline, whatever they stumble on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from opsbot.core.errors import Blind
from opsbot.core.evidence import Evidence, Gap, MaskedText
from opsbot.core.ports import ClusterReader, Listing, Log, Object
from opsbot.core.target import Target
from opsbot.diagnose.collect import collect
from opsbot.diagnose.sources import Source
from opsbot.diagnose.sources.objects import evidence, flatten, lines_of, pick
from opsbot.diagnose.sources.once import Once
from opsbot.mask import mask
from tests.diagnose.diagnosis_world import AGENTS, NOW

Sights = Callable[[Target], Iterator[Evidence | Gap]]


@dataclass(frozen=True)
class Made:
    """A source of a test's own."""

    NAME: str
    sights: Sights
    DEADLINE: float = 5.0
    BYTE_CAP: int = 1_000
    VERBS: tuple[tuple[str, str], ...] = ()

    def collect(self, cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
        return self.sights(target)


class Reader:
    """A cluster that answers with what was asked, and counts."""

    def __init__(self, fails: bool = False) -> None:
        self.asked: list[Any] = []
        self.fails = fails

    def get(self, kind: str, namespace: str, name: str, timeout: float = 10.0) -> Object | None:
        self.asked.append((kind, namespace, name))
        if self.fails:
            raise Blind("the server is away")
        return {"kind": kind, "metadata": {"name": name}}

    def list(
        self, kind: str, namespace: str = "", labels: str = "", fields: str = "", limit: int = 500, timeout: float = 10
    ) -> Listing:
        self.asked.append((kind, namespace, labels, fields, limit))
        return Listing(({"kind": kind},))

    def logs(self, namespace: str, pod: str, container: str, **_wanted: Any) -> Log | None:
        self.asked.append((namespace, pod, container))
        return Log(b"words", truncated=False)

    def may(self, verb: str, kind: str, namespace: str = "", subresource: str = "", timeout: float = 10.0) -> bool:
        return True

    def version(self, timeout: float = 10.0) -> str:
        return "v1.36.3"


def piece(words: str) -> Evidence:
    return Evidence("", "made", AGENTS, NOW, mask(words), mask("a test"))


def look(*sources: Source) -> tuple[list[str], list[tuple[str, str]]]:
    picture = collect(Reader(), AGENTS, NOW, sources)
    assert picture.taken_at == NOW
    return [f"{item.id} {item.text}" for item in picture.evidence], [(gap.source, gap.why) for gap in picture.gaps]


def good(_target: Target) -> Iterator[Evidence | Gap]:
    yield piece("one")
    yield Gap("good", mask("a part is missing"))
    yield piece("two")


def raising(error: BaseException) -> Sights:
    def sights(_target: Target) -> Iterator[Evidence | Gap]:
        yield piece("before")
        raise error

    return sights


def test_evidence_is_numbered_in_the_order_of_the_sources() -> None:
    again = Made("again", lambda _target: iter([piece("three")]))
    assert look(Made("good", good), again) == (["e1 one", "e2 two", "e3 three"], [("good", "a part is missing")])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Blind("403 forbidden: password=Tr0ub4dor-and-3"), "403 forbidden: password="),
        (KeyError("metadata"), "'metadata'"),
        (RuntimeError(), "RuntimeError"),
        (RecursionError("deep"), "deep"),
        (ValueError("x" * 5_000), "x" * 299 + "…"),
    ],
    ids=["blind", "a bug", "no words", "depth", "long words"],
)
def test_what_a_source_stumbles_on_becomes_a_masked_gap(error: Exception, why: str) -> None:
    texts, gaps = look(Made("bad", raising(error)), Made("good", good))
    assert texts == ["e1 before", "e2 one", "e3 two"]
    ((source, said),) = [gap for gap in gaps if gap[0] == "bad"]
    assert source == "bad"
    assert said.startswith(why)
    assert "Tr0ub4dor" not in said
    assert isinstance(said, MaskedText)


def test_a_source_that_hangs_is_left_behind_with_what_it_brought() -> None:
    released = threading.Event()

    def hanging(_target: Target) -> Iterator[Evidence | Gap]:
        yield piece("early")
        released.wait(30)
        yield piece("late")

    try:
        texts, gaps = look(Made("slow", hanging, DEADLINE=0.05), Made("good", good))
    finally:
        released.set()
    assert texts == ["e1 early", "e2 one", "e3 two"]
    assert ("slow", "no answer within 0.05 s") in gaps


def test_sources_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def meet(_target: Target) -> Iterator[Evidence | Gap]:
        meeting.wait()
        yield piece("met")

    texts, gaps = look(*(Made(f"s{n}", meet, DEADLINE=20) for n in range(3)))
    assert (texts, gaps) == (["e1 met", "e2 met", "e3 met"], [])


def test_the_same_gap_is_told_once() -> None:
    twice = Made("x", lambda _target: iter([Gap("x", mask("away")), Gap("x", mask("away"))]))
    assert look(twice)[1] == [("x", "away")]


# a reader that asks once ---------------------------------------------------------------------------------------------


def test_a_question_is_asked_once_by_however_many() -> None:
    reader = Reader()
    once = Once(reader)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(once.get("Pod", "a", "b"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert reader.asked == [("Pod", "a", "b")]
    assert once.list("Pod", "a", "app=x") is once.list("Pod", "a", "app=x", timeout=1)
    once.list("Pod", "a", "app=y")
    assert once.logs("a", "b", "c") == once.logs("a", "b", "c") == Log(b"words", truncated=False)
    assert len(reader.asked) == 5
    assert (once.may("get", "Pod"), once.version()) == (True, "v1.36.3")


def test_a_failure_is_told_to_all_and_not_tried_again() -> None:
    reader = Reader(fails=True)
    once = Once(reader)
    for _ in range(3):
        with pytest.raises(Blind, match="the server is away"):
            once.get("Pod", "a", "b")
    assert len(reader.asked) == 1


# objects as evidence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"a": {"b": 1}}, ["a.b: 1"]),
        ({"a": [{"name": "x", "v": True}]}, ["a[x].v: true"]),
        ({"a": [{"type": "Ready", "status": "False"}]}, ["a[Ready].status: False"]),
        ({"a": [{"name": "x"}]}, ["a[x].name: x"]),
        ({"a": [1, "two"]}, ["a[0]: 1", "a[1]: two"]),
        ({"a": "one\ntwo\r\nthree\n"}, [r"a: one\ntwo\nthree"]),
        ({"a": None, "b": "", "c": [], "d": {}, "e": 0, "f": False}, ["e: 0", "f: false"]),
        ({"a": [[{"b": 2}]]}, ["a[0][0].b: 2"]),
    ],
    ids=["nested", "by name", "by type", "only a name", "by place", "one line each", "what is empty", "lists of lists"],
)
def test_values_become_lines(value: Any, lines: list[str]) -> None:
    assert [f"{path}: {text}" for path, text in flatten(value)] == lines


def test_an_object_is_cut_to_what_is_asked() -> None:
    shape = {"a": True, "b": {"c": True}, "d": {"e": True}}
    assert pick({"a": [1], "b": [{"c": 2, "x": 3}, "odd"], "d": "odd", "y": 1}, shape) == {
        "a": [1], "b": [{"c": 2}, None], "d": None,
    }  # fmt: skip


def test_objects_and_text_are_cut_together() -> None:
    things = [{"kind": "Pod", "metadata": {"name": f"p{n}"}, "status": {"message": "x" * 80}} for n in range(10)]
    size = len(f"{lines_of(things[0])[0]}\n")
    made = evidence("pods", AGENTS, NOW, "test", things, cap=3 * size + 10)
    assert made.truncated
    assert len(made.objects) == len(made.text.lines()) == 3
    whole = evidence("pods", AGENTS, NOW, "test", things, cap=10_000)
    assert not whole.truncated
    assert len(whole.objects) == 10


def test_one_object_that_is_too_large_is_cut_in_the_middle() -> None:
    thing = {"kind": "Pod", "metadata": {"name": "p"}, "status": {f"k{n}": "x" * 80 for n in range(100)}}
    made = evidence("pods", AGENTS, NOW, "test", [thing], cap=1_000)
    assert made.truncated
    assert len(made.objects) == 1
    assert 0 < len(made.text.encode()) <= 1_000
