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


@pytest.mark.parametrize(
    ("expression", "caret"),
    [
        ("rate(a[5m] > 1", "    ^"), ("a ) b", "  ^"), ("a{b=~'('}", "      ^"), ("x[5q]", "  ^"),
        ("sum(foo(a)) > 1", "    ^"), ("'foo(' == foo(a)", "          ^"), ("a > 1 and increase(x) > 2", "          ^"),
        ("holt_winters(x)", "^"),
    ],
)  # fmt: skip
def test_a_caret_shows_where(expression: str, caret: str) -> None:
    with pytest.raises(promql.PromqlError) as raised:
        promql.parse(expression)
    assert promql.excerpt(expression, raised.value.at) == f"{expression}\n{caret}"


def test_the_excerpt_is_one_line_of_many() -> None:
    assert promql.excerpt("a\n  > rate(b)\n> 1", 6) == "  > rate(b)\n    ^"
    assert promql.excerpt("a" * 500, 400) == "a" * 120 + "\n" + " " * 80 + "^"
    assert promql.excerpt("a", None) == ""


@pytest.mark.parametrize(
    ("line", "column", "want"),
    [(1, 1, 0), (2, 3, 5), (2, 99, 7), (3, 1, None)],
    ids=["first", "bytes", "beyond the end", "no line"],
)
def test_a_place_that_prometheus_names(line: int, column: int, want: int | None) -> None:
    assert promql.offset("abc\näöü", line, column) == want


@pytest.mark.parametrize(
    "expression",
    [
        "holt_winters(x[5m], 0.1, 0.1) > 1",
        'x{a=~`\\d+"\\.`} > 1',
        "holt_winters(x{a=~`\\w`}[5m], 0.1, 0.1) > 1 # `(",
        "x > 1_000.5 and x < 0x1_F",
        "x > 01e3",
        'x{a="1e999"} > 1_0 # 1e999',
    ],
    ids=["an older name", "a raw text", "both", "underscores", "a leading zero", "numbers in texts"],
)
def test_what_prometheus_takes_and_the_parser_would_not(expression: str) -> None:
    promql.parse(expression)


def test_what_the_parser_takes_and_prometheus_would_not() -> None:
    with pytest.raises(promql.PromqlError, match="`or` between labels"):
        promql.parse('x{a="b" or c="d"} > 1')


@pytest.mark.parametrize(
    ("expression", "names", "others"),
    [
        ("a > on() b", {"a", "b"}, False), ('{__name__="a"}', {"a"}, False), ('{__name__=~"a|b"}', set(), True),
        ("rate(c[5m])", {"c"}, False), ("max_over_time(rate(c[5m])[1h:])", {"c"}, False), ("1", set(), False),
        ("absent(a)", {"a"}, False), ('{job="x"}', set(), True),
    ],
)  # fmt: skip
def test_metrics(expression: str, names: set[str], others: bool) -> None:
    found, more = promql.metrics(expression)
    assert (set(found), more) == (names, others)


@pytest.mark.parametrize(
    ("expression", "alone"),
    [
        ("a > 1", False), ("sum(a)", False), ("absent(a)", True), ("a or vector(0)", True), ("vector(1) and a", True),
        ("a and absent(b)", False), ("time() - a", False), ("scalar(a)", True), ("5", True), ("a unless b", False),
        ("-rate(a[5m])", False), ("hour()", True), ("count(a or b)", False),
    ],
)  # fmt: skip
def test_whether_it_may_give_something_where_no_metric_has_series(expression: str, alone: bool) -> None:
    assert promql.never_alone(expression) is not alone


@pytest.mark.parametrize(
    ("expression", "ahead"),
    [("a", False), ("a offset 5m", False), ("a offset -5m", True), ("a @ 5", True), ("rate(a[5m] offset -1m)", True),
     ("max_over_time(a[5m:1m] @ end())", True)],
)  # fmt: skip
def test_whether_it_looks_ahead(expression: str, ahead: bool) -> None:
    assert promql.looks_ahead(expression) is ahead


@pytest.mark.parametrize(
    ("expression", "says", "at"),
    [
        ("up == ", "ends too early: something must follow", 5),
        ("up == bool", "ends too early: something must follow", 10),
        ("x unless on", "ends too early: something must follow", 11),
        ("sum(x) foo > 3", "'foo' does not fit here", 7),
        ("rate(x[5m]) > > 3", "'>' does not fit here", 12),
        ('x{a="b c"} d', "'d' does not fit here", 11),
        ("+", "is no PromQL", None),
    ],
    ids=["operator", "bool", "matching", "word", "operator twice", "after a text", "nothing that fits"],
)
def test_a_word_that_does_not_fit_is_named_with_its_place(expression: str, says: str, at: int | None) -> None:
    with pytest.raises(promql.PromqlError) as raised:
        promql.parse(expression)
    assert (str(raised.value), raised.value.at) == (says, at)
