"""Patterns of `rule_files`, as Go's path/filepath reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsbot.core.errors import ConfigError
from opsbot.lab.globs import matching

FILES = ("a.yml", "b.yml", ".dot.yml", "sub/a.yml", "sub/deep/c.yml", "other/a.yml", "odd/[x]*.yml", "odd/!x-^.yml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("a.yml", "a.yml"), ("./sub/../a.yml", "a.yml"), ("none/../a.yml", "a.yml"), ("sub//a.yml", "sub/a.yml"),
        ("*.yml", ".dot.yml a.yml b.yml"), ("?.yml", "a.yml b.yml"), ("**/*.yml",
        "odd/!x-^.yml odd/[x]*.yml other/a.yml sub/a.yml"),
        ("sub/*/*.yml", "sub/deep/c.yml"), ("*/deep/../*.yml", "odd/!x-^.yml odd/[x]*.yml other/a.yml sub/a.yml"),
        ("[ab].yml", "a.yml b.yml"), ("[a-b].yml", "a.yml b.yml"), ("[b-a].yml", ""), ("[^a].yml", "b.yml"),
        ("[!a].yml", "a.yml"),
        ("[^b-a].yml", "a.yml b.yml"),
        ("odd/[[]*", "odd/[x]*.yml"), ("odd/[!]*", "odd/!x-^.yml"), ("odd/*[\\^].yml", "odd/!x-^.yml"),
        ("odd/*[\\--\\-]*", "odd/!x-^.yml"), ("odd/\\[x]\\*.yml", "odd/[x]*.yml"), ("\\a.yml", "a.yml"),
        ("s*b/*a*.y*l", "sub/a.yml"), ("*a*a*", ""), ("{a,b}.yml", ""), ("A.yml", ""), (" a.yml", ""), ("none.yml", ""),
        ("none/*.yml", ""), ("a.yml/*", ""), ("*/none.yml", ""), ("", ""), ("\0", ""), ("\0/*", ""),
    ],
)  # fmt: skip
def test_a_pattern_names(folder: Path, pattern: str, want: str) -> None:
    assert [str(path.relative_to(folder)) for path in matching(folder, pattern)] == want.split()


@pytest.mark.parametrize(
    ("pattern", "want"),
    [("a.yml", "a.yml"), ("*/../a.yml", ""), ("sub/../?.yml", "a.yml b.yml"), ("*//a.yml", "")],
    ids=["plain", "up from a star", "up from a name", "nothing between"],
)
def test_an_absolute_pattern_is_not_cleaned(folder: Path, pattern: str, want: str) -> None:
    found = matching(Path("/nowhere"), f"{folder}/{pattern}")
    assert [path.name for path in found] == want.split()


def test_the_folder_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "[x]").mkdir()
    (tmp_path / "[x]" / "a.yml").touch()
    assert matching(tmp_path / "[x]", "*.yml") == [tmp_path / "[x]" / "a.yml"]


def test_a_link_to_nothing_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("gone")
    assert matching(tmp_path, "*.yml") == matching(tmp_path, "a.yml") == [tmp_path / "a.yml"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        *((pattern, "bad pattern") for pattern in ("[", "[a", "[]", "[]a]", "[^]", "[^]a]", "[-a]", "[a-]", "[a-b-c]")),
        *((pattern, "bad pattern") for pattern in ("a\\", "[a\\", "x[a/b]", "none/[a", "[a/*")),
        *((pattern, "is a directory") for pattern in ("sub", "sub/", "s*", "sub/*", ".", "..", "*/deep")),
    ],
)  # fmt: skip
def test_what_is_refused(folder: Path, pattern: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        matching(folder, pattern)
