"""What poll.py and idle.py stand on: a Prometheus 3 of its own with 10,000 series, and alerting rules over them.

The series look like those of a small cluster (15 s apart, from 20 minutes ago until 10 minutes from now). Of each 100
rules 30 compare few series with a number, 25 look at a rate, 20 at an aggregation of rates, 15 join two vectors, and
10 are quantiles of histograms, predictions and absences; each names other namespaces, services and numbers. About one
in 25 holds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import requests
import yaml

from opsbot import config as settings
from opsbot.lab import remote
from opsbot.practice.processes import keeping
from opsbot.practice.recipes import PROMETHEUS, built

STEP, BEFORE, AFTER = 15, 20 * 60, 9 * 60
SPACES, SERVICES, CODES, BUCKETS = 20, 100, ("200", "404", "500"), ("0.05", "0.1", "0.5", "1", "5", "+Inf")


@dataclass(frozen=True)
class Bed:
    """A Prometheus that runs, and the folder that its rule file is in."""

    url: str
    folder: Path

    def load(self, rules: list[dict[str, Any]], every: str) -> None:
        """Have it evaluate these rules, as one group."""
        groups = [{"name": "bench", "interval": every, "rules": rules}] if rules else []
        (self.folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
        requests.post(f"{self.url}/-/reload", timeout=30).raise_for_status()

    def evaluated(self) -> tuple[str, float]:
        """When it last evaluated them, and how many seconds that took."""
        found = requests.get(f"{self.url}/api/v1/rules", timeout=30).json()["data"]["groups"][0]
        return found["lastEvaluation"], found["evaluationTime"]


@contextmanager
def raised() -> Iterator[Bed]:
    """One with all series in it."""
    there = built(PROMETHEUS, settings.cache_folder())
    if there is None:
        raise SystemExit("Prometheus is not built: run `opsbot practice build`")
    with keeping() as keeper:
        folder = keeper.folder
        (folder / "rules.yml").write_text("groups: []\n")
        (folder / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
        order = [
            str(there / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error",
            "--web.enable-lifecycle",
        ]  # fmt: skip
        keeper.start("prometheus", order)
        url = _ready(keeper)
        _fill(url)
        yield Bed(url, folder)


def _ready(keeper: Any) -> str:
    while True:
        keeper.check()
        try:
            url = f"http://127.0.0.1:{keeper.port('prometheus')}"
            if requests.get(f"{url}/-/ready", timeout=2).status_code == 200:
                return url
        except requests.RequestException:
            pass
        time.sleep(0.1)


def _fill(url: str) -> None:
    now, dice = int(time.time()), random.Random(7)
    times = [second * 1000 for second in range(now - BEFORE, now + AFTER, STEP)]
    part: list[remote.Line] = []
    for labels, first, slope in series(dice):
        points = [(at, first + slope * (at - times[0]) / 1000) for at in times]
        part.append((labels, points))
        if len(part) == 500:
            _write(url, part)
            part = []
    _write(url, part)


def _write(url: str, part: list[remote.Line]) -> None:
    requests.post(f"{url}/api/v1/write", remote.body(part), headers=remote.HEADERS, timeout=30).raise_for_status()


Made = Iterator[tuple[dict[str, str], float, float]]


def series(dice: random.Random) -> Made:
    """Labels, a first value and what it grows by in a second; 10,000 of them."""
    yield from _containers(dice)
    yield from _requests(dice)
    yield from _objects()


def _containers(dice: random.Random) -> Made:
    for pod in range(2000):
        labels = {"namespace": f"n{pod % SPACES}", "pod": f"p{pod}", "container": "app", "node": f"w{pod % 50}"}
        yield {"__name__": "container_cpu_usage_seconds_total", **labels}, dice.random() * 1e4, dice.random() * 2
        yield {"__name__": "container_memory_working_set_bytes", **labels}, dice.random() * 1e9, dice.random() * 10


def _requests(dice: random.Random) -> Made:
    for service in range(SERVICES):
        space = {"namespace": f"n{service % SPACES}", "service": f"s{service}"}
        for pod, code in product(range(10), CODES):
            labels = {"__name__": "http_requests_total", **space, "pod": f"s{service}-{pod}", "code": code}
            yield labels, dice.random() * 1e5, dice.random() * (20 if code == "200" else 0.4)
        for instance, (at, le) in product(range(2), enumerate(BUCKETS)):
            name = {"__name__": "http_request_duration_seconds_bucket", "le": le, "instance": f"i{instance}"}
            yield {**name, **space}, 1000.0 * (at + 1), float(at + 1)


def _objects() -> Made:
    for pod in range(1000):
        labels = {"namespace": f"n{pod % SPACES}", "pod": f"p{pod}"}
        yield {"__name__": "kube_pod_status_ready", **labels}, float(pod % 100 != 0), 0.0
    for at in range(300):
        labels = {"namespace": f"n{at % SPACES}", "deployment": f"d{at}"}
        yield {"__name__": "kube_deployment_spec_replicas", **labels}, 3.0, 0.0
        yield {"__name__": "kube_deployment_status_replicas_available", **labels}, 3.0 - (at % 150 == 0), 0.0
    for at in range(200):
        yield {"__name__": "up", "job": f"j{at % 25}", "instance": f"10.0.0.{at}:9100"}, float(at % 100 != 7), 0.0


def rules(count: int) -> list[dict[str, Any]]:
    """So many alerting rules as Prometheus writes them."""
    kinds = [*[_threshold] * 30, *[_rate] * 25, *[_sum] * 20, *[_join] * 15, *[_other] * 10]
    dice = random.Random(11)
    dice.shuffle(kinds)
    return [_rule(at, kinds[at % 100](at)) for at in range(count)]


def _rule(at: int, expr: str) -> dict[str, Any]:
    notes = {"summary": "{{ $labels.namespace }} is at {{ $value | humanize }}", "description": f"rule {at}"}
    labels = {"severity": ("critical", "warning")[at % 2], "team": f"t{at % 7}"}
    return {"alert": f"Bench{at}", "expr": expr, "for": "1m", "labels": labels, "annotations": notes}


def _threshold(at: int) -> str:
    return (
        f'up{{job="j{at % 25}"}} == 0',
        f'kube_pod_status_ready{{namespace="n{at % SPACES}"}} == 0',
        f'container_memory_working_set_bytes{{namespace="n{at % SPACES}", node="w{at % 50}"}} > {2e9 + at}',
    )[at % 3]


def _rate(at: int) -> str:
    return (
        f'rate(http_requests_total{{service="s{at % SERVICES}", code="500"}}[5m]) > {1 + at / 1000}',
        f'increase(http_requests_total{{namespace="n{at % SPACES}", code="404"}}[10m]) > {1000 + at}',
    )[at % 2]


def _sum(at: int) -> str:
    space = f'{{namespace="n{at % SPACES}"}}'
    return (
        f"sum by (namespace, node) (rate(container_cpu_usage_seconds_total{space}[5m])) > {90 + at}",
        f"sum by (service) (rate(http_requests_total{space}[5m])) > {900 + at}",
        f"avg by (namespace) (container_memory_working_set_bytes{space}) > {2e9 + at}",
    )[at % 3]


def _join(at: int) -> str:
    space = f'namespace="n{at % SPACES}"'
    errors, all_of_them = f'http_requests_total{{{space}, code=~"5.."}}', f"http_requests_total{{{space}}}"
    used, ready = f"container_memory_working_set_bytes{{{space}}}", f"kube_pod_status_ready{{{space}}}"
    return (
        f"kube_deployment_spec_replicas{{{space}}} != kube_deployment_status_replicas_available{{{space}}}",
        f"sum by (service) (rate({errors}[5m])) / sum by (service) (rate({all_of_them}[5m])) > 0.{20 + at % 50}",
        f"{used} * on (namespace, pod) group_left () {ready} > {2e9 + at}",
    )[at % 3]


def _other(at: int) -> str:
    buckets = f'http_request_duration_seconds_bucket{{service="s{at % SERVICES}"}}'
    used = f'container_memory_working_set_bytes{{namespace="n{at % SPACES}", node="w{at % 50}"}}'
    return (
        f"histogram_quantile(0.99, sum by (le, service) (rate({buckets}[5m]))) > {5 + at}",
        f"predict_linear({used}[15m], 3600) > {4e9 + at}",
        f'absent(up{{job="j{at % 25}"}})',
    )[at % 3]
