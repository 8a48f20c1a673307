"""Figures as Prometheus reads them: our own words for it, and those of promtool."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest

from opsbot.web.exposition import Count, Times, family, text


def test_a_gauge_and_a_counter() -> None:
    said = text([
        family("a_total", "counter", "How many.", {(("x", "1"),): 2, (("x", "0"),): 1.5}),
        family("b", "gauge", "One.", 7),
    ])  # fmt: skip
    assert said == (
        "# HELP a_total How many.\n# TYPE a_total counter\n"
        'a_total{x="0"} 1.5\na_total{x="1"} 2\n# HELP b One.\n# TYPE b gauge\nb 7\n'
    )


@pytest.mark.parametrize(
    ("value", "spelt"),
    [(0, "0"), (-3, "-3"), (0.1, "0.1"), (1e20, "1e+20"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
    ids=str,
)
def test_values(value: float, spelt: str) -> None:
    assert text([family("a", "gauge", "A.", value)]).splitlines()[-1] == f"a {spelt}"


@pytest.mark.parametrize(
    ("word", "spelt"), [('a"b', r"a\"b"), ("a\\b", r"a\\b"), ("a\nb", r"a\nb"), ("ä{},=", "ä{},=")],
    ids=["quote", "backslash", "newline", "odd"],
)  # fmt: skip
def test_labels_are_escaped(word: str, spelt: str) -> None:
    assert text([family("a", "gauge", "A.", {(("x", word),): 1})]).splitlines()[-1] == f'a{{x="{spelt}"}} 1'


def test_a_histogram_is_cumulative() -> None:
    times = Times("t_seconds", "How long.", (0.1, 1))
    for seconds in (0.05, 0.1, 0.5, 7):
        times.add(seconds, source="a")
    assert text([times.family()]).splitlines()[2:] == [
        't_seconds_bucket{source="a",le="0.1"} 2', 't_seconds_bucket{source="a",le="1"} 3',
        't_seconds_bucket{source="a",le="+Inf"} 4', 't_seconds_sum{source="a"} 7.65', 't_seconds_count{source="a"} 4',
    ]  # fmt: skip


def test_a_count_is_by_labels_in_any_order() -> None:
    count = Count("c_total", "How many.")
    count.add(a="1", b="2")
    count.add(2, b="2", a="1")
    assert text([count.family()]).splitlines()[-1] == 'c_total{a="1",b="2"} 3'


@pytest.mark.real("prometheus")
def test_promtool_agrees(prometheus_program: Path) -> None:
    times, count = Times("opsbot_t_seconds", "How long.", (0.1, 1)), Count("opsbot_c_total", "How many.")
    times.add(0.3, source='odd "\\\n')
    count.add(source="a")
    gauge = family("opsbot_g", "gauge", "One.", {(("x", "\u00e4"),): math.nan, (("x", ""),): 1})
    said = text([times.family(), count.family(), gauge])
    judged(prometheus_program.with_name("promtool"), said)


def judged(promtool: Path, said: str) -> None:
    done = subprocess.run(
        [promtool, "check", "metrics"], input=said.encode(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
