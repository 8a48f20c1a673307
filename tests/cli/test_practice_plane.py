"""`opsbot practice up`, `down` and `status` as processes: each command is another terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opsbot.config import cache_folder
from opsbot.practice.recipes import PLANE, built

OPSBOT = [sys.executable, "-m", "opsbot", "practice"]


def eventually(true: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


@dataclass
class Machine:
    """A cache and a place for temporary files of its own: what stays behind is seen there."""

    cache: Path
    temporary: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache.parent), "TMPDIR": str(self.temporary)}

    def run(self, *words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*OPSBOT, *words], env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words: str) -> tuple[int, Any]:
        code, out, _ = self.run(*words, "--format", "json")
        return code, json.loads(out)

    def start(self, *words: str, **how: Any) -> subprocess.Popen[bytes]:
        self.started.append(subprocess.Popen([*OPSBOT, *words], env=self.environment, **how))
        return self.started[-1]

    def left(self) -> list[str]:
        """Whatever is still there that was not before `up`; processes are known by where they work."""
        files = [
            str(place) for place in (*self.temporary.iterdir(), *self.cache.glob("plane.*"), *self.cache.glob(".*"))
        ]
        return files + [str(place) for place in Path("/proc").glob("[0-9]*") if self._works_here(place)]

    def _works_here(self, place: Path) -> bool:
        try:
            return (place / "cwd").readlink().is_relative_to(self.temporary)
        except OSError:
            return False


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "cache" / "opsbot", tmp_path / "tmp")
    made.cache.mkdir(parents=True)
    made.temporary.mkdir()
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.run("down")
    eventually(lambda: made.left() == [])


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A machine on which the programs are built."""
    home = PLANE.home(cache_folder())
    if built(PLANE, cache_folder()) is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build plane` makes it")
    (machine.cache / home.name).symlink_to(home)
    return machine


# nothing is up ------------------------------------------------------------------------------------------------------


def test_nothing_is_up(machine: Machine) -> None:
    assert machine.run("status") == (1, "no plane is up: `opsbot practice up` raises one\n", "")
    assert machine.ask("status") == (1, {"state": "none"})
    assert machine.run("down") == (0, "no plane was up\n", "")
    assert machine.ask("down") == (0, {"ended": None})


def test_without_programs_it_says_how_to_get_them(machine: Machine) -> None:
    code, out, err = machine.run("up")
    assert (code, out) == (2, "")
    assert "is not built on this machine. To go on: run `opsbot practice build plane`" in err
    assert "Traceback" not in err
    assert machine.left() == []


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_a_cache_that_is_no_folder(machine: Machine, verb: str) -> None:
    machine.cache.rmdir()
    machine.cache.write_text("")
    code, _, err = machine.run(verb)
    assert code == 2
    assert err.startswith("opsbot: ")
    assert "Traceback" not in err
    machine.cache.unlink()
    machine.cache.mkdir()


# a real one ---------------------------------------------------------------------------------------------------------

real = [pytest.mark.plane, pytest.mark.real("kubernetes")]


def of(mark: Any) -> Any:
    for one in real:
        mark = one(mark)
    return mark


@of
def test_up_is_found_from_every_terminal_until_down(ready: Machine) -> None:
    code, out, err = ready.run("up")
    assert (code, err) == (0, "")
    status, said = ready.ask("status")
    assert (status, said["state"]) == (0, "up"), said["versions"]
    assert f"export KUBECONFIG={said['kubeconfig']}" in out
    assert f"alias kubectl={said['kubectl']}" in out
    assert set(said["versions"].values()) <= {"v1.36.3", "v3.6.11", "v0.8.0"}
    assert said["contexts"] == ["admin", "reader", "writer"]
    assert nodes(said, "--context", "reader", expected=1) == ""
    assert nodes(said).count(" Ready ") == 3
    assert [line.split()[-1] for line in ready.run("status")[1].splitlines() if line.strip().startswith("etcd")] == [
        "v3.6.11"
    ]
    code, out, err = ready.run("up")
    assert (code, out) == (1, "")
    assert f"a plane is up already, since {said['since']}, at {said['server']}" in err
    assert ready.ask("up")[0] == 1
    assert ready.run("down") == (0, f"the plane at {said['server']} is down\n", "")
    assert ready.left() == []
    assert ready.run("status")[0] == 1


def nodes(said: dict[str, Any], *words: str, expected: int = 0) -> str:
    """What kubectl prints, started as the user was told."""
    command = [said["kubectl"], "get", "nodes", "--cache-dir", f"{said['folder']}/kubectl", *words]
    environment = {"KUBECONFIG": said["kubeconfig"], "PATH": "/usr/bin:/bin", "HOME": said["folder"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expected, done.stderr
    return done.stdout


@of
def test_it_stays_up_when_the_terminal_is_closed(ready: Machine) -> None:
    ours, theirs = pty.openpty()
    process = ready.start("up", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = b""
    while b"ends it" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    assert process.wait(30) == 0
    time.sleep(1)
    assert ready.ask("status")[1]["state"] == "up"


@of
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["INT", "TERM", "KILL"])
def test_broken_off_it_leaves_nothing(ready: Machine, number: int) -> None:
    process = ready.start("up", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    eventually(lambda: any(ready.temporary.glob("*/kube-apiserver.log")))
    assert ready.ask("status") == (1, {"state": "rising"})
    process.send_signal(number)
    process.communicate(timeout=30)
    eventually(lambda: ready.left() == [])
    assert ready.ask("status") == (1, {"state": "none"})


@of
def test_down_ends_one_that_is_being_raised(ready: Machine) -> None:
    process = ready.start("up", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    eventually(lambda: any(ready.temporary.glob("*/kube-apiserver.log")))
    assert ready.run("down")[0] == 0
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"Traceback" not in err
    assert b"it was asked to end (opsbot practice down)" in err
    eventually(lambda: ready.left() == [])


@of
def test_a_program_that_crashes_is_named_by_status(ready: Machine) -> None:
    assert ready.run("up")[0] == 0
    folder = Path(ready.ask("status")[1]["folder"])
    victim = next(
        int(place.name) for place in Path("/proc").glob("[0-9]*") if _is(place, folder, "kube-controller-manager")
    )
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: ready.ask("status")[1]["state"] == "broken")
    code, out, err = ready.run("status")
    assert (code, err) == (1, "")
    assert "the plane broke down: kube-controller-manager was killed by signal 9" in out
    eventually(lambda: [name for name in ready.left() if not name.endswith("plane.json")] == [])
    assert ready.run("up")[0] == 0, "a second try works"


def _is(place: Path, folder: Path, name: str) -> bool:
    try:
        program = (place / "cmdline").read_text().split("\0")[0]
        return (place / "cwd").readlink() == folder and program.endswith(f"/{name}")
    except OSError:
        return False


@of
def test_a_full_disk_is_told(ready: Machine) -> None:
    """A file of the plane may not grow beyond a few kilobytes, which its programs take for a disk that is full."""
    command = ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *OPSBOT, "up"]
    done = subprocess.run(command, env=ready.environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "etcd" in done.stderr
    assert ready.left() == []
