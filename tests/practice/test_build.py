"""A build in all its moods: with a real Go, with one that fails, and with people who stop it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice import build as builder
from opsbot.practice.build import build, explain
from opsbot.practice.golang import Go
from opsbot.practice.recipes import PLANE, Program, Recipe, built

StubGo = Callable[..., Path]
FAILS = """echo '{}' >&2; exit 1"""


def quiet(_text: str) -> None:
    """Nobody wants to know."""


def left_in(cache: Path) -> list[str]:
    return sorted(item.name for item in cache.iterdir() if not item.name.endswith(".lock"))


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Two programs of a module that needs no other one, and one of Go's own sources."""
    folder = tmp_path / "tiny"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "main.go").write_text(
            f'package main\n\nvar said = "{name}"\n\nfunc main() {{ println(said) }}\n'
        )
    (folder / "go.mod").write_text("module example.org/tiny\n\ngo 1.20\n")
    (folder / "go.sum").write_text("")
    programs = (Program("one", "example.org/tiny/one"), Program("two", "example.org/tiny/two"))
    return Recipe("tiny", "Tiny 1", folder, "example.org/tiny@v1", programs, ("-ldflags=-s -X main.said=flag",), 10, 1)


@pytest.mark.real("go")
def test_a_real_go_builds_it(recipe: Recipe, tmp_path: Path, go_program: Go) -> None:
    cache, told, said = tmp_path / "cache", list[str](), list[str]()
    folder = build(recipe, cache, told.append, said.append)
    for name in ("one", "two"):
        ran = subprocess.run([str(folder / name)], capture_output=True, text=True, check=True, timeout=20)
        assert ran.stderr == "flag\n", "the flags were used"
    assert said[0].startswith("Tiny 1: all 2 programs to build, with Go ")
    assert "about 1 minutes on two cores" in said[1]
    assert [line.split()[:4] for line in said[3:]] == [["one", "1", "of", "2"], ["two", "2", "of", "2"]]
    assert left_in(cache) == [folder.parent.name], "nothing is left in the works"
    assert build(recipe, cache, pytest.fail, pytest.fail) == folder, "the second time asks nobody"


