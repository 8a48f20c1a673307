"""Alert states and templates beside those of the real promtool: same rules, same series, same alerts and texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsbot.core import duration
from opsbot.core.alert import Alert, AlertRule, AlertState, Sample
from opsbot.monitor.gotemplate import Scope, Server, TemplateError, parse
from opsbot.monitor.state import step
from opsbot.practice import prometheus
from tests.contracts.prometheus.promtool import firing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTES = 60


def lines(seed: int, pods: int) -> dict[str, list[float | None]]:
    """For each pod a value per minute that comes, goes, and is sometimes missing."""
    chance = random.Random(seed)
    made: dict[str, list[float | None]] = {}
    for pod in range(pods):
        state, line = 0.0, list[float | None]()
        for _ in range(MINUTES):
            state = chance.choice([0.0, 1.0]) if chance.random() < 0.25 else state
            line.append(None if chance.random() < 0.05 else state)
        made[f"p{pod}"] = line
    return made


def ours(rule: AlertRule, series: dict[str, list[float | None]]) -> list[list[str]]:
    """The pods whose alert fires at each minute, by opsbot's own state machine."""
    active: list[Alert] = []
    out = []
    for minute in range(MINUTES):
        now = EPOCH + timedelta(minutes=minute)
        seen = {pod: line[minute] for pod, line in series.items()}
        samples = [Sample({"__name__": "x", "pod": pod}, value, now) for pod, value in seen.items() if value]
        active = step(rule, samples, active, now)
        out.append(sorted(a.labels["pod"] for a in active if a.state is AlertState.FIRING))
    return out


@pytest.mark.parametrize("seed", range(3))
def test_the_same_alerts_fire_at_the_same_minutes(a_program: Path, tmp_path: Path, seed: int) -> None:
    series = lines(seed, pods=6)
    kinds = [(hold, keep) for hold in ("0s", "1m", "3m", "150s", "10m") for keep in ("0s", "1m", "4m", "90s")]
    rules = [{"alert": f"A{n}", "expr": "x > 0", "for": h, "keep_firing_for": k} for n, (h, k) in enumerate(kinds)]
    # A value is seen for five minutes after it came; a stale mark ends that, as when a target goes away.
    given = {
        f'x{{pod="{pod}"}}': " ".join("stale" if value is None else str(int(value)) for value in line)
        for pod, line in series.items()
    }
    theirs = firing(a_program, tmp_path, rules, given, MINUTES)
    for number, (hold, keep) in enumerate(kinds):
        rule = AlertRule(
            name=f"A{number}", condition="x > 0", severity="", hold_for=duration.parse(hold),
            keep_firing_for=duration.parse(keep),
        )  # fmt: skip
        want = [sorted(got.labels["pod"] for got in theirs[rule.name, minute]) for minute in range(MINUTES)]
        assert ours(rule, series) == want, (hold, keep)
    assert any(theirs.values())


VALUES = ["0", "1", "-1", "0.5", "-0.00012", "5000.25", "999.96", "1000", "1023", "1024", "123456", "1234567", "1e20",
          "1e21", "3661", "86400", "-90061.5", "59.99", "1426081181.123", "NaN", "Inf", "-Inf"]  # fmt: skip
