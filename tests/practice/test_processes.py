"""The keeper: whatever way the parent ends, its programs and its folder are gone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice.keeper import ASKED, PORT, TRIES, last_words, manner
from opsbot.practice.processes import Keeper, damaged, keeping, room

SLEEPER = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
STUBBORN = [sys.executable, "-c", (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True);"
    " time.sleep(600)"
)]  # fmt: skip


def eventually(true: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """One look, which itself may find it gone: before the file is opened, or between that and the reading."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def pid_in(log: Path) -> int:
    eventually(lambda: log.exists() and log.read_text().strip() != "")
    return int(log.read_text())


@pytest.mark.parametrize("command", [pytest.param(SLEEPER, id="obedient"), pytest.param(STUBBORN, id="stubborn")])
def test_programs_and_folder_end_with_the_context(command: list[str]) -> None:
    with keeping() as keeper:
        keeper.start("one", command)
        keeper.start("two", SLEEPER)
        pids = [pid_in(keeper.folder / "one.log"), pid_in(keeper.folder / "two.log"), keeper.pid]
        assert all(alive(pid) for pid in pids)
        assert keeper.folder.stat().st_mode & 0o077 == 0
    assert not any(alive(pid) for pid in pids)
    assert not keeper.folder.exists()


def test_one_program_is_stopped_and_the_others_go_on() -> None:
    with keeping() as keeper:
        keeper.start("one", STUBBORN)
        keeper.start("two", SLEEPER)
        first, second = (pid_in(keeper.folder / f"{name}.log") for name in ("one", "two"))
        keeper.stop("one")
        eventually(lambda: not alive(first))
        keeper.start("one", SLEEPER)
        keeper.check()
        assert alive(second)


def _fail_inside(seen: list[Path]) -> None:
    with keeping() as keeper:
        seen.append(keeper.folder)
        keeper.start("one", SLEEPER)
        pid_in(keeper.folder / "one.log")
        raise ValueError("in the middle")


def test_an_exception_is_passed_on_and_nothing_stays() -> None:
    seen = list[Path]()
    with pytest.raises(ValueError, match="in the middle"):
        _fail_inside(seen)
    assert not seen[0].exists()


def _check_for_ever(keeper: Keeper) -> None:
    for _ in range(200):
        keeper.check()
        time.sleep(0.05)


@pytest.mark.parametrize(("command", "words"), [
    pytest.param([sys.executable, "-c", "import sys; sys.exit('no such luck')"],
                 "one ended with code 1.*: no such luck",
                 id="with words"),
    pytest.param(["/bin/false"], "one ended with code 1 soon after its start: it said nothing", id="without a word"),
    pytest.param(["/bin/sh", "-c", "echo so far so good; kill -9 $$"],
                 "one was killed by signal 9.*: so far so good",
                 id="killed"),
    pytest.param(["/no/such/program"], "one cannot be started: ", id="cannot be started"),
])  # fmt: skip
def test_a_program_that_ends_by_itself_is_told(command: list[str], words: str) -> None:
    with keeping() as keeper:
        keeper.start("one", command)
        with pytest.raises(PermanentError, match=words):
            _check_for_ever(keeper)
        with pytest.raises(PermanentError):
            keeper.start("two", SLEEPER)
    assert not keeper.folder.exists()


PARENT = """
import signal, sys, time
from opsbot.practice.processes import Keeper, keeping
# Whoever runs the tests may ignore these, as nohup and background shells do, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
with keeping() as keeper:
    keeper.start("one", {command!r})
    print(keeper.folder, keeper.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("number", "command"), [
    pytest.param(signal.SIGINT, SLEEPER, id="SIGINT"),
    pytest.param(signal.SIGTERM, SLEEPER, id="SIGTERM"),
    pytest.param(signal.SIGHUP, SLEEPER, id="SIGHUP"),
    pytest.param(signal.SIGKILL, SLEEPER, id="SIGKILL"),
    pytest.param(signal.SIGKILL, STUBBORN, id="SIGKILL, stubborn"),
])  # fmt: skip
def test_a_parent_that_is_killed(number: int, command: list[str]) -> None:
    text = PARENT.format(command=command)
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout
        said = parent.stdout.readline().split()
        folder, keeper = Path(said[0].decode()), int(said[1])
        program = pid_in(folder / "one.log")
        parent.send_signal(number)
    eventually(lambda: not alive(program) and not alive(keeper) and not folder.exists())


def test_a_keeper_that_is_killed_takes_its_programs_along() -> None:
    with keeping() as keeper:
        keeper.start("one", STUBBORN)
        program = pid_in(keeper.folder / "one.log")
        os.kill(keeper.pid, signal.SIGKILL)
        eventually(lambda: not alive(program))
    assert not keeper.folder.exists(), "then its parent cleans up"


# ports --------------------------------------------------------------------------------------------------------------

LISTENER = """
import os, socket, sys, time
port, rude = int(sys.argv[1]), {rude}
with open("ports", "a") as seen:
    print(port, file=seen)
