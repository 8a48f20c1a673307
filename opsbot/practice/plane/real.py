"""A real control plane: built programs and accounts in, an API server on loopback with nodes that take pods out.

Its programs run under a keeper, so that they and their folder are gone however this process ends.
"""

from __future__ import annotations

import errno
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from opsbot.core.errors import PermanentError
from opsbot.practice.debian import Tell
from opsbot.practice.keeper import FULL
from opsbot.practice.plane import Accounts, Making, audit, kubeconfig, programs, rbac, setup
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.logs import LogBook
from opsbot.practice.plane.versions import answers
from opsbot.practice.processes import Keeper, room
from opsbot.practice.recipes import PLANE, built
from opsbot.testing.cluster import Write

PATIENCE = 60.0
"""Seconds that a program gets to be ready; a loaded machine may need many times what an idle one does."""

NEEDED = 200
"""Megabytes of disk that have to be free; 130 are filled at the start."""

ADMIN, GROUND = "admin", "practice-ground"
"""Who may do everything: `admin` is for people and tests, the other is the plane's own hand, which is not audited."""

MASTERS = {ADMIN: "system:masters", GROUND: "system:masters", "kwok": "system:masters"}
CONTROLLERS, SCHEDULER = "system:kube-controller-manager", "system:kube-scheduler"
OWN = (GROUND, "kwok", CONTROLLERS, SCHEDULER, "system:apiserver")
KUBECONFIG = "plane.kubeconfig"


ETCD, APISERVER, KWOK = "etcd", "kube-apiserver", "kwok"
MANAGER, PLACING = "kube-controller-manager", "kube-scheduler"


