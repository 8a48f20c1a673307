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
        ("x" * 60_001, "longer than 60,000"),
        ("1+" * 1_400 + "1", "more than 1,000 operators"),
        ("(" * 1_400 + "1" + ")" * 1_400, "more than 1,000 operators"),
        ("up and " * 1_400 + "up", "more than 1,000 operators"),
        ("sum(" * 14_000 + "up" + ")" * 14_000, "longer than"),
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
    [
        "up == 0",
        "1",
        "vector(1)",
        "absent(up)",
        "-up",
        "a and b",
        'x{p="' + "+-*/" * 500 + '"} > 1',
        "x =~ 1"[:1],
        " or ".join(f'up{{a="{at}"}} == 0' for at in range(300)),
        "up{a='" + "x" * 50_000 + "'} == 0",
    ],
)
def test_a_condition_that_can(expression: str) -> None:
    promql.condition(expression)


def test_the_largest_expression_allowed_does_not_end_the_process() -> None:
    """The parser has no bound of its own: a deep tree overflows its stack, and the process dies without a word.

    Threads have 8 MB of stack by default; half of that must do.
    """
    most = promql.MOST_OPERATORS
    worst = ["1+" * most + "1", "(" * most + "1" + ")" * most, "-(" * (most // 2) + "up" + ")" * (most // 2)]
    worst += ["sum(" * most + "up" + ")" * most, "up or " * most + "up", "1^" * most + "1"]
    worst += ["up + (" * (most // 2) + "up" + ")" * (most // 2), "abs(" * most + "up" + ")" * most]
    worst += ["max_over_time(" * (most // 2) + "up" + "[1h:])" * (most // 2), "-" * most + "up"]
    code = """
import sys, threading
from opsbot import promql
looks = (promql.condition, promql.is_number, promql.has_comparison, promql.kept_labels, promql.metrics,
         promql.never_alone, promql.looks_ahead, promql.flagged)
def look():
    [ask(expression) for expression in sys.argv[1:] for ask in looks]
    promql.parse.cache_clear()
    print("looked")
threading.stack_size(4 << 20)
thread = threading.Thread(target=look)
thread.start()
thread.join()
"""
    ran = subprocess.run([sys.executable, "-c", code, *worst], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "looked\n", "")


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
        ("avg(x) > 5", set()),
        ("sum by (a, b) (rate(x[5m])) > 1", {"a", "b"}),
        ("sum without (a) (sum by (a, b) (x))", {"b"}),
        ("topk(3, sum by (a) (x))", {"a"}),
        ('count_values("v", x)', {"v"}),
        ('count_values by (job) ("v", x)', {"v", "job"}),
        ("quantile(0.9, x)", set()),
        ("histogram_quantile(0.9, sum by (le, a) (x))", {"a"}),
        ('label_replace(sum by (a) (x), "z", "$1", "a", "(.*)")', {"a", "z"}),
        ("5 < sum by (a) (x)", {"a"}),
        ("time() - max(x) > 5", set()),
        ("1 > bool 2", set()),
        ("vector(1)", set()),
        ("a / sum by (x) (b)", {"x"}),
        ("sum by (x) (a) / b", {"x"}),
        ("a * on (x) b", {"x"}),
        ("sum by (x, y) (a) / ignoring (y) b", {"x"}),
        ("sum by (a) (x) * on (a) group_left (y) b", {"a", "y"}),
        ("b * on (a) group_right (y) sum by (a, c) (x)", {"a", "c", "y"}),
        ("sum by (a) (x) and on () b", {"a"}),
        ("sum by (a) (x) unless b", {"a"}),
        ("sum by (a) (x) or sum by (b) (y)", {"a", "b"}),
        ('absent(up{job="a", x=~"b", y!="c"})', {"job"}),
        ('absent(up{job="a", job=~"b"})', set()),
        ("absent(sum(x))", set()),
        ('absent_over_time(up{job="a"}[5m])', {"job"}),
        ("-sum(x)", set()),
        ("max_over_time(sum by (a) (x)[1h:])", {"a"}),
        ("sum by (pod) (sum without (pod) (x))", set()),
        ("sum by (a, pod) (x * ignoring (pod) y)", {"a"}),
        ("sum by (a) (x) * on (a, pod) y", {"a"}),
        ("sum by (a) (x) * sum by (a, b) (y)", {"a"}),
        ("sum by (a) (x) * on (a) group_left (y) sum by (a) (b)", {"a"}),
        ("sum without (pod) (x) * on (pod, a) y", {"a"}),
        ("sum by (a) (x) + fill (0) sum by (b) (y)", {"a", "b"}),
        ("sum by (a) (x) + on (c) group_left (d) fill (0) sum by (b) (y)", {"a", "b", "d"}),
        ("sum by (a) (x) > max_of(1, 2)", {"a"}),
        ("histogram_quantile(1 - 0.1, sum by (le, a) (x))", {"a"}),
        ("histogram_quantile(scalar(y), sum by (le, a) (x))", {"a"}),
        ('histogram_quantiles(sum by (le, a) (x), "q", 0.5, 0.9)', {"a", "q"}),
        ("sum by (le) (histogram_fraction(0, 1, x))", set()),
        ('label_replace(sum without (pod) (sum by (pod, a) (x)), "pod", "$1", "a", "(.*)")', {"a", "pod"}),
    ],
)
def test_kept_labels(expression: str, kept: set[str]) -> None:
    assert promql.kept_labels(expression) == promql.Labels.of(kept)


@pytest.mark.parametrize(
    ("expression", "dropped"),
    [
        ("up", set()),
        ("up == 0", set()),
        ("rate(x[5m]) > 1", set()),
        ("topk(3, x)", set()),
        ('label_join(x, "z", "-", "a")', set()),
        ("a * b", set()),
        ("a * on (x) group_left () b", set()),
        ("sum by (a) (x) or y", set()),
        ("sum without (a) (x)", {"a"}),
        ("sum without (a, b) (x) > 1", {"a", "b"}),
        ("sum without (a) (avg without (b) (x))", {"a", "b"}),
        ("topk(3, max without (a) (x))", {"a"}),
        ('count_values without (a) ("a", x)', set()),
        ("x * ignoring (pod) y > 1", {"pod"}),
        ("x > ignoring (pod) y", {"pod"}),
        ("x > bool ignoring (pod) y", {"pod"}),
        ("x * ignoring (pod) sum without (a) (y)", {"a", "pod"}),
        ("x * ignoring (pod) group_left () y", set()),
        ("x * ignoring (pod) group_right () y", set()),
        ("sum without (pod) (x) * on (a) group_left () y", {"pod"}),
        ("sum without (pod) (x) * on (a) group_left (pod) y", set()),
        ("x * on (a) group_left (pod) sum without (pod) (y)", {"pod"}),
        ("y * on (a) group_right (pod) sum without (pod) (x)", set()),
        ("sum without (pod) (x) + fill (0) y", set()),
        ("x and ignoring (pod) y", set()),
        ("sum without (pod) (x) unless y", {"pod"}),
        ("sum without (pod) (x) or y", set()),
        ("sum without (pod) (x) or sum without (pod, a) (y)", {"pod"}),
        ("sum without (pod, b) (x) or sum by (b) (y)", {"pod"}),
        ("sum without (pod) (x) or sum by (pod) (y)", set()),
        ("sum without (pod) (x) > 1", {"pod"}),
        ("1 < -(sum without (pod) (x))", {"pod"}),
        ("histogram_quantile(0.9, rate(x_bucket[5m])) > 1", {"le"}),
        ("histogram_quantile(0.9, sum without (pod) (x))", {"le", "pod"}),
        ('label_replace(histogram_quantile(0.9, x), "le", "$1", "a", "(.*)")', set()),
        ('label_replace(sum without (pod) (x), "pod", "$1", "instance", "(.*)")', set()),
        ('label_join(sum without (pod, b) (x), "pod", "-", "a")', {"b"}),
        ("info(sum without (pod) (x))", set()),
        ("max_over_time(sum without (pod) (x)[1h:])", {"pod"}),
        ("clamp(x, 0, 1) > 0", set()),
        ("sort_by_label(sum without (pod) (x), 'a')", {"pod"}),
    ],
)
def test_labels_that_are_dropped_where_any_other_may_be_kept(expression: str, dropped: set[str]) -> None:
    assert promql.kept_labels(expression) == ~promql.Labels.of(dropped)


SETS = {names or "none": promql.Labels.of(names) for names in ("", "a", "ab", "bc")}
SETS |= {f"all but {names}": ~labels for names, labels in SETS.items()}


@pytest.mark.parametrize("one", SETS.values(), ids=SETS)
@pytest.mark.parametrize("other", SETS.values(), ids=SETS)
def test_sets_of_labels(one: promql.Labels, other: promql.Labels) -> None:
    for name in "abcd":
        assert (name in (one | other)) is (name in one or name in other)
        assert (name in (one & other)) is (name in one and name in other)
        assert (name in (one - other)) is (name in one and name not in other)
        assert (name in ~one) is (name not in one)


FUNCTIONS_FLAG, FILL_FLAG = "promql-experimental-functions", "promql-binop-fill-modifiers"


@pytest.mark.parametrize(
    ("expression", "flags"),
    [
        ("mad_over_time(x[5m]) > 1", {"mad_over_time()": FUNCTIONS_FLAG}),
        ("limitk(3, x) > 1", {"limitk()": FUNCTIONS_FLAG}),
        ("double_exponential_smoothing(x[5m], 0.1, 0.1) > 1", {"double_exponential_smoothing()": FUNCTIONS_FLAG}),
        ("sum(x + fill (0) info(y)) > 1", {"fill()": FILL_FLAG, "info()": FUNCTIONS_FLAG}),
        ("holt_winters(x[5m], 0.1, 0.1) > 1", {}),
        ('rate(info[5m]) > 1 and x{a="mad_over_time(y)"}', {}),
    ],
    ids=["function", "aggregation", "new name", "fill", "older name", "names and texts"],
)
def test_what_needs_a_flag(expression: str, flags: dict[str, str]) -> None:
    assert promql.flagged(expression) == flags


@pytest.mark.parametrize(
    ("expression", "caret"),
    [
        ("rate(a[5m] > 1", "    ^"), ("a ) b", "  ^"), ("a{b=~'('}", "      ^"), ("x[5q]", "  ^"),
        ("sum(foo(a)) > 1", "    ^"), ("'foo(' == foo(a)", "          ^"),
        ("a > 1 and increase(x) > 2", " " * 19 + "^"),
        ("rate(a[5m]) > rate( b)", " " * 20 + "^"), ("histogram_quantile('a', b)", " " * 19 + "^"),
        ("clamp(rate(a[5m]), b{c='(,'}, 1)", " " * 19 + "^"), ("abs(rate(a), 1)", "         ^"),
        ("rate(a[5m]) > rate(b[5m], 3)", " " * 14 + "^"), ("clamp(a, b, c)", "^"),
        ("a{b=c} > 1", "    ^"), ("a{b}", "  ^"), ("a and on(b) group_left(c) d", " " * 12 + "^"), ("a and 1", "  ^"),
        ("sum(a) by (b,,c) > 1", " " * 13 + "^"), ("sum by (b c) (a)", " " * 10 + "^"),
        ("sum by ('b'-c) (a)", " " * 11 + "^"), ("a / on (b c) group_left () d", " " * 10 + "^"),
        ("a b c by (d,,e)", "  ^"),
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
        ("absent(a)", {"a"}, False), ('{job="x"}', set(), True), ("topk(scalar(a), b)", {"a", "b"}, False),
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
        ("a + fill(0) b", False), ("a + fill(0) vector(1)", True), ("start()", True),
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


PATTERNS = {
    "a minus beside a class": (r"[\w-.]+", True), "two of them": (r"[\w\d-_]", True),
    "a bracket in a class": ("[[]", True),
    "another one": ("[a[b]", True), "quoted": (r"\Q(\E.*", True), "quoted to the end": (r"\Q(", True),
    "quoted C": (r"\Q\C\E", True), "a backslash and C": (r"\\C", True), "octal": (r"\101\0", True),
    "braces": ("{{foo}}", True),
    "a class negated inside": (r"\p{^Greek}", True), "beyond ASCII": ("\u65e5|\u672c", True),
    "repeated": ("a{1000}", True),
    "repeated too often": ("a{1001}", False), "repeated twice": ("x{2}{3}", False), "two stars": ("b**", False),
    "possessive": ("a++", False), "extended": ("(?x)a", False), "recursion": ("(?R)", False),
    "look-ahead": ("(?=a)", False),
    "code point": (r"\u0041", False), "any byte": (r"a\C", False), "a group that is open": ("(a", False),
    "a class that is open": ("[", False), "a group that closes": ("a)(b", False),
    "deep": ("(" * 1_001 + ")" * 1_001, False),
}  # fmt: skip


@pytest.mark.parametrize("operator", ["=~", "!~", "=~ # a comment (\n "])
@pytest.mark.parametrize(("pattern", "good"), PATTERNS.values(), ids=PATTERNS)
def test_patterns_are_those_of_prometheus(pattern: str, good: bool, operator: str) -> None:
    doubled = pattern.replace("\\", "\\\\")
    for text in (f"`{pattern}`", f'"{doubled}"', f"'{doubled}'"):
        expression = f'x{{a{operator}{text}, b="("}} > 1'
        if good:
            promql.parse(expression)
            continue
        with pytest.raises(promql.PromqlError, match="is no regular expression") as raised:
            promql.parse(expression)
        assert raised.value.at == expression.index(text) + 1


@pytest.mark.parametrize(
    ("matcher", "good"),
    [
        ('a=~""', False), ('a=~".*"', False), ('a=~"x?|y"', False), ('a=~"x+"', True), ('a=~".+"', True),
        ('a!~""', True), ('a!~".+"', False), ('a!~".*"', True), ('a=~"()", b=~"x"', True), ('a!~"x+"', False),
    ],
)  # fmt: skip
def test_one_pattern_of_a_selector_must_not_match_the_empty_text(matcher: str, good: bool) -> None:
    if good:
        promql.parse(f"{{{matcher}}}")
        return
    with pytest.raises(promql.PromqlError, match="at least one non-empty matcher"):
        promql.parse(f"{{{matcher}}}")


@pytest.mark.parametrize(
    ("text", "good"),
    [(r'"\x28"', False), (r'"\050"', False), (r'"\xc3\xa9"', True), (r'"\xff"', True), (r'"\d"', None),
     (r"'\''", True)],
    ids=["hex", "octal", "bytes of a letter", "a byte that is none", "no escape of PromQL", "a quote"],
)  # fmt: skip
def test_a_pattern_means_what_its_escapes_say(text: str, good: bool | None) -> None:
    if good:
        promql.parse(f"x{{a=~{text}}}")
        return
    with pytest.raises(promql.PromqlError, match="unknown escape" if good is None else "is no regular expression"):
        promql.parse(f"x{{a=~{text}}}")


@pytest.mark.parametrize(
    ("expression", "says", "at"),
    [
        ("max_over_time(x[5m:0])", "duration must be greater than 0", 19), ("rate(x[0])", "duration must be", 7),
        ("max_over_time(x[0:1m])", "duration must be greater than 0", 16), ("x\f> 1", "unexpected character", 1),
        ("x + fill(0) 1", "fill modifiers", None), ("time() + fill_left(0) x", "fill modifiers", None),
        ("x and fill(0) y", "fill modifiers", None), ("x or fill_right(0) y", "fill modifiers", None),
        ('x{a="b', "unterminated", 4), ("x{a=`b", "unterminated", 4), ("x{a='b\nc'}", "unterminated", 4),
        ('"' + '\\"' * 29_000, "unterminated", 0), ("topk(scalar(x{a='b' or c='d'}), y)", "`or` between", None),
        ("x{__name__=~'y'}", "must not be set twice$", None),
    ],
    ids=[
        "step 0", "range 0", "range 0 of a subquery", "form feed", "fill by a number", "fill of a number",
        "fill and and", "fill and or", "open text", "open raw text", "line break", "many quotes",
        "or in a parameter", "a name twice",
    ],
)  # fmt: skip
def test_what_prometheus_refuses_is_refused(expression: str, says: str, at: int | None) -> None:
    with pytest.raises(promql.PromqlError, match=says) as raised:
        promql.parse(expression)
    if at is not None:
        assert raised.value.at == at


@pytest.mark.parametrize(
    "expression",
    ["x + fill(0) y", "x + on (a) group_left fill_right(0) y", "x > bool fill(0) y", "fill + fill", "x{a='\f'}",
     "x # \f", "max_over_time(x[300:60])", "x offset 0"],
)  # fmt: skip
def test_what_looks_like_it_is_not(expression: str) -> None:
    promql.parse(expression)


@pytest.mark.parametrize(
    "text",
    ["(a*)*" * 11_000, "(" * 29_000 + ")" * 29_000, "[" * 59_000, r"\pL{1000}" * 6_000, ".{0,999}" * 7_000],
    ids=["stars", "groups", "classes", "letters", "repeats"],
)
def test_a_hostile_pattern_is_refused_in_words(text: str) -> None:
    with pytest.raises(promql.PromqlError, match="is no regular expression"):
        promql.parse(f"x{{a=~`{text}`}}")
