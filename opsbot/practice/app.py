"""The faulty app: load and the ready replicas of the cluster come in; metrics for Prometheus and pod logs go out.

It reads the cluster over HTTP with a token, once a second; where its pods cannot log, it tells Events in their place.
It listens on loopback only: GET /metrics, GET /load,
POST /load with the new number of tasks a second. When it cannot read the cluster, it says so (503) and shows no metric.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opsbot.core.errors import PermanentError
from opsbot.practice.load import QUIET, SERVED_PER_REPLICA, Pressure, log_lines, spread
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access

MOST_TASKS = 100_000.0
PODS = f"/api/v1/namespaces/{{}}/pods?labelSelector={quote('app=agents')}"
EVENTS = "/api/v1/namespaces/{}/events"


class App:
    """What the app knows: its load, and which replicas are ready (None: it cannot see them)."""

    def __init__(self, tasks: float, namespace: str = "agents") -> None:
        self.tasks = tasks
        self.namespace = namespace
        self.ready: tuple[str, ...] | None = None

    @property
    def pressure(self) -> Pressure:
        """The load on the replicas as last seen."""
        return Pressure(self.tasks, len(self.ready or ()))


def ready_pods(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the ready pods of a pod list, in order."""
    return tuple(sorted(pod["metadata"]["name"] for pod in answer.get("items") or () if _is_ready(pod)))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def metrics(app: App) -> str:
    """The text exposition: one `response_time` (milliseconds) for each ready replica, and the whole queue."""
    pressure, pods = app.pressure, app.ready or ("none",)
    where = f'namespace="{app.namespace}",deployment="agents"'
    times = [
        f'response_time{{{where},pod="{pod}"}} {pressure.response_ms * spread(place):.1f}'
        for place, pod in enumerate(pods)
    ]
    return "\n".join([
        "# HELP response_time How long a task takes on the average, in milliseconds.", "# TYPE response_time gauge",
        *times,
        "# HELP tasks_queued Tasks that wait for a free worker.", "# TYPE tasks_queued gauge",
        f"tasks_queued {pressure.queued}",
        "# HELP tasks_per_second Tasks that come in.", "# TYPE tasks_per_second gauge",
        f"tasks_per_second {app.tasks:g}", "",
    ])  # fmt: skip


def tasks_in(text: bytes) -> float:
    """The number of tasks a second that a POST asks for; ValueError for anything that cannot be one."""
    tasks = float(text.decode("ascii"))
    if not math.isfinite(tasks) or not 0 <= tasks <= MOST_TASKS:
        raise ValueError(f"{tasks} tasks a second cannot be: 0 to {MOST_TASKS:.0f}")
    return tasks


class _Door(BaseHTTPRequestHandler):
    app: App

    def do_GET(self) -> None:
        if self.path == "/load":
            self._answer(200, f"{self.app.tasks:g}\n")
        elif self.path != "/metrics":
            self._answer(404, "GET /metrics, GET /load or POST /load\n")
        elif self.app.ready is None:
            self._answer(503, "the cluster cannot be read\n")
        else:
            self._answer(200, metrics(self.app))

    def do_POST(self) -> None:
        try:
            tasks = tasks_in(self.rfile.read(min(40, int(self.headers.get("Content-Length", "0")))))
        except ValueError as error:
            return self._answer(400, f"{error}\n")
        self.app.tasks = tasks
        return self._answer(200, f"{tasks:g}\n")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: one scrape a second is no news."""


def look(app: App, cluster: Client) -> None:
    """Ask the cluster which replicas are ready."""
    try:
        app.ready = ready_pods(cluster.get(PODS.format(app.namespace)))
    except (PermanentError, KeyError, TypeError) as error:
        app.ready = None
        print(f"the cluster cannot be read: {error}", file=sys.stderr)  # noqa: T201


def write_logs(app: App, folder: Path, now: datetime) -> None:
    """Add to the log of each ready replica what it writes in this second, in the form of a container runtime (CRI)."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    for pod in app.ready or ():
        log = folder / f"{pod}.log"
        greeting = [] if log.exists() else [f"INFO worker started, up to {SERVED_PER_REPLICA:.0f} tasks a second"]
        with log.open("a", encoding="utf-8") as out:
            for line in (*greeting, *log_lines(app.pressure, pod, int(now.timestamp()))):
                out.write(f"{stamp} stdout F {line}\n")


def tell_events(app: App, cluster: Client, now: datetime) -> None:
    """For pods that cannot log: what one of them would complain of in this second, as an Event of that pod."""
    second, pods = int(now.timestamp()), app.ready or ()
    if not pods or not app.pressure.times_out:
        return
    pod = pods[second % len(pods)]
    try:
        cluster.create(
            EVENTS.format(app.namespace), event(app.namespace, pod, log_lines(app.pressure, pod, second)[0], now)
        )
    except PermanentError as error:
        print(f"no Event can be told: {error}", file=sys.stderr)  # noqa: T201


def event(namespace: str, pod: str, line: str, now: datetime) -> dict[str, Any]:
    """A line of a log as an Event of its pod (core/v1)."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "TaskTimedOut",
        "metadata": {"name": f"{pod}.{int(now.timestamp() * 1e6):x}", "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod},
        "message": line.removeprefix("WARN "), "source": {"component": "agents"}, "count": 1,
        "firstTimestamp": stamp, "lastTimestamp": stamp,
    }  # fmt: skip


def _serve(app: App, port_file: Path) -> None:
    door = type("Door", (_Door,), {"app": app})
    server = ThreadingHTTPServer(("127.0.0.1", 0), door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    part = port_file.with_suffix(".part")
    part.write_text(str(server.server_port))
    part.rename(port_file)


def main(words: Sequence[str] | None = None) -> None:
    """Serve until the parent has gone."""
    asked = _parser().parse_args(words)
    app, logs = App(asked.tasks, asked.namespace), asked.folder / "logs"
    cluster = Client(Access(asked.cluster, asked.token_file.read_text().strip(), asked.ca_file), timeout=2)
    logs.mkdir(exist_ok=True)
    look(app, cluster)
    _serve(app, asked.folder / "app.port")
    begun, parent, rises = time.monotonic(), os.getppid(), asked.rises_to is not None
    while os.getppid() == parent:
        if rises and time.monotonic() - begun >= asked.rises_after:
            app.tasks, rises = asked.rises_to, False
        look(app, cluster)
        if asked.events:
            tell_events(app, cluster, datetime.now(UTC))
        else:
            write_logs(app, logs, datetime.now(UTC))
        time.sleep(0.5 if app.ready is None else 1.0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m opsbot.practice.app", description=__doc__)
    parser.add_argument("--cluster", required=True, help="the API server's address")
    parser.add_argument("--folder", required=True, type=Path, help="where logs/ and app.port are written")
    parser.add_argument("--token-file", required=True, type=Path, help="holds the read token")
    parser.add_argument("--ca-file", default="", help="the certificate by which the API server is known")
    parser.add_argument("--namespace", default="agents", help="where its replicas run")
    parser.add_argument("--events", action="store_true", help="tell Events in place of logs, which nobody would serve")
    parser.add_argument("--tasks", type=float, default=QUIET, help="tasks a second at the start")
    parser.add_argument("--rises-to", type=float, help="tasks a second later")
    parser.add_argument("--rises-after", type=float, default=0.0, help="how many seconds later")
    return parser


if __name__ == "__main__":
    main()