LABELS = {"a": "it's hello_wörld x-y 9z", "b": "QuX"}
TEMPLATES = [
    "plain } text", "{{ $value }}", "{{ .Value | humanize }}", "{{ humanize1024 $value }}", "{{ $labels }}",
    "{{ $value | humanizePercentage }}", "{{ $value | humanizeTimestamp }}", "{{ $labels.a }}/{{ .Labels.none }}/",
    "{{ $labels.b | title }} {{ toUpper $labels.a }} {{ $labels.b | toLower }}", "a {{- $value -}} b {{/* c */}} d",
    '{{ printf "%.2f|%g|%e|%G|%v|%.3g%%" $value $value $value $value $value $value }}',
    '{{ printf "%8.2f|%-8.1f|%+.1f|%08.2f|% .1f|%+v|%8v" $value $value $value $value $value $value $value }}',
    '{{ printf "%d|%s|%q" $value $value $value }}', '{{ printf "%d %f %.2f %v %5d|%-5d|%05d|%x" 5 5 5 5 5 5 5 255 }}',
    '{{ printf "%s %q %x %5s|%-5s|%.2s %d" $labels.a $labels.a $labels.b $labels.b $labels.b $labels.a $labels.a }}',
    '{{ printf "%d" }} {{ printf "x" 5 $labels.b $value }}', '{{ humanize "12345" }} {{ 5.50 }} {{ `raw\\n` }}',
    '{{ ($value | printf "%.1f") | title }}', "{{ humanize $labels.a }}", "{{ humanize $labels }}",
    "{{ $value | toUpper }}", '{{ printf "%s|%v|%d" $labels $labels $labels }}', '{{ "}}" }}{{ "a\\"\\u00e4" }}',
]  # fmt: skip
BLOCKS = [
    "{{ if $value }}some{{ else }}none{{ end }}",
    "{{ if gt $value 1000.0 }}high{{ else if lt $value 1.0 }}low{{ else }}mid{{ end }}",
    "{{ with $labels.b -}} [{{ . }}] {{- end }}{{ with $labels.none }}x{{ else }}no{{ end }}",
    "{{ gt $value 5 }}",
    "{{ with $x := $labels.a }}{{ $x }}{{ end }}{{ $y := 5 }}{{ $y }}{{ $y = 6 }}{{ $y }}{{ .Labels.b }}",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
    "{{ range $labels }}{{ . }},{{ else }}none{{ end }}",
    '{{ range query "y" }}{{ .Labels.b }}={{ .Value }};{{ end }}',
    '{{ with query "y" }}{{ . | first | label "b" }}{{ end }}',
    '{{ query "y" | first | value | humanize }}',
    '{{ query "nosuch" | first | value }}',
    '{{ with query "nosuch" }}x{{ else }}y{{ end }}',
    "{{ query (printf \"y{b='%s'}\" $labels.b) | len }}",
    '{{ (query "y" | first).Value }}',
    '{{ range query "y" | sortByLabel "b" }}{{ . | value }}{{ end }}',
    "{{ and $labels.a $labels.b }}|{{ or $labels.none $labels.b }}",
    '{{ not $labels.none }}|{{ eq $labels.b "QuX" "y" }}|{{ ne 1 2 }}',
    '{{ eq $labels.b "a" "QuX" }}{{ le 1 1 }}{{ ge "b" "a" }}{{ eq $value 0.5 }}{{ lt 1 2.0 }}',
    '{{ len $labels.a }} {{ len $labels }} {{ index $labels "b" }}',
    '{{ print 1 2 "a" $value 3.5 }}|{{ println "a" 1 }}|{{ true }}|{{ printf "%v %t" false true }}',
    "{{ $externalLabels.none }}|{{ $externalLabels }}|{{ .ExternalLabels.x }}|{{ $.Labels.b }}",
    '{{ "web-1.example.org:80" | stripDomain }} {{ stripDomain "10.0.0.1:80" }} {{ stripDomain "a.b" }}',
    '{{ stripPort "10.0.0.1:9100" }} {{ stripPort "[::1]:80" }} {{ stripPort "plain" }}',
    '{{ parseDuration "1h30m" | humanizeDuration }}{{ "\\x41\\101" }}',
    "{{ if and (gt $value 0.0) (lt $value 10.0) }}in{{ end }}",
    '{{ range $i, $s := query "y" }}{{ $i }}{{ $s.Value }}{{ end }}',
    '{{ $labels.a }}{{ $labels.b | printf "%s-%s" $labels.a | toUpper }}',
    "{{ with $labels }}{{ .b }}{{ $.Value }}{{ end }}",
    "{{ if $labels.none }}a{{ else if $labels.b }}b{{ end }}{{ with $labels.none }}a{{ else }}{{ .Value }}{{ end }}",
]


