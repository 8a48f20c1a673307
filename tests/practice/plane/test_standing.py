"""The plane that stays up, seen from other terminals; here a keeper of sleepers stands for it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError, Refused
from opsbot.practice.plane import standing
from opsbot.practice.plane.standing import NOTE, State, down, found, look, up
from opsbot.practice.processes import keeping

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def quiet(_text: str) -> None:
    """Nobody wants to know."""


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + 15
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def note(cache: Path, **more: object) -> None:
    said = {"keeper": 4_000_000, "folder": "/nowhere", "programs": "/bin", "since": "s", "url": "", "ended": "", **more}
    (cache / NOTE).write_text(json.dumps(said))


@contextmanager
def held(cache: Path) -> Iterator[int]:
    descriptor = os.open(cache, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def raised(cache: Path, url: str = "https://127.0.0.1:1") -> tuple[int, Path]:
    """What `up` leaves behind, with a sleeper in place of a plane."""
    with held(cache) as lock, keeping(held=(lock,)) as keeper:
        keeper.start("kube-scheduler", SLEEPER)
        note(cache, keeper=keeper.pid, folder=str(keeper.folder), url=url)
        keeper.stay(cache / NOTE)
        return keeper.pid, keeper.folder


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "cache"
    made.mkdir()
    yield made
    if (made / NOTE).exists():
        down(made)


def test_nothing_is_up(cache: Path) -> None:
    assert look(cache) == (State.NONE, None)
    assert down(cache) is None
    with pytest.raises(PermanentError, match=r"no plane is up\. To go on: `opsbot practice up`"):
        found(cache)


def test_one_is_up_and_goes_down(cache: Path) -> None:
    keeper, folder = raised(cache)
    state, there = look(cache)
    assert state is State.UP
    assert there == found(cache)
    assert (there.keeper, there.folder) == (keeper, folder)
    assert there.kubeconfig == folder / "plane.kubeconfig"
    ended = down(cache)
    assert ended == there
    assert not folder.exists()
    assert list(cache.iterdir()) == []
    assert look(cache) == (State.NONE, None)


def test_one_is_up_already(cache: Path, programs: Path) -> None:
    raised(cache)
    with pytest.raises(Refused, match=r"a plane is up already, since s, at https://127.0.0.1:1 \(KUBECONFIG=/"):
        up(cache, {}, NOW, quiet)
    assert look(cache)[0] is State.UP


@pytest.fixture
def programs(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which the programs of a plane seem to be, and all of them fail."""
    monkeypatch.setattr(standing, "find", lambda _cache: cache)
    return cache


def test_another_one_is_being_raised(cache: Path, programs: Path) -> None:
    with held(cache):
        assert look(cache) == (State.RISING, None)
        with pytest.raises(Refused, match="another `opsbot practice up` is at work"):
            up(cache, {}, NOW, quiet)
        with pytest.raises(PermanentError, match="is being raised just now"):
            down(cache)
        with pytest.raises(PermanentError, match="is being raised just now"):
            found(cache)


def test_one_that_has_broken_down_is_being_taken_away(cache: Path, programs: Path) -> None:
    note(cache, url="https://127.0.0.1:1", ended="etcd ended with code 1: why")
    with held(cache):
        assert look(cache)[0] is State.BROKEN
        with pytest.raises(Refused, match=r"broken down \(etcd ended with code 1: why\) and is being taken away"):
            up(cache, {}, NOW, quiet)


