"""A storm of pushed alerts against a real `opsbot serve`: nothing may be lost, and people must hear of it soon.

    python bench/storm.py [PUSHES [DISTINCT [SECONDS]]]

100,000 alerts of which 20,000 are distinct, as Alertmanager sends them (version 4; some requests of 1 alert, most of 20
to 100), within 60 seconds over 8 connections of another process. Prometheus, the cluster and Slack are the fake ones.
20 alerts are critical, half of them near the beginning, half of them later. Prints what was recorded, how long requests
took, what the memory of serve was, and when the first words stood in chat. The goals: all recorded, a p99 under
500 ms, under 512 MiB, 1.2 times for ten times the repetitions, first words within 10 seconds, critical ones first.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from opsbot.app import clock
from opsbot.testing.cluster import FakeCluster
from opsbot.testing.prometheus import ANY, FakePrometheus, vector
from opsbot.testing.slack import FakeSlack

CONNECTIONS = 8
CRITICAL = 20
TEXT = "The 95th percentile of response times has been above {0} ms for 10 minutes; see the dashboard of team {1}. "
RULE = "alerts: [{name: Quiet, condition: up == 0, severity: warning, actions: []}]\n"
PATH = "/webhooks/alertmanager"


# the one who pushes, a process of its own ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """A body to push `at` so many seconds after the start; `critical` are the pods of critical alerts in it."""

    body: bytes
    count: int
    at: float
    critical: tuple[str, ...]


def alert(number: int, distinct: int, since: str) -> dict[str, Any]:
    """One of the distinct alerts: of 40 rules, 200 services and as many pods as there are."""
    # Half of the critical ones come early, the others in the middle of what is new.
    critical = number % (distinct // 2) < CRITICAL // 2 + 50 and number % (distinct // 2) >= 50
    labels = {
        "alertname": f"Storm{number % 40}", "severity": "critical" if critical else ("warning", "info")[number % 2],
        "namespace": f"team-{number % 20}", "service": f"service-{number % 200}", "pod": f"service-{number:05d}-x",
        "instance": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:8080", "prometheus": "monitoring/k8s-0",
    }  # fmt: skip
    return {
        "status": "firing", "labels": labels, "startsAt": since, "endsAt": "0001-01-01T00:00:00Z",
        "annotations": {
            "summary": f"service-{number:05d} is slow",
            "description": TEXT.format(number, number % 20) * (1 + number % 3),
            "opsbot_target": f"Pod/team-{number % 20}/service-{number:05d}-x",
        },
        "generatorURL": f"http://prometheus/graph?g0.expr=up{number % 40}", "fingerprint": f"{number:016x}",
    }  # fmt: skip


def requests(pushes: int, distinct: int, seconds: float) -> list[Request]:
    """All requests in the order of their times: what is new first, then the same again and again, shuffled."""
    dice, since = random.Random(7), (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    known = [alert(number, distinct, since) for number in range(distinct)]
    order = [place % distinct for place in range(pushes)]
    again = order[distinct:]
    dice.shuffle(again)
    order[distinct:] = again
    made, place = [], 0
    while place < pushes:
        size = min(1 if dice.random() < 0.1 else dice.randint(20, 100), pushes - place)
        some = [known[number] for number in order[place : place + size]]
        critical = tuple(one["labels"]["pod"] for one in some if one["labels"]["severity"] == "critical")
        made.append(Request(payload(some), size, place / pushes * seconds, critical))
        place += size
    return made


def payload(alerts: list[dict[str, Any]]) -> bytes:
    return json.dumps({
        "version": "4", "groupKey": '{}:{alertname="storm"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "opsbot", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": alerts,
    }).encode()  # fmt: skip


@dataclass
class Pusher:
    """Sends requests over some connections, each at its time or as soon as a connection is free."""

    port: int
    token: str
    waiting: list[Request]
    lock: threading.Lock = field(default_factory=threading.Lock)
    times: list[float] = field(default_factory=list)
    taken: int = 0
    again: int = 0
    lag: float = 0.0
    criticals: dict[str, float] = field(default_factory=dict)

    def run(self, begin: float) -> None:
        self.waiting.reverse()
        threads = [threading.Thread(target=self.work, args=(begin,)) for _ in range(CONNECTIONS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def work(self, begin: float) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as line:
            while request := self.next():
                time.sleep(max(begin + request.at - time.time(), 0))
                sent = time.time()
                self.lag = max(self.lag, sent - begin - request.at)
                while self.send(line, request) != 200:
                    self.again += 1
                    time.sleep(0.5)
                with self.lock:
                    self.times.append(time.time() - sent)
                    self.taken += request.count
                    for pod in request.critical:
                        self.criticals.setdefault(pod, sent)
                    print(f"taken {self.taken}", flush=True)

    def next(self) -> Request | None:
        with self.lock:
            return self.waiting.pop() if self.waiting else None

    def send(self, line: http.client.HTTPConnection, request: Request) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        line.request("POST", PATH, request.body, headers)
        answer = line.getresponse()
        said = answer.read()
        if answer.status not in (200, 503):
            raise SystemExit(f"{answer.status}: {said!r:.300}")
        return answer.status


def push(port: str, pushes: str, distinct: str, seconds: str) -> None:
    """The process that pushes; the token comes on its standard input, what it measured goes out as JSON."""
    pusher = Pusher(int(port), sys.stdin.readline().strip(), requests(int(pushes), int(distinct), float(seconds)))
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    pusher.run(begin)
    cuts = statistics.quantiles(pusher.times, n=100)
    said = {
        "seconds": time.time() - begin, "requests": len(pusher.times), "p50": cuts[49], "p99": cuts[98],
        "most": max(pusher.times), "again": pusher.again, "lag": pusher.lag, "criticals": pusher.criticals,
    }  # fmt: skip
    print(json.dumps(said), flush=True)


# the stage ----------------------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A serve that runs, and what is around it."""

    folder: Path
    port: int
    token: str
    slack: FakeSlack
    serve: subprocess.Popen[bytes]

    def memory(self, which: str = "VmRSS") -> float:
        """MiB of serve."""
        for line in Path(f"/proc/{self.serve.pid}/status").read_text().splitlines():
            if line.startswith(f"{which}:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("serve is gone")

    def cpu(self) -> float:
        """Seconds of processor time that serve has used."""
        fields = Path(f"/proc/{self.serve.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder}/opsbot.db?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(query).fetchall()


@contextmanager
def raised() -> Iterator[Stage]:
    """A serve of its own, in a folder of its own."""
    slack, cluster, prometheus = FakeSlack(clock), FakeCluster(clock=clock), FakePrometheus()
    prometheus.says(ANY, vector())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        token, port = secrets.token_hex(16), free_port()
        urls = [stack.enter_context(fake.serve()) for fake in (prometheus, cluster, slack)]
        configured(folder, token, port, slack, urls)
        log = stack.enter_context((folder / "log").open("wb"))
        command = [sys.executable, "-m", "opsbot", "serve", "--config", str(folder / "agent_config.yaml")]
        serve = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            stage = Stage(folder, port, token, slack, serve)
            wait_ready(stage)
            yield stage
        finally:
            serve.send_signal(signal.SIGTERM)
            try:
                serve.wait(20)
            except subprocess.TimeoutExpired:
                serve.kill()
                serve.wait()
            if "STORM_LOG" in os.environ:
                Path(os.environ["STORM_LOG"]).write_bytes((folder / "log").read_bytes())


def configured(folder: Path, token: str, port: int, slack: FakeSlack, urls: Sequence[str]) -> None:
    prometheus_url, cluster_url, slack_url = urls
    secret = {"web.token": token, "bot.token": slack.bot_token, "app.token": slack.app_token, "cluster.token": "t"}
    for name, text in secret.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    said = {
        "prometheus": {"url": prometheus_url, "every": "15s"},
        "kubernetes": {"cluster": "bench", "read": {"server": cluster_url, "token_file": "cluster.token"}},
        "store": {"url": "sqlite:///opsbot.db"},
        "web": {"listen": f"127.0.0.1:{port}", "token_file": "web.token"},
        "slack": {
            "channel": slack.channel, "team": slack.team, "app": slack.app, "bot_token_file": "bot.token",
            "app_token_file": "app.token", "api_url": f"{slack_url}/api/",
        },
    }  # fmt: skip
    (folder / "agent_config.yaml").write_text(yaml.safe_dump(said))
    (folder / "alerts.yaml").write_text(RULE)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_ready(stage: Stage) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and stage.serve.poll() is None:
        with closing(http.client.HTTPConnection("127.0.0.1", stage.port, timeout=5)) as line:
            try:
                line.request("GET", "/healthz")
                if line.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
    raise SystemExit(f"serve does not answer:\n{(stage.folder / 'log').read_text()}")


# the storm ----------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What is watched while it storms: when something was there first, and MiB of memory by alerts taken."""

    begin: float
    taken: int = 0
    memory: dict[int, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    over: bool = False

    def note(self, what: str, is_so: object) -> None:
        if is_so:
            self.first.setdefault(what, time.time() - self.begin)

    def watch(self, stage: Stage) -> None:
        while not self.over:
            self.memory[self.taken] = stage.memory()
            if "incident" not in self.first or "critical" not in self.first:
                rows = stage.ask("SELECT severity FROM incidents ORDER BY id")
                self.note("incident", rows)
                self.note("critical", ("critical",) in rows)
            self.note("words", stage.slack.messages())
            time.sleep(0.1)


def main() -> None:
    given = dict(enumerate(sys.argv[1:]))
    pushes, distinct, seconds = int(given.get(0, 100_000)), int(given.get(1, 20_000)), given.get(2, "60")
    with raised() as stage:
        idle, command = stage.memory(), [sys.executable, __file__, "push", str(stage.port)]
        pusher = subprocess.Popen(
            [*command, str(pushes), str(distinct), seconds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        said, seen = storm(stage, pusher)
        settle(stage)
        show(stage, seen, said, pushes, distinct, idle)


def storm(stage: Stage, pusher: subprocess.Popen[str]) -> tuple[dict[str, Any], Seen]:
    """What the pusher has measured, and what was seen meanwhile."""
    assert pusher.stdin
    assert pusher.stdout
    pusher.stdin.write(f"{stage.token}\n")
    pusher.stdin.flush()
    assert pusher.stdout.readline() == "ready\n"
    seen = Seen(time.time() + 0.5)
    pusher.stdin.write(f"{seen.begin}\n")
    pusher.stdin.flush()
    watcher = threading.Thread(target=seen.watch, args=(stage,))
    watcher.start()
    said: dict[str, Any] = {}
    for line in pusher.stdout:
        if line.startswith("taken "):
            seen.taken = int(line.split()[1])
        else:
            said = json.loads(line)
    time.sleep(0.5)
    seen.over = True
    watcher.join()
    if pusher.wait() or not said:
        raise SystemExit("the pusher has failed")
    return said, seen


def settle(stage: Stage) -> None:
    """Until what comes of the storm has been decided: no alert waits any more, for a minute at most."""
    waiting = (
        "SELECT count(*) FROM alerts a WHERE NOT gone AND (SELECT reason FROM verdicts v "
        "WHERE v.fingerprint = a.fingerprint ORDER BY turn DESC LIMIT 1) = 'waiting'"
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and stage.ask(waiting)[0][0]:
        time.sleep(0.5)


def show(stage: Stage, seen: Seen, said: dict[str, Any], pushes: int, distinct: int, idle: float) -> None:
    (there,) = stage.ask("SELECT count(*) FROM alerts WHERE NOT gone")[0]
    (judged,) = stage.ask("SELECT count(DISTINCT fingerprint) FROM verdicts")[0]
    opened = stage.ask("SELECT id, severity, key FROM incidents ORDER BY id")
    owned = stage.ask("SELECT incident, count(*) FROM alerts GROUP BY incident ORDER BY 2 DESC LIMIT 3")
    (longest,) = stage.ask("SELECT max(length(detail)) FROM audit")[0]
    rate = pushes / said["seconds"]
    print(f"pushed {pushes} in {said['seconds']:.1f} s ({rate:.0f}/s, at most {said['lag']:.1f} s late)", end="; ")
    print(f"recorded {there} of {distinct} distinct, {judged} with a verdict")
    print(f"{said['requests']} requests: p50 {said['p50'] * 1000:.0f} ms, p99 {said['p99'] * 1000:.0f} ms", end=", ")
    print(f"most {said['most'] * 1000:.0f} ms; {said['again']} sent again after 503")
    few = distinct + (pushes - distinct) // 10
    early, late = at(seen, few), at(seen, pushes)
    print(f"memory: idle {idle:.0f} MiB, peak {stage.memory('VmHWM'):.0f} (goal 512)", end="; ")
    print(f"after {few - distinct} repetitions {early:.0f}, after {pushes - distinct} {late:.0f}", end=": ")
    print(f"{late / early:.2f} times (goal 1.2); cpu {stage.cpu():.1f} s")
    times = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in seen.first.items())
    print(f"first: {times}; {len(stage.slack.messages())} messages in chat")
    waits = sorted(waited(stage, said["criticals"]))
    print(f"critical ones, when first pushed and how long until an incident had them: {spelt(waits, seen)}")
    words = ", ".join(f"{number} {severity}" for number, severity, _ in opened[:12])
    print(f"{len(opened)} incidents: {words}; alerts by incident {owned}; longest audit detail {longest}")


def waited(stage: Stage, sent: dict[str, float]) -> Iterator[tuple[float, float]]:
    """When each critical alert was sent first, and how long it took until it belonged to an incident."""
    rows = stage.ask(
        "SELECT json_extract(body, '$.labels.pod'), (SELECT min(at) FROM verdicts v WHERE "
        "v.fingerprint = a.fingerprint AND v.incident IS NOT NULL) FROM alerts a "
        "WHERE json_extract(body, '$.severity') = 'critical'"
    )
    for pod, when in rows:
        yield sent[pod], datetime.fromisoformat(when).timestamp() - sent[pod] if when else float("inf")


def spelt(waits: list[tuple[float, float]], seen: Seen) -> str:
    """The early ones and the late ones: the first of them, and the median and the most of the waits."""
    said = []
    for some in (waits[: len(waits) // 2], waits[len(waits) // 2 :]):
        each = [wait for _, wait in some]
        said.append(f"at {some[0][0] - seen.begin:.1f} s: {statistics.median(each):.1f} s, {max(each):.1f} at most")
    return "; ".join(said)


def at(seen: Seen, taken: int) -> float:
    """The memory when so many were taken."""
    return seen.memory[min(seen.memory, key=lambda count: abs(count - taken))]


if __name__ == "__main__":
    push(*sys.argv[2:]) if sys.argv[1:2] == ["push"] else main()