@pytest.mark.real("go")
def test_a_real_go_complains_of_the_source(recipe: Recipe, tmp_path: Path, go_program: Go) -> None:
    (recipe.folder / "two" / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    cache = tmp_path / "cache"
    with pytest.raises(PermanentError, match=r"two cannot be built: .*undefined: nonsense") as raised:
        build(recipe, cache, quiet)
    log = cache / "tiny-build.log"
    assert str(log) in str(raised.value)
    assert "undefined: nonsense" in log.read_text()
    (recipe.folder / "two" / "main.go").write_text("package main\n\nfunc main() {}\n")
    assert (build(recipe, cache, quiet) / "two").is_file()


@pytest.mark.real("go")
def test_a_module_that_go_sum_does_not_pin(recipe: Recipe, tmp_path: Path, go_program: Go) -> None:
    (recipe.folder / "one" / "main.go").write_text('package main\n\nimport _ "example.org/other"\n\nfunc main() {}\n')
    with (recipe.folder / "go.mod").open("a") as file:
        file.write("\nrequire example.org/other v1.0.0\n")
    with pytest.raises(PermanentError, match=r"go\.mod and go\.sum do not agree"):
        build(recipe, tmp_path / "cache", quiet)


@pytest.mark.real("go")
def test_a_file_of_gos_own(recipe: Recipe, tmp_path: Path, go_program: Go) -> None:
    """It makes a certificate and its key in the folder where it runs."""
    own = replace(recipe, programs=tuple(program for program in PLANE.programs if program.name == "generate_cert"))
    made = build(own, tmp_path / "cache", quiet) / "generate_cert"
    subprocess.run([str(made), "-host", "127.0.0.1"], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (tmp_path / "cert.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (tmp_path / "key.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


# a Go that fails ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "words"), [
    pytest.param("compile: writing output: write $WORK/b1/_pkg_.a: no space left on device",
                 ["the disk is full", "go clean -cache"], id="disk"),
    pytest.param('go: k8s.io/api@v0.36.3: Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host',
                 ["proxy cannot be reached", "HTTPS_PROXY", "GOPROXY"], id="no name server"),
    pytest.param('go: x@v1: Get "https://p/x": dial tcp 10.0.0.1:443: connect: connection refused',
                 ["proxy cannot be reached"], id="refused"),
    pytest.param('go: x@v1: Get "https://p/x": net/http: TLS handshake timeout', ["cannot be reached"], id="slow"),
    pytest.param("go: x@v1: reading https://p/x.zip: 503 Service Unavailable", ["cannot be reached"], id="overloaded"),
    pytest.param("go: x@v1: reading https://p/x.zip: 404 Not Found", ["does not have a module"], id="unknown there"),
    pytest.param('Get "https://p/x": tls: failed to verify certificate: x509: certificate signed by unknown authority',
                 ["cannot be trusted", "SSL_CERT_FILE"], id="certificates"),
    pytest.param("go: x@v1: module lookup disabled by GOPROXY=off", ["GOPROXY forbids"], id="proxy off"),
    pytest.param("verifying x@v1: checksum mismatch\n\tSECURITY ERROR", ["not the one that go.sum pins"], id="changed"),
    pytest.param("golang.org/x/net: /usr/lib/go/compile: signal: killed", ["out of memory", "3 GB"], id="memory"),
    pytest.param("go: x@v1: missing go.sum entry for go.mod file", ["do not agree", "restore both"], id="sums"),
    pytest.param("build cache is required, but could not be located: GOCACHE is not defined and neither"
                 " $XDG_CACHE_HOME nor $HOME are defined", ["set HOME"], id="no home"),
    pytest.param("open /root/go/pkg/mod/cache/lock: permission denied", ["may not write to its caches"], id="rights"),
])  # fmt: skip
def test_a_failure_is_told_with_a_way_on(
    stub_go: StubGo, recipe: Recipe, tmp_path: Path, said: str, words: list[str]
) -> None:
    cache, complaint = tmp_path / "cache", tmp_path / "complaint"
    complaint.write_text(f"go: downloading x v1\nexample.org/compiled\n# example.org/failed\n{said}\n")
    stub_go(f'case "$package" in */two) cat {complaint} >&2; exit 1;; esac')
    with pytest.raises(PermanentError) as raised:
        build(recipe, cache, quiet)
    assert all(word in str(raised.value) for word in ["two cannot be built: ", "To go on: ", *words]), str(raised.value)
    calls = stub_go()
    calls.write_text("")
    assert (build(recipe, cache, quiet) / "two").is_file()
    assert len(calls.read_text().splitlines()) == 1, "the first one was finished: the second try goes on"


@pytest.mark.parametrize(("printed", "code", "text"), [
    pytest.param("a/b\nc/d\n# c/d\nfile.go:1:2: undefined: x", 1, "# c/d | file.go:1:2: undefined: x",
                 id="the last two complaints"),
    pytest.param("a/b\ngo: downloading y v1\n", 2, "Go ended with code 2 and said nothing", id="none"),
])  # fmt: skip
def test_what_nobody_foresaw_is_told_as_it_was_said(printed: str, code: int, text: str) -> None:
    assert explain(printed, code, "x") == f"x cannot be built: {text}"


def test_a_go_that_was_killed_outright() -> None:
    assert "out of memory" in explain("a/b\n", 137, "x")


def test_a_go_that_ends_well_and_makes_nothing(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    stub_go("exit 0")
    with pytest.raises(PermanentError, match="one cannot be built: Go ended with code 0 and said nothing"):
        build(recipe, tmp_path / "cache", quiet)


def test_a_go_that_falls_silent_is_given_up(
    stub_go: StubGo, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "SILENCE", 0.5)
    stub_go("sleep 300")
    with pytest.raises(PermanentError, match=r"one, 1 of 2 was given up: Go said nothing .* check the network"):
        build(recipe, tmp_path / "cache", quiet)


def test_progress_says_which_program_and_how_far(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    told = list[str]()
    stub_go("echo 'go: downloading x v1' >&2; sleep 0.7; echo a/b; echo c/d; sleep 0.7")
    build(recipe, tmp_path / "cache", told.append)
    assert any(text.startswith("building one, 1 of 2: 1 modules downloaded, ") for text in told)
    assert any(text.startswith("building two, 2 of 2: 2 packages compiled, ") for text in told)


# room ---------------------------------------------------------------------------------------------------------------

PETABYTE = 1_000_000_000


def test_a_build_for_which_there_is_no_room_is_not_begun(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    calls, cache = stub_go(), tmp_path / "cache"
    with pytest.raises(PermanentError, match=r"too full to build tiny: about 1000000.0 GB are needed at .* are free"):
        build(replace(recipe, megabytes=PETABYTE), cache, quiet)
    assert calls.read_text() == ""
    assert left_in(cache) == []


def test_what_go_has_already_needs_no_room_and_no_warning(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    stub_go()
    (tmp_path / "modules" / recipe.module).mkdir(parents=True)
    said = list[str]()
    build(recipe, tmp_path / "cache", quiet, said.append)
    assert said[0] == f"Tiny 1: all 2 programs to build, with Go 1.99.0 ({tmp_path / 'bin' / 'go'})"
    assert len(said) == 3


def test_a_disk_that_fills_up_here(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    """As far as this process is concerned: /dev/full takes nothing."""
    stub_go('ln -s /dev/full "$(dirname $file)/whole.json"')
    cache = tmp_path / "cache"
    with pytest.raises(PermanentError, match=f"the disk is full at {cache}. To go on: make room"):
        build(recipe, cache, quiet)
    stub_go()
    assert build(recipe, cache, quiet) == built(recipe, cache)


def test_a_cache_that_cannot_be_written(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    stub_go()
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(PermanentError, match="XDG_CACHE_HOME"):
        build(recipe, tmp_path / "cache", quiet)


# stopped, and two at once -------------------------------------------------------------------------------------------


def test_two_at_the_same_time_build_it_once(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    calls, cache, said = stub_go("sleep 0.5"), tmp_path / "cache", list[str]()
    both = [threading.Thread(target=build, args=(recipe, cache, quiet, said.append)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert built(recipe, cache)
    assert len(calls.read_text().splitlines()) == 2, "one call a program"
    assert sum("makes tiny-" in line and line.endswith("waiting for it") for line in said) == 1


def test_what_a_killed_build_left_is_swept(stub_go: StubGo, recipe: Recipe, tmp_path: Path) -> None:
    stub_go()
    cache = tmp_path / "cache"
    home = recipe.home(cache)
    (cache / f".{home.name}.part-dead" / "go-build123").mkdir(parents=True)
    build(recipe, cache, quiet)
    assert left_in(cache) == [home.name]
