"""Raise a practice ground: a cluster, a real Prometheus and a faulty app, all on loopback, and take it down again.

What walks out is a folder with all that opsbot needs to watch it, and the means to make things worse. The folder and
every process are gone when the context ends, and also when this process is killed.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from opsbot.core.errors import PermanentError
from opsbot.practice import prometheus, scene
from opsbot.practice.debian import Tell
from opsbot.practice.keeper import PORT
from opsbot.practice.load import BUSY, QUIET
from opsbot.practice.plane import Making, Plane, kubeconfig
from opsbot.practice.plane.simulated import simulation
from opsbot.practice.processes import Keeper, keeping
from opsbot.practice.scene import AT_HOME, Site

PATIENCE = 60.0
"""Seconds that a program gets to be ready."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


@dataclass(frozen=True, slots=True)
class Ground:
    """A practice ground that is up. `config` is the agent_config.yaml for it; alerts.yaml stands beside it."""

    folder: Path
    config: Path
    kubeconfig: Path
    prometheus: str
    prometheus_version: str
    app: str
    plane: Plane
    keeper: Keeper
    namespace: str = scene.NAMESPACE

    @property
    def simulated(self) -> str:
        """What is real about it and what is not, in a line or some."""
        return self.plane.simulated

    def raise_load(self, tasks: float = BUSY) -> None:
        """From now on so many tasks a second come in; by default more than four replicas can do in good time."""
        if _ask(f"{self.app}/load", f"{tasks:g}".encode()) is None:
            self.check()
            raise PermanentError(f"the app does not take a load of {tasks:g} tasks a second")

    def lower_load(self) -> None:
        """Back to a load that the replicas can do."""
        self.raise_load(QUIET)

    def replicas(self) -> tuple[int, int]:
        """How many replicas of the app are wanted, and how many are ready."""
        return self.plane.replicas(self.namespace, scene.DEPLOYMENT)

    def check(self) -> None:
        """PermanentError when a part of the ground has ended by itself."""
        self.keeper.check()


def _silent(_text: str) -> None:
    """For callers that do not want to know how far it is."""


@contextmanager
def raise_ground(
    cache: Path, person: str, *, store: str = "sqlite:///opsbot.db", rises_after: float | None = None,
    plane: Making | None = None, site: Site = AT_HOME, tell: Tell = _silent,
) -> Iterator[Ground]:  # fmt: skip
    """A ground that is up and scraped, with its app at ease.

    `cache` is where a downloaded Prometheus is kept, `person` the OS user who may approve, `store` the address of
    opsbot's store (relative to the ground's folder); `plane` makes the cluster, a simulated one where it is not given,
    and `site` says where in it the scene plays.
    With `rises_after` seconds the load rises by itself, else on `raise_load()`. PermanentError says what is missing,
    or what did not come up.
    """
    program = prometheus.find(cache, tell)
    with keeping() as keeper, (plane or simulation())(keeper, scene.objects(site)) as made:
        folder = keeper.folder
        tell("starting the app")
        app = _start_app(keeper, made, site, rises_after)
        made.logs_from(folder / "logs")
        tell("starting Prometheus")
        address = _start_prometheus(keeper, program, app)
        config, access = folder / "agent_config.yaml", folder / "kubeconfig.yaml"
        config.write_text(scene.agent_config(address, person, store, site))
        tokens = {name: made.token(name) for name in ("reader", "writer")}
        kubeconfig.write(access, made.url, tokens, ca_file=made.ca_file, namespace=site.namespace)
        (folder / "alerts.yaml").write_text(scene.alerts(site))
        _write_playbooks(folder / "playbooks", site)
        tell("waiting for the first samples")  # Prometheus looks for its targets for the first time after 5 s
        _wait(keeper, "prometheus", lambda: _has_samples(address))
        yield Ground(folder, config, access, address, prometheus.version(program), f"http://{app}", made, keeper,
                     site.namespace)  # fmt: skip


def _write_playbooks(folder: Path, site: Site) -> None:
    folder.mkdir()
    for name, text in site.playbooks.items():
        (folder / name).write_text(text)


def _start_app(keeper: Keeper, plane: Plane, site: Site, rises_after: float | None) -> str:
    """HOST:PORT of the app once it listens."""
    token, port = keeper.folder / "app.token", keeper.folder / "app.port"
    token.touch(0o600)
    token.write_text(plane.token("app" if site.mute else "reader"))
    later = [] if rises_after is None else ["--rises-to", str(BUSY), "--rises-after", str(rises_after)]
    keeper.start("app", [
        sys.executable, "-m", "opsbot.practice.app",
        "--cluster", plane.url, "--folder", str(keeper.folder), "--token-file", str(token),
        "--namespace", site.namespace, *(["--events"] if site.mute else []),
        *(["--ca-file", plane.ca_file] if plane.ca_file else []), *later,
    ])  # fmt: skip
    _wait(keeper, "app", port.exists)
    return f"127.0.0.1:{port.read_text()}"


def _start_prometheus(keeper: Keeper, program: Path, app: str) -> str:
    """The URL of Prometheus once it is ready."""
    (keeper.folder / "prometheus.yml").write_text(prometheus.config(app))
    keeper.start("prometheus", prometheus.command(program, keeper.folder, PORT))
    _wait(keeper, "prometheus", lambda: _ask(f"{_url(keeper)}/-/ready") is not None)
    return _url(keeper)


def _url(keeper: Keeper) -> str:
    return f"http://127.0.0.1:{keeper.port('prometheus') or 0}"


def _has_samples(address: str) -> bool:
    said = _ask(f"{address}/api/v1/query?query={quote('count(response_time)')}")
    return bool(said and json.loads(said)["data"]["result"])


def _wait(keeper: Keeper, program: str, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():
        keeper.check()
        if time.monotonic() > until:
            raise PermanentError(f"{program} was not ready after {PATIENCE:.0f} s: {keeper.last_words(program)}")
        time.sleep(0.05)


def _ask(url: str, body: bytes | None = None) -> bytes | None:
    """What an address on loopback answers; None while it does not answer well."""
    try:
        with _DIRECT.open(urllib.request.Request(url, data=body), timeout=5) as answer:
            content: bytes = answer.read()
            return content
    except (OSError, http.client.HTTPException):
        return None
