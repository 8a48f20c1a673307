"""How failed cases are told: what differs alone."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.cli import judged

A = {"labels": {"alertname": "A", "job": "a", "zone": "1"}, "annotations": {"x": "9", "y": "same"}}
B = {"labels": {"zone": "1", "job": "a", "alertname": "A"}, "annotations": {"y": "same", "x": "1"}}
C = {"labels": {"alertname": "A", "pod": "c"}, "annotations": {"n": "1"}}
M = {"labels": {"__name__": "m", "a": "b"}}
LONG = "word " * 30


def told(expected: Any, got: Any, **more: Any) -> list[str]:
    case = {"file": "t.yml", "name": "A at 1m", "passed": False, "expected": expected, "got": got, "line": 7, **more}
    return lines({"cases": [case]})


def lines(data: dict[str, Any]) -> list[str]:
    empty: dict[str, Any] = {"problems": [], "warnings": [], "prometheus": None, "passed": 0, "failed": 1}
    return [line.plain for line in judged.test(empty | data)]


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        ([A], [B], ['     {alertname="A", job="a", zone="1"} differs in', "       annotation x",
                    '         expected "9"', '         got      "1"']),
        ([A, C], [C, A, C], ["     2 as expected, and:", '     there, and not expected: {alertname="A", pod="c"}',
                             '       n: "1"']),
        ([C], [], ['     expected, and not there: {alertname="A", pod="c"}', '       n: "1"']),
        ([A], [C], ['     expected, and not there: {alertname="A", job="a", zone="1"}', '       x: "9"',
                    '       y: "same"', '     there, and not expected: {alertname="A", pod="c"}', '       n: "1"']),
        ([{**M, "value": 1.0}], [{**M, "value": 2.0}],
         ['     m{a="b"} differs in', "       value", "         expected 1.0", "         got      2.0"]),
        ([{"labels": {}, "value": "nan"}], [], ["     expected, and not there: {} nan"]),
        ([{**M, "value": "nan"}, M], [{**M, "value": "nan"}, M],
         ["     1 as expected, and:", '     m{a="b"} differs in', "       value", '         expected "nan"',
          '         got      "nan"', "         NaN equals nothing, not even NaN: ask for `x != bool x`"]),
        ([A], [{**A, "annotations": {"x": "9"}}],
         ['     {alertname="A", job="a", zone="1"} differs in', "       annotation y", '         expected "same"',
          "         got      nothing"]),
        ([{**A, "annotations": {"x": f"{LONG}one"}}], [{**A, "annotations": {"x": f"{LONG}two"}}],
         ['     {alertname="A", job="a", zone="1"} differs in', "       annotation x",
          '         expected … "rd word word word word word word one"',
          '         got      … "rd word word word word word word two"']),
        ("scale 4 -> 6", "refuses max", ["     expected scale 4 -> 6", "     got      refuses max"]),
    ],
    ids=[
        "annotation", "too many", "too few", "other alert", "value", "nan", "nan alike", "lacks one", "long",
        "a playbook",
    ],
)  # fmt: skip
def test_what_differs(expected: Any, got: Any, says: list[str]) -> None:
    assert told(expected, got) == ["FAIL t.yml:7: A at 1m", *says, "0 passed, 1 failed"]


def test_a_reason_that_cases_share_is_told_once() -> None:
    case = {"file": "t.yml", "name": "A", "passed": False, "expected": [], "got": "rule 'r' at 1m: no", "line": 1}
    others = [{**case, "name": "B", "line": 2}, {**case, "file": "u.yml"}, {**case, "passed": True}]
    assert lines({"cases": [case, *others]})[:-1] == [
        "FAIL t.yml:1: A", "FAIL t.yml:2: B", "     rule 'r' at 1m: no", "FAIL u.yml:1: A", "     rule 'r' at 1m: no",
    ]  # fmt: skip


def test_problems_warnings_and_the_version_are_told() -> None:
    one = {"file": "r.yml", "line": 2, "column": 3, "rule": "R", "message": "no PromQL", "hint": "mend it"}
    data = {"cases": [], "problems": [one], "warnings": [{**one, "line": 0, "rule": "", "hint": ""}],
            "prometheus": {"version": "3.1", "path": "/p"}}  # fmt: skip
    assert lines(data) == [
        "r.yml:2:3: R: no PromQL (mend it)", "r.yml: warning: no PromQL", "Prometheus 3.1 was asked (/p)",
        "0 passed, 1 failed",
    ]  # fmt: skip


def test_nothing_in_them_is_obeyed_by_the_terminal() -> None:
    assert "\x1b" not in "".join(told([A], [{**A, "annotations": {"x": "\x1b[31m"}}]))
