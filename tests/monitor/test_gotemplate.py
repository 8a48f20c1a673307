"""Alert templates: what is read, what is refused, what comes out. tests/contracts asks promtool for the same texts."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate import LONGEST, Scope, Server, TemplateError, parse
from opsbot.monitor.gotemplate.functions import FUNCTIONS

START = datetime(2026, 5, 4, tzinfo=UTC)
SCOPE = Scope({"__name__": "x", "job": "api", "zone": "Eu-1"}, 1234.5)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", ""),
        ("plain } text {", "plain } text {"),
        ("{{ $value }}", "1234.5"),
        ("{{$value}}ms", "1234.5ms"),
        ("{{ .Value }} {{ .Labels.job }}", "1234.5 api"),
        ("{{ $labels.job }}/{{ $labels.none }}/", "api//"),
        ("{{ $labels }}", "map[__name__:x job:api zone:Eu-1]"),
        ("a {{- $labels.job -}} b", "aapib"),
        ("a {{ $labels.job -}}\n  b", "a apib"),
        ("a{{/* note }} */}}b", "ab"),
        ("a {{- /* note */ -}} b", "ab"),
        ("{{ $value | humanize | toUpper }}", "1.234K"),
        ('{{ (printf "%s-%s" $labels.job $labels.zone) | title }}', "Api-Eu-1"),
        ('{{ printf "}}" }}{{ `raw \\n` }}{{ "q\\"\\u00e4" }}', '}}raw \\nq"ä'),
        ("{{ 5 }} {{ -1.50 }}", "5 -1.5"),
        ("{{ $labels.job | printf \"%s=%v\" $labels.zone }}", "Eu-1=api"),
        ("{{ $value | }}", "1234.5"), ("{{ 010 }} {{ 0x1F }} {{ 1_000 }} {{ 1e3 }}", "8 31 1000 1000"),
        ('{{ reReplaceAll "^(a)(.*)" "${2}-$1$3$$" $labels.job }}', "pi-a$"),
        ('{{ "aab" | reReplaceAll "x*" "-" }} {{ match "^a" $labels.job }} {{ match "^b" "ab" }}',
         "-a-a-b- true false"),
    ],
    ids=[
        "empty", "braces", "value", "tight", "dots", "missing label", "all labels", "trims", "trims newlines",
        "comment", "trimmed comment", "pipe", "brackets", "quotes", "numbers", "piped last",
        "pipe that leads nowhere", "whole numbers", "replaced", "patterns",
    ],
)  # fmt: skip
def test_rendered(text: str, want: str) -> None:
    assert parse(text).render(SCOPE) == want


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ if $value }}x", "{{ if }} in a template has no {{ end }}"),
        ("{{ range query \"up\" }}{{ else if 1 }}{{ end }}", "{{ else if }} does not fit {{ range }}"),
        ("{{ with $labels }}{{ .a.b }}{{ else }}{{ else }}{{ end }}", "{{ with }} in a template has no {{ end }}"),
        ("{{ if 1 }}{{ $x := 5 }}{{ end }}{{ $x }}", "not defined"),
        ("{{ $a, $b := 5 }}", "must be one variable"), ("{{ 5 := 5 }}", "must be one variable"),
        ("{{ end }}", "closes nothing"), ("{{ else }}", "closes nothing"),
        ("{{ template \"x\" }}", "'template' is not supported"),
        ("{{ define \"x\" }}{{ end }}", "'define' is not supported"), ("{{ break }}", "'break' is not supported"),
        ("{{ if 1 }}" * 30 + "{{ end }}" * 30, "blocks in each other"),
        ("{{ . }}", "is not supported"),
        ("{{ $other }}", "'\\$other' in a template is not defined"),
        ("{{ safeHtml $labels.job }}", "'safeHtml' is not supported"),
        ("{{ }}", "an empty"),
        ("{{ | $value }}", "an empty"),
        ("{{ $value", "no closing"),
        ("{{ $value }", "not supported"), ("{{ 0x1p4 }}ace within t", "'0x1p4' is not supported"),
        ("{{ 5 | 6 }}", "is no function"), ("{{ with 5 }}{{ 5 | . }}{{ end }}", "is no function"),
        ("{{ printf \"%*d\" 5 5 }}", r"holds %\*"), ("{{ printf \"%[1]d\" 5 5 }}", r"holds %\["),
        ("{{ printf \"%999999999d\" 5 }}", "wider than"),
        ("{{ (($value) }}", "no closing"),
        ("{{ $value) }}", "unexpected"),
        ("{{ \"a }}", "not supported"),
        ("{{ and$value 1 }}", "not supported"), ("{{ query\"up\" }}", "not supported"),
        ("{{ print 5`a` }}", "a blank is missing"), ("{{ 1__0 }}", "is no number"), ("{{ 99999999999999999999 }}",
        "too large"),
        ("{{ /* x */ }}", "not supported"),
        ("{{ \"\\z\" }}", "escape"), ("{{ \"\\xe4\" }}", "escape"),
        ("{{" + "(" * 1000 + "5" + ")" * 1000 + "}}", "brackets"),
        ("x" * (LONGEST + 1), "longer"), ("{{ 1" + " | print" * 101 + " }}", "more than 100 pipes"),
        ("{{ " + "1" * 90_000 + "x }}", "not supported"), ("{{ 5é }}", "a blank is missing"),
        ("{{ (toTime 5).Truncate }}", "the method 'Truncate' of a time is not supported"),
        ("{{ ($value | toTime).Local.Format `15` }}", "the method 'Local'"),
    ],
    ids=[
        "if", "range", "with", "scope", "two variables", "no variable", "end", "else",
        "template", "define", "break", "deep blocks", "dot", "other variable", "other function",
        "empty", "empty pipe", "unclosed", "half closed", "what is behind it", "constant called", "dot called",
        "star", "numbered", "wide", "unclosed bracket", "stray bracket", "open text", "glued variable", "glued text",
        "glued numbers", "underscores", "large number", "blank before a comment", "escape", "byte", "deep", "long",
        "piped on and on", "digits on and on", "glued letter", "method", "zone",
    ],
)  # fmt: skip
def test_refused_at_load(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


TIMES = {
    "alone": ("{{ toTime $value }}", "2015-03-11 13:39:41.123 +0000 UTC"),
    "a text": ('{{ "1e9" | toTime }}', "2001-09-09 01:46:40 +0000 UTC"),
    "before 1970": ("{{ toTime -1.5 }}", "1969-12-31 23:59:58.5 +0000 UTC"),
    "printed": ('{{ printf "%.10s|%q" (toTime 0) (toTime 0) }}', '1970-01-01|"1970-01-01 00:00:00 +0000 UTC"'),
    "usual": ('{{ ($value | toTime).Format "2006-01-02 15:04:05" }}', "2015-03-11 13:39:41"),
    "in UTC": ('{{ (toTime $value).UTC.Format "15:04 MST" }}', "13:39 UTC"),
    "piped": ('{{ "15" | (toTime $value).Format | printf "%4s" }}', "  13"),
    "a variable": ('{{ $t := toTime $value }}{{ $t.Format "15" }} {{ $t.UTC.Unix }}', "13 1426081181"),
    "the dot": ('{{ with toTime $value }}{{ .Format "05" }}{{ .Year }}{{ end }}', "412015"),
    "rounds down": ("{{ (toTime -1.5).Unix }} {{ (toTime -1.5).UnixMilli }}", "-2 -1500"),
    "small": (
        "{{ (toTime 1.5).UnixMicro }} {{ (toTime 1.5).UnixNano }} {{ (toTime 1.5).Nanosecond }}",
        "1500000 1500000000 500000000",
    ),
    "parts": (
        "{{ with toTime $value }}{{ .Day }} {{ .YearDay }} {{ .Hour }} {{ .Minute }} {{ .Second }}{{ end }}",
        "11 70 13 39 41",
    ),
    "types": ('{{ printf "%T %T %s" (toTime 5).Unix (toTime 5).Year (toTime 5).Unix }}', "int64 int %!s(int64=5)"),
    "compared": ("{{ eq (toTime 5).Unix 5 }} {{ (toTime 5).String | len }}", "true 29"),
    "taken for true": ("{{ if toTime 0 }}yes{{ end }}", "yes"),
    "escaped": ("{{ urlquery (toTime 0) }}", "1970-01-01+00%3A00%3A00+%2B0000+UTC"),
}


@pytest.mark.parametrize(("text", "want"), TIMES.values(), ids=TIMES)
def test_times(text: str, want: str) -> None:
    assert parse(text).render(Scope({}, 1426081181.1239)) == want


@pytest.mark.parametrize(
    ("layout", "want"),
    [
        ("Mon Jan _2 15:04:05 2006", "Sun May  4 13:09:05 2025"), ("2006-01-02T15:04:05Z07:00", "2025-05-04T13:09:05Z"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Sunday, 04-May-25 13:09:05 UTC"), ("3:04PM 03pm", "1:09PM 01pm"),
        ("January 2 1/2/06 4 5", "May 4 5/4/25 9 5"), ("__2 002", "124 124"), ("_2006", "_2025"),
        ("05.000 05,00 05.000000000000", "05.249 05,24 05.249000000"), ("05.999 05.9 .99999", "05.249 05.2 .249"),
        ("05.0001 05.09", "05.0005 05.09"), ("-0700 -07:00 -07 Z0700 Z07", "+0000 +00:00 +00 Z Z"),
        ("-070000 -07:00:00 Z07:00:00", "+000000 +00:00:00 Z"),
        ("Janu Mont Jan Month", "Janu Mont May Month"), ("Pm MSt Z7 é %d", "Pm MSt Z7 é %d"), ("", ""),
    ],
)  # fmt: skip
def test_layouts_of_times(layout: str, want: str) -> None:
    scope = Scope({"layout": layout}, 1746364145.25)
    assert parse("{{ (toTime $value).Format $labels.layout }}").render(scope) == want


def test_a_fraction_of_zeros_is_left_out() -> None:
    assert parse('{{ (toTime 5).Format "05.999|05.000" }}').render(SCOPE) == "05|05.000"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("{{ slice $labels.zone 0 2 }} {{ slice $labels.zone 3 }} {{ slice $labels.zone }}", "Eu 1 Eu-1"),
        ("{{ 2 | slice $labels.zone 1 }} {{ slice $labels.none 0 }}|", "u |"), ('{{ slice "aéz" 1 3 }}', "é"),
        ('{{ slice "aéz" 2 }}', "\ufffdz"), ('{{ range slice (query "up") 1 }}{{ .Value }}{{ end }}', "2.5"),
        ('{{ len (slice (query "up") 0 1 2) }}', "1"), ("{{ slice $labels.zone (toTime 1).Unix }}", "u-1"),
        ('{{ "a b&é~" | urlquery }} {{ urlquery $value }} {{ urlquery }}|', "a+b%26%C3%A9~ 1234.5 |"),
        ('{{ urlquery 1 2 "a" 3 }} {{ urlquery nil }} {{ urlquery true }}', "1+2a3 %3Cno+value%3E true"),
        ('{{ $é := index $labels "a.b" }}{{ $é }}{{ $labels.告警 }}', "cd"),
    ],
    ids=["texts", "piped", "letter", "half a letter", "series", "three places", "long number", "escaped", "many",
         "letters"],
)  # fmt: skip
def test_parts_of_texts_and_addresses(text: str, want: str) -> None:
    labels = {**SCOPE.labels, "a.b": "c", "告警": "d"}
    assert parse(text).render(Scope(labels, SCOPE.value, SERVED)) == want


def test_the_labels_that_a_template_names() -> None:
    text = '{{ $labels.a }} {{ printf "%s" (title .Labels.b) }} {{ (toTime .Labels.c).Format $labels.d }} {{ $labels }}'
    assert parse(text).labels == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("function", "value", "want"),
    [
        ("humanize", 0.0, "0"), ("humanize", 999.0, "999"), ("humanize", 1000.0, "1k"),
        ("humanize", -12345.0, "-12.35k"), ("humanize", 0.00012, "120u"), ("humanize", 1e30, "1e+06Y"),
        ("humanize", math.nan, "NaN"), ("humanize", -math.inf, "-Inf"), ("humanize", "1e3", "1k"),
        ("humanize1024", 1.0, "1"), ("humanize1024", 1023.0, "1023"), ("humanize1024", 1536.0, "1.5ki"),
        ("humanize1024", 0.5, "0.5"),
        ("humanizeDuration", 0.0, "0s"), ("humanizeDuration", 0.0015, "1.5ms"), ("humanizeDuration", 59.994, "59.99s"),
        ("humanizeDuration", 60.0, "1m 0s"), ("humanizeDuration", 3661.9, "1h 1m 1s"),
        ("humanizeDuration", -90061.0, "-1d 1h 1m 1s"), ("humanizeDuration", 1e20, "1e+20s"),
        ("humanizePercentage", 0.12345, "12.35%"), ("humanizePercentage", math.inf, "+Inf%"),
        ("humanizeTimestamp", 0.0, "1970-01-01 00:00:00 +0000 UTC"),
        ("humanizeTimestamp", 1426081181.1239, "2015-03-11 13:39:41.123 +0000 UTC"),
        ("humanizeTimestamp", -1.5, "1969-12-31 23:59:58.5 +0000 UTC"),
        ("title", "it's 9z_a b-c a.b a..b", "It's 9Z_a B-C A.b A..B"), ("title", "dž ß", "Dž Ss"),
        ("toUpper", "ä1ßᾀ", "Ä1ßᾈ"), ("toLower", "AÉİ", "aéi"), ("humanize", "1_0", "10"), ("humanize", "0x1p4", "16"),
        ("humanizeDuration", -0.0, "-0s"), ("stripDomain", "[::1]:80", "[::1]:80"), ("stripDomain", "a.b:c", "a:c"),
        ("graphLink", "up == 0", "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"), ("tableLink", "a{}",
        "/graph?g0.expr=a%7B%7D&g0.tab=1"),
        ("urlQueryEscape", "a b&c", "a+b%26c"),
    ],
)  # fmt: skip
def test_functions(function: str, value: object, want: str) -> None:
    assert FUNCTIONS[function].call(value) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [(5.0, "5"), (0.1, "0.1"), (123456.0, "123456"), (1234567.0, "1.234567e+06"), (1e-5, "1e-05"), (0.0001, "0.0001"),
     (-0.0, "-0"), (1e300, "1e+300"), (math.nan, "NaN"), (math.inf, "+Inf"), (100.0, "100")],
)  # fmt: skip
def test_a_bare_value_is_written_as_go_does(value: float, want: str) -> None:
    assert parse("{{ $value }}").render(Scope({}, value)) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('"%.2f" $value', "1234.50"), ('"%8.1f|%-8.0f|%+.1f" $value $value $value', "  1234.5|1234    |+1234.5"),
        ('"%d" $value', "%!d(float64=1234.5)"), ('"%d %5d|%-5d|%05d" 5 5 5 5', "5     5|5    |00005"),
        ('"%f" 5', "%!f(int=5)"), ('"%s %q" $labels.job $labels.job', 'api "api"'), ('"%.2s" $labels.job', "ap"),
        ('"%d"', "%!d(MISSING)"), ('"x" 5', "x%!(EXTRA int=5)"), ('"%v%%" $value', "1234.5%"),
        ('"%#v %+v" $labels.job 5', '"api" 5'), ('"% x|%#x|%X" "hi" "hi" "hi"', "68 69|0x6869|6869"),
        ('"%x|%.2x|%X" 1.5 1.999 0.1', "0x1.8p+00|0x1.00p+01|0X1.999999999999AP-04"),
        ('"%#g|%#.3f|%#v" 5.0 5.0 1e6', "5.00000|5.000|1e+06"),
        ('"%b %o %#o %O %c" 5 8 8 8', "101 10 010 0o10 %!c(MISSING)"),
        ('"%06d|%+.3d|%x|%#X|%.0d|" -5 5 -255 255 0', "-00005|+005|-ff|0XFF||"),
        ('"%012.2e" "12"', "%!e(string=000000000012)"),
        ('"%t %5t|%T %T %T" true false 5 1.5 nil', "true false|int float64 <nil>"),
        ('"%d %v" nil nil', "%!d(<nil>) <nil>"),
        ('"%+q %#q %q" "é" "a" "\\t\\u200b"', '"\\u00e9" `a` "\\t\\u200b"'), ('"%y 50%" 5', "%!y(int=5) 50%!(NOVERB)"),
        ('"%#v" $labels', 'map[string]string{"__name__":"x", "job":"api", "zone":"Eu-1"}'),
        ('"%q" $labels', 'map["__name__":"x" "job":"api" "zone":"Eu-1"]'), ('"% d|% .1f" 5 5.0', " 5| 5.0"),
        ('"%c|%3c|%-3c|%03c|%c|%c" 42 42 42 42 -1 55296', "*|  *|*  |00*|\ufffd|\ufffd"),
        ('"%q|%5q|%05q|%q|%q|%q|%+q" 42 42 42 39 34 10 228', "'*'|  '*'|00'*'|'\\''|'\"'|'\\n'|'\\u00e4'"),
        ('"%U|%8U|%08U|%.6U|%#U|%#U|%U" 42 42 42 42 42 10 -1',
         "U+002A|  U+002A|  U+002A|U+00002A|U+002A '*'|U+000A|U+FFFFFFFFFFFFFFFF"),
        ('"%c %q %U" $value $value 5.0', "%!c(float64=1234.5) %!q(float64=1234.5) %!U(float64=5)"),
        ('"%b|%b|%022b|%+b" 42.0 0.0 -2.5 1e300',
         "5910974510923776p-47|0p-1074|-05629499534213120p-51|+6724873095247260p+944"),
        ('"%T %v %#v %s" (index "a" 0) (index "äb" 1) (index "b" 0) (index "b" 0)', "uint8 164 0x62 %!s(uint8=98)"),
        ('"%c %q %U %#06v" (index "b" 0) (index "b" 0) (index "b" 0) (index "b" 0)', "b 'b' U+0062 0x000062"),
        ('"%x" "hi"', "6869"), ('"%e" $value', "1.234500e+03"), ('"%d" $labels.job', "%!d(string=api)"),
    ],
)  # fmt: skip
def test_printf_is_gos(text: str, want: str) -> None:
    assert parse("{{ printf " + text + " }}").render(SCOPE) == want


@pytest.mark.parametrize(
    "text",
    ["{{ humanize $labels.job }}", "{{ humanize $labels }}", "{{ title $value }}", "{{ humanizeTimestamp 1e300 }}",
     "{{ $labels.job | printf $value }}", '{{ humanize "1__0" }}', '{{ humanize " 1" }}', "{{ humanize true }}",
     '{{ humanize "1e400" }}', "{{ lt 1 nil }}", '{{ reReplaceAll "(" "" "a" }}', '{{ humanize (index "5" 0) }}',
     '{{ index "abc" 3 }}', '{{ index "abc" -1 }}', '{{ index "abc" 1.0 }}', '{{ index "abc" 1 0 }}',
     "{{ range $i, $x := 3 }}{{ end }}", "{{ range 9223372036854775807 }}{{ end }}", '{{ range "abc" }}{{ end }}',
     '{{ query "up" }}', "{{ toTime $labels.job }}", "{{ toTime (toTime 5) }}", "{{ len (toTime 5) }}",
     '{{ printf "%d" (toTime 5) }}', '{{ printf "%#v" (toTime 5) }}', '{{ printf "%T" (toTime 5) }}',
     "{{ (toTime 5).Format }}", "{{ (toTime 5).Format 5 }}", '{{ (toTime 5).Format "a" "b" }}',
     "{{ (toTime 5).UTC 5 }}",
     "{{ (toTime 5).Unix.Unix }}", "{{ with $value }}{{ .Format `15` }}{{ end }}", "{{ slice $labels.job 2 1 }}",
     "{{ slice $labels.job 9 }}", "{{ slice $labels.job 0 1 2 }}", "{{ slice $labels.job 1.0 }}",
     "{{ slice $value 0 }}",
     "{{ eq (toTime 5) (toTime 5) }}"],
    ids=["no time", "time of a time", "length of a time", "%d of a time", "Go's own spelling of a time",
         "type of a time",
         "no layout", "no text as layout", "two layouts", "zone of a zone", "field of a number of seconds",
         "method of a number", "backwards", "behind the end", "three places in a text", "half a place",
         "part of a number",
         "times compared", "text", "map", "number", "far", "format is a number", "underscores", "blank", "truth",
         "out of range", "nil",
         "pattern", "byte as a number", "behind the last byte", "before the first byte", "half a place of a byte",
         "inside a byte", "two names for a step", "steps without end", "steps of a text", "series"],
)  # fmt: skip
def test_what_cannot_be_filled_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(TemplateError):
        parse(text).render(SCOPE)


def test_a_format_out_of_a_label_is_bounded_too() -> None:
    with pytest.raises(TemplateError, match="wider"):
        parse("{{ printf $labels.f 5 }}").render(Scope({"f": "%99999999d"}, 1))


SERIES = {
    "up": [Sample({"job": "b", "__value__": "v"}, 1.0, START), Sample({"job": "a"}, 2.5, START)],
    "many": [Sample({}, float(n), START) for n in range(400)],
}
SERVED = Server({"cluster": "c1"}, "https://p.example/base", lambda text: SERIES.get(text, []))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("{{ $externalLabels.cluster }} {{ .ExternalLabels.cluster }} {{ $externalURL }}",
        "c1 c1 https://p.example/base"),
        ("{{ externalURL }} {{ pathPrefix }}", "https://p.example/base /base"),
        ('{{ range query "up" }}{{ .Labels.job }}={{ .Value }} {{ end }}', "b=1 a=2.5 "),
        ('{{ range $i, $s := query "up" }}{{ $i }}{{ $s.Labels.job }}{{ end }}', "0b1a"),
        ('{{ range query "up" | sortByLabel "job" }}{{ .Labels.job }}{{ end }}', "ab"),
        ('{{ query "up" | first | value | humanize }}', "1"),
        ('{{ with query "none" }}x{{ else }}nobody{{ end }}', "nobody"),
        ('{{ with query "up" }}{{ . | first | label "job" }}{{ strvalue (first .) }}{{ end }}', "bv"),
        ('{{ (query "up" | first).Value }}', "1"),
        ("{{ if gt $value 2000.0 }}a{{ else if eq $labels.job \"api\" }}b{{ else }}c{{ end }}", "b"),
        ("{{ with $x := $labels.none }}a{{ else }}{{ .Value }}{{ end }}", "1234.5"),
        ("{{ with $labels.job }}{{ . }} of {{ $.Labels.zone }}{{ end }}", "api of Eu-1"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}", "2"),
        ("{{ range $k, $v := $labels }}{{ $k }}:{{ $v }},{{ end }}", "__name__:x,job:api,zone:Eu-1,"),
        ("a {{- if true -}} b {{- end -}} c", "abc"),
        ('{{ index "abc" 1 }} {{ eq (index "abc" 1) 98 }} {{ index $value }}', "98 true 1234.5"),
        ("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}{{ range 0 }}x{{ else }}none{{ end }}",
         "01201none"),
    ],
    ids=[
        "external", "address", "range", "places", "sorted", "value", "no series", "label", "chain", "else if",
        "else keeps the dot", "the whole", "scopes", "labels in turn", "trims", "a byte", "steps",
    ],
)  # fmt: skip
def test_blocks_variables_and_queries(text: str, want: str) -> None:
    assert parse(text).render(Scope(SCOPE.labels, SCOPE.value, SERVED)) == want


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{{ query "none" | first }}', "no elements"), ('{{ query "up" }}', "cannot be written"),
        ("{{ range $value }}{{ end }}", "cannot walk"), ("{{ gt $value 5 }}", "incompatible types"),
        ("{{ lt $labels 5 }}", "invalid type"), ("{{ lt true false }}", "invalid type"), ("{{ index $labels 5 }}",
        "find"),
        ("{{ with $value }}{{ .x }}{{ end }}", "no field"), ("{{ len $value }}", "len of"), ("{{ value $value }}",
        "no series"),
        ('{{ parseDuration "x" }}', "no duration"), ("{{ sortByLabel \"a\" $value }}", "no answer"),
        ('{{ range query "many" }}{{ range query "many" }}{{ end }}{{ end }}', "too much work"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_with_a_value(text: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        parse(text).render(Scope(SCOPE.labels, SCOPE.value, SERVED))


def test_a_query_without_a_server_is_an_error() -> None:
    with pytest.raises(TemplateError, match="no server"):
        parse('{{ query "up" }}').render(SCOPE)


def test_a_label_that_is_asked_for_first_is_not_missed() -> None:
    assert parse("{{ with $labels.a }}{{ $labels.a }}{{ $labels.b }}{{ end }}{{ $.Labels.c }}").labels == {"b", "c"}


OTHERS = {
    "range of a query": '{{ range query "up" }}{{ .Labels.a }}{{ end }}',
    "the first of a query": '{{ with query "up" | first }}{{ .Labels.a }} {{ title .Labels.b }}{{ end }}',
    "sorted": '{{ range $i, $x := query "up" | sortByLabel "a" }}{{ .Labels.a }}{{ $x.Labels.b }}{{ end }}',
    "a variable": '{{ $x := query "up" }}{{ range $x }}{{ if .Value }}{{ .Labels.a }}{{ end }}{{ end }}',
    "one block in another": '{{ range query "up" }}{{ with .Value }}{{ else }}{{ .Labels.a }}{{ end }}{{ end }}',
    "after else": '{{ with $labels.a }}{{ else with query "up" | first }}{{ .Labels.b }}{{ end }}',
    "a sample named as the labels": '{{ range $labels := query "up" }}{{ $labels.Labels }}{{ end }}{{ $labels.a }}',
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_labels_of_another_sample_are_not_those_of_the_alert(text: str) -> None:
    assert parse(text).labels == set()


@pytest.mark.parametrize(
    "text",
    [
        '{{ range query "up" }}{{ .Labels.b }}{{ $labels.a }}{{ end }}',
        '{{ with query "up" }}{{ $.Labels.a }}{{ end }}',
        '{{ range query "up" }}{{ .Labels.b }}{{ else }}{{ .Labels.a }}{{ end }}',
        '{{ range query "up" }}{{ .Labels.b }}{{ end }}{{ .Labels.a }}',
        '{{ range query "up" }}{{ if .Labels.a }}{{ $labels.a }}{{ end }}{{ end }}',
        '{{ if query "up" }}{{ .Labels.a }}{{ end }}',
    ],
    ids=["$labels", "the whole", "else", "after it", "asked of another", "if"],
)
def test_labels_of_the_alert_beside_another_sample(text: str) -> None:
    assert parse(text).labels == {"a"}


@pytest.mark.parametrize(("text", "asks"), [('{{ if $value }}{{ query "x" | len }}{{ end }}', True), ("query", False)])
def test_whether_it_asks_the_server(text: str, asks: bool) -> None:
    assert parse(text).queries is asks


@pytest.mark.parametrize(
    "text",
    ["{{ .Foo }}", "{{ $.labels.job }}", "{{ $labels.a.b }}", "{{ $value.x }}", "{{ $x = 5 }}", "{{ eq 1 }}",
    "{{ humanize }}",
     "{{ humanize $value 5 }}", "{{ printf }}", "{{ $value humanize }}", "{{ 5 6 }}", "{{ $value | $labels }}",
     "{{ $labels.job `15` }}",
     '{{ (query "up" | first).Value 5 }}', "{{ .Format `15` }}", "{{ slice }}", "{{ slice $labels.job 0 1 2 3 }}",
     "{{ nil }}"],
    ids=["field", "small letter", "deep label", "field of a number", "variable", "one of two", "no value", "two values",
         "no format", "function last", "number first", "labels called",
         "label called", "value called", "method of the whole", "slice of nothing", "four places", "nil"],
)  # fmt: skip
def test_what_can_never_be_filled_is_read_with_a_doubt(text: str) -> None:
    read = parse(text)
    assert read.doubts
    with pytest.raises(TemplateError):
        read.render(SCOPE)


def test_one_of_some_series_can_be_written_out() -> None:
    server = Server(query=lambda _text: [Sample({"a": "b"}, 2.0, START)])
    text = '{{ query "x" | first }} {{ print (query "x" | first) }} {{ range query "x" }}{{ . }}{{ end }}'
    assert parse(text).render(Scope({}, 1, server)) == "{map[a:b] 2} &{map[a:b] 2} {map[a:b] 2}"