class RealPlane:
    """The door to a plane that is up. `kubeconfig` has the contexts admin, reader and writer."""

    simulated = f"A real control plane: {PLANE.version}. Its nodes and pods are kwok's: no container runs."

    def __init__(self, keeper: Keeper, tokens: Mapping[str, str]) -> None:
        self._keeper, self._tokens = keeper, tokens
        self.folder = keeper.folder
        self.kubeconfig = self.folder / KUBECONFIG
        self.url, self.ca_file = _address(keeper), str(self.folder / programs.CERTIFICATE)
        self._own = self.client(GROUND)
        self._logs = LogBook(self._own)

    def token(self, account: str) -> str:
        """The bearer token of an account."""
        return self._tokens[account]

    def client(self, account: str = ADMIN) -> Client:
        """A door to the API server for an account."""
        return Client(Access(self.url, self.token(account), self.ca_file))

    def check(self) -> None:
        """PermanentError when one of its programs has ended by itself."""
        self._keeper.check()

    def apply(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Make these objects, and wait until the Deployments among them are ready; not audited."""
        setup.apply(self._own, objects, partial(_until, self._keeper))

    def replicas(self, namespace: str, deployment: str) -> tuple[int, int]:
        """Wanted and ready; none of either where there is no such Deployment."""
        return setup.replicas(self._own, namespace, deployment)

    def writes(self) -> Sequence[Write]:
        """All so far but those of the plane's own programs, dry runs and refused ones too; `account` is the user.

        The server writes its log when it has answered: a write may show a moment later.
        """
        return audit.writes(audit.events(self.folder))

    def used(self, account: str) -> frozenset[tuple[str, str]]:
        """The rights that an account has made use of so far, as (verb, resource)."""
        return audit.used(audit.events(self.folder), account)

    def logs_from(self, folder: Path) -> None:
        """Serve pod logs from `POD.log` files in this folder, those of pods to come too."""
        self._logs.follow(folder)

    def end(self) -> None:
        """Stop what runs in this process."""
        self._logs.end()


def _address(keeper: Keeper) -> str:
    return f"https://127.0.0.1:{keeper.port(APISERVER) or 0}"


def find(cache: Path) -> Path:
    """The folder of the plane's programs; PermanentError with what to do where they are not built."""
    there = built(PLANE, cache)
    if there is None:
        raise PermanentError(
            f"the control plane ({PLANE.version}) is not built on this machine."
            f" To go on: run `opsbot practice build plane` (once, about {PLANE.minutes} minutes)."
        )
    return there


@contextmanager
def real(cache: Path, accounts: Accounts, keeper: Keeper, tell: Tell) -> Iterator[RealPlane]:
    """A plane with three ready nodes, and with these accounts besides `admin`, who may do exactly what they are given.

    PermanentError says what is not there, or what did not come up.
    """
    there = find(cache)
    _check_room(keeper.folder)
    tokens = {name: secrets.token_urlsafe(24) for name in (*MASTERS, *accounts, CONTROLLERS, SCHEDULER)}
    try:
        _prepare(keeper.folder, there, tokens, list(accounts))
        plane = _start(keeper, there, tokens, tell)
        setup.prepare(plane.client(GROUND), rbac.objects(accounts), partial(_until, keeper))
        for name in (MANAGER, PLACING, KWOK):
            _until(keeper, name, partial(answers, keeper.folder, name))
    except OSError as error:
        raise PermanentError(_of_system(error, keeper.folder, there)) from error
    try:
        yield plane
    finally:
        plane.end()


def on_real(cache: Path, accounts: Accounts, tell: Tell) -> Making:
    """For `raise_ground`: makes a real plane with these accounts."""

    @contextmanager
    def make(keeper: Keeper, objects: Sequence[Mapping[str, Any]]) -> Iterator[RealPlane]:
        with real(cache, accounts, keeper, tell) as plane:
            tell("starting the workloads")
            plane.apply(objects)
            yield plane

    return make


def _prepare(folder: Path, there: Path, tokens: Mapping[str, str], accounts: Sequence[str]) -> None:
    """All files that the programs read, but the kubeconfigs: these need the server's port."""
    try:
        programs.certify(folder, there)
    except PermanentError as error:
        hint = f". To go on: {_mend(there)}" if ": exit code" in str(error) else ""  # it ended without a word
        raise PermanentError(f"{error}{hint}") from error
    secret = folder / "tokens.csv"
    secret.touch(0o600)
    secret.write_text(programs.tokens_file(tokens, MASTERS))
    (folder / "audit.yaml").write_text(programs.audit_policy(accounts, OWN))


def _check_room(folder: Path) -> None:
    try:
        free = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        raise PermanentError(f"the plane cannot be started: {folder}: {error.strerror or error}") from error
    if free < NEEDED:
        raise PermanentError(
            f"the plane cannot be started: it needs {NEEDED} MB of disk, and {free:.0f} MB are free{room(FULL, folder)}"
        )


def _mend(there: Path) -> str:
    """What to do about a program that is damaged."""
    return f"remove {there.parent} and run `opsbot practice build plane`"


def _start(keeper: Keeper, there: Path, tokens: Mapping[str, str], tell: Tell) -> RealPlane:
    folder, mend = keeper.folder, _mend(there)
    tell("starting etcd and the API server")
    keeper.start(ETCD, programs.etcd(folder, there), mend)
    _until(keeper, ETCD, (folder / programs.SOCKET).exists)
    keeper.start(APISERVER, programs.apiserver(folder, there), mend)
    _until(keeper, APISERVER, lambda: _ready(keeper, tokens[GROUND]))
    plane = RealPlane(keeper, tokens)
    setup.define_logs(plane.client(GROUND))
    tell("starting controllers, scheduler and nodes")
    _write_kubeconfigs(plane, tokens)
    keeper.start(MANAGER, programs.controllers(folder, there), mend)
    keeper.start(PLACING, programs.scheduler(folder, there), mend)
    keeper.start(KWOK, programs.kwok(folder, there), mend)
    return plane


def _write_kubeconfigs(plane: RealPlane, tokens: Mapping[str, str]) -> None:
    own = {"controllers": CONTROLLERS, "scheduler": SCHEDULER, "kwok": "kwok"}
    for name, user in own.items():
        kubeconfig.write(plane.folder / f"{name}.kubeconfig", plane.url, {user: tokens[user]}, ca_file=plane.ca_file)
    people = {name: token for name, token in tokens.items() if name not in OWN}
    kubeconfig.write(plane.kubeconfig, plane.url, people, ca_file=plane.ca_file)


def _ready(keeper: Keeper, token: str) -> bool:
    """Whether our own server answers at the port of the moment: another one there has not its certificate."""
    if keeper.port(APISERVER) is None:
        return False
    try:
        access = Access(_address(keeper), token, str(keeper.folder / programs.CERTIFICATE))
        return Client(access).raw("GET", "/readyz") == b"ok"
    except PermanentError:
        return False


def _until(keeper: Keeper, program: str, true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        keeper.check()
        if time.monotonic() > until:
            raise PermanentError(f"{program} was not ready after {PATIENCE:.0f} s: {keeper.last_words(program)}")
        time.sleep(0.05)


def _of_system(error: OSError, folder: Path, there: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"the plane cannot be started{room(FULL, folder)}"
    hint = f". To go on: {_mend(there)}" if error.errno == errno.ENOEXEC else ""
    return f"the plane cannot be started: {error.filename or folder}: {error.strerror or error}{hint}"