if sum(1 for _ in open("ports")) <= rude:
    print("listen tcp 127.0.0.1:%d: bind: address already in use" % port)
    sys.exit(1)
with socket.create_server(("127.0.0.1", port)):
    time.sleep(600)
"""


def listener(rude: int) -> list[str]:
    """A server for which the first `rude` ports are taken by somebody else."""
    return [sys.executable, "-c", LISTENER.format(rude=rude), PORT]


def tried(keeper: Keeper) -> list[int]:
    file = keeper.folder / "ports"
    return list(map(int, file.read_text().split())) if file.exists() else []


@pytest.mark.parametrize("rude", [0, 1, TRIES - 1], ids=["free", "taken once", "taken as often as may be"])
def test_a_program_gets_a_port_of_its_own(rude: int) -> None:
    with keeping() as keeper:
        assert keeper.port("one") is None
        keeper.start("one", listener(rude))
        eventually(lambda: len(tried(keeper)) == rude + 1)
        ports = tried(keeper)
        assert keeper.port("one") == ports[-1]
        keeper.check()


def test_ports_that_are_always_taken_are_given_up() -> None:
    with keeping() as keeper:
        keeper.start("one", listener(TRIES))
        with pytest.raises(PermanentError, match=r"one ended with code 1 .*: listen tcp .* address already in use"):
            _check_for_ever(keeper)


def test_a_program_without_a_port_is_not_tried_again(tmp_path: Path) -> None:
    words = f"open({str(tmp_path / 'seen')!r}, 'a').write('x'); raise SystemExit('address already in use')"
    with keeping() as keeper:
        keeper.start("one", [sys.executable, "-c", words])
        with pytest.raises(PermanentError, match=r"one ended with code 1 .*: address already in use"):
            _check_for_ever(keeper)
    assert (tmp_path / "seen").read_text() == "x"


# notes, locks, and what stays ---------------------------------------------------------------------------------------

STAYER = """
import fcntl, os, signal, sys, time
from pathlib import Path
from opsbot.practice.processes import keeping
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
note = Path(sys.argv[1])
lock = os.open(note.parent, os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
with keeping(held=(lock,)) as keeper:
    keeper.note(note)
    note.write_text('{"mine": 1}')
    keeper.start("one", %r)
    while not (keeper.folder / "one.log").exists() or not (keeper.folder / "one.log").read_text():
        time.sleep(0.05)
    if "stay" in sys.argv:
        keeper.stay(note)
    print(keeper.folder, keeper.pid, (keeper.folder / "one.log").read_text().strip(), flush=True)
    if "wait" in sys.argv:
        time.sleep(600)
"""


@dataclass
class Stayer:
    """A process that raised something and said where; `note` is in a folder whose lock its keeper holds."""

    process: subprocess.Popen[bytes]
    folder: Path
    keeper: int
    program: int
    note: Path

    def locked(self) -> bool:
        descriptor = os.open(self.note.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def gone(self) -> bool:
        return not (alive(self.program) or alive(self.keeper) or self.folder.exists() or self.locked())


@pytest.fixture
def stayer(tmp_path: Path) -> Iterator[Callable[..., Stayer]]:
    made: list[Stayer] = []

    def start(*words: str, command: list[str] = SLEEPER) -> Stayer:
        note = tmp_path / "note.json"
        text = [sys.executable, "-c", STAYER % command, str(note), *words]
        process = subprocess.Popen(text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        assert process.stdout
        said = process.stdout.readline().split()
        made.append(Stayer(process, Path(said[0].decode()), int(said[1]), int(said[2]), note))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.communicate()
        with suppress(ProcessLookupError):
            os.kill(one.keeper, signal.SIGTERM)
        eventually(one.gone)


def test_what_stays_outlives_its_parent_until_a_signal(stayer: Callable[..., Stayer]) -> None:
    one = stayer("stay")
    assert one.process.communicate(timeout=20) == (b"", b""), "nobody holds the pipes of the terminal"
    time.sleep(0.5)
    assert alive(one.program)
    assert alive(one.keeper)
    assert one.locked()
    assert one.note.exists()
    os.kill(one.keeper, signal.SIGTERM)
    eventually(one.gone)
    assert not one.note.exists()


def test_what_stays_does_not_mind_that_the_terminal_is_closed(stayer: Callable[..., Stayer]) -> None:
    one = stayer("stay", "wait")
    os.killpg(one.process.pid, signal.SIGHUP)
    one.process.communicate(timeout=20)
    os.kill(one.keeper, signal.SIGHUP)
    time.sleep(0.5)
    assert alive(one.program)
    assert one.locked()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP], ids=["INT", "KILL", "HUP"])
def test_what_was_not_told_to_stay_goes_with_its_note(stayer: Callable[..., Stayer], number: int) -> None:
    one = stayer("wait")
    assert one.locked()
    one.process.send_signal(number)
    one.process.communicate(timeout=20)
    eventually(lambda: one.gone() and not one.note.exists())


def test_the_note_of_what_broke_says_why(stayer: Callable[..., Stayer]) -> None:
    one = stayer("stay")
    one.process.communicate(timeout=20)
    os.kill(one.program, signal.SIGKILL)
    eventually(one.gone)
    said = json.loads(one.note.read_text())
    assert said["mine"] == 1
    assert said["ended"].startswith("one was killed by signal 9")


def test_a_keeper_that_stays_and_is_killed_takes_its_programs_along(stayer: Callable[..., Stayer]) -> None:
    one = stayer("stay", command=STUBBORN)
    one.process.communicate(timeout=20)
    os.kill(one.keeper, signal.SIGKILL)
    eventually(lambda: not alive(one.program) and not one.locked())
    assert one.note.exists(), "whoever comes next learns where the folder is"
    shutil.rmtree(one.folder)


# last words ---------------------------------------------------------------------------------------------------------

PANIC = """\
{"level":"warn","ts":"2026-11-23T00:36:27Z","caller":"wal/wal.go:147","msg":"no WAL","error":"no space left on device"}
panic: failed to create WAL

goroutine 1 [running]:
go.uber.org/zap/zapcore.CheckWriteAction.OnWrite(0x2)
main.main()
"""


@pytest.mark.parametrize(("text", "words"), [
    pytest.param("", "it said nothing", id="nothing"),
    pytest.param("\n \n", "it said nothing", id="blanks"),
    pytest.param("\n".join("abcdefghi"), "d | e | f | g | h | i", id="the last six"),
    pytest.param(PANIC, "no WAL: no space left on device | panic: failed to create WAL", id="a panic in Go"),
    pytest.param('{"msg":"Failed to run server","err":"bind: address already in use"}\n',
                 "Failed to run server: bind: address already in use", id="JSON"),
    pytest.param('{"other":1}\n[1]\n"x"\n7\nnull', '{"other":1} | [1] | "x" | 7 | null', id="other JSON"),
    pytest.param('E1123 02:10:13.128759    5325 run.go:72] "command failed" err="why"',
                 'run.go:72] "command failed" err="why"',
                 id="a program of Kubernetes"),
    pytest.param(f"{'x' * 10_000}: no space left", f"{'x' * 148} .. {'x' * 133}: no space left", id="a long line"),
    pytest.param("\n".join(f"E1123 01:{n:02} {n} watch.go:7] cannot watch" for n in range(40)) + "\nthe end",
                 "watch.go:7] cannot watch | the end", id="the same again and again"),
    pytest.param("\n".join(letter * 120 for letter in "abc"), f"{'b' * 120} | {'c' * 120}", id="several long lines"),
    pytest.param("\n".join(["write x: no space left on device", *(letter * 120 for letter in "abc")]),
                 f"write x: no space left on device | {'b' * 120} | {'c' * 120}", id="the cause before long lines"),
    pytest.param("\n".join(["no space left on device", "b" * 290]), "no space left on device", id="the cause alone"),
])  # fmt: skip
def test_last_words(tmp_path: Path, text: str, words: str) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_words(log) == words


@pytest.mark.parametrize(
    ("code", "says"), [(0, "ended with code 0"), (1, "ended with code 1"), (-9, "was killed by signal 9")]
)
def test_how_a_program_ended(code: int, says: str) -> None:
    assert manner(code) == says


@pytest.mark.parametrize(("said", "is_damaged"), [
    ("kwok ended with code 1 soon after its start: it said nothing", True),
    ("kwok was killed by signal 11 soon after its start: it said nothing", True),
    ("kwok was killed by signal 9 soon after its start: it said nothing", False),
    ("kwok was killed by signal 15 soon after its start: it said nothing", False),
    ("kwok ended with code 1: it said nothing", False),
    ("kwok ended with code 1 soon after its start: no flag of that name", False),
    ("kwok ended with code 126 soon after its start: env: kwok: Exec format error", True),
    ("kwok ended with code 127: kwok: 1: ELF: not found", True),
    ("kwok cannot be started: Exec format error", True),
    (ASKED, False),
])  # fmt: skip
def test_what_may_be_damaged(said: str, is_damaged: bool) -> None:
    assert damaged(said) == is_damaged


@pytest.mark.parametrize(("mend", "words"), [
    ("remove x", "it said nothing. To go on: remove x$"), ("", "it said nothing$"),
])  # fmt: skip
def test_a_damaged_program_comes_with_a_way_to_go_on(mend: str, words: str) -> None:
    with keeping() as keeper:
        keeper.start("one", ["/bin/false"], mend)
        with pytest.raises(PermanentError, match=words):
            _check_for_ever(keeper)
        with pytest.raises(PermanentError, match=words):
            keeper.check()


def _meet(error: Exception, command: list[str]) -> None:
    with keeping() as keeper:
        keeper.start("one", command)
        raise error


@pytest.mark.parametrize("error", [
    pytest.param(PermanentError("no answer"), id="no answer"), pytest.param(FileNotFoundError("x"), id="no folder"),
])  # fmt: skip
def test_an_error_that_comes_of_a_programs_end_is_told_as_that(error: Exception) -> None:
    with pytest.raises(PermanentError, match=r"broken down: one ended with code 3.*: why"):
        _meet(error, ["/bin/sh", "-c", "echo why; exit 3"])


@pytest.mark.parametrize("error", [PermanentError("no answer"), FileNotFoundError("x")], ids=["no answer", "no folder"])
def test_an_error_of_its_own_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)) as met:
        _meet(error, SLEEPER)
    assert met.value is error


def test_a_keeper_that_is_asked_to_end_says_so() -> None:
    with keeping() as keeper:
        keeper.start("one", SLEEPER)
        os.kill(keeper.pid, signal.SIGTERM)
        with pytest.raises(PermanentError, match=r"broken down: it was asked to end \(opsbot practice down\)$"):
            _check_for_ever(keeper)


def test_no_log_has_no_last_words(tmp_path: Path) -> None:
    assert last_words(tmp_path / "log") == "it left no log"
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert last_words(tmp_path / "bytes")


@pytest.mark.parametrize("said", ["write x: no space left on device", "cannot be started: No space left on device"])
def test_a_full_disk_comes_with_a_hint(tmp_path: Path, said: str) -> None:
    command = [sys.executable, "-c", f"import sys; sys.exit({said!r})"]
    with keeping() as keeper:
        keeper.start("one", command)
        with pytest.raises(PermanentError, match=r"The disk is full at .*To go on: make room"):
            _check_for_ever(keeper)
    assert room("something else", tmp_path) == ""


def test_a_second_signal_does_not_break_off_the_cleaning_up(stayer: Callable[..., Stayer]) -> None:
    one = stayer("stay", command=STUBBORN)
    one.process.communicate(timeout=20)
    for _ in range(20):
        os.kill(one.keeper, signal.SIGTERM)
        time.sleep(0.05)
    eventually(one.gone)
    assert not one.note.exists()
