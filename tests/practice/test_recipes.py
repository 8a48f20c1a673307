"""What the recipes say agrees with what go.mod pins; what is in the cache is taken only when it is whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opsbot.practice.build import build
from opsbot.practice.golang import parse, pinned
from opsbot.practice.recipes import PLANE, PROMETHEUS, WHOLE, Program, Recipe, built, finished, missing, others

RECIPES = pytest.mark.parametrize("recipe", [PLANE, PROMETHEUS], ids=lambda recipe: recipe.name)
TINY = "module example.org/tiny\n\ngo 1.20\n"


def quiet(_text: str) -> None:
    """Nobody wants to know."""


@pytest.fixture
def tiny(tmp_path: Path) -> Recipe:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "go.mod").write_text(TINY)
    (folder / "go.sum").write_text("")
    programs = (Program("one", "example.org/tiny/one"), Program("two", "example.org/tiny/two"))
    return Recipe("tiny", "Tiny 1", folder, "example.org/tiny@v1", programs, (), 1, 1)


def gomod(recipe: Recipe) -> str:
    return (recipe.folder / "go.mod").read_text()


def versions(recipe: Recipe) -> dict[str, str]:
    return dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)", gomod(recipe), re.MULTILINE))


@RECIPES
def test_the_programs_are_the_tools_of_go_mod(recipe: Recipe) -> None:
    tools = re.search(r"^tool \((.*?)^\)", gomod(recipe), re.MULTILINE | re.DOTALL)
    assert tools
    assert set(tools[1].split()) == {p.package for p in recipe.programs if not p.package.endswith(".go")}


def test_the_plane_says_the_versions_that_are_pinned() -> None:
    there = versions(PLANE)
    kubernetes, etcd, kwok = (
        there[name] for name in ("k8s.io/kubernetes", "go.etcd.io/etcd/server/v3", "sigs.k8s.io/kwok")
    )
    assert PLANE.version == f"Kubernetes {kubernetes[1:]}, etcd {etcd[1:]}, kwok {kwok[1:]}"
    assert PLANE.module == f"k8s.io/kubernetes@{kubernetes}"
    major, minor, _ = kubernetes[1:].split(".")
    assert f"gitVersion={kubernetes} " in PLANE.flags[0]
    assert PLANE.flags[0].endswith(f"gitMajor={major} -X k8s.io/component-base/version.gitMinor={minor}")


def test_prometheus_says_the_version_that_is_pinned() -> None:
    there = versions(PROMETHEUS)["github.com/prometheus/prometheus"]
    assert PROMETHEUS.module.endswith(f"@{there}")
    _, minor, patch = there[1:].split(".")  # its modules of v3 are numbered v0.3MM.P
    version = f"{minor[0]}.{int(minor[1:])}.{patch}"
    assert PROMETHEUS.version == f"Prometheus {version}"
    assert PROMETHEUS.flags[1].endswith(f"Version={version}")


@RECIPES
def test_everything_in_go_mod_is_pinned_by_hash(recipe: Recipe) -> None:
    sums = (recipe.folder / "go.sum").read_text()
    replaced = dict(re.findall(r"^replace (\S+) => \S+ (v\S+)", gomod(recipe), re.MULTILINE))
    lacking = [
        name for name, version in versions(recipe).items()
        if not re.search(rf"^{re.escape(f'{name} {replaced.get(name, version)}')}(/go\.mod)? h1:", sums, re.MULTILINE)
    ]  # fmt: skip
    assert lacking == []


@RECIPES
def test_the_go_that_can_be_downloaded_is_new_enough(recipe: Recipe) -> None:
    there = parse(pinned())
    assert there
    assert recipe.needs <= there


def test_the_folder_changes_with_all_that_decides_what_comes_out(tiny: Recipe, tmp_path: Path) -> None:
    first = tiny.home(tmp_path)
    assert first == tiny.home(tmp_path)
    assert first.parent == tmp_path
    names = {
        first,
        replace(tiny, flags=("-tags=x",)).home(tmp_path),
        replace(tiny, programs=tiny.programs[:1]).home(tmp_path),
    }
    for name in ("go.sum", "go.mod"):
        with (tiny.folder / name).open("a") as file:
            file.write("// another\n")
        names.add(tiny.home(tmp_path))
    assert len(names) == 5


Harm = Callable[[Path], object]
HARMS: dict[str, tuple[Harm, list[str]]] = {
    "one is missing": (lambda home: (home / "bin" / "one").unlink(), ["one"]),
    "one was cut": (lambda home: (home / "bin" / "two").write_bytes(b""), ["two"]),
    "one may not be run": (lambda home: (home / "bin" / "two").chmod(0o600), ["two"]),
    "nobody knows what is whole": (lambda home: (home / WHOLE).unlink(), ["one", "two"]),
    "the note was cut": (lambda home: (home / WHOLE).write_text('{"one'), ["one", "two"]),
    "the note is something else": (lambda home: (home / WHOLE).write_text("[1]"), ["one", "two"]),
    "the note is no text": (lambda home: (home / WHOLE).write_bytes(b"\xff\xfe"), ["one", "two"]),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_not_whole_is_built_again(
    tiny: Recipe, tmp_path: Path, stub_go: Callable[..., Path], harm: str
) -> None:
    do, lacking = HARMS[harm]
    calls, cache = stub_go(), tmp_path / "cache"
    assert built(tiny, cache) is None
    folder = build(tiny, cache, quiet)
    assert built(tiny, cache) == folder
    do(tiny.home(cache))
    assert built(tiny, cache) is None
    assert [program.name for program in missing(tiny, cache)] == lacking
    calls.write_text("")
    assert build(tiny, cache, quiet) == folder
    assert [line.rpartition("/")[2] for line in calls.read_text().splitlines()] == lacking
    assert set(finished(tiny.home(cache))) == {"one", "two"}
    assert built(tiny, cache) == folder


def test_another_version_has_a_folder_of_its_own_and_the_old_one_is_named(
    tiny: Recipe, tmp_path: Path, stub_go: Callable[..., Path]
) -> None:
    stub_go()
    cache = tmp_path / "cache"
    old = build(tiny, cache, quiet).parent
    (cache / "tiny-notes").mkdir()
    (cache / "tiny-0123456789ab").write_text("a file")
    (tiny.folder / "go.sum").write_text("example.org/x v1.0.0 h1:x\n")
    assert built(tiny, cache) is None
    assert build(tiny, cache, quiet).parent != old
    assert others(tiny, cache) == [old]
    assert (old / "bin" / "one").exists(), "somebody may still be running it"


@RECIPES
def test_an_empty_cache_holds_nothing(recipe: Recipe, tmp_path: Path) -> None:
    assert built(recipe, tmp_path / "nowhere") is None
    assert missing(recipe, tmp_path / "nowhere") == list(recipe.programs)
    assert others(recipe, tmp_path / "nowhere") == []
