"""apt-get in all its moods: what is asked of it, what appears in the cache, and what a person reads when it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice.debian import explain, fetch

Mirror = Callable[[str], Path]
PROGRAM = Path("usr") / "bin" / "prometheus"
NO_LISTS = """if [ -z "$private" ]; then echo 'E: Unable to locate package prometheus' >&2; exit 100; fi"""
FAILS = """echo '{}' >&2; exit 100"""
OLD_LISTS = """if [ -z "$private" ] && [ "$2" != --print-uris ]; then
    echo 'E: Failed to fetch it  404  Not Found' >&2; exit 100; fi"""


def quiet(_text: str) -> None:
    """Nobody wants to know."""


def left_in(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir() if not item.name.endswith(".lock"))


def test_a_package_is_unpacked_once(mirror: Mirror, tmp_path: Path) -> None:
    calls, into, told = mirror(""), tmp_path / "cache" / "prometheus", list[str]()
    assert fetch(["prometheus"], into, told.append) == into
    assert (into / PROGRAM).stat().st_mode & 0o111
    assert left_in(into.parent) == ["prometheus"]
    assert any("unpacking" in text for text in told)
    asked = calls.read_text()
    assert fetch(["prometheus"], into, told.append) == into
    assert calls.read_text() == asked, "the second time asks nobody"


@pytest.mark.parametrize(("mood", "updates"), [
    pytest.param("", 0, id="the system's lists know it"),
    pytest.param(NO_LISTS, 1, id="the system has no lists"),
    pytest.param(OLD_LISTS, 1, id="the system's lists are too old"),
    pytest.param(NO_LISTS + """
        if [ "$1" = update ]; then echo 'E: Failed to fetch http://other.example/InRelease' >&2; exit 100; fi""",
        1, id="another source cannot be reached"),
])  # fmt: skip
def test_lists_of_its_own_where_the_systems_do_not_do(mirror: Mirror, tmp_path: Path, mood: str, updates: int) -> None:
    calls = mirror(mood)
    into = fetch(["prometheus"], tmp_path / "cache" / "prometheus", quiet)
    assert (into / PROGRAM).is_file()
    assert sum(" update" in line for line in calls.read_text().splitlines()) == updates


@pytest.mark.parametrize(("said", "words"), [
    pytest.param("E: Unable to locate package prometheus", ["no package source has it", "sources.list"], id="unknown"),
    pytest.param("E: Failed to fetch http://m/x  Temporary failure resolving m", ["cannot be reached", "network"],
                 id="no network"),
    pytest.param("Err: Could not connect to 10.0.0.1:80, connection timed out", ["cannot be reached"], id="hangs"),
    pytest.param("E: You don't have enough free space in /x.", ["the disk is full", "make room"], id="disk"),
    pytest.param("dpkg-deb: error: cannot write: No space left on device", ["the disk is full"], id="disk, unpacking"),
    pytest.param("W: GPG error: NO_PUBKEY 123\nE: not signed.", ["cannot be trusted", "keyring"], id="no key"),
    pytest.param("E: something new under the sun", ["something new under the sun"], id="anything else"),
])  # fmt: skip
def test_a_failure_is_told_with_a_way_on(mirror: Mirror, tmp_path: Path, said: str, words: list[str]) -> None:
    mirror(FAILS.format(said.replace("'", "'\\''")))
    into = tmp_path / "cache" / "prometheus"
    with pytest.raises(PermanentError) as raised:
        fetch(["prometheus"], into, quiet)
    assert all(word in str(raised.value) for word in ["prometheus", *words])
    assert left_in(into.parent) == []


def test_a_failed_download_is_made_good_by_the_next(mirror: Mirror, tmp_path: Path) -> None:
    into = tmp_path / "cache" / "prometheus"
    mirror(FAILS.format("E: Failed to fetch it"))
    with pytest.raises(PermanentError):
        fetch(["prometheus"], into, quiet)
    mirror("")
    assert (fetch(["prometheus"], into, quiet) / PROGRAM).is_file()


def test_what_a_killed_process_left_is_no_obstacle(mirror: Mirror, tmp_path: Path) -> None:
    mirror("")
    into = tmp_path / "cache" / "prometheus"
    half = into.parent / ".prometheus.part-dead" / "root" / "usr"
    half.mkdir(parents=True)
    fetch(["prometheus"], into, quiet)
    assert left_in(into.parent) == ["prometheus"]


def test_two_at_the_same_time_download_it_once(mirror: Mirror, tmp_path: Path) -> None:
    calls, into = mirror(""), tmp_path / "cache" / "prometheus"
    both = [threading.Thread(target=fetch, args=(["prometheus"], into, quiet)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert (into / PROGRAM).is_file()
    assert sum(line.endswith("download prometheus") for line in calls.read_text().splitlines()) == 1


def test_no_apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="apt-get is not here"):
        fetch(["prometheus"], tmp_path / "cache" / "prometheus", quiet)


def test_a_cache_that_cannot_be_written(mirror: Mirror, tmp_path: Path) -> None:
    mirror("")
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(PermanentError, match="XDG_CACHE_HOME"):
        fetch(["prometheus"], tmp_path / "cache" / "prometheus", quiet)


def test_an_answer_that_is_no_list_of_files(mirror: Mirror, tmp_path: Path) -> None:
    mirror("echo 'nothing to see here'; exit 0")
    with pytest.raises(PermanentError, match="names no file"):
        fetch(["prometheus"], tmp_path / "cache" / "prometheus", quiet)


def test_a_name_from_outside_stays_inside(mirror: Mirror, tmp_path: Path) -> None:
    mirror("""if [ "$2" = --print-uris ]; then echo "'http://m/x' ../../escape.deb 12 SHA256:00"; exit 0; fi""")
    with pytest.raises(PermanentError):
        fetch(["prometheus"], tmp_path / "cache" / "prometheus", quiet)
    assert not (tmp_path / "escape.deb").exists()


def test_explain_takes_the_last_error() -> None:
    assert explain("E: first\nnoise\nE: last", ["a", "b"]).endswith("a b cannot be downloaded: last")