def test_somebody_who_only_looks_is_not_in_the_way(cache: Path, programs: Path) -> None:
    descriptor = os.open(cache, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    with pytest.raises(Refused):
        up(cache, {}, NOW, quiet)
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
    assert look(cache)[0] is State.NONE


@pytest.mark.parametrize("text", [None, "", "[]", "{}"], ids=["none", "empty", "no kubeconfig", "another file"])
def test_a_plane_that_goes_while_one_looks_is_told(cache: Path, text: str | None) -> None:
    _, folder = raised(cache)
    there = found(cache)
    if text is not None:
        (folder / "plane.kubeconfig").write_text(text)
    with pytest.raises(PermanentError, match="the plane cannot be reached"):
        there.client()


def test_down_ends_one_that_is_being_raised(cache: Path) -> None:
    _, folder = raised(cache, url="")
    assert look(cache)[0] is State.RISING
    assert down(cache)
    assert not folder.exists()


def test_a_plane_that_broke_down_says_why(cache: Path) -> None:
    _, folder = raised(cache)
    os.kill(_child_of(folder), signal.SIGKILL)
    eventually(lambda: look(cache)[0] is State.BROKEN)
    _, there = look(cache)
    assert re.fullmatch(
        "kube-scheduler was killed by signal 9( soon after its start)?: it said nothing", standing.why(there)
    )
    with pytest.raises(PermanentError, match="the plane broke down: kube-scheduler was killed by signal 9"):
        found(cache)
    eventually(lambda: not folder.exists())
    assert down(cache)
    assert list(cache.iterdir()) == []


def _child_of(folder: Path) -> int:
    seen: set[int] = set()

    def there() -> bool:
        seen.update(_children_of(folder))
        return bool(seen)

    eventually(there)
    return seen.pop()


def _children_of(folder: Path) -> list[int]:
    return [int(place.name) for place in Path("/proc").glob("[0-9]*") if _works_in(place, folder)]


def _works_in(place: Path, folder: Path) -> bool:
    try:
        return (place / "cwd").readlink() == folder
    except OSError:
        return False


def test_a_keeper_that_was_killed_leaves_no_programs_and_down_sweeps_the_rest(cache: Path) -> None:
    keeper, folder = raised(cache)
    eventually(lambda: len(_children_of(folder)) == 1)
    os.kill(keeper, signal.SIGKILL)
    eventually(lambda: look(cache)[0] is State.BROKEN and not _children_of(folder))
    assert folder.exists()
    assert standing.why(look(cache)[1]).startswith("its keeper was killed")
    down(cache)
    assert not folder.exists()
    assert list(cache.iterdir()) == []


def test_a_number_that_somebody_else_has_now_is_left_alone(cache: Path) -> None:
    """As after a restart of the machine: nobody holds the lock, and the number is that of this very process."""
    note(cache, keeper=os.getpid(), url="https://127.0.0.1:1")
    assert look(cache)[0] is State.BROKEN
    assert down(cache)
    assert look(cache)[0] is State.NONE


def test_an_old_note_under_a_new_lock_kills_nobody(cache: Path) -> None:
    note(cache, keeper=os.getpid())
    with held(cache), pytest.raises(PermanentError, match="is being raised just now"):
        down(cache)
    assert (cache / NOTE).exists()


@pytest.mark.parametrize("text", ["", "half {", "[]", "null", '{"keeper": "x"}', '{"keeper": 1}', "\x00"])
def test_a_note_that_says_nothing(cache: Path, text: str) -> None:
    (cache / NOTE).write_text(text)
    assert look(cache) == (State.NONE, None)
    assert down(cache) is None
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", ["home", "opsbot-practice-link", "opsbot-practice-file"])
def test_only_folders_that_a_keeper_makes_are_swept(cache: Path, tmp_path: Path, name: str) -> None:
    place, precious = tmp_path / name, tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    if name.endswith("link"):
        place.symlink_to(precious)
    elif name.endswith("file"):
        place.touch()
    else:
        place.mkdir()
    note(cache, folder=str(place))
    down(cache)
    assert place.exists()
    assert (precious / "file").exists()


def test_the_programs_are_not_built(cache: Path) -> None:
    with pytest.raises(
        PermanentError, match=r"is not built on this machine\. To go on: run `opsbot practice build plane`"
    ):
        up(cache, {}, NOW, quiet)
    assert list(cache.iterdir()) == []


def test_a_plane_that_does_not_come_up_leaves_nothing(cache: Path, programs: Path, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    with pytest.raises(PermanentError):
        up(cache, {}, NOW, quiet)
    assert list(cache.iterdir()) == []
    assert list(place.iterdir()) == []
    assert look(cache)[0] is State.NONE


@pytest.mark.parametrize("act", [look, down, found], ids=["look", "down", "found"])
def test_a_cache_that_is_no_folder(tmp_path: Path, act: Callable[[Path], object]) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(PermanentError, match=f"the cache {tmp_path / 'cache'} cannot be used"):
        act(tmp_path / "cache")


def test_a_note_that_is_a_folder(cache: Path) -> None:
    (cache / NOTE).mkdir()
    with pytest.raises(PermanentError, match="cannot be read: Is a directory"):
        look(cache)
    (cache / NOTE).rmdir()
