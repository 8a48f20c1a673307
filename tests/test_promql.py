"""What can be said of a condition without a server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from opsbot import promql


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "no expression"),
        ("up{", "unexpected end"),
        ("sum(up", "unclosed left parenthesis"),
        ("foo(1)", "unknown function"),
        ("rate(up)", "expected type matrix"),
        ('up > "x"', "scalar and instant vector"),
        ('"x"', "gives a text"),
        ('("x")', "gives a text"),
        ("up[5m]", "range of time"),
        ("(up[5m])", "range of time"),
        ("rate(up[5m])[1h:1m]", "range of time"),
        ("x" * 10_001, "longer than"),
        ("1+" * 400 + "1", "more than 300 operators"),
        ("(" * 400 + "1" + ")" * 400, "more than 300 operators"),
        ("up and " * 400 + "up", "more than 300 operators"),
        ("sum(" * 4000 + "up" + ")" * 4000, "longer than"),
    ],
    ids=[
        "empty", "open brace", "open bracket", "function", "type", "text compared", "text", "text in brackets", "range",
        "range in brackets", "subquery", "long", "many operators", "deep", "many words", "very deep",
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_watched(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        promql.condition(expression)


@pytest.mark.parametrize(
    "expression",
    ["up == 0", "1", "vector(1)", "absent(up)", "-up", "a and b", 'x{p="' + "+-*/" * 500 + '"} > 1', "x =~ 1"[:1]],
)
def test_a_condition_that_can(expression: str) -> None:
    promql.condition(expression)


def test_the_largest_expression_allowed_does_not_end_the_process() -> None:
    """The parser has no bound of its own: a deep tree overflows its stack, and the process dies without a word."""
    most = promql.MOST_OPERATORS
    worst = ["1+" * most + "1", "(" * most + "1" + ")" * most, "-(" * (most // 2) + "up" + ")" * (most // 2)]
    worst += ["sum(" * most + "up" + ")" * most, "up or " * most + "up", "1^" * most + "1"]
    code = (
        "import sys\nfrom opsbot import promql\nfor e in sys.argv[1:]: promql.has_comparison(e), promql.kept_labels(e)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *worst], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("expression", "there"),
    [
        ("up", False),
        ("up > 0", True),
        ("(((up))) != 1", True),
        ("up > bool 0", False),
        ("sum(rate(x[5m])) by (job)", False),
        ("count(up == 0)", True),
        ("(a > 5) * 2", True),
        ("a and b", False),
        ("a and b > 1", True),
        ("absent(up)", True),
        ('absent_over_time(up{job="a"}[5m])', True),
        ("-up", False),
        ("1 > bool 0", False),
        ("clamp(a == 1, 0, 1)", True),
    ],
)
def test_has_comparison(expression: str, there: bool) -> None:
    assert promql.has_comparison(expression) is there


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("up", None),
        ("up == 0", None),
        ("rate(x[5m]) > 1", None),
        ("avg(x) > 5", set()),
        ("sum by (a, b) (rate(x[5m])) > 1", {"a", "b"}),
        ("sum without (a) (x)", None),
        ("sum without (a) (sum by (a, b) (x))", {"b"}),
        ("topk(3, sum by (a) (x))", {"a"}),
        ("topk(3, x)", None),
        ('count_values("v", x)', {"v"}),
        ('count_values by (job) ("v", x)', {"v", "job"}),
        ("quantile(0.9, x)", set()),
        ("histogram_quantile(0.9, sum by (le, a) (x))", {"le", "a"}),
        ('label_replace(sum by (a) (x), "z", "$1", "a", "(.*)")', {"a", "z"}),
        ('label_join(x, "z", "-", "a")', None),
        ("5 < sum by (a) (x)", {"a"}),
        ("time() - max(x) > 5", set()),
        ("1 > bool 2", set()),
        ("vector(1)", set()),
        ("a * b", None),
        ("a / sum by (x) (b)", {"x"}),
        ("sum by (x) (a) / b", {"x"}),
        ("a * on (x) b", {"x"}),
        ("sum by (x, y) (a) / ignoring (y) b", {"x"}),
        ("sum by (a) (x) * on (a) group_left (y) b", {"a", "y"}),
        ("b * on (a) group_right (y) sum by (a, c) (x)", {"a", "c", "y"}),
        ("a * on (x) group_left () b", None),
        ("sum by (a) (x) and on () b", {"a"}),
        ("sum by (a) (x) unless b", {"a"}),
        ("sum by (a) (x) or sum by (b) (y)", {"a", "b"}),
        ("sum by (a) (x) or y", None),
        ('absent(up{job="a", x=~"b", y!="c"})', {"job"}),
        ('absent(up{job="a", job=~"b"})', set()),
        ("absent(sum(x))", set()),
        ('absent_over_time(up{job="a"}[5m])', {"job"}),
        ("-sum(x)", set()),
        ("max_over_time(sum by (a) (x)[1h:])", {"a"}),
    ],
)
def test_kept_labels(expression: str, kept: set[str] | None) -> None:
    assert promql.kept_labels(expression) == kept