def answers(asked: str) -> list[Sample]:
    return [Sample({"__name__": "y", "b": "QuX"}, 7.5, EPOCH)] if asked != "nosuch" else []


def rendered(text: str, value: float) -> str:
    try:
        labels = {"__name__": "x", **LABELS}
        return parse(text).render(Scope(labels, value, Server(query=answers)))
    except TemplateError:
        return "<error>"


def theirs(program: Path, folder: Path, templates: Sequence[str]) -> dict[str, dict[str, str]]:
    """The annotations that promtool writes for each value."""
    annotations = {f"t{number}": text for number, text in enumerate(templates)}
    rules: list[dict[str, Any]] = [
        {"alert": f"A{place}", "expr": f'x{{value="{place}"}}', "annotations": annotations}
        for place in range(len(VALUES))
    ]
    # The label `value` tells the series apart; the templates do not see it because label_replace takes it away.
    for place, rule in enumerate(rules):
        rule["expr"] = f'label_replace(x{{value="{place}"}}, "value", "", "", "")'
    labels = ",".join(f'{name}="{text}"' for name, text in LABELS.items())
    series = {f'x{{{labels},value="{place}"}}': value for place, value in enumerate(VALUES)}
    got = firing(program, folder, rules, {**series, 'y{b="QuX"}': "7.5"}, 1)
    return {value: dict(got[f"A{place}", 0][0].annotations) for place, value in enumerate(VALUES)}


def test_templates_are_filled_with_the_same_text(a_program: Path, tmp_path: Path) -> None:
    said = theirs(a_program, tmp_path, [*TEMPLATES, *BLOCKS])
    wrong = []
    for value, texts in said.items():
        for number, template in enumerate([*TEMPLATES, *BLOCKS]):
            want, mine = texts[f"t{number}"], rendered(template, float(value))
            if mine != ("<error>" if want.startswith("<error expanding template") else want):
                wrong.append((value, template, want, mine))
    assert wrong == []


def test_a_title_of_more_than_plain_words_is_a_text_that_differs(a_program: Path, tmp_path: Path) -> None:
    """Prometheus 2 took every letter after a non-letter for the first of a word; 3 goes by the rules of Unicode."""
    rule = {"alert": "A", "expr": "x", "annotations": {"t": "{{ $labels.a | title }}"}}
    got = firing(a_program, tmp_path, [rule], {'x{a="it\'s x-y 9z"}': "1"}, 1)["A", 0][0].annotations["t"]
    mine = parse("{{ $labels.a | title }}").render(Scope({"a": "it's x-y 9z"}, 1))
    assert mine == "It's X-Y 9Z"
    assert got == ("It'S X-Y 9z" if prometheus.version(a_program).startswith("2.") else mine)


@pytest.mark.parametrize("value", ["1e20", "-1e300"], ids=["large", "very large"])
def test_durations_too_long_for_a_clock_are_the_one_text_that_differs(
    a_program: Path, tmp_path: Path, value: str
) -> None:
    rule = {"alert": "A", "expr": "x", "annotations": {"t": "{{ $value | humanizeDuration }}"}}
    got = firing(a_program, tmp_path, [rule], {"x": value}, 1)
    mine = parse("{{ $value | humanizeDuration }}").render(Scope({}, float(value)))
    assert mine == f"{float(value):g}s"
    assert mine != got["A", 0][0].annotations["t"]


@pytest.mark.parametrize("value", [v for v in VALUES if v not in ("1e20", "1e21")])
def test_durations(a_program: Path, tmp_path: Path, value: str) -> None:
    rule = {"alert": "A", "expr": "x", "annotations": {"t": "{{ $value | humanizeDuration }}"}}
    got = firing(a_program, tmp_path, [rule], {"x": value}, 1)
    assert parse("{{ $value | humanizeDuration }}").render(Scope({}, float(value))) == got["A", 0][0].annotations["t"]
